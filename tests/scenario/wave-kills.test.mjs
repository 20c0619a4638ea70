// Waves of a monitor that waits for its answers and repeats what had none: whatever is killed when, each
// sample that was acknowledged is in the record, and none is there twice.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readWaves } from '../lib/pages.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const DEVICE = '0004A3FFFE5D0007';
const WINDOW_MS = 200;
// Sampled at different rates: rows of their own. A sample's value is its number.
const SIGNALS = [{ code: '131330^MDC_ECG_ELEC_POTL_II^MDC', rate: 500 }, { code: '150452^MDC_PULS_OXIM_PLETH^MDC', rate: 75 }];

let at, station, page, consultation;
before(async () => {
  at = await makePlace('wave-kills', { config: `[device monitor]\nid=${DEVICE}\n` });
  station = await runStation(at);
  page = await signIn(at, 'lan');
  consultation = await startConsultation(page);
});
after(async () => {
  page?.close();
  await stop(station);
  at?.remove();
});

const count = () => Number(execFileSync('sqlite3', ['-readonly', join(at.state, 'records.db'),
  `SELECT count(*) FROM rec WHERE consult = '${consultation}' AND kind = 'wave'`], { encoding: 'utf8' }));
// What the recovery key finds: the record as it lies on the disk.
function rows() {
  const out = join(at.dir, 'recovered');
  const { key, cert } = at.recovery[0];
  execFileSync(nhipcau, ['record', 'recover', '--state', at.state, '--key', key, '--certificate', cert, '--out', out, consultation]);
  return JSON.parse(readFileSync(join(out, consultation, 'record.json'), 'utf8')).rows.filter(({ kind }) => kind === 'wave');
}

const began = Date.UTC(2026, 10, 27, 1);
const stamp = (ms) => `${new Date(ms).toISOString().replace(/[-T:Z]/g, '')}+0000`;

function message(n) {
  const from = stamp(began + n * WINDOW_MS);
  const list = [`MSH|^~\\&|SIM^${DEVICE}^EUI-64|TYT|||${from}||ORU^R01^ORU_R01|N${n}|P|2.6|||NE|AL||UNICODE UTF-8`, 'PV1||O',
    `OBR|1|||69121^MDC_OBS_WAVE_CTS^MDC|||${from}|${stamp(began + (n + 1) * WINDOW_MS)}`];
  SIGNALS.forEach(({ code, rate }, i) => {
    const count = (rate * WINDOW_MS) / 1000;
    list.push(`OBX|${2 * i + 1}|NA|${code}|1.${i + 1}.1.${code.split('^')[0]}|${Array.from({ length: count }, (_, k) => n * count + k).join('^')}||||||R|||${from}`);
    list.push(`OBX|${2 * i + 2}|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1.${i + 1}.1.${code.split('^')[0]}.1|${rate}|264608^MDC_DIM_HZ^MDC|||||R`);
  });
  return `\x0b${list.join('\r')}\r\x1c\r`;
}

let socket = null;

async function open() {
  socket = connect(at.ports.mllp, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
}

// Resolves with the code of the answer; null when the connection ends without one.
function answer(id) {
  return new Promise((done) => {
    let text = '';
    const take = (chunk) => {
      text += chunk;
      const found = text.match(new RegExp(`\\rMSA\\|(\\w\\w)\\|${id}\\r`));
      if (found) end(found[1]);
    };
    const close = () => end(null);
    const end = (code) => {
      socket.off('data', take).off('close', close);
      done(code);
    };
    socket.on('data', take).once('close', close);
  });
}

async function kill() {
  const gone = once(station, 'exit');
  station.kill('SIGKILL');
  await gone;
}

async function until(what, condition) {
  for (const end = Date.now() + 30_000; !condition();) {
    assert.ok(Date.now() < end, what);
    await new Promise((done) => setTimeout(done, 2));
  }
}

let next = 0;

// Until its answer comes, over as many connections as that takes.
async function send(n) {
  if (!socket || socket.destroyed) await open();
  const said = answer(`N${n}`);
  socket.write(message(n));
  return said;
}

async function sendAll(many) {
  for (const end = next + many; next < end; next++) assert.equal(await send(next), 'AA');
}

// When the station is killed, of the message under way.
const MOMENTS = {
  'as it comes': async () => {},
  'when one of its rows is on the disk': async (before) => until('a row is on the disk', () => count() > before),
  'when both of its rows are on the disk': async (before) => until('two rows are on the disk', () => count() > before + 1),
};

for (const [moment, comes] of Object.entries(MOMENTS))
  test(`killed ${moment}: the sender repeats`, { timeout: 60_000 }, async () => {
    for (let i = 0; i < 3; i++) {
      await sendAll(3);
      const before = count();
      const lost = send(next);
      await comes(before);
      await kill();
      await lost;
      socket.destroy();
      station = await runStation(at);
      await sendAll(2);
    }
  });

test('killed as soon as it has answered: nothing is sent again', { timeout: 60_000 }, async () => {
  for (let i = 0; i < 3; i++) {
    await sendAll(2);
    await kill();
    socket.destroy();
    station = await runStation(at);
  }
});

test('the same message over two connections at once: two answers', { timeout: 20_000 }, async () => {
  if (!socket || socket.destroyed) await open();
  const text = message(next), first = socket;
  const one = answer(`N${next}`);
  first.write(text);
  await open();
  const two = answer(`N${next}`);
  socket.write(text);
  assert.deepEqual(await Promise.all([one, two]), ['AA', 'AA']);
  next++;
  first.destroy();
  await sendAll(2);
});

test('every sample is in the record, once', { timeout: 30_000 }, async () => {
  await stop(station);
  const times = Object.fromEntries(SIGNALS.map(({ rate }) => [rate, new Array((next * rate * WINDOW_MS) / 1000).fill(0)]));
  for (const { body } of rows())
    for (const packet of readWaves(Buffer.from(body.data, 'base64')))
      for (const sample of packet.samples[0]) times[body.rate[0]][sample]++;
  for (const [rate, list] of Object.entries(times)) {
    const wrong = list.flatMap((n, i) => (n === 1 ? [] : [`${i}: ${n}`]));
    assert.equal(wrong.length, 0, `of ${list.length} samples at ${rate} Hz: ${wrong.slice(0, 20).join(', ')}`);
  }
});
