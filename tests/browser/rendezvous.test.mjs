// A specialist reaches a station of which no port can be reached: pages from nginx, signalling over
// an MQTT broker, media through a relay. Station and specialist each behind a symmetric NAT.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { picturesMove, soundGrows, watched } from '../lib/clinic.mjs';
import { Console } from '../lib/console.mjs';
import { doorInto, makeProvince, makeRelayCertificate, startRelay } from '../lib/province.mjs';
import { makeAuthority, startBroker, startNginx } from '../lib/rendezvous.mjs';
import { freePort, runStation, setUp, stop } from '../lib/station.mjs';

const dir = mkdtempSync(join(tmpdir(), 'nhipcau-rendezvous-'));
const NAME = 'BS. Trần Văn Minh', OPINION = 'Nghi nhoi mau co tim';
const pages = 'https://10.77.9.1:8443';
let province, authority, broker, nginx, relay, clinic, station, door, doctor, specialist;

before(async () => {
  province = makeProvince(1); // nothing of the clinic is forwarded
  province.network('symmetric');
  authority = makeAuthority(join(dir, 'ca'));
  const server = authority.server([`IP:${province.relayAddress}`]);
  broker = await startBroker({ dir: join(dir, 'broker'), netns: province.relay, websocket: 9001,
    tls: { port: 8883, ca: authority.ca, ...server } });
  nginx = await startNginx({ dir: join(dir, 'nginx'), netns: province.relay, port: 8443, websocket: 9001, ...server });
  const certificate = makeRelayCertificate(dir, [`IP:${province.relayAddress}`]);
  relay = await startRelay({ netns: province.relay, addresses: [province.relayAddress], speaks: ['udp'], secret: 'a-secret', certificate, dir });
  writeFileSync(join(dir, 'secret'), 'a-secret\n', { mode: 0o600 });
  const own = authority.station('ta-van');
  const port = await freePort();
  clinic = await setUp(join(dir, 'clinic'), {
    ports: { http: port }, more: 'id=ta-van',
    config: `[camera room]\naddress=test:\nwidth=640\nheight=360\nframe-rate=15\n\n[microphone microphone]\naddress=test:\n
[relay province]\naddress=turn:10.77.9.1:3478\nsecret-file=${join(dir, 'secret')}
[rendezvous]\nbroker=mqtts://10.77.9.1:8883\nca-file=${authority.ca}\npages=${pages}\n`,
  });
  execFileSync('sed', ['-i', `s|^\\[http\\]|[http]\\ncertificate=${own.certificate}\\nkey=${own.key}|`, clinic.config]);
  station = await runStation(clinic, { netns: province.clinic });
  door = await doorInto(province.clinic, port);
  doctor = await Console.connect({ ...clinic, ca: authority.ca }, '/ws/console', { agent: door.agent });
  doctor.session = (await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin })).session;
  await doctor.ask('consultation.start', { mode: 3, reason: 'Đau ngực', patient: { name: 'Vàng Thị Mẩy', birth_year: 1961 } });
  specialist = await openChromium({ ca: authority.ca, netns: province.hospital });
  await watched(specialist.context);
}, { timeout: 240_000 });

after(async () => {
  await specialist?.close();
  await doctor?.close();
  await door?.close();
  await stop(station);
  await relay?.stop();
  await nginx?.stop();
  await broker?.stop();
  province?.remove();
  rmSync(dir, { recursive: true, force: true });
});

const guest = (state) => state.consultation?.guests.find((g) => ['live', 'admitted', 'away'].includes(g.state));

test('no port of the station can be reached from where the specialist is', () => {
  for (const address of [province.publicAddress, province.clinicAddress])
    assert.throws(() => execFileSync('ip', ['netns', 'exec', province.hospital, 'timeout', '2', 'bash', '-c',
      `exec 3<>/dev/tcp/${address}/${clinic.ports.http}`], { stdio: 'pipe' }));
});

test('an invitation is opened, answered and admitted over the broker; picture and sound flow', { timeout: 90_000 }, async (t) => {
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: NAME });
  assert.match(link, /^https:\/\/10\.77\.9\.1:8443\/join#v2\.ta-van\.[\w-]+\.[\w-]+\.[\w-]{43}$/);
  const { page } = specialist;
  const broken = [];
  page.on('console', (message) => { if (message.type() === 'error') broken.push(message.text()); });
  await page.goto(link);
  await page.getByTestId('name').fill(NAME);
  await page.getByTestId('join').click();
  const state = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 30);
  const begun = Date.now();
  await doctor.ask('guest.admit', { guest: state.consultation.guests.find((g) => g.state === 'lobby').guest });
  await picturesMove(page, ['video-source-room'], 60);
  t.diagnostic(`pictures ${Date.now() - begun} ms after the doctor's click`);
  await soundGrows(page);
  const live = await doctor.stateWhere((s) => guest(s)?.media?.path, 30);
  assert.equal(guest(live).media.relayed, true);
  assert.deepEqual(broken, []);
});

test('the broker is killed and comes back: the call goes on, the page is in again', { timeout: 90_000 }, async (t) => {
  const { page } = specialist;
  await stop(broker.child, 0);
  await page.waitForSelector('[data-testid="link-lost"], [data-testid="connecting"]', { timeout: 3000 }).catch(() => {});
  await picturesMove(page, ['video-source-room'], 20); // without any signalling
  const begun = Date.now();
  broker = await startBroker({ dir: join(dir, 'broker'), netns: province.relay, websocket: 9001,
    tls: { port: 8883, ca: authority.ca, certificate: join(dir, 'ca/server.crt'), key: join(dir, 'ca/server.key') } });
  await eventually(async () => /ta-van/.test(broker.log()) && /PUBLISH.*\/in\//.test(broker.log()), 60, 'both are back');
  t.diagnostic(`station and page back after ${Date.now() - begun} ms`);
  await page.reload();
  await picturesMove(page, ['video-source-room'], 60);
  assert.equal(guest(await doctor.stateWhere((s) => guest(s)?.state === 'live', 30)).name, NAME);
});

test('a link that nobody made is refused in words', { timeout: 60_000 }, async () => {
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Lan' });
  const page = await specialist.context.newPage();
  await page.goto(link.replace(/#v2\.ta-van\.[\w-]+\./, '#v2.ta-van.AAAAAAAAAAAAAAAA.'));
  await page.getByTestId('refused').waitFor({ timeout: 30_000 });
  await page.close();
});

test('nothing that broker, nginx or relay wrote down tells of anybody', async () => {
  await stop(station);
  const logs = broker.log() + nginx.log() + relay.log();
  assert.match(logs, /nhipcau\/1\/ta-van\/presence/); // it was written down
  assert.match(logs, /\/join/);
  for (const word of [NAME, 'Minh', 'Vàng', 'Mẩy', '1961', 'Đau ngực', OPINION, 'Tả Van', 'candidate:', 'a=fingerprint', 'specialist'])
    assert.ok(!logs.includes(word) && !logs.includes(JSON.stringify(word).slice(1, -1)), word);
  assert.equal(station.exitCode, 0);
});
