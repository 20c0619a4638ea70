// Pictures of the cameras at their sensors' size: taken by the doctor, asked for by the specialist,
// kept in the record, sent in parts that no cut makes come twice, looked at on both pages.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { picturesMove, screenshots } from '../lib/clinic.mjs';
import { openExam } from '../lib/exam.mjs';
import { freePort, line, sim, start, stop } from '../lib/station.mjs';

const CAMERA = { width: 1920, height: 1080 }; // live it is 1280×720
const NOISE = { width: 1280, height: 800 }; // takes long to send

// In the page, before its scripts: bytes of files that came over its channels.
function countFiles() {
  const seen = (globalThis.__files = { bytes: 0 });
  const Original = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      this.addEventListener('datachannel', ({ channel }) => {
        if (channel.label === 'file') channel.addEventListener('message', ({ data }) => { seen.bytes += data.byteLength - 20; });
      });
    }
  };
}
const fileBytes = (page) => page.evaluate(() => globalThis.__files.bytes);

const items = (page) => page.getByTestId('picture-list').locator('button').evaluateAll((all) => all.map((item) => ({
  id: item.dataset.testid, state: item.dataset.state, have: Number(item.dataset.have), size: Number(item.dataset.size),
})));
const whole = (page, n) => eventually(async () => {
  const list = await items(page);
  return list.length === n && list.every(({ state }) => state === 'whole') && list;
}, 90, `${n} whole pictures`);

async function look(page, item) {
  await page.getByTestId(item).click();
  const picture = page.getByTestId('viewer-picture');
  await eventually(() => picture.getAttribute('data-width'), 20, 'the picture opens');
  return {
    width: Number(await picture.getAttribute('data-width')), height: Number(await picture.getAttribute('data-height')),
    close: () => page.getByTestId('viewer').getByTestId('close').click(),
  };
}

async function camera(name, { width, height }, ...more) {
  const port = await freePort();
  const child = start(sim('sim-camera'), ['--port', String(port), '--name', name, '--size', `${width}x${height}`, '--bitrate', '4000', ...more]);
  cameras.push(child);
  await line(child, /^ready/);
  child.stdout.resume();
  child.stderr.resume();
  return `rtsp://127.0.0.1:${port}/${name}`;
}

let exam, doctor, specialist;
const cameras = [];
before(async () => {
  exam = await openExam('pictures', `[camera exam]
address=${await camera('exam', CAMERA, '--fps', '5')}
prefer=detail
[camera noise]
address=${await camera('noise', NOISE, '--fps', '2', '--snow')}
[camera room]
address=test:
[microphone microphone]
address=test:
`, { scripts: [countFiles] });
  doctor = await exam.doctor();
  specialist = await exam.specialist(doctor);
}, { timeout: 240_000 });
after(async () => {
  await exam?.end();
  for (const child of cameras) await stop(child);
});

test("the doctor takes a picture: it has the source's pixels, on both pages", { timeout: 150_000 }, async () => {
  await doctor.bringToFront();
  await doctor.getByTestId('picture-source').selectOption('exam');
  await eventually(() => doctor.getByTestId('picture-take').isEnabled(), 40, 'the camera runs');
  await doctor.getByTestId('picture-take').click();
  for (const page of [doctor, specialist]) {
    await page.bringToFront();
    const [{ id }] = await whole(page, 1);
    const { width, height, close } = await look(page, id);
    assert.deepEqual({ width, height }, CAMERA);
    await close();
  }
});

test('what was just seen comes again as it was recorded', { timeout: 120_000 }, async () => {
  await specialist.bringToFront();
  await specialist.getByTestId('picture-source').selectOption('exam');
  await eventually(() => specialist.getByTestId('clip-take').isEnabled(), 40, 'it is recorded');
  await specialist.getByTestId('clip-take').click();
  for (const page of [doctor, specialist]) {
    await page.bringToFront();
    await whole(page, 2);
    await page.getByTestId('picture-list').locator('button').first().click();
    const video = page.getByTestId('clip-video');
    const state = await eventually(() => video.evaluate(({ videoWidth, videoHeight, buffered, currentTime, paused }) =>
      videoWidth > 0 && !paused && currentTime > buffered.start(0) + 0.5 &&
      { width: videoWidth, height: videoHeight, seconds: buffered.end(buffered.length - 1) - buffered.start(0) }), 30, 'it plays');
    assert.deepEqual({ width: state.width, height: state.height }, CAMERA, 'as the camera gives it, not as it went over the link');
    assert.ok(state.seconds > 2 && state.seconds < 16, `${state.seconds} s`);
    await page.screenshot({ path: join(screenshots, `${page === doctor ? 'console' : 'join'}-clip-vi.png`) });
    await page.getByTestId('clip-viewer').getByTestId('close').click();
  }
});

test('it is looked at from near', { timeout: 180_000 }, async () => {
  await specialist.bringToFront();
  const id = (await items(specialist)).at(-1).id;
  const { close } = await look(specialist, id);
  const picture = specialist.getByTestId('viewer-picture');
  const scale = async () => Number(await picture.getAttribute('data-scale'));
  const x = async () => Number(await picture.getAttribute('data-x'));
  const fit = await scale();
  await specialist.getByTestId('viewer-in').click();
  await specialist.getByTestId('viewer-in').click();
  assert.ok(await scale() > fit * 1.4);
  const box = await picture.boundingBox(), from = await x();
  await specialist.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await specialist.mouse.down();
  await specialist.mouse.move(box.x + box.width / 2 - 80, box.y + box.height / 2, { steps: 4 });
  await specialist.mouse.up();
  assert.ok(await x() > from + 20, `${from} to ${await x()}`);
  await specialist.screenshot({ path: join(screenshots, 'join-picture-vi.png') });
  await specialist.getByTestId('viewer-fit').click();
  assert.ok(Math.abs(await scale() - fit) < 0.01);
  await close();
});

test('a specialist asks, and has it when the doctor has said yes', { timeout: 120_000 }, async () => {
  await specialist.getByTestId('picture-source').selectOption('room');
  await specialist.getByTestId('picture-take').click();
  await specialist.getByTestId('picture-waiting').waitFor();
  await doctor.bringToFront();
  await doctor.getByTestId('picture-ask').waitFor();
  await doctor.screenshot({ path: join(screenshots, 'console-picture-asked-vi.png') });
  assert.equal((await items(doctor)).length, 2);
  await doctor.getByTestId('picture-refuse').click();
  await specialist.getByTestId('picture-refused').waitFor();
  await specialist.bringToFront();
  await specialist.getByTestId('picture-take').click();
  await doctor.bringToFront();
  await doctor.getByTestId('picture-allow').click();
  await whole(doctor, 3);
  await specialist.bringToFront();
  const [{ id }] = await whole(specialist, 3);
  const { width, close } = await look(specialist, id);
  assert.equal(width, 1280, 'the test camera shows 640 live, and has 1280');
  await close();
});

test('always allowed: no question, and lossless', { timeout: 120_000 }, async () => {
  await doctor.bringToFront();
  await doctor.getByTestId('picture-always').check();
  await specialist.bringToFront();
  await specialist.getByTestId('picture-source').selectOption('room');
  await specialist.getByTestId('picture-lossless').check();
  await specialist.getByTestId('picture-take').click();
  await whole(specialist, 4);
});

test('the console changes what a camera keeps on a weak link', { timeout: 180_000 }, async () => {
  await doctor.bringToFront();
  await doctor.getByTestId('picture-source').selectOption('exam');
  const prefer = doctor.getByTestId('source-prefer');
  assert.equal(await prefer.inputValue(), 'detail', 'as station.conf says');
  await prefer.selectOption('motion');
  await doctor.getByTestId('tab-happenings').click();
  await doctor.getByTestId('happenings').getByText('Đổi ưu tiên').waitFor();
  assert.equal(await prefer.inputValue(), 'motion');
  await specialist.bringToFront();
  await picturesMove(specialist, ['video-source-exam']); // 5 a second
});

// What arrived before the cut is not sent again.
async function resumed(cut, t) {
  await specialist.bringToFront();
  await specialist.getByTestId('picture-source').selectOption('noise');
  await specialist.getByTestId('picture-lossless').check();
  await eventually(() => specialist.getByTestId('picture-take').isEnabled(), 60, 'the camera runs');
  const known = new Set((await items(specialist)).map(({ id }) => id));
  const before = await fileBytes(specialist);
  await specialist.getByTestId('picture-take').click();
  const half = await eventually(async () => {
    const refused = specialist.getByTestId('picture-refused');
    assert.equal(await refused.count() > 0 ? await refused.innerText() : '', '');
    return (await items(specialist)).find(({ id, have, size }) => !known.has(id) && have > size / 5);
  }, 120, 'a part came');
  assert.equal(half.state, 'coming', 'it is cut in the middle');
  const came = await cut(before);
  const [done] = await eventually(async () => {
    const list = (await items(specialist)).filter(({ id }) => id === half.id);
    return list[0]?.state === 'whole' && list;
  }, 120, 'the rest comes');
  const rest = (await fileBytes(specialist)) - came.since;
  t.diagnostic(`${done.size} bytes: ${came.bytes} before the cut, ${rest} after it`);
  assert.ok(came.bytes > done.size / 10 && rest < done.size - done.size / 10, 'both parts count');
  // What came last may not be written down yet when the page goes.
  assert.ok(came.bytes + rest <= done.size + (came.since === 0 ? 300_000 : 0) + done.size * 0.02, 'nothing came twice');
  const { width, close } = await look(specialist, done.id);
  assert.equal(width, NOISE.width);
  await close();
}

test('a reload in the middle: the page names what it has', { timeout: 300_000 }, async (t) => {
  await resumed(async (before) => {
    const bytes = (await fileBytes(specialist)) - before;
    await specialist.reload();
    await specialist.getByTestId('pictures').waitFor({ timeout: 180_000 });
    return { bytes, since: 0 };
  }, t);
});

test('a power cut of the station in the middle', { timeout: 300_000 }, async (t) => {
  await resumed(async (before) => {
    await exam.restart();
    const bytes = (await fileBytes(specialist)) - before;
    return { bytes, since: before + bytes };
  }, t);
});

test('the record shows the pictures', { timeout: 180_000 }, async () => {
  const page = doctor;
  await exam.openRecord(page, 'Viêm tai giữa');
  const list = page.getByTestId('recorded-pictures').locator('button[data-kind=still]');
  await list.first().waitFor();
  assert.equal(await list.count(), 5);
  await list.first().click();
  const picture = page.getByTestId('viewer-picture');
  await eventually(() => picture.getAttribute('data-width'), 20, 'the picture opens');
  assert.equal(Number(await picture.getAttribute('data-width')), CAMERA.width);
  await page.screenshot({ path: join(screenshots, 'console-playback-picture-vi.png') });
  await page.keyboard.press('Escape');
  // Clips stand in the same list, and play.
  await page.getByTestId('recorded-pictures').locator('button[data-kind=clip]').first().click();
  const clip = page.getByTestId('clip-video');
  await eventually(() => clip.evaluate((video) => video.readyState >= 2 && video.videoWidth > 0 && video.currentTime > 0), 20, 'the clip plays');
});
