// A specialist behind a link that becomes too weak for video: the page says so and shows stills with
// their age, sound goes on, the doctor sees who it is; and video comes back without a click. The
// recording knows nothing of it.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually, openChromium } from '../lib/browser.mjs';
import { askToJoin, picturesMove, screenshots, signIn, soundGrows, tryClinic, watched } from '../lib/clinic.mjs';
import { makeLink } from '../lib/link.mjs';

let link, clinic, doctor, specialist;

before(async () => {
  link = await makeLink('fibre');
  clinic = await tryClinic({ netns: link.clinic, args: ['--listen', link.origin] });
  doctor = await openChromium({ ca: clinic.ca, netns: link.clinic });
  specialist = await openChromium({ ca: clinic.ca, netns: link.hospital });
  for (const { context } of [doctor, specialist]) await watched(context);
  await signIn(doctor.page, clinic);
  await askToJoin(specialist.page, { specialist: clinic.specialist.replace('localhost', link.origin) });
  await doctor.page.getByTestId('admit').click();
  await picturesMove(specialist.page, ['video-source-room']);
}, { timeout: 120_000 });

after(async () => {
  await specialist?.close();
  await doctor?.close();
  await clinic?.end();
  await link?.remove();
});

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
  await still.waitFor({ timeout: 60_000 });
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
