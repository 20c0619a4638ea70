// Between station and pages stands a broker that drops, delays, changes, replays, reorders, crosses
// topics: nothing of it is taken, nothing falls over, honest traffic goes on.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { loadRendezvous } from '../lib/broker-pages.mjs';
import { Console } from '../lib/console.mjs';
import { lookup } from '../lib/localhost.mjs';
import { startBroker } from '../lib/rendezvous.mjs';
import { freePort, runStation, setUp, stop } from '../lib/station.mjs';
import { EvilBroker } from '../sim/evil-broker.mjs';

const FORGERIES = process.env.NHIPCAU_LONG ? 100_000 : 6000;
const TOKEN = 'a-token-of-more-than-sixteen';
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-evil-'));
let broker, evil, clinic, station, doctor, code;
const pages = [];

// What was taken, of everything that came: the texts, by topic.
const taken = [];

before(async () => {
  code = await loadRendezvous();
  const { receive } = code.Tunnel.prototype;
  code.Tunnel.prototype.receive = async function (text, now) {
    const good = await receive.call(this, text, now);
    if (good) taken.push({ topic: `nhipcau/1/ta-van/out/${this.ends.client}`, text });
    return good;
  };
  const { read } = code.PresenceReader.prototype;
  code.PresenceReader.prototype.read = async function (text) {
    const presence = await read.call(this, text);
    if (presence) taken.push({ topic: 'nhipcau/1/ta-van/presence', text });
    return presence;
  };
  const open = await freePort();
  broker = await startBroker({ dir: join(dir, 'broker'), open, log: false });
  evil = await EvilBroker.start(open, { seed: 66, per: process.env.NHIPCAU_LONG ? 30 : 8 });
  writeFileSync(join(dir, 'token'), `${TOKEN}\n`, { mode: 0o600 });
  clinic = await setUp(join(dir, 'clinic'), {
    more: 'id=ta-van',
    config: `[metrics]\ntoken-file=${join(dir, 'token')}\n[rendezvous]\nbroker=mqtt://localhost:${evil.port}\npages=https://kham.example.vn\n`,
  });
  station = await runStation(clinic);
  doctor = await Console.connect(clinic);
  await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin });
  await doctor.ask('consultation.start', { mode: 3, reason: 'thử', patient: { unknown: true } });
}, { timeout: 240_000 });

after(async () => {
  for (const page of pages) page.end();
  evil?.close();
  doctor?.close();
  await stop(station);
  await broker?.stop();
  rmSync(dir, { recursive: true, force: true });
});

// A page that asks and counts the answers.
class Page {
  asked = 0;
  answers = new Map();
  greetings = 0;
  #timer;

  constructor({ invite, secret, via }) {
    this.broker = new code.Broker(`mqtt://127.0.0.1:${evil.port}`);
    this.line = new code.Line({ ...via, box: invite, secret }, {
      message: (text) => this.#message(JSON.parse(text)), down: () => {}, refused: (why) => { this.refused = why; },
    }, this.broker);
    this.#timer = setInterval(() => {
      if (this.line.send(JSON.stringify({ type: 'ping', id: this.asked + 1 }))) this.asked++;
    }, 60);
  }

  #message(message) {
    if (message.type === 'hello') this.greetings++;
    else if (message.re) this.answers.set(message.re, (this.answers.get(message.re) ?? 0) + 1);
  }

  end() { clearInterval(this.#timer); this.line.end(); this.broker.end(); }
}

const figures = () => new Promise((done, fail) => get(`${clinic.origin}/metrics`, {
  ca: readFileSync(clinic.ca), lookup, headers: { authorization: `Bearer ${TOKEN}` },
}, (answer) => {
  let text = '';
  answer.on('data', (chunk) => { text += chunk; });
  answer.on('end', () => done(Object.fromEntries([...text.matchAll(/^nhipcau_rendezvous_(\w+?)(?:_total\{result="(\w+)"\})? (\d+)$/gm)]
    .map(([, name, result, value]) => [result ? `${name} ${result}` : name, Number(value)]))));
}).on('error', fail));

test('nothing of what it makes up is taken, what is honest arrives', { timeout: 1_800_000 }, async (t) => {
  for (let i = 0; i < 4; i++) {
    const { link } = await doctor.ask('invite.create', { role: 'specialist', name: `BS. ${i}` });
    pages.push(new Page(code.readFragment(link.slice(link.indexOf('#')))));
  }
  const heard = () => pages.map(({ asked, answers, greetings }) => ({ asked, answered: answers.size, greetings }));
  await eventually(async () => evil.forged >= FORGERIES && heard().every(({ answered }) => answered >= 30), FORGERIES / 60 + 90,
    `${FORGERIES} forgeries, and answers to every page`);
  const said = await figures();
  t.diagnostic(JSON.stringify({ forged: evil.forged, ...evil.done }));
  t.diagnostic(JSON.stringify(said));
  t.diagnostic(JSON.stringify(heard()));

  const honest = (pattern) => [...evil.honest].filter(([topic]) => pattern.test(topic)).reduce((sum, [, set]) => sum + set.size, 0);
  assert.ok(said['frames accepted'] > 100 && said['frames accepted'] <= honest(/\/in\//), 'the station took no more frames than pages sent');
  assert.ok(said['openings accepted'] <= honest(/\/open\//), 'nor openings');
  assert.ok(said['frames refused'] + said['frames replayed'] + said['frames unknown'] > FORGERIES / 10);
  for (const { topic, text } of taken) assert.ok(evil.honest.get(topic)?.has(text), `a page took what the station never said at ${topic}`);
  assert.equal(new Set(taken.map(({ topic, text }) => topic + text)).size, taken.filter(({ topic }) => /\/out\//.test(topic)).length
    + new Set(taken.filter(({ topic }) => !/\/out\//.test(topic)).map(({ text }) => text)).size, 'nothing was taken twice');
  for (const { answers, refused } of pages) {
    assert.equal(refused, undefined);
    assert.ok([...answers.values()].every((times) => times === 1), 'each once');
  }
});

test('once it is honest again every question is answered', { timeout: 60_000 }, async () => {
  evil.evil = false;
  for (const page of pages) {
    const before = page.answers.size;
    await eventually(async () => page.answers.size > before + 20, 30, 'answers');
  }
  assert.equal(station.exitCode, null);
});
