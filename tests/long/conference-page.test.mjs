// A consultation at a conference server, as people see it: the doctor is asked and told who operates it,
// every page says that end-to-end encryption has ended, the conference's picture and voice are there for
// the doctor and for guests. The server is Janus (tests/lib/janus.mjs).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openChromium } from '../lib/browser.mjs';
import { picturesMove, screenshots, soundGrows, watched } from '../lib/clinic.mjs';
import { conferencePlace } from '../lib/janus.mjs';
import { signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

const OPERATOR = 'Bệnh viện đa khoa tỉnh';
let clinic, conference, station, silent, chromium, doctor, guest;

before(async () => {
  ({ clinic, conference } = await conferencePlace('conference-page', {
    users: [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'mai', name: 'ĐD. Vàng Thị Mai', role: 'helper' }],
    operator: OPERATOR,
  }));
  station = await runStation(clinic);
  silent = await signIn(clinic, 'mai');
  await startConsultation(silent, { patient: { name: 'Lò Văn Pành', birth_year: 1961, sex: 'male' } });
  chromium = await openChromium({ ca: clinic.ca });
  await watched(chromium.context);
  doctor = chromium.page;
}, { timeout: 300_000 });

after(async () => {
  silent?.close();
  await chromium?.close();
  await stop(station);
  await conference?.stop();
  clinic?.remove();
});

test('the doctor publishes, after a sentence that names who will see and hear', { timeout: 180_000 }, async () => {
  await assert.rejects(silent.ask('conference.start', { confirmed: true }), /not-allowed/, 'a helper may not');
  await doctor.goto(`${clinic.origin}/`);
  await doctor.getByTestId('user-lan').click();
  await doctor.getByTestId('pin').fill(clinic.pin);
  await doctor.getByTestId('pin-enter').click();
  await doctor.getByTestId('conference').click();
  const dialog = doctor.getByTestId('conference-dialog');
  await dialog.getByTestId('conference-warning').getByText(OPERATOR).waitFor();
  assert.ok(await dialog.getByTestId('conference-go').isDisabled());
  await dialog.getByTestId('conference-sure').check();
  await doctor.screenshot({ path: join(screenshots, 'console-conference-ask-vi.png') });
  await dialog.getByTestId('conference-go').click();
  await dialog.waitFor({ state: 'hidden' });
  await doctor.locator('[data-testid=conference-state][data-state=live][data-reading=live]').waitFor({ timeout: 40_000 });
  await doctor.getByTestId('sfu').getByText(OPERATOR).waitFor();
  assert.equal(await doctor.getByTestId('conference').count(), 0);
});

test('the conference is seen and heard at the console, and by a guest who is told the same', { timeout: 240_000 }, async () => {
  await picturesMove(doctor, ['video-peer-conference'], 40);
  await doctor.screenshot({ path: join(screenshots, 'console-conference-vi.png') });
  const { link } = await silent.ask('invite.create', { role: 'specialist', name: 'BS. Minh' });
  guest = await chromium.context.newPage();
  await guest.goto(link);
  await guest.getByTestId('name').fill('BS. Trần Văn Minh');
  await guest.getByTestId('join').click();
  const state = await silent.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'), 30);
  await silent.ask('guest.admit', { guest: state.consultation.guests.find((g) => g.state === 'lobby').guest });
  await guest.getByTestId('sfu').getByText(OPERATOR).waitFor();
  await picturesMove(guest, ['video-peer-conference', 'video-source-room'], 40);
  await soundGrows(guest);
  await guest.screenshot({ path: join(screenshots, 'join-conference-vi.png') });
});

test('it is stopped by the doctor, and nobody is told so any more', { timeout: 150_000 }, async () => {
  await doctor.getByTestId('conference-stop').click();
  await doctor.getByTestId('sfu').waitFor({ state: 'detached' });
  await guest.getByTestId('sfu').waitFor({ state: 'detached' });
  await doctor.getByTestId('conference').waitFor();
  await doctor.getByTestId('tab-happenings').click();
  await doctor.getByTestId('happenings').getByText('Thôi qua máy chủ hội nghị').waitFor();
});
