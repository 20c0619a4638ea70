// Pictures of an ultrasound and an X-ray on the pages: the pixels of the canvas against those that the
// device sent, levels, playing, lengths, and what is printed beside them.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { device } from '../lib/dicom.mjs';
import { place, signIn, startConsultation } from '../lib/people.mjs';
import { freePort, runStation, stop } from '../lib/station.mjs';
import { ultrasound, ultrasoundPixel, xray, xrayPixel, xrayShade, xrayTables } from '../sim/dicom.mjs';

const PATIENT = 'Lò Văn Pành', OURS = { name: 'LO^VAN^PANH', id: '0100777' };
const clip = ultrasound({ patient: OURS }), plate = xray({ patient: OURS });
let at, station, doctor, us, browser, page;

before(async () => {
  const port = await freePort();
  at = await place('dicom-pages', { config: `[dicom]\nport=${port}\ncallers=US1\n[device ultrasound]\nid=US1\n` });
  station = await runStation(at);
  doctor = await signIn(at, 'hung');
  await startConsultation(doctor, { patient: { name: PATIENT, device_ids: [OURS.id] } });
  us = device('US1', port);
  browser = await openChromium({ ca: at.ca });
  page = browser.page;
  await page.goto(`${at.origin}/`);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('pin').fill(at.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('tab-pictures').click();
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  doctor?.close();
  us?.remove();
  await stop(station);
  at?.remove();
});

const canvas = () => page.getByTestId('dicom-canvas');
const shown = (frame) => page.waitForFunction((n) => {
  const found = document.querySelector('[data-testid=dicom-canvas]');
  return found?.dataset.form === 'full' && found.dataset.frame === String(n);
}, frame);
// All pixels of the canvas at its own size: [red, green, blue, …].
const pixels = async () => canvas().evaluate((one) => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]);

async function isFrame(n) {
  await shown(n);
  const got = await pixels();
  for (let y = 0; y < clip.rows; y++)
    for (let x = 0; x < clip.columns; x++) {
      const i = 4 * (y * clip.columns + x);
      assert.deepEqual(got.slice(i, i + 3), ultrasoundPixel(n, x, y), `frame ${n}, ${x}, ${y}`);
    }
}

// PS3.3 §C.11.2.1.2.1, to what the canvas rounds.
function level(stored, center, width) {
  const value = stored * 2 + 100;
  if (value <= center - 0.5 - (width - 1) / 2) return 0;
  if (value > center - 0.5 + (width - 1) / 2) return 255;
  return ((value - (center - 0.5)) / (width - 1) + 0.5) * 255;
}

async function isLevelled(center, width) {
  const got = await pixels();
  for (let y = 0; y < plate.rows; y++)
    for (let x = 0; x < plate.columns; x++) {
      const i = 4 * (y * plate.columns + x);
      assert.ok(Math.abs(got[i] - level(xrayPixel(x, y), center, width)) <= 0.51, `${x}, ${y}: ${got[i]}`);
      assert.ok(got[i] === got[i + 1] && got[i] === got[i + 2]);
    }
}

test('what the ultrasound sends appears by itself, and every frame has its pixels', { timeout: 180_000 }, async () => {
  assert.equal((await us.storeBytes([clip.bytes, plate.bytes])).code, 0);
  await page.getByTestId('dicom-thumb').nth(1).waitFor();
  await page.screenshot({ path: join(screenshots, 'console-dicom-list-vi.png') });
  await page.getByTestId('dicom-thumb').filter({ hasText: 'US' }).click();
  await isFrame(0);
  await page.getByTestId('dicom-frame').fill('7');
  await isFrame(7);
  await page.getByTestId('dicom-viewer').locator('.dicom-viewer').press('ArrowRight');
  await isFrame(8);
  assert.match(await page.getByTestId('dicom-print').innerText(), /LO VAN PANH · 0100777\s+US · 20\/11\/2026 09:04:15/);
  assert.match(await page.getByTestId('dicom-warning').innerText(), /không dùng làm chẩn đoán/);
});

test('it plays at the rate of the object, and leaves no frame out', { timeout: 180_000 }, async () => {
  const seen = page.evaluate(() => new Promise((done) => {
    const frames = [], times = [];
    const one = document.querySelector('[data-testid=dicom-canvas]');
    new MutationObserver((_, self) => {
      frames.push(Number(one.dataset.frame));
      times.push(performance.now());
      if (frames.length < 30) return;
      self.disconnect();
      done({ frames, times });
    }).observe(one, { attributes: true, attributeFilter: ['data-frame'] });
  }));
  await page.getByTestId('dicom-play').click();
  const { frames, times } = await seen;
  await page.getByTestId('dicom-play').click();
  for (let i = 1; i < frames.length; i++) assert.equal(frames[i], (frames[i - 1] + 1) % clip.frames);
  const mean = (times.at(-1) - times[0]) / (times.length - 1);
  assert.ok(mean >= 38, `25 frames a second at most, ${mean} ms each`);
});

test('a length on the ultrasound is in its own millimetres', { timeout: 180_000 }, async () => {
  await page.getByTestId('dicom-measure').click();
  const box = await canvas().boundingBox(), scale = box.width / clip.columns;
  await page.mouse.move(box.x + 10 * scale, box.y + 20 * scale);
  await page.mouse.down();
  await page.mouse.move(box.x + 40 * scale, box.y + 60 * scale, { steps: 4 });
  await page.mouse.up();
  const text = await page.getByTestId('dicom-lengths').innerText();
  const [, value] = text.match(/^([\d.]+) mm/);
  assert.ok(Math.abs(value - 25) < 0.3, text); // 30 × 40 pixels of 0.5 mm
  assert.match(text, /thang siêu âm/);
  await page.screenshot({ path: join(screenshots, 'console-dicom-us-vi.png') });
  await page.getByTestId('dicom-viewer').getByTestId('close').click();
});

test('twelve bits are mapped by the window of the object, and by one that is drawn', { timeout: 180_000 }, async () => {
  await page.getByTestId('dicom-thumb').filter({ hasText: 'CR' }).click();
  await shown(0);
  assert.equal(await page.getByTestId('dicom-levels').innerText(), 'C 300 · W 1000');
  await isLevelled(300, 1000);
  await page.getByTestId('dicom-window').click();
  const box = await canvas().boundingBox();
  await page.mouse.move(box.x + 200, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 260, box.y + 40, { steps: 3 });
  await page.mouse.up();
  const [, center, width] = (await page.getByTestId('dicom-levels').innerText()).match(/C (-?\d+) · W (\d+)/).map(Number);
  assert.deepEqual([center, width], [100, 1200]);
  await isLevelled(center, width);
  await page.screenshot({ path: join(screenshots, 'console-dicom-xray-vi.png') });
  await page.getByTestId('dicom-closer').click();
  await isLevelled(center, width);
  await page.getByTestId('dicom-viewer').getByTestId('close').click();
});

test("an object's own tables come first, and a window takes their place", { timeout: 180_000 }, async () => {
  const tabled = xray({ patient: OURS, tables: xrayTables });
  assert.equal((await us.storeBytes(tabled.bytes)).code, 0);
  const thumbs = page.getByTestId('dicom-thumb').filter({ hasText: 'CR' });
  await thumbs.nth(1).waitFor();
  await thumbs.first().click(); // the newest study stands first
  await shown(0);
  const isShaded = async (table) => {
    const got = await pixels();
    return xrayTables[table] && Array.from({ length: plate.columns * plate.rows }, (_, i) => i).every((i) =>
      Math.abs(got[4 * i] - xrayShade(xrayPixel(i % plate.columns, Math.floor(i / plate.columns)), xrayTables[table])) <= 1);
  };
  await eventually(() => isShaded(0), 20, 'the first table');
  assert.equal(await page.getByTestId('dicom-levels').innerText(), 'S');
  await page.screenshot({ path: join(screenshots, 'console-dicom-table-vi.png') });
  await page.getByTestId('dicom-table-choice').nth(1).click();
  await eventually(() => isShaded(1), 20, 'the second table');
  await page.getByTestId('dicom-window-choice').click();
  await page.getByTestId('dicom-levels').getByText('C 300 · W 1000').waitFor();
  await isLevelled(300, 1000);
  await page.getByTestId('dicom-viewer').getByTestId('close').click();
});

test("another patient's study waits for a click", { timeout: 180_000 }, async () => {
  assert.equal((await us.storeBytes(ultrasound({ patient: { name: 'Nguyễn^Thị Khác', id: '5' } }).bytes)).code, 0);
  const held = page.getByTestId('held');
  await held.getByText('Nguyễn Thị Khác').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-dicom-held-vi.png') });
  assert.equal(await page.getByTestId('dicom-thumb').count(), 3);
  await page.getByTestId('held-claim').click();
  await page.getByTestId('dicom-thumb').nth(3).waitFor();
  await held.waitFor({ state: 'detached' });
});

test('pictures stay with the record and are shown in playback', { timeout: 180_000 }, async () => {
  const id = doctor.state.consultation.id;
  await doctor.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await doctor.ask('consultation.sign', { pin: at.pin });
  await page.getByTestId(`record-${id}`).click();
  await page.getByTestId('passphrase').fill(at.passphraseText);
  await page.getByTestId('unlock-go').click();
  await page.getByTestId('playback').getByTestId('dicom-thumb').filter({ hasText: 'US' }).first().click();
  await isFrame(0);
  await page.screenshot({ path: join(screenshots, 'console-dicom-record-vi.png') });
});
