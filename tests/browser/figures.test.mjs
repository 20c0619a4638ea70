// Figures of the links: at the pages, in the record, at /metrics (Prometheus). A real browser reports
// how its streams arrive.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { openChromium } from '../lib/browser.mjs';
import { picturesMove, screenshots, watched } from '../lib/clinic.mjs';
import { place, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

const TOKEN = 'a-token-of-the-province-1';
const PATIENT = 'Lò Văn Pành';
let at, station, doctor, specialist;

before(async () => {
  at = await place('figures', { config: '[camera room]\naddress=test:\nwidth=640\nheight=360\n\n[microphone microphone]\naddress=test:\n\n[relay nowhere]\naddress=turn:127.0.0.1:9\nsecret-file=metrics.token\n\n[metrics]\ntoken-file=metrics.token\n' });
  writeFileSync(join(at.dir, 'metrics.token'), `${TOKEN}\n`, { mode: 0o600 });
  station = await runStation(at);
  doctor = await signIn(at, 'lan');
  await startConsultation(doctor, { patient: { name: PATIENT } });
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  specialist = await openChromium({ ca: at.ca });
  await watched(specialist.context);
  const { page } = specialist;
  await page.goto(link);
  await page.getByTestId('name').fill('BS. Trần Văn Minh');
  await page.getByTestId('join').click();
  const state = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 30);
  await doctor.ask('guest.admit', { guest: state.consultation.guests[0].guest });
  await picturesMove(page, ['video-source-room'], 40);
}, { timeout: 120_000 });

after(async () => {
  await specialist?.close();
  doctor?.close();
  await stop(station);
  at?.remove();
});

const reported = (s) => s.consultation?.guests[0]?.media?.streams?.some((x) => x.kind === 'video' && x.frames > 10);

test('the doctor sees path, round trip and how each stream arrives', { timeout: 180_000 }, async () => {
  const { media } = (await doctor.stateWhere(reported, 40)).consultation.guests[0];
  assert.equal(media.relayed, false);
  assert.ok([4, 6].includes(media.path.ip));
  assert.ok(['host', 'prflx'].includes(media.path.local), JSON.stringify(media.path));
  assert.ok(media.estimate_bps > 50_000 && media.sent_bps > 1000);
  const sound = media.streams.find((s) => s.kind === 'audio' && s.stream === 'source-microphone');
  assert.ok(sound.sound_ms > 0 && sound.packets > 0, JSON.stringify(media.streams));
});

test('the specialist opens the details', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  await page.getByTestId('figures-open').click();
  await page.getByTestId('figures').getByText('trực tiếp').waitFor();
  await page.getByTestId('figures').getByText('đứng hình').first().waitFor();
  await page.screenshot({ path: join(screenshots, 'join-figures-vi.png') });
});

test('the doctor reads which relay does not work, and why', { timeout: 180_000 }, async () => {
  const page = await specialist.context.newPage();
  await page.goto(`${at.origin}/`);
  await page.getByTestId('user-hung').click();
  await page.getByTestId('pin').fill(at.pin);
  await page.getByTestId('pin-enter').click();
  const notice = page.getByTestId('relay-failed').first();
  await notice.waitFor();
  assert.match(await notice.innerText(), /turn:127\.0\.0\.1:9\?transport=udp: không kết nối được/);
  await page.getByTestId('user-menu').click();
  await page.getByTestId('language-en').click();
  await page.keyboard.press('Escape');
  await page.getByTestId('relay-failed').getByText('cannot be reached').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-relay-failed-en.png') });
  await page.close();
});

// The format's grammar, strictly: HELP and TYPE before the samples of a family, once; known types;
// names and labels of their form; each series once.
function parse(text) {
  const families = new Map(), series = new Set();
  let family;
  assert.ok(text.endsWith('\n'));
  for (const line of text.slice(0, -1).split('\n')) {
    const help = line.match(/^# HELP ([a-z][a-z0-9_]*) (.+)$/), type = line.match(/^# TYPE ([a-z][a-z0-9_]*) (gauge|counter)$/);
    if (help) {
      family = help[1];
      assert.ok(!families.has(family), `${family} once`);
      families.set(family, { samples: [] });
    } else if (type) {
      assert.equal(type[1], family);
      families.get(family).type = type[2];
      assert.equal(type[2] === 'counter', family.endsWith('_total'));
    } else {
      const [, name, labels = '', value] = line.match(/^([a-z][a-z0-9_]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? ([-+0-9.eE]+|NaN)$/) ?? assert.fail(line);
      assert.equal(name, family);
      assert.ok(!series.has(name + labels), `${name}${labels} once`);
      series.add(name + labels);
      families.get(name).samples.push({ labels, value: Number(value) });
    }
  }
  return families;
}

test('/metrics tells Prometheus, and nobody without the token', { timeout: 180_000 }, async (t) => {
  await doctor.stateWhere(reported, 40);
  assert.equal((await at.get(`${at.origin}/metrics`)).status, 401);
  assert.equal((await at.get(`${at.origin}/metrics`, { authorization: `Bearer ${TOKEN}x` })).status, 401);
  assert.equal((await at.get(`${at.origin}/metrics`, { authorization: 'Bearer ' })).status, 401);
  const { status, headers, body } = await at.get(`${at.origin}/metrics`, { authorization: `Bearer ${TOKEN}` });
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const text = body.toString();
  const families = parse(text);
  const one = (name, labels) => families.get(name).samples.find((s) => s.labels.includes(labels))?.value;
  assert.equal(one('nhipcau_peer_connected', 'peer="guest1"'), 1);
  assert.equal(one('nhipcau_peer_relayed', 'peer="guest1"'), 0);
  assert.ok(one('nhipcau_stream_frames_total', 'stream="source-room"') > 10);
  assert.ok(one('nhipcau_stream_sound_seconds_total', 'stream="source-microphone"') > 0);
  assert.equal(one('nhipcau_source_running', 'source="room"'), 1);
  assert.equal(one('nhipcau_consultation_live', ''), 1);
  assert.equal(one('nhipcau_relay_good', 'relay="turn:127.0.0.1:9?transport=udp"'), 0);
  const { guests, id } = doctor.state.consultation;
  for (const word of [PATIENT, 'Minh', guests[0].guest, id]) assert.ok(!text.includes(word), `${word} is nobody's to know`);
  const promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  if (promtool.error) t.diagnostic('promtool is not here: our own parser has looked');
  else assert.equal(promtool.status, 0, promtool.stderr + promtool.stdout);
});

test('the record keeps the figures, bounded in number', { timeout: 180_000 }, async () => {
  const { id } = doctor.state.consultation;
  const { record } = await doctor.ask('record.open', { consultation: id });
  const rows = record.rows.link.map(({ body }) => body);
  assert.equal(rows[0].why, 'path');
  assert.ok(rows[0].path.local && rows[0].label.length > 0);
  assert.ok(rows.length <= 6, `${rows.length} rows`);
});
