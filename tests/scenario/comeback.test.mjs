// Links that go and come back: the specialist's page shows live pictures again without a click, over
// the connection it had, and the station's record has no gap.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { eventually, openChromium } from '../lib/browser.mjs';
import { soundGrows } from '../lib/clinic.mjs';
import { Comeback } from '../lib/comeback.mjs';
import { nhipcau, stop } from '../lib/station.mjs';

const LONG = Boolean(process.env.NHIPCAU_LONG);
let call;
before(async () => { call = await Comeback.make(); }, { timeout: 120_000 });
after(async () => { await call?.end(); });

// Pictures and sound are there again, by the same connection.
async function isBack(since, connections) {
  await call.firstPictureAfter(since);
  await soundGrows(call.page, 30);
  assert.equal(await call.connections(), connections, 'the connection was kept');
}

test('a blackout of 10 s', { timeout: 180_000 }, async () => {
  const before = await call.connections();
  await isBack(await call.blackout(10), before);
});

// Longer than the SCTP library sends one chunk again when it is left alone (30 times).
test('a blackout of 75 s', { timeout: 180_000, skip: !LONG }, async () => {
  const before = await call.connections();
  await isBack(await call.blackout(75), before);
});

test('the station gets another address', { timeout: 180_000 }, async () => {
  const before = await call.connections();
  const since = Date.now();
  await call.link.changeAddress('clinic');
  await isBack(since + 2000, before);
});

test('the station is without any address for a while, and gets another', { timeout: 180_000 }, async () => {
  const before = await call.connections();
  await call.link.changeAddress('clinic', { gap: 5 });
  await isBack(Date.now(), before);
});

test('the browser gets another address', { timeout: 180_000 }, async () => {
  const before = await call.connections();
  await call.link.changeAddress('hospital');
  await call.dark();
  await isBack(Date.now(), before);
});

test('the page is loaded anew', { timeout: 180_000 }, async () => {
  const since = Date.now();
  await call.page.reload();
  await call.firstPictureAfter(since);
  await soundGrows(call.page, 30);
});

// Slow beside a call, but all of it comes; the next time only the page itself.
test('the page comes over a poor link', { timeout: 150_000 }, async () => {
  await call.link.become('mountain-4g');
  const browser = await openChromium({ ca: call.place.ca, netns: call.link.hospital });
  try {
    const asked = [];
    browser.page.on('requestfinished', async (request) => asked.push([new URL(request.url()).pathname, await request.sizes()]));
    for (const scripts of [true, false]) {
      asked.length = 0;
      await browser.page.goto(`${call.place.origin.replace('localhost', call.link.origin)}/join`, { timeout: 180_000 });
      await browser.page.locator('h1, h2, [role=alert]').first().waitFor({ timeout: 180_000 });
      await eventually(async () => asked.length >= 3, 30, 'what was asked for');
      const came = asked.filter(([path, { responseBodySize }]) => path.endsWith('.js') && responseBodySize > 0);
      assert.equal(came.length > 0, scripts, JSON.stringify(asked));
    }
  } finally {
    await browser.close();
    await call.link.become('fibre');
  }
});

const show = () => JSON.parse(execFileSync(nhipcau, ['record', 'show', list().records[0].consultation, ...reading()], { encoding: 'utf8' }));
const list = () => JSON.parse(execFileSync(nhipcau, ['record', 'list', ...reading()], { encoding: 'utf8' }));
const reading = () => ['--json', '--state', call.place.state, '--config', call.place.config,
  '--boot-credential', call.place.boot, '--unlock', call.place.passphrase];

test('the station is killed and comes back', { timeout: 180_000 }, async () => {
  const before = await call.connections();
  await call.kill();
  await call.startStation();
  // Pictures that were under way are shown after the kill, too.
  await eventually(async () => await call.connections() > before, 30, 'another connection');
  await call.firstPictureAfter(Date.now());
  await soundGrows(call.page, 30);
});

test('the record has no gap but the one of the kill', { timeout: 180_000 }, async () => {
  await stop(call.station);
  const record = show();
  const happened = record.rows.event.map(({ body }) => body.what);
  assert.ok(happened.includes('interrupted') && happened.includes('resumed'), happened.join());
  for (const stream of ['room', 'microphone']) {
    const times = record.tracks.find((track) => track.stream === stream).segments
      .flatMap(({ epoch_us: epoch, records }) => records.filter(({ flags }) => !(flags & 2)).map(({ pts_us: pts }) => pts - epoch));
    const gaps = times.slice(1).map((time, i) => time - times[i]).filter((gap) => gap > 4e6);
    assert.ok(gaps.length <= 1, `${stream}: gaps of ${gaps} µs`);
  }
});
