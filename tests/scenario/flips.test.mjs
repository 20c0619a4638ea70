// Bits flipped in the state folder of a real consultation: `record verify` finds and names each, or
// all that can be read back is as it was. 1,000 of them; 10,000 with NHIPCAU_LONG.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, openSync, readSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { tryClinic } from '../lib/clinic.mjs';
import { nhipcau, sim } from '../lib/station.mjs';

// Under a sanitizer, which has a folder of its own, a sample.
const flips = process.env.NHIPCAU_LONG ? 10_000 : process.env.NHIPCAU_BUILD ? 200 : 600;
const seed = Number(process.env.NHIPCAU_SEED ?? Date.now() % 1_000_000);
let clinic;
before(async () => {
  clinic = await tryClinic({ args: ['--seconds', '20'] });
  if (clinic.child.exitCode === null) await once(clinic.child, 'exit');
  // Zeros of any length; 64 MiB of them would only cost time.
  truncateSync(join(clinic.state, 'reserve'), 65_536);
}, { timeout: 240_000 });
after(() => rmSync(clinic.dir, { recursive: true, force: true }));

const verify = () => {
  const run = spawnSync(nhipcau, ['record', 'verify', '--json', '--state', clinic.state, '--config', clinic.config,
    '--unlock', clinic.unlock], { encoding: 'utf8' });
  return { status: run.status, ...JSON.parse(run.stdout) };
};
const files = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? files(join(dir, entry.name)) : [join(dir, entry.name)]);

function flip(file, at, mask) {
  const fd = openSync(file, 'r+'), byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, at);
  byte[0] ^= mask;
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}

test('the consultation of station/try verifies', () => {
  const { status, good, summary } = verify();
  assert.equal(status, 0);
  assert.equal(good, true);
  assert.ok(summary.segments >= 2 && summary.media_records > 20 && summary.rows > 50, JSON.stringify(summary));
});

// In a folder, n of them; anything but `harmless` files must have every one found.
function probe(dir, unlock, n, harmless) {
  const out = spawnSync(sim('flip-probe'), [dir, unlock, String(n), String(seed)], { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(out.stderr, '');
  const told = JSON.parse(out.stdout);
  console.log(`# ${out.stdout.trim()}`);
  assert.deepEqual(told.wrong, []);
  assert.equal(told.named + told.harmless, n);
  assert.ok(Object.keys(told.harmless_by_file).every((name) => harmless.test(name)), out.stdout);
  assert.equal(out.status, 0);
}

test(`${flips} flips, seed ${seed}: each named, or nothing that can be read back has changed`, { timeout: 60 * 60_000 }, () => {
  // Unused space of a database page and the like, and what only spares a start its check; everything else is found.
  probe(clinic.state, clinic.unlock, flips, /\.db$|^keys-checked$/);
});

test('the same in the folder of a station that was killed', { timeout: 60 * 60_000 }, async () => {
  const killed = await tryClinic();
  try {
    const verified = () => JSON.parse(spawnSync(nhipcau, ['record', 'verify', '--json', '--state', killed.state, '--config', killed.config,
      '--unlock', killed.unlock], { encoding: 'utf8' }).stdout).summary;
    while (verified().media_records < 20) ;
    // station/try would start it again: not before the copy is made.
    process.kill(killed.child.pid, 'SIGSTOP');
    process.kill(killed.pid, 'SIGKILL');
    const dir = join(killed.dir, 'killed');
    cpSync(killed.state, dir, { recursive: true, preserveTimestamps: true, filter: (file) => !statSync(file).isSocket() });
    process.kill(killed.child.pid, 'SIGCONT');
    truncateSync(join(dir, 'reserve'), 65_536);
    probe(dir, killed.unlock, Math.ceil(flips / 8), /\.db(-wal|-shm)?$|^lock$|^keys-checked$/);
  } finally {
    await killed.end();
  }
});

test('the program itself says so, and which file', () => {
  for (const file of files(clinic.state)) {
    const { size } = statSync(file), name = relative(clinic.state, file);
    if (size === 0 || name === 'keys-checked') continue; // without that one the keys are checked again
    // Where every byte counts: the magic of a database, the middle of anything else.
    const at = name.endsWith('.db') ? 3 : Math.floor(size / 2);
    flip(file, at, 0x10);
    const { status, findings } = verify();
    flip(file, at, 0x10);
    assert.equal(status, 1, name);
    const bad = findings.filter((finding) => finding.verdict === 'bad');
    assert.ok(bad.some((finding) => `${finding.where} ${finding.what}`.includes(name)), `${name}: ${JSON.stringify(bad)}`);
  }
  assert.equal(verify().status, 0);
});
