// ms from the specialist's click to the first frame presented, beside webrtcbin on the same camera

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { openChromium } from '../lib/browser.mjs';
import { Console } from '../lib/console.mjs';
import { median } from '../lib/figures.mjs';
import { buildDir, freePort, line, runStation, setUp, sim, start, stop } from '../lib/station.mjs';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '20' } } });
const runs = Number(values.runs);
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-bench-'));
const children = [];

// In the page: time of the click, time at which the first picture of a remote video is presented.
function clock() {
  globalThis.__t = {};
  document.addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid=join]')) globalThis.__t.click ??= performance.now();
  }, true);
  const watch = (video) => {
    if (video.__watched || !(video.dataset.testid ?? '').startsWith('video-source')) return;
    video.__watched = true;
    video.requestVideoFrameCallback(() => { globalThis.__t.frame ??= performance.now(); });
  };
  new MutationObserver(() => document.querySelectorAll('video').forEach(watch))
    .observe(document, { childList: true, subtree: true });
}
const shown = async (page) => {
  await page.waitForFunction(() => globalThis.__t?.frame !== undefined, null, { polling: 20, timeout: 20_000 });
  return page.evaluate(() => globalThis.__t.frame - globalThis.__t.click);
};

// ---- Ours -----------------------------------------------------------------------------------

async function station(camera) {
  const place = await setUp(dir, { config: `[camera room]\naddress=${camera}\n` });
  children.push(await runStation(place));
  const doctor = await Console.connect(place);
  await doctor.ask('sign-in', { user: place.users[0].id, pin: place.pin });
  await doctor.ask('consultation.start', { mode: 3, reason: 'bench', patient: { unknown: true } });
  // The bench's doctor admits whoever waits, at once.
  const admitted = new Set();
  doctor.on('message', (message) => {
    for (const guest of message.consultation?.guests ?? [])
      if (guest.state === 'lobby' && !admitted.has(guest.guest)) {
        admitted.add(guest.guest);
        doctor.ask('guest.admit', { guest: guest.guest }).catch(() => {});
      }
  });
  await doctor.stateWhere((s) => s.sources.some((source) => source.state === 'running'));
  return { place, doctor };
}

async function ours({ doctor }, context) {
  const { link, invite } = await doctor.ask('invite.create', { role: 'specialist', name: 'bench' });
  const page = await context.newPage();
  await page.goto(link);
  await page.getByTestId('name').fill('BS. Đo');
  await page.getByTestId('join').click();
  await page.getByTestId('live').waitFor();
  // Admitted once, left, here again: what is measured begins with the click that joins.
  await page.getByTestId('leave').click();
  await page.getByTestId('left').waitFor();
  await page.reload();
  await page.getByTestId('name').fill('BS. Đo');
  // Page loaded, devices granted: the preview shows before the click.
  await page.waitForFunction(() => (document.querySelector('[data-testid=preview]')?.videoWidth ?? 0) > 0);
  await page.getByTestId('join').click();
  const ms = await shown(page);
  await page.close();
  await doctor.ask('invite.revoke', { invite }).catch(() => {});
  return ms;
}

// ---- webrtcbin ------------------------------------------------------------------------------

const PAGE = `<!doctype html><meta charset="utf-8"><button data-testid="join">join</button><div></div>
<script>
const ws = new WebSocket(location.href.replace('https', 'wss'));
let pc = new RTCPeerConnection();
navigator.mediaDevices.getUserMedia({ audio: true, video: true }).then(() => { document.title = 'ready'; });
pc.ontrack = ({ track, receiver }) => {
  receiver.jitterBufferTarget = 0;
  const video = document.createElement('video');
  video.dataset.testid = 'video-source-room';
  video.muted = video.autoplay = true;
  video.srcObject = new MediaStream([track]);
  document.querySelector('div').append(video);
};
pc.onicecandidate = ({ candidate }) => candidate?.candidate &&
  ws.send(JSON.stringify({ type: 'candidate', line: candidate.candidate }));
ws.onmessage = async ({ data }) => {
  const message = JSON.parse(data);
  if (message.type === 'candidate') return pc.addIceCandidate({ candidate: message.line, sdpMLineIndex: 0 });
  await pc.setRemoteDescription({ type: 'offer', sdp: message.sdp });
  const answer = await pc.createAnswer();
  ws.send(JSON.stringify({ type: 'answer', sdp: answer.sdp }));
  await pc.setLocalDescription(answer);
};
document.querySelector('button').onclick = () => ws.send(JSON.stringify({ type: 'start' }));
</script>`;

async function webrtcbin(camera) {
  const child = start(join(buildDir, 'tests/bench/webrtcbin-peer'), ['--camera', camera],
    { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  await line(child, /"ready"/);
  // The same certificate authority, the same kind of socket.
  const server = createServer(certificate(), (_, response) => response.end(PAGE));
  const sockets = new WebSocketServer({ server });
  let socket = null;
  createInterface({ input: child.stdout }).on('line', (text) => socket?.send(text));
  sockets.on('connection', (one) => {
    socket = one;
    one.on('message', (data) => child.stdin.write(`${data}\n`));
    one.on('close', () => { child.stdin.write('{"type":"stop"}\n'); if (socket === one) socket = null; });
  });
  await new Promise((done) => server.listen(0, 'localhost', done));
  return { url: `https://localhost:${server.address().port}/`, server };
}

async function theirs({ url }, context) {
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => document.title === 'ready');
  await page.getByTestId('join').click();
  const ms = await shown(page);
  await page.close();
  return ms;
}

// A throw-away certificate for the peer's page, by an authority the browser is told to trust too.
function certificate() {
  const at = (name) => join(dir, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-keyout', at('peer.key'), '-out', at('peer.crt'), '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost');
  return { key: readFileSync(at('peer.key')), cert: readFileSync(at('peer.crt')) };
}

// ---- The runs ---------------------------------------------------------------------------------

try {
  const port = await freePort();
  const camera = start(sim('sim-camera'), ['--port', String(port), '--name', 'room']);
  await line(camera, /^ready/);
  children.push(camera);
  const address = `rtsp://127.0.0.1:${port}/room`;
  const us = await station(address);
  const peer = await webrtcbin(address);
  const browser = await openChromium({ ca: us.place.ca, alsoTrust: [join(dir, 'peer.crt')] });
  await browser.context.addInitScript(clock);

  const times = { ours: [], theirs: [] };
  await ours(us, browser.context);
  await theirs(peer, browser.context);
  for (let i = 0; i < runs; i++) {
    times.ours.push(await ours(us, browser.context));
    times.theirs.push(await theirs(peer, browser.context));
  }
  const [a, b] = [median(times.ours), median(times.theirs)];
  console.log(JSON.stringify({
    bench: 'join', ours: Math.round(a * 10) / 10, peer: Math.round(b * 10) / 10, peer_name: 'webrtcbin',
    unit: 'ms', ratio: Math.round((a / b) * 1000) / 1000, better: 'lower', runs,
    all: { ours: times.ours.map(Math.round), peer: times.theirs.map(Math.round) },
  }));
  await browser.close();
  peer.server.closeAllConnections();
  peer.server.close();
  us.doctor.close();
} finally {
  for (const child of children.reverse()) await stop(child);
  rmSync(dir, { recursive: true, force: true });
}
process.exit(0);
