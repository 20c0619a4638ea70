// Cameras that turn: the specialist drives while the doctor allows it, by mouse, key and finger; who
// lets go, is no longer allowed or is gone leaves a camera that stands.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { eventually } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { openExam } from '../lib/exam.mjs';
import { turningCamera } from '../lib/onvif.mjs';

const cameras = {};
let exam, doctor, specialist;
before(async () => {
  Object.assign(cameras, {
    room: await turningCamera({ quirks: ['wrong-clock'] }),
    exam: await turningCamera({ quirks: ['digest', 'old'] }),
    fixed: await turningCamera({ quirks: ['no-ptz'], user: null }),
    deaf: await turningCamera({ quirks: ['deaf'] }),
  });
  exam = await openExam('ptz', Object.entries(cameras).map(([name, { config }]) => `[camera ${name}]
address=test:
width=320
height=180
frame-rate=5
${config}`).join('\n'), { consent: false });
  doctor = await exam.doctor();
  specialist = await exam.specialist(doctor);
}, { timeout: 240_000 });
after(async () => {
  await exam?.end();
  for (const camera of Object.values(cameras)) await camera.end();
});

const choose = (page, name) => page.getByTestId('ptz-camera').selectOption(`source-${name}`);
const turned = (camera, axis, past) => eventually(async () => {
  const now = await camera.look();
  return Math.sign(past) * now[axis] > Math.abs(past) && now;
}, 20, `${axis} passes ${past}`);
// Stands, and goes on standing where it is told that it stands.
async function stands(camera, seconds = 5) {
  const at = await eventually(async () => {
    const now = await camera.look();
    return !now.moving && now;
  }, seconds, 'the camera stands');
  assert.equal(at.moving, false);
  return at;
}
async function box(page, id) {
  const { x, y, width, height } = await page.getByTestId(id).boundingBox();
  return { x: x + width / 2, y: y + height / 2 };
}
async function grip(page, id) {
  await page.getByTestId(id).scrollIntoViewIfNeeded();
  const { x, y } = await box(page, id);
  await page.mouse.move(x, y);
  await page.mouse.down();
}

test('each camera says how it is: token and wrong clock, digest, no PTZ, no answer', { timeout: 240_000 }, async () => {
  await doctor.bringToFront();
  for (const name of ['room', 'exam']) {
    await choose(doctor, name);
    await doctor.getByTestId('ptz-pad').waitFor({ timeout: 30_000 });
    await eventually(() => doctor.getByTestId('ptz-position').getAttribute('data-pan'), 20, 'where it looks');
  }
  assert.ok((await cameras.exam.look()).log.includes('GetCapabilities'), 'the old one was asked the old way');
  await choose(doctor, 'fixed');
  await doctor.getByTestId('ptz-state').getByText('không điều khiển được').waitFor({ timeout: 30_000 });
  await choose(doctor, 'deaf');
  await doctor.getByTestId('ptz-state').getByText('không trả lời').waitFor({ timeout: 30_000 });
  await choose(doctor, 'room');
});

test('nobody but the doctor drives before the doctor allows it', { timeout: 150_000 }, async () => {
  assert.equal(await doctor.getByTestId('ptz-allow').isChecked(), false);
  assert.equal(await specialist.getByTestId('ptz').count(), 0);
  await doctor.getByTestId('ptz-allow').check();
  await specialist.getByTestId('ptz-pad').waitFor();
  await doctor.screenshot({ path: join(screenshots, 'console-ptz-vi.png') });
});

test('mouse: it turns while it is held, and stops', { timeout: 150_000 }, async () => {
  await specialist.bringToFront();
  await choose(specialist, 'room');
  await grip(specialist, 'ptz-right');
  await turned(cameras.room, 'pan', 0.3);
  await doctor.getByTestId('ptz-position').getByText('Trần Văn Minh').waitFor();
  await specialist.screenshot({ path: join(screenshots, 'join-ptz-vi.png') });
  await specialist.mouse.up();
  const { pan, log } = await stands(cameras.room);
  assert.ok(log.includes('Stop'), 'it was told to');
  // Longer than the camera's own timeout: it was renewed all the while.
  await grip(specialist, 'ptz-left');
  await turned(cameras.room, 'pan', -0.6);
  await specialist.mouse.up();
  assert.ok((await stands(cameras.room)).pan < pan - 0.5);
});

test('keys: two at once go both ways; Enter is one step; a saved position', { timeout: 150_000 }, async () => {
  await specialist.getByTestId('ptz-in').focus();
  await specialist.keyboard.down('ArrowUp');
  await specialist.keyboard.down('+');
  await turned(cameras.room, 'tilt', 0.2);
  await turned(cameras.room, 'zoom', 0.2);
  await specialist.keyboard.up('ArrowUp');
  await specialist.keyboard.up('+');
  const before = await stands(cameras.room);
  await specialist.keyboard.press('Enter');
  await turned(cameras.room, 'zoom', Math.min(1, before.zoom + 0.1) - 0.01);
  await stands(cameras.room);
  await specialist.getByTestId('ptz-preset').selectOption({ label: 'Giường bệnh' });
  const there = await eventually(async () => {
    const now = await cameras.room.look();
    return !now.moving && Math.abs(now.pan - 0.5) < 0.001 && now;
  }, 20, 'it is there');
  assert.ok(Math.abs(there.tilt + 0.25) < 0.001 && Math.abs(there.zoom - 0.3) < 0.001);
});

test('finger, at a camera that wants HTTP digest', { timeout: 150_000 }, async () => {
  await choose(specialist, 'exam');
  await specialist.getByTestId('ptz-down').scrollIntoViewIfNeeded();
  const touch = await specialist.context().newCDPSession(specialist);
  await touch.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [await box(specialist, 'ptz-down')] });
  await turned(cameras.exam, 'tilt', -0.2);
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await stands(cameras.exam);
  await touch.send('Emulation.setTouchEmulationEnabled', { enabled: false });
});

test('a slow camera stands too in the end', { timeout: 150_000 }, async () => {
  await cameras.exam.set({ slow: 1 });
  const pressed = (await cameras.exam.look()).log.length;
  await grip(specialist, 'ptz-up');
  await specialist.mouse.up();
  // A move and what stops it, also when the camera heard the stop first.
  await eventually(async () => {
    const { log, moving } = await cameras.exam.look();
    const late = log.slice(pressed);
    return !moving && late.includes('ContinuousMove') && late.lastIndexOf('Stop') > late.lastIndexOf('ContinuousMove');
  }, 20, 'the stop comes last');
  await cameras.exam.set({ slow: 0 });
  await choose(specialist, 'room');
});

test('the doctor revokes it: the camera stops at once, the pad is gone', { timeout: 150_000 }, async () => {
  await grip(specialist, 'ptz-left');
  await turned(cameras.room, 'pan', -0.2);
  await doctor.bringToFront();
  await doctor.getByTestId('ptz-allow').uncheck();
  await stands(cameras.room);
  await specialist.getByTestId('ptz').waitFor({ state: 'detached' });
  await specialist.mouse.up();
});

test('who is gone without a word drives no more', { timeout: 150_000 }, async () => {
  await doctor.getByTestId('ptz-allow').check();
  await specialist.bringToFront();
  await specialist.getByTestId('ptz-pad').waitFor();
  await specialist.getByTestId('ptz-speed').selectOption('0.25');
  await grip(specialist, 'ptz-right');
  await turned(cameras.room, 'pan', 0.05);
  // The page stands still: nothing comes, as when the link is cut.
  await specialist.evaluate(() => setTimeout(() => { for (const end = Date.now() + 6000; Date.now() < end;); }));
  assert.ok((await stands(cameras.room, 4)).pan < 0.9, 'not only because it is at its end');
});

test('a camera that falls silent is said to, and comes back', { timeout: 180_000 }, async () => {
  await doctor.bringToFront();
  await choose(doctor, 'exam');
  await doctor.getByTestId('ptz-pad').waitFor();
  await cameras.exam.set({ deaf: true });
  await doctor.getByTestId('ptz-state').getByText('không trả lời').waitFor({ timeout: 40_000 });
  await cameras.exam.set({ deaf: false });
  await doctor.getByTestId('ptz-pad').waitFor({ timeout: 40_000 });
});

test('the record says who allowed it, who drove and who ended it', { timeout: 60_000 }, async () => {
  await doctor.getByTestId('tab-happenings').click();
  const list = doctor.getByTestId('happenings');
  for (const words of ['Cho điều khiển camera', 'Thôi cho điều khiển camera', 'room: BS. Trần Văn Minh'])
    await list.getByText(words).first().waitFor();
});
