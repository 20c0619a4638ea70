// Bluetooth LE devices against the real program, over a bus of the tests' own with a simulated
// bluetoothd (tests/sim/bluez.py): paired from the console, readings once each in the record of the
// right patient, everything back by itself.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Bluetooth, bloodPressure, currentTime, glucose, heartRate, nonin, oximetry, temperature, weight } from '../lib/bluez.mjs';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const CUFF = '00:00:5E:00:53:01', OXIMETER = '00:00:5E:00:53:02', SPOT = '00:00:5E:00:53:03';
const THERMOMETER = '00:00:5E:00:53:04', GLUCOMETER = '00:00:5E:00:53:05', SCALE = '00:00:5E:00:53:06';
const BELT = '00:00:5E:00:53:07', OWN = '00:00:5E:00:53:08', BOTH = '00:00:5E:00:53:09';

let blue, place, station, page, consultation;
before(async () => {
  blue = await Bluetooth.begin();
  place = await makePlace('bluetooth');
  station = await runStation(place, { env: blue.env });
  page = await signIn(place, 'lan');
});
after(async () => {
  page?.close();
  await stop(station);
  await blue?.end();
  place?.remove();
});

const feed = (state, device) => state.feeds.find((f) => f.device === device);
const value = (state, vital) => state.consultation?.readings.find((r) => r.vital === vital)?.value;
const rows = (id) => JSON.parse(execFileSync(nhipcau, ['record', 'show', id, '--json', '--state', place.state,
  '--config', place.config, '--boot-credential', place.boot], { encoding: 'utf8' })).rows;
const kept = (id, vital) => (rows(id).observation ?? []).map((r) => r.body).filter((o) => o.vital === vital);
const happened = (state, what, detail) =>
  state.consultation.events.filter((e) => e.what === what && e.detail === detail).length;
const where = async (fits, seconds) => {
  try {
    return await page.stateWhere(fits, seconds);
  } catch (error) {
    const { bluetooth, feeds, devices, waiting_readings } = page.state;
    error.message += ` ${JSON.stringify({ bluetooth, feeds, devices, waiting_readings, at: fits.toString() })}`;
    throw error;
  }
};

// Devices' clocks have no fractions of a second: what follows within one is not newer.
const soon = () => new Date(Date.now() + 2000);

// A device in pairing mode is found, paired by one click, and driven.
async function pair(address, fields, name) {
  await blue.do('add', { address, ...fields });
  await blue.do('on', { address });
  await page.ask('bluetooth.search', { on: true });
  await where((s) => s.bluetooth.found.some((f) => f.device === address));
  await page.ask('bluetooth.pair', { device: address, name });
  await where((s) => feed(s, address)?.state === 'live');
}

test('a cuff is found with its kind and signal, paired by one click, and named', async () => {
  assert.equal((await where((s) => s.bluetooth?.state === 'ready')).bluetooth.searching, false);
  await blue.do('add', { address: CUFF, kind: 'cuff', name: 'UA-651BLE', eager: true,
    read: { '2A19': '50', '2A29': '412644', '2A24': '55412d363531424c45' } });
  await blue.do('on', { address: CUFF });
  await page.ask('bluetooth.search', { on: true });
  const state = await where((s) => s.bluetooth.found.length > 0);
  assert.deepEqual(state.bluetooth.found, [{ device: CUFF, name: 'UA-651BLE', kind: 'bp', signal: 'good' }]);
  await page.ask('bluetooth.pair', { device: CUFF, name: 'Máy huyết áp phòng 1' });
  const paired = await where((s) => feed(s, CUFF)?.state === 'live' && feed(s, CUFF).battery === 80);
  assert.equal(feed(paired, CUFF).name, 'Máy huyết áp phòng 1');
  assert.equal(feed(paired, CUFF).kind, 'bp');
  const known = await where((s) => s.bluetooth.paired[0]?.about.model);
  assert.deepEqual(known.bluetooth.paired[0].about, { manufacturer: 'A&D', model: 'UA-651BLE' });
});

test('its readings reach the patient on screen, once, also when it sends them twice', async () => {
  consultation = await startConsultation(page, { patient: { name: 'Vàng Thị Mỷ' } });
  const hex = bloodPressure(128, 82, 71);
  await blue.do('measure', { address: CUFF, uuid: '2A35', hex });
  const state = await where((s) => value(s, 'nibp-sys') === 128);
  assert.equal(value(state, 'nibp-dia'), 82);
  assert.equal(value(state, 'pulse'), 71);
  await blue.do('off', { address: CUFF });
  await where((s) => feed(s, CUFF).state === 'searching');
  // Nobody confirmed, or so it thinks: again the same, and a new one, before anybody subscribes.
  await blue.do('measure', { address: CUFF, uuid: '2A35', hex });
  await blue.do('measure', { address: CUFF, uuid: '2A35', hex: bloodPressure(131, 84, 70) });
  await blue.do('on', { address: CUFF });
  await where((s) => value(s, 'nibp-sys') === 131);
  assert.deepEqual(kept(consultation, 'nibp-sys').map((o) => o.value), [128, 131]);
  const [first] = kept(consultation, 'nibp-sys');
  assert.equal(first.device, CUFF);
  assert.equal(first.unit, 'mm[Hg]');
  assert.equal(first.time_source, 'device-local');
});

test('the others: oximeters, thermometer, scale, belt', async () => {
  await pair(OXIMETER, { kind: 'oximeter', battery1: 9 }, 'Máy SpO₂');
  await pair(SPOT, { kind: 'spot' });
  await pair(THERMOMETER, { kind: 'thermometer' });
  await pair(SCALE, { kind: 'scale' });
  await pair(BELT, { kind: 'belt' });
  for (const [address, uuid, hex, vital, number] of [
    [OXIMETER, '2A5F', oximetry(97, 75), 'spo2', 97], [SPOT, '2A5E', oximetry(96, 74), 'spo2', 96],
    [THERMOMETER, '2A1C', temperature(378), 'temp', 37.8], [SCALE, '2A9D', weight(62.35), 'weight', 62.35],
    [BELT, '2A37', heartRate(83), 'hr', 83]]) {
    await blue.do('measure', { address, uuid, hex });
    await where((s) => value(s, vital) === number);
    assert.deepEqual(kept(consultation, vital).filter((o) => o.device === address).map((o) => o.value), [number]);
  }
  assert.deepEqual(kept(consultation, 'temp')[0].site, 'mouth');
  const low = feed(await where((s) => feed(s, OXIMETER).battery === 9), OXIMETER);
  assert.match(low.why.vi, /Pin/);
});

test("an oximeter with its maker's own service; one that has the profile's too says each once", async () => {
  await pair(OWN, { kind: 'nonin', name: 'Nonin3230' });
  await blue.do('measure', { address: OWN, uuid: '0AAD7EA0-0D60-11E2-8E3C-0002A5D5C51B', hex: nonin(88, 68) });
  await where((s) => value(s, 'spo2') === 88 && value(s, 'pulse') === 68);
  await pair(BOTH, { kind: 'both' });
  await blue.do('measure', { address: BOTH, uuid: '2A5F', hex: oximetry(87, 69) });
  await where((s) => value(s, 'spo2') === 87);
  const { log } = await blue.do('log');
  const asked = log.filter((e) => e[1] === 'StartNotify' && e[2].startsWith('0AAD7EA0'));
  assert.equal(asked.length, 1, JSON.stringify(asked));
  for (const [address, number] of [[OWN, 88], [BOTH, 87]])
    assert.deepEqual(kept(consultation, 'spo2').filter((o) => o.device === address).map((o) => o.value), [number]);
});

test('out of range and back: resumed by itself within 5 s, the gap is said', async () => {
  await blue.do('off', { address: OXIMETER });
  const lost = await where((s) => feed(s, OXIMETER).state === 'lost');
  assert.match(feed(lost, OXIMETER).why.vi, /ngoài tầm/);
  assert.equal(feed(lost, OXIMETER).why.en.includes('out of range'), true);
  await blue.do('on', { address: OXIMETER });
  const back = Date.now();
  await where((s) => feed(s, OXIMETER).state === 'live');
  const seconds = (Date.now() - back) / 1000;
  assert.ok(seconds < 5, `${seconds} s`);
  console.log(`# back after ${seconds} s`);
  await blue.do('measure', { address: OXIMETER, uuid: '2A5F', hex: oximetry(95, 77) });
  const state = await where((s) => value(s, 'spo2') === 95);
  assert.equal(happened(state, 'device-lost', 'Máy SpO₂'), 1);
  assert.ok(happened(state, 'device-live', 'Máy SpO₂') >= 1);
});

test("a glucometer's memory: others' readings wait, new ones come once, across a strip that disconnects", async () => {
  const before = new Date(Date.now() - 3600_000);
  await blue.do('add', { address: GLUCOMETER, kind: 'glucometer', read: { '2A2B': currentTime(before) } });
  for (const sequence of [0, 1, 2])
    await blue.do('record', { address: GLUCOMETER, hex: glucose(sequence, 90 + sequence, new Date(before - 86_400_000)) });
  await blue.do('record', { address: GLUCOMETER, hex: glucose(3, 104, before), strip_after: 2 });
  await blue.do('on', { address: GLUCOMETER });
  await page.ask('bluetooth.search', { on: true });
  await where((s) => s.bluetooth.found.some((f) => f.device === GLUCOMETER));
  await page.ask('bluetooth.pair', { device: GLUCOMETER });
  // Its clock is an hour behind: it was told so, and is set. The newest was taken just now.
  const state = await where((s) => value(s, 'glucose') === 104 && s.waiting_readings === 3);
  const [reading] = kept(consultation, 'glucose');
  assert.ok(reading.flags.includes('stored') && reading.flags.includes('clock-corrected'));
  assert.ok(Math.abs(Date.parse(reading.time) - Date.now()) < 120_000, reading.time);
  assert.ok(state.consultation.events.some((e) => e.what === 'reading-held-back'));
  const { log } = await blue.do('log');
  const requests = log.filter((e) => e[1] === 'WriteValue' && e[2] === '2A52').map((e) => e[3]);
  assert.deepEqual(requests.slice(0, 2), ['0101', '0103010200'], 'resumed at the first that did not come');
  assert.equal(log.filter((e) => e[1] === 'WriteValue' && e[2] === '2A2B').length >= 1, true, 'its clock was set');
  // Claiming does not bring what was measured before the consultation.
  await page.ask('device.claim', { device: GLUCOMETER, consultation });
  await blue.do('off', { address: GLUCOMETER });
  await where((s) => feed(s, GLUCOMETER).state !== 'live');
  await blue.do('record', { address: GLUCOMETER, hex: glucose(4, 122, soon()) });
  await blue.do('on', { address: GLUCOMETER });
  await where((s) => value(s, 'glucose') === 122);
  assert.deepEqual(kept(consultation, 'glucose').map((o) => [o.message, o.value]), [['3', 104], ['4', 122]]);
  assert.equal(page.state.waiting_readings, 3);
});

test('bluetoothd restarts: all is back by itself, and nothing came twice', async () => {
  await blue.do('stop');
  const gone = await where((s) => s.bluetooth.state === 'absent' && feed(s, OXIMETER).state === 'lost');
  assert.match(gone.bluetooth.text.vi, /bluez/);
  await blue.do('start');
  await where((s) => s.bluetooth.state === 'ready' && [CUFF, OXIMETER, SPOT, GLUCOMETER]
    .every((device) => feed(s, device).state === 'live'));
  await blue.do('measure', { address: OXIMETER, uuid: '2A5F', hex: oximetry(93, 79) });
  await where((s) => value(s, 'spo2') === 93);
  assert.equal(kept(consultation, 'glucose').length, 2);
  assert.equal(kept(consultation, 'spo2').filter((o) => o.value === 93).length, 1);
});

test('an adapter that is blocked, off or unplugged is explained, and comes back', async () => {
  await blue.do('adapter', { blocked: true });
  const blocked = await where((s) => s.bluetooth.state === 'blocked');
  assert.match(blocked.bluetooth.text.vi, /máy bay/);
  await refusal(page.ask('bluetooth.search', { on: true })).then((e) => assert.equal(e.code, 'not-ready'));
  await blue.do('adapter', { blocked: false, powered: true });
  await where((s) => s.bluetooth.state === 'ready' && feed(s, OXIMETER).state === 'live');
  await blue.do('adapter', { present: false });
  const missing = await where((s) => s.bluetooth.state === 'no-adapter');
  assert.match(missing.bluetooth.text.vi, /cắm lại/);
  await blue.do('adapter', { present: true });
  await where((s) => s.bluetooth.state === 'ready' && feed(s, OXIMETER).state === 'live');
});

test('a stale bond is explained; pairing again helps', async () => {
  await blue.do('device-forgets', { address: OXIMETER });
  const stale = await where((s) => feed(s, OXIMETER).state === 'failed', 30);
  assert.match(feed(stale, OXIMETER).why.vi, /xóa ghép đôi trên máy đo rồi ghép lại/);
  await page.ask('bluetooth.pair', { device: OXIMETER });
  await where((s) => feed(s, OXIMETER).state === 'live');
  await blue.do('measure', { address: OXIMETER, uuid: '2A5F', hex: oximetry(94, 78) });
  await where((s) => value(s, 'spo2') === 94);
  assert.equal(feed(page.state, OXIMETER).name, 'Máy SpO₂', 'it keeps its name');
  await blue.do('host-forgets', { address: SPOT });
  const unpaired = await where((s) => feed(s, SPOT).state === 'failed');
  assert.match(feed(unpaired, SPOT).why.vi, /ghép lại/);
});

test('services that BlueZ remembers wrongly are explained; pairing again helps', async () => {
  const device = '00:00:5E:00:53:20';
  await blue.do('add', { address: device, kind: 'scale', hidden: true });
  await blue.do('on', { address: device });
  await page.ask('bluetooth.search', { on: true });
  await where((s) => s.bluetooth.found.some((f) => f.device === device));
  await page.ask('bluetooth.pair', { device });
  const failed = await where((s) => feed(s, device)?.state === 'failed');
  assert.match(feed(failed, device).why.vi, /bỏ ghép đôi rồi ghép lại/);
  await page.ask('bluetooth.pair', { device });
  await where((s) => feed(s, device).state === 'live');
  await page.ask('bluetooth.forget', { device });
});

test('passkeys: shown, entered, compared; refusals say what to do', async () => {
  const [A, B, C, D] = ['11', '12', '13', '14'].map((n) => `00:00:5E:00:53:${n}`);
  const found = async (address, fields) => {
    await blue.do('add', { address, kind: 'cuff', ...fields });
    await blue.do('on', { address });
    await page.ask('bluetooth.search', { on: true });
    await where((s) => s.bluetooth.found.some((f) => f.device === address));
  };
  await found(A, { passkey: { on: 'device', number: 42 } });
  let asked = page.ask('bluetooth.pair', { device: A });
  await where((s) => s.bluetooth.pairing?.question === 'enter');
  await page.ask('bluetooth.answer', { agreed: true, passkey: 42 });
  await asked;
  await found(B, { passkey: { on: 'host', number: 7 } });
  asked = page.ask('bluetooth.pair', { device: B });
  assert.equal((await where((s) => s.bluetooth.pairing?.question === 'show')).bluetooth.pairing.passkey, '000007');
  await blue.do('typed', { address: B });
  await asked;
  await found(C, { passkey: { on: 'both', number: 123456 } });
  const refused = refusal(page.ask('bluetooth.pair', { device: C }));
  assert.equal((await where((s) => s.bluetooth.pairing?.question === 'confirm')).bluetooth.pairing.passkey, '123456');
  await page.ask('bluetooth.answer', { agreed: false });
  assert.equal((await refused).code, 'refused');
  await found(D, { refuses: true });
  assert.match((await refusal(page.ask('bluetooth.pair', { device: D }))).text.vi, /xóa ghép đôi trên máy đo/);
  assert.equal((await where((s) => s.bluetooth.pairing === null)).bluetooth.paired.some((p) => p.device === D), false);
  for (const device of [A, B]) await page.ask('bluetooth.forget', { device });
});

test('what is paired survives a restart; what is forgotten is gone; what is not of the room waits', async () => {
  await page.ask('bluetooth.save', { device: SCALE, name: 'Cân sức khỏe', room: false });
  await page.ask('bluetooth.forget', { device: BELT });
  await where((s) => !feed(s, BELT));
  // Stopped in the middle of a pairing.
  await blue.do('add', { address: '00:00:5E:00:53:21', kind: 'cuff', passkey: { on: 'device', number: 1 } });
  await blue.do('on', { address: '00:00:5E:00:53:21' });
  await page.ask('bluetooth.search', { on: true });
  await where((s) => s.bluetooth.found.some((f) => f.device === '00:00:5E:00:53:21'));
  const ended = page.ask('bluetooth.pair', { device: '00:00:5E:00:53:21' }).then(() => 'paired', () => 'not paired');
  await where((s) => s.bluetooth.pairing?.question === 'enter');
  await stop(station);
  assert.equal(station.exitCode, 0);
  assert.equal(await ended, 'not paired');
  await blue.do('off', { address: '00:00:5E:00:53:21' });
  station = await runStation(place, { env: blue.env });
  page = await signIn(place, 'lan');
  const state = await where((s) => s.bluetooth.paired.length > 0 && feed(s, SCALE)?.state === 'live');
  assert.equal(feed(state, SCALE).name, 'Cân sức khỏe');
  assert.ok(!state.bluetooth.paired.some((p) => p.device === BELT));
  const waiting = state.waiting_readings;
  await blue.do('measure', { address: SCALE, uuid: '2A9D', hex: weight(70) });
  const held = await where((s) => s.waiting_readings === waiting + 1);
  assert.notEqual(value(held, 'weight'), 70);
  await page.ask('device.claim', { device: SCALE, consultation });
  await where((s) => value(s, 'weight') === 70);
  // The glucometer is not asked for what it has told already.
  await where((s) => feed(s, GLUCOMETER).state === 'live');
  await blue.do('record', { address: GLUCOMETER, hex: glucose(5, 99, soon()) });
  await blue.do('off', { address: GLUCOMETER });
  await where((s) => feed(s, GLUCOMETER).state !== 'live');
  await blue.do('on', { address: GLUCOMETER });
  await where((s) => value(s, 'glucose') === 99);
  assert.deepEqual(kept(consultation, 'glucose').map((o) => o.message), ['3', '4', '5']);
});

test('the other patient: a device speaks for who is on screen', async () => {
  await page.ask('consultation.park');
  const second = await startConsultation(page, { patient: { name: 'Giàng A Páo' } });
  await blue.do('measure', { address: CUFF, uuid: '2A35', hex: bloodPressure(117, 76, 66) });
  await where((s) => s.consultation?.id === second && value(s, 'nibp-sys') === 117);
  assert.equal(kept(consultation, 'nibp-sys').some((o) => o.value === 117), false);
  assert.deepEqual(kept(second, 'nibp-sys').map((o) => o.value), [117]);
});

test('where bluetoothd can listen passively, nothing is discovered actively', async () => {
  await blue.do('stop');
  await where((s) => s.bluetooth.state === 'absent');
  await blue.do('start', { monitors: true });
  await where((s) => s.bluetooth.state === 'ready' && feed(s, OXIMETER).state === 'live');
  const from = (await blue.do('log')).log.length;
  await blue.do('off', { address: OXIMETER });
  await where((s) => feed(s, OXIMETER).state === 'lost');
  assert.equal((await blue.do('log')).discovering, false);
  await blue.do('on', { address: OXIMETER });
  await where((s) => feed(s, OXIMETER).state === 'live');
  const { log } = await blue.do('log');
  assert.ok(log.some((e) => e[1] === 'RegisterMonitor'));
  assert.deepEqual(log.slice(from).filter((e) => e[1] === 'StartDiscovery'), []);
});

test('a bus that is slow to answer is asked once, and each reading comes once', async () => {
  const slow = await blue.slow(5);
  try {
    await stop(station);
    station = await runStation(place, { env: slow.env });
    page = await signIn(place, 'lan');
    await where((s) => s.bluetooth.state === 'ready' && s.consultation && feed(s, OXIMETER)?.state === 'live');
    await blue.do('measure', { address: OXIMETER, uuid: '2A5F', hex: oximetry(92, 80) });
    await where((s) => value(s, 'spo2') === 92);
    assert.deepEqual(kept(page.state.consultation.id, 'spo2').map((o) => o.value), [92]);
    assert.equal(slow.connections, 1);
  } finally {
    slow.end();
  }
});

test('bad requests are refused', async () => {
  for (const [type, fields, code] of [
    ['bluetooth.pair', { device: 'AA:BB:CC:DD:EE:FF' }, 'refused'], ['bluetooth.pair', {}, 'bad-message'],
    ['bluetooth.save', { device: 'nobody' }, 'no-such'], ['bluetooth.save', { device: CUFF, room: 1 }, 'bad-message'],
    ['bluetooth.forget', { device: 'nobody' }, 'no-such'], ['bluetooth.answer', { agreed: true, passkey: 1e6 }, 'bad-message']])
    assert.equal((await refusal(page.ask(type, fields))).code, code, type);
});
