// A first consultation, whole, as its people see it: station/try, the doctor's console and a
// specialist in Chromium, then in Firefox; a reload, a killed station, the record at the end.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, mediaNow, openChromium, openFirefox, watchMedia } from '../lib/browser.mjs';
import { askToJoin, picturesMove, screenshots, signIn, soundGrows, tryClinic, watched } from '../lib/clinic.mjs';

const CAMERAS = ['video-source-room', 'video-source-exam'];
const PATIENT = 'Vàng Thị Mỷ';
const OPINION = 'Nghĩ đến suy tim mất bù, cần siêu âm tim';

let clinic, doctor, specialist;

before(async () => { clinic = await tryClinic(); }, { timeout: 240_000 });
after(async () => {
  await specialist?.close();
  await doctor?.close();
  await clinic?.end();
});

const shot = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`) });
const vital = (page, key) => page.getByTestId(`value-${key}`).first().innerText();
const nhipcau = (...args) => execFileSync(clinic.program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('the doctor signs in and sees both cameras', { timeout: 180_000 }, async () => {
  doctor = await openChromium({ ca: clinic.ca });
  await watched(doctor.context);
  await doctor.page.goto(clinic.console);
  await doctor.page.getByTestId(`user-${clinic.user}`).waitFor();
  await shot(doctor.page, 'console-sign-in-vi');
  await signIn(doctor.page, clinic);
  await picturesMove(doctor.page, CAMERAS);
});

test('the specialist waits until the doctor admits', { timeout: 180_000 }, async () => {
  specialist = await openChromium({ ca: clinic.ca });
  await watched(specialist.context);
  await specialist.page.goto(clinic.specialist);
  await specialist.page.getByTestId('name').waitFor();
  await shot(specialist.page, 'join-ready-vi');
  await askToJoin(specialist.page, clinic);
  await doctor.page.getByTestId('admit').waitFor();
  await shot(doctor.page, 'console-waiting-vi');
  assert.deepEqual((await mediaNow(specialist.page)).videos['video-source-room'], undefined);
  await doctor.page.getByTestId('admit').click();
  await specialist.page.getByTestId('live').waitFor();
});

test('the specialist sees both cameras and hears the room', { timeout: 180_000 }, async () => {
  const now = await picturesMove(specialist.page, CAMERAS);
  assert.ok(now.codecs.includes('video/H264'), `codecs: ${now.codecs}`);
  await soundGrows(specialist.page);
});

test('the doctor sees and hears the specialist', { timeout: 180_000 }, async () => {
  await eventually(async () => {
    const { videos } = await mediaNow(doctor.page);
    return Object.entries(videos).some(([name, v]) => name.startsWith('video-peer-') && v.frames > 20 && v.pictures >= 2);
  }, 30, "the specialist's picture moves");
  await soundGrows(doctor.page);
});

test('readings of the monitor are live on both pages, with their units', { timeout: 120_000 }, async () => {
  for (const { page } of [doctor, specialist]) {
    const first = {};
    for (const key of ['hr', 'spo2', 'nibp']) {
      first[key] = await eventually(async () => /\d/.test(await vital(page, key)) && vital(page, key), 40, key);
    }
    const panel = await page.getByTestId('vitals').innerText();
    for (const unit of ['mmHg', '%']) assert.ok(panel.includes(unit), `${unit} in ${panel}`);
    for (const key of ['hr', 'nibp'])
      await eventually(async () => (await vital(page, key)) !== first[key], 60, `${key} changes`);
  }
  await shot(doctor.page, 'console-live-vi');
  await shot(specialist.page, 'join-live-vi');
});

test('the trends draw them', { timeout: 180_000 }, async () => {
  for (const { page } of [doctor, specialist]) {
    await page.getByTestId('trends-open').click();
    await page.getByTestId('trend-hr').locator('canvas').waitFor();
    await page.getByTestId('trends-open').click();
  }
});

test('both pages speak English too', { timeout: 180_000 }, async () => {
  for (const [name, { page }] of [['console', doctor], ['join', specialist]]) {
    if (name === 'console') await page.getByTestId('user-menu').click();
    await page.getByTestId('language-en').first().click();
    await page.locator('html[lang=en]').waitFor();
    await shot(page, `${name}-live-en`);
    if (name === 'console' && !(await page.getByTestId('language-vi').first().isVisible()))
      await page.getByTestId('user-menu').click();
    await page.getByTestId('language-vi').first().click();
    await page.locator('html[lang=vi]').waitFor();
    await page.keyboard.press('Escape');
  }
});

test("the specialist's opinion is kept under the specialist's name", { timeout: 180_000 }, async () => {
  const box = specialist.page.getByTestId('opinion');
  await box.fill(OPINION);
  await box.blur();
  await eventually(async () => {
    const shown = JSON.parse(nhipcau('record', 'show', '--state', clinic.state, '--unlock', clinic.unlock, '--json', consultationId()));
    return JSON.stringify(shown).includes(OPINION) && JSON.stringify(shown).includes('Trần Văn Minh');
  }, 20, 'the opinion is in the record');
});

function consultationId() {
  const list = JSON.parse(nhipcau('record', 'list', '--state', clinic.state, '--unlock', clinic.unlock, '--json'));
  return (list.records ?? list)[0].consultation;
}

test('both come back by themselves after a reload', { timeout: 180_000 }, async () => {
  // It keeps the head of the station's log, and shows it the next time (docs/records.md, Witnesses).
  const head = () => specialist.page.evaluate(() => {
    const key = Object.keys(localStorage).find((name) => name.startsWith('nhipcau-head-'));
    return key ? JSON.parse(localStorage.getItem(key)) : null;
  });
  await eventually(async () => await head() !== null, 30, 'the browser keeps a head');
  const { size } = await head();
  await specialist.page.reload();
  await picturesMove(specialist.page, CAMERAS);
  await eventually(async () => (await head()).size > size, 30, 'a later head');
  // Who comes later is told the minute before: from the least to the most, and the curve begins then.
  await specialist.page.getByTestId('catch-up').waitFor();
  assert.match(await specialist.page.getByTestId('past-spo2').innerText(), /^\d+(–\d+)?$/);
  await shot(specialist.page, 'join-catch-up-vi');
  await specialist.page.getByTestId('trends-open').click();
  await eventually(async () => Number(await specialist.page.getByTestId('trend-spo2').getAttribute('data-points')) >= 3, 15, 'points of before');
  await specialist.page.getByTestId('trends-open').click();
  await specialist.page.getByTestId('catch-up-close').click();
  await specialist.page.getByTestId('catch-up').waitFor({ state: 'detached' });
  await doctor.page.reload();
  await picturesMove(doctor.page, CAMERAS);
});

test('both come back by themselves after kill -9 of the station', { timeout: 120_000 }, async () => {
  const before_ = consultationId();
  process.kill(clinic.pid, 'SIGKILL');
  await eventually(async () => {
    const { videos } = await mediaNow(specialist.page);
    return !videos['video-source-room'] || (await specialist.page.getByTestId('link-state').innerText()) !== '';
  }, 10, 'the page notices');
  await picturesMove(specialist.page, CAMERAS, 40);
  await picturesMove(doctor.page, CAMERAS, 40);
  assert.equal(consultationId(), before_);
  const shown = nhipcau('record', 'show', '--state', clinic.state, '--unlock', clinic.unlock, '--json', before_);
  assert.match(shown, /interrupted/);
  await shot(doctor.page, 'console-after-kill-vi');
});

test('a specialist in Firefox does the same', { timeout: 150_000 }, async (t) => {
  await specialist.close();
  specialist = undefined;
  const firefox = await openFirefox({ ca: clinic.ca });
  t.after(() => firefox.close());
  const { page } = firefox;
  await page.evaluateOnNewDocument(watchMedia);
  await page.goto(clinic.specialist);
  await (await page.waitForSelector('[data-testid=name]')).type('BS. Ngô Thu Hà');
  await (await page.waitForSelector('[data-testid=join]')).click();
  await doctor.page.getByTestId('admit').click({ timeout: 180_000 });
  const now = await picturesMove(page, CAMERAS, 40);
  assert.deepEqual(now.codecs.filter((c) => c.startsWith('video/')), ['video/VP8']);
  await soundGrows(page);
  await eventually(async () => {
    const { videos } = await mediaNow(doctor.page);
    return Object.entries(videos).some(([name, v]) => name.startsWith('video-peer-') && v.frames > 20 && v.width > 0);
  }, 30, "Firefox's picture reaches the doctor");
  await eventually(() => page.evaluate((cameras) => cameras.every((id) =>
    !document.querySelector(`[data-testid=${id.replace('video', 'no-picture')}]`)), CAMERAS), 10, 'nothing covers the pictures');
  await page.screenshot({ path: join(screenshots, 'join-firefox-vi.png') });
  await page.reload();
  await picturesMove(page, CAMERAS, 40);
});

test('the consultation is concluded, signed, and played back', { timeout: 150_000 }, async () => {
  const { page } = doctor;
  await page.getByTestId('conclude').click();
  const dialog = page.getByTestId('conclude-dialog');
  await dialog.getByTestId('conclusion').fill('Suy tim mất bù; chuyển cơ sở KCB');
  await page.getByTestId('conclude-go').click();
  await page.getByTestId('sign-go').waitFor();
  await shot(page, 'console-sign-vi');
  await page.getByTestId('sign-secret').fill(readFileSync(clinic.unlock, 'utf8').trim());
  await page.getByTestId('sign-go').click();
  await eventually(async () => {
    const list = JSON.parse(nhipcau('record', 'list', '--state', clinic.state, '--unlock', clinic.unlock, '--json'));
    return (list.records ?? list)[0].state === 'signed';
  }, 20, 'the record is signed');
  await page.locator('[data-testid^=record-]').first().click();
  // Finished: closed until the passphrase.
  await page.getByTestId('passphrase').fill(readFileSync(clinic.unlock, 'utf8').trim());
  await page.getByTestId('unlock-go').click();
  await page.getByTestId('play').click();
  await eventually(async () => {
    const { videos } = await mediaNow(page);
    return Object.entries(videos).filter(([name, v]) => name.startsWith('recorded-') && v.frames > 10 && v.pictures >= 2).length >= 2;
  }, 40, 'two cameras play back');
  await shot(page, 'console-playback-vi');
});

function* files(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) yield* files(path);
    else if (stat?.isFile()) yield path;
  }
}

test('no file of the station or of the browser tells of the patient', { timeout: 180_000 }, async () => {
  const needles = [PATIENT, OPINION].flatMap((text) => ['NFC', 'NFD'].flatMap((form) =>
    ['utf8', 'utf16le'].map((encoding) => Buffer.from(text.normalize(form), encoding))));
  let looked = 0;
  for (const dir of [clinic.state, doctor.home])
    for (const path of files(dir)) {
      const bytes = readFileSync(path);
      looked++;
      for (const needle of needles) assert.equal(bytes.indexOf(needle), -1, `${path} tells`);
    }
  assert.ok(looked > 20);
});

test('the record verifies, sealed by the station', { timeout: 180_000 }, async () => {
  const verdict = JSON.parse(nhipcau('record', 'verify', '--state', clinic.state, '--unlock', clinic.unlock, '--json'));
  assert.equal(verdict.bad ?? verdict.summary?.bad, 0);
  assert.throws(() => nhipcau('record', 'show', '--state', clinic.state, '--json', consultationId()));
});
