// A doctor's own key on the console: Chromium's virtual authenticator with the PRF extension signs in and opens the
// records; one without it signs in and says what it cannot do. Added and removed on the page; lost, the passphrase opens.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openChromium } from '../lib/browser.mjs';
import { screenshots } from '../lib/clinic.mjs';
import { place as makePlace, refusal, signIn } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';

const USERS = [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'mai', name: 'ĐD. Mai', role: 'nurse' },
  { id: 'tri', name: 'Quản trị Trí', role: 'administrator' }];
let place, station, desk, cdp;

before(async () => {
  place = await makePlace('own-keys', { users: USERS });
  station = await runStation(place, { unlock: false, seconds: 120 });
  desk = await openChromium({ ca: place.ca, devices: false });
  desk.page.setDefaultTimeout(120_000); // a loaded machine is slow, not wrong
  cdp = await desk.context.newCDPSession(desk.page);
  await cdp.send('WebAuthn.enable');
});
after(async () => {
  await desk?.close();
  await stop(station);
  place?.remove();
});

const shot = (name) => desk.page.screenshot({ path: join(screenshots, `${name}.png`) });
const authenticator = async (hasPrf) => (await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', ctap2Version: 'ctap2_1',
  transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, hasPrf } })).authenticatorId;
const vault = async () => {
  const watcher = await signIn(place, 'lan');
  const { vault: state } = await watcher.stateWhere(() => true);
  watcher.close();
  return state;
};

async function byPin(user) {
  const { page } = desk;
  await page.goto(`${place.origin}/`);
  await page.getByTestId(`user-${user}`).click();
  await page.getByTestId('pin').fill(place.pin);
  await page.getByTestId('pin-enter').click();
  await page.getByTestId('home').waitFor();
}
async function add(label, proof) {
  const { page } = desk;
  await page.getByTestId('own-keys-open').click();
  await page.getByTestId('own-key-add').click();
  await page.getByTestId('own-key-proof').fill(proof);
  await page.getByTestId('own-key-label').fill(label);
  await page.getByTestId('own-key-go').click();
  await page.getByTestId('own-key-added').waitFor();
  return page.getByTestId('own-key-added').innerText();
}
async function leave() {
  await desk.page.getByTestId('user-menu').click();
  await desk.page.getByTestId('sign-out').click();
  await desk.page.getByTestId('sign-in').waitFor();
}
const locked = () => desk.page.getByTestId('unlock');

let good, plain;

test('a key with PRF is added, with the passphrase, and the page says that it opens the records', { timeout: 400_000 }, async () => {
  good = await authenticator(true);
  await byPin('lan');
  assert.equal(await desk.page.getByTestId('sign-in-key').count(), 0);
  assert.match(await add('Vân tay', place.passphraseText), /mở hồ sơ/);
  await shot('console-own-keys-vi');
  await leave();
});

test('it signs in and opens a closed vault; by PIN alone it stays closed', { timeout: 400_000 }, async () => {
  const { page } = desk;
  await byPin('lan');
  await locked().waitFor();
  await leave();
  await page.reload();
  await page.getByTestId('sign-in-key').waitFor();
  await shot('console-sign-in-key-vi');
  await page.getByTestId('sign-in-key').click();
  await page.getByTestId('home').waitFor();
  assert.equal(await page.getByTestId('user-name').innerText(), USERS[0].name);
  await locked().waitFor({ state: 'detached' });
  assert.equal(await page.getByTestId('key-note').count(), 0);
  // Another page's sign-in by PIN has nothing open by that.
  assert.equal(await vault(), 'closed');
  await leave();
});

test('from the disk alone, without the key, nothing new opens: the station started anew asks again', { timeout: 400_000 }, async () => {
  await stop(station);
  station = await runStation(place, { unlock: false, seconds: 120 });
  const { page } = desk;
  await byPin('lan');
  await locked().click();
  await page.getByTestId('unlock-key').click();
  await page.getByTestId('unlock-dialog').waitFor({ state: 'detached' });
  await locked().waitFor({ state: 'detached' });
  await leave();
});

test('a key without PRF signs in only, and says so in plain words', { timeout: 400_000 }, async () => {
  const { page } = desk;
  await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: good });
  plain = await authenticator(false);
  await byPin('lan');
  assert.match(await add('Khóa cũ', place.passphraseText), /không có PRF/);
  await shot('console-own-keys-no-prf-vi');
  await leave();
  await page.reload();
  await page.getByTestId('sign-in-key').click();
  await page.getByTestId('key-note').waitFor();
  assert.match(await page.getByTestId('key-note').innerText(), /không mở được hồ sơ: hãy nhập cụm mật khẩu/);
  await locked().waitFor();
  await shot('console-key-note-vi');
  await leave();
  // While somebody has the records open, this key is enough for a doctor who could open them.
  const other = await signIn(place, 'lan');
  await other.ask('unlock', { passphrase: place.passphraseText });
  await page.getByTestId('sign-in-key').click();
  await page.getByTestId('key-note').waitFor();
  assert.match(await page.getByTestId('key-note').innerText(), /đang mở sẵn/);
  await locked().waitFor({ state: 'detached' });
  other.close();
  await leave();
});

test('a nurse\'s key opens no records, an administrator removes it', { timeout: 400_000 }, async () => {
  const { page } = desk;
  await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: plain });
  const hers = await authenticator(true);
  await byPin('mai');
  assert.match(await add('', place.pin), /không mở hồ sơ nào/);
  await leave();
  await page.reload();
  await page.getByTestId('sign-in-key').click();
  await page.getByTestId('home').waitFor();
  assert.equal(await page.getByTestId('user-name').innerText(), USERS[1].name);
  await leave();
  const administrator = await signIn(place, 'tri');
  const { passkeys } = await administrator.ask('passkey.list');
  assert.deepEqual(passkeys.map(({ user, label, opens }) => [user, label, opens]).sort(), [['lan', 'Khóa cũ', false], ['lan', 'Vân tay', true], ['mai', '', false]]);
  const nurse = await signIn(place, 'mai');
  assert.equal((await refusal(nurse.ask('passkey.remove', { passkey: passkeys.find(({ user }) => user === 'lan').id }))).code, 'no-such');
  await administrator.ask('passkey.remove', { passkey: passkeys.find(({ user }) => user === 'mai').id });
  administrator.close();
  nurse.close();
  await page.reload();
  await page.getByTestId('sign-in-key').click();
  await page.getByTestId('sign-in-key-problem').waitFor();
  await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: hers });
});

test('a lost key: the passphrase signs in and opens, and the key is removed on the page', { timeout: 400_000 }, async () => {
  const { page } = desk;
  await page.goto(`${place.origin}/`);
  await page.getByTestId('user-lan').click();
  await page.getByTestId('by-passphrase-open').click();
  await page.getByTestId('sign-in-passphrase').fill('không phải câu này');
  await page.getByTestId('sign-in-passphrase-go').click();
  await page.getByText('Mật khẩu không đúng').waitFor();
  await page.getByTestId('sign-in-passphrase').fill(place.passphraseText);
  await page.getByTestId('sign-in-passphrase-go').click();
  await page.getByTestId('home').waitFor();
  await locked().waitFor({ state: 'detached' });
  await page.getByTestId('own-keys-open').click();
  // The list is asked for when it is opened: both of this doctor's keys, then none.
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=own-key]').length === 2);
  for (let left = 2; left > 0; left--) {
    await page.getByTestId('own-key-remove').first().click();
    await page.waitForFunction((n) => document.querySelectorAll('[data-testid=own-key]').length === n, left - 1);
  }
  await leave();
  await page.reload();
  await page.getByTestId('sign-in').waitFor();
  assert.equal(await page.getByTestId('sign-in-key').count(), 0);
});
