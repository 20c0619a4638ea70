// The page of sending and keeping: what waits and why, sent again; terms, holds, destruction with its certificate;
// the drill of a recovery key and the sheet for the safe. In a telephone's size nothing lies over anything else.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { place as makePlace } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const NAME = 'Vàng Thị Mỷ', PHONE = { width: 390, height: 844 };
const work = mkdtempSync(join(tmpdir(), 'nhipcau-keeping-'));
const hospital = join(work, 'hospital');

let place, station, doctor, page, consultation;
const box = (id) => page.getByTestId(id);
const shot = (name) => page.screenshot({ path: join(screenshots, `keeping-${name}.png`) });

before(async () => {
  place = await makePlace('keeping', { config: `[camera room]\naddress=test:\n[deliver hospital]\nto=${hospital}\ntitle=Bệnh viện tỉnh\n` });
  station = await runStation(place);
  doctor = await openChromium({ ca: place.ca, viewport: { width: 1280, height: 900 } });
  page = doctor.page;
  await page.goto(place.origin);
  await box('user-lan').click();
  await box('pin').fill(place.pin);
  await box('pin-enter').click();
}, { timeout: 120_000 });
after(async () => {
  await doctor?.close();
  await stop(station);
  place?.remove();
  rmSync(work, { recursive: true, force: true });
});

// No two of these lie over each other, and each is on the screen.
async function apart(ids) {
  const boxes = await Promise.all(ids.map(async (id) => ({ id, ...(await box(id).first().boundingBox()) })));
  const { width } = page.viewportSize();
  for (const one of boxes) {
    assert.ok(one.x >= 0 && one.x + one.width <= width + 0.5, `${one.id} is on the screen: ${JSON.stringify(one)}`);
    for (const other of boxes)
      if (one.id < other.id)
        assert.ok(one.x + one.width <= other.x + 0.5 || other.x + other.width <= one.x + 0.5 || one.y + one.height <= other.y + 0.5 ||
          other.y + other.height <= one.y + 0.5, `${one.id} and ${other.id}: ${JSON.stringify([one, other])}`);
  }
}
const noSideways = async () => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');

test('a telephone shows the recording button whole, beside who is signed in', { timeout: 90_000 }, async () => {
  await box('mode-3').check();
  await box('reason').fill('Ngã cao');
  await box('patient-name').fill(NAME);
  await box('start-consultation').click();
  await box('live').waitFor();
  await box('consent').click();
  await box('consent-given').check();
  for (const purpose of ['treatment', 'recording']) await box(`purpose-${purpose}`).check();
  await box('consent-save').click();
  await box('recording').click();
  await page.locator('[data-testid=recording-state][data-on=true]').waitFor();
  await page.setViewportSize(PHONE);
  await apart(['user-menu', 'recording', 'recording-state', 'patient-line', 'microphone', 'mark', 'invite', 'consent', 'park', 'conclude']);
  await noSideways();
  await shot('phone-live');
  await box('recording').click(); // a click that something else would take
  await page.locator('[data-testid=recording-state][data-on=false]').waitFor();
  await box('user-menu').click();
  await apart(['user-menu-list']);
  await page.keyboard.press('Escape');
  await page.setViewportSize({ width: 1280, height: 900 });
});

test('the term is proposed from the diagnosis, and the doctor changes it', { timeout: 60_000 }, async () => {
  await box('tab-notes').click();
  await box('problems-search').fill('gay co xuong dui');
  await page.getByRole('option', { name: 'S72.0' }).waitFor();
  await box('problems-search').press('Enter');
  await page.getByTestId('problem').filter({ hasText: 'S72.0' }).waitFor();
  await box('conclude').click();
  await box('conclusion').fill('Gãy cổ xương đùi');
  await box('conclude-go').click();
  await box('concluding').waitFor();
  assert.equal(await box('retention-class').inputValue(), 'accident');
  await box('sign').getByText('S72.0').waitFor();
  await shot('sign');
  await box('retention-class').selectOption('death');
  await box('sign-secret').fill(place.passphraseText);
  await box('sign-go').click();
  await box('home').waitFor();
});

test('what is not delivered says why, and goes when it is tried again', { timeout: 60_000 }, async () => {
  await box('unlock').click();
  await box('passphrase').fill(place.passphraseText);
  await box('unlock-go').click();
  await box('lock').waitFor();
  await box('keeping-open').click();
  const waiting = box('delivery').first();
  await waiting.locator('.why').waitFor();
  assert.match(await waiting.innerText(), /Bệnh viện tỉnh/);
  assert.match(await waiting.innerText(), new RegExp(NAME));
  await box('outbox-failed').waitFor();
  await shot('outbox');
  await page.setViewportSize(PHONE);
  await noSideways();
  await shot('phone-outbox');
  mkdirSync(hospital);
  await box('delivery-send').first().click();
  await box('outbox-empty').waitFor();
  const arrived = (item) => page.locator(`[data-testid=delivered][data-item=${item}][data-state=confirmed]`);
  for (const item of ['record', 'recording']) await arrived(item).locator('.receipt').waitFor();
  const [record, ...more] = readdirSync(hospital).filter((name) => /^[0-9a-f-]{36}\.json$/.test(name));
  assert.deepEqual(more, []);
  assert.ok(readdirSync(join(hospital, record.replace('.json', ''))).includes('recording.json'));
  await box('outbox-witnesses').getByText('Bệnh viện tỉnh').waitFor();
  await page.setViewportSize({ width: 1280, height: 900 });
  await shot('outbox-done');
});

test('a record on hold cannot be destroyed; released, its recording can', { timeout: 90_000 }, async () => {
  await box('keeping-retention').click();
  const line = page.locator('[data-testid^=kept-]').first();
  await line.waitFor();
  consultation = (await line.getAttribute('data-testid')).slice('kept-'.length);
  assert.match(await line.innerText(), /Tử vong, 30 năm/);
  await line.click();
  await box('hold-save').click();
  assert.equal(await box('hold-reason').getAttribute('aria-invalid'), 'true', 'a hold wants a reason');
  await box('hold-reason').fill('Thanh tra Sở Y tế');
  await box('hold-save').click();
  await page.getByText('Đang giữ lại (1)').waitFor();
  assert.match(await line.innerText(), /Giữ lại vì: Thanh tra Sở Y tế/);
  await shot('retention');
  await page.setViewportSize(PHONE);
  await noSideways();
  await shot('phone-retention');
  await page.setViewportSize({ width: 1280, height: 900 });
  await line.click();
  assert.equal(await box('erase-open').count(), 0);
  await box('hold-save').click();
  await page.getByText('Đang giữ lại (0)').waitFor();

  await line.click();
  await box('erase-open').click();
  assert.equal(await box('erase-go').isDisabled(), true);
  await box('erase-reason').fill('Người bệnh rút lại đồng ý');
  await box('erase-secret').fill('sai mat khau roi');
  await box('erase-sure').check();
  await shot('erase');
  await box('erase-go').click();
  await box('erase-problem').waitFor();
  await box('erase-secret').fill(place.passphraseText);
  await box('erase-go').click();
  await box('retention-dialog').waitFor({ state: 'hidden' });
  await page.getByText('không có bản ghi hình').waitFor();
});

test('its certificate is there to read and to keep, and stock openssl checks it', { timeout: 60_000 }, async () => {
  await box('keeping-erasures').click();
  await box('certificate').first().click();
  await box('certificate-dialog').locator('summary').click();
  await eventually(async () => (await box('statement').innerText()).includes(consultation), 10, 'the words');
  await shot('certificate');
  const [download] = await Promise.all([page.waitForEvent('download'), box('certificate-save').click()]);
  const kept = JSON.parse(readFileSync(await download.path(), 'utf8'));
  const [text, der] = [join(work, 'statement'), join(work, 'statement.der')];
  writeFileSync(text, kept.statement);
  writeFileSync(der, Buffer.from(kept.signature, 'base64'));
  assert.equal(spawnSync('openssl', ['cms', '-verify', '-inform', 'DER', '-in', der, '-content', text, '-binary', '-noverify', '-out', '/dev/null']).status, 0);
  await page.keyboard.press('Escape');
});

test('a recovery key shows that it opens; the sheet has a QR code', { timeout: 60_000 }, async () => {
  await box('keeping-recovery').click();
  await box('recipient-1').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), box('drill-1').click()]);
  const [key] = place.recovery;
  const letter = execFileSync('openssl', ['cms', '-decrypt', '-inform', 'DER', '-in', await download.path(), '-inkey', key.key, '-recip', key.cert], { encoding: 'utf8' });
  const [code] = letter.match(/[A-Z0-9]{4}(-[A-Z0-9]{4}){3}/);
  await box('drill-code').fill('0000-0000-0000-0000');
  await box('drill-confirm').click();
  await page.getByText('16 chữ và số').waitFor();
  await box('drill-code').fill(code.toLowerCase());
  await box('drill-confirm').click();
  await box('drill-proven').waitFor();
  await shot('recovery');
  await page.setViewportSize(PHONE);
  await noSideways();
  await shot('phone-recovery');
  const [sheet] = await Promise.all([page.waitForEvent('download'), box('recovery-sheet').click()]);
  const pdf = await sheet.path();
  const words = execFileSync('pdftotext', ['-layout', pdf, '-'], { encoding: 'utf8' }).replace(/\s+/g, ' ');
  for (const said of ['PHIẾU KHÔI PHỤC HỒ SƠ', 'Khóa khôi phục 1', 'Khóa khôi phục 2', 'Diễn tập gần nhất']) assert.ok(words.includes(said), said);
  execFileSync('pdftoppm', ['-r', '150', '-png', pdf, join(screenshots, 'keeping-sheet')]);
  const [png] = readdirSync(screenshots).filter((name) => /^keeping-sheet-?\d*\.png$/.test(name));
  const seen = execFileSync('zbarimg', ['-q', '--raw', join(screenshots, png)], { encoding: 'utf8' });
  assert.match(seen, /^nhipcau-recovery:1:[0-9a-f]{32}:[0-9a-f]{64},[0-9a-f]{64}$/m);
  await page.setViewportSize({ width: 1280, height: 900 });
});

test('the command line drills too, on the escrows themselves', { timeout: 60_000 }, async () => {
  await stop(station);
  const drill = (...args) => spawnSync(nhipcau, ['record', 'drill', '--lang', 'en', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, ...args], { encoding: 'utf8' });
  const [first, second] = place.recovery;
  const whole = drill('--json', '--key', second.key, '--certificate', second.cert);
  assert.equal(whole.status, 0, whole.stderr);
  const report = JSON.parse(whole.stdout);
  assert.equal(report.opened, report.keys);
  assert.ok(report.keys >= 2 && report.logged);
  assert.notEqual(drill('--key', first.key, '--certificate', second.cert).status, 0);
  const { recipients } = JSON.parse(drill('--json').stdout);
  assert.deepEqual(recipients.map(({ number, drilled, due }) => [number, drilled !== null, due]), [[1, true, false], [2, true, false]]);
});
