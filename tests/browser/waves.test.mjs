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
import { alignment, ramp, readTraces } from '../lib/wave-align.mjs';

const DEVICE = '0004A3FFFE5D0001';
const CONFIG = `[camera room]\naddress=test:moving\nwidth=640\nheight=360\n\n[microphone microphone]\naddress=test:\n\n[device monitor]\nid=${DEVICE}\n`;
const RATE = 500;
let at, station, doctor, specialist, page, monitor, consultation;

// V6 is a ramp of one millivolt a second: which moment a column shows can be read from its height.
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

const row = (label) => page.evaluate((name) => globalThis.rowOf(name), label);
// Of the row's columns those that have ink, 0 … 1.
const inked = ({ columns }) => columns.filter(({ top }) => top !== null).length / columns.length;
// Fails with how full it is, which tells a row that stands still from one that has a gap in it.
const full = async (label, seconds = 60) => {
  let share = 0;
  await eventually(async () => (share = inked(await row(label))) > 0.9, seconds, `the row of ${label} is full`)
    .catch((error) => { throw new Error(`${error.message}: ${(share * 100).toFixed(0)} % of it`); });
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
  await full('II');
  await page.getByTestId('wave-freeze').click();
  const seen = await row('II');
  const { found, height } = peaks(seen);
  await page.screenshot({ path: join(screenshots, `waves-join-${speed}-${gain}.png`) });
  await page.getByTestId('wave-freeze').click();
  assert.equal(seen.speed, speed);
  const between = found.slice(1).map(({ x }, i) => x - found[i].x);
  return { between: median(between) / seen.pxPerMm / speed, height: height / seen.pxPerMm / gain, n: found.length };
}

test('an ECG stands on its paper: millimetres a second, millimetres a millivolt', { timeout: 180_000 }, async () => {
  for (const [speed, gain] of [[25, 10], [50, 20], [25, 5]]) {
    const { between, height, n } = await measured(speed, gain);
    assert.ok(n >= 4, `${n} peaks at ${speed} mm/s`);
    assert.ok(Math.abs(between - 0.8) < 0.02, `${between} s between beats at ${speed} mm/s`);
    assert.ok(Math.abs(height - sentHeight()) < 0.06, `${height} mV at ${gain} mm/mV, ${sentHeight()} was sent`);
  }
});

test('other leads can be chosen; those that follow from two are computed', { timeout: 180_000 }, async () => {
  await page.getByTestId('wave-leads').click();
  for (const lead of ['I', 'III', 'aVF', 'V6']) await page.getByTestId(`wave-lead-${lead}`).check();
  await page.getByTestId('wave-leads').click();
  await full('aVF');
  await page.screenshot({ path: join(screenshots, 'waves-join-leads.png') });
});

// What a machine that does other things besides takes samples and pictures out of step with is told on the page; the two are in
// step again when it has the time.
test('waves are in step with the picture on screen', { timeout: 240_000 }, async (t) => {
  await page.getByTestId('wave-gain').selectOption('20');
  await full('V6');
  let seen;
  await eventually(async () => {
    seen = await alignment(page, monitor.began, 40);
    t.diagnostic(`waves against the picture: median ${seen.median.toFixed(0)} ms, 90 % within ${seen.ninety.toFixed(0)} ms`);
    return Math.abs(seen.median) < 50;
  }, 40, 'the two are within 50 ms').catch((error) => { throw new Error(`${error.message}: ${seen?.median} ms apart`); });
});

test('a page that comes back gets what it missed', { timeout: 180_000 }, async () => {
  // Rows of so many seconds that no machine is too slow to have them before they could have been drawn live.
  const speed = 12.5;
  await page.getByTestId('wave-speed').selectOption(String(speed));
  await full('II');
  const left = Date.now();
  await page.reload();
  await page.getByTestId('waves').waitFor({ timeout: 60_000 });
  await page.getByTestId('wave-speed').selectOption(String(speed));
  let drawn = 0, since = 0;
  await eventually(async () => {
    since = (Date.now() - left) / 1000;
    const seen = await row('II');
    drawn = inked(seen) * seen.columns.length / seen.pxPerMm / speed;
    return drawn > since + 3;
  }, 60, 'more is drawn than has come since').catch((error) => { throw new Error(`${error.message}: ${drawn.toFixed(1)} s after ${since.toFixed(1)} s`); });
});

test('a gap is hatched and nothing is drawn over it', { timeout: 180_000 }, async () => {
  await page.getByTestId('wave-gain').selectOption('10');
  await page.getByTestId('wave-speed').selectOption('25');
  await full('II');
  monitor.skip(2000);
  const seen = await eventually(async () => {
    const { columns, pxPerMm } = await row('II');
    const gap = columns.filter(({ hatched, top }) => hatched && top === null).length;
    // The trace goes on behind the hatching, at the row's left again where that ends at its right.
    const after = columns.findIndex(({ hatched }, x) => {
      const next = columns[(x + 1) % columns.length];
      return hatched && next.top !== null && !next.hatched;
    });
    return after >= 0 && gap / pxPerMm / 25 > 1.7 && { gap: gap / pxPerMm / 25 };
  }, 60, 'a gap of two seconds');
  await page.screenshot({ path: join(screenshots, 'waves-join-gap.png') });
  assert.ok(seen.gap < 2.5, `${seen.gap} s are hatched`);
});

test('the page says what it is not', { timeout: 20_000 }, async () => {
  const text = await page.getByTestId('waves').innerText();
  assert.match(text, /Không thay cho báo động/);
  assert.match(text, /không đúng tỉ lệ/);
});

test('the record has every sample that was sent, gap and all', { timeout: 180_000 }, async () => {
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
  const windows = sent.reduce((sum, { from, to }) => sum + to - from, 0);
  assert.equal(samples, windows * perWindow * rows[0].body.leads.length);
});

test('the record verifies, and plays its waves back', { timeout: 180_000 }, async () => {
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
  const sent = (monitor.windows().at(-1).to * monitor.windowMs) / 1000;
  await eventually(async () => Number(await page.getByTestId('seek').getAttribute('max')) >= sent, 60, 'the waves have a length');
  // What was sent last is the end; before the gap there is more than a row.
  const end = Number(await page.getByTestId('seek').getAttribute('max'));
  const [before, behind] = monitor.windows();
  const gapAt = end - ((behind.to - before.to) * monitor.windowMs) / 1000;
  await page.getByTestId('seek').fill(String(Math.floor((gapAt - 0.5) * 10) / 10));
  await full('II');
  // Rows find their place within a second of their first samples.
  const inPlace = async () => {
    const seen = await row('II');
    return seen.columns.every(({ top }) => top === null || top > 0) && seen;
  };
  const seen = await eventually(inPlace, 60, 'the trace is within its row');
  await page.screenshot({ path: join(screenshots, 'waves-playback.png') });
  const { found, height } = peaks(seen);
  const between = median(found.slice(1).map(({ x }, i) => x - found[i].x)) / seen.pxPerMm / seen.speed;
  assert.ok(Math.abs(between - 0.8) < 0.02, `${between} s between beats`);
  assert.ok(Math.abs(height / seen.pxPerMm / 10 - sentHeight()) < 0.06, `${height / seen.pxPerMm / 10} mV`);
});
