// The stethoscope from a file through the real capture path to the specialist's ear: tones keep their
// loudness from 25 Hz on, the room's microphone is silent while somebody listens, the record keeps it.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { openExam } from '../lib/exam.mjs';

const TONES = [25, 50, 100, 1000];
const AMPLITUDE = 0.15;
const RATE = 48000;

// All tones at once, whole periods in ten seconds: it loops without a seam.
function tonesFile(file) {
  const n = RATE * 10, wav = Buffer.alloc(44 + n * 2);
  wav.write('RIFF', 0); wav.writeUInt32LE(36 + n * 2, 4); wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16); wav.writeUInt16LE(1, 20); wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(RATE, 24); wav.writeUInt32LE(RATE * 2, 28); wav.writeUInt16LE(2, 32); wav.writeUInt16LE(16, 34);
  wav.write('data', 36); wav.writeUInt32LE(n * 2, 40);
  for (let i = 0; i < n; i++) {
    let sample = 0;
    for (const hz of TONES) sample += AMPLITUDE * Math.sin(2 * Math.PI * hz * i / RATE);
    wav.writeInt16LE(Math.round(sample * 32767), 44 + i * 2);
  }
  writeFileSync(file, wav);
}

// In the page, before its scripts: what any of them plays by Web Audio also comes here.
function tapEar() {
  const ear = (globalThis.__ear = { analyser: null });
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to === this.context.destination && this.context instanceof AudioContext) {
      ear.analyser ??= Object.assign(this.context.createAnalyser(), { fftSize: 32768 });
      connect.call(this, ear.analyser);
    }
    return connect.call(this, to, ...more);
  };
}

// Loudness of each tone at the ear now, as amplitude. A window of Hann keeps them apart.
const heardTones = (page) => page.evaluate(([tones]) => {
  const { analyser } = globalThis.__ear;
  if (!analyser) return null;
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  const rate = analyser.context.sampleRate;
  return tones.map((hz) => {
    let re = 0, im = 0, sum = 0;
    samples.forEach((sample, i) => {
      const window = 0.5 - 0.5 * Math.cos(2 * Math.PI * i / samples.length);
      re += window * sample * Math.cos(2 * Math.PI * hz * i / rate);
      im += window * sample * Math.sin(2 * Math.PI * hz * i / rate);
      sum += window;
    });
    return 2 * Math.hypot(re, im) / sum;
  });
}, [TONES]);

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const decibel = (ratio) => 20 * Math.log10(ratio);

// The median of several looks, in dB beside what was played. A look counts only when the whole window that
// it hears was played without a stop: how often it stopped is told by `stops`.
async function loudness(page, times = 15, stops = async () => 0) {
  const looks = [];
  await eventually(async () => (await heardTones(page))?.some((a) => a > AMPLITUDE / 10), 30, 'tones at the ear');
  await eventually(async () => {
    const stopped = await stops();
    const begun = await page.evaluate(() => globalThis.__ear.analyser.context.currentTime);
    await page.waitForFunction((from) => {
      const { context, fftSize } = globalThis.__ear.analyser;
      return context.currentTime >= from + fftSize / context.sampleRate;
    }, begun);
    const look = await heardTones(page);
    if (await stops() === stopped) looks.push(look);
    return looks.length >= times;
  }, 90, `${times} windows without a stop`);
  return TONES.map((_, k) => decibel(median(looks.map((look) => look[k])) / AMPLITUDE));
}

// Packets so far of each of the page's sounds, by stream.
const packets = (page) => page.evaluate(async () => {
  const seen = {};
  for (const connection of globalThis.__media.connections) {
    if (connection.connectionState !== 'connected') continue;
    const streams = new Map();
    for (const section of connection.remoteDescription.sdp.split('\nm=').slice(1))
      streams.set(/a=mid:(\S+)/.exec(section)?.[1], [...section.matchAll(/a=msid:(\S+)/g)].at(-1)?.[1]);
    for (const stat of (await connection.getStats()).values())
      if (stat.type === 'inbound-rtp' && stat.kind === 'audio') seen[streams.get(stat.mid)] = stat.packetsReceived;
  }
  return seen;
});
async function comes(page, stream) {
  const before = (await packets(page))[stream] ?? 0;
  await eventually(async () => (await packets(page))[stream] > before + 20, 20, `${stream} comes`);
}
// Nothing of it for as long as the stethoscope brings a second of sound.
async function rests(page, stream, beside) {
  await eventually(async () => {
    const before = await packets(page);
    await eventually(async () => (await packets(page))[beside] > before[beside] + 50, 20, `${beside} comes`);
    return ((await packets(page))[stream] ?? 0) === (before[stream] ?? 0);
  }, 30, `${stream} rests`);
}

let exam, doctor, specialist, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhipcau-tones-'));
  const file = join(folder, 'tones.wav');
  tonesFile(file);
  exam = await openExam('stethoscope', `[camera room]
address=test:
[microphone microphone]
address=test:
[stethoscope stethoscope]
address=file:${file}
`, { scripts: [tapEar] });
  doctor = await exam.doctor();
  specialist = await exam.specialist(doctor);
}, { timeout: 240_000 });
after(async () => {
  await exam?.end();
  rmSync(folder, { recursive: true, force: true });
});

test('a specialist who does not listen gets no stethoscope', { timeout: 180_000 }, async () => {
  // The console has turned its own microphone on: it is the room's.
  await eventually(async () => Object.keys(await packets(specialist)).some((name) => name.startsWith('peer-console')), 30, 'the room');
  assert.equal((await packets(specialist))['source-stethoscope'] ?? 0, 0);
  await comes(doctor, 'source-stethoscope');
});

test('tones from 25 Hz on keep their loudness to the ear', { timeout: 120_000 }, async (t) => {
  await specialist.bringToFront();
  await specialist.getByTestId('listen').click();
  await specialist.getByTestId('headphones').waitFor();
  const found = await loudness(specialist);
  t.diagnostic(`${TONES.map((hz, i) => `${hz} Hz ${found[i].toFixed(2)} dB`).join(', ')}`);
  await specialist.screenshot({ path: join(screenshots, 'join-stethoscope-vi.png') });
  for (const [i, hz] of TONES.entries()) assert.ok(Math.abs(found[i]) <= 3, `${hz} Hz: ${found[i].toFixed(2)} dB`);
});

test('a view is the ear\'s alone', { timeout: 120_000 }, async (t) => {
  await specialist.getByTestId('listen-view').selectOption('diaphragm');
  await eventually(async () => decibel((await heardTones(specialist))[0] / AMPLITUDE) < -15, 20, '25 Hz are taken out');
  const found = await loudness(specialist);
  t.diagnostic(`diaphragm: ${TONES.map((hz, i) => `${hz} Hz ${found[i].toFixed(1)} dB`).join(', ')}`);
  await specialist.getByTestId('listen-view').selectOption('none');
});

test('the phonocardiogram shows what is heard', { timeout: 180_000 }, async () => {
  for (const page of [specialist, doctor]) {
    await page.bringToFront();
    await eventually(() => page.getByTestId('phonogram').evaluate((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(canvas.width / 2, 0, 1, canvas.height);
      let inked = 0;
      for (let y = 0; y < canvas.height; y++) if (data[y * 4 + 3] > 0 && data[y * 4 + 1] < 140) inked++;
      return inked > canvas.height / 3;
    }), 30, 'a wave');
  }
  await doctor.screenshot({ path: join(screenshots, 'console-stethoscope-vi.png') });
});

test('the room is silent for everybody meanwhile, and everybody is told', { timeout: 120_000 }, async () => {
  const room = Object.keys(await packets(specialist)).find((name) => name.startsWith('peer-console'));
  await rests(specialist, room, 'source-stethoscope');
  await rests(specialist, 'source-microphone', 'source-stethoscope');
  for (const page of [specialist, doctor])
    assert.match(await page.getByTestId('listening-notice').innerText(), /Trần Văn Minh/);
  await specialist.bringToFront();
  await specialist.getByTestId('listen').click();
  await comes(specialist, room);
  await doctor.getByTestId('listening-notice').waitFor({ state: 'detached' });
});

test('it ends by itself when the one who listens is gone', { timeout: 120_000 }, async () => {
  await specialist.getByTestId('listen').click();
  await doctor.getByTestId('listening-notice').waitFor();
  await specialist.close();
  await doctor.getByTestId('listening-notice').waitFor({ state: 'detached', timeout: 60_000 });
});

// What an <audio> of the page plays, to the same ear; and how often it stopped or jumped (NaN: it stands).
const tapElement = (page, id) => page.getByTestId(id).evaluate((element) => {
  const context = new AudioContext({ sampleRate: 48000 });
  const analyser = Object.assign(context.createAnalyser(), { fftSize: 32768 });
  context.createMediaElementSource(element).connect(analyser);
  globalThis.__ear.analyser = analyser;
  globalThis.__stops = 0;
  for (const event of ['pause', 'seeking', 'waiting', 'stalled', 'ratechange'])
    element.addEventListener(event, () => globalThis.__stops++);
});
// At the end of the record it begins again.
async function stopsOf(page, id) {
  const paused = await page.getByTestId(id).evaluate((element) => element.paused);
  if (paused && await page.getByTestId('play').getAttribute('aria-label') === 'Phát') {
    await page.getByTestId('seek').fill('3');
    await page.getByTestId('play').click();
  }
  return paused ? NaN : page.evaluate(() => globalThis.__stops);
}

test('the record plays it back as it was', { timeout: 180_000 }, async (t) => {
  const page = doctor;
  await exam.openRecord(page, 'Tim đều');
  await page.getByTestId('playback').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-playback-stethoscope-vi.png') });
  await page.getByTestId('playback-listen').click();
  await tapElement(page, 'recorded-stethoscope');
  await page.getByTestId('seek').fill('3');
  await page.getByTestId('play').click();
  await page.locator('[data-testid=recorded-stethoscope][data-state=ready]').waitFor({ state: 'attached', timeout: 30_000 });
  const found = await loudness(page, 9, () => stopsOf(page, 'recorded-stethoscope'));
  t.diagnostic(`record: ${TONES.map((hz, i) => `${hz} Hz ${found[i].toFixed(2)} dB`).join(', ')}`);
  for (const [i, hz] of TONES.entries()) assert.ok(Math.abs(found[i]) <= 3, `${hz} Hz: ${found[i].toFixed(2)} dB`);
});
