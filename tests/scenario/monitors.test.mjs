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
    station = await runStation(place);
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
  test(`a monitor as ${make} makes it: its numbers are on the page`, async () => {
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
    } finally {
      await stop(monitor);
    }
  });
