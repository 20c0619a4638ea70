// Recovery keys and the boot credential change on a station that has records.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { makeRecoveryKeys, nhipcau, runStation, stop } from '../lib/station.mjs';

let place, going, fresh;
before(async () => {
  place = await makePlace('keys');
  [fresh] = makeRecoveryKeys(join(place.dir, 'new-province'), 1);
  await whileRunning(async (page) => {
    going = await startConsultation(page);
    await page.ask('note.save', { note: going, kind: 'note', text: 'Ho ba ngày' });
  });
});
after(() => place.remove());

async function whileRunning(act, options) {
  const station = await runStation(place, options);
  const page = await signIn(place, 'lan');
  await act(page);
  page.close();
  await stop(station);
}
const run = (...args) => {
  const done = spawnSync(nhipcau, [...args, '--state', place.state, '--config', place.config], { encoding: 'utf8' });
  return { ...done, text: done.stdout + done.stderr };
};
const setup = (...args) => run('setup', '--lang', 'en', '--boot-credential', place.boot, '--unlock', place.passphrase, ...args);
const recovery = () => JSON.parse(run('cert', 'show', '--json').stdout).recovery.map((r) => [r.number, r.confirmed]);
const verified = () => run('record', 'verify', '--boot-credential', place.boot, '--unlock', place.passphrase).status;

function recovered({ key, cert }) {
  const out = join(place.dir, 'recovered');
  rmSync(out, { recursive: true, force: true });
  const done = spawnSync(nhipcau, ['record', 'recover', '--state', place.state, '--key', key, '--certificate', cert, '--out', out], { encoding: 'utf8' });
  const file = join(out, going, 'record.json');
  return done.status === 0 && existsSync(file) && readFileSync(file, 'utf8').includes('Ho ba ngày');
}

test('another recovery key: added, confirmed, the old one removed', () => {
  assert.deepEqual(recovery(), [[1, true], [2, false]]);
  assert.equal(run('setup', '--boot-credential', place.boot, '--add-recovery', fresh.cert).status, 2, 'wants a passphrase');
  assert.equal(setup('--add-recovery', join(place.dir, 'pin')).status, 2, 'no certificate');
  assert.equal(setup('--remove-recovery', '1').status, 3, 'none that stays is confirmed');
  assert.equal(setup('--remove-recovery', '9').status, 2);
  assert.deepEqual(recovery(), [[1, true], [2, false]]);

  const added = setup('--add-recovery', fresh.cert);
  assert.equal(added.status, 0, added.text);
  assert.match(added.text, /challenge-3\.cms/);
  assert.deepEqual(recovery(), [[1, true], [2, false], [3, false]]);
  assert.equal(verified(), 0);
  const letter = execFileSync('openssl', ['cms', '-decrypt', '-inform', 'DER', '-in', join(place.state, 'recovery/challenge-3.cms'),
    '-inkey', fresh.key, '-recip', fresh.cert], { encoding: 'utf8' });
  assert.equal(setup('--confirm', letter).status, 0);

  const removed = setup('--remove-recovery', '1');
  assert.equal(removed.status, 0, removed.text);
  assert.deepEqual(recovery(), [[2, false], [3, true]]);
  assert.equal(verified(), 0);
  assert.ok(recovered(fresh));
  assert.ok(recovered(place.recovery[1]));
  assert.ok(!recovered(place.recovery[0]));
});

test('a lost boot credential is replaced; the station comes back by the new one alone', async () => {
  const lost = readFileSync(place.boot);
  rmSync(place.boot);
  assert.equal(run('setup', '--boot-credential', place.boot, '--new-boot-credential').status, 2, 'wants a passphrase');
  const replaced = setup('--new-boot-credential');
  assert.equal(replaced.status, 0, replaced.text);
  assert.notDeepEqual(readFileSync(place.boot), lost);
  assert.equal(verified(), 0);
  await whileRunning(async (page) => {
    const state = await page.stateWhere((s) => s.consultation?.id === going);
    assert.equal(state.consultation.notes[0].text, 'Ho ba ngày');
  }, { unlock: false });

  const stale = join(place.dir, 'stale');
  writeFileSync(stale, lost, { mode: 0o600 });
  assert.equal(run('record', 'list', '--boot-credential', stale).status, 3);
  const seen = setup('--new-boot-credential');
  assert.equal(seen.status, 0, seen.text);
  assert.ok(existsSync(`${place.boot}.old`));
  assert.equal(run('record', 'list', '--boot-credential', `${place.boot}.old`).status, 3);
  assert.equal(verified(), 0);
});

test('a pair made by the station comes back from its sheet of paper', { timeout: 60_000 }, () => {
  const [dir, secret] = [join(place.dir, 'card'), join(place.dir, 'card-passphrase')];
  writeFileSync(secret, 'bốn từ dễ nhớ lắm', { mode: 0o600 });
  const made = run('setup', '--lang', 'en', '--make-recovery', dir, '--passphrase-file', secret);
  assert.equal(made.status, 0, made.text);
  execFileSync('pdftoppm', ['-r', '200', '-png', join(dir, 'recovery.pdf'), join(place.dir, 'sheet')]);
  const [page] = readdirSync(place.dir).filter((name) => /^sheet-?\d*\.png$/.test(name));
  const pem = execFileSync('zbarimg', ['-q', '--raw', '-Sdisable', '-Sqrcode.enable', join(place.dir, page)], { encoding: 'utf8' });
  assert.match(pem, /BEGIN ENCRYPTED PRIVATE KEY/);
  const scanned = join(place.dir, 'scanned.key');
  writeFileSync(scanned, pem);
  const publicOf = (...args) => execFileSync('openssl', args, { encoding: 'utf8' });
  assert.equal(publicOf('pkey', '-in', scanned, '-passin', `file:${secret}`, '-pubout'),
    publicOf('x509', '-in', join(dir, 'recovery.crt'), '-noout', '-pubkey'));
});
