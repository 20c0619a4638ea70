// Papers at the console: a prescription is entered at the end of a consultation, minutes are printed and kept as a
// draft there and signed from the archive. The bytes that the browser gets are read by poppler.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { textOf } from '../lib/papers.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

let place, station, browser, page, id;
before(async () => {
  place = await makePlace('papers-page');
  station = await runStation(place, { unlock: false });
  const doctor = await signIn(place, 'lan');
  id = await startConsultation(doctor, { mode: 4, reason: 'Sốt cao', patient: { name: 'Vàng Thị Mỷ', birth_year: 1990, sex: 'female' } });
  await doctor.ask('note.save', { note: randomUUID(), kind: 'opinion', text: 'Theo dõi tại trạm, uống đủ nước.' });
  await doctor.ask('consultation.conclude', { conclusion: 'Sốt vi rút; theo dõi tại trạm.' });
  doctor.close();
  browser = await openChromium({ ca: place.ca });
  page = browser.page;
});
after(async () => {
  await browser?.close();
  await stop(station);
  place.remove();
});

// What a click makes the browser keep, as a file.
async function kept(button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId(button).click()]);
  const path = join(place.dir, `${button}-${download.suggestedFilename()}`);
  await download.saveAs(path);
  return path;
}
const flat = (path) => textOf(path).replace(/\s+/g, ' ');

test('a prescription is entered where the consultation is concluded', async () => {
  await page.goto(place.origin);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('pin').fill(place.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('prescription-add').click();
  const card = page.getByTestId('prescription');
  await card.locator('.wrong').waitFor(); // a line without a drug is none
  await page.getByTestId('prescription-drug').fill('Paracetamol');
  await page.getByTestId('prescription-strength').fill('500 mg');
  await page.getByTestId('prescription-dose').fill('Uống 1 viên khi sốt trên 38,5 °C');
  await page.getByTestId('prescription-days').fill('ba');
  await page.getByTestId('prescription-add').click();
  await card.locator('.wrong').waitFor();
  await page.getByTestId('prescription-days').fill('3');
  await page.getByTestId('prescription-quantity').fill('4,5');
  await page.getByTestId('prescription-unit').fill('viên');
  await page.getByTestId('prescription-add').click();
  await card.getByText('Paracetamol 500 mg').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-papers-vi.png') });
});

test('before it is signed, what is kept is a draft', async () => {
  const text = flat(await kept('paper-save'));
  for (const said of ['BẢN NHÁP', 'VÀNG THỊ MỶ', 'Paracetamol 500 mg', '4,5 viên', 'Sốt vi rút']) assert.ok(text.includes(said), said);
  const file = JSON.parse(readFileSync(await kept('paper-prescription'), 'utf8'));
  assert.equal(file.thong_tin_don_thuoc[0].so_luong, 4.5);
});

test('printing opens the paper itself', async () => {
  for (const button of ['paper-print', 'paper-referral']) {
    // With a viewer of its own the browser shows the PDF in the new window, without one (as headless) it is kept.
    const [shown] = await Promise.all([browser.context.waitForEvent('page'), page.getByTestId(button).click()]);
    const what = await new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${button}: nothing was shown in 20 s`)), 20_000);
      const finish = (kind) => { clearTimeout(timer); done(kind); };
      shown.on('download', async (download) => finish(readFileSync(await download.path()).subarray(0, 5).toString()));
      shown.waitForURL(/^blob:/, { timeout: 20_000 }).then(async () => finish(await shown.evaluate(() => document.contentType)), () => {});
    });
    assert.ok(['%PDF-', 'application/pdf'].includes(what), `${button}: ${what}`);
    await shown.close().catch(() => {});
  }
});

test('signed, the archive gives the minutes with their hash; locked, it says so', async () => {
  await page.getByTestId('sign-secret').fill(place.passphraseText);
  await page.getByTestId('sign-go').click();
  await page.getByTestId(`record-${id}`).click();
  await page.getByTestId('passphrase').fill(place.passphraseText);
  await page.getByTestId('unlock-go').click();
  await page.getByTestId('papers-open').click();
  await page.getByTestId('papers-dialog').waitFor();
  await page.screenshot({ path: join(screenshots, 'console-record-papers-vi.png') });
  const text = flat(await kept('paper-save'));
  assert.ok(!text.includes('BẢN NHÁP') && text.includes('Mã băm SHA-256'));
});
