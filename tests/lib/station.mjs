// Starting the real program: a province's recovery keys, a station's folder, the programs of the
// simulated clinic. Used by the demo (station/try) and by every test that needs a station.

import { spawn, execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const root = resolve(new URL('../..', import.meta.url).pathname);
export const buildDir = resolve(root, process.env.NHIPCAU_BUILD ?? 'build');
export const nhipcau = join(buildDir, 'station/nhipcau');
export const sim = (name) => join(buildDir, 'tests/sim', name);

const isFree = (port) => new Promise((done) => {
  const server = createServer();
  server.once('error', () => done(false));
  server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
});

// For somebody who will listen on it in a moment: never one twice, and below the range from which the system gives its own ports to
// connections (ip_local_port_range), so that none of these takes it meanwhile.
const given = new Set();
export async function freePort() {
  for (let tries = 0; tries < 1000; tries++) {
    const port = randomInt(20_000, 32_768);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free from 20000 to 32767');
}

// A child that dies with us, even when we are killed ourselves. netns: run in that namespace.
export function start(command, args, { netns, ...options } = {}) {
  const inside = netns ? ['ip', 'netns', 'exec', netns] : [];
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...inside, command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'], ...options,
  });
}

// The first line of stdout that matches; an error that quotes stderr when the child ends before.
export function line(child, pattern, seconds = 30) {
  return new Promise((done, fail) => {
    let errors = '';
    const lines = createInterface({ input: child.stdout });
    const finish = (f) => { clearTimeout(timer); f(); };
    const timer = setTimeout(() =>
      fail(new Error(`${child.spawnargs.join(' ')}: no line like ${pattern} in ${seconds} s\n${errors}`)),
    seconds * 1000);
    child.stderr?.on('data', (chunk) => { errors = (errors + chunk).slice(-8000); });
    lines.on('line', (text) => { const m = text.match(pattern); if (m) finish(() => done(m)); });
    child.once('exit', (code, signal) => finish(() =>
      fail(new Error(`${child.spawnargs.join(' ')} ended (${code ?? signal})\n${errors}`))));
    child.once('error', (error) => finish(() => fail(error)));
  });
}

// Ends a child by SIGTERM, by SIGKILL after some seconds; resolves when it is gone.
export function stop(child, seconds = 10) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    child.once('exit', () => { clearTimeout(timer); done(); });
    child.kill('SIGTERM');
  });
}

// The province's recovery keys, made elsewhere than the station with stock openssl.
export function makeRecoveryKeys(dir, n = 2) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return Array.from({ length: n }, (_, i) => {
    const key = join(dir, `recovery-${i + 1}.key`);
    const cert = join(dir, `recovery-${i + 1}.crt`);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384',
      '-nodes', '-keyout', key, '-out', cert, '-days', '3650', '-utf8',
      '-subj', `/O=Sở Y tế (thử)/CN=Khóa khôi phục ${i + 1}`], { stdio: 'pipe' });
    return { key, cert };
  });
}

const secret = (file, text) => { writeFileSync(file, text, { mode: 0o600 }); return file; };

// Set-up refuses what is guessed first: one in a thousand.
function randomPin() {
  const pin = String(randomInt(100000, 1000000));
  const pattern = pin.slice(0, 3) === pin.slice(3) || pin.slice(0, 4) === pin.slice(2)
    || '0123456789'.includes(pin) || '9876543210'.includes(pin);
  return pattern ? randomPin() : pin;
}

// A station set up in dir, with its recovery confirmed (more: lines of [station]); returns what is needed to run it.
export async function setUp(dir, { name = 'Trạm Y tế xã Tả Van', config = '', more = '', language = 'vi', users, ports = {}, listen = [], names = [] } = {}) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const place = {
    dir, state: join(dir, 'state'), config: join(dir, 'station.conf'),
    boot: join(dir, 'credential', 'nhipcau-boot'), passphrase: join(dir, 'passphrase'),
    province: join(dir, 'province'), facts: join(dir, 'clinic.json'),
  };
  if (existsSync(place.facts)) return { ...place, ...JSON.parse(readFileSync(place.facts, 'utf8')) };

  mkdirSync(join(dir, 'credential'), { recursive: true, mode: 0o700 });
  const pin = randomPin();
  const pinFile = secret(join(dir, 'pin'), pin);
  secret(place.passphrase, randomBytes(12).toString('base64url'));
  const keys = makeRecoveryKeys(place.province);
  const people = users ?? [
    { id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' },
    { id: 'hung', name: 'BS. Giàng A Hùng', role: 'doctor' },
  ];
  const user = (u) => `${u.id}:${u.name}:${u.role}`;
  const run = (...args) => execFileSync(nhipcau, args, { stdio: 'pipe', encoding: 'utf8' });

  run('setup', '--state', place.state, '--name', name, '--user', user(people[0]),
    '--pin-file', pinFile, '--passphrase-file', place.passphrase,
    '--recovery-cert', keys[0].cert, '--recovery-cert', keys[1].cert, '--boot-credential', place.boot);
  const letter = execFileSync('openssl', ['cms', '-decrypt', '-inform', 'DER',
    '-in', join(place.state, 'recovery/challenge-1.cms'), '-inkey', keys[0].key, '-recip', keys[0].cert],
  { encoding: 'utf8' });
  const [code] = letter.match(/[A-Z0-9]{4}(-[A-Z0-9]{4}){3}/);
  run('setup', '--state', place.state, '--boot-credential', place.boot, '--confirm', code);
  for (const person of people.slice(1))
    run('setup', '--state', place.state, '--boot-credential', place.boot, '--add-user', user(person),
      '--pin-file', pinFile);

  const all = { http: await freePort(), mllp: await freePort(), ...ports };
  writeFileSync(place.config, `[station]
name=${name}
language=${language}
${more}
[http]
listen=${['localhost', ...listen].join(';')}
port=${all.http}
${names.length ? `names=${['localhost', ...names].join(';')}\n` : ''}
[mllp]
listen=127.0.0.1
port=${all.mllp}
profiles=${join(root, 'station/profiles')}

${config}`);
  const facts = {
    pin, ports: all, users: people, recovery: keys,
    origin: `https://localhost:${all.http}`, ca: join(place.state, 'certs/ca.crt'),
  };
  writeFileSync(place.facts, JSON.stringify(facts), { mode: 0o600 });
  return { ...place, ...facts };
}

// Runs the program on such a place; resolves when it serves.
export async function runStation(place, { unlock = true, env = {}, args = [], netns, seconds = 30 } = {}) {
  const child = start(nhipcau, ['run', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, ...(unlock ? ['--unlock', place.passphrase] : []), ...args],
  { netns, env: { ...process.env, ...env } });
  await line(child, /^ready /, seconds);
  return child;
}
