// The administrator makes an account, the specialist sets up a passkey by the link and signs in with it:
// real pages, Chromium's own virtual authenticator.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

const USERS = [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'tri', name: 'Quản trị Trí', role: 'administrator' }];
let place, station, doctor, desk, specialist, link;

before(async () => {
  place = await makePlace('accounts-page', { users: USERS });
  station = await runStation(place);
  doctor = await signIn(place, 'lan');
  await startConsultation(doctor);
  desk = await openChromium({ ca: place.ca, devices: false });
  specialist = await openChromium({ ca: place.ca });
  const cdp = await specialist.context.newCDPSession(specialist.page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  } });
});
after(async () => {
  await desk?.close();
  await specialist?.close();
  doctor?.close();
  await stop(station);
  place?.remove();
});
const shot = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`) });

test('an administrator sees accounts and the station, and nothing of patients', { timeout: 180_000 }, async () => {
  const { page } = desk;
  await page.goto(`${place.origin}/`);
  await page.getByTestId('user-tri').click();
  await page.getByTestId('pin').fill(place.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('no-patients').waitFor();
  for (const gone of ['start-consultation', 'records', 'live']) assert.equal(await page.getByTestId(gone).count(), 0, gone);
  await page.getByTestId('account-add').click();
  await page.getByTestId('new-name').fill('BS. Trần Văn Minh');
  await page.getByTestId('new-account').fill('minh');
  await page.getByTestId('new-facility').fill('Bệnh viện huyện');
  await page.getByTestId('account-save').click();
  await page.getByTestId('enrol-minh').click();
  link = await page.getByTestId('account-link').inputValue();
  await shot(page, 'console-account-link-vi');
  await page.getByTestId('account-link-done').click();
  await shot(page, 'console-accounts-vi');
});

test('the specialist sets up a passkey by the link', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  await page.goto(link);
  await page.getByTestId('enrol-passkey').waitFor();
  await page.getByTestId('enrol-by-password').click();
  await page.getByTestId('enrol-secret').waitFor();
  await shot(page, 'join-enrol-vi');
  await page.getByTestId('enrol-passkey').click();
  await page.getByTestId('enrol-done').waitFor();
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByTestId('enrol-refused').waitFor();
});

test('and signs in with it', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  ({ link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' }));
  await page.goto(link);
  await page.getByTestId('sign-in-passkey').waitFor();
  await page.getByTestId('sign-in-password').click();
  await shot(page, 'join-account-vi');
  await page.getByTestId('account-name').fill('minh');
  await page.getByTestId('account-password').fill('not this one');
  await page.getByTestId('account-code').fill('123456');
  await page.getByTestId('account-enter').click();
  await page.getByTestId('sign-in-problem').waitFor();
  await page.getByTestId('sign-in-passkey').click();
  await page.getByTestId('lobby').waitFor();
  const { consultation } = await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.state === 'lobby'));
  const [guest] = consultation.guests;
  assert.deepEqual([guest.name, guest.identity.method, guest.identity.subject], ['BS. Trần Văn Minh', 'passkey', 'minh']);
  await doctor.ask('guest.admit', { guest: guest.guest });
  await page.getByTestId('live').waitFor();
  // Known again by its key, after a reload too.
  await page.reload();
  await page.getByTestId('live').waitFor();
});
