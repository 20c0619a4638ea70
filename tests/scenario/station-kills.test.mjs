// The real station, killed (kill -9) at random moments while a doctor types, a monitor sends, two tracks are recorded and pictures
// come in: whatever was acknowledged is in the record. A few kills with every run, 1,000 with NHIPCAU_LONG.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Console } from '../lib/console.mjs';
import { mllp, reading } from '../lib/mllp.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const KILLS = Number(process.env.NHIPCAU_KILLS ?? (process.env.NHIPCAU_LONG ? 1000 : 6));
const PER_CONSULTATION = 20; // no consultation is killed a thousand times
const ROOM = '00A0370000000001';

let at, station, page, session, consultation;
const told = { notes: new Map(), readings: new Set(), drafts: new Map() };
let kills = 0, items = 0, between = 0;

before(async () => {
  at = await makePlace('station-kills', { config: `[camera room]\naddress=test:\n[device monitor]\nid=${ROOM}\n` });
  station = await runStation(at, { unlock: false });
});
after(async () => {
  page?.close();
  await stop(station);
  at.remove();
});

const json = async (...args) => JSON.parse((await promisify(execFile)(nhipcau,
  [...args, '--json', '--state', at.state, '--config', at.config, '--boot-credential', at.boot], { encoding: 'utf8', maxBuffer: 1 << 28 })).stdout);

async function begin() {
  consultation = await startConsultation(page, { patient: { name: 'Giàng A Páo', birth_year: 1971 } });
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'], by: 'Giàng A Páo' });
  await page.ask('recording.start');
  for (const list of Object.values(told)) list.clear();
}

async function comeBack() {
  if (session === undefined) {
    page = await signIn(at, 'lan');
    ({ session } = page);
    return begin();
  }
  page = await Console.connect(at);
  await page.ask('resume', { session });
  await page.stateWhere((s) => s.consultation?.id === consultation && s.consultation.state === 'live');
}

// Writes as fast as the answers come; ends when the connection does. What was answered is in the ledger.
async function type(running) {
  for (let n = 0; running(); n++) {
    const note = randomUUID(), text = `Ran nổ hai đáy phổi ${kills}/${n}`;
    if (n % 3 === 0) {
      await page.ask('note.draft', { note, kind: 'note', text });
      told.drafts.set(note, text);
    }
    await page.ask('note.save', { note, kind: 'examination', text });
    told.drafts.delete(note);
    told.notes.set(note, text);
  }
}

async function measure(running) {
  const line = await mllp(at.ports.mllp);
  for (let n = 1; running(); n++) {
    const value = 60 + ((kills * 1000 + n) % 39999) / 1000;
    const code = await line.send(reading(ROOM, kills * 100000 + n, value));
    if (code === null) break;
    if (code === 'AA') told.readings.add(value);
  }
  line.close();
}

async function workAndKill() {
  let on = true;
  const work = [type(() => on), measure(() => on)].map((one) => one.catch(() => {}));
  await new Promise((done) => setTimeout(done, Math.random() * 1500));
  const gone = once(station, 'exit');
  execFileSync('kill', ['-9', String(station.pid)]);
  on = false;
  await gone;
  await Promise.all(work);
  page.close();
  kills++;
}

// Before anybody repairs it, by the program that only reads.
async function look() {
  const { rows } = await json('record', 'show', consultation);
  const notes = new Map((rows.note ?? []).map(({ body }) => [body.note, body.text]));
  for (const [note, text] of told.notes) assert.equal(notes.get(note), text, `a note of kill ${kills}`);
  const values = new Set((rows.observation ?? []).map(({ body }) => body.value));
  for (const value of told.readings) assert.ok(values.has(value), `a reading of kill ${kills}: ${value}`);
  items += told.notes.size + told.readings.size;
}

test(`${KILLS} kills of the station at work: nothing that was acknowledged is lost`, { timeout: 88 * 60_000 }, async (t) => {
  while (kills < KILLS) {
    await comeBack();
    await workAndKill();
    await look();
    station = await runStation(at, { unlock: false });
    if (kills % PER_CONSULTATION !== 0 && kills !== KILLS) continue;
    await comeBack();
    const notes = new Map(page.state.consultation.notes.map(({ note, text }) => [note, text]));
    for (const [note, text] of told.drafts) assert.equal(notes.get(note), text, `a draft of kill ${kills}`);
    between += told.drafts.size;
    const { good, findings } = await json('record', 'verify').catch((error) => JSON.parse(error.stdout));
    assert.equal(good, true, JSON.stringify(findings));
    await page.ask('consultation.conclude', { conclusion: 'Viêm phổi' });
    await page.ask('consultation.sign', { pin: at.pin });
    await page.stateWhere((s) => s.consultation === null);
    if (kills < KILLS) await begin();
    page.close();
  }
  t.diagnostic(`${kills} kills, ${items} acknowledged notes and readings looked for, ${between} drafts, none lost`);
  assert.ok(items > KILLS * 5, `${items} items only`);
});
