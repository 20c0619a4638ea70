// A specialist signs in at the hospital's provider, in a real browser, and is known by that at the
// station: code flow with PKCE, the token bound to the browser's own media.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, mediaNow, openChromium } from '../lib/browser.mjs';
import { screenshots, watched } from '../lib/clinic.mjs';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';
import { hospitalProvider, PEOPLE, providerConfig } from '../sim/oidc.mjs';

const OPINION = 'Nghĩ đến suy tim mất bù, cần siêu âm tim';
const work = mkdtempSync(join(tmpdir(), 'nhipcau-sign-in-'));
let place, station, provider, doctor, specialist, desk, consultation, link;

before(async () => {
  provider = await hospitalProvider(work, () => place?.origin ?? 'https://localhost');
  place = await makePlace('sign-in', {
    config: `[camera room]\naddress=test:\n${providerConfig(provider, '[guests]\nspecialists = proven\n')}`,
  });
  await provider.stop();
  await provider.start(); // now that the station's address is known
  station = await runStation(place);
  doctor = await signIn(place, 'lan');
  consultation = await startConsultation(doctor);
  ({ link } = await doctor.ask('invite.create', { role: 'specialist', name: 'BS. Minh' }));
  specialist = await openChromium({ ca: place.ca, relayCa: provider.ca });
  await watched(specialist.context);
});
after(async () => {
  await specialist?.close();
  await desk?.close();
  doctor?.close();
  await stop(station);
  await provider?.stop();
  place?.remove();
  rmSync(work, { recursive: true });
});

const shot = (page, name) => page.screenshot({ path: join(screenshots, `${name}.png`) });

// The station's test picture stands still: its frames count.
const pictures = (page) => eventually(async () => {
  const { videos } = await mediaNow(page);
  return videos['video-source-room']?.frames >= 10 || false;
}, 25, 'the room is seen');

async function atProvider(page, who) {
  await page.locator('input[name=login]').fill(who);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]').click(); // the consent page
}

test('the page asks for a sign-in and leads to the provider', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  await page.goto(link);
  await page.getByTestId('sign-in-hospital').waitFor();
  assert.equal(await page.getByTestId('join').count(), 0, 'there is no way in by a typed name');
  await shot(page, 'join-sign-in-vi');
  await page.getByTestId('sign-in-hospital').click();
  await page.locator('input[name=login]').waitFor();
  assert.ok(page.url().startsWith(provider.issuer));
});

test('somebody without the role is told what to do', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  await atProvider(page, 'hoa');
  await page.getByTestId('sign-in-problem').waitFor();
  assert.match(await page.getByTestId('sign-in-problem').innerText(), /cấp quyền/);
  assert.ok(page.url().startsWith(`${place.origin}/join#v1.`), 'neither code nor state stay in the address');
  await shot(page, 'join-sign-in-refused-vi');
  await specialist.context.clearCookies();
});

test('a specialist signs in, is known by the hospital\'s word, and sees the room', { timeout: 240_000 }, async () => {
  const { page } = specialist;
  await page.getByTestId('sign-in-hospital').click();
  await atProvider(page, 'minh');
  await page.getByTestId('lobby').waitFor();
  desk = await openChromium({ ca: place.ca, devices: false });
  await desk.page.goto(`${place.origin}/`);
  await desk.page.getByTestId('user-hung').click();
  await desk.page.getByTestId('pin').fill(place.pin);
  await desk.page.getByTestId('pin-enter').click();
  await desk.page.locator('[data-testid^=proven-]').waitFor();
  assert.match(await desk.page.locator('[data-testid^=proven-]').innerText(), /Bệnh viện Trung ương/);
  assert.match(await desk.page.getByTestId('waiting').innerText(), new RegExp(PEOPLE.minh.name));
  await shot(desk.page, 'console-proven-vi');
  await desk.page.getByTestId('admit').click();
  await page.getByTestId('live').waitFor();
  await pictures(page);
});

test('after a reload the browser is known without another sign-in, its media still bound', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  await page.reload();
  await page.getByTestId('live').waitFor();
  await pictures(page);
  await doctor.ask('unlock', { passphrase: place.passphraseText });
  const { record } = await doctor.ask('record.open', { consultation });
  assert.equal(record.rows.identity.length, 1);
  assert.equal(record.rows.identity[0].body.subject, 'minh');
  assert.deepEqual(record.rows.event.filter(({ body }) => body.what === 'media-unbound'), []);
});

test('the specialist confirms the opinion, and the record tells it by itself', { timeout: 180_000 }, async () => {
  const { page } = specialist;
  await page.getByTestId('opinion').fill(OPINION);
  await page.getByTestId('confirm-opinion').click();
  await page.getByTestId('opinion-confirmed').waitFor();
  await shot(page, 'join-confirmed-vi');
  const note = (await doctor.stateWhere((s) => s.consultation?.notes.some((n) => n.confirmed))).consultation.notes.find((n) => n.confirmed);
  assert.equal(note.text, OPINION);
  await doctor.ask('consultation.conclude', { conclusion: 'Suy tim' });
  await doctor.ask('consultation.sign', { pin: place.pin });
  const [report] = JSON.parse(execFileSync(nhipcau, ['record', 'verify', '--json', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase, consultation], { encoding: 'utf8' })).signatures;
  assert.deepEqual(report.identities.map(({ subject, issuer, verdict }) => [subject, issuer, verdict]), [['minh', provider.issuer, 'good']]);
  assert.deepEqual(report.confirmations.map(({ name, verdict }) => [name, verdict]), [[PEOPLE.minh.name, 'good']]);
});
