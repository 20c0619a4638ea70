// A real conference server: Debian's Janus with a video room. A station publishes its consultation there
// by WHIP and reads it back by WHEP, from npm's janus-whep-server, which answers with an offer of its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../lib/browser.mjs';
import { conferencePlace } from '../lib/janus.mjs';
import { signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

let clinic, conference, station, doctor;

before(async () => {
  ({ clinic, conference } = await conferencePlace('conference', { operator: 'Bệnh viện tỉnh' }));
  station = await runStation(clinic);
  doctor = await signIn(clinic, 'lan');
  await startConsultation(doctor);
}, { timeout: 300_000 });

after(async () => {
  doctor?.close();
  await stop(station);
  await conference?.stop();
  clinic?.remove();
});

test('published to Janus by WHIP, read back by WHEP, recorded, deleted at the end', { timeout: 240_000 }, async (t) => {
  await doctor.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await doctor.ask('recording.start');
  await doctor.stateWhere((s) => s.consultation.recording.tracks >= 2, 30);
  await doctor.ask('conference.start', { confirmed: true });
  const live = await doctor.stateWhere((s) => s.conference.state === 'live', 30);
  assert.equal(live.consultation.encryption, 'sfu');
  const [publisher] = await eventually(async () => {
    const all = await conference.publishers();
    return all.length === 1 && all;
  }, 20, 'Janus has the publisher');
  t.diagnostic(JSON.stringify(publisher));
  // Its own sound and picture come back: two more tracks in the record.
  await doctor.stateWhere((s) => s.conference.reading === 'live', 40);
  await doctor.stateWhere((s) => s.consultation.recording.tracks >= 4, 40);
  assert.equal(await conference.readers(), 1);
  await doctor.ask('conference.stop');
  await doctor.stateWhere((s) => s.conference.state === 'off' && s.consultation.encryption === 'end-to-end');
  await eventually(async () => (await conference.publishers()).length === 0, 20, 'the publisher is gone');
  await eventually(async () => (await conference.readers()) === 0, 20, 'the reader is gone');
  assert.ok((await conference.asked()).some(({ method }) => method === 'DELETE'));
});

test('a server that goes away is told, and what cannot be begun again ends', { timeout: 240_000 }, async () => {
  await doctor.ask('conference.start', { confirmed: true });
  await doctor.stateWhere((s) => s.conference.state === 'live', 30);
  await conference.stop();
  const lost = await doctor.stateWhere((s) => s.conference.state === 'lost', 60);
  assert.equal(lost.consultation.encryption, 'sfu', 'it may come back');
  await doctor.ask('conference.stop');
  await doctor.stateWhere((s) => s.conference.state === 'off');
});
