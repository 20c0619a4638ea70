// Is a signer's certificate revoked? Asked of the authority's responder (stock `openssl ocsp`) when a signature comes in,
// and kept inside it: `record verify` needs neither network nor list.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { freePort, nhipcau, root, runStation, stop } from '../lib/station.mjs';
import { ocspResponder } from '../sim/ocsp.mjs';

const work = mkdtempSync(join(tmpdir(), 'ocsp-'));
const pki = join(work, 'pki'), keys = join(work, 'keys');
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
let port, place, station, page, responder, consultation, manifest;

before(async () => {
  port = await freePort();
  execFileSync(join(root, 'tests/sim/signing-pki'), [pki], { env: { ...process.env, OCSP_URL: `http://127.0.0.1:${port}/` } });
  mkdirSync(keys);
  copyFileSync(join(pki, 'doctor.key'), join(keys, 'lan.key'));
  copyFileSync(join(pki, 'doctor-chain.crt'), join(keys, 'lan.crt'));
  place = await makePlace('ocsp', { config: `[signing]\npeople-ca = ${pki}/people-ca.crt\nkeys = ${keys}\n` });
  station = await runStation(place, { seconds: 120 });
  page = await signIn(place, 'lan');
  consultation = await startConsultation(page);
  await page.ask('consultation.conclude', { conclusion: 'Suy tim độ II' });
  await page.ask('consultation.sign', { pin: place.pin });
  await page.ask('unlock', { passphrase: place.passphraseText });
  ({ manifest } = await page.ask('signature.manifest', { consultation }));
});
after(async () => {
  page?.close();
  await stop(station);
  await responder?.stop();
  place?.remove();
  rmSync(work, { recursive: true });
});

const add = (fields) => page.ask('signature.add', { consultation, ...fields });
const last = async () => (await page.ask('signature.report', { consultation })).report.signatures.at(-1);
const codes = (signature) => signature.findings.map(({ code }) => code);
function p7sOf(who) {
  const [file, out] = [join(work, 'text'), join(work, `${who}.p7s`)];
  writeFileSync(file, manifest);
  openssl('cms', '-sign', '-cades', '-binary', '-in', file, '-signer', join(pki, `${who}.crt`), '-inkey', join(pki, `${who}.key`),
    '-certfile', join(pki, 'people-ca.crt'), '-outform', 'DER', '-out', out);
  return readFileSync(out).toString('base64');
}

test('no responder answers: signed all the same, and the report says what is not known', async () => {
  await add({ method: 'key', role: 'doctor' });
  assert.ok(codes(await last()).includes('revocation-unknown'));
  assert.deepEqual((await last()).revocation, []);
});

test('it answers: own key and uploaded signature bear the answer, which counts', async () => {
  responder = await ocspResponder(pki, port);
  await add({ method: 'key', role: 'chair' });
  assert.deepEqual([codes(await last()), (await last()).revocation], [['timestamp-missing'], ['ocsp']]);
  const given = p7sOf('specialist');
  await add({ method: 'upload', role: 'specialist', file: given });
  assert.deepEqual([codes(await last()), (await last()).revocation], [['timestamp-missing'], ['ocsp']]);
  assert.match((await refusal(add({ method: 'upload', role: 'specialist', file: given }))).text.vi, /đã được nộp/);
  assert.equal(responder.asked(), 2, 'each was asked about once; a strange one never');
});

test('revoked: refused by the answer alone', async () => {
  assert.match((await refusal(add({ method: 'upload', role: 'specialist', file: p7sOf('revoked') }))).text.vi, /thu hồi/);
  await refusal(add({ method: 'upload', role: 'specialist', file: p7sOf('stranger') }));
  assert.equal(responder.asked(), 3);
});

test('record verify and stock openssl judge it without network, list or responder', async () => {
  await responder.stop();
  const tool = (...args) => spawnSync(nhipcau, ['record', ...args, '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' });
  const { signatures: [{ signatures }], good } = JSON.parse(tool('verify', consultation, '--json').stdout);
  assert.equal(good, true);
  assert.deepEqual(signatures.slice(1).map(({ revocation }) => revocation), [[], ['ocsp'], ['ocsp']]);
  assert.match(tool('signatures', consultation, '--lang', 'vi').stdout, /OCSP/);
  const out = join(work, 'out');
  assert.equal(tool('signatures', consultation, '--out', out).status, 0);
  const file = join(out, signatures.map((s, i) => [s, i]).filter(([s]) => s.role === 'specialist').map(() => '4-specialist.p7s')[0]);
  openssl('cms', '-verify', '-cades', '-binary', '-inform', 'DER', '-in', file, '-content', join(out, 'manifest.json'),
    '-CAfile', join(pki, 'people-ca.crt'), '-purpose', 'any', '-out', '/dev/null');
  assert.match(openssl('cms', '-cmsout', '-print', '-inform', 'DER', '-in', file).toString(), /1\.3\.6\.1\.5\.5\.7\.16\.2/);
});
