// A clock that is wrong by a day, or by ten years, in both directions: the station opens, records, renews, and says
// by how much it is wrong. Nothing is expired by it.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../lib/browser.mjs';
import { place as makePlace } from '../lib/people.mjs';
import { nhipcau, root, runStation, stop } from '../lib/station.mjs';
import { DAY, estServer } from '../sim/est.mjs';

const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const skip = existsSync(LIBRARY) ? false : 'libfaketime is not installed (Debian: faketime)';
const work = mkdtempSync(join(tmpdir(), 'clock-'));
const pki = join(work, 'pki');
let place, est;

before(async () => {
  execFileSync(join(root, 'tests/sim/station-pki'), [pki]);
  est = await estServer(pki);
  writeFileSync(join(work, 'password'), 'mot-lan\n', { mode: 0o600 });
  place = await makePlace('clock', { more: 'id=muong-mau\nclock=untrusted', config: `[issuer benh-vien]
certificate = ${pki}/ca.crt
crl = ${est.crl}
est = ${est.url}
est-ca-file = ${pki}/tls-ca.crt
est-user = muong-mau
est-password-file = ${work}/password
` });
  writeFileSync(join(work, 'place.json'), JSON.stringify(place));
});
after(() => {
  est?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

const at = (days) => ({ LD_PRELOAD: LIBRARY, FAKETIME: `${days < 0 ? '' : '+'}${days * DAY}`, FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_RESET: '1' });

async function visit(days, wanted) {
  const station = await runStation(place, { env: days ? at(days) : {} });
  try {
    return await new Promise((done, fail) => execFile(process.execPath, [join(root, 'tests/lib/clock-visit.mjs'), join(work, 'place.json'), wanted],
      { env: { ...process.env, ...(days ? at(days) : {}) }, timeout: 90_000 }, (error, stdout, stderr) =>
        error ? fail(new Error(`${error.message}\n${stderr}`)) : done(JSON.parse(stdout))));
  } finally {
    await stop(station);
  }
}

const codes = ({ problems }) => problems.map(({ code }) => code);
const verify = () => spawnSync(nhipcau, ['record', 'verify', '--state', place.state, '--config', place.config, '--unlock', place.passphrase], { encoding: 'utf8' });

test('at the right time: a certificate is fetched, nothing is said of the clock', { skip }, async () => {
  const told = codes(await visit(0, 'none'));
  assert.ok(!told.some((code) => /clock|expire/.test(code)), told.join());
  await eventually(async () => existsSync(join(place.state, 'certs/province.crt')), 5, 'a certificate');
});

const cases = [[3653, 'clock-off', /nhanh hơn.* 365[23] ngày/], [-3653, 'clock-behind', /đã qua/], [2, 'clock-off', /nhanh hơn.* [12] ngày/],
  [-2, 'clock-off', /chậm hơn.* [12] ngày/]];
for (const [days, code, words] of cases)
  test(`${Math.abs(days)} days ${days > 0 ? 'ahead' : 'behind'}: works, says so, lets nothing expire`, { skip }, async () => {
    // Nobody needs to tell that it is earlier than what was signed.
    est.manner = code === 'clock-behind' ? 'gone' : 'good';
    const told = await visit(days, code);
    assert.ok(told.seq > 0);
    assert.match(told.problems.find((problem) => problem.code === code).text.vi, words);
    for (const said of codes(told)) assert.doesNotMatch(said, /expire|own-certificate/, `${days}: ${said}`);
  });

test('afterwards, at the right time: everything is there and as it was written', { skip }, async () => {
  const done = verify();
  assert.equal(done.status, 0, done.stdout + done.stderr);
  assert.match(readFileSync(join(place.state, 'certs/province.crt'), 'utf8'), /BEGIN CERTIFICATE/);
});
