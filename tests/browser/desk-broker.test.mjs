// The desk from the hospital's own origin: static pages of nginx, the station reached through the broker alone. It
// rings, is accepted, and media flow; the broker learns neither who, nor what for.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { picturesMove, screenshots, watched } from '../lib/clinic.mjs';
import { Console } from '../lib/console.mjs';
import { makeAuthority, startBroker, startNginx } from '../lib/rendezvous.mjs';
import { buildDir, freePort, runStation, setUp, stop } from '../lib/station.mjs';

const dir = mkdtempSync(join(tmpdir(), 'nhipcau-desk-'));
const NAME = 'BS. Trần Văn Minh', QUESTION = 'Có cần chuyển ngay không?';
let authority, broker, nginx, clinic, station, doctor, hospital, page, origin;

// RFC 7638, of the station's certificate: what the hospital knows it by.
function thumbprint(certificate) {
  const { crv, kty, x, y } = createPublicKey(readFileSync(certificate)).export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

before(async () => {
  authority = makeAuthority(join(dir, 'ca'));
  const server = authority.server(['DNS:localhost', 'IP:127.0.0.1']), own = authority.station('ta-van');
  const [tls, websocket, port, http] = [await freePort(), await freePort(), await freePort(), await freePort()];
  broker = await startBroker({ dir: join(dir, 'broker'), websocket, tls: { port: tls, ca: authority.ca, ...server } });
  const files = join(dir, 'pages');
  cpSync(join(buildDir, 'station/dist'), files, { recursive: true });
  writeFileSync(join(files, 'desk.json'), JSON.stringify({ desk: 'bv-tinh' }));
  writeFileSync(join(files, 'stations.json'), JSON.stringify([
    { station: 'ta-van', name: 'Trạm Y tế xã Tả Van', key: thumbprint(own.certificate) },
    { station: 'ban-ho', name: 'Trạm Y tế xã Bản Hồ', key: 'A'.repeat(43) },
  ]));
  nginx = await startNginx({ dir: join(dir, 'nginx'), port, websocket, ...server, files });
  origin = `https://localhost:${port}`;
  clinic = await setUp(join(dir, 'clinic'), {
    ports: { http }, more: 'id=ta-van',
    users: [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'minh', name: NAME, role: 'specialist' }],
    config: `[camera room]\naddress=test:\n[level province]\ndesk=bv-tinh\nring=120\n
[rendezvous]\nbroker=mqtts://localhost:${tls}\nca-file=${authority.ca}\npages=${origin}\n`,
  });
  execFileSync('sed', ['-i', `s|^\\[http\\]|[http]\\ncertificate=${own.certificate}\\nkey=${own.key}|`, clinic.config]);
  station = await runStation(clinic);
  doctor = await Console.connect({ ...clinic, ca: authority.ca });
  await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin });
  await doctor.ask('consultation.start', { mode: 3, reason: 'Đau ngực', patient: { name: 'Vàng Thị Mẩy', birth_year: 1961 } });
  hospital = await openChromium({ ca: authority.ca });
  await watched(hospital.context);
  page = hospital.page;
}, { timeout: 180_000 });
after(async () => {
  await hospital?.close();
  await doctor?.close();
  await stop(station);
  await nginx?.stop();
  await broker?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const request = (call, fields = {}) => doctor.ask('call.request', { call, specialty: 'cardiology', urgency: 'urgent', release: ['age', 'reason'],
  question: QUESTION, ...fields });

test('the desk sees who is there, and a specialist signs in by name and PIN', { timeout: 90_000 }, async () => {
  await page.goto(`${origin}/desk.html`);
  await page.locator('[data-testid=stations-here]', { hasText: '1 trong 2' }).waitFor();
  assert.doesNotMatch(await page.content(), /Minh/); // a stranger is not told who may
  await page.getByTestId('desk-user').fill('minh');
  await page.getByTestId('desk-pin').fill('000000');
  await page.getByTestId('desk-enter').click();
  await page.locator('.field.wrong').waitFor();
  await page.getByTestId('desk-user').fill('minh');
  await page.getByTestId('desk-pin').fill(clinic.pin);
  await page.getByTestId('desk-enter').click();
  await page.getByTestId('desk').waitFor();
  await page.getByTestId('duty').click();
  const state = await doctor.stateWhere((s) => s.duty?.length === 1, 30);
  assert.equal(state.duty[0].name, NAME);
  assert.equal(state.duty_far, true);
});

test('it rings, is accepted, and media flow', { timeout: 120_000 }, async () => {
  await request('c1');
  await page.locator('[data-rings=true]', { hasText: QUESTION }).waitFor();
  await page.screenshot({ path: join(screenshots, 'desk-broker-vi.png') });
  const begun = Date.now();
  await page.getByTestId('accept').click();
  await page.getByTestId('in-call').waitFor();
  await page.waitForFunction(() => (document.querySelector('[data-testid=video-source-room]')?.videoWidth ?? 0) > 0, null, { polling: 20, timeout: 40_000 });
  console.log(`# accept to first frame through the broker: ${Date.now() - begun} ms at most`);
  await picturesMove(page, ['video-source-room'], 40);
  const state = await doctor.stateWhere((s) => s.consultation?.calls[0]?.state === 'accepted', 30);
  assert.equal(state.consultation.calls[0].taken.name, NAME);
  await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'live'), 30);
  await page.getByTestId('back').click();
  await doctor.stateWhere((s) => s.consultation?.calls[0]?.state === 'ended', 30);
});

test('nobody has a way there: the ring alone brings the desk to the station', { timeout: 120_000 }, async () => {
  await page.getByTestId('desk-leave').click();
  await page.getByTestId('desk-sign-in').waitFor();
  await doctor.stateWhere((s) => s.duty?.length === 0, 30);
  await request('c2');
  await doctor.stateWhere((s) => s.consultation?.calls.at(-1)?.state === 'ringing', 30); // who sits there is not known
  await page.getByTestId('desk-user').fill('minh');
  await page.getByTestId('desk-pin').fill(clinic.pin);
  await page.getByTestId('desk-enter').click();
  await page.getByTestId('duty').click();
  await page.locator('[data-rings=true]').getByTestId('decline').click();
  await page.getByTestId('decline-go').click();
  const state = await doctor.stateWhere((s) => s.consultation?.calls.at(-1)?.state === 'unanswered', 30);
  assert.equal(state.consultation.calls.at(-1).declines[0].reason, 'busy');
});

test('a case is sent later, and its answer comes back through the broker', { timeout: 90_000 }, async () => {
  await doctor.ask('call.later', { call: 'c2', files: [] });
  await page.getByTestId('case-open').click();
  await page.getByTestId('case-text').fill('Theo dõi thêm sáu giờ');
  await page.getByTestId('case-send').click();
  const state = await doctor.stateWhere((s) => s.consultation?.notes.some(({ text }) => text === 'Theo dõi thêm sáu giờ'), 30);
  assert.equal(state.consultation.notes.find(({ kind }) => kind === 'opinion').user, NAME);
});

test('a station that is gone rings nowhere, and rings again when it is back', { timeout: 120_000 }, async () => {
  await request('c3');
  await page.locator('[data-rings=true]', { hasText: QUESTION }).waitFor();
  const gone = new Promise((done) => station.once('exit', done));
  station.kill('SIGKILL'); // the broker tells its last will
  await gone;
  const card = page.getByTestId('call-c3');
  await card.getByTestId('call-unreachable').waitFor({ timeout: 30_000 });
  assert.equal(await page.locator('[data-rings=true]').count(), 0);
  assert.equal(await card.getByTestId('accept').count(), 0);
  await page.screenshot({ path: join(screenshots, 'desk-unreachable-vi.png') });
  station = await runStation(clinic);
  await page.locator('[data-rings=true]', { hasText: QUESTION }).waitFor({ timeout: 60_000 });
  doctor.close();
  doctor = await Console.connect({ ...clinic, ca: authority.ca });
  await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin });
  await doctor.ask('call.cancel', { call: 'c3' });
});

test('an account is set up, and opens the desk, through the broker', { timeout: 90_000 }, async () => {
  await doctor.ask('account.save', { account: 'hoa', name: 'BS. Lê Thị Hoa', facility: 'BV huyện' });
  const { link } = await doctor.ask('account.enrol', { account: 'hoa' });
  assert.match(link, /^https:\/\/localhost:\d+\/join#e2\.ta-van\.hoa\.[\w-]+\.[\w-]{43}$/);
  const cdp = await hospital.context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  } });
  await page.getByTestId('desk-leave').click();
  await page.goto(link);
  await page.getByTestId('enrol-passkey').click();
  await page.getByTestId('enrol-done').waitFor();
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByTestId('enrol-refused').waitFor(); // it works once
  await page.goto(`${origin}/desk.html`);
  await page.getByTestId('sign-in-passkey').click();
  await page.locator('[data-testid=desk-me]', { hasText: 'BS. Lê Thị Hoa · BV huyện' }).waitFor();
  await page.screenshot({ path: join(screenshots, 'desk-broker-account-vi.png') });
  await page.reload();
  await page.locator('[data-testid=desk-me]', { hasText: 'BS. Lê Thị Hoa' }).waitFor();
});

test('neither broker nor nginx wrote down who, or what for', async () => {
  await eventually(async () => /ring\/bv-tinh/.test(broker.log()), 10, 'rings were written down');
  const logs = broker.log() + nginx.log();
  for (const word of [NAME, 'Minh', 'BS. Lê Thị Hoa', 'BV huyện', 'Vàng', 'Mẩy', '1961', 'Đau ngực', 'cardiology', QUESTION, clinic.pin, 'a=fingerprint'])
    assert.ok(!logs.includes(word) && !logs.includes(JSON.stringify(word).slice(1, -1)), word);
});
