// nhipcau device list | watch | record | replay against a running station and devices on ptys.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { serialDevice } from '../lib/serial.mjs';
import { freePort, nhipcau, runStation, stop } from '../lib/station.mjs';

let place, station, page, ports, captured, spare, children = [];
before(async () => {
  ports = mkdtempSync(join(tmpdir(), 'nhipcau-ports-'));
  captured = await serialDevice('contec', join(ports, 'captured'));
  spare = await serialDevice('nonin', join(ports, 'spare'));
  place = await makePlace('device-command', { config: `
[serial finger]
port=${captured.link}
title=Máy đo SpO₂
kind=contec
capture=true

[serial replayed]
port=${join(ports, 'replayed')}
kind=nonin
room=true
` });
  station = await runStation(place);
  page = await signIn(place, 'lan');
  await page.stateWhere((s) => s.feeds.some((f) => f.state === 'live'), 30);
});
after(async () => {
  page?.close();
  for (const child of children) await stop(child);
  await stop(station);
  for (const device of [captured, spare]) await device?.end();
  place?.remove();
  rmSync(ports, { recursive: true, force: true });
});

const keys = () => ['--state', place.state, '--config', place.config, '--boot-credential', place.boot];
const device = (...args) => spawnSync(nhipcau, ['device', ...args], { encoding: 'utf8' });
const objects = (text) => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
const values = (lines, vital) => lines.filter((o) => o.vital === vital && o.value !== undefined).map((o) => o.value);

test('list tells in Vietnamese, or as JSON, what is there and what it says', async () => {
  await page.stateWhere((s) => s.devices.some((d) => d.device === 'serial-finger'));
  const { stdout, status } = device('list', '--state', place.state, '--lang', 'vi');
  assert.equal(status, 0);
  assert.match(stdout, /Máy đo SpO₂ \(serial-finger\): đang hoạt động\n {4}SpO₂ 97 %/);
  assert.match(stdout, /mạch 72 lần\/phút/);
  assert.match(stdout, /replayed \(serial-replayed\): đang tìm\n {4}Chưa thấy thiết bị/);
  const json = JSON.parse(device('list', '--json', '--state', place.state).stdout);
  assert.deepEqual(json.feeds.map((f) => f.state), ['live', 'searching']);
  assert.equal(statSync(join(place.state, 'local.sock')).mode & 0o777, 0o600);
});

test('watch tells each change', async () => {
  const child = spawn(nhipcau, ['device', 'watch', '--state', place.state, '--lang', 'vi']);
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const events = on(lines, 'line');
  // Not for await: leaving that loop would end the events.
  const until = async (pattern) => {
    let next;
    do next = await events.next(); while (!pattern.test(next.value[0]));
  };
  await until(/SpO₂ 97 %/);
  await captured.tell('spo2 85');
  await until(/Máy đo SpO₂: SpO₂ 85 %/);
  await captured.tell('finger out');
  await until(/Máy đo SpO₂: SpO₂: chưa có ngón tay/);
  await captured.tell('finger in');
  await until(/SpO₂ 85 %/);
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  await ended;
});

test('check tells of a port that is there and one that is not', () => {
  const { stdout } = spawnSync(nhipcau, ['check', '--json', '--lang', 'vi', ...keys()], { encoding: 'utf8' });
  const findings = JSON.parse(stdout).findings ?? JSON.parse(stdout);
  const codes = findings.filter((f) => f.code.startsWith('serial')).map((f) => `${f.level} ${f.code}`);
  assert.deepEqual(codes, ['good serial', 'warn serial-missing']);
});

test('without a running station, list says so', () => {
  const { status, stderr } = device('list', '--state', join(ports, 'no-state'), '--lang', 'vi');
  assert.equal(status, 4);
  assert.match(stderr, /trạm có đang chạy/);
});

// Records a free port until the device has said something for a while.
async function record(file) {
  const child = spawn(nhipcau, ['device', 'record', '--serial', spare.link, '--kind', 'nonin', file,
    '--lang', 'vi', ...keys()]);
  children.push(child);
  const messages = createInterface({ input: child.stderr });
  for await (const line of messages) if (/thiết bị đang nói/.test(line)) break;
  const size = statSync(file).size;
  while (statSync(file).size < size + 20000) await new Promise((done) => setImmediate(done));
  return child;
}

test('what is recorded is sealed, and replayed it gives the same readings and waves', async () => {
  const file = join(ports, 'whole.cap');
  const child = await record(file);
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  assert.deepEqual(await ended, [0, null]);
  const bytes = readFileSync(file);
  assert.equal(bytes.subarray(0, 8).toString(), 'NHIPCAP1');
  assert.ok(!bytes.includes('nonin') && !bytes.includes(spare.link));
  const { stdout, stderr, status } = device('replay', file, ...keys());
  assert.equal(status, 0, stderr);
  const lines = objects(stdout);
  assert.ok(values(lines, 'spo2').length >= 1);
  assert.ok(values(lines, 'spo2').every((v) => v === 97) && values(lines, 'pulse').every((v) => v === 72));
  const waves = lines.filter((o) => o.wave === 'pleth');
  assert.ok(waves.length > 20 && waves.every((w, i) => i === 0 || w.epoch !== waves[i - 1].epoch || w.first > waves[i - 1].first));
  assert.ok(Math.abs(Date.now() - Date.parse(waves[0].time)) < 600_000, 'the times are those of the recording');
  const again = device('replay', file, '--kind', 'nonin', '--key', place.recovery[0].key,
    '--certificate', place.recovery[0].cert);
  assert.equal(again.stdout, stdout, 'a recovery key opens it without the station');
});

test('a recording survives kill -9', async () => {
  const file = join(ports, 'killed.cap');
  const child = await record(file);
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  const { stdout, stderr, status } = device('replay', file, '--lang', 'vi', ...keys());
  assert.equal(status, 0, stderr);
  assert.match(stderr, /bị ngắt giữa chừng/);
  assert.ok(values(objects(stdout), 'spo2').includes(97));
});

test('replayed into a running station it is a device that speaks', async () => {
  const id = await startConsultation(page);
  const child = spawn(nhipcau, ['device', 'replay', join(ports, 'whole.cap'), '--pty', join(ports, 'replayed'), ...keys()]);
  children.push(child);
  const ended = once(child, 'exit');
  await page.stateWhere((s) => s.consultation?.id === id
    && s.consultation.readings.some((r) => r.vital === 'pulse' && r.value === 72 && r.device === 'serial-replayed'));
  assert.deepEqual(await ended, [0, null]);
  assert.ok(!existsSync(join(ports, 'replayed')));
  await page.stateWhere((s) => s.feeds.find((f) => f.device === 'serial-replayed').state === 'lost');
});

const message = (control, spo2) => [
  `MSH|^~\\&|SIM|CLINIC|||20261120090312+0700||ORU^R01^ORU_R01|${control}|P|2.6|||NE|AL||UNICODE UTF-8`,
  'PID|', 'OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700',
  `OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|${spo2}|262688^MDC_DIM_PERCENT^MDC|||||R`,
].join('\r') + '\r';

test('a monitor that sends HL7 is recorded on its way to the station, and replayed to it', async () => {
  const file = join(ports, 'mllp.cap'), port = await freePort();
  const child = spawn(nhipcau, ['device', 'record', '--mllp', String(port), '--to', `127.0.0.1:${place.ports.mllp}`,
    file, '--lang', 'vi', ...keys()]);
  children.push(child);
  for await (const text of createInterface({ input: child.stderr })) if (/đang ghi/.test(text)) break;
  for (const [control, spo2] of [['c1', 83], ['c2', 84]]) {
    const socket = connect(port, '127.0.0.1');
    socket.write(Buffer.concat([Buffer.from([0x0b]), Buffer.from(message(control, spo2)), Buffer.from([0x1c, 0x0d])]));
    let answer = '';
    for await (const chunk of socket) if ((answer += chunk).includes('\x1c\r')) break;
    assert.match(answer, new RegExp(`MSA\\|AA\\|${control}`));
    socket.destroy();
  }
  await page.stateWhere((s) => s.devices.some((d) => d.device === 'SIM'));
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  const { stdout, stderr, status } = device('replay', file, ...keys());
  assert.equal(status, 0, stderr);
  assert.deepEqual(values(objects(stdout), 'spo2'), [83, 84]);
  const again = device('replay', file, '--mllp', `127.0.0.1:${place.ports.mllp}`, ...keys());
  assert.equal(again.status, 0, again.stderr);
});

test('what station.conf asks to be captured is, and outlives the station', async () => {
  const ended = once(station, 'exit');
  station.kill('SIGKILL');
  await ended;
  const files = readdirSync(join(place.state, 'captures'));
  assert.equal(files.length, 1);
  const { stdout, stderr, status } = device('replay', join(place.state, 'captures', files[0]), ...keys());
  assert.equal(status, 0, stderr);
  const said = new Set(values(objects(stdout), 'spo2'));
  assert.ok(said.has(97) && said.has(85), `said ${[...said]}`);
  station = await runStation(place);
  const verified = spawnSync(nhipcau, ['record', 'verify', '--json', ...keys()], { encoding: 'utf8' });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
});

test('a port that the station uses is explained to who would record it', () => {
  const { stderr } = device('record', 'finger', join(ports, 'busy.cap'), '--seconds', '2', '--lang', 'vi', ...keys());
  assert.match(stderr, /Một chương trình khác đang dùng cổng này/);
});
