// Four at once: the doctor's console, two guests in Chromium, one in Firefox. Each sees and hears each;
// what several watch is sent in two layers; who leaves takes nothing from the others.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { eventually, openChromium, openFirefox, mediaNow, watchMedia } from '../lib/browser.mjs';
import { invite, picturesMove, signIn, tryClinic, watched } from '../lib/clinic.mjs';

let clinic;
const browsers = [];
const pages = {};

async function chromium(name) {
  // Three encode and show what four send, all on one machine: half of the pictures is enough to see who moves.
  const browser = await openChromium({ ca: clinic.ca, args: ['--use-fake-device-for-media-stream=fps=10'] });
  browsers.push(browser);
  await watched(browser.context);
  pages[name] = browser.page;
  return browser.page;
}
async function firefox(name) {
  const browser = await openFirefox({ ca: clinic.ca });
  browsers.push(browser);
  await browser.page.evaluateOnNewDocument(watchMedia);
  pages[name] = browser.page;
  return browser.page;
}

// Works with playwright's pages and puppeteer's.
const find = (id) => `[data-testid="${id}"]`;
async function fill(page, id, text) {
  await page.waitForSelector(find(id));
  await page.click(find(id));
  await page.keyboard.type(text);
}

async function join(page, link, name) {
  await page.goto(link);
  await fill(page, 'name', name);
  await page.waitForSelector(`${find('join')}:not([disabled])`);
  await page.click(find('join'));
  await pages.doctor.getByTestId('admit').click({ timeout: 180_000 });
  await page.waitForSelector(find('live'), { timeout: 180_000 });
}

before(async () => {
  clinic = await tryClinic();
  await signIn(await chromium('doctor'), clinic);
  await picturesMove(pages.doctor, ['video-source-room']);
  await pages.doctor.getByTestId('camera').click();
}, { timeout: 240_000 });
after(async () => {
  // All of them, whatever one says.
  await Promise.allSettled(browsers.map((browser) => browser.close()));
  await clinic?.end();
});

const others = (media) => Object.entries(media.videos).filter(([name]) => name.startsWith('video-peer-'));
// What comes to a page of each video: whether a picture that stands still is not sent, not whole, or not shown.
const coming = (page) => page.evaluate(async () => {
  const list = [];
  for (const connection of globalThis.__media.connections) {
    if (connection.connectionState === 'closed') continue;
    for (const stat of (await connection.getStats()).values())
      if (stat.type === 'inbound-rtp' && stat.kind === 'video')
        list.push({ mid: stat.mid, packets: stat.packetsReceived, decoded: stat.framesDecoded, keys: stat.keyFramesDecoded, plis: stat.pliCount });
  }
  return list;
});
// The pages that have presented so many other people's pictures, moving, from now on.
async function sees(name, people) {
  const page = pages[name];
  await page.bringToFront();
  const before = Object.fromEntries(others(await mediaNow(page)));
  let seen;
  await eventually(async () => {
    seen = others(await mediaNow(page)).map(([id, now]) => [id, now.frames - (before[id]?.frames ?? 0), now.pictures]);
    return seen.filter(([, frames, pictures]) => frames >= 10 && pictures >= 2).length >= people;
  }, 60, `${name} sees ${people}`).catch(async (error) => {
    const [before, after] = [await coming(page), await new Promise((done) => setTimeout(() => done(coming(page)), 3000))];
    throw new Error(`${error.message}: ${JSON.stringify(seen)}; what comes, and 3 s later: ${JSON.stringify(before)} ${JSON.stringify(after)}`);
  });
}
const voices = (page) => page.evaluate(async () => {
  const energies = {};
  for (const connection of globalThis.__media.connections) {
    if (connection.connectionState !== 'connected') continue;
    for (const stat of (await connection.getStats()).values())
      if (stat.type === 'inbound-rtp' && stat.kind === 'audio') energies[stat.ssrc] = stat.totalAudioEnergy ?? 0;
  }
  return energies;
});
async function hears(name, people) {
  const before = await voices(pages[name]);
  await eventually(async () => {
    const now = await voices(pages[name]);
    return Object.keys(now).filter((ssrc) => now[ssrc] > (before[ssrc] ?? 0)).length >= people;
  }, 60, `${name} hears ${people}`);
}

test('each sees and hears each', { timeout: 400_000 }, async () => {
  await join(await chromium('minh'), clinic.specialist, 'BS. Trần Văn Minh');
  await join(await chromium('hoa'), await invite(pages.doctor), 'BS. Nguyễn Thị Hoa');
  await join(await firefox('nam'), await invite(pages.doctor), 'BS. Phạm Văn Nam');
  for (const name of Object.keys(pages)) await sees(name, 3);
  for (const name of Object.keys(pages)) await hears(name, 3);
});

// The large one rests where the machine is too slow for both.
test('what several watch is sent smaller, too', { timeout: 120_000 }, async () => {
  const small = () => pages.minh.evaluate(async () => {
    for (const connection of globalThis.__media.connections)
      for (const stat of (await connection.getStats()).values())
        if (stat.type === 'outbound-rtp' && stat.rid === 'l') return stat.framesSent ?? 0;
    return 0;
  });
  const start = await small();
  await eventually(async () => (await small()) > start + 10, 60, 'the small one goes');
});

test('who leaves takes nothing from the others', { timeout: 120_000 }, async () => {
  await pages.hoa.getByTestId('leave').click();
  delete pages.hoa;
  for (const name of Object.keys(pages)) await sees(name, 2);
  for (const name of Object.keys(pages)) await hears(name, 2);
  for (const page of Object.values(pages)) assert.ok(others(await mediaNow(page)).length >= 2);
});
