// Bluetooth devices as the doctor sees them: found, paired by one click, a reading on the page,
// passkeys, a stale bond, forgotten.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Bluetooth, bloodPressure, oximetry } from '../lib/bluez.mjs';
import { openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { place as makePlace, signIn as signInSilently, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

const CUFF = '00:00:5E:00:53:01', OXIMETER = '00:00:5E:00:53:02';
let blue, place, station, browser, page;
before(async () => {
  blue = await Bluetooth.begin();
  place = await makePlace('bluetooth-page');
  station = await runStation(place, { env: blue.env });
  const silent = await signInSilently(place, 'lan');
  await startConsultation(silent, { patient: { name: 'Vàng Thị Mỷ' } });
  silent.close();
  browser = await openChromium({ ca: place.ca });
  page = browser.page;
  await page.goto(`${place.origin}/`);
  await page.getByTestId('user-hung').click();
  await page.getByTestId('pin').fill(place.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('live').waitFor();
}, { timeout: 120_000 });
after(async () => {
  await browser?.close();
  await stop(station);
  await blue?.end();
  place?.remove();
});

const shot = (name) => page.screenshot({ path: join(screenshots, `${name}.png`) });
const feedSays = (address, text) => page.getByTestId(`feed-${address}`).filter({ hasText: text }).waitFor();

test('a cuff is found and paired by one click; its reading stands on the page', { timeout: 180_000 }, async () => {
  await blue.do('add', { address: CUFF, kind: 'cuff', name: 'UA-651BLE', read: { '2A19': '0c', '2A29': '412644', '2A24': '55412d363531424c45' } });
  await blue.do('add', { address: OXIMETER, kind: 'oximeter', name: 'Nonin3230', passkey: { on: 'device', number: 4711 } });
  await blue.do('on', { address: CUFF });
  await blue.do('on', { address: OXIMETER, rssi: -88 });
  await page.getByTestId('devices-open').click();
  await page.getByTestId('bluetooth-search').click();
  await page.getByTestId(`found-${OXIMETER}`).waitFor();
  await shot('bluetooth-found-vi');
  await page.getByTestId(`pair-${CUFF}`).click();
  await feedSays(CUFF, 'đang hoạt động');
  await page.getByTestId(`paired-${CUFF}`).filter({ hasText: 'A&D UA-651BLE' }).filter({ hasText: 'pin 12 %' }).waitFor();
  await blue.do('measure', { address: CUFF, uuid: '2A35', hex: bloodPressure(128, 82, 71) });
  await page.getByTestId('value-nibp').filter({ hasText: '128/82' }).first().waitFor({ state: 'attached' });
});

test('a passkey is asked for and entered', { timeout: 180_000 }, async () => {
  await page.getByTestId(`pair-${OXIMETER}`).click();
  await page.getByTestId('passkey-input').fill('004711');
  await shot('bluetooth-passkey-vi');
  await page.getByTestId('passkey-send').click();
  await feedSays(OXIMETER, 'đang hoạt động');
  await blue.do('measure', { address: OXIMETER, uuid: '2A5F', hex: oximetry(97, 72) });
  await page.getByTestId('value-spo2').filter({ hasText: '97' }).first().waitFor({ state: 'attached' });
});

test('lost, stale, renamed and forgotten, in plain words', { timeout: 180_000 }, async () => {
  await blue.do('off', { address: OXIMETER });
  await feedSays(OXIMETER, 'mất kết nối');
  await blue.do('device-forgets', { address: OXIMETER });
  await blue.do('on', { address: OXIMETER });
  await feedSays(OXIMETER, 'cần xử lý');
  await page.getByTestId(`paired-${OXIMETER}`).filter({ hasText: 'xóa ghép đôi trên máy đo rồi ghép lại' }).waitFor();
  await page.getByTestId(`edit-${CUFF}`).click();
  await page.getByTestId('device-name').fill('Máy huyết áp phòng 1');
  await shot('bluetooth-stale-vi');
  await page.getByTestId('device-save').click();
  await page.getByTestId(`paired-${CUFF}`).filter({ hasText: 'Máy huyết áp phòng 1' }).waitFor();
  await page.getByTestId(`edit-${OXIMETER}`).click();
  await page.getByTestId('device-forget').click();
  await page.getByTestId(`paired-${OXIMETER}`).waitFor({ state: 'detached' });
  await blue.do('adapter', { blocked: true });
  await page.getByTestId('bluetooth-state').filter({ hasText: 'chế độ máy bay' }).waitFor();
  assert.equal(await page.getByTestId('bluetooth-search').count(), 0);
});
