// Time-stamps are renewed before they end, by a sweep that nobody has to ask for: a signature whose first authority is
// long over still verifies; without the further token it does not.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace } from '../lib/people.mjs';
import { nhipcau, root, runStation, stop } from '../lib/station.mjs';
import { Console } from '../lib/console.mjs';
import { untilWithin } from '../lib/until.mjs';
import { DAY } from '../sim/est.mjs';
import { timestampAuthority } from '../sim/timestamps.mjs';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const skip = existsSync(LIBRARY) ? false : 'libfaketime is not installed (Debian: faketime)';
const work = mkdtempSync(join(tmpdir(), 'restamp-')), pki = join(work, 'pki'), before30 = join(work, 'before');
const at = (days) => days === 0 ? {} : { LD_PRELOAD: LIBRARY, FAKETIME: `+${days * DAY}`, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_RESET: '1' };
let place, station, page, authority, consultation;

async function start(days, unlock) {
  authority.env = at(days);
  station = await runStation(place, { unlock, env: at(days) });
  page = await Console.connect(place);
  await page.ask('sign-in', { user: 'lan', pin: place.pin });
}
async function end() {
  page.close();
  await stop(station);
}
const until = untilWithin(120, 400);
// What a page is told when it comes.
async function problem() {
  const visitor = await Console.connect(place);
  visitor.close();
  return visitor.hello.problems?.find(({ code }) => code === 'restamp');
}
// As somebody verifies it so many days later.
function verified(days, state = place.state) {
  const done = spawnSync(nhipcau, ['record', 'verify', consultation, '--json', '--state', state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8', env: { ...process.env, ...at(days) } });
  return JSON.parse(done.stdout).signatures[0];
}
const codes = (told) => told.signatures.flatMap(({ findings }) => findings.map(({ code }) => code));

before(async () => {
  if (skip) return;
  execFileSync(join(root, 'tests/sim/signing-pki'), [pki]);
  authority = await timestampAuthority(pki, 'short.cnf');
  place = await makePlace('restamp', { more: 'clock=trusted', config: `[timestamp]
url = ${authority.url}
ca-file = ${pki}/tsa-ca.crt
renew-before = 20
` });
}, { timeout: 120_000 });
after(async () => {
  if (!skip) await end();
  await authority?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

test('today: the authority whose certificate ends in a month stamps', { skip, timeout: 240_000 }, async () => {
  await start(0, true);
  ({ consultation } = await page.ask('consultation.start', { mode: 1, reason: 'Ho', patient: { unknown: true } }));
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { pin: place.pin });
  await until(() => authority.answers === 1, 'a token');
  await end();
  assert.deepEqual(codes(verified(0)).filter((code) => code !== 'timestamp-expires'), []);
});

test('ten days on nothing is due', { skip, timeout: 240_000 }, async () => {
  await start(10, true);
  await page.ask('unlock', { passphrase: place.passphraseText });
  const { report } = await page.ask('signature.report', { consultation });
  assert.equal(report.pending, 0);
  await end();
  assert.equal(authority.answers, 1);
  cpSync(place.state, before30, { recursive: true, preserveTimestamps: true });
});

test('twenty days on the record is closed: pages are told; once it is open the further token comes by itself', { skip, timeout: 240_000 }, async () => {
  authority.config = 'tsa.cnf';
  await start(20, false);
  const told = await until(problem, 'pages are told');
  assert.match(told.text.vi, /^1 hồ sơ.*đóng dấu thời gian lại/);
  assert.equal(authority.answers, 1);
  await page.ask('unlock', { passphrase: place.passphraseText });
  await until(() => authority.answers === 2, 'a further token');
  await page.ask('lock');
  await page.ask('unlock', { passphrase: place.passphraseText });
  await until(async () => await problem() === undefined, 'nothing is due any more');
  await end();
});

test('forty days on it holds; without the further token it would not', { skip, timeout: 240_000 }, () => {
  const held = verified(40);
  assert.notEqual(held.verdict, 'bad', JSON.stringify(held));
  assert.ok(held.signatures[0].tokens === 2, JSON.stringify(held));
  const alone = verified(40, before30);
  assert.equal(alone.verdict, 'bad', JSON.stringify(alone));
  assert.ok(codes(alone).some((code) => code.startsWith('timestamp-')), JSON.stringify(alone));
});

test('it is not asked for again', { skip, timeout: 240_000 }, async () => {
  await start(40, true);
  await page.ask('unlock', { passphrase: place.passphraseText });
  const { report } = await page.ask('signature.report', { consultation });
  assert.equal(report.pending, 0);
  assert.equal(authority.answers, 2);
});
