// The console's protocol against the real program: sign-in, a consultation, its record.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Console } from '../lib/console.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';
import { joinPage, keyPair, place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';

let place, station;
before(async () => {
  place = await makePlace('console', { config: '[camera room]\naddress=test:\n' });
  station = await runStation(place);
});
after(async () => {
  await stop(station);
  place.remove();
});

const record = (...args) => JSON.parse(execFileSync(nhipcau,
  ['record', ...args, '--json', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' }));

test('before sign-in only sign-in, resume and ping are answered', async () => {
  const page = await Console.connect(place);
  assert.equal(page.hello.protocol, 1);
  assert.equal(page.hello.ready, true);
  assert.deepEqual(page.hello.users.map((u) => u.id), ['lan', 'hung']);
  await page.ask('ping');
  for (const type of ['unlock', 'consultation.start', 'note.save', 'record.list', 'check', 'media.start'])
    assert.equal((await refusal(page.ask(type))).code, 'not-signed-in', type);
  const lost = await refusal(page.ask('resume', { session: 'x'.repeat(43) }));
  assert.equal(lost.code, 'not-signed-in');
  page.close();
});

test('malformed messages are refused with a reason, and the page lives on', async () => {
  const page = await signIn(place, 'lan');
  const wrong = async (text) => {
    const answer = page.until((m) => m.type === 'error');
    page.raw(text);
    const { code, text: words } = await answer;
    assert.equal(code, 'bad-message');
    assert.ok(words.vi.length > 0 && words.en.length > 0);
  };
  await wrong('no json');
  await wrong('[]');
  await wrong('{"type":7}');
  await wrong('{"type":"ping","type":"ping"}');
  await wrong(`{"type":"ping","x":${'['.repeat(17)}${']'.repeat(17)}}`);
  assert.equal((await refusal(page.ask('no.such.message'))).code, 'bad-message');
  const bad = async (type, fields, field) =>
    assert.equal((await refusal(page.ask(type, fields))).field, field, `${type} ${JSON.stringify(fields)}`);
  await bad('consultation.start', { mode: 5, patient: {} }, 'mode');
  await bad('consultation.start', { mode: 3 }, 'patient');
  await bad('consultation.start', { mode: 3, patient: { personal_number: '123' } }, 'personal_number');
  await bad('consultation.start', { mode: 3, patient: { birth_date: '1958-02-30' } }, 'birth_date');
  await bad('consultation.start', { mode: 3, patient: { name: 'a\u0007b' } }, 'name');
  await bad('record.list', { limit: 1000 }, 'limit');
  await page.ask('ping');
  page.close();
});

test('a message out of place is refused', async () => {
  const page = await signIn(place, 'lan');
  for (const [type, fields] of [
    ['note.save', { note: randomUUID(), kind: 'note', text: 'x' }],
    ['recording.start', {}], ['consultation.sign', { pin: place.pin }], ['invite.create', { role: 'specialist' }],
    ['media.answer', { sdp: 'v=0' }],
  ]) assert.equal((await refusal(page.ask(type, fields))).code, 'out-of-place', type);
  page.close();
});

test('a consultation from start to signature, and its record', async () => {
  const page = await signIn(place, 'lan');
  const { consultation } = await page.ask('consultation.start', {
    mode: 3, reason: 'Khó thở', patient: { unknown: true },
  });
  assert.match(consultation, /^[0-9a-f-]{36}$/);
  await page.stateWhere((s) => s.consultation?.id === consultation && s.consultation.state === 'live');

  assert.equal((await refusal(page.ask('recording.start'))).code, 'not-allowed', 'no consent yet');
  await page.ask('consent.save', { kind: 'representative', purposes: ['treatment', 'recording'], by: 'Con gái', relation: 'con' });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation.recording.on && s.consultation.recording.tracks > 0, 30);

  await page.ask('patient.save', { patient: { name: 'Vàng Thị Mỷ', birth_year: 1958, sex: 'female', personal_number: '010158000123' } });
  const note = randomUUID();
  const first = await page.ask('note.save', { note, kind: 'question', text: 'Có cần chuyển cơ sở KCB không?' });
  const second = await page.ask('note.save', { note, kind: 'question', text: 'Có cần chuyển cơ sở KCB? Khi nào?' });
  assert.ok(second.seq > first.seq);
  await page.ask('reading.save', { vital: 'temp', value: '38,4', unit: 'Cel' });

  let state = await page.stateWhere((s) => s.consultation.readings.length === 1);
  assert.equal(state.consultation.readings[0].value, 38.4);
  assert.equal(state.consultation.notes.length, 1);
  assert.equal(state.consultation.notes[0].text, 'Có cần chuyển cơ sở KCB? Khi nào?');
  assert.equal(state.consultation.patient.name, 'Vàng Thị Mỷ');
  assert.ok(state.consultation.events.some((e) => e.what === 'patient-identified'));

  assert.equal((await refusal(page.ask('consultation.cancel', { reason: 'nhầm' }))).code, 'out-of-place');
  assert.equal((await refusal(page.ask('consultation.sign', { pin: place.pin }))).code, 'out-of-place');
  await page.ask('consultation.conclude', { conclusion: 'Suy tim độ II, theo dõi tại trạm' });
  state = await page.stateWhere((s) => s.consultation.state === 'concluding');
  assert.equal(state.consultation.recording.on, false);
  await page.ask('consultation.reopen');
  await page.stateWhere((s) => s.consultation.state === 'live');
  await page.ask('consultation.conclude', { conclusion: 'Suy tim độ II, theo dõi tại trạm' });
  assert.equal((await refusal(page.ask('consultation.sign', { pin: '135792' }))).code, 'wrong-pin');
  await page.ask('consultation.sign', { pin: place.pin });
  await page.stateWhere((s) => s.consultation === null);

  // Finished: closed until the passphrase.
  let { records } = await page.ask('record.list');
  assert.equal(records.find((r) => r.consultation === consultation).locked, true);
  assert.equal((await refusal(page.ask('record.open', { consultation }))).code, 'locked');
  await page.ask('unlock', { passphrase: place.passphraseText });
  ({ records } = await page.ask('record.list'));
  const line = records.find((r) => r.consultation === consultation);
  assert.equal(line.patient, 'Vàng Thị Mỷ');
  assert.equal(line.state, 'signed');
  const opened = (await page.ask('record.open', { consultation })).record;
  assert.equal(opened.rows.note.length, 2);
  assert.equal(opened.rows.note[1].user, 'lan');
  assert.equal(opened.rows.signature.length, 1);
  const camera = opened.tracks.find((t) => t.stream === 'room');
  assert.match(camera.mime, /^video\/mp4; codecs=/);
  const init = camera.segments[0].records[0];
  assert.equal(init.flags & 2, 2);
  const url = `${place.origin}/media/${consultation}/${camera.segments[0].id}/${init.seq}`;
  assert.equal((await place.get(url)).status, 401);
  const bytes = await place.get(url, { authorization: `Bearer ${page.session}` });
  assert.equal(bytes.status, 200);
  assert.equal(bytes.body.subarray(4, 8).toString('latin1'), 'ftyp');
  await page.ask('lock');
  assert.equal((await place.get(url, { authorization: `Bearer ${page.session}` })).status, 403);
  page.close();

  // The same from the command line, beside the running station.
  const shown = record('show', consultation);
  assert.equal(shown.state, 'signed');
  assert.equal(shown.rows.note.at(-1).body.text, 'Có cần chuyển cơ sở KCB? Khi nào?');
  assert.ok(shown.rows.view.length >= 1);
  assert.equal(record('verify').good, true);
});

test('two users alternate: every row carries who acted', async () => {
  const page = await signIn(place, 'lan');
  const consultation = await startConsultation(page, { mode: 1, reason: 'Sốt', patient: { name: 'A' } });
  const written = [];
  for (let i = 0; i < 10; i++) {
    const user = ['hung', 'lan'][i % 2];
    await page.ask('sign-in', { user, pin: place.pin });
    const note = randomUUID();
    await page.ask('note.save', { note, kind: 'note', text: `bởi ${user}` });
    written.push([note, user]);
  }
  await page.ask('consultation.conclude', { conclusion: '' });
  await page.ask('consultation.sign', { pin: place.pin });
  page.close();
  const rows = record('show', consultation).rows.note;
  for (const [note, user] of written) assert.equal(rows.find((r) => r.body.note === note).user, user);
});

// Hours of recording as `nhipcau check` tells them to a helper, and how it knows.
function checkedHours() {
  const run = spawnSync(nhipcau, ['check', '--json', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot], { encoding: 'utf8' });
  const text = JSON.parse(run.stdout).findings.find((f) => f.code.startsWith('disk')).text.en;
  const [, hours, how] = text.match(/about ([0-9.]+) hours \((.*?)\)/);
  return { hours: Number(hours), measured: how.includes('newest recording') };
}

test('console and `check` tell the same hours of recording, before and after the first', { timeout: 120_000 }, async () => {
  const page = await signIn(place, 'lan');
  const agree = async () => {
    const { hours, measured } = checkedHours();
    const state = await page.stateWhere((s) => Math.abs(s.disk.recording_hours - hours) <= hours * 0.1);
    return { hours, measured, shown: state.disk.recording_hours };
  };
  const before = await agree();
  const id = await startConsultation(page);
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation.recording.tracks > 0);
  let now = checkedHours();
  for (; !now.measured; now = checkedHours()) await page.ask('ping');
  await page.ask('recording.pause');
  const after = await agree();
  console.log(`# ${id}: ${JSON.stringify({ before, after })}`);
  assert.equal(after.measured, true);
  page.close();
});

test('Host and Origin are checked', async () => {
  assert.equal((await place.get(`${place.origin}/healthz`)).status, 200);
  assert.equal((await place.get(`${place.origin}/`, { host: 'evil.example' })).status, 421);
  const knock = async (options) => {
    try { (await Console.connect(place, '/ws/console', options)).close(); return 101; }
    catch (error) { return Number(error.message.match(/HTTP (\d+)/)?.[1]); }
  };
  assert.equal(await knock({}), 101);
  assert.equal(await knock({ origin: 'https://evil.example' }), 403);
  assert.equal(await knock({ origin: `http://localhost:${place.ports.http}` }), 403);
  assert.equal(await knock({ origin: 'https://localhost:1' }), 403);
  assert.equal(await knock({ headers: { host: 'evil.example' }, servername: 'localhost' }), 421);
});

test('a guest waits, is admitted once, and comes back by the key of the browser', async () => {
  const page = await signIn(place, 'lan');
  await startConsultation(page);
  const { link, invite, qr } = await page.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  assert.match(qr, /^<svg /);
  const key = keyPair();
  let guest = await joinPage(place);
  const joined = await guest.join(link, key, { name: 'BS. Trần Văn Minh', facility: 'BV Tim' });
  assert.equal(joined.state, 'lobby');
  assert.equal((await refusal(guest.ask('media.start'))).code, 'out-of-place');
  const state = await page.stateWhere((s) => s.consultation.guests.some((g) => g.state === 'lobby'));
  const admitted = guest.until((m) => m.type === 'admitted');
  await page.ask('guest.admit', { guest: state.consultation.guests[0].guest });
  await admitted;
  guest.close();

  guest = await joinPage(place);
  assert.equal((await guest.join(link, key)).state, 'admitted');
  guest.close();
  await page.stateWhere((s) => s.consultation.guests[0].state === 'away');

  // A browser may prepare its connection before: what it learns is nothing of the clinic.
  const early = await joinPage(place);
  const offer = early.until((m) => m.type === 'media.offer');
  await early.reserve(link, keyPair());
  const { reserved, sdp } = await offer;
  assert.equal(reserved, true);
  assert.doesNotMatch(sdp, /candidate|msid:|source|room|ssrc/);
  for (const [type, fields] of [['media.start', { answer: sdp }], ['media.answer', { sdp }], ['media.candidate', {}]])
    assert.equal((await refusal(early.ask(type, fields))).code, 'out-of-place', type);
  assert.equal((await refusal(early.reserve(link, { ...key, privateKey: keyPair().privateKey }))).field, 'signature');
  early.close();

  // Another browser asks again.
  const other = await joinPage(place);
  assert.equal((await other.join(link, keyPair(), { name: 'Ai đó' })).state, 'lobby');
  other.close();

  // A key that is not held proves nothing.
  const thief = await joinPage(place);
  assert.equal((await refusal(thief.join(link, { ...key, privateKey: keyPair().privateKey }))).field, 'signature');
  thief.close();

  // Five wrong secrets burn it.
  const burner = await joinPage(place);
  for (let i = 0; i < 5; i++)
    assert.equal((await refusal(burner.join(link.replace(/[^.]*$/, 'A'.repeat(32)), keyPair(), { name: 'x' }))).code, 'not-allowed');
  assert.equal((await refusal(burner.join(link, keyPair(), { name: 'x' }))).code, 'invite-burnt');
  burner.close();
  const burnt = await page.stateWhere((s) => s.consultation.invites[0].state === 'burnt');
  assert.equal(burnt.consultation.invites[0].invite, invite);
  await page.ask('consultation.conclude', { conclusion: '' });
  await page.ask('consultation.sign', { pin: place.pin });
  page.close();
});
