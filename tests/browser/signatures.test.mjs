// The record's signatures in the doctor's page: what is open, a wrong and a right .p7s, the patient's word
// with a drawn signature, a time-stamp that is waited for and comes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { place as makePlace, signIn } from '../lib/people.mjs';
import { root, runStation, stop } from '../lib/station.mjs';
import { timestampAuthority } from '../sim/timestamps.mjs';

const work = mkdtempSync(join(tmpdir(), 'signatures-page-'));
const pki = join(work, 'pki');
let place, station, authority, browser, page;

before(async () => {
  execFileSync(join(root, 'tests/sim/signing-pki'), [pki]);
  authority = await timestampAuthority(pki);
  authority.manner = 'down';
  place = await makePlace('signatures-page', { config: `[signing]
people-ca = ${pki}/people-ca.crt
crl = ${pki}/crl.pem
[timestamp]
url = ${authority.url}
ca-file = ${pki}/tsa-ca.crt
` });
  station = await runStation(place);
  const api = await signIn(place, 'lan');
  await api.ask('consultation.start', { mode: 3, reason: 'Khó thở', patient: { name: 'Vàng Thị Mỷ' } });
  await api.ask('consultation.conclude', { conclusion: 'Suy tim độ II' });
  await api.ask('consultation.sign', { pin: place.pin });
  await api.ask('sign-out');
  api.close();
  browser = await openChromium({ ca: place.ca });
  page = browser.page;
});
after(async () => {
  await browser?.close();
  await stop(station);
  await authority?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

const shot = (name) => page.screenshot({ path: join(screenshots, `${name}.png`) });
const dialog = () => page.getByTestId('signatures');

test('the record page tells who has signed and what is waited for', { timeout: 60_000 }, async () => {
  await page.goto(`${place.origin}/`);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('pin').fill(place.pin);
  await page.getByTestId('pin-enter').click();
  await page.locator('[data-testid^=record-]').first().click();
  await page.getByTestId('passphrase').fill(place.passphraseText);
  await page.getByTestId('unlock-go').click();
  await page.getByTestId('signatures-open').click();
  await dialog().getByTestId('signature-1').waitFor();
  await dialog().getByTestId('stamps-pending').waitFor();
  assert.match(await dialog().innerText(), /Bác sĩ chuyên khoa: chưa ký/);
});

test('a .p7s of something else is refused in plain words, the right one is taken', { timeout: 60_000 }, async () => {
  await page.getByTestId('sign-upload').click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('manifest').click()]);
  const manifest = join(work, 'manifest.json'), p7s = join(work, 'specialist.p7s');
  await download.saveAs(manifest);
  assert.equal(await page.getByTestId('manifest-sha256').innerText(), createHash('sha256').update(readFileSync(manifest)).digest('hex'));
  const sign = (text) => execFileSync('openssl', ['cms', '-sign', '-cades', '-binary', '-in', text, '-signer', join(pki, 'specialist.crt'),
    '-inkey', join(pki, 'specialist.key'), '-outform', 'DER', '-out', p7s], { stdio: 'pipe' });
  sign(join(pki, 'crl.pem'));
  await page.getByTestId('p7s').setInputFiles(p7s);
  await page.getByTestId('upload-problem').waitFor();
  assert.match(await page.getByTestId('upload-problem').innerText(), /nội dung khác/);
  await shot('signatures-refused-vi');
  sign(manifest);
  await page.getByTestId('p7s').setInputFiles(p7s);
  await dialog().getByTestId('signature-2').waitFor();
  assert.match(await dialog().getByTestId('signature-2').innerText(), /PGS\. Trần Thị Đào/);
});

test('a key at a remote-signing provider: the hash is shown, the value is handed in', { timeout: 60_000 }, async () => {
  const chair = page.locator('[data-testid=signatures] li.signature');
  const before = await chair.count();
  await page.getByTestId('sign-remote').click();
  await page.getByTestId('remote-certificate').setInputFiles(join(pki, 'doctor-chain.crt'));
  const hash = join(work, 'hash');
  writeFileSync(hash, Buffer.from(await page.getByTestId('remote-hash').innerText(), 'base64'));
  await page.getByTestId('sign-role').selectOption('chair');
  await page.getByTestId('remote-value').fill(Buffer.from('không phải').toString('base64'));
  await page.getByTestId('remote-go').click();
  assert.match(await page.getByTestId('remote-problem').innerText(), /không khớp/);
  await shot('signatures-remote');
  // Days may lie between: the file that was saved brings it back.
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByText('Tải tệp mã băm').click()]);
  await saved.saveAs(join(work, 'hash.json'));
  await page.getByTestId('remote-certificate').setInputFiles([]);
  await page.getByTestId('remote-certificate').setInputFiles(join(work, 'hash.json'));
  assert.equal(await page.getByTestId('remote-hash').innerText(), readFileSync(hash).toString('base64'));
  const value = execFileSync('openssl', ['pkeyutl', '-sign', '-inkey', join(pki, 'doctor.key'), '-in', hash]);
  await page.getByTestId('remote-value').fill(value.toString('base64'));
  await page.getByTestId('remote-go').click();
  await eventually(async () => (await chair.count()) === before + 1, 15, 'one more signature');
  assert.match(await dialog().innerText(), /Chủ tọa: BS\. Nguyễn Văn Bình/);
});

test('the patient confirms and draws', { timeout: 60_000 }, async () => {
  await page.getByTestId('sign-confirm').click();
  await page.getByTestId('confirm-name').fill('Vàng Thị Mỷ');
  const canvas = page.getByTestId('drawing');
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + 30, box.y + 80);
  await page.mouse.down();
  for (let i = 1; i <= 12; i++) await page.mouse.move(box.x + 30 + 20 * i, box.y + 80 + 30 * Math.sin(i));
  await page.mouse.up();
  await shot('signatures-confirm-vi');
  await page.getByTestId('confirm-go').click();
  await dialog().getByTestId('signature-4').locator('img').waitFor();
});

test('time-stamps come when the authority is there again', { timeout: 60_000 }, async () => {
  authority.manner = 'good';
  await eventually(async () => {
    await dialog().getByText('Kiểm tra lại').click();
    return (await dialog().innerText()).match(/theo Test time-stamps \(tsa\)/g)?.length === 3;
  }, 40, 'all are stamped');
  await shot('signatures-vi');
});
