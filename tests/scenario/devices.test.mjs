// Readings of devices against the real program: whose they are, and that they are kept before
// they are acknowledged.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

const ROOM = '00A0370000000001', STRANGER = '00A0370000000002';
let place, station, page;
before(async () => {
  place = await makePlace('devices', { config: `[device monitor]\nid=${ROOM}\n` });
  station = await runStation(place);
  page = await signIn(place, 'lan');
});
after(async () => {
  page.close();
  await stop(station);
  place.remove();
});

let control = 0;
const hl7 = (device, patient, spo2) => [
  `MSH|^~\\&|SIM|CLINIC|||20261120090312+0700||ORU^R01^ORU_R01|${++control}|P|2.6|||NE|AL||UNICODE UTF-8`,
  patient ? `PID|||${patient}^^^CLINIC^PI||Vàng^Mỷ^Thị^^^^L` : 'PID|',
  'OBR|1|||182777000^monitoring of patient^SCT|||20261120090312+0700',
  `OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|${spo2}|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||20261120090312+0700||||${device}^^${device}^EUI-64`,
].join('\r') + '\r';

// Sends one message and resolves with the acknowledgement's code.
async function send(text) {
  const socket = connect(place.ports.mllp, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.concat([Buffer.from([0x0b]), Buffer.from(text), Buffer.from([0x1c, 0x0d])]));
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk.toString();
    if (answer.includes('\x1c\r')) break;
  }
  socket.destroy();
  return answer.match(/\rMSA\|(\w\w)\|/)[1];
}

const spo2 = (state) => state.consultation.readings.find((r) => r.vital === 'spo2')?.value;
const show = (id) => JSON.parse(execFileSync(nhipcau, ['record', 'show', id, '--json', '--state', place.state,
  '--config', place.config, '--boot-credential', place.boot], { encoding: 'utf8' }));

test('without a consultation readings wait, sealed, and are acknowledged', async () => {
  assert.equal(await send(hl7(ROOM, '0100123', 97)), 'AA');
  const state = await page.stateWhere((s) => s.waiting_readings === 1);
  assert.equal(state.devices[0].device, ROOM);
  assert.equal(state.devices[0].consultation, null);
});

test("the room's device speaks for the consultation on screen", async () => {
  const id = await startConsultation(page);
  assert.equal(await send(hl7(ROOM, null, 95)), 'AA');
  await page.stateWhere((s) => spo2(s) === 95);
  const rows = show(id).rows.observation;
  assert.equal(rows.length, 1, 'what came before the consultation is not its own');
  assert.equal(rows[0].body.value, 95);
});

test('a patient whom nothing can be compared with may be the one before: held back, until the doctor says', async () => {
  assert.equal(await send(hl7(ROOM, '0777777', 70)), 'AA');
  const state = await page.stateWhere((s) => s.devices.find((d) => d.device === ROOM)?.held.count === 1);
  assert.equal(spo2(state), 95);
  await page.ask('device.decline', { device: ROOM });
});

test("another patient's readings are held back, and said so", async () => {
  await page.ask('patient.save', { patient: { name: 'Vàng Thị Mỷ', device_ids: ['0100123'] } });
  assert.equal(await send(hl7(ROOM, '0999999', 80)), 'AA');
  const state = await page.stateWhere((s) => s.consultation.events.some((e) => e.what === 'reading-held-back'));
  assert.notEqual(spo2(state), 80);
  const held = (await page.stateWhere((s) => s.devices.find((d) => d.device === ROOM)?.held.count === 1))
    .devices.find((d) => d.device === ROOM);
  assert.deepEqual(held.held.who, [{ id: '0999999', name: 'Vàng Mỷ Thị' }]);
  assert.equal(held.room, true);
  await page.ask('device.decline', { device: ROOM });
  await page.stateWhere((s) => s.devices.find((d) => d.device === ROOM)?.waiting === 0);
  assert.equal(await send(hl7(ROOM, '0999999', 81)), 'AA');
  await page.stateWhere((s) => s.devices.find((d) => d.device === ROOM)?.held.count === 1);
  assert.ok(!JSON.stringify(state.consultation.events).includes('0999999'));
  assert.equal(await send(hl7(ROOM, '0100123', 94)), 'AA');
  await page.stateWhere((s) => spo2(s) === 94);
});

test('a claim takes over what the device sent since the start', async () => {
  assert.equal(await send(hl7(STRANGER, '0100123', 88)), 'AA');
  let state = await page.stateWhere((s) => s.devices.some((d) => d.device === STRANGER && d.consultation === null));
  assert.notEqual(spo2(state), 88);
  assert.equal((await refusal(page.ask('device.claim', { device: 'nobody', consultation: state.consultation.id }))).code, 'no-such');
  await page.ask('device.claim', { device: STRANGER, consultation: state.consultation.id });
  await page.stateWhere((s) => spo2(s) === 88);
  assert.equal(await send(hl7(STRANGER, '0100123', 89)), 'AA');
  state = await page.stateWhere((s) => spo2(s) === 89);
  await page.ask('device.claim', { device: STRANGER, consultation: null });
  assert.equal(await send(hl7(STRANGER, '0100123', 60)), 'AA');
  state = await page.stateWhere((s) => s.devices.find((d) => d.device === STRANGER).consultation === null);
  assert.notEqual(spo2(state), 60);
});

test('parked, a consultation gets what its claimed device sends; the room serves the next', async () => {
  const first = (await page.stateWhere((s) => s.consultation)).consultation.id;
  await page.ask('device.claim', { device: STRANGER, consultation: first });
  await page.ask('consultation.park');
  const second = await startConsultation(page, { patient: { name: 'Khác' } });
  assert.equal(await send(hl7(STRANGER, '0100123', 91)), 'AA');
  assert.equal(await send(hl7(ROOM, null, 99)), 'AA');
  await page.stateWhere((s) => s.consultation?.id === second && spo2(s) === 99);
  await page.ask('consultation.open', { consultation: first });
  await page.stateWhere((s) => s.consultation?.id === first && spo2(s) === 91);
});

test('what was acknowledged is there after kill -9', async () => {
  const id = (await page.stateWhere((s) => s.consultation)).consultation.id;
  for (let i = 0; i < 20; i++) assert.equal(await send(hl7(STRANGER, '0100123', 70 + i / 10)), 'AA');
  const gone = once(station, 'exit');
  execFileSync('kill', ['-9', String(station.pid)]);
  await gone;
  const kept = show(id).rows.observation.map((r) => r.body.value);
  for (let i = 0; i < 20; i++) assert.ok(kept.includes(70 + i / 10), String(70 + i / 10));
  station = await runStation(place);
  page = await signIn(place, 'lan');
  const state = await page.stateWhere((s) => s.waiting_readings > 0);
  assert.equal(state.waiting_readings, 1, 'what was held back waits across a restart; what was declined does not');
  assert.equal(await send(hl7(STRANGER, '0100123', 92)), 'AA');
  await page.stateWhere((s) => s.consultation?.id === id && spo2(s) === 92);
});
