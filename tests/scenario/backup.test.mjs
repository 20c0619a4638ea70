// Backups of a station that runs, by the program itself: killed at any moment, restored on "another machine"
// by a recovery key alone, and as a witness against a state that was put back.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';

let place, station, page, consult, disk;
before(async () => {
  place = await makePlace('backup');
  disk = join(place.dir, 'disk');
  station = await runStation(place);
  page = await signIn(place, 'lan');
  consult = await startConsultation(page);
  await page.ask('note.save', { note: consult, kind: 'note', text: 'Ho ba ngày' });
}, { timeout: 60_000 });
after(async () => {
  page?.close();
  await stop(station);
  place.remove();
});

const command = (...args) => {
  const done = spawnSync(nhipcau, args, { encoding: 'utf8' });
  return { ...done, text: done.stdout + done.stderr };
};
const backup = (...args) => command('backup', disk, '--state', place.state, '--config', place.config, '--lang', 'en', ...args);
const restore = (to, ...args) => command('restore', disk, '--to', to, '--lang', 'en', ...args);
const lists = () => readdirSync(join(disk, 'lists')).filter((name) => name.endsWith('.json')).length;

test('a backup is made while the station works, and killed at any moment leaves the earlier ones whole', { timeout: 120_000 }, async () => {
  const first = backup('--json');
  assert.equal(first.status, 0, first.text);
  for (let n = 0; n < 8; n++) {
    await page.ask('note.save', { note: consult, kind: 'note', text: `Ho ba ngày, lần ${n}` });
    const child = spawn(nhipcau, ['backup', disk, '--state', place.state, '--config', place.config], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 150);
    await ended;
  }
  const last = backup('--json');
  assert.equal(last.status, 0, last.text);
  assert.ok(lists() >= 2);
  assert.equal(JSON.parse(last.stdout).behind, false);
});

test('another machine: the recovery key and a new passphrase open it, and it verifies', { timeout: 60_000 }, () => {
  const to = join(place.dir, 'new-state'), secret = join(place.dir, 'new-passphrase');
  writeFileSync(secret, 'bốn từ hoàn toàn khác', { mode: 0o600 });
  const [{ key, cert }] = place.recovery;
  const back = restore(to, '--recovery-key', key, '--recovery-cert', cert, '--user', 'lan', '--passphrase-file', secret, '--json');
  assert.equal(back.status, 0, back.text);
  const on = ['--state', to, '--config', place.config, '--boot-credential', join(place.dir, 'new-boot'), '--unlock', secret];
  const credential = command('setup', '--new-boot-credential', '--lang', 'en', ...on);
  assert.equal(credential.status, 0, credential.text);
  const verified = command('record', 'verify', '--json', ...on);
  assert.equal(verified.status, 0, verified.text);
  const shown = command('record', 'show', consult, '--json', ...on);
  assert.match(shown.stdout, /Ho ba ngày, lần 7/);
  assert.equal(command('record', 'list', '--state', to, '--config', place.config, '--boot-credential', place.boot, '--unlock', place.passphrase).status, 3,
    'neither the old credential nor the old passphrase opens it');
  assert.equal(restore(to).status === 0, false, 'nothing is overwritten');
});

test('a state that was put back is noticed by the backup; the station says so, and works on', { timeout: 120_000 }, async () => {
  const old = join(place.dir, 'old');
  page.close();
  await stop(station);
  cpSync(place.state, old, { recursive: true });
  station = await runStation(place);
  page = await signIn(place, 'lan');
  await page.ask('note.save', { note: consult, kind: 'note', text: 'Mất đi khi bị đưa về bản cũ' });
  assert.equal(backup().status, 0);
  page.close();
  await stop(station);
  rmSync(place.state, { recursive: true });
  cpSync(old, place.state, { recursive: true });

  station = await runStation(place);
  page = await signIn(place, 'lan');
  assert.deepEqual(page.hello.problems.filter((one) => one.code === 'fork'), []);
  const noticed = backup();
  assert.equal(noticed.status, 1, noticed.text);
  assert.match(noticed.text, /was put back/);
  await page.ask('note.save', { note: consult, kind: 'note', text: 'Làm việc tiếp' });
  let told;
  for (let n = 0; n < 50 && !told; n++) {
    page.close();
    page = await signIn(place, 'lan');
    told = page.hello.problems.find((one) => one.code === 'fork');
  }
  assert.match(told.text.en, /put back/);
  const verified = command('record', 'verify', '--json', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase);
  assert.equal(verified.status, 0);
  assert.ok(JSON.parse(verified.stdout).findings.some((one) => one.code === 'log-fork'));
});

test('a printed hash that this record does not have is another witness', { timeout: 60_000 }, async () => {
  const keys = ['--state', place.state, '--config', place.config, '--boot-credential', place.boot, '--unlock', place.passphrase, '--lang', 'en'];
  await page.ask('consultation.conclude', { conclusion: 'Theo dõi' });
  await page.ask('consultation.sign', { pin: place.pin });
  const shown = JSON.parse(command('record', 'show', consult, '--json', ...keys).stdout);
  const { sha256 } = shown.rows.signature[0].body;
  assert.equal(command('record', 'witness', `nhipcau:1:${consult}:sha256:${sha256}`, ...keys).status, 0);
  const unknown = command('record', 'witness', sha256.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')), ...keys);
  assert.equal(unknown.status, 1, unknown.text);
  assert.match(unknown.text, /does NOT know/);
  assert.deepEqual(await page.ask('witness.check', { paper: sha256 }).then(({ known }) => known), true);
});
