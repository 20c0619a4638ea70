// The station's certificate is renewed, then revoked, while a specialist is in a call that came over the broker: picture and
// sound go on all the while; what comes next obeys. mosquitto knows the station by its certificate's CN.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, openChromium } from '../lib/browser.mjs';
import { picturesMove, soundGrows, watched } from '../lib/clinic.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { startBroker, startNginx } from '../lib/rendezvous.mjs';
import { freePort, nhipcau, root, runStation, stop } from '../lib/station.mjs';
import { DAY, estServer } from '../sim/est.mjs';

const work = mkdtempSync(join(tmpdir(), 'certificates-call-'));
const pki = join(work, 'pki'), file = (name) => join(pki, name);
const ports = {};
let est, place, broker, nginx, station, doctor, specialist;

// Not execFileSync: the enrolment server answers from this process.
const cert = (...args) => new Promise((done) => {
  const child = spawn(nhipcau, ['cert', ...args, '--state', place.state, '--config', place.config, '--boot-credential', place.boot],
    { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (more) => { text += more; });
  child.once('close', (status) => done({ status, text }));
});
const installed = () => new X509Certificate(readFileSync(join(place.state, 'certs/province.crt')));
const upBroker = async () => {
  broker = await startBroker({ dir: join(work, 'broker'), websocket: ports.websocket,
    tls: { port: ports.broker, ca: file('ca.crt'), crl: file('ca.crl'), certificate: file('server.crt'), key: file('server.key') } });
};
// mosquitto says no more than this of a certificate that is on the list.
const refusals = () => (broker.log().match(/certificate verify failed/g) ?? []).length;
const callGoesOn = async () => {
  await picturesMove(specialist.page, ['video-source-room']);
  await soundGrows(specialist.page);
  const { consultation } = await doctor.stateWhere(() => true);
  assert.equal(consultation.state, 'live');
};

before(async () => {
  for (const name of ['broker', 'websocket', 'pages']) ports[name] = await freePort();
  execFileSync(join(root, 'tests/sim/station-pki'), [pki]);
  est = await estServer(pki);
  writeFileSync(join(work, 'est-password'), 'mot-lan\n', { mode: 0o600 });
  place = await makePlace('certificates-call', { more: 'id=muong-mau\nclock=trusted', config: `[issuer benh-vien]
certificate = ${file('ca.crt')}
crl = ${est.crl}
est = ${est.url}
est-ca-file = ${file('tls-ca.crt')}
est-user = muong-mau
est-password-file = ${join(work, 'est-password')}
[camera room]
address=test:
width=640
height=360
frame-rate=15
[microphone microphone]
address=test:
[rendezvous]
broker=mqtts://localhost:${ports.broker}
ca-file=${file('tls-ca.crt')}
pages=https://localhost:${ports.pages}
` });
  const first = await cert('renew');
  assert.equal(first.status, 0, first.text);
  await upBroker();
  nginx = await startNginx({ dir: join(work, 'nginx'), port: ports.pages, websocket: ports.websocket, certificate: file('server.crt'), key: file('server.key') });
  station = await runStation(place, { seconds: 120 });
  doctor = await signIn(place, 'lan');
  await startConsultation(doctor);
  specialist = await openChromium({ ca: file('tls-ca.crt') });
  await watched(specialist.context);
}, { timeout: 240_000 });
after(async () => {
  await specialist?.close();
  doctor?.close();
  await stop(station);
  await nginx?.stop();
  await broker?.stop();
  est?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

test('a call over the broker; the user name there is the station\'s id, from the request as it comes', { timeout: 300_000 }, async () => {
  assert.equal(installed().subject.split('\n').at(-1), 'CN=muong-mau');
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Trần Văn Minh' });
  const { page } = specialist;
  await page.goto(link);
  await page.getByTestId('name').fill('BS. Trần Văn Minh');
  await page.getByTestId('join').click();
  const { consultation } = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 40);
  await doctor.ask('guest.admit', { guest: consultation.guests.find((g) => g.state === 'lobby').guest });
  await page.getByTestId('live').waitFor();
  await callGoesOn();
  assert.match(broker.log(), /u'muong-mau'/);
});

test('renewed: the call goes on, and the next connection to the broker is by the new one', { timeout: 300_000 }, async () => {
  // Two thirds of its life are over: the running station asks by itself.
  const asked = await cert('request', '--out', join(work, 'station.csr'));
  assert.match(asked.text, /CN.*muong-mau/);
  const old = est.issue(join(work, 'station.csr'), { from: -80 * DAY, until: 9 * DAY });
  const before = est.asked.length, first = join(work, 'first.crt');
  writeFileSync(first, installed().toString());
  assert.equal((await cert('install', old)).status, 0);
  await eventually(async () => est.asked.length > before && installed().serialNumber !== new X509Certificate(readFileSync(old)).serialNumber,
    40, 'it is renewed');
  await callGoesOn();
  // All that it had before is revoked: only the new one gets past the broker.
  for (const one of [first, old]) est.revoke(one);
  await broker.stop();
  await callGoesOn();
  await upBroker();
  await eventually(async () => /u'muong-mau'/.test(broker.log()), 60, 'the station is back at the broker');
  await callGoesOn();
});

test('revoked: the call goes on, the broker lets the station in no more, no new call comes, the console says why', { timeout: 300_000 }, async () => {
  const fresh = join(work, 'fresh.crt');
  writeFileSync(fresh, installed().toString());
  est.revoke(fresh);
  assert.equal((await cert('revoke-check')).status, 1);
  await broker.stop();
  await upBroker();
  await eventually(async () => refusals() >= 2, 60, 'the broker turns it away, again and again').catch((error) => { throw new Error(`${error.message}\n${broker.log().slice(-3000)}`); });
  assert.doesNotMatch(broker.log(), /u'muong-mau'/);
  await callGoesOn();
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Sau' });
  const next = await specialist.context.newPage();
  await next.goto(link);
  const tried = refusals();
  await eventually(async () => refusals() > tried, 60, 'it has tried once more');
  assert.equal(await next.getByTestId('lobby').count(), 0);
  assert.equal(await next.locator('[data-testid=join]:enabled').count(), 0, 'nobody gets as far as asking');
  await next.close();
  await eventually(async () => {
    const other = await signIn(place, 'hung');
    const said = other.hello.problems.find(({ code }) => code === 'own-certificate-revoked');
    other.close();
    return said?.level === 'bad' && /thu hồi/.test(said.text.vi);
  }, 30, 'the console says it');
  await callGoesOn();
});
