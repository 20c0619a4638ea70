// Two who watch the same source, one of them behind a link that shrinks: the one gets smaller
// pictures, then stills, then video again by itself; the other notices nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, mediaNow, openChromium, watchMedia } from '../lib/browser.mjs';
import { startHub } from '../lib/hub.mjs';
import { UdpLink } from '../lib/udp-link.mjs';

let hub, chromium;
const link = new UdpLink({ rate: 4_000_000, delay: 40 });
before(async () => {
  hub = await startHub();
  chromium = await openChromium({
    args: ['--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'],
  });
  await chromium.context.addInitScript(watchMedia);
  hub.links.set('far', { link, ...(await link.open()) });
});
after(async () => {
  await chromium?.close();
  link.close();
  assert.equal(await hub?.stop(), 0);
});

async function open(peer, more, own = false) {
  const page = await chromium.context.newPage();
  await page.goto(hub.address);
  // Who may use the microphone is shown real addresses.
  await page.evaluate(() => navigator.mediaDevices.getUserMedia({ audio: true }));
  await page.evaluate(([name, options, wantsOwn]) => globalThis.hub.start(name, wantsOwn, options), [peer, more, own]);
  await eventually(async () => hub.state(peer)?.state === 'connected', 15, `${peer} is connected`);
  hub.tell({ do: 'look-at', peer, stream: own ? 'nothing' : 'source-room' });
  return page;
}

const frames = async (page, name) => (await mediaNow(page)).videos[name]?.frames ?? 0;
async function moves(page, more = 25, name = 'source-room') {
  await page.bringToFront();
  const start = await frames(page, name);
  await eventually(async () => (await frames(page, name)) >= start + more, 30, 'the picture moves');
}
const stream = async (peer, name) => (await hub.look(peer)).streams.find((s) => s.name === name && s.kind === 'video');
const rung = async (peer) => (await stream(peer, 'source-room')).rung;
const sights = () => hub.events.filter((e) => e.event === 'sight' && e.peer === 'far').map((e) => e.sight);

let near, far;
test('the link of one shrinks, and comes back', async (t) => {
  near = await open('near', {});
  far = await open('far', { measured: true });
  await moves(far);
  await eventually(async () => (await rung('far')) === 0, 30, 'the whole picture');
  const wants = () => hub.events.filter((e) => e.event === 'want-live').map((e) => `${e.value ? '+' : '-'}${e.codec}:${e.rung}`);
  assert.ok(!wants().includes('-h264:0'));

  link.setRate(240_000);
  await eventually(async () => (await rung('far')) >= 2, 30, 'a smaller picture');
  assert.equal(await rung('near'), 0);
  await moves(far, 20);
  const { width } = (await mediaNow(far)).videos['source-room'];
  assert.ok(width > 0 && width < 640, `${width}`);

  const target = () => hub.events.findLast((e) => e.event === 'want-bitrate' && e.rung === 0).value;
  assert.ok(target() > 400_000, `the other's encoder aims at ${target()}`);

  link.setRate(64_000, 1);
  await eventually(async () => (await hub.look('far')).sight === 2, 60, 'stills only');
  assert.equal(await rung('far'), -1);
  const audioStart = (await mediaNow(far)).energy;
  const seen = await eventually(async () => {
    const chunks = await far.evaluate(() => globalThis.hub.stills.map(({ bytes }) => bytes.slice(0, 64)));
    const numbers = new Map();
    for (const [, , , n, , , , count] of chunks) {
      const known = numbers.get(n) ?? { got: 0, count };
      numbers.set(n, { got: known.got + 1, count });
    }
    const whole = [...numbers.values()].filter(({ got, count }) => got === count);
    return whole.length >= 2 && { chunks, whole };
  }, 60, 'two whole stills');
  const first = seen.chunks.find(([, , , , a, b]) => a === 0 && b === 0);
  const name = String.fromCharCode(...first.slice(13, 13 + first[12]));
  assert.equal(name, 'source-room');
  assert.deepEqual(first.slice(13 + name.length, 15 + name.length), [0xff, 0xd8], 'a JPEG');
  await eventually(async () => (await mediaNow(far)).energy > audioStart, 20, 'sound goes on');
  await moves(near);
  assert.equal(await rung('near'), 0);

  link.setRate(3_000_000);
  const from = performance.now();
  await eventually(async () => (await hub.look('far')).sight !== 2, 60, 'video again');
  t.diagnostic(`video again after ${((performance.now() - from) / 1000).toFixed(1)} s`);
  await moves(far);
  await eventually(async () => (await rung('far')) === 0, 90, 'the whole picture again');
  t.diagnostic(`the whole picture after ${((performance.now() - from) / 1000).toFixed(1)} s; ${sights().join(' ')}`);
  assert.equal(await far.evaluate(() => globalThis.hub.error), undefined);
  assert.equal(await near.evaluate(() => globalThis.hub.error), undefined);
  assert.ok(!wants().includes('-h264:0'), 'the rung of the other never ended');
});

test('of a simulcast each gets the layer that its link carries', async () => {
  const sender = await open('sender', {}, true);
  const layer = async (peer) => (await stream(peer, 'peer-sender'))?.rung;
  const seen = async (page) => (await mediaNow(page)).videos['peer-sender']?.width;
  for (const peer of ['near', 'far']) hub.tell({ do: 'look-at', peer, stream: 'peer-sender' });
  await moves(near, 25, 'peer-sender');
  await eventually(async () => (await layer('far')) === 0 && (await seen(far)) === 640, 60, 'the large one');

  link.setRate(320_000);
  await eventually(async () => (await layer('far')) === 1, 60, 'the small one');
  await moves(far, 15, 'peer-sender');
  assert.equal(await seen(far), 320);
  await moves(near, 25, 'peer-sender');
  assert.equal(await layer('near'), 0);
  assert.equal(await seen(near), 640);

  link.setRate(100_000, 1); // not even the small one
  await eventually(async () => (await layer('far')) === -1, 60, 'nothing');
  await moves(near, 25, 'peer-sender');
  const before = (await mediaNow(near)).energy;
  await eventually(async () => (await mediaNow(near)).energy > before, 10, 'sound');

  link.setRate(4_000_000);
  await eventually(async () => (await layer('far')) === 0 && (await seen(far)) === 640, 90, 'the large one again');
  await moves(far, 15, 'peer-sender');
  for (const page of [near, far, sender]) assert.equal(await page.evaluate(() => globalThis.hub.error), undefined);
});
