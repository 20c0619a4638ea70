// A monitor's readings and alarms on both pages, and what names another patient on the doctor's.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openChromium } from '../lib/browser.mjs';
import { askToJoin, invite, screenshots, signIn as enter } from '../lib/clinic.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

const ROOM = '00A0370000000001';
let place, station, doctor, specialist;

before(async () => {
  place = await makePlace('monitors-page', { config: `[device monitor]\nid=${ROOM}\n` });
  station = await runStation(place);
  const page = await signIn(place, 'lan');
  await startConsultation(page, { patient: { name: 'Vàng Thị Mỷ', birth_year: 1958, sex: 'female', device_ids: ['0100123'] } });
  await page.ask('sign-out');
  page.close();
  doctor = await openChromium({ ca: place.ca });
  await enter(doctor.page, { console: `${place.origin}/`, pin: place.pin, user: 'lan' });
  const link = await invite(doctor.page);
  specialist = await openChromium({ ca: place.ca });
  await askToJoin(specialist.page, { specialist: link });
  await doctor.page.getByTestId('admit').click();
  await specialist.page.getByTestId('live').waitFor();
}, { timeout: 180_000 });

after(async () => {
  await specialist?.close();
  await doctor?.close();
  await stop(station);
  place.remove();
});

let control = 0;
const time = () => new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14) + '+0000';
const header = (type, patient) => [
  `MSH|^~\\&|SIM^${ROOM}^EUI-64|CLINIC|||${time()}||${type}|${++control}|P|2.6|||NE|AL||UNICODE UTF-8`,
  patient ? `PID|||${patient}^^^CLINIC^PI||Lý^Văn^Sèng` : 'PID|',
];
const spo2 = (patient, value) => [...header('ORU^R01^ORU_R01', patient), `OBR|1|||182777000^monitoring of patient^SCT|||${time()}`,
  `OBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456|${value}|262688^MDC_DIM_PERCENT^MDC|90-100||||R|||${time()}`];
const alarm = (phase) => [...header('ORU^R40^ORU_R40'), `OBR|1|||196616^MDC_EVT_ALARM^MDC|||${time()}`,
  'OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.3.1.150456.1|196652^MDC_EVT_LO_VAL_LT_LIM^MDC^^^^^^SpO2 thấp|||L~PH~SP|||R',
  'OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456.2|86|262688^MDC_DIM_PERCENT^MDC|90-100||||R',
  `OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.150456.3|${phase}`];

async function send(segments) {
  const socket = connect(place.ports.mllp, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`\x0b${segments.join('\r')}\r\x1c\r`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  assert.match(answer.toString(), /\rMSA\|AA\|/);
}

test('a reading is on both pages', async () => {
  await send(spo2('0100123', 93));
  for (const { page } of [doctor, specialist]) await page.getByTestId('value-spo2').filter({ hasText: '93' }).waitFor();
});

test('an alarm stands on both pages, as no primary alarm, until it is over', async () => {
  await send(alarm('start'));
  for (const { page } of [doctor, specialist]) {
    const list = page.getByTestId('alarms');
    await list.getByText('SpO2 thấp').waitFor();
    assert.match(await list.innerText(), /không phải báo động chính/);
  }
  await specialist.page.screenshot({ path: join(screenshots, 'alarm-specialist.png') });
  await doctor.page.screenshot({ path: join(screenshots, 'alarm-console.png') });
  await send(alarm('end'));
  for (const { page } of [doctor, specialist]) await page.getByTestId('alarms').waitFor({ state: 'hidden' });
});

test("another patient's reading is shown as held back, on the doctor's page alone, and the doctor's click takes it", async () => {
  await send(spo2('0999999', 81));
  const notice = doctor.page.getByTestId(`held-${ROOM}`);
  await notice.waitFor();
  assert.match(await notice.innerText(), /0999999, Lý Văn Sèng/);
  assert.equal(await doctor.page.getByTestId('value-spo2').innerText(), '93');
  assert.doesNotMatch(await specialist.page.locator('body').innerText(), /0999999/);
  await doctor.page.getByTestId(`held-open-${ROOM}`).click();
  await doctor.page.getByTestId(`waiting-${ROOM}`).waitFor();
  await doctor.page.screenshot({ path: join(screenshots, 'held-back.png') });
  await doctor.page.getByTestId(`take-${ROOM}`).click();
  await doctor.page.getByTestId(`waiting-${ROOM}`).waitFor({ state: 'hidden' });
  for (const { page } of [doctor, specialist]) await page.getByTestId('value-spo2').filter({ hasText: '81' }).waitFor();
});
