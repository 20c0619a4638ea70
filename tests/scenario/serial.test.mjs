// Devices behind serial ports against the real program: readings on the page and in the record, once
// each, of the right patient; the cable pulled and put back; noise on the line.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../lib/browser.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { serialDevice } from '../lib/serial.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

// An address of this machine's own that no other test takes: the monitor's port is a fixed one.
const LAN = `127.${process.pid >> 16 & 127}.${process.pid >> 8 & 255}.${process.pid & 255 || 1}`;
let place, station, page, ports, contec, nonin, spot, monitor, lan;
before(async () => {
  ports = mkdtempSync(join(tmpdir(), 'nhipcau-ports-'));
  contec = await serialDevice('contec', join(ports, 'contec'));
  nonin = await serialDevice('nonin', join(ports, 'nonin'));
  spot = await serialDevice('nonin-9560', join(ports, 'spot'));
  monitor = await serialDevice('intellivue', join(ports, 'monitor'));
  lan = await serialDevice('intellivue', null, ['--udp', LAN]);
  place = await makePlace('serial', { config: `
[serial finger]
port=${contec.link}
title=Máy đo SpO₂
room=true

[serial second]
port=${nonin.link}
kind=nonin

[serial spot]
port=${spot.link}
kind=nonin-9560

[serial monitor]
port=${monitor.link}
kind=intellivue

[serial lan]
port=udp:${LAN}
kind=intellivue

[serial nowhere]
port=${join(ports, 'nowhere')}
kind=contec

[serial file]
port=/dev/null
kind=contec
` });
  station = await runStation(place);
  page = await signIn(place, 'lan');
});
after(async () => {
  page?.close();
  await stop(station);
  for (const device of [contec, nonin, spot, monitor, lan]) await device?.end();
  place?.remove();
  rmSync(ports, { recursive: true, force: true });
});

const feed = (state, name) => state.feeds.find((f) => f.device === `serial-${name}`);
const value = (state, vital) => state.consultation?.readings.find((r) => r.vital === vital);
const show = (id) => JSON.parse(execFileSync(nhipcau, ['record', 'show', id, '--json', '--state', place.state,
  '--config', place.config, '--boot-credential', place.boot], { encoding: 'utf8' }));

test('what is plugged in is understood, what is not is explained', async () => {
  const state = await page.stateWhere((s) => ['finger', 'second', 'spot', 'monitor', 'lan']
    .every((name) => feed(s, name)?.state === 'live') && feed(s, 'file')?.why, 30);
  assert.equal(feed(state, 'finger').name, 'Máy đo SpO₂');
  assert.equal(feed(state, 'nowhere').state, 'searching');
  assert.match(feed(state, 'nowhere').why.vi, /cắm dây/);
  assert.equal(feed(state, 'file').state, 'failed');
  assert.match(feed(state, 'file').why.vi, /không phải cổng nối tiếp/);
});

test("the room's oximeter speaks for the consultation on screen, one row a second and vital sign", async () => {
  const id = await startConsultation(page);
  const began = Date.now();
  await page.stateWhere((s) => value(s, 'spo2')?.value === 97 && value(s, 'pulse')?.value === 72);
  await contec.tell('spo2 88');
  await page.stateWhere((s) => value(s, 'spo2')?.value === 88);
  await page.stateWhere(() => Date.now() - began > 4000, 30);
  const rows = show(id).rows.observation.map((r) => r.body);
  const seconds = (Date.now() - began) / 1000;
  for (const vital of ['spo2', 'pulse']) {
    const times = rows.filter((r) => r.vital === vital).map((r) => Date.parse(r.time));
    assert.ok(times.length >= 3 && times.length <= seconds / 0.95 + 2, `${times.length} rows of ${vital} in ${seconds} s`);
    for (let i = 1; i < times.length; i++) assert.ok(times[i] > times[i - 1], 'each once');
  }
  assert.ok(rows.every((r) => r.device === 'serial-finger'), 'what others say waits for the doctor');
  assert.ok(rows.every((r) => r.test === false));
});

test('no finger is no number', async () => {
  await contec.tell('finger out');
  let state = await page.stateWhere((s) => value(s, 'spo2')?.absent === 'not-measured');
  assert.ok(value(state, 'spo2').flags.includes('no-finger'));
  assert.equal(value(state, 'spo2').value, undefined);
  await contec.tell('finger in');
  await page.stateWhere((s) => value(s, 'spo2')?.value === 88);
});

test('noise on the line: readings go on, and none is untrue', async () => {
  const { id } = (await page.stateWhere((s) => s.consultation)).consultation;
  for (let i = 0; i < 10; i++) await contec.tell('garbage 37');
  await contec.tell('spo2 91');
  await page.stateWhere((s) => value(s, 'spo2')?.value === 91);
  const said = show(id).rows.observation.map((r) => r.body)
    .filter((r) => r.vital === 'spo2' && r.value !== undefined).map((r) => r.value);
  assert.deepEqual(new Set(said), new Set([97, 88, 91]));
});

test('unplugged it is said to be lost, plugged in again it goes on by itself within 5 s', async () => {
  await contec.tell('unplug');
  let state = await page.stateWhere((s) => feed(s, 'finger').state === 'lost' && value(s, 'spo2')?.absent);
  assert.match(feed(state, 'finger').why.vi, /cắm dây/);
  assert.ok(state.consultation.events.some((e) => e.what === 'device-lost'));
  await contec.tell('spo2 93');
  const back = Date.now();
  await contec.tell('plug');
  await page.stateWhere((s) => feed(s, 'finger').state === 'live' && value(s, 'spo2')?.value === 93);
  assert.ok(Date.now() - back < 5000, `back after ${Date.now() - back} ms`);
});

test('a device that is switched off on an open port is said to be silent, and comes back', async () => {
  await contec.tell('mute');
  const state = await page.stateWhere((s) => feed(s, 'finger').state === 'lost', 30);
  assert.match(feed(state, 'finger').why.vi, /không nói gì/);
  await page.stateWhere((s) => value(s, 'spo2')?.absent);
  await contec.tell('speak');
  await page.stateWhere((s) => feed(s, 'finger').state === 'live' && value(s, 'spo2')?.value === 93, 30);
});

test('an oximeter that measures once: each measurement once, however often it tells it', async () => {
  const { id } = (await page.stateWhere((s) => s.consultation)).consultation;
  const kept = () => (show(id).rows.observation ?? []).map((r) => r.body).filter((r) => r.device === 'serial-spot' && r.vital === 'spo2').map((r) => r.value);
  await spot.tell('pulse 67');
  await spot.tell('measure 84 lost');
  await page.stateWhere((s) => s.devices.some((d) => d.device === 'serial-spot'), 30);
  await page.ask('device.claim', { device: 'serial-spot', consultation: id });
  await eventually(async () => kept().length === 1, 20, 'the first');
  await spot.tell('measure 85');
  await eventually(async () => kept().length >= 2, 20, 'the second');
  assert.deepEqual(kept(), [84, 85]);
  assert.equal(feed(page.state, 'spot').state, 'live', 'silence between two is none');
});

test("a claimed monitor's readings: the patient that it names, or they wait", async () => {
  const { id } = (await page.stateWhere((s) => s.consultation)).consultation;
  await page.ask('patient.save', { patient: { name: 'Vàng Thị Mỷ', device_ids: ['0100123'] } });
  await page.stateWhere((s) => s.devices.some((d) => d.device === 'serial-monitor'));
  await page.ask('device.claim', { device: 'serial-monitor', consultation: id });
  await page.stateWhere((s) => value(s, 'hr')?.value === 72);
  await monitor.tell('pressure 124');
  await page.stateWhere((s) => value(s, 'nibp-sys')?.value === 124 && value(s, 'nibp-dia')?.value === 76);
  await monitor.tell('patient 0999999');
  await page.stateWhere((s) => s.consultation.events.some((e) => e.what === 'reading-held-back'), 30);
  await monitor.tell('pulse 55');
  await monitor.tell('patient 0100123');
  await page.stateWhere((s) => value(s, 'hr')?.value === 55, 30);
  const pressures = show(id).rows.observation.map((r) => r.body)
    .filter((r) => r.vital === 'nibp-sys' && r.value === 124);
  // Once before another patient was named and once after, never every second.
  assert.ok(pressures.length <= 2, JSON.stringify(pressures));
  assert.ok(show(id).rows.observation.every((r) => r.body.patient?.id !== '0999999'));
});

test("a claimed monitor's alarms: what it says stands, what it silenced, what is over", async () => {
  const alarms = (state) => state.consultation?.alarms ?? [];
  await monitor.tell('spo2 86');
  let state = await page.stateWhere((s) => alarms(s).length === 1, 30);
  const { text, priority, kind, vital, device } = alarms(state)[0];
  assert.deepEqual({ text, priority, kind, vital, device },
    { text: '** SpO₂ LOW', priority: 'medium', kind: 'physiological', vital: 'spo2', device: 'serial-monitor' });
  await monitor.tell('silence on');
  state = await page.stateWhere((s) => alarms(s)[0]?.inactivation === 'audio-paused', 30);
  await monitor.tell('finger out');
  state = await page.stateWhere((s) => alarms(s).length === 1 && alarms(s)[0].kind === 'technical', 30);
  assert.equal(alarms(state)[0].priority, 'low');
  await monitor.tell('spo2 97');
  await monitor.tell('finger in');
  await page.stateWhere((s) => s.consultation && alarms(s).length === 0, 30);
  const rows = show(state.consultation.id).rows.alarm.map((r) => r.body);
  assert.deepEqual(rows.map((r) => r.phase), ['start', 'update', 'end', 'start', 'end'].slice(0, rows.length), JSON.stringify(rows));
  assert.equal(rows.length, 5);
});

test('a monitor on the network: silent it is said to be lost, speaking again it goes on', async () => {
  const { id } = (await page.stateWhere((s) => s.consultation)).consultation;
  await lan.tell('pulse 61');
  await page.ask('device.claim', { device: 'serial-lan', consultation: id });
  await page.stateWhere((s) => value(s, 'hr')?.value === 61, 30);
  await lan.tell('mute');
  await page.stateWhere((s) => feed(s, 'lan').state === 'lost', 30);
  await lan.tell('pulse 64');
  await lan.tell('speak');
  await page.stateWhere((s) => feed(s, 'lan').state === 'live' && value(s, 'hr')?.value === 64, 40);
});
