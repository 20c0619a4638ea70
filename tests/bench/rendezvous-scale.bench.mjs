// a broker with thousands of stations (mTLS) and browsers (WebSocket), real presence: time until all see each other, messages a second, memory, processor, and a kill -9

import { execFileSync, fork } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { NatsCluster } from '../lib/nats.mjs';
import { makeAuthority } from '../lib/rendezvous.mjs';
import { freePort, root, start, stop } from '../lib/station.mjs';

// sees: stations that a browser looks at, those of its hospital. broker: mosquitto, or nats (three nodes).
const { values } = parseArgs({ options: {
  stations: { type: 'string', default: '5000' }, browsers: { type: 'string', default: '10000' }, sees: { type: 'string', default: '20' },
  steady: { type: 'string', default: '30' }, broker: { type: 'string', default: 'mosquitto' }, patience: { type: 'string', default: '420' },
} });
const N = Number(values.stations), M = Number(values.browsers), SEES = Number(values.sees), PATIENCE = Number(values.patience);
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-scale-'));
const authority = makeAuthority(join(dir, 'ca'));
const server = authority.server(['IP:127.0.0.1']), own = authority.station('any');
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- Brokers: { nodes: [{tls, websocket}], pids(), kill(), mend(), stop() } --------------------

async function listens(port) {
  for (;;) {
    const there = await new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => { socket.destroy(); done(true); }).on('error', () => done(false));
    });
    if (there) return;
    await wait(20);
  }
}

async function mosquitto() {
  const [tls, websocket] = [await freePort(), await freePort()];
  // The client id in the certificate's place: one certificate serves all of them here, the rules cost the same.
  writeFileSync(join(dir, 'acl'), readFileSync(join(root, 'tests/lib/scale-acl'), 'utf8'));
  writeFileSync(join(dir, 'mosquitto.conf'), `per_listener_settings true
persistence false
set_tcp_nodelay true
message_size_limit 400000
user root
log_dest stderr
log_type error
log_type warning
listener ${tls} 127.0.0.1
cafile ${authority.ca}
certfile ${server.certificate}
keyfile ${server.key}
require_certificate true
allow_anonymous true
acl_file ${join(dir, 'acl')}
listener ${websocket} 127.0.0.1
protocol websockets
allow_anonymous true
acl_file ${join(dir, 'acl')}
`);
  let child, said = '';
  const run = async () => {
    child = start('prlimit', [`--nofile=${N + M + 500}`, 'mosquitto', '-c', join(dir, 'mosquitto.conf')]);
    child.stdout.resume();
    child.stderr.on('data', (bytes) => { said = (said + bytes).slice(-2000); });
    await listens(websocket);
  };
  await run();
  return { nodes: [{ tls, websocket }], pids: () => [child.pid], kill: () => { child.kill('SIGKILL'); }, mend: run, stop: () => stop(child, 2), said: () => said };
}

async function nats() {
  const cluster = await NatsCluster.start({ dir: join(dir, 'nats'), ca: authority.ca, server, stations: [], open: true });
  return { nodes: cluster.nodes.map(({ broker, websocket }) => ({ tls: broker, websocket })), pids: () => cluster.nodes.filter(({ child }) => child.signalCode === null).map(({ child }) => child.pid),
    kill: () => { cluster.nodes[0].child.kill('SIGKILL'); }, mend: async () => {}, stop: () => cluster.end(), said: () => cluster.nodes.map(({ log }) => log.slice(-600)).join('\n') };
}

const stat = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
const memory = (broker) => broker.pids().map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024).reduce((sum, one) => sum + one, 0);
const processor = (broker) => broker.pids().map((pid) => (Number(stat(pid)[11]) + Number(stat(pid)[12])) / 100).reduce((sum, one) => sum + one, 0);

// ---- Simulators ------------------------------------------------------------------------------

class Sim {
  constructor(order) {
    this.child = fork(join(root, 'tests/sim/presence.mjs'), { execArgv: ['--max-old-space-size=6000'] });
    this.child.send({ do: 'begin', ...order });
    this.begun = new Promise((done) => this.child.once('message', done));
    this.n = 0;
  }
  tell(forget = false) {
    const n = ++this.n;
    return new Promise((done) => {
      const heard = (message) => { if (message.n !== n) return; this.child.off('message', heard); done(message); };
      this.child.on('message', heard);
      this.child.send({ do: 'tell', n, forget });
    });
  }
}

const result = (what, ours, unit, better = 'lower') => console.log(JSON.stringify({ bench: `rendezvous-scale ${values.broker} ${what}`, ours: Math.round(ours * 10) / 10, peer: null, peer_name: null, unit, ratio: null, better }));

// Until fits(all figures); returns seconds, and keeps the most connections of any second since they were told to forget.
async function until(sims, what, fits) {
  const begun = performance.now();
  for (;;) {
    const all = await Promise.all(sims.map((sim) => sim.tell())), now = performance.now(), sums = {};
    for (const { perSecond } of all) for (const [second, n] of Object.entries(perSecond)) sums[second] = (sums[second] ?? 0) + n;
    peak = Math.max(0, ...Object.values(sums));
    if (fits(...all)) return (now - begun) / 1000;
    if (now - begun > PATIENCE * 1000) throw new Error(`${what}: not within ${PATIENCE} s: ${JSON.stringify(all)}\n${broker.said()}`);
    await wait(100);
  }
}
let peak = 0, broker, stations, browsers;

try {
  const pairs = Array.from({ length: N }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  const keys = pairs.map(({ privateKey }) => privateKey.export({ format: 'jwk' }));
  const hashes = keys.map(({ crv, kty, x, y }) => createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url'));
  broker = await (values.broker === 'nats' ? nats() : mosquitto());
  const order = { nodes: broker.nodes, stations: N, sees: SEES, ca: readFileSync(authority.ca, 'utf8'), cert: readFileSync(own.certificate, 'utf8'), key: readFileSync(own.key, 'utf8') };
  result('memory at the beginning', memory(broker), 'MiB');
  stations = new Sim({ ...order, role: 'stations', count: N, keys });
  await stations.begun;
  result('stations: all connected', await until([stations], 'stations', (s) => s.connected === N && s.published >= 2 * N), 's');
  result('stations: connections in the best second', peak, '1/s', 'higher');
  result('stations: processor time of the broker', processor(broker), 's');
  result('stations: memory of the broker', memory(broker), 'MiB');
  await stations.tell(true);
  browsers = new Sim({ ...order, role: 'browsers', count: M, hashes });
  await browsers.begun;
  result('browsers: all connected, each sees all its stations', await until([stations, browsers], 'browsers', (_, b) => b.complete === M), 's');
  const seen = await browsers.tell(true);
  result('browsers: from its connection until one sees its stations, median', seen.seen_ms.half, 'ms');
  result('browsers: the same, 99 of 100', seen.seen_ms.most, 'ms');
  result('both: memory of the broker', memory(broker), 'MiB');
  // At rest: keep-alives, and each station's presence once in 15 minutes.
  const [cpu, at] = [processor(broker), performance.now()];
  await wait(Number(values.steady) * 1000);
  result('at rest: processor of the broker', (processor(broker) - cpu) / ((performance.now() - at) / 1000) * 100, '% of a core');
  // All stations say their presence at once.
  const before = (await browsers.tell()).messages, burst = [processor(broker), performance.now()];
  stations.child.send({ do: 'publish' });
  const took = await until([browsers], 'presence of all at once', (b) => b.messages - before >= M * SEES * 0.999);
  result('presence of all at once: delivered', M * SEES / took, 'messages/s', 'higher');
  result('presence of all at once: processor time of the broker', processor(broker) - burst[0], 's');
  // The power is gone, and comes back.
  const gone = performance.now();
  const lost = [stations, browsers].map((sim) => sim.tell(true));
  const lostBefore = (await Promise.all(lost)).map((one) => one.lost).reduce((sum, one) => sum + one, 0);
  broker.kill();
  await until([stations, browsers], 'the loss', (s, b) => s.lost + b.lost - lostBefore >= (N + M) / broker.nodes.length * 0.9);
  await broker.mend();
  await until([stations, browsers], 'all back', (s, b) => s.connected === N && b.connected === M);
  result('after kill -9: all connected again', (performance.now() - gone) / 1000, 's');
  result('after kill -9: most connections in a second', peak, '1/s', 'lower');
  await until([stations, browsers], 'all seen', (s, b) => b.complete === M);
  result('after kill -9: every browser sees all its stations', (performance.now() - gone) / 1000, 's');
  const all = await Promise.all([stations.tell(), browsers.tell()]);
  result('after kill -9: tries that failed', all[0].failures + all[1].failures, '');
  result('after kill -9: memory of the broker', memory(broker), 'MiB');
  if (all.some(({ refused }) => refused)) throw new Error('the broker refused subscriptions');
} catch (error) {
  process.exitCode = 1;
  console.error(error.message);
} finally {
  for (const sim of [stations, browsers]) sim?.child.kill('SIGKILL');
  await broker?.stop();
  rmSync(dir, { recursive: true, force: true });
  console.log(execFileSync('uptime', { encoding: 'utf8' }).trim());
  process.exit();
}
