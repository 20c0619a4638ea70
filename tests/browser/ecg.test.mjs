// An ECG file on the console: held back when it names another patient, then drawn on both pages exactly
// where its samples are, measured, printed in true millimetres.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { askToJoin, screenshots, signIn, tryClinic, watched } from '../lib/clinic.mjs';
import { root } from '../lib/station.mjs';

const MARGIN_MM = 10, STRIP_MM = 40, TRACE_MM = 250, NAME_MM = 6;
const build = process.env.NHIPCAU_BUILD ?? join(root, 'build');
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-ecg-'));

let clinic, doctor, specialist, samples;

const make = (kind, name, ...more) => {
  const file = join(dir, name);
  execFileSync(join(build, 'tests/sim/ecg-file'), [kind, file, ...more]);
  return file;
};
const shot = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`) });

before(async () => {
  clinic = await tryClinic();
  doctor = (await openChromium({ ca: clinic.ca, viewport: { width: 1440, height: 1000 } }));
  specialist = await openChromium({ ca: clinic.ca, viewport: { width: 1440, height: 1000 } });
  for (const { context } of [doctor, specialist]) await watched(context);
  await signIn(doctor.page, clinic);
  await askToJoin(specialist.page, clinic);
  await doctor.page.getByTestId('admit').click();
  await specialist.page.getByTestId('live').waitFor();
}, { timeout: 240_000 });
after(async () => {
  await specialist?.close();
  await doctor?.close();
  await clinic?.end();
  rmSync(dir, { recursive: true, force: true });
});

// Millivolts of each lead, as the station's own program decodes the file: not by the page's code.
function decoded(file) {
  const lines = execFileSync(clinic.program, ['device', 'decode', 'scp', file], { encoding: 'utf8' }).trim().split('\n');
  const block = JSON.parse(lines[1]);
  const leads = Object.fromEntries(block.leads.map(({ name, scale, samples: all }) => [name, all.map((v) => v * scale / 1000)]));
  const [i, ii] = [leads.I, leads.II];
  leads.III = i.map((v, n) => ii[n] - v);
  leads.aVR = i.map((v, n) => -(v + ii[n]) / 2);
  leads.aVL = i.map((v, n) => v - ii[n] / 2);
  leads.aVF = i.map((v, n) => ii[n] - v / 2);
  return leads;
}

// Highest and lowest dark pixel of each column between two heights.
const inkOf = (page, box) => page.getByTestId('ecg-canvas').evaluate((canvas, { x, y, width, height }) => {
  const { data } = canvas.getContext('2d').getImageData(x, y, width, height);
  return Array.from({ length: width }, (_, column) => {
    let top = -1, bottom = -1;
    for (let row = 0; row < height; row++) {
      const at = (row * width + column) * 4;
      if (data[at] > 190) continue; // the paper's lines are red
      if (top < 0) top = row;
      bottom = row;
    }
    return [top, bottom];
  });
}, box);

// Every column of a cell lies where the samples say, within two pixels; as soon as it is drawn.
const cellMatches = (page, cell, manner) => eventually(async () => ({ highest: await cellHeight(page, cell, manner) }), 20, `${cell.lead} is drawn`)
  .then(({ highest }) => highest);

async function cellHeight(page, { lead, row, column, columns }, { speed, gain }) {
  const px = Number(await page.getByTestId('ecg-canvas').getAttribute('data-px-per-mm'));
  const width = TRACE_MM / columns, seconds = width / speed, fromS = column * seconds;
  const x0 = Math.round((MARGIN_MM + column * width) * px), x1 = Math.round((MARGIN_MM + (column + 1) * width) * px);
  const y0 = Math.round((row * STRIP_MM + NAME_MM) * px), y1 = Math.round((row + 1) * STRIP_MM * px);
  const middle = (row + 0.5) * STRIP_MM * px - y0;
  const ink = await inkOf(page, { x: x0, y: y0, width: x1 - x0, height: y1 - y0 });
  let seen = 0, highest = Infinity;
  // The mark between two leads and the name stand at the left edge.
  for (let at = 8; at < ink.length - 1; at++) {
    const from = (fromS + at / ink.length * seconds) * 500, to = (fromS + (at + 1) / ink.length * seconds) * 500;
    if (to > samples[lead].length - 1) break;
    const value = (where) => {
      const i = Math.floor(where), a = samples[lead][i], b = samples[lead][Math.min(i + 1, samples[lead].length - 1)];
      return a + (b - a) * (where - i);
    };
    const all = [value(from), value(to)];
    for (let i = Math.ceil(from); i < to; i++) all.push(samples[lead][i]);
    const top = middle - Math.max(...all) * gain * px, bottom = middle - Math.min(...all) * gain * px;
    if (top < 2 || bottom > y1 - y0 - 2) continue;
    assert.ok(Math.abs(ink[at][0] - top) <= 2 && Math.abs(ink[at][1] - bottom) <= 2,
      `${lead} column ${at}: ink ${ink[at]}, samples ${top.toFixed(1)} to ${bottom.toFixed(1)}`);
    seen++;
    highest = Math.min(highest, ink[at][0]);
  }
  assert.ok(seen > (x1 - x0) * 0.6, `${lead}: ${seen} of ${x1 - x0} columns were compared`);
  return (middle - highest) / px / gain;
}

test('a file that names another patient is held back until the doctor says whose it is', { timeout: 240_000 }, async () => {
  const file = make('scp', 'ecg.scp');
  samples = decoded(file);
  const { page } = doctor;
  await page.getByTestId('ecg-open').click();
  await page.getByTestId('ecg-files').setInputFiles(file);
  const other = page.getByTestId('ecg-other');
  await other.waitFor();
  const text = await other.innerText();
  assert.ok(text.includes('Nguyễn Văn A') && text.includes('0100123'), text);
  await shot(page, 'ecg-other-vi');
  assert.equal(await page.getByTestId('ecg-canvas').count(), 0);
  assert.equal(await specialist.page.getByTestId('ecg-open').count(), 0);
  await page.getByTestId('ecg-other-yes').click();
  await page.getByTestId('ecg-canvas').waitFor();
  await page.getByTestId('ecg-confirmed').waitFor();
});

test("the canvas shows the file's samples, in every layout and size", { timeout: 240_000 }, async () => {
  const { page } = doctor;
  await shot(page, 'ecg-3x4-vi');
  const manner = { speed: 25, gain: 10 };
  const names = [['I', 'II', 'III'], ['aVR', 'aVL', 'aVF'], ['V1', 'V2', 'V3'], ['V4', 'V5', 'V6']];
  for (const [column, leads] of names.entries())
    for (const [row, lead] of leads.entries()) await cellMatches(page, { lead, row, column, columns: 4 }, manner);
  // R of lead II: 480 steps of 2.5 µV, and what the columns around a peak leave of it.
  const peak = await cellMatches(page, { lead: 'II', row: 3, column: 0, columns: 1 }, manner);
  assert.ok(Math.abs(peak - 1.2) < 0.05, `R of II is ${peak} mV high`);

  await page.getByTestId('ecg-gain').selectOption('5');
  await page.getByTestId('ecg-speed').selectOption('50');
  await cellMatches(page, { lead: 'V3', row: 2, column: 2, columns: 4 }, { speed: 50, gain: 5 });
  await page.getByTestId('ecg-gain').selectOption('10');
  await page.getByTestId('ecg-speed').selectOption('25');
  for (const layout of ['6x2', '12x1']) {
    await page.getByTestId('ecg-layout').selectOption(layout);
    await shot(page, `ecg-${layout}-vi`);
  }
  await page.getByTestId('ecg-layout').selectOption('3x4');
});

test('two points are measured', { timeout: 240_000 }, async () => {
  const { page } = doctor;
  await page.getByTestId('ecg-measure').click();
  await page.getByTestId('ecg-canvas').evaluate((canvas) => canvas.scrollIntoView({ block: 'end' }));
  const box = await page.getByTestId('ecg-calipers').boundingBox();
  const px = 96 / 25.4;
  // From one R of the rhythm strip to the next: 60 / 72 s.
  const x = box.x + (MARGIN_MM + 0.32 * 25) * px, y = box.y + 3.5 * STRIP_MM * px;
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 60 / 72 * 25 * px, y - 10 * px, { steps: 4 });
  await page.mouse.up();
  const text = await page.getByTestId('ecg-measured').innerText();
  const [, ms, rate, mv] = text.match(/(\d+) ms · (\d+) .* · (-?[\d.]+) mV/) ?? [];
  assert.ok(Math.abs(ms - 833) <= 15 && Math.abs(rate - 72) <= 2 && Math.abs(mv - 1) <= 0.05, text);
  await page.getByTestId('ecg-measure').click();
});

test('a card against the screen makes millimetres true, and is remembered', { timeout: 240_000 }, async () => {
  const { page } = doctor;
  assert.match(await page.getByTestId('ecg-below').innerText(), /không đúng tỉ lệ/);
  await page.getByTestId('ecg-calibrate').click();
  await page.getByTestId('ecg-card-size').fill('5');
  const card = await page.getByTestId('ecg-card').boundingBox();
  assert.ok(Math.abs(card.width - 428) < 1, `${card.width}`);
  await page.getByTestId('ecg-calibrate-keep').click();
  await eventually(async () => Number(await page.getByTestId('ecg-canvas').getAttribute('data-px-per-mm')) === 5, 5, 'the sheet is 5 px/mm');
  assert.doesNotMatch(await page.getByTestId('ecg-below').innerText(), /không đúng tỉ lệ/);
  await cellMatches(page, { lead: 'aVR', row: 0, column: 1, columns: 4 }, { speed: 25, gain: 10 });
  assert.equal(await page.evaluate(() => localStorage.getItem('nhipcau.px-per-mm')), '5');
});

test('the print is A4 across, its millimetres true whatever the screen is', { timeout: 240_000 }, async () => {
  const { page } = doctor;
  await page.evaluate(() => { window.print = () => {}; });
  await page.getByTestId('ecg-print').click();
  await page.emulateMedia({ media: 'print' });
  const sheet = page.getByTestId('ecg-sheet');
  const canvas = await sheet.locator('canvas').boundingBox();
  const mm = 96 / 25.4;
  assert.ok(Math.abs(canvas.width - 260 * mm) < 1 && Math.abs(canvas.height - 160 * mm) < 1, JSON.stringify(canvas));
  const words = await sheet.innerText();
  for (const word of ['Nguyễn Văn A', '25 mm/s · 10 mm/mV', 'lọc: không', '2026']) assert.ok(words.includes(word), words);
  assert.equal(await page.getByTestId('ecg-dialog').isVisible(), false);
  await shot(page, 'ecg-print-vi');
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  const pages = [...pdf.matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)/g)].map(([, w, h]) => [Math.round(w), Math.round(h)]);
  assert.deepEqual(pages, [[842, 595]]);
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await page.emulateMedia({ media: 'screen' });
  assert.equal(await sheet.count(), 0);
});

test('the specialist sees the same over the data channel', { timeout: 240_000 }, async () => {
  const { page } = specialist;
  await page.getByTestId('ecg-open').click();
  await page.getByTestId('ecg-canvas').waitFor();
  await shot(page, 'ecg-specialist-vi');
  for (const [row, lead] of ['V1', 'V2', 'V3'].entries())
    await cellMatches(page, { lead, row, column: 2, columns: 4 }, { speed: 25, gain: 10 });
});

test('what is no ECG is refused with words; other formats come too', { timeout: 240_000 }, async () => {
  const { page } = doctor;
  await page.getByTestId('ecg-files').setInputFiles({ name: 'x.scp', mimeType: 'application/octet-stream', buffer: Buffer.from('hello there, this is no ECG at all') });
  await page.getByTestId('ecg-problem').waitFor();
  assert.match(await page.getByTestId('ecg-problem').innerText(), /Không đọc được/);
  const header = make('wfdb', 'r.hea');
  await page.getByTestId('ecg-files').setInputFiles([header, join(dir, 'r.dat')]);
  await eventually(async () => await page.locator('[data-testid^=ecg-item-]').count() === 2, 15, 'two ECGs are listed');
  await page.getByTestId('ecg-canvas').waitFor();
  await page.locator('[data-testid^=ecg-item-]').nth(1).click();
  await cellMatches(page, { lead: 'V5', row: 1, column: 3, columns: 4 }, { speed: 25, gain: 10 });
});

test('the record has the sheet too', { timeout: 240_000 }, async () => {
  const { page } = doctor;
  await page.getByTestId('ecg-dialog').getByTestId('close').first().click();
  await page.getByTestId('park').click();
  await page.getByTestId('park-go').click();
  await page.getByTestId('home').waitFor();
  await page.locator('[data-testid^=record-]').first().click();
  await page.getByTestId('record').waitFor();
  await page.getByTestId('ecg-open').click();
  await page.getByTestId('ecg-canvas').waitFor();
  await page.locator('[data-testid^=ecg-item-]').first().click();
  await cellMatches(page, { lead: 'II', row: 3, column: 0, columns: 1 }, { speed: 25, gain: 10 });
  await shot(page, 'ecg-record-vi');
});
