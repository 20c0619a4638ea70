// A specialist behind a link that becomes too weak for video: the page says so and shows stills with
// their age, sound goes on, the doctor sees who it is; and video comes back without a click. The
// recording knows nothing of it.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { picturesMove, screenshots, soundGrows } from '../lib/clinic.mjs';
import { Meeting } from '../lib/meeting.mjs';

let meeting, link, doctor, specialist;

before(async () => {
  meeting = await Meeting.over('fibre');
  ({ link, doctor, specialist } = meeting);
}, { timeout: 120_000 });

after(async () => { await meeting?.end(); });

const text = (page, id) => page.getByTestId(id).textContent({ timeout: 500 });
const shown = async (page, id) => (await page.getByTestId(id).count()) > 0;

test('sound and stills while the link is weak', { timeout: 180_000 }, async (t) => {
  const { page } = specialist;
  assert.equal(await shown(page, 'weak-network'), false);
  await link.set({ up: { rate: 110_000, queue: 1000, delay: 150, loss: 0.02 } });
  const notice = await eventually(() => text(page, 'weak-network'), 40, 'the page says that the network is weak');
  assert.match(notice, /Mạng yếu – chỉ còn tiếng, ảnh chụp vài giây một lần/);
  assert.match(await text(page, 'link-state'), /Mạng yếu/);

  const still = page.getByTestId('still-source-room');
  await still.waitFor({ timeout: 180_000 });
  const taken = () => still.getAttribute('data-taken').then(Number);
  const first = await taken();
  assert.ok(await still.evaluate((image) => image.decode().then(() => image.naturalWidth >= 240 && image.naturalWidth <= 640)));
  await eventually(async () => (await taken()) > first, 40, 'another still');
  const ages = [];
  await eventually(async () => {
    const age = Number(/(\d+)/.exec(await text(page, 'still-source-room-age'))[1]);
    ages.push(age);
    return ages.length >= 20;
  }, 30, 'ages');
  t.diagnostic(`ages of stills, s: ${[...new Set(ages)].join(' ')}`);
  assert.ok(Math.min(...ages) < 20);
  await soundGrows(page, 30);
  await page.screenshot({ path: join(screenshots, 'join-weak-network.png') });

  // The doctor sees whose network it is; the own pictures go on.
  await doctor.page.getByTestId('tab-guests').click();
  await eventually(async () => /Mạng yếu – chỉ còn tiếng/.test(await text(doctor.page, 'guests')), 20, 'the doctor is told');
  assert.equal(await shown(doctor.page, 'weak-network'), false);
  await picturesMove(doctor.page, ['video-source-room', 'video-source-exam']);

  await link.become('fibre');
  const from = performance.now();
  await eventually(async () => !(await shown(page, 'weak-network')), 60, 'the notice goes');
  assert.equal(await shown(page, 'still-source-room'), false);
  await picturesMove(page, ['video-source-room'], 60);
  t.diagnostic(`video again after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  await eventually(async () => !/Mạng yếu/.test(await text(doctor.page, 'guests')), 20, 'the doctor is told');
});
