// Patient monitors against the real program: nothing lost and nothing twice, whatever is killed when.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { buildDir, line, nhipcau, runStation, sim, start, stop } from '../lib/station.mjs';

const ROOM = '00A0370000000001';
const LOAD = join(buildDir, 'tests/bench/bench-hl7-load');
// The long form is a million messages, of one reading each.
const MESSAGES = process.env.NHIPCAU_LONG ? 1_000_000 : 3000;
const run = promisify(execFile);

let place, station, page, consultation;
before(async () => {
  place = await makePlace('monitors', { config: `[device monitor]\nid=${ROOM}\n` });
  station = await runStation(place);
  page = await signIn(place, 'lan');
  consultation = await startConsultation(page);
});
after(async () => {
  page.close();
  await stop(station);
  place.remove();
});

// How many rows of a kind there are; their number is plain on the disk.
const count = (kind) => Number(execFileSync('sqlite3', ['-readonly', join(place.state, 'records.db'),
  `SELECT count(*) FROM rec WHERE consult = '${consultation}' AND kind = '${kind}'`], { encoding: 'utf8' }));
const rows = (kind) => JSON.parse(execFileSync(nhipcau, ['record', 'show', consultation, '--json', '--state', place.state,
  '--config', place.config, '--boot-credential', place.boot], { encoding: 'utf8', maxBuffer: 1 << 28 })).rows[kind] ?? [];
const memory = () => Number(readFileSync(`/proc/${station.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const load = async (from, messages, ...more) => JSON.parse((await run(LOAD, ['--port', String(place.ports.mllp),
  '--rows', '1', '--device', ROOM, '--from', String(from), '--messages', String(messages), ...more])).stdout);

test(`${MESSAGES} messages over ten sockets: none lost, none twice, memory flat`, { timeout: 4 * 3600_000 }, async (t) => {
  const tenth = MESSAGES / 10;
  let first;
  for (let i = 0; i < 10; i++) {
    const { accepted, seconds } = await load(i * tenth, tenth);
    assert.equal(accepted, tenth);
    if (i === 0) first = memory();
    t.diagnostic(`${(i + 1) * tenth} messages, ${Math.round(tenth / seconds)}/s, ${memory().toFixed(0)} MiB`);
  }
  assert.ok(memory() < first + 48, `memory grew from ${first.toFixed(0)} to ${memory().toFixed(0)} MiB`);
  assert.equal(count('observation'), MESSAGES);
  if (MESSAGES > 10_000) return;
  const kept = rows('observation').map((row) => Number(row.body.message)).sort((a, b) => a - b);
  assert.deepEqual(kept, Array.from({ length: MESSAGES }, (_, i) => i));
});

const message = (id, value) => '\x0b' + [
  `MSH|^~\\&|SIM|CLINIC|||20261120090312+0700||ORU^R01^ORU_R01|${id}|P|2.6|||NE|AL||UNICODE UTF-8`,
  'OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700',
  `OBX|1|NM|150344^MDC_TEMP^MDC|1.2.1.150344|${value}|268192^MDC_DIM_DEGC^MDC|||||R|||20261120090312+0700||||${ROOM}^^${ROOM}^EUI-64`,
].join('\r') + '\r\x1c\r';

async function open() {
  const socket = connect(place.ports.mllp, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function answer(socket) {
  let text = '';
  for await (const chunk of socket) {
    text += chunk.toString();
    if (text.includes('\x1c\r')) break;
  }
  return text.match(/\rMSA\|(\w\w)\|/)?.[1];
}

async function until(what, condition) {
  for (const end = Date.now() + 30_000; !condition();) {
    assert.ok(Date.now() < end, what);
    await new Promise((done) => setTimeout(done, 5));
  }
}

test('killed when it had kept a reading and had not said so: the sender repeats, one reading', async () => {
  const before = count('observation');
  for (let i = 0; i < 8; i++) {
    const socket = await open();
    // It is stopped at once, so that its answer cannot leave; the row may be written or not.
    socket.write(message(`K${i}`, 36 + i / 10));
    if (i % 2 === 0) await until('the row is on the disk', () => count('observation') > before + i);
    const gone = once(station, 'exit');
    station.kill('SIGKILL');
    await gone;
    socket.destroy();
    // It reads a million readings back in the long form.
    station = await runStation(place, { seconds: process.env.NHIPCAU_LONG ? 300 : 30 });
    const again = await open();
    again.write(message(`K${i}`, 36 + i / 10));
    assert.equal(await answer(again), 'AA');
    again.destroy();
    assert.equal(count('observation'), before + i + 1);
  }
  page.close();
  page = await signIn(place, 'lan');
});

test('a broken connection, and the same message on the next one at once: one reading, two answers', async () => {
  const before = count('observation');
  const first = await open(), second = await open();
  first.write(message('B1', 37.5));
  second.write(message('B1', 37.5));
  first.resetAndDestroy();
  assert.equal(await answer(second), 'AA');
  second.destroy();
  assert.equal(count('observation'), before + 1);
});

test("python3-hl7's mllp_send is understood", async () => {
  const before = count('observation');
  const { stdout } = await run('bash', ['-c',
    `printf %s "$1" | tr -d '\\013\\034' > "$2/one.hl7" && /usr/bin/mllp_send --file "$2/one.hl7" --loose --port ${place.ports.mllp} 127.0.0.1`,
    'bash', message('P1', 37.9), place.dir ?? place.state]);
  assert.match(stdout, /MSA\|AA\|P1/);
  assert.equal(count('observation'), before + 1);
});

// As each of them names itself.
const MAKES = { ihe: ROOM, mindray: ROOM, comen: 'KC000000001G/Bed1', philips: 'PIIC/Bed1', ge: 'GE_GATEWAY' };
for (const [make, device] of Object.entries(MAKES))
  test(`a monitor as ${make} makes it: its numbers are on the page, its waves in the record`, async () => {
    const monitor = start(sim('sim-monitor'), ['--port', String(place.ports.mllp), '--make', make, '--waves', '500',
      '--interval', '300', '--nibp', '1', '--serial', ROOM]);
    try {
      await line(monitor, /^ready/);
      await page.stateWhere((s) => s.devices.some((d) => d.device === device), 30);
      await page.ask('device.claim', { device, consultation });
      const since = new Date().toISOString();
      for (const vital of ['hr', 'spo2', 'resp', 'nibp-sys'])
        await page.stateWhere((s) => s.consultation.readings.some((r) => r.vital === vital && r.received > since && r.value > 0 &&
          r.device === device), 30);
      const waves = count('wave');
      await until('its waves are kept', () => count('wave') > waves);
    } finally {
      await stop(monitor);
    }
  });

const alarm = (id, device, phase, text) => '\x0b' + [
  `MSH|^~\\&|SIM^${device}^EUI-64|CLINIC|||20261120090312+0700||ORU^R40^ORU_R40|${id}|P|2.6|||NE|AL||UNICODE UTF-8`,
  'OBR|1|||196616^MDC_EVT_ALARM^MDC|||20261120090312+0700',
  `OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.3.1.150456.1|196652^MDC_EVT_LO_VAL_LT_LIM^MDC^^^^^^${text}|||L~PH~SP|||R`,
  `OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.150456.3|${phase}`,
].join('\r') + '\r\x1c\r';

async function say(text) {
  const socket = await open();
  socket.write(text);
  const code = await answer(socket);
  socket.destroy();
  return code;
}

test('an alarm stands on the page until the device says that it is over, and is in the record', async () => {
  assert.equal(await say(alarm('A1', ROOM, 'start', 'SpO2 thấp')), 'AA');
  const { consultation: now } = await page.stateWhere((s) => s.consultation.alarms.length === 1);
  assert.deepEqual([now.alarms[0].text, now.alarms[0].priority, now.alarms[0].test], ['SpO2 thấp', 'high', false]);
  assert.equal(await say(alarm('A1', ROOM, 'start', 'SpO2 thấp')), 'AA');
  assert.equal(await say(alarm('A2', ROOM, 'end', 'SpO2 thấp')), 'AA');
  await page.stateWhere((s) => s.consultation.alarms.length === 0);
  assert.equal(await say(alarm('A3', '00A037000000FFFF', 'start', 'của ai?')), 'AA');
  const kept = rows('alarm');
  assert.deepEqual(kept.map((row) => row.body.phase), ['start', 'end']);
  assert.equal((await page.stateWhere(() => true)).consultation.alarms.length, 0);
});

const question = (id, application, facility, asked = '') =>
  `\x0bMSH|^~\\&|${application}|${facility}|||20261120090313||QRY^R02|${id}|P|2.4||||||UNICODE UTF-8\r` +
  `QRD|20261120090313|R|I|Q${id}|||1^RD|${asked}|RES\rQRF|MON||||RES\r\x1c\r`;

async function ask(text) {
  const socket = await open();
  socket.write(text);
  let reply = '';
  for await (const chunk of socket) {
    reply += chunk.toString();
    if (reply.includes('\x1c\r')) break;
  }
  socket.destroy();
  return reply;
}

test('a device that asks learns the patient only when it belongs to the consultation', async () => {
  await page.ask('patient.save', { patient: { name: 'Vàng Thị Mỷ', birth_year: 1958, sex: 'female' } });
  const stranger = await ask(question('Q1', 'STRANGER', 'WARD'));
  assert.match(stranger, /\|ORF\^R04\^ORF_R04\|/);
  assert.match(stranger, /\rMSA\|AA\|Q1\r/);
  assert.doesNotMatch(stranger, /PID/);
  // Comen's readings came under this name and its bed, and were claimed above.
  const known = await ask(question('Q2', '', 'KC000000001G'));
  assert.match(known, /\rPID\|1\|\|(NC-[0-9A-F]{8})\|\|Vàng\^Thị Mỷ\|\|1958\|F\r/);
  const id = known.match(/NC-[0-9A-F]{8}/)[0];
  assert.match(await ask(question('Q3', '', 'KC000000001G', id)), /PID/);
  assert.doesNotMatch(await ask(question('Q4', '', 'KC000000001G', '0999999')), /PID/);
  await page.stateWhere((s) => s.consultation.events.filter((e) => e.what === 'patient-told').length === 2);
  // What the device then says of that patient is this consultation's.
  assert.equal(await say(message('Q5', 38.1).replace('OBR|1', `PID|||${id}\rOBR|1`)), 'AA');
  assert.ok(rows('observation').some((row) => row.body.message === 'Q5' && row.body.patient.id === id));
  await page.ask('device.claim', { device: 'KC000000001G/Bed1', consultation: null });
  assert.doesNotMatch(await ask(question('Q6', '', 'KC000000001G')), /PID/);
});
