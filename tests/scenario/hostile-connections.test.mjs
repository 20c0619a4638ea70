// A thousand slow or hostile connections, to the station and to the desk's nginx, while a doctor and a specialist talk: half
// handshakes, headers that never end, giant ones, WebSockets that say nothing or rubbish, floods. The call's sound is not
// touched, who is honest comes in, memory stays bounded, and who is refused is told so.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { loadavg, tmpdir } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { join } from 'node:path';
import WebSocket from 'ws';
import { eventually, openChromium } from '../lib/browser.mjs';
import { picturesMove, soundGrows, watched } from '../lib/clinic.mjs';
import { Console } from '../lib/console.mjs';
import { Crowd, memoryOf } from '../lib/crowd.mjs';
import { beginHearing, heard, watchCall } from '../lib/heard.mjs';
import { lookup } from '../lib/localhost.mjs';
import { makeAuthority, startBroker } from '../lib/rendezvous.mjs';
import { buildDir, freePort, root, runStation, setUp, start, stop } from '../lib/station.mjs';

const long = Boolean(process.env.NHIPCAU_LONG);
const COUNT = 1000, SECONDS = long ? 120 : 6;
const TOKEN = 'a-token-of-more-than-sixteen';
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-hostile-'));
const run = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000)); // how long they are at it, no wait for anything
let clinic, station, doctor, specialist, authority, crowd;

before(async () => {
  authority = makeAuthority(join(dir, 'ca'));
  writeFileSync(join(dir, 'token'), `${TOKEN}\n`, { mode: 0o600 });
  clinic = await setUp(join(dir, 'clinic'), {
    config: `[camera room]\naddress=test:\nwidth=320\nheight=180\nframe-rate=10\n\n[microphone microphone]\naddress=test:\n\n[metrics]\ntoken-file=${join(dir, 'token')}\n`,
  });
  station = await runStation(clinic);
  doctor = await Console.connect(clinic);
  await doctor.ask('sign-in', { user: 'lan', pin: clinic.pin });
  await doctor.ask('consultation.start', { mode: 3, reason: 'thử', patient: { unknown: true } });
  specialist = await openChromium({ ca: clinic.ca });
  await watched(specialist.context);
  await specialist.context.addInitScript(watchCall);
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  await specialist.page.goto(new URL(link, clinic.origin).href);
  await specialist.page.getByTestId('name').fill('BS. Minh');
  await specialist.page.getByTestId('join').click();
  const state = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 60);
  await doctor.ask('guest.admit', { guest: state.consultation.guests.find((g) => g.state === 'lobby').guest });
  await picturesMove(specialist.page, ['video-source-room'], 60);
  await soundGrows(specialist.page);
}, { timeout: 240_000 });

after(async () => {
  await crowd?.end();
  await specialist?.close();
  await doctor?.close();
  await stop(station);
  rmSync(dir, { recursive: true, force: true });
});

// What somebody honest gets: status and text; rejects when the connection is thrown out.
const fetchFrom = (origin, path, ca, { localAddress, headers } = {}) => new Promise((done, fail) => {
  const request = get(`${origin}${path}`, { ca: readFileSync(ca), lookup, agent: false, timeout: 8000, headers, localAddress }, (answer) => {
    let text = '';
    answer.on('data', (bytes) => { text += bytes; });
    answer.on('end', () => done({ status: answer.statusCode, text }));
    answer.on('error', fail);
  });
  request.on('error', fail).on('timeout', () => request.destroy(new Error('no answer in 8 s')));
});

async function figures() {
  const { text } = await fetchFrom(clinic.origin, '/metrics', clinic.ca, { headers: { authorization: `Bearer ${TOKEN}` } });
  return Object.fromEntries([...text.matchAll(/^nhipcau_web_(\w+?)(?:\{\w+="([\w-]+)"\})? (\d+)$/gm)].map(([, name, label, value]) => [label ? `${name} ${label}` : name, Number(value)]));
}

// The call while they are at it: nothing of it may be missing that the machine did not miss itself.
async function during(t, what, work) {
  const still = monitorEventLoopDelay({ resolution: 10 });
  still.enable();
  await beginHearing(specialist.page);
  const more = await work();
  await run(SECONDS);
  const call = await heard(specialist.page);
  const stall = Math.round(still.max / 1e6) + call.stall;
  t.diagnostic(JSON.stringify({ what, gap_ms: call.gap, concealed: Number(call.concealed.toFixed(4)), heard: Number((call.heard / call.seconds).toFixed(3)), stall, load: Math.round(loadavg()[0]), crowd: crowd.said, ...more }));
  assert.ok(call.gap <= 200 + stall, `the specialist missed ${call.gap} ms of sound (the machine stood still for ${stall})`);
  assert.ok(call.heard / call.seconds > 0.9);
}

test('a thousand of them at the station', { timeout: 400_000 }, async (t) => {
  const before = memoryOf(station.pid);
  crowd = new Crowd(clinic.ports.http, COUNT);
  await during(t, 'station', async () => {
    await crowd.gathered();
    const begun = performance.now();
    await doctor.ask('ping');
    const ping = performance.now() - begun;
    // The doctor's own machine gets in at once, whoever else is there; so does an address that did nothing.
    assert.equal((await fetchFrom(clinic.origin, '/', clinic.ca)).status, 200);
    await eventually(async () => (await fetchFrom(clinic.origin, '/join', clinic.ca, { localAddress: '127.0.1.1' })).status === 200, 30, 'somebody honest from elsewhere');
    return { ping_ms: Math.round(ping) };
  });
  const said = await figures();
  const grown = memoryOf(station.pid) - before;
  t.diagnostic(JSON.stringify({ ...said, grown_mib: Math.round(grown) }));
  assert.ok(said['connections elsewhere'] <= 320, 'the bound holds');
  assert.ok(said['refused_total full'] + said['refused_total address-full'] + said['refused_total too-fast'] + said.dropped_total > COUNT / 4);
  assert.ok(grown < 96, `${Math.round(grown)} MiB more`);
  await crowd.end();
  await eventually(async () => (await figures())['connections elsewhere'] <= 2, 30, 'they are gone');
  await picturesMove(specialist.page, ['video-source-room'], 20);
});

test('who asks too much is told so, in words', { timeout: 60_000 }, async () => {
  // Connections that ask one thing after the other, as fast as they are answered.
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const ask = () => new Promise((done, fail) => get(`${clinic.origin}/healthz`, { ca: readFileSync(clinic.ca), lookup, agent, localAddress: '127.0.2.1' }, (answer) => {
    let text = `${answer.statusCode} `;
    answer.on('data', (bytes) => { text += bytes; });
    answer.on('end', () => done(text));
  }).on('error', fail));
  const answers = [];
  const asking = async () => { while (answers.length < 3000 && !answers.some((text) => text.startsWith('429 '))) answers.push(await ask()); };
  await Promise.all(Array.from({ length: 8 }, asking));
  agent.destroy();
  assert.ok(answers.filter((text) => text === '200 ok\n').length >= 600);
  const refused = answers.filter((text) => text.startsWith('429 '));
  assert.ok(refused.length > 0);
  assert.ok(refused.every((text) => /Quá nhiều yêu cầu từ địa chỉ này/.test(text) && /Too many requests from this address/.test(text)));
});

test('a thousand of them at the desk\'s nginx', { timeout: 400_000 }, async (t) => {
  const server = authority.server(['DNS:localhost', 'IP:127.0.0.1']);
  const [port, websocket, tls] = [await freePort(), await freePort(), await freePort()];
  const broker = await startBroker({ dir: join(dir, 'broker'), websocket, tls: { port: tls, ca: authority.ca, ...server }, log: false });
  const place = join(dir, 'nginx');
  mkdirSync(join(place, 'tmp'), { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${join(place, 'tmp', one)};`);
  writeFileSync(join(place, 'nginx.conf'), `user root;
worker_processes 1;
worker_rlimit_nofile 8192;
daemon off;
pid ${join(place, 'nginx.pid')};
error_log stderr crit;
events { worker_connections 4096; }
http {
  include /etc/nginx/mime.types;
  include ${join(root, 'station/hospital/nginx-limits.conf')};
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen ${port} ssl http2;
    ssl_certificate ${server.certificate};
    ssl_certificate_key ${server.key};
    root ${join(buildDir, 'station/dist')};
    location = /join { try_files /join.html =404; }
    location / { try_files $uri =404; }
    location = /mqtt {
      proxy_pass http://127.0.0.1:${websocket};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 90s;
    }
  }
}
`);
  const nginx = start('nginx', ['-p', place, '-c', join(place, 'nginx.conf'), '-e', 'stderr']);
  try {
    const origin = `https://localhost:${port}`;
    const page = () => fetchFrom(origin, '/desk.html', authority.ca, { localAddress: '127.0.1.1' });
    await eventually(async () => (await page()).status === 200, 20, 'nginx');
    const before = [memoryOf(nginx.pid, true), memoryOf(broker.child.pid)];
    crowd = new Crowd(port, COUNT, ['--path', '/mqtt', '--protocol', 'mqtt']);
    await during(t, 'nginx', async () => {
      await crowd.gathered();
      await eventually(async () => (await page()).status === 200, 20, 'the desk\'s page');
      // And the way to the broker.
      await eventually(() => new Promise((done, fail) => {
        const socket = new WebSocket(`wss://localhost:${port}/mqtt`, 'mqtt', { ca: readFileSync(authority.ca), lookup, localAddress: '127.0.1.1' });
        socket.on('open', () => { socket.terminate(); done(true); }).on('error', fail);
      }), 20, 'the broker through nginx');
    });
    const grown = [memoryOf(nginx.pid, true) - before[0], memoryOf(broker.child.pid) - before[1]].map(Math.round);
    t.diagnostic(JSON.stringify({ grown_mib: { nginx: grown[0], broker: grown[1] } }));
    assert.ok(grown[0] < 160 && grown[1] < 64, `nginx ${grown[0]} MiB, broker ${grown[1]} MiB more`);
    await crowd.end();
  } finally {
    await stop(nginx);
    await broker.stop();
  }
});
