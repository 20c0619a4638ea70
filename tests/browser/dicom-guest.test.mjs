// A specialist at the other end sees what the ultrasound sends: a quick view first, the pixels of the
// device on demand, over the data channel for files; and only while the consultation is theirs.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { device } from '../lib/dicom.mjs';
import { place, signIn, startConsultation } from '../lib/people.mjs';
import { freePort, runStation, stop } from '../lib/station.mjs';
import { ultrasound, ultrasoundPixel } from '../sim/dicom.mjs';

const OURS = { name: 'LO^VAN^PANH', id: '0100777' };
const clip = ultrasound({ patient: OURS }), later = ultrasound({ patient: OURS, number: 2 });
let at, station, doctor, us, browser, page;

before(async () => {
  const port = await freePort();
  at = await place('dicom-guest', { config: `[camera room]\naddress=test:\nwidth=320\nheight=180\n[dicom]\nport=${port}\ncallers=US1\n[device ultrasound]\nid=US1\n` });
  station = await runStation(at);
  doctor = await signIn(at, 'lan');
  await startConsultation(doctor, { patient: { name: 'Lò Văn Pành', device_ids: [OURS.id] } });
  us = device('US1', port);
  assert.equal((await us.storeBytes(clip.bytes)).code, 0);
  const { link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  browser = await openChromium({ ca: at.ca });
  page = browser.page;
  await page.goto(link);
  await page.getByTestId('name').fill('BS. Trần Văn Minh');
  await page.getByTestId('join').click();
  const state = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 30);
  await doctor.ask('guest.admit', { guest: state.consultation.guests[0].guest });
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  doctor?.close();
  us?.remove();
  await stop(station);
  at?.remove();
});

const shown = (form, frame) => page.waitForFunction(([wanted, n]) => {
  const found = document.querySelector('[data-testid=dicom-canvas]');
  return found?.dataset.form === wanted && found.dataset.frame === String(n);
}, [form, frame]);
const pixels = () => page.getByTestId('dicom-canvas').evaluate(
  (one) => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]);
// The greatest difference of a channel to what the device sent.
async function difference(frame) {
  const got = await pixels();
  let most = 0;
  for (let y = 0; y < clip.rows; y++)
    for (let x = 0; x < clip.columns; x++)
      ultrasoundPixel(frame, x, y).forEach((value, channel) => {
        most = Math.max(most, Math.abs(got[4 * (y * clip.columns + x) + channel] - value));
      });
  return most;
}

test('what was there and what comes is listed; a quick view comes first', { timeout: 180_000 }, async () => {
  await page.getByTestId('dicom-thumb').first().waitFor();
  assert.equal((await us.storeBytes(later.bytes)).code, 0);
  await page.getByTestId('dicom-thumb').nth(1).waitFor();
  await page.getByTestId('dicom-thumb').first().locator('img').waitFor();
  await page.getByTestId('dicom-thumb').first().click();
  await shown('small', 0);
  assert.equal(await page.getByTestId('dicom-quality').getAttribute('data-quality'), 'small');
  assert.ok(await difference(0) > 0, 'a JPEG is not the original');
  await page.screenshot({ path: join(screenshots, 'join-dicom-small-vi.png') });
});

test('the original is had on demand, pixel for pixel', { timeout: 180_000 }, async () => {
  await page.getByTestId('dicom-lossless').click();
  await shown('full', 0);
  assert.equal(await difference(0), 0);
  await page.getByTestId('dicom-frame').fill('7');
  await shown('full', 7);
  assert.equal(await difference(7), 0);
  assert.equal(await page.getByTestId('dicom-quality').getAttribute('data-quality'), 'full');
  await page.screenshot({ path: join(screenshots, 'join-dicom-vi.png') });
});

test('it plays, no frame left out', { timeout: 180_000 }, async () => {
  const seen = page.evaluate(() => new Promise((done) => {
    const frames = [];
    const one = document.querySelector('[data-testid=dicom-canvas]');
    new MutationObserver((_, self) => {
      if (one.dataset.frame !== '' && frames.at(-1) !== Number(one.dataset.frame)) frames.push(Number(one.dataset.frame));
      if (frames.length < 20) return;
      self.disconnect();
      done(frames);
    }).observe(one, { attributes: true, attributeFilter: ['data-frame'] });
  }));
  await page.getByTestId('dicom-play').click();
  const frames = await seen;
  for (let i = 1; i < frames.length; i++) assert.equal(frames[i], (frames[i - 1] + 1) % clip.frames);
});
