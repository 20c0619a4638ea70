// The whole consultation as a doctor enters it: the citizen card scanned, every section, conclusions
// with ICD-10, marks, an opinion by telephone; the station killed in the middle of a sentence; signed;
// and the patient found again.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { invite, screenshots } from '../lib/clinic.mjs';
import { place as makePlace } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const CARD = '011162000123|012345678|Lò Thị Mỷ|03041962|Nữ|Bản Mẫu, Mường Mẫu, Điện Biên|25122021';
const PHONE = '024 3825 3531';
const HALF = 'Chuyển bệnh viện tỉnh bằng xe cứu thương, thở ôxy';
const NOTES = {
  summary: 'Đau ngực ba giờ, lan tay trái', history: 'Tăng huyết áp mười năm', allergies: 'Penicillin',
  examination: 'Phổi có ran ẩm hai đáy', findings: 'Điện tim: ST chênh xuống V4–V6', question: 'Có cần chuyển ngay không?',
  'follow-up': 'Một tuần', note: 'Người nhà đi cùng',
};

let place, station, doctor, specialist, page;
const shot = (name, on = page) => on.screenshot({ path: join(screenshots, `forms-${name}.png`) });
const box = (id) => page.getByTestId(id);

before(async () => {
  place = await makePlace('forms', { config: '[camera room]\naddress=test:\n', more: `duty-phone=${PHONE}\nfacility-code=11042\n` });
  station = await runStation(place);
  doctor = await openChromium({ ca: place.ca, viewport: { width: 1440, height: 1000 } });
  page = doctor.page;
  await page.goto(place.origin);
  await box('user-lan').click();
  await box('pin').fill(place.pin);
  await box('pin-enter').click();
}, { timeout: 120_000 });
after(async () => {
  await specialist?.close();
  await doctor?.close();
  await stop(station);
  place?.remove();
});

const show = (id) => JSON.parse(execFileSync(nhipcau, ['record', 'show', '--json', '--state', place.state, '--config', place.config,
  '--boot-credential', place.boot, '--unlock', place.passphrase, id], { encoding: 'utf8' }));
const newest = () => JSON.parse(execFileSync(nhipcau, ['record', 'list', '--json', '--state', place.state, '--config', place.config,
  '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' })).records[0];

// As a scanner does: fast keys and Enter.
async function scan(text) {
  await box('identity-text').focus();
  await page.keyboard.insertText(text);
  await page.keyboard.press('Enter');
}

test('the citizen card fills the form; what is no card is refused in words', { timeout: 180_000 }, async () => {
  await box('start').waitFor();
  await scan('https://example.vn|x');
  await box('identity-problem').waitFor();
  await box('identity-text').fill('');
  await scan(CARD);
  await eventually(async () => (await box('patient-name').inputValue()) === 'Lò Thị Mỷ', 10, 'the name is filled in');
  assert.equal(await box('patient-personal_number').inputValue(), '011162000123');
  assert.equal(await box('patient-birth').inputValue(), '03/04/1962');
  assert.equal(await box('sex-female').isChecked(), true);
  assert.match(await box('patient-address').inputValue(), /Mường Mẫu/);
  assert.equal(await box('start').isVisible(), true); // the scanner's Enter started nothing
});

test('an insurance card of no class is refused before anything begins', { timeout: 180_000 }, async () => {
  await box('mode-3').check();
  await box('reason').fill('Đau ngực');
  await box('patient-insurance').fill('QQ2110123456789');
  await box('start-consultation').click();
  await page.getByText('10 số cuối').first().waitFor();
  await shot('start-vi');
  await box('patient-insurance').fill('DT2110123456789');
  await box('start-consultation').click();
  await box('live').waitFor();
});

test('every section, conclusions by keyboard, the facility, a mark', { timeout: 120_000 }, async () => {
  await box('consent').click();
  const dialog = box('consent-dialog');
  await dialog.getByTestId('consent-given').check();
  for (const tick of await dialog.locator('[data-testid^=purpose-]').all()) assert.equal(await tick.isChecked(), false);
  await dialog.getByTestId('purpose-treatment').check();
  await dialog.getByTestId('consent-save').click();
  await dialog.waitFor({ state: 'hidden' });
  for (const [kind, text] of Object.entries(NOTES)) {
    await box(`note-${kind}`).fill(text);
    await box(`note-${kind}`).blur();
    await page.locator(`[data-testid=note-${kind}-state][data-state=saved]`).waitFor();
  }
  const search = box('problems-search');
  await search.fill('tang huyet ap');
  await search.press('Enter'); // before the answer: nothing is taken without its code
  await box('problems-search-list').getByRole('option', { name: 'I10' }).waitFor();
  assert.equal(await page.getByTestId('problem').count(), 0);
  await shot('icd-vi');
  await search.press('Enter');
  await page.getByTestId('problem').filter({ hasText: 'I10' }).waitFor();
  await search.fill('angina');
  await page.getByRole('option', { name: 'I20.0' }).waitFor();
  await search.press('ArrowDown');
  await search.press('ArrowUp');
  await search.press('Enter');
  await page.getByTestId('problem').nth(1).waitFor();
  await page.getByTestId('problem-text').first().fill('Chỉnh thuốc');
  await page.getByTestId('problem-text').first().blur();
  await box('facility-add').fill('Bệnh viện Bạch Mai');
  await box('facility-add').press('Enter');
  await page.getByTestId('facilities').getByText('Bệnh viện Bạch Mai').waitFor();
  await page.keyboard.press('F9');
  await box('tab-happenings').click();
  await box('happenings').getByText('Đánh dấu').waitFor();
  await box('tab-notes').click();
});

test('a specialist proposes a conclusion, and the doctor takes it over', { timeout: 180_000 }, async () => {
  const link = await invite(page);
  specialist = await openChromium({ ca: place.ca, viewport: { width: 1440, height: 1000 } });
  const other = specialist.page;
  await other.goto(link);
  await other.getByTestId('name').fill('BS. Trần Văn Minh');
  await other.getByTestId('facility').fill('Bệnh viện Trung ương');
  await other.getByTestId('join').click();
  await box('admit').click();
  await other.getByTestId('proposals-search').waitFor();
  await other.getByTestId('opinion').fill('Nghĩ đến hội chứng vành cấp');
  await other.getByTestId('opinion').blur();
  await eventually(async () => {
    await other.getByTestId('proposals-search').fill('nhoi mau co tim');
    return other.getByRole('option', { name: 'I21.9' }).isVisible();
  }, 20, 'the search answers over the channel');
  await other.getByTestId('proposals-search').press('Enter');
  await box('proposal-take').waitFor();
  await shot('proposed-vi', other);
  await box('proposal-take').click();
  await page.getByTestId('problem').filter({ hasText: 'I21.9' }).getByText('BS. Trần Văn Minh đề nghị').waitFor();
  await page.getByTestId('facilities').getByText('Bệnh viện Trung ương').waitFor();
});

test('killed in the middle of a sentence, the station has it', { timeout: 120_000 }, async () => {
  const decision = box('note-decision');
  await decision.click();
  await decision.pressSequentially(HALF);
  await page.locator('[data-testid=note-decision-state][data-state=kept]').waitFor();
  station.kill('SIGKILL');
  await box('duty-phone').waitFor();
  assert.equal(await box('duty-phone').innerText(), PHONE);
  await shot('telephone-vi');
  station = await runStation(place);
  await page.reload();
  await eventually(async () => (await box('note-decision').inputValue()) === HALF, 40, 'the sentence is there again');
  assert.equal(await page.getByTestId('problem').count(), 3);
  for (const [kind, text] of Object.entries(NOTES)) assert.equal(await box(`note-${kind}`).inputValue(), text);
});

test('an opinion by telephone stands under the speaker', { timeout: 180_000 }, async () => {
  await box('telephone-open').click();
  await box('telephone-speaker').fill('BS. Ngô Thu Hà');
  await box('telephone-text').fill('Cho aspirin, chuyển ngay');
  await box('telephone-save').click();
  const card = page.getByTestId('note').filter({ hasText: 'aspirin' });
  await card.getByText('qua điện thoại').waitFor();
  assert.match(await card.innerText(), /Ngô Thu Hà/);
});

test('in both languages, on a desk and on a phone', { timeout: 180_000 }, async () => {
  for (const lang of ['vi', 'en']) {
    await box('user-menu').click();
    await box(`language-${lang}`).first().click();
    await page.locator(`html[lang=${lang}]`).waitFor();
    await page.keyboard.press('Escape');
    await shot(`live-${lang}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await box('note-allergies').scrollIntoViewIfNeeded();
    await shot(`phone-${lang}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), 'nothing is wider than the phone');
    await box('problems-search').scrollIntoViewIfNeeded();
    await shot(`phone-problems-${lang}`);
    await page.setViewportSize({ width: 1440, height: 1000 });
  }
  await box('user-menu').click();
  await box('language-vi').first().click();
  await page.keyboard.press('Escape');
});

test('what is missing is named and keeps nobody from signing; the draft is a version then', { timeout: 180_000 }, async () => {
  await box('note-note').fill('');
  await box('note-allergies').fill('');
  await box('note-allergies').blur();
  await page.locator('[data-testid=note-allergies-state][data-state=empty]').waitFor({ state: 'attached' });
  await box('conclude').click();
  await box('conclude-dialog').getByTestId('conclusion').fill('Hội chứng vành cấp, chuyển cơ sở KCB');
  const missing = await box('conclude-dialog').getByTestId('missing').innerText();
  assert.match(missing, /Dị ứng/);
  assert.doesNotMatch(missing, /Tiền sử/);
  await box('conclude-go').click();
  await box('sign-go').waitFor();
  await shot('sign-vi');
  const { consultation } = newest();
  await box('sign-secret').fill(place.passphraseText);
  await box('sign-go').click();
  await eventually(async () => newest().state === 'signed', 20, 'it is signed');
  const text = JSON.stringify(show(consultation));
  for (const word of [HALF, 'I21.9', 'Bệnh viện Bạch Mai', 'telephone', 'BS. Ngô Thu Hà', '11042', NOTES.findings])
    assert.ok(text.includes(word), word);
  // A version for each leave of a field and no row for each second of typing.
  const rows = show(consultation).rows.note.filter(({ body }) => body.kind === 'decision');
  assert.ok(rows.length >= 1 && rows.length <= 3, `${rows.length} versions of one sentence`);
});

test('the patient is found again, with what was before', { timeout: 180_000 }, async () => {
  await box('start').waitFor();
  await box('identity-text').fill('lo thi my');
  await box('identity-go').click();
  await box('passphrase').fill(readFileSync(place.passphrase, 'utf8').trim());
  await box('unlock-go').click();
  await box('identity-found').waitFor();
  await shot('found-vi');
  await box('earlier-open').first().click();
  await box('earlier-dialog').getByText(NOTES.summary).waitFor();
  await box('earlier-dialog').getByText('I10').waitFor();
  await shot('earlier-vi');
  await box('earlier-dialog').getByTestId('close').click();
  await box('identity-take').click();
  assert.equal(await box('patient-personal_number').inputValue(), '011162000123');
  const id = newest().consultation;
  await page.locator(`[data-testid=record-${id}]`).click();
  await box('moments').getByText('Đánh dấu').waitFor();
  await shot('playback-vi');
  const views = show(id).rows.view.map(({ body }) => body.what);
  for (const what of ['search', 'record']) assert.ok(views.includes(what), `${what} in ${views}`);
});
