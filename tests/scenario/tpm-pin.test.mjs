// A PIN that the computer's TPM checks (swtpm): it signs in and opens the vault on that computer, the TPM counts wrong
// ones, and the disk alone, or beside another TPM, opens nothing by it.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Console } from '../lib/console.mjs';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';
import { noTpm, openTpm } from '../lib/tpm.mjs';

const NEW_PIN = '730582', WRONG = '112358', TRIES = 3;
const skip = noTpm;
const work = mkdtempSync(join(tmpdir(), 'tpm-pin-'));
let place, station, tpm, thief;

const withTpm = (at, { tcti }) => {
  const config = join(work, `station-${tcti.replace(/\D/g, '')}.conf`);
  writeFileSync(config, readFileSync(place.config, 'utf8').replace('[station]\n', `[station]\ntpm=${tcti}\n`));
  return { ...at, config };
};
const enter = async (fields) => {
  const page = await Console.connect(place);
  return { page, answer: await page.ask('sign-in', { user: 'lan', ...fields }).catch((error) => error) };
};

before(async () => {
  if (skip) return;
  tpm = await openTpm(join(work, 'own'));
  tpm.tool('tpm2_dictionarylockout', '--setup-parameters', `--max-tries=${TRIES}`, '--recovery-time=3600', '--lockout-recovery-time=3600');
  place = await makePlace('tpm-pin');
  station = await runStation(withTpm(place, tpm), { unlock: false, seconds: 120 });
});
after(async () => {
  await stop(station);
  await tpm?.stop();
  await thief?.stop();
  place?.remove();
  rmSync(work, { recursive: true });
});

test('it is set by the passphrase; weak ones and those of before are refused', { skip }, async () => {
  const page = await signIn(place, 'lan'), passphrase = place.passphraseText;
  assert.equal(page.hello.tpm, true);
  assert.equal((await refusal(page.ask('tpm.set', { pin: NEW_PIN, passphrase }))).code, 'locked', 'a closed vault gets no new way in');
  await page.ask('unlock', { passphrase });
  const before = await refusal(page.ask('tpm.set', { pin: place.pin, passphrase }));
  assert.deepEqual([before.code, before.field], ['bad-message', 'pin']);
  assert.match(before.text.vi, /từng dùng/);
  assert.equal((await refusal(page.ask('tpm.set', { pin: '123456', passphrase }))).field, 'pin');
  assert.equal((await refusal(page.ask('tpm.set', { pin: NEW_PIN, passphrase: 'không phải câu này' }))).code, 'not-allowed');
  await page.ask('tpm.set', { pin: NEW_PIN, passphrase });
  assert.equal((await page.stateWhere((s) => s.user?.tpm)).user.tpm, true);
  page.close();
});

test('after a restart the PIN alone opens the vault, and signs', { skip }, async () => {
  await stop(station);
  station = await runStation(withTpm(place, tpm), { unlock: false, seconds: 120 });
  const other = await signIn(place, 'hung');
  assert.equal((await other.stateWhere(() => true)).vault, 'closed');
  const { page, answer } = await enter({ pin: NEW_PIN });
  assert.equal(answer.opened, 'key');
  assert.equal((await page.stateWhere((s) => s.vault === 'open')).user.id, 'lan');
  await startConsultation(page);
  await page.ask('consultation.conclude', { conclusion: 'Ổn định' });
  assert.equal((await refusal(page.ask('consultation.sign', { pin: place.pin }))).code, 'wrong-pin', 'the PIN of before is none any more');
  await page.ask('consultation.sign', { pin: NEW_PIN });
  page.close();
  other.close();
});

test('the TPM counts wrong ones and then takes none, the right one neither; the passphrase does', { skip }, async () => {
  tpm.tool('tpm2_dictionarylockout', '--clear-lockout');
  for (let i = 0; i < TRIES; i++) {
    const { page, answer } = await enter({ pin: WRONG });
    assert.equal(answer.code, 'wrong-pin', `try ${i + 1}`);
    page.close();
  }
  const locked = await enter({ pin: NEW_PIN });
  assert.equal(locked.answer.code, 'chip');
  assert.match(locked.answer.text.vi, /cụm mật khẩu/);
  locked.page.close();
  assert.match(tpm.tool('tpm2_getcap', 'properties-variable'), /inLockout:\s+1/);
  const { page, answer } = await enter({ passphrase: place.passphraseText });
  assert.equal(answer.user.id, 'lan');
  await page.ask('unlock', { passphrase: place.passphraseText });
  page.close();
  tpm.tool('tpm2_dictionarylockout', '--clear-lockout');
  const again = await enter({ pin: NEW_PIN });
  assert.equal(again.answer.opened, 'key');
  again.page.close();
});

test('a stolen disk beside another TPM: the right PIN opens nothing', { skip }, async () => {
  await stop(station);
  const stolen = join(work, 'stolen');
  cpSync(place.state, stolen, { recursive: true });
  thief = await openTpm(join(work, 'thief'));
  const his = await runStation({ ...withTpm(place, thief), state: stolen }, { unlock: false, seconds: 120 });
  try {
    for (const pin of [NEW_PIN, WRONG]) {
      const { page, answer } = await enter({ pin });
      assert.equal(answer.code, 'chip', 'it does not even tell whether the PIN is right');
      page.close();
    }
  } finally {
    await stop(his);
  }
});

test('back to a PIN that opens the screen only', { skip }, async () => {
  station = await runStation(withTpm(place, tpm), { unlock: false, seconds: 120 });
  const first = await enter({ pin: NEW_PIN });
  await first.page.ask('tpm.clear', { pin: '604817', passphrase: place.passphraseText });
  first.page.close();
  const { page, answer } = await enter({ pin: '604817' });
  assert.equal(answer.opened, 'no');
  assert.equal((await page.stateWhere((s) => s.user?.id === 'lan')).user.tpm, false);
  assert.equal((await enter({ pin: NEW_PIN })).answer.code, 'wrong-pin');
  page.close();
});
