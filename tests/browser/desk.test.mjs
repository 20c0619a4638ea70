// A doctor calls a specialist, and what becomes of it: rings at a desk, is declined with a reason, goes
// on along the station's list, is accepted (the time to the first frame is printed), handed over; and
// when nobody is there it is sent with a still, and the answer comes back into the record.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { eventually, mediaNow, openChromium } from '../lib/browser.mjs';
import { beginConsultation, picturesMove, screenshots, watched } from '../lib/clinic.mjs';
import { place as makePlace } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const LIST = `[camera room]
address=test:
[level province]
title=Bệnh viện tỉnh
call=minh;hoa
ring=120
[level central]
title=Bệnh viện Trung ương
call=*
ring=120
`;
const USERS = [
  { id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' },
  { id: 'hung', name: 'BS. Giàng A Hùng', role: 'doctor' },
  { id: 'minh', name: 'BS. Trần Văn Minh', role: 'specialist' },
  { id: 'hoa', name: 'BS. Ngô Thu Hoà', role: 'specialist' },
];
const ANSWER = 'Theo dõi thêm sáu giờ, đo lại điện tim';

// In the page: sounds that are made, and the time from the click that accepts to the first frame.
function deskProbe() {
  const seen = (globalThis.__desk = { tones: 0, notifications: [] });
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...args) {
    if (this.context.state === 'running') seen.tones++;
    return start.apply(this, args);
  };
  globalThis.Notification = class {
    static permission = 'granted';
    constructor(title, more) { seen.notifications.push(`${title}: ${more.body}`); }
    close() {}
  };
  addEventListener('click', (event) => {
    if (event.target.closest?.('[data-testid=accept]')) seen.accepted = performance.now();
  }, true);
  const watch = (video) => {
    if (video.__watched || !(video.dataset.testid ?? '').startsWith('video-source')) return;
    video.__watched = true;
    video.requestVideoFrameCallback(() => { seen.frame ??= performance.now(); });
  };
  new MutationObserver(() => document.querySelectorAll('video').forEach(watch)).observe(document, { childList: true, subtree: true });
}

let place, station, doctor, hospital, page, minh, hoa;
const shot = (on, name) => on.screenshot({ path: join(screenshots, `desk-${name}.png`) });
const box = (id) => page.getByTestId(id);

async function signIn(desk, user) {
  await desk.goto(`${place.origin}/desk`);
  await desk.getByTestId('desk-user').selectOption(user);
  await desk.getByTestId('desk-pin').fill(place.pin);
  await desk.getByTestId('desk-enter').click();
  await desk.getByTestId('desk').waitFor();
}

before(async () => {
  place = await makePlace('desk', { config: LIST, users: USERS });
  station = await runStation(place);
  doctor = await openChromium({ ca: place.ca, viewport: { width: 1440, height: 1000 } });
  hospital = await openChromium({ ca: place.ca });
  for (const { context } of [doctor, hospital]) await watched(context);
  await hospital.context.addInitScript(deskProbe);
  page = doctor.page;
  minh = hospital.page;
  hoa = await hospital.context.newPage();
  await beginConsultation(page, { console: place.origin, pin: place.pin, user: 'lan' });
}, { timeout: 180_000 });
after(async () => {
  await doctor?.close();
  await hospital?.close();
  await stop(station);
  place?.remove();
});

const record = (...args) => JSON.parse(execFileSync(nhipcau, ['record', ...args, '--json', '--state', place.state, '--config', place.config,
  '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' }));
const rows = () => record('show', record('list').records[0].consultation);
const rung = (desk) => desk.locator('[data-rings=true]');

// By the keyboard alone: Tab until the wanted control has the focus.
async function tabTo(on, testid) {
  for (let i = 0; i < 60; i++) {
    await on.keyboard.press('Tab');
    if (await on.evaluate(() => document.activeElement?.dataset?.testid) === testid) return;
  }
  assert.fail(`Tab does not lead to ${testid}`);
}

test('specialists sign in at the desk and go on duty', { timeout: 60_000 }, async () => {
  await signIn(minh, 'minh');
  await shot(minh, 'off-duty-vi');
  await minh.getByTestId('duty').click();
  await minh.locator('[data-testid=duty-state]', { hasText: 'Đang trực' }).waitFor();
  await signIn(hoa, 'hoa');
  await hoa.getByTestId('duty').click();
  assert.match(await hoa.getByTestId('stations').innerText(), /Tả Van[\s\S]*Đang kết nối/);
  await hoa.getByTestId('nothing-waits').waitFor();
});

test('the doctor calls: what is released is shown as it will be seen, and nothing else is', { timeout: 60_000 }, async () => {
  await box('note-history').fill('Tăng huyết áp mười năm');
  await box('note-history').blur();
  await page.locator('[data-testid=note-history-state][data-state=saved]').waitFor();
  await box('call-specialist').click();
  const dialog = box('call-dialog');
  await dialog.getByTestId('call-specialty').selectOption('cardiology');
  await dialog.getByTestId('urgency-urgent').check({ force: true });
  await dialog.locator('[data-testid=on-duty]', { hasText: 'BS. Trần Văn Minh, BS. Ngô Thu Hoà' }).waitFor();
  await dialog.getByTestId('call-question').fill('Có cần chuyển ngay không?');
  await dialog.locator('[data-testid=call-preview]', { hasText: 'Có cần chuyển' }).waitFor();
  const shown = await dialog.getByTestId('call-summary').innerText();
  assert.doesNotMatch(shown, /Pành|huyết áp/);
  await dialog.getByTestId('release-note:history').check();
  await dialog.locator('[data-testid=call-summary]', { hasText: 'Tăng huyết áp' }).waitFor();
  const promised = await dialog.getByTestId('call-summary').innerText();
  await shot(page, 'call-vi');
  await dialog.getByTestId('call-go').click();
  await dialog.waitFor({ state: 'hidden' });
  await rung(minh).waitFor();
  assert.equal(await rung(minh).getByTestId('call-summary').innerText(), promised);
  assert.equal(await rung(hoa).count(), 0);
});

test('the desk rings: sound, title, notification, none of them with the patient in it', { timeout: 60_000 }, async () => {
  await eventually(() => minh.evaluate(() => globalThis.__desk.tones > 0), 20, 'it is heard');
  await eventually(async () => (await minh.title()).includes('Cuộc gọi đến'), 20, 'the title says it');
  const notifications = await minh.evaluate(() => globalThis.__desk.notifications);
  assert.deepEqual(notifications, ['Trạm Y tế xã Tả Van gọi: Tim mạch · Khẩn']);
  assert.equal(await hoa.evaluate(() => globalThis.__desk.tones), 0);
  await box('call-notice').waitFor();
  assert.match(await box('call-says').innerText(), /Đang đổ chuông: BS. Trần Văn Minh \(Bệnh viện tỉnh\)/);
  await shot(minh, 'rings-vi');
  await shot(page, 'console-rings-vi');
});

test('declined with a reason, by the keyboard; the next of the list rings', { timeout: 60_000 }, async () => {
  await minh.bringToFront();
  await minh.locator('body').click({ position: { x: 4, y: 300 } });
  await tabTo(minh, 'decline');
  await minh.keyboard.press('Enter');
  await minh.getByTestId('decline-dialog').waitFor();
  await minh.getByTestId('reason-busy').focus();
  await minh.keyboard.press('ArrowDown'); // another specialty is needed
  await tabTo(minh, 'decline-text');
  await minh.keyboard.insertText('đang trong phòng mổ');
  await tabTo(minh, 'decline-go');
  await minh.keyboard.press('Enter');
  await rung(hoa).waitFor();
  assert.equal(await rung(minh).count(), 0);
  await page.locator('[data-testid=call-decline]', { hasText: 'BS. Trần Văn Minh từ chối: Không đúng chuyên khoa – đang trong phòng mổ' }).waitFor();
  await minh.locator('[data-testid=history]', { hasText: 'Từ chối' }).waitFor();
});

test('the doctor does not wait: the next level rings', { timeout: 60_000 }, async () => {
  await page.locator('[data-testid=call-escalate]', { hasText: 'Bệnh viện Trung ương' }).click();
  await page.locator('[data-testid=call-says]', { hasText: 'Bệnh viện Trung ương' }).waitFor();
  assert.equal(await rung(hoa).count(), 1);
  assert.equal(await rung(minh).count(), 0); // has said no
});

test('accepted by the keyboard: media flow both ways', { timeout: 120_000 }, async () => {
  await hoa.bringToFront();
  await hoa.locator('body').click({ position: { x: 4, y: 300 } });
  await tabTo(hoa, 'accept');
  await hoa.keyboard.press('Enter');
  await hoa.getByTestId('in-call').waitFor();
  await picturesMove(hoa, ['video-source-room'], 40);
  const ms = await hoa.evaluate(() => globalThis.__desk.frame - globalThis.__desk.accepted);
  console.log(`# accept to first frame: ${Math.round(ms)} ms`);
  assert.ok(ms > 0 && ms < 15_000, `${ms} ms`);
  await page.locator('[data-testid=call-says]', { hasText: 'BS. Ngô Thu Hoà đã nhận' }).waitFor();
  await eventually(async () => Object.entries((await mediaNow(page)).videos).some(([name, v]) => name.startsWith('video-peer-') && v.frames > 10),
    40, 'the doctor sees the specialist');
  assert.equal(await box('waiting').count(), 0); // nobody had to be let in
  await shot(hoa, 'in-call-vi');
});

test('handed over: the first stays until the second has it', { timeout: 120_000 }, async () => {
  await hoa.getByTestId('hand-over').click();
  await hoa.getByTestId('to-minh').click();
  await hoa.getByTestId('handing').waitFor();
  await rung(minh).waitFor();
  await picturesMove(hoa, ['video-source-room'], 40);
  await minh.bringToFront();
  await rung(minh).getByTestId('accept').click();
  await picturesMove(minh, ['video-source-room'], 40);
  await hoa.getByTestId('handed-over').waitFor();
  await page.locator('[data-testid=call-says]', { hasText: 'BS. Trần Văn Minh đã nhận' }).waitFor();
  await hoa.bringToFront();
  await hoa.getByTestId('back').click();
  await hoa.getByTestId('desk').waitFor();
  await hoa.locator('[data-testid=history]', { hasText: 'Đã chuyển' }).waitFor();
  // A reload in the middle: the call is one's own still.
  await minh.bringToFront();
  await minh.reload();
  await minh.locator('[data-testid=accept]', { hasText: 'Trở lại' }).click();
  await picturesMove(minh, ['video-source-room'], 40);
  await minh.getByTestId('back').click();
  await minh.getByTestId('desk').waitFor();
  await eventually(async () => (await box('call-notice').count()) === 0, 20, 'the call is over at the console');
});

test('nobody is there: sent later with a still, and the answer comes into the record', { timeout: 120_000 }, async () => {
  await box('picture-take').click();
  await page.getByTestId('picture-list').locator('button').first().waitFor({ timeout: 40_000 });
  await hoa.bringToFront();
  await hoa.getByTestId('duty').click(); // off
  await minh.bringToFront();
  await minh.locator('[data-testid=duty-state]', { hasText: 'Đang trực' }).waitFor(); // through the reload
  await minh.getByTestId('duty').click();
  await page.bringToFront();
  await box('call-specialist').click();
  await box('call-dialog').getByTestId('call-specialty').selectOption('cardiology');
  await box('call-dialog').locator('[data-testid=on-duty]', { hasText: 'Chưa thấy ai' }).waitFor();
  await box('call-go').click();
  await page.locator('[data-testid=call-notice][data-state=unanswered]').waitFor();
  await box('call-later').click();
  await box('later-files').waitFor();
  await shot(page, 'later-vi');
  await box('later-go').click();
  await page.locator('[data-testid=call-notice][data-state=later]').waitFor();

  await hoa.bringToFront();
  await hoa.setViewportSize({ width: 390, height: 800 });
  await hoa.getByTestId('case-open').click();
  await hoa.locator('[data-testid=case-file][data-ready=true]').first().waitFor();
  await page.locator('[data-testid=call-says]', { hasText: 'BS. Ngô Thu Hoà đang xem' }).waitFor();
  await hoa.getByTestId('case-file').first().click();
  await hoa.getByTestId('viewer-picture').waitFor();
  await hoa.getByTestId('viewer').getByTestId('close').click();
  await hoa.getByTestId('case-text').fill(ANSWER);
  await shot(hoa, 'case-phone-vi');
  await hoa.getByTestId('case-send').click();
  await page.locator('[data-testid=call-says]', { hasText: 'Đã có ý kiến của BS. Ngô Thu Hoà' }).waitFor();
  await page.getByText(ANSWER).first().waitFor();
  const shown = JSON.stringify(rows());
  assert.ok(shown.includes(ANSWER) && shown.includes('Ngô Thu Hoà'));
  for (const what of ['call-requested', 'call-ringing', 'call-declined', 'call-escalated', 'call-accepted', 'call-handing',
    'call-handed-over', 'call-ended', 'call-unanswered', 'call-later', 'call-case-taken', 'call-answered'])
    assert.ok(shown.includes(`"${what}"`), `${what} is in the record`);
});

test('English second', { timeout: 60_000 }, async () => {
  await hoa.setViewportSize({ width: 1366, height: 768 });
  await hoa.getByTestId('language-en').click();
  await hoa.locator('html[lang=en]').waitFor();
  assert.match(await hoa.getByTestId('desk').innerText(), /Specialist's desk[\s\S]*Go on duty/);
  await shot(hoa, 'en');
});
