// Relays (TURN) with Debian's coturn: over UDP, TCP and TLS alone, both ends behind symmetric NATs;
// a wrong credential is told; a direct way is preferred, and taken when one appears.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { eventually, openChromium } from '../lib/browser.mjs';
import { picturesMove, soundGrows, watched } from '../lib/clinic.mjs';
import { Console } from '../lib/console.mjs';
import { doorInto, makeProvince, makeRelayCertificate, startRelay } from '../lib/province.mjs';
import { freePort, nhipcau, runStation, setUp, stop } from '../lib/station.mjs';

const SECRET = 'a-secret-of-the-province';
const CAMERA = ['video-source-room'];
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-turn-'));
const file = (name, text) => { writeFileSync(join(dir, name), text, { mode: 0o600 }); return join(dir, name); };
let province, certificate, clinic, door, relay, station, doctor, specialist, base;

before(async () => {
  const port = await freePort();
  province = makeProvince(port);
  certificate = makeRelayCertificate(dir, [`IP:${province.relayAddress}`, `IP:${province.relayAddress6}`, 'DNS:relay.test']);
  clinic = await setUp(dir, {
    ports: { http: port }, listen: [province.clinicAddress],
    names: [province.clinicAddress, province.publicAddress],
    config: '[camera room]\naddress=test:\nwidth=640\nheight=360\nframe-rate=15\n\n[microphone microphone]\naddress=test:\n',
  });
  base = readFileSync(clinic.config, 'utf8');
  file('secret', `${SECRET}\n`);
  file('wrong', 'another-secret\n');
  specialist = await openChromium({ ca: clinic.ca, alsoTrust: [], netns: province.hospital, relayCa: certificate.ca });
  await watched(specialist.context);
}, { timeout: 120_000 });

after(async () => {
  await specialist?.close();
  await close();
  province?.remove();
  rmSync(dir, { recursive: true, force: true });
});

async function close() {
  await doctor?.close();
  await door?.close();
  await stop(station);
  await relay?.stop();
  doctor = door = station = relay = undefined;
}

const url = (scheme, address, query = '') => `${scheme}:${address}:${scheme === 'turns' ? 5349 : 3478}${query}`;
const section = (address, secret = 'secret') =>
  `\n[relay province]\naddress=${address}\nsecret-file=${join(dir, secret)}\nca-file=${certificate.ca}\n`;

// A station with this relay, a doctor with a consultation.
async function open({ speaks, relays, network }) {
  await close();
  province.network(network);
  writeFileSync(clinic.config, base + relays);
  if (speaks)
    relay = await startRelay({ netns: province.relay, addresses: [province.relayAddress, province.relayAddress6], speaks, secret: SECRET, certificate, dir });
  station = await runStation(clinic, { netns: province.clinic });
  door = await doorInto(province.clinic, clinic.ports.http);
  doctor = await Console.connect(clinic, '/ws/console', { agent: door.agent });
  doctor.session = (await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin })).session;
  const before = await doctor.stateWhere((s) => s.user);
  if (before.consultation) await doctor.ask('consultation.cancel', { reason: 'next' }).catch(() => doctor.ask('consultation.park'));
  await doctor.ask('consultation.start', { mode: 3, reason: 'Đau ngực', patient: { unknown: true } });
}

// The specialist comes in; resolves with what the station says of the path once pictures move.
async function comeIn() {
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  const { page } = specialist;
  await page.goto('about:blank');
  await page.goto(link.replace('localhost', province.publicAddress));
  await page.getByTestId('name').fill('BS. Trần Văn Minh');
  await page.getByTestId('join').click();
  const state = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 30);
  await doctor.ask('guest.admit', { guest: state.consultation.guests.find((g) => g.state === 'lobby').guest });
  await picturesMove(page, CAMERA, 60);
  await soundGrows(page);
  return path();
}

const guest = (state) => state.consultation?.guests.find((g) => g.state === 'live');
const path = async (fits = () => true, seconds = 30) => guest(await doctor.stateWhere((s) => {
  const media = guest(s)?.media;
  return media?.state === 'connected' && media.path && fits(media);
}, seconds)).media;

const count = (pattern) => (relay.log().match(pattern) ?? []).length;

const symmetric = (name, speaks, address) => test(`through ${name} alone, both behind symmetric NATs`, { timeout: 150_000 }, async (t) => {
  await open({ speaks, relays: section(address), network: 'symmetric' });
  await doctor.stateWhere((s) => s.relays?.some((r) => r.level === 'good'), 20);
  const media = await comeIn();
  t.diagnostic(JSON.stringify(media));
  assert.equal(media.relayed, true);
  // What is given back at the end leaves nothing at the relay, and does not keep the station.
  const begun = Date.now();
  await doctor.close();
  await stop(station);
  t.diagnostic(`the station ended after ${Date.now() - begun} ms`);
  assert.ok(station.exitCode === 0, `exit ${station.exitCode} ${station.signalCode}`);
  assert.ok(Date.now() - begun < 5000);
  await specialist.page.goto('about:blank');
  await eventually(async () => count(/ALLOCATE processed, success/g) === count(/closed \(2nd stage\)/g), 20, 'all addresses are given back');
});

symmetric('UDP', ['udp'], url('turn', '10.77.9.1'));
symmetric('TCP', ['tcp'], url('turn', '10.77.9.1', '?transport=tcp'));
symmetric('TLS', ['tls'], url('turns', '10.77.9.1'));

test('a wrong credential names the relay and the reason', { timeout: 180_000 }, async () => {
  await open({ speaks: ['udp', 'tcp', 'tls'], relays: section(url('turn', '10.77.9.1'), 'wrong'), network: 'symmetric' });
  const { relays } = await doctor.stateWhere((s) => s.relays?.length > 0, 20);
  assert.equal(relays[0].code, 'unauthorized');
  assert.match(relays[0].text.en, /turn:10\.77\.9\.1:3478\?transport=udp: wrong user, password or secret-file.*\(401/);
  assert.match(relays[0].text.vi, /turn:10\.77\.9\.1:3478\?transport=udp: sai người dùng/);
  const said = (() => {
    try {
      return execFileSync('ip', ['netns', 'exec', province.clinic, nhipcau, 'check', '--state', clinic.state, '--config', clinic.config, '--boot-credential', clinic.boot, '--lang', 'en'], { encoding: 'utf8' });
    } catch (error) { return error.stdout; }
  })();
  assert.match(said, /✗ Relay turn:10\.77\.9\.1:3478\?transport=udp: wrong user, password or secret-file/);
  assert.ok(!said.includes('another-secret'));
});

test('other faults of a relay are told apart', { timeout: 180_000 }, async () => {
  const bad = [url('turns', 'relay-nobody.test'), 'turn:10.77.9.1:9', url('turns', '10.77.1.1')].join(';');
  await open({ speaks: ['udp', 'tcp', 'tls'], network: 'open',
    relays: `${section(bad)}\n[relay untrusted]\naddress=turns:10.77.9.1:5349\nsecret-file=${join(dir, 'secret')}\n` });
  const state = await doctor.stateWhere((s) => s.relays?.length === 4, 30);
  const codes = Object.fromEntries(state.relays.map((r) => [r.relay.split('?')[0], r.code]));
  assert.deepEqual(codes, {
    'turns:relay-nobody.test:5349': 'no-name', 'turn:10.77.9.1:9': 'unreachable',
    'turns:10.77.1.1:5349': 'unreachable', 'turns:10.77.9.1:5349': 'untrusted',
  });
});

test('over IPv6 to the relay', { timeout: 120_000 }, async (t) => {
  await open({ speaks: ['udp'], network: 'symmetric',
    relays: `${section('turn:[fd77:9::1]:3478')}\n[relay old]\naddress=turn:10.77.9.1\nsecret-file=${join(dir, 'secret')}\n` });
  await doctor.stateWhere((s) => s.relays?.length === 2 && s.relays.every((r) => r.level === 'good'), 20);
  const media = await comeIn();
  t.diagnostic(JSON.stringify(media));
  assert.equal(media.relayed, true);
});

test('where a direct way works, no media goes through the relay', { timeout: 120_000 }, async (t) => {
  await open({ speaks: ['udp', 'tcp', 'tls'], relays: section(`${url('turn', '10.77.9.1')};${url('turns', '10.77.9.1')}`), network: 'open' });
  const media = await comeIn();
  t.diagnostic(JSON.stringify(media));
  assert.equal((await path((m) => !m.relayed, 5)).relayed, false);
});

// Watches the picture of the room in the page: the longest time between two frames, and how often the
// station has restarted the path.
const watchGaps = () => {
  const video = document.querySelector('[data-testid=video-source-room]');
  const seen = (globalThis.__gaps = { longest: 0, frames: 0, last: performance.now(), ufrags: new Set() });
  const look = () => {
    seen.longest = Math.max(seen.longest, performance.now() - seen.last);
    seen.last = performance.now();
    seen.frames++;
    const pc = globalThis.__media.connections.findLast((one) => one.connectionState === 'connected');
    const ufrag = /a=ice-ufrag:(\S+)/.exec(pc?.remoteDescription?.sdp ?? '')?.[1];
    if (ufrag) seen.ufrags.add(ufrag);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};
const gaps = (page) => page.evaluate(() => ({ longest: globalThis.__gaps.longest, frames: globalThis.__gaps.frames, paths: globalThis.__gaps.ufrags.size }));

test('a direct way that appears is taken, and pictures go on', { timeout: 180_000 }, async (t) => {
  await open({ speaks: ['udp'], relays: section(url('turn', '10.77.9.1')), network: 'blocked' });
  assert.equal((await comeIn()).relayed, true);
  const { page } = specialist;
  await page.evaluate(watchGaps);
  // One attempt in vain: through the relay again, and nobody notices.
  await eventually(async () => (await gaps(page)).paths >= 2, 60, 'a direct way is sought');
  const { frames } = await gaps(page);
  await eventually(async () => (await gaps(page)).frames > frames + 30, 30, 'pictures go on');
  assert.equal((await path()).relayed, true);
  t.diagnostic(`in vain: longest time between two frames ${Math.round((await gaps(page)).longest)} ms`);
  const begun = Date.now();
  province.network('open');
  await path((m) => !m.relayed, 90);
  t.diagnostic(`direct after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  await picturesMove(page, CAMERA);
  const { longest } = await gaps(page);
  t.diagnostic(`longest time between two frames ${Math.round(longest)} ms`);
  assert.ok(longest < 2000, `${longest} ms`);
});
