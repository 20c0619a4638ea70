// Power cuts: kill -9 in the middle of a consultation, and everything that must survive it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Console } from '../lib/console.mjs';
import { joinPage, keyPair, place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

let place, station;
before(async () => {
  place = await makePlace('restart', { config: '[camera room]\naddress=test:\n' });
  station = await runStation(place, { unlock: false });
});
after(async () => {
  await stop(station);
  place.remove();
});

async function cut() {
  const gone = once(station, 'exit');
  execFileSync('kill', ['-9', String(station.pid)]);
  await gone;
}

async function powerCut() {
  await cut();
  station = await runStation(place, { unlock: false });
}

const json = (...args) => JSON.parse(execFileSync(nhipcau,
  [...args, '--json', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' }));

test('after kill -9 the consultation goes on, without a click, in the same record', async () => {
  let page = await signIn(place, 'lan');
  const consultation = await startConsultation(page, { patient: { name: 'Giàng A Páo', birth_year: 1971 } });
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'], by: 'Giàng A Páo' });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation.recording.tracks > 0, 30);
  const { link } = await page.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  const key = keyPair();
  const guest = await joinPage(place);
  await guest.join(link, key, { name: 'BS. Minh' });
  const { consultation: seen } = await page.stateWhere((s) => s.consultation.guests.length === 1);
  await page.ask('guest.admit', { guest: seen.guests[0].guest });
  const note = randomUUID();
  await page.ask('note.save', { note, kind: 'examination', text: 'Ran nổ hai đáy phổi' });
  await new Promise((done) => setTimeout(done, 4000)); // some seconds of recording, to be cut in two
  const session = page.session;
  const { instance } = page.hello;
  await powerCut();

  page = await Console.connect(place);
  assert.notEqual(page.hello.instance, instance);
  await page.ask('resume', { session });
  const state = await page.stateWhere((s) => s.consultation?.state === 'live');
  assert.equal(state.user.id, 'lan');
  assert.equal(state.consultation.id, consultation);
  assert.equal(state.consultation.notes[0].text, 'Ran nổ hai đáy phổi');
  assert.equal(state.consultation.patient.name, 'Giàng A Páo');
  assert.equal(state.consultation.invites[0].link, link);
  const happened = state.consultation.events.map((e) => e.what);
  assert.ok(happened.includes('interrupted'), happened.join());
  await page.stateWhere((s) => s.consultation.recording.on && s.consultation.recording.tracks > 0, 30);
  await page.stateWhere((s) => s.consultation.events.some((e) => e.what === 'resumed'));

  const back = await joinPage(place);
  assert.equal((await back.join(link, key)).state, 'admitted');
  await page.ask('note.save', { note, kind: 'examination', text: 'Ran nổ hai đáy phổi, SpO₂ 91 %' });
  await new Promise((done) => setTimeout(done, 3000));
  await page.ask('consultation.conclude', { conclusion: 'Viêm phổi' });
  await page.ask('consultation.sign', { pin: place.pin });
  back.close();
  page.close();

  const shown = json('record', 'show', consultation);
  assert.equal(shown.state, 'signed');
  assert.equal(shown.rows.note.length, 2);
  const room = shown.tracks.find((t) => t.stream === 'room');
  assert.ok(room.segments.length >= 2, 'a torn segment and its successor');
  assert.deepEqual([...new Set(room.segments.map((s) => s.state))].sort(), ['closed', 'torn']);
  // One time line: media time goes on over the cut.
  const time = (segment) => segment.records.filter((r) => !(r.flags & 2)).map((r) => r.pts_us - segment.epoch_us);
  const [first, second] = [time(room.segments[0]), time(room.segments.at(-1))];
  assert.ok(first.at(-1) > 2e6 && second[0] > first.at(-1), `${first.at(-1)} ${second[0]}`);
  assert.equal(json('record', 'verify').good, true);
});

test('five wrong PINs lock out, and a restart gives no fresh start', async () => {
  let page = await Console.connect(place);
  for (let left = 4; left >= 1; left--) {
    const error = await refusal(page.ask('sign-in', { user: 'hung', pin: '999999' }));
    assert.equal(error.code, 'wrong-pin');
    assert.equal(error.tries_left, left);
    if (left === 2) {
      await powerCut();
      page = await Console.connect(place);
    }
  }
  const fifth = await refusal(page.ask('sign-in', { user: 'hung', pin: '999999' }));
  assert.equal(fifth.code, 'locked-out');
  assert.ok(fifth.seconds > 20 && fifth.seconds <= 30);
  await powerCut();
  page = await Console.connect(place);
  const right = await refusal(page.ask('sign-in', { user: 'hung', pin: place.pin }));
  assert.equal(right.code, 'locked-out', 'even with the right PIN');
  assert.ok(right.seconds > 0);
  await page.ask('sign-in', { user: 'lan', pin: place.pin }); // others are not concerned
  page.close();
});

test('a session ends at sign-out, also for a page that kept its token', async () => {
  const page = await signIn(place, 'lan');
  const { session } = page;
  await page.ask('sign-out');
  await powerCut();
  const late = await Console.connect(place);
  assert.equal((await refusal(late.ask('resume', { session }))).code, 'not-signed-in');
  late.close();
});

test('a second station on the same folder is refused; SIGTERM ends in good order', async () => {
  const second = runStation(place, { unlock: false });
  await assert.rejects(second, /ended \(3\)/);
  const ended = once(station, 'exit');
  station.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  assert.equal(json('record', 'verify').good, true);
});
