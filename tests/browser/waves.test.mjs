// Waves end to end: a monitor sends an ECG, a specialist's page draws it. What is on the canvas is
// measured in its pixels against what was sent.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { picturesMove, screenshots, watched } from '../lib/clinic.mjs';
import { ecg, pleth, WaveMonitor } from '../lib/ecg.mjs';
import { median } from '../lib/figures.mjs';
import { place, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';
import { readWaves } from '../lib/pages.mjs';

const DEVICE = '0004A3FFFE5D0001';
const CONFIG = `[camera room]\naddress=test:moving\nwidth=640\nheight=360\n\n[microphone microphone]\naddress=test:\n\n[device monitor]\nid=${DEVICE}\n`;
const RATE = 500;
let at, station, doctor, specialist, page, monitor, consultation;

// V6 is a ramp of one millivolt a second: which moment a column shows can be read from its height.
const ramp = (t) => t % 1;
const value = (name, t) => (name === 'pleth' ? pleth(t) : name === 'V6' ? ramp(t) : ecg(t, name));

before(async () => {
  at = await place('waves', { config: CONFIG });
  station = await runStation(at);
  doctor = await signIn(at, 'lan');
  await startConsultation(doctor, { patient: { name: 'Lò Văn Pành' } });
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  specialist = await openChromium({ ca: at.ca });
  await watched(specialist.context);
  await specialist.context.addInitScript(readTraces);
  page = specialist.page;
  await page.goto(link);
  await page.getByTestId('name').fill('BS. Trần Văn Minh');
  await page.getByTestId('join').click();
  let state = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 30);
  consultation = state.consultation.id;
  await doctor.ask('guest.admit', { guest: state.consultation.guests[0].guest });
  await picturesMove(page, ['video-source-room'], 40);
  monitor = new WaveMonitor(at.ports.mllp, {
    device: DEVICE, windowMs: 40, value,
    signals: [...['I', 'II', 'V1', 'V6'].map((name) => ({ name, rate: RATE, step: 0.0025 })),
      { name: 'pleth', rate: 75, step: 0.01, unit: '262656^MDC_DIM_DIMLESS^MDC' }],
  });
  await monitor.start();
  await page.getByTestId('wave-screen').waitFor({ timeout: 90_000 });
}, { timeout: 240_000 });

after(async () => {
  monitor?.stop();
  await specialist?.close();
  doctor?.close();
  await stop(station);
  at?.remove();
});

// In the page: what stands in the columns of a row. `ink` has colour, `hatch` has none.
function readTraces() {
  globalThis.rowOf = (label) => {
    const name = document.querySelector(`[data-testid="wave-row-${label}"]`);
    const screen = document.querySelector('[data-testid=wave-screen]');
    const canvas = document.querySelector('[data-testid=wave-ink]');
    const [top, height] = [Number(name.dataset.top), Number(name.dataset.height)];
    const { data, width } = canvas.getContext('2d').getImageData(0, top, canvas.width, height);
    const columns = Array.from({ length: width }, (_, x) => {
      const column = { top: null, bottom: null, hatched: false };
      for (let y = 0; y < height; y++) {
        const [r, g, b, a] = data.slice((y * width + x) * 4, (y * width + x) * 4 + 4);
        if (a < 100) continue;
        if (Math.max(r, g, b) - Math.min(r, g, b) < 40) column.hatched = true;
        else {
          column.top ??= y;
          column.bottom = y;
        }
      }
      return column;
    });
    return { columns, pxPerMm: Number(screen.dataset.pxPerMm), speed: Number(name.dataset.speed) };
  };
}

const row = (label) => page.evaluate((name) => globalThis.rowOf(name), label);
const full = async (label) => {
  const { columns } = await row(label);
  return columns.filter(({ top }) => top !== null).length > columns.length * 0.9;
};

// Columns at which the R peaks of lead II stand, how high above the base line, px.
function peaks({ columns }) {
  const middles = columns.filter(({ top }) => top !== null).map(({ top, bottom }) => (top + bottom) / 2);
  const base = median(middles);
  const highest = Math.min(...columns.filter(({ top }) => top !== null).map(({ top }) => top));
  const near = highest + (base - highest) * 0.3;
  const found = [];
  columns.forEach(({ top }, x) => {
    if (top === null || top > near) return;
    const last = found.at(-1);
    if (last && x - last.x < 20) {
      if (top < last.top) Object.assign(last, { x, top });
    } else found.push({ x, top });
  });
  return { found, height: base - highest };
}

function sentHeight() {
  const values = Array.from({ length: RATE * 4 }, (_, i) => ecg(i / RATE, 'II'));
  return Math.max(...values) - median(values);
}

async function measured(speed, gain) {
  await page.getByTestId('wave-speed').selectOption(String(speed));
  await page.getByTestId('wave-gain').selectOption(String(gain));
  await eventually(() => full('II'), 30, 'the row is full');
  await page.getByTestId('wave-freeze').click();
  const seen = await row('II');
  const { found, height } = peaks(seen);
  await page.screenshot({ path: join(screenshots, `waves-join-${speed}-${gain}.png`) });
  await page.getByTestId('wave-freeze').click();
  assert.equal(seen.speed, speed);
  const between = found.slice(1).map(({ x }, i) => x - found[i].x);
  return { between: median(between) / seen.pxPerMm / speed, height: height / seen.pxPerMm / gain, n: found.length };
}

test('an ECG stands on its paper: millimetres a second, millimetres a millivolt', { timeout: 90_000 }, async () => {
  for (const [speed, gain] of [[25, 10], [50, 20], [25, 5]]) {
    const { between, height, n } = await measured(speed, gain);
    assert.ok(n >= 4, `${n} peaks at ${speed} mm/s`);
    assert.ok(Math.abs(between - 0.8) < 0.02, `${between} s between beats at ${speed} mm/s`);
    assert.ok(Math.abs(height - sentHeight()) < 0.06, `${height} mV at ${gain} mm/mV, ${sentHeight()} was sent`);
  }
});

test('other leads can be chosen; those that follow from two are computed', { timeout: 60_000 }, async () => {
  await page.getByTestId('wave-leads').click();
  for (const lead of ['I', 'III', 'aVF', 'V6']) await page.getByTestId(`wave-lead-${lead}`).check();
  await page.getByTestId('wave-leads').click();
  await eventually(() => full('aVF'), 30, 'aVF is drawn');
  await page.screenshot({ path: join(screenshots, 'waves-join-leads.png') });
});

// In the page: how much later than the picture that is shown the column at the beam is, ms.
function measureAlignment() {
  const video = document.querySelector('video[data-testid=video-source-room]');
  const strip = Object.assign(document.createElement('canvas'), { width: 320, height: 5 }).getContext('2d', { willReadFrequently: true });
  // test_scene.h: 24 bits and 8 of check along the lowest 1/36 of the picture; here ms of the capture.
  const shown = () => {
    const [w, h] = [video.videoWidth, video.videoHeight];
    strip.drawImage(video, 0, (h * 35) / 36, w, h / 36, 0, 0, 320, 5);
    const { data } = strip.getImageData(0, 3, 320, 1);
    let code = 0;
    for (let bit = 0; bit < 32; bit++) code = code * 2 + (data[(bit * 10 + 5) * 4] > 125 ? 1 : 0);
    const number = Math.floor(code / 256);
    return (Math.imul(number, 0x9e3779b1) >>> 24) === code % 256 ? number : null;
  };
  const beam = () => {
    const { columns, pxPerMm } = globalThis.rowOf('V6');
    const there = columns.map((c) => c.top !== null);
    // The beam: ink, and then the bar that erases.
    const at = there.findIndex((ink, x) => ink && !there[x + 1] && !there[x + 3] && !there[(x + 8) % there.length]);
    if (at < 2) return null;
    const { top, bottom } = columns[at];
    const lows = columns.filter((c) => c.bottom !== null).map((c) => c.bottom), highs = columns.filter((c) => c.top !== null).map((c) => c.top);
    const [low, high] = [Math.max(...lows), Math.min(...highs)];
    return { part: (low - (top + bottom) / 2) / (low - high), pxPerMm };
  };
  return new Promise((done) => {
    const list = [];
    const look = () => {
      const [number, wave] = [shown(), beam()];
      // A frame is what is shown till the next one: its middle age is half an interval.
      if (number !== null && wave !== null) list.push({ number, part: wave.part, wall: performance.timeOrigin + performance.now() });
      if (list.length >= 60) done(list);
      else setTimeout(() => requestAnimationFrame(look), 130);
    };
    look();
  });
}

test('waves are in step with the picture on screen', { timeout: 60_000 }, async (t) => {
  await page.getByTestId('wave-gain').selectOption('20');
  await eventually(() => full('V6'), 30, 'the ramp is drawn');
  const seen = await page.evaluate(measureAlignment);
  const late = seen.map(({ number, part, wall }) => {
    const age = (((Math.round(wall) % 2 ** 24) - number) + 2 ** 24) % 2 ** 24;
    const pictureMs = wall - age;
    // When the ramp has this height: the nearest such moment to that of the picture.
    const second = ((pictureMs - monitor.began) / 1000) % 1;
    let off = part - second;
    off -= Math.round(off);
    return off * 1000;
  });
  const sorted = late.map(Math.abs).sort((a, b) => a - b);
  const middle = median(late);
  t.diagnostic(`waves against the picture: median ${middle.toFixed(0)} ms, 90 % within ${sorted[Math.floor(sorted.length * 0.9)].toFixed(0)} ms`);
  assert.ok(Math.abs(middle) < 50, `${middle} ms apart`);
});

test('a gap is hatched and nothing is drawn over it', { timeout: 60_000 }, async () => {
  await page.getByTestId('wave-gain').selectOption('10');
  await page.getByTestId('wave-speed').selectOption('25');
  await eventually(() => full('II'), 30, 'the row is full');
  monitor.skip(2000);
  const seen = await eventually(async () => {
    const { columns, pxPerMm } = await row('II');
    const gap = columns.filter(({ hatched, top }) => hatched && top === null).length;
    const after = columns.findIndex(({ hatched }, x) => hatched && columns[x + 1]?.top !== null && !columns[x + 1]?.hatched);
    return after >= 0 && gap / pxPerMm / 25 > 1.7 && { gap: gap / pxPerMm / 25 };
  }, 30, 'a gap of two seconds');
  await page.screenshot({ path: join(screenshots, 'waves-join-gap.png') });
  assert.ok(seen.gap < 2.5, `${seen.gap} s are hatched`);
});

test('a page that comes back gets what it missed', { timeout: 60_000 }, async () => {
  // A row's worth since the gap: what was before it is another epoch's.
  await eventually(() => full('II'), 30, 'the row is full before');
  await page.reload();
  await page.getByTestId('waves').waitFor({ timeout: 30_000 });
  const width = () => page.evaluate(() => document.querySelector('[data-testid=wave-ink]').width / Number(document.querySelector('[data-testid=wave-screen]').dataset.pxPerMm));
  const seconds = (await width()) / 25;
  // Drawn live it would take that long to fill the row.
  const began = Date.now();
  await eventually(() => full('II'), 30, 'the row is full');
  assert.ok(Date.now() - began < (seconds * 1000) / 2, `${Date.now() - began} ms for ${seconds.toFixed(1)} s of waves`);
});

test('the page says what it is not', { timeout: 20_000 }, async () => {
  const text = await page.getByTestId('waves').innerText();
  assert.match(text, /Không thay cho báo động/);
  assert.match(text, /không đúng tỉ lệ/);
});

test('the record has every sample that was sent, gap and all', { timeout: 90_000 }, async () => {
  monitor.stop();
  // What the monitor sent last is written a moment after it fell silent.
  const sent = monitor.windows();
  await doctor.ask('consultation.conclude', { conclusion: 'Ổn' });
  await doctor.ask('consultation.sign', { pin: at.pin, passphrase: at.passphraseText });
  const out = join(at.dir, 'recovered');
  const { key, cert } = at.recovery[0];
  execFileSync(nhipcau, ['record', 'recover', '--state', at.state, '--key', key, '--certificate', cert, '--out', out, consultation]);
  const rows = JSON.parse(readFileSync(join(out, consultation, 'record.json'), 'utf8')).rows
    .filter(({ kind, body }) => kind === 'wave' && body.leads.some(({ name }) => /II$/.test(name)));
  const epochs = [...new Set(rows.map(({ body }) => body.epoch))];
  assert.equal(epochs.length, 2, 'one epoch before the gap, one after it');
  const perWindow = (RATE * monitor.windowMs) / 1000;
  let samples = 0;
  for (const [n, epoch] of epochs.entries()) {
    const start = sent[n].from * perWindow;
    let next = null;
    for (const { body } of rows.filter((row) => row.body.epoch === epoch)) {
      for (const packet of readWaves(Buffer.from(body.data, 'base64'))) {
        next ??= packet.first;
        assert.equal(packet.first, next, 'nothing is left out');
        next += packet.count;
        for (const [lead, list] of packet.samples.entries()) {
          const name = body.leads[lead].name.replace(/.*_/, '');
          const signal = monitor.signals.find((one) => one.name === name);
          list.forEach((value, i) => assert.equal(value, monitor.sample(signal, start + packet.first + i)));
          samples += list.length;
        }
      }
    }
    assert.equal(next, (sent[n].to - sent[n].from) * perWindow);
  }
  assert.ok(samples > 50_000, `${samples} samples`);
});

test('the record verifies, and plays its waves back', { timeout: 90_000 }, async () => {
  const verdict = JSON.parse(execFileSync(nhipcau, ['record', 'verify', '--state', at.state, '--unlock', at.passphrase, '--json'], { encoding: 'utf8' }));
  assert.equal(verdict.good, true, JSON.stringify(verdict.findings));
  await page.goto(`${at.origin}/`);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('pin').fill(at.pin);
  await page.getByTestId('pin-enter').click();
  await page.locator('[data-testid^=record-]').first().click();
  await page.getByTestId('passphrase').fill(at.passphraseText);
  await page.getByTestId('unlock-go').click();
  await page.getByTestId('seek').waitFor();
  await eventually(async () => Number(await page.getByTestId('seek').getAttribute('max')) > 30, 20, 'the waves have a length');
  // The end, since the gap lies before it.
  await page.getByTestId('seek').fill(String(Math.floor(Number(await page.getByTestId('seek').getAttribute('max')) - 1)));
  await eventually(() => full('II'), 30, 'the row is full');
  // Rows find their place within a second of their first samples.
  const inPlace = async () => {
    const seen = await row('II');
    return seen.columns.every(({ top }) => top === null || top > 0) && seen;
  };
  const seen = await eventually(inPlace, 10, 'the trace is within its row');
  await page.screenshot({ path: join(screenshots, 'waves-playback.png') });
  const { found, height } = peaks(seen);
  const between = median(found.slice(1).map(({ x }, i) => x - found[i].x)) / seen.pxPerMm / seen.speed;
  assert.ok(Math.abs(between - 0.8) < 0.02, `${between} s between beats`);
  assert.ok(Math.abs(height / seen.pxPerMm / 10 - sentHeight()) < 0.06, `${height / seen.pxPerMm / 10} mV`);
});
