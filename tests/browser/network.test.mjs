// A clinic and a hospital in network namespaces, a cable between them. The console works with
// nothing but `lo`, keeps working when the cable is pulled, and the specialist comes back.

import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, mediaNow, openChromium } from '../lib/browser.mjs';
import { beginConsultation, invite, picturesMove, screenshots, soundGrows, watched } from '../lib/clinic.mjs';
import { makeCable } from '../lib/net.mjs';
import { freePort, line, runStation, setUp, sim, start, stop } from '../lib/station.mjs';

const CAMERA = ['video-source-room'];
const dir = mkdtempSync(join(tmpdir(), 'nhipcau-net-'));
const children = [];
let cable, clinic, doctor, specialist;

async function startClinic() {
  const rtsp = await freePort();
  const run = async (name, args) => {
    const child = start(sim(name), args, { netns: cable.clinic });
    children.push(child);
    await line(child, /^ready/);
    child.stdout.resume();
    child.stderr.resume();
  };
  await run('sim-camera', ['--port', String(rtsp), '--name', 'room']);
  clinic = await setUp(dir, {
    listen: [cable.clinicAddress], names: [cable.clinicAddress],
    config: `[camera room]\naddress=rtsp://127.0.0.1:${rtsp}/room\n\n[microphone microphone]\naddress=test:\n`,
  });
  clinic.console = `${clinic.origin}/`;
  clinic.user = clinic.users[0].id;
  children.push(await runStation(clinic, { netns: cable.clinic }));
  await run('sim-monitor', ['--port', String(clinic.ports.mllp), '--nibp', '5']);
}

before(async () => {
  cable = makeCable();
  await startClinic();
}, { timeout: 120_000 });

after(async () => {
  await specialist?.close();
  await doctor?.close();
  for (const child of children.reverse()) await stop(child);
  cable?.remove();
  rmSync(dir, { recursive: true, force: true });
});

const heartRate = async (page) => page.getByTestId('value-hr').first().innerText();

async function allAlive(page) {
  await picturesMove(page, CAMERA);
  const first = await heartRate(page);
  await eventually(async () => (await heartRate(page)) !== first, 30, 'readings go on');
  await page.locator('[data-testid=recording-state][data-on=true]').waitFor();
}

test('with only lo up the console has pictures, readings and recording', { timeout: 120_000 }, async () => {
  cable.pull();
  doctor = await openChromium({ ca: clinic.ca, netns: cable.clinic, args: ['--allow-loopback-in-peer-connection'] });
  await watched(doctor.context);
  await beginConsultation(doctor.page, clinic);
  // The monitor is claimed for this consultation from the list of devices.
  await doctor.page.getByTestId('devices-open').click();
  await doctor.page.locator('[data-testid=devices-dialog] [data-testid^=claim-]').first().click();
  await doctor.page.keyboard.press('Escape');
  await allAlive(doctor.page);
});

test('a specialist joins over the cable', { timeout: 120_000 }, async () => {
  cable.plug();
  const { page } = doctor;
  const link = (await invite(page)).replace('localhost', cable.clinicAddress);
  specialist = await openChromium({ ca: clinic.ca, netns: cable.hospital });
  await watched(specialist.context);
  await specialist.page.goto(link);
  await specialist.page.getByTestId('name').fill('BS. Trần Văn Minh');
  await specialist.page.getByTestId('join').click();
  await page.getByTestId('admit').click();
  await picturesMove(specialist.page, CAMERA);
  await soundGrows(specialist.page);
  await soundGrows(page);
});

test('the cable is pulled for 10 s: the console goes on, the specialist comes back', { timeout: 180_000 }, async () => {
  cable.pull();
  await allAlive(doctor.page);
  await eventually(async () => specialist.page.getByTestId('media-trouble').isVisible(), 20, 'the page says so');
  await specialist.page.screenshot({ path: join(screenshots, 'join-cable-pulled-vi.png') });
  await new Promise((done) => setTimeout(done, 10_000)); // the length of the outage, not a wait for anything
  await allAlive(doctor.page);
  cable.plug();
  await picturesMove(specialist.page, CAMERA, 30);
  await soundGrows(specialist.page);
  await picturesMove(doctor.page, CAMERA);
  const { videos } = await mediaNow(doctor.page);
  assert.ok(Object.keys(videos).some((name) => name.startsWith('video-peer-')), 'the doctor sees the specialist again');
});

test('a station in namespaces of its own needs no sign-in again', { timeout: 180_000 }, async () => {
  await doctor.page.reload();
  await picturesMove(doctor.page, CAMERA);
});
