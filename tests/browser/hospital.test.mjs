// The hospital's side as docs/operations.md sets it up, in a namespace of its own; a station behind a NAT; a specialist's and a
// patient's Chromium behind another. Nothing of the station can be reached, and whoever listens at the broker learns nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../lib/browser.mjs';
import { Capture, knownWords, looksLikePicture } from '../lib/capture.mjs';
import { picturesMove, screenshots, soundGrows } from '../lib/clinic.mjs';
import { atProvider, HOST, makeRegion } from '../lib/hospital.mjs';
import { burn, enterPin, PHONE, walk, wrongOf } from '../lib/phone.mjs';
import { sim } from '../lib/station.mjs';
import { PEOPLE } from '../sim/oidc.mjs';

const PATIENT = { name: 'Vàng Thị Mẩy', birth_year: 1961, phone: '0912 345 678' };
const REASON = 'Đau ngực', QUESTION = 'Có cần chuyển ngay không?', NOTE = 'Nghĩ đến nhồi máu cơ tim cấp';
let region, doctor, capture, specialist, patient, desk, phone, visit, consultation;

before(async () => {
  region = await makeRegion();
  ({ doctor } = region);
  capture = await Capture.begin(region.province.relay, ['wan', 'lo'], join(region.dir, 'capture.pcapng'));
  const speech = join(region.dir, 'speech.wav');
  execFileSync(sim('sim-speech'), [speech], { stdio: 'pipe' });
  [specialist, patient] = [await region.browser(), await region.browser({ viewport: PHONE, args: [`--use-file-for-fake-audio-capture=${speech}`] })];
  [desk, phone] = [specialist.page, patient.page];
}, { timeout: 240_000 });
after(async () => {
  await capture?.end();
  await region?.close();
});

const shot = (page, name) => page.screenshot({ path: join(screenshots, `hospital-${name}.png`) });
const plan = (at, name = PATIENT.name) => doctor.ask('appointment.create',
  { at_us: at * 1000, minutes: 30, mode: 3, reason: REASON, patient: { ...PATIENT, name } });

test('no port of the station can be reached from outside', () => {
  const { province } = region;
  const listening = execFileSync('ip', ['netns', 'exec', province.clinic, 'ss', '-Hltun'], { encoding: 'utf8' });
  const ports = [...new Set([...listening.matchAll(/:(\d+)\s+\S+:\*/g)].map(([, port]) => port))];
  assert.ok(ports.includes(String(region.clinic.ports.http)), listening);
  for (const from of [province.hospital, province.relay])
    for (const address of [province.publicAddress, province.clinicAddress]) {
      const open = execFileSync('ip', ['netns', 'exec', from, 'bash', '-c', `for port in ${ports.join(' ')}; do
        (timeout 1 bash -c "exec 3<>/dev/tcp/${address}/$port" 2>/dev/null && echo $port) & done; wait`], { encoding: 'utf8' });
      assert.equal(open, '', `${address} from ${from}`);
    }
});

test('the desk shows the station, and a specialist signs in at the hospital', { timeout: 120_000 }, async () => {
  await desk.goto(`https://${HOST}/desk`);
  await desk.locator('[data-testid=stations-here]', { hasText: '1 trong 1' }).waitFor();
  await shot(desk, 'sign-in-vi');
  await desk.getByTestId('sign-in-hospital').click();
  await atProvider(desk, 'hoa');
  await desk.getByTestId('sign-in-problem').getByText('cấp quyền').waitFor(); // known to the hospital, but not for this
  await specialist.context.clearCookies();
  await desk.getByTestId('sign-in-hospital').click();
  await atProvider(desk, 'minh');
  await desk.getByTestId('desk').waitFor();
  assert.equal(desk.url(), `https://${HOST}/desk`, 'neither code nor state stay in the address');
  await desk.getByTestId('duty').click();
  const { duty } = await doctor.stateWhere((s) => s.duty?.length === 1, 30);
  assert.deepEqual([duty[0].id, duty[0].name], ['hospital:minh', PEOPLE.minh.name]);
  await desk.reload(); // the same browser is known again, on duty as before
  await desk.getByTestId('desk').waitFor();
  await desk.locator('[data-testid=duty-state]', { hasText: 'Đang trực' }).waitFor();
});

test('the patient comes by link and PIN; a wrong one is told so', { timeout: 120_000 }, async () => {
  visit = await plan(Date.now());
  assert.ok(visit.link.startsWith(`https://${HOST}/join#v2.ta-van.pin-`), visit.link);
  await phone.goto(visit.link);
  await enterPin(phone, wrongOf(visit.pin));
  await phone.getByTestId('pin-wrong').getByText('Còn 4 lần thử').waitFor();
  await enterPin(phone, visit.pin);
  await walk(phone);
  const state = await doctor.stateWhere((s) => s.appointments[0]?.guests.some((g) => g.state === 'lobby'), 30);
  ({ consultation } = await doctor.ask('appointment.start', { appointment: visit.appointment,
    guest: state.appointments[0].guests[0].guest }));
  await phone.getByTestId('live').waitFor({ state: 'visible' });
  await picturesMove(phone, ['video-source-room'], 60);
  await soundGrows(phone);
  await shot(phone, 'patient');
});

test('a call rings at the desk, is accepted, and media flow', { timeout: 120_000 }, async (t) => {
  await doctor.stateWhere((s) => s.duty?.length === 1, 30);
  await doctor.ask('call.request', { call: 'c1', specialty: 'cardiology', urgency: 'urgent', release: ['age', 'reason', 'name'], question: QUESTION });
  await desk.locator('[data-rings=true]', { hasText: QUESTION }).waitFor();
  await shot(desk, 'rings-vi');
  const begun = Date.now();
  await desk.getByTestId('accept').click();
  await desk.waitForFunction(() => (document.querySelector('[data-testid=video-source-room]')?.videoWidth ?? 0) > 0, null, { polling: 20, timeout: 60_000 });
  t.diagnostic(`the first picture ${Date.now() - begun} ms after the click, through a relay; bench accept-to-frame measures`);
  await picturesMove(desk, ['video-source-room'], 60);
  await soundGrows(desk);
  const state = await doctor.stateWhere((s) => s.consultation?.guests.filter((g) => g.state === 'live').length === 2, 30);
  const guest = state.consultation.guests.find((g) => g.role === 'specialist');
  assert.deepEqual([guest.identity.method, guest.identity.subject, guest.identity.provider], ['oidc', 'minh', 'Bệnh viện Trung ương']);
  assert.equal((await doctor.stateWhere((s) => s.consultation?.guests.every((g) => g.media?.path), 30)).consultation.guests[0].media.relayed, true);
  await desk.getByTestId('opinion').fill(NOTE);
  await desk.getByTestId('confirm-opinion').click();
  await desk.getByTestId('opinion-confirmed').waitFor();
  await doctor.stateWhere((s) => s.consultation?.notes.some(({ text, confirmed }) => text === NOTE && confirmed), 30);
});

test('both are in the record, with what proves who they are', { timeout: 90_000 }, async () => {
  await doctor.ask('unlock', { passphrase: region.passphrase });
  const { record } = await doctor.ask('record.open', { consultation });
  const [identity] = record.rows.identity.map(({ body }) => body);
  assert.deepEqual([identity.subject, identity.name, identity.issuer], ['minh', PEOPLE.minh.name, region.provider.issuer]);
  const guests = record.rows.guest.map(({ body }) => body);
  const byRole = (role) => guests.find((one) => one.role === role);
  assert.equal(byRole('specialist').guest, identity.guest);
  assert.equal(byRole('patient').name, PATIENT.name);
  assert.deepEqual(byRole('patient').proven, ['link', 'pin', 'browser-key', 'doctor']);
  assert.equal(record.rows.event.filter(({ body }) => body.what === 'media-unbound').length, 0);
});

test('used, expired, burnt and foreign links: each answer in plain words', { timeout: 120_000 }, async () => {
  await desk.getByTestId('back').click();
  await doctor.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await phone.getByTestId('ended').waitFor();
  const opens = async (link, words) => {
    await phone.goto('about:blank');
    await phone.goto(link);
    await phone.getByTestId('refused').getByText(words).waitFor();
  };
  await opens(visit.link, 'Buổi khám của lời mời này đã xong');
  const late = await plan(Date.now() - 3 * 3600_000);
  await opens(late.link, 'đã hết hạn');
  await opens(late.link.replace(/pin-[\w-]{16}/, 'pin-AAAAAAAAAAAAAAAA'), 'không có lời mời');
  await shot(phone, 'foreign');
  const burnt = await plan(Date.now());
  await burn(phone, burnt);
  await phone.getByTestId('refused').getByText('mở sai nhiều lần').waitFor();
});

test('logs and a capture at the broker tell neither name, number, note nor media', { timeout: 120_000 }, async () => {
  await capture.end();
  const secret = knownWords([PATIENT.name, PATIENT.phone, ...Object.values(PEOPLE).map(({ name }) => name), REASON, QUESTION, NOTE, 'cardiology',
    visit.pin, region.clinic.pin, 'Lò Thị Lan', 'a=fingerprint', 'candidate:', 'ice-ufrag', visit.link.split('.')[4]]);
  const log = region.hospital.log();
  assert.match(log, /nhipcau\/1\/ta-van\/presence/); // they were written down
  assert.match(log, /GET \/desk\.html 200/);
  assert.match(log, /GET \/join\.html 200/);
  assert.deepEqual(secret(Buffer.from(log)), [], 'logs');
  assert.doesNotMatch(log, /[?&](code|state)=/);
  const { messages, tcp, udp } = await capture.read();
  for (const topic of ['open', 'in', 'out'])
    assert.ok(messages.some((bytes) => bytes.includes(`nhipcau/1/ta-van/${topic}/`)), `what passes between nginx and broker was seen: ${topic}`);
  assert.deepEqual(secret(Buffer.concat(messages)), [], 'messages');
  assert.deepEqual(secret(tcp), [], 'TCP');
  assert.deepEqual(secret(Buffer.concat(udp)), [], 'UDP');
  assert.ok(looksLikePicture(Buffer.from(`8066000100000001000000017800${'186742c01f'}${'00'.repeat(24)}`, 'hex')), 'it would be seen');
  const media = udp.filter((bytes) => bytes.length > 300);
  assert.ok(media.length > 100, `the relay carried media (${media.length})`);
  assert.deepEqual(media.filter(looksLikePicture), []);
});
