// A client of another make (tests/interop, werift) joins from docs/protocol.md alone: sees, hears, reads, speaks, writes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { root, runStation, start, stop } from '../lib/station.mjs';

const DEVICE = '0004A3FFFE5D0009';
const RATE = 500;

let at, station, doctor, client;
before(async () => {
  at = await makePlace('interop', {
    config: `[camera room]\naddress=test:\nwidth=640\nheight=360\nframe-rate=15\n\n[microphone microphone]\naddress=test:\n\n[device monitor]\nid=${DEVICE}\n`,
  });
  station = await runStation(at);
  doctor = await signIn(at, 'lan');
  await startConsultation(doctor);
});
after(async () => {
  doctor?.close();
  for (const child of [client?.child, station]) if (child && child.exitCode === null) await stop(child);
  at?.remove();
});

// A client that runs, and what it has told.
class Client {
  told = [];

  constructor(link, more = []) {
    this.child = start('node', [join(root, 'tests/interop/client.mjs'), link, '--name', 'BS. Nguyễn Khác', '--ca', at.ca, '--address', '127.0.0.1', ...more],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((done) => this.child.once('exit', done));
    this.waiting = new Set();
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      this.told.push(JSON.parse(text));
      for (const look of this.waiting) look();
    });
  }

  // The first thing told, earlier or later, that fits.
  until(what, fits = () => true, seconds = 60) {
    return new Promise((done, fail) => {
      const look = () => {
        const found = this.told.find((one) => one.what === what && fits(one));
        if (!found) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        done(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        fail(new Error(`no ${what} in ${seconds} s: ${JSON.stringify(this.told.filter((one) => one.what !== 'figures').slice(-12))}`));
      }, seconds * 1000);
      this.waiting.add(look);
      look();
    });
  }

  do(what) { this.child.stdin.write(`${JSON.stringify(what)}\n`); }
}

const figure = (client, stream, fits) => client.until('figures', ({ streams }) => streams.some((one) => one.stream === stream && fits(one)));
const guestWhere = (fits) => doctor.stateWhere((state) => state.consultation?.guests.some(fits), 60);

function monitorSays(list) {
  const socket = connect(at.ports.mllp, '127.0.0.1');
  return new Promise((done, fail) => {
    socket.once('error', fail).once('data', (answer) => { socket.end(); done(answer.toString()); });
    socket.write(`\x0b${list.join('\r')}\r\x1c\r`);
  });
}
const stamp = (ms) => `${new Date(ms).toISOString().replace(/[-T:Z]/g, '')}+0000`;
const header = (id) => `MSH|^~\\&|SIM^${DEVICE}^EUI-64|TYT|||${stamp(Date.now())}||ORU^R01^ORU_R01|${id}|P|2.6|||NE|AL||UNICODE UTF-8`;

test('a wrong secret is told in words', async () => {
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'sai' });
  const wrong = new Client(link.slice(0, -6) + (link.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'));
  const { text } = await wrong.until('error');
  assert.ok(text.vi.length > 10 && text.en.length > 10, JSON.stringify(text));
  await stop(wrong.child);
});

test('it waits, is let in, sees and hears', async () => {
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'khác' });
  at.link = link;
  at.video = join(at.dir, 'room.h264');
  client = new Client(link, ['--key', join(at.dir, 'guest.key'), '--video', at.video]);
  await client.until('lobby');
  const { consultation } = await guestWhere(({ name, state }) => name === 'BS. Nguyễn Khác' && state === 'lobby');
  await doctor.ask('guest.admit', { guest: consultation.guests.find(({ state }) => state === 'lobby').guest });
  await client.until('connection', ({ state }) => state === 'connected');
  await figure(client, 'source-room', ({ frames }) => frames > 45);
  await figure(client, 'source-microphone', ({ sound_ms }) => sound_ms > 3000);
  await guestWhere(({ name, state }) => name === 'BS. Nguyễn Khác' && state === 'live');
});

test('its voice arrives', () => doctor.stateWhere(({ consultation }) =>
  consultation?.guests.some(({ state, media }) => state === 'live' && media?.received_bps > 1000), 60));

test('readings and waves arrive, each sample as it was sent', async () => {
  const now = Date.now();
  assert.match(await monitorSays([header('V1'), 'PV1||O', `OBR|1|||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|||${stamp(now)}`,
    `OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|77|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|||${stamp(now)}`]), /MSA\|AA\|V1/);
  await client.until('readings', ({ values }) => values.some(({ value }) => value === '77'));
  // A ramp: its least, its most and how many there are tell that each came.
  const samples = Array.from({ length: RATE }, (_, i) => 3 * i - 700);
  assert.match(await monitorSays([header('W1'), 'PV1||O', `OBR|1|||69121^MDC_OBS_WAVE_CTS^MDC|||${stamp(now)}|${stamp(now + 1000)}`,
    `OBX|1|NA|131330^MDC_ECG_ELEC_POTL_II^MDC|1.1.1.131330|${samples.join('^')}||||||R|||${stamp(now)}`,
    `OBX|2|NM|68320^MDC_ATTR_SAMP_RATE^MDC|1.1.1.131330.1|${RATE}|264608^MDC_DIM_HZ^MDC|||||R`]), /MSA\|AA\|W1/);
  const { samples: got } = await client.until('figures', (one) => Object.values(one.samples).some(({ count }) => count >= RATE));
  const [wave] = Object.values(got);
  assert.deepEqual([wave.count, wave.least, wave.most], [RATE, samples[0], samples.at(-1)]);
  await client.until('waves', ({ streams }) => streams.some(({ leads }) => leads.includes('II')));
});

test('its opinion is kept, with its author', async () => {
  client.do({ note: 'Nghi viêm phổi, đề nghị chụp X-quang' });
  await client.until('saved', ({ seq }) => seq > 0);
  const { consultation } = await doctor.stateWhere((state) => state.consultation?.notes.some(({ kind }) => kind === 'opinion'));
  const [note] = consultation.notes.filter(({ kind }) => kind === 'opinion');
  assert.equal(note.text, 'Nghi viêm phổi, đề nghị chụp X-quang');
  assert.equal(note.user, 'BS. Nguyễn Khác');
});

test('what it saw decodes; started again with its key it is the same guest, without a click', async () => {
  client.do({ leave: true });
  await client.ended;
  assert.ok(existsSync(at.video));
  const frames = execFileSync('ffprobe', ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', 'stream=nb_read_frames,width', '-of', 'csv=p=0', at.video],
    { encoding: 'utf8' }).trim().split(',').map(Number);
  assert.ok(frames[0] >= 320 && frames[1] > 45, `width and frames: ${frames}`);
  client = new Client(at.link, ['--key', join(at.dir, 'guest.key')]);
  await client.until('admitted');
  await figure(client, 'source-room', ({ frames: n }) => n > 5);
});
