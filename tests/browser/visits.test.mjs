// A scheduled checkup as people do it: the doctor makes the appointment, the patient opens the link on
// a phone-sized page, proves it with the PIN, tries the phone, waits, is let in; both compare codes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openChromium } from '../lib/browser.mjs';
import { picturesMove, screenshots, watched } from '../lib/clinic.mjs';
import { place as makePlace } from '../lib/people.mjs';
import { burn, enterPin, PHONE, walk, wrongOf } from '../lib/phone.mjs';
import { runStation, sim, stop } from '../lib/station.mjs';

let place, station, doctor, speaks;
const browsers = [];

async function browser(options = {}) {
  const one = await openChromium({ ca: place.ca, ...options });
  browsers.push(one);
  await watched(one.context);
  return one.page;
}

before(async () => {
  place = await makePlace('visits-pages', {
    config: '[camera room]\naddress=test:\n[visits]\nclock=trusted\n', more: 'phone=0214 3871 234',
  });
  const speech = join(place.dir, 'speech.wav');
  execFileSync(sim('sim-speech'), [speech], { stdio: 'pipe' });
  speaks = [`--use-file-for-fake-audio-capture=${speech}`];
  station = await runStation(place);
  doctor = await browser();
  await doctor.goto(place.origin);
  await doctor.getByTestId('user-lan').click();
  await doctor.getByTestId('pin').fill(place.pin);
  await doctor.getByTestId('pin-enter').click();
  await doctor.getByTestId('home').waitFor();
}, { timeout: 180_000 });
after(async () => {
  for (const one of browsers) await one.close();
  await stop(station);
  place?.remove();
});

const shot = (page, name) => page.screenshot({ path: join(screenshots, `visits-${name}.png`) });
const local = (ms) => new Date(ms - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

// Through the doctor's page; gives link and PIN as they stand there.
async function plan(name, at = Date.now()) {
  await doctor.getByTestId('visit-new').click();
  const dialog = doctor.getByTestId('visit-dialog');
  await dialog.getByTestId('visit-at').fill(local(at));
  await dialog.getByTestId('visit-reason').fill('Tái khám tăng huyết áp');
  await dialog.getByTestId('patient-name').fill(name);
  await dialog.getByTestId('visit-create').click();
  const card = doctor.getByTestId('visit-card-dialog');
  const message = await card.getByTestId('visit-message').inputValue();
  const pin = (await card.getByTestId('visit-pin').innerText()).replace(/\D/g, '');
  if (name.startsWith('Vàng')) await shot(doctor, 'card');
  await card.getByTestId('card-done').click();
  const [link] = message.match(/https:\/\/\S+/);
  assert.ok(!message.includes(pin));
  return { link, pin };
}

let used;
test('the patient comes by link and PIN, tries the phone, waits, and is seen', { timeout: 240_000 }, async () => {
  const { link, pin } = (used = await plan('Vàng Thị Mỷ'));
  const phone = await browser({ viewport: PHONE, args: speaks });
  await phone.goto(link);
  await phone.getByTestId('visit-pin').waitFor();
  await shot(phone, 'pin');
  await enterPin(phone, wrongOf(pin));
  const wrong = phone.getByTestId('pin-wrong');
  await wrong.getByText('Còn 4 lần thử').waitFor();
  await enterPin(phone, pin);
  await walk(phone, (name) => shot(phone, name));
  await phone.getByTestId('lobby-told').getByText('đã biết bạn đang chờ').waitFor();
  await shot(phone, 'lobby');

  const waiting = doctor.locator('[data-testid^=lobby-]');
  await waiting.getByText('Vàng Thị Mỷ').waitFor();
  for (const word of ['Camera: tốt', 'Micrô: tốt', 'Loa: tốt', 'Mạng: tốt', 'đã đồng ý trên điện thoại'])
    await waiting.getByText(word).waitFor();
  await shot(doctor, 'waiting');
  await phone.reload(); // the same phone: no PIN, no test again
  await phone.getByTestId('lobby').waitFor();
  await doctor.getByTestId('visit-admit').click();
  await phone.getByTestId('live').waitFor({ state: 'visible' });
  await picturesMove(phone, ['video-source-room'], 60);
});

test('both see the same code; the doctor says so, and it is in the record', { timeout: 120_000 }, async () => {
  const phone = browsers.at(-1).page;
  await phone.getByTestId('figures-open').click();
  const code = await phone.getByTestId('comparison-code').innerText();
  assert.match(code, /^\d{3} \d{3}$/);
  assert.equal(await phone.getByTestId('encryption').first().getAttribute('data-state'), 'direct');
  await shot(phone, 'code');
  await doctor.getByTestId('tab-guests').click();
  const own = doctor.locator('[data-testid^=code-g]').first();
  assert.equal(await own.innerText(), code);
  await own.click();
  await shot(doctor, 'code-console');
  await doctor.getByTestId('code-same').click();
  await doctor.getByTestId('code-same-said').waitFor();
  await doctor.getByTestId('tab-happenings').click();
  await doctor.getByText('Mã đối chiếu giống nhau').waitFor();
});

test('codes that differ end the call, and the link opens nothing more', { timeout: 120_000 }, async () => {
  const phone = browsers.at(-1).page;
  await phone.getByTestId('code-differs').click();
  await phone.getByTestId('code-differs-sure').click();
  const ended = phone.getByTestId('ended');
  await ended.getByText('Hai mã không giống nhau').waitFor();
  await ended.getByTestId('station-phone').waitFor();
  await shot(phone, 'differs');
  await doctor.getByText('Mã đối chiếu khác nhau: đã dừng cuộc gọi').waitFor();
  await phone.goto('about:blank');
  await phone.goto(used.link);
  await phone.getByTestId('refused').getByText('Lời mời đã hết hạn').waitFor();
});

test('wrong PINs, early, late and foreign links: each is told in plain words', { timeout: 240_000 }, async () => {
  await doctor.getByTestId('park').click();
  await doctor.getByTestId('park-go').click();
  await doctor.getByTestId('home').waitFor();
  const phone = await browser({ viewport: PHONE, args: speaks });
  const opens = async (link, words) => {
    await phone.goto('about:blank');
    await phone.goto(link);
    const refused = phone.getByTestId('refused');
    await refused.getByText(words).waitFor();
    await refused.getByTestId('station-phone').waitFor();
  };
  const early = await plan('Lò Văn Pành', Date.now() + 3 * 3600_000);
  await opens(early.link, 'Hãy mở lại đường dẫn này từ lúc');
  await shot(phone, 'early');
  const late = await plan('Giàng A Páo', Date.now() - 3 * 3600_000);
  await opens(late.link, 'Lời mời đã hết hạn');
  await opens(late.link.replace(/#v1\.pin-[\w-]+/, '#v1.pin-AAAAAAAAAAAAAAAA'), 'đường dẫn là của trạm khác');

  const burnt = await plan('Sùng Thị Dở');
  await burn(phone, burnt);
  await phone.getByTestId('refused').getByText('Lời mời đã bị hủy vì mở sai nhiều lần').waitFor();
  await shot(phone, 'burnt');
  const row = doctor.locator('.visit-row', { hasText: 'Sùng Thị Dở' });
  await row.getByText('Bị hủy vì nhập sai').waitFor();

  await row.getByTestId('visit-cancel').click();
  await doctor.getByTestId('cancel-go').click();
  await row.waitFor({ state: 'detached' });
  await opens(burnt.link, 'Cuộc hẹn này đã được hủy');
});

test('a representative, and another phone in the place of the first', { timeout: 240_000 }, async () => {
  const { link, pin } = await plan('Thào Thị Say');
  const first = await browser({ viewport: PHONE, args: speaks });
  const second = await browser({ viewport: PHONE, devices: false });
  await first.goto(link);
  await enterPin(first, pin);
  await walk(first);
  await second.goto(link);
  await enterPin(second, pin);
  await second.getByTestId('other-phone').waitFor();
  await second.getByTestId('as-representative').click();
  await second.getByTestId('who-go').click();
  await second.getByText('Hãy ghi quan hệ với người bệnh.').waitFor();
  await second.getByTestId('visit-name').fill('Thào A Lềnh');
  await second.getByTestId('visit-relation').fill('con trai');
  await shot(second, 'representative');
  await second.getByTestId('who-go').click();
  await second.getByTestId('consent-later').click();
  for (const test of ['camera', 'microphone']) { // this phone has neither
    await second.getByTestId(`visit-${test}`).waitFor();
    await second.getByTestId('test-help').waitFor();
    if (test === 'camera') await shot(second, 'no-camera');
    await second.getByTestId('test-skip').click();
  }
  await second.getByTestId('tone').click();
  await second.getByTestId('test-no').click();
  await second.getByTestId('test-help').getByText('tăng âm lượng').waitFor();
  await second.getByTestId('test-skip').click();
  await second.getByTestId('visit-enter').click();
  await second.getByTestId('lobby-other').waitFor();

  const other = doctor.locator('[data-testid^=lobby-]', { hasText: 'Thào A Lềnh' });
  for (const word of ['con trai', 'Điện thoại khác với điện thoại đã mở lời mời', 'Camera: hỏng', 'Loa: hỏng', 'chưa đồng ý'])
    await other.getByText(word).waitFor();
  await shot(doctor, 'two-phones');
  await other.getByTestId('visit-admit').click();
  await second.getByTestId('live').waitFor({ state: 'visible' });
  await first.getByTestId('ended').getByText('điện thoại khác vào thay').waitFor();
  await doctor.getByTestId('tab-guests').click();
  await doctor.getByTestId('guests').getByText('Thào A Lềnh').waitFor();
});
