// A state folder that was put back is noticed by each kind of witness alone: the hospital's server, its folder, a
// specialist's browser, a backup, a printed paper. The log tells of a fork, and work continues.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Console } from '../lib/console.mjs';
import { joinPage, keyPair, place as makePlace, refusal, signIn } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';
import { untilWithin } from '../lib/until.mjs';
import { fhirServer, hospitalCertificates } from '../sim/fhir.mjs';

const work = mkdtempSync(join(tmpdir(), 'nhipcau-witnesses-'));
const folder = join(work, 'disk'), old = join(work, 'old'), backup = join(work, 'backup');
let place, plain, station, page, fhir, fhirConfig, guestHead, paper, kept;

const until = untilWithin(120, 400);
const tool = (...args) => spawnSync(nhipcau, [...args, '--state', place.state, '--config', place.config], { encoding: 'utf8' });
const keys = () => ['--boot-credential', place.boot, '--unlock', place.passphrase];
const verify = () => JSON.parse(tool('record', 'verify', '--json', ...keys()).stdout);
const forks = (told) => told.findings.filter(({ code }) => code === 'log-fork');
// What a page is told when it comes.
async function problem() {
  const visitor = await Console.connect(place);
  visitor.close();
  return visitor.hello.problems?.find(({ code }) => code === 'fork');
}

async function start(config) {
  writeFileSync(place.config, plain + config);
  station = await runStation(place);
  page = await signIn(place, 'lan');
}
async function end() {
  page.close();
  await stop(station);
}
async function consult(reason) {
  const { consultation } = await page.ask('consultation.start', { mode: 3, reason, patient: { unknown: true } });
  await page.ask('note.save', { note: consultation, kind: 'note', text: reason });
  return consultation;
}
const sign = async () => {
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { passphrase: place.passphraseText });
};
// A specialist's browser, admitted: what it kept, what it is given.
async function guest(head) {
  await consult('Hội chẩn');
  const { link } = await page.ask('invite.create', { role: 'specialist' });
  const browser = await joinPage(place);
  assert.equal((await refusal(browser.ask('log.head'))).code, 'out-of-place');
  const { guest: id } = await browser.join(link, keyPair(), { name: 'BS. Hà' });
  assert.equal((await refusal(browser.ask('log.head'))).code, 'out-of-place', 'nobody has let it in');
  await page.ask('guest.admit', { guest: id });
  const given = await browser.ask('log.head', head ? { head } : {});
  assert.equal((await refusal(browser.ask('log.head'))).code, 'busy');
  browser.close();
  await sign();
  return given.head;
}
// The folder as it was before the newest consultations.
async function putBack(config) {
  rmSync(place.state, { recursive: true });
  cpSync(old, place.state, { recursive: true, preserveTimestamps: true });
  await start(config);
}
async function afterwards(source, times = 1) {
  await until(async () => (await problem())?.text.en.includes(source), 'pages are told');
  await consult('Vẫn làm việc');
  await sign();
  await end();
  const told = verify();
  assert.equal(told.good, true, JSON.stringify(told.findings));
  const of = forks(told).filter(({ what }) => what.includes(source));
  assert.equal(of.length, times, JSON.stringify(told.findings));
}

before(async () => {
  mkdirSync(folder);
  const hospital = hospitalCertificates(join(work, 'hospital'));
  fhir = await fhirServer(hospital);
  place = await makePlace('witnesses');
  plain = readFileSync(place.config, 'utf8');
  fhirConfig = `[deliver province]\nto=${fhir.url}\nca-file=${hospital('ca.crt')}\ncertificate=${hospital('station.crt')}\nkey=${hospital('station.key')}\n`;
  await start('');
  await consult('Trước');
  await sign();
  await end();
  cpSync(place.state, old, { recursive: true, preserveTimestamps: true });
}, { timeout: 120_000 });
after(async () => {
  await end();
  await fhir?.close();
  place?.remove();
  rmSync(work, { recursive: true, force: true });
});

test('all witnesses see the log grow, and none sees a fork', { timeout: 240_000 }, async () => {
  await start(`${fhirConfig}[deliver disk]\nto=${folder}\n`);
  await until(async () => (await page.ask('outbox.list')).witnesses.length === 2, 'both destinations keep the head');
  const [first] = (await page.ask('outbox.list')).witnesses;
  guestHead = await guest(null);
  assert.match(guestHead.root, /^[0-9a-f]{64}$/);
  await until(async () => {
    const { waiting, witnesses } = await page.ask('outbox.list');
    return waiting === 0 && witnesses.every(({ size }) => size > first.size);
  }, 'a later head goes with a delivery');
  await page.ask('unlock', { passphrase: place.passphraseText });
  await end();
  assert.equal(tool('backup', backup).status, 0);
  const told = verify();
  assert.deepEqual(forks(told), []);
  assert.equal(told.good, true);
  const [basic] = fhir.basics.values();
  assert.equal(basic.resourceType, 'Basic');
  // The hash on the paper is that of the manifest that was signed.
  await start('');
  await page.ask('unlock', { passphrase: place.passphraseText });
  const [{ consultation }] = (await page.ask('record.list')).records;
  paper = (await page.ask('signature.manifest', { consultation })).sha256;
  await end();
  kept = { basics: new Map([...fhir.basics].map(([id, one]) => [id, structuredClone(one)])), folder: join(work, 'folder-kept') };
  cpSync(folder, kept.folder, { recursive: true });
});

test('the hospital\'s server knows', { timeout: 240_000 }, async () => {
  await putBack(fhirConfig);
  await afterwards('receipt');
});

test('the folder knows', { timeout: 240_000 }, async () => {
  await putBack(`[deliver disk]\nto=${folder}\n`);
  await afterwards('receipt');
});

test('a specialist\'s browser knows; one that holds up what this station never signed is not believed', { timeout: 240_000 }, async () => {
  await putBack('');
  const bent = { ...guestHead, size: guestHead.size + 1000 };
  await guest(bent);
  await guest({ size: 'x', root: 5 });
  assert.equal(await problem(), undefined);
  await guest(guestHead);
  await afterwards('browser');
});

test('a backup knows', { timeout: 240_000 }, async () => {
  await putBack('');
  await end();
  const said = tool('backup', backup);
  assert.equal(said.status, 1, said.stdout + said.stderr);
  await start('');
  await afterwards('backup');
});

test('a printed paper knows', { timeout: 240_000 }, async () => {
  await putBack('');
  await page.ask('unlock', { passphrase: place.passphraseText });
  assert.equal((await page.ask('witness.check', { paper })).known, false);
  await afterwards('paper');
});

test('a server that holds up rubbish, or another station\'s head, changes nothing', { timeout: 240_000 }, async () => {
  fhir.basics.clear();
  for (const [id, one] of kept.basics)
    fhir.basics.set(id, { ...one, extension: one.extension.map((e) => e.valueString ? { ...e, valueString: `99999 ${'a'.repeat(64)}` } : e) });
  await putBack(fhirConfig);
  await until(() => [...fhir.basics.values()].some(({ extension }) => !extension[0].valueString.startsWith('99999')), 'it is given the present head');
  assert.equal(await problem(), undefined);
  assert.ok(readdirSync(kept.folder).length > 0);
  assert.deepEqual(forks(verify()), []);
});
