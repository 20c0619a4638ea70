// Who may do what: each message of docs/protocol.md from a doctor, a helper and an administrator, on the
// real program. The matrix below is the promise; a message that it does not name fails the test.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { root, runStation, stop } from '../lib/station.mjs';

const EVERYBODY = ['doctor', 'helper', 'administrator'];
const CLINIC = ['doctor', 'helper'];
const DOCTOR = ['doctor'];
const STAFF = ['doctor', 'administrator'];
const MAY = {
  'sign-in': EVERYBODY, resume: EVERYBODY, 'sign-out': EVERYBODY, ping: EVERYBODY, active: EVERYBODY, lock: EVERYBODY,
  check: EVERYBODY, 'outbox.list': EVERYBODY, 'outbox.send': EVERYBODY, 'outbox.older': EVERYBODY, 'witness.check': EVERYBODY, 'media.stop': EVERYBODY,
  'bluetooth.search': EVERYBODY, 'bluetooth.pair': EVERYBODY, 'bluetooth.answer': EVERYBODY, 'bluetooth.save': EVERYBODY,
  'bluetooth.forget': EVERYBODY,
  'passkey.begin': EVERYBODY, 'sign-in.passkey': EVERYBODY, 'passkey.list': EVERYBODY, 'passkey.add': EVERYBODY, 'passkey.remove': EVERYBODY,
  'unlock.passkey': CLINIC, 'tpm.set': CLINIC, 'tpm.clear': CLINIC,
  unlock: CLINIC, 'consultation.start': CLINIC, 'consultation.park': CLINIC, 'consultation.open': CLINIC, 'consultation.save': CLINIC,
  'patient.save': CLINIC, 'patient.find': CLINIC, 'identity.read': CLINIC, 'consent.save': CLINIC, 'recording.start': CLINIC,
  'recording.pause': CLINIC, 'prescription.list': CLINIC, 'note.save': CLINIC, 'note.draft': CLINIC, 'facilities.save': CLINIC,
  'mark.save': CLINIC, 'icd10.find': CLINIC, 'reading.save': CLINIC, 'ecg.part': CLINIC, 'ecg.add': CLINIC, 'ecg.get': CLINIC,
  'device.claim': CLINIC, 'device.decline': CLINIC, 'attachments.list': CLINIC, 'dicom.claim': CLINIC, 'source.prefer': CLINIC,
  'invite.create': CLINIC, 'invite.revoke': CLINIC, 'guest.admit': CLINIC, 'guest.refuse': CLINIC, 'guest.remove': CLINIC,
  'media.start': CLINIC, 'media.answer': CLINIC, 'media.candidate': CLINIC, 'media.renegotiate': CLINIC, 'media.own': CLINIC,
  'record.list': CLINIC, 'record.open': CLINIC, 'record.waves': CLINIC, 'signature.report': CLINIC, 'signature.manifest': CLINIC,
  'signature.add': CLINIC, 'signature.prepare': CLINIC, 'guest.compared': CLINIC,
  'call.preview': CLINIC, 'call.request': CLINIC, 'call.escalate': CLINIC, 'call.again': CLINIC, 'call.end': CLINIC,
  'call.later': CLINIC, 'call.cancel': CLINIC, 'publisher.remove': CLINIC,
  'conference.start': DOCTOR, 'conference.stop': DOCTOR, 'conference.seen': DOCTOR,
  'consultation.conclude': DOCTOR, 'consultation.reopen': DOCTOR, 'consultation.sign': DOCTOR, 'consultation.cancel': DOCTOR,
  'prescription.save': DOCTOR, 'problem.save': DOCTOR,
  'retention.list': CLINIC, 'retention.set': DOCTOR, 'retention.hold': DOCTOR, 'retention.erase': DOCTOR,
  'erasure.list': EVERYBODY, 'erasure.certificate': EVERYBODY,
  'recovery.list': STAFF, 'recovery.challenge': STAFF, 'recovery.confirm': STAFF, 'recovery.sheet': STAFF,
  'account.list': STAFF, 'account.save': STAFF, 'account.enrol': STAFF, 'account.disable': STAFF, 'account.forget': STAFF,
};
const USERS = [
  { id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' },
  { id: 'mai', name: 'ĐD. Mai', role: 'nurse' },
  { id: 'thu', name: 'Thư ký Thu', role: 'secretary' },
  { id: 'phu', name: 'Trợ lý Phú', role: 'helper' },
  { id: 'tri', name: 'Quản trị Trí', role: 'administrator' },
];
const DUTY = { doctor: 'doctor', nurse: 'helper', secretary: 'helper', helper: 'helper', administrator: 'administrator' };
// Nobody's sign-in is to end while the matrix runs.
const LATER = new Set(['sign-in', 'resume', 'sign-out']);

let place, station;
before(async () => {
  place = await makePlace('roles', { users: USERS });
  station = await runStation(place);
});
after(async () => {
  await stop(station);
  place?.remove();
});

// The types in the table "Console → station".
function documented() {
  const text = readFileSync(join(root, 'docs/protocol.md'), 'utf8');
  const table = text.slice(text.indexOf('## Console → station'), text.indexOf('## Station → console'));
  return [...table.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([a-z0-9.-]+)`/g)].map(([, type]) => type));
}

test('the matrix names every message of the protocol', () => {
  const missing = documented().filter((type) => !(type in MAY));
  assert.deepEqual(missing, []);
  assert.ok(documented().length > 55, `${documented().length} messages`);
});

test('each role may what the matrix says, and nothing else', { timeout: 120_000 }, async () => {
  const wrong = [];
  let refused = 0;
  for (const { id, role } of USERS) {
    const page = await signIn(place, id);
    for (const [type, may] of Object.entries(MAY)) {
      if (LATER.has(type)) continue;
      // Without its fields and without a consultation: refused for that, or for the role, which is asked first.
      const answer = await page.ask(type).catch((error) => { if (!error.code) throw error; return error; });
      const byRole = answer.code === 'not-allowed' && Array.isArray(answer.roles);
      if (byRole === may.includes(DUTY[role])) wrong.push(`${role} ${type}: ${answer.code ?? 'ok'}`);
      if (byRole) {
        refused++;
        assert.deepEqual(answer.roles, may, type);
        assert.ok(answer.text.vi.length > 20 && answer.text.en.length > 20);
      }
    }
    page.close();
  }
  assert.deepEqual(wrong, []);
  assert.ok(refused > 60, `${refused} refusals`);
});

test('a helper captures and prepares; what is concluded is the doctor\'s', { timeout: 180_000 }, async () => {
  const helper = await signIn(place, 'mai');
  const consultation = await startConsultation(helper, { patient: { name: 'Vàng Thị Mỷ' } });
  await helper.ask('reading.save', { vital: 'spo2', value: '97', unit: '%' });
  const note = (kind) => ({ note: randomUUID(), kind, text: 'x' });
  await helper.ask('note.save', note('summary'));
  for (const kind of ['conclusion', 'decision'])
    for (const type of ['note.save', 'note.draft'])
      assert.deepEqual((await refusal(helper.ask(type, note(kind)))).roles, ['doctor'], `${type} ${kind}`);
  assert.deepEqual((await refusal(helper.ask('consultation.conclude', { conclusion: 'x' }))).roles, ['doctor']);
  const doctor = await signIn(place, 'lan');
  await doctor.ask('consultation.conclude', { conclusion: 'Suy tim' });
  assert.deepEqual((await refusal(helper.ask('consultation.sign', { pin: place.pin }))).roles, ['doctor']);
  await doctor.ask('consultation.sign', { pin: place.pin });
  await doctor.ask('unlock', { passphrase: place.passphraseText });
  const { records } = await doctor.ask('record.list', { limit: 5 });
  assert.equal(records.find((r) => r.consultation === consultation).doctor, 'lan');
  helper.close();
  doctor.close();
});

test('a helper signs for no doctor, but writes down the patient\'s word', { timeout: 180_000 }, async () => {
  const helper = await signIn(place, 'thu');
  const [id] = [randomUUID()];
  for (const role of ['doctor', 'specialist', 'chair'])
    assert.deepEqual((await refusal(helper.ask('signature.add', { consultation: id, role, method: 'key', secret: 'x' }))).roles, ['doctor'], role);
  for (const role of ['secretary', 'patient', 'representative'])
    assert.equal((await refusal(helper.ask('signature.add', { consultation: id, role, method: 'confirmation', name: 'x', statement: 'x' }))).roles,
      undefined, role);
  helper.close();
});

test('an administrator is told nothing of patients, not even by a page that a doctor left', { timeout: 180_000 }, async () => {
  const SECRET = 'Nguyễn Bí Mật';
  const page = await signIn(place, 'lan');
  const consultation = await startConsultation(page, { reason: SECRET, patient: { name: SECRET } });
  await page.ask('consultation.park');
  const parked = await page.stateWhere((s) => s.parked.length > 0);
  assert.ok(JSON.stringify(parked).includes(SECRET), 'a doctor is told');
  await page.ask('consultation.open', { consultation });
  const session = (await page.ask('sign-in', { user: 'tri', pin: place.pin })).session;
  const heard = [];
  page.on('message', (message) => heard.push(message));
  const state = await page.stateWhere((s) => s.user?.id === 'tri');
  assert.equal(state.consultation, null);
  assert.deepEqual([state.parked, state.held], [[], []]);
  await page.ask('check');
  await page.ask('outbox.list');
  assert.ok(!JSON.stringify([...heard, state]).includes(SECRET));
  for (const path of [`media/${consultation}/x/0`, `attachment/${consultation}/x`, `paper/${consultation}/minutes`])
    assert.equal((await place.get(`${place.origin}/${path}`, { authorization: `Bearer ${session}` })).status, 401, path);
  page.close();
});
