// A console that nobody touches locks: the vault's key and the keys of finished consultations leave
// the memory of the program, and the recording goes on.

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { root, runStation, stop } from '../lib/station.mjs';

const SECONDS = 8;

let place, station, canLook;
before(async () => {
  place = await makePlace('idle-lock', { config: '[camera room]\naddress=test:\n' });
  const text = readFileSync(place.config, 'utf8');
  writeFileSync(place.config, text.replace('[station]\n', `[station]\nidle-lock=${SECONDS}s\n`));
  station = await runStation(place, { unlock: false });
  canLook = process.getuid() === 0;
});
after(async () => {
  await stop(station);
  place.remove();
});

// How often each pattern stands in the memory of the station.
async function memoryHits(patterns) {
  const { stdout } = await promisify(execFile)(process.execPath,
    [join(root, 'tests/lib/memory-hits.mjs'), `${station.pid}`, ...patterns.map((bytes) => bytes.toString('hex'))]);
  return JSON.parse(stdout);
}

// Somebody touches the page until the returned function is called.
function touch(page) {
  const timer = setInterval(() => page.send('active'), 500);
  return () => clearInterval(timer);
}

// The station has the file to itself: a copy is read.
function sql(query) {
  const copy = join(place.dir, 'keys.db');
  copyFileSync(join(place.state, 'keys.db'), copy);
  return execFileSync('sqlite3', [copy, query], { encoding: 'utf8' }).trim();
}

// A consultation's key as its escrow tells it, with stock openssl.
function dek(consultation, purpose) {
  const der = Buffer.from(sql(`SELECT hex(recovery_cms) FROM consult_key WHERE consult='${consultation}' AND purpose='${purpose}'`), 'hex');
  const { key, cert } = place.recovery[0];
  const text = execFileSync('openssl', ['cms', '-decrypt', '-inform', 'DER', '-inkey', key, '-recip', cert], { input: der });
  return Buffer.from(JSON.parse(text).dek, 'base64');
}

// The private number of VK, by the passphrase.
function vaultKey() {
  const der = Buffer.from(sql("SELECT hex(pkcs8) FROM passphrase WHERE user='lan'"), 'hex');
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8', passphrase: readFileSync(place.passphrase, 'utf8').trim() });
  return Buffer.from(key.export({ format: 'jwk' }).d, 'base64url');
}

async function finished(page) {
  const consultation = await startConsultation(page);
  await page.ask('consultation.conclude', { conclusion: 'Ổn' });
  await page.stateWhere((s) => s.consultation?.state === 'concluding');
  await page.ask('consultation.sign', { pin: place.pin });
  await page.stateWhere((s) => s.consultation === null);
  return consultation;
}

test('what is touched stays open; what is not is locked, and the recording goes on', async (t) => {
  const page = await signIn(place, 'lan');
  const letGo = touch(page);
  const done = await finished(page);
  const live = await startConsultation(page);
  await page.ask('consent.save', { kind: 'given', purposes: ['treatment', 'recording'] });
  await page.ask('recording.start');
  await page.stateWhere((s) => s.consultation.recording.on && s.consultation.recording.tracks > 0, 30);
  await page.ask('unlock', { passphrase: place.passphraseText });
  await page.ask('record.open', { consultation: done });

  const secrets = [dek(done, 'clinical'), vaultKey(), Buffer.from(vaultKey()).reverse(),
    Buffer.from(place.passphraseText)];
  const going = dek(live, 'recording');
  if (canLook) {
    const [finishedKey, number, reversed] = await memoryHits(secrets);
    assert.ok(finishedKey > 0, 'the control finds the finished key while it is open');
    assert.ok(number + reversed > 0, 'the control finds the vault key while it is open');
  } else {
    t.diagnostic('not root: the memory of the program cannot be looked at');
  }

  // Touched for longer than the lock's time: it stays.
  const locked = page.until((m) => m.type === 'signed-out', 60);
  let early = false;
  locked.then(() => { early = true; });
  await page.until(() => false, SECONDS + 3).catch(() => {});
  assert.equal(early, false, 'a page that is touched is not locked');
  letGo();

  assert.equal((await locked).reason, 'idle');
  assert.equal((await refusal(page.ask('record.open', { consultation: done }))).code, 'not-signed-in');
  if (canLook) {
    assert.deepEqual(await memoryHits(secrets), [0, 0, 0, 0], 'no byte of them is left');
    assert.ok((await memoryHits([going]))[0] > 0, 'the key of the recording that goes on stays');
  }

  // Back with the PIN: the recording was on all the while, the records want the passphrase.
  await page.ask('sign-in', { user: 'lan', pin: place.pin });
  const state = await page.stateWhere((s) => s.consultation?.id === live && s.user?.id === 'lan');
  assert.equal(state.consultation.recording.on, true);
  assert.equal(state.vault, 'closed');
  assert.equal(state.consultation.events.filter((e) => e.what === 'interrupted').length, 0);
  assert.equal((await refusal(page.ask('record.open', { consultation: done }))).code, 'locked');
  page.close();
});

test('the program leaves no core, its keys are locked into memory', (t) => {
  const status = readFileSync(`/proc/${station.pid}/limits`, 'utf8');
  assert.match(status, /Max core file size\s+0\s+0/);
  const smaps = readFileSync(`/proc/${station.pid}/smaps`, 'latin1');
  if (/VmFlags: rd wr/.test(smaps)) assert.match(smaps, /VmFlags:.* lo .*dd/, 'an area is locked and left out of dumps');
  else t.diagnostic('this kernel does not tell which areas are locked');
});
