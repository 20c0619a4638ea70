// Signatures of people under a sealed record: the doctor's key file and PKCS#11 token, a specialist's
// .p7s, the patient's word; time-stamps of an authority that comes and goes; and who checks it all.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nhipcau, root, runStation, start, stop } from '../lib/station.mjs';
import { place as makePlace, refusal, signIn } from '../lib/people.mjs';
import { remoteSigning } from '../sim/csc.mjs';
import { timestampAuthority } from '../sim/timestamps.mjs';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const PIN = '482915';
const work = mkdtempSync(join(tmpdir(), 'signatures-'));
const pki = join(work, 'pki'), keys = join(work, 'keys');
const env = { SOFTHSM2_CONF: join(work, 'softhsm2.conf'), PKCS11_MODULE_PATH: MODULE };
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
let place, station, page, authority, consultation, manifest;

// lan has an encrypted file, hung another's lies in a token.
function makeKeys() {
  mkdirSync(keys);
  openssl('pkcs8', '-topk8', '-in', join(pki, 'doctor.key'), '-out', join(keys, 'lan.key'), '-v2', 'aes-256-cbc',
    '-passout', 'pass:mưa rừng');
  copyFileSync(join(pki, 'doctor-chain.crt'), join(keys, 'lan.crt'));
  mkdirSync(join(work, 'tokens'));
  writeFileSync(env.SOFTHSM2_CONF, `directories.tokendir = ${join(work, 'tokens')}\nobjectstore.backend = file\n`);
  const hsm = (...args) => execFileSync('softhsm2-util', args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  hsm('--init-token', '--free', '--label', 'tram', '--pin', PIN, '--so-pin', '87654321');
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', join(pki, 'specialist.key'), '-out', join(work, 'plain.p8'));
  hsm('--import', join(work, 'plain.p8'), '--token', 'tram', '--label', 'hung', '--id', '01', '--pin', PIN);
  writeFileSync(join(keys, 'hung.uri'), 'org.openssl.engine:pkcs11:pkcs11:token=tram;object=hung;type=private\n');
  copyFileSync(join(pki, 'specialist-chain.crt'), join(keys, 'hung.crt'));
}

before(async () => {
  execFileSync(join(root, 'tests/sim/signing-pki'), [pki]);
  makeKeys();
  authority = await timestampAuthority(pki);
  authority.manner = 'down';
  place = await makePlace('signatures', { config: `[signing]
people-ca = ${pki}/people-ca.crt
crl = ${pki}/crl.pem
keys = ${keys}
[timestamp]
url = ${authority.url}
ca-file = ${pki}/tsa-ca.crt
policy = 1.2.3.4.1
` });
  station = await runStation(place, { env });
});
after(async () => {
  page?.close();
  await stop(station);
  await authority?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

const tool = (...args) => spawnSync(nhipcau, ['record', ...args, '--state', place.state, '--config', place.config,
  '--boot-credential', place.boot, '--unlock', place.passphrase], { encoding: 'utf8' });
const report = async () => (await page.ask('signature.report', { consultation })).report;
const codes = (signature) => signature.findings.map(({ code }) => code);
const add = (fields) => page.ask('signature.add', { consultation, ...fields });

function p7sOf(who, text = manifest, ...more) {
  const [file, out] = [join(work, 'text'), join(work, `${who}.p7s`)];
  writeFileSync(file, text);
  openssl('cms', '-sign', '-cades', '-binary', '-in', file, '-signer', join(pki, `${who}.crt`), '-inkey', join(pki, `${who}.key`),
    '-certfile', join(pki, 'people-ca.crt'), '-outform', 'DER', '-out', out, ...more);
  return readFileSync(out).toString('base64');
}

test('the record is sealed although no authority answers', async () => {
  page = await signIn(place, 'lan');
  ({ consultation } = await page.ask('consultation.start', { mode: 3, reason: 'Khó thở', patient: { unknown: true } }));
  assert.match((await refusal(page.ask('signature.report', { consultation }))).code, /locked|not-allowed/);
  await page.ask('consultation.conclude', { conclusion: 'Suy tim độ II' });
  await page.ask('consultation.sign', { pin: place.pin });
  assert.equal((await refusal(page.ask('signature.manifest', { consultation }))).code, 'locked');
  await page.ask('unlock', { passphrase: place.passphraseText });
  const told = await page.ask('signature.manifest', { consultation });
  manifest = told.manifest;
  writeFileSync(join(work, 'm'), manifest);
  assert.equal(told.sha256, openssl('dgst', '-sha256', '-r', join(work, 'm')).toString().slice(0, 64));
  const now = await report();
  assert.equal(now.signatures.length, 1);
  assert.deepEqual(codes(now.signatures[0]), ['timestamp-missing']);
  assert.equal(now.authority, true);
  assert.ok(now.pending >= 1);
  assert.deepEqual(now.roles.filter((r) => r.required), [
    { role: 'doctor', required: true, done: true }, { role: 'specialist', required: true, done: false }]);
});

test('the doctor signs with a key file', async () => {
  const wrong = await refusal(add({ method: 'key', role: 'doctor', secret: 'nắng' }));
  assert.match(wrong.text.vi, /mật khẩu hoặc mã PIN/);
  await add({ method: 'key', role: 'doctor', secret: 'mưa rừng' });
  const [, own] = (await report()).signatures;
  assert.equal(own.name, 'BS. Nguyễn Văn Bình');
  assert.deepEqual(codes(own), ['timestamp-missing']);
});

test('what a specialist uploads is checked, and what is wrong is said in plain Vietnamese', async () => {
  const cases = [['specialist', 'khác', /nội dung khác/], ['expired', manifest, /hết hạn/], ['revoked', manifest, /thu hồi/],
    ['stranger', manifest, /tin cậy/], ['weak', manifest, /quá yếu/]];
  for (const [who, text, words] of cases) {
    const refused = await refusal(add({ method: 'upload', role: 'specialist', file: p7sOf(who, text) }));
    assert.match(refused.text.vi, words, who);
  }
  const bare = p7sOf('specialist', manifest, '-nocerts');
  assert.match((await refusal(add({ method: 'upload', role: 'specialist', file: bare }))).text.vi, /kèm chứng thư/);
  const rubbish = Buffer.from('xin chào').toString('base64');
  assert.match((await refusal(add({ method: 'upload', role: 'specialist', file: rubbish }))).text.vi, /không phải chữ ký/);
  assert.equal((await report()).signatures.length, 2, 'nothing of it was kept');

  const good = p7sOf('specialist');
  await add({ method: 'upload', role: 'specialist', file: good });
  assert.match((await refusal(add({ method: 'upload', role: 'specialist', file: good }))).text.vi, /đã được nộp/);
  const now = await report();
  assert.equal(now.signatures[2].name, 'PGS. Trần Thị Đào');
  assert.ok(now.roles.every((r) => !r.required || r.done));
});

test('the patient confirms with a statement and a drawing', async () => {
  const drawing = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  assert.equal((await refusal(add({ method: 'confirmation', role: 'patient', name: 'Vàng Thị Mỷ', statement: 'Tôi đồng ý.', drawing: 'PHN2Zz4=' }))).field, 'drawing');
  assert.equal((await refusal(add({ method: 'confirmation', role: 'doctor', name: 'x', statement: 'y' }))).field, 'role');
  await add({ method: 'confirmation', role: 'patient', name: 'Vàng Thị Mỷ', statement: 'Tôi đã được giải thích và đồng ý.', drawing });
  const last = (await report()).signatures.at(-1);
  assert.equal(last.statement, 'Tôi đã được giải thích và đồng ý.');
  assert.deepEqual(codes(last), ['confirmed-only']);
});

test('a key in a PKCS#11 token signs, and asks for its PIN each time', async () => {
  copyFileSync(join(keys, 'hung.uri'), join(keys, 'lan.uri'));
  copyFileSync(join(keys, 'hung.crt'), join(keys, 'lan.crt'));
  const wrongPin = async () =>
    assert.match((await refusal(add({ method: 'key', role: 'chair', secret: '000000' }))).text.vi, /mã PIN/);
  await wrongPin();
  await add({ method: 'key', role: 'chair', secret: PIN });
  await wrongPin(); // who comes next is not let in by the one before
  assert.equal((await report()).signatures.at(-1).certificate.subject, 'PGS. Trần Thị Đào');
});

test('a key at a remote-signing provider signs: the hash goes out by the documented script, the value comes in', { timeout: 60_000 }, async () => {
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', join(work, 'remote.key'));
  openssl('req', '-new', '-utf8', '-key', join(work, 'remote.key'), '-subj', '/CN=PGS. Ký từ xa', '-out', join(work, 'remote.csr'));
  openssl('ca', '-batch', '-notext', '-utf8', '-config', join(pki, 'people-ca.cnf'), '-extensions', 'person', '-days', '365',
    '-in', join(work, 'remote.csr'), '-out', join(work, 'remote.crt'));
  writeFileSync(join(work, 'remote-chain.crt'), readFileSync(join(work, 'remote.crt'), 'utf8') + readFileSync(join(pki, 'people-ca.crt'), 'utf8'));
  const provider = await remoteSigning({
    rsa: { key: join(work, 'remote.key'), chain: join(work, 'remote-chain.crt'), pin: '135790' },
    ec: { key: join(pki, 'specialist.key'), chain: join(pki, 'specialist-chain.crt'), pin: '135790' },
  });
  const script = join(work, 'csc-sign.mjs');
  writeFileSync(script, readFileSync(join(root, 'docs/records.md'), 'utf8').split('```js\n').map((part) => part.split('\n```')[0])
    .find((part) => part.includes('signatures/signHash')));
  // Not waiting in one breath: the provider lives in this process.
  const ask = async (...args) => {
    const child = start('node', [script, ...args], { env: { ...process.env, CSC_URL: provider.url, CSC_CLIENT: 'hospital', CSC_SECRET: 'bí mật', CSC_PIN: '135790' } });
    let text = '';
    child.stdout.on('data', (data) => { text += data; });
    assert.equal(await new Promise((done) => child.once('exit', done)), 0, text);
    return text;
  };
  const fields = (prepared, signature, role = 'secretary') => ({ method: 'remote', role, prepared: prepared.prepared, signature });
  for (const credential of ['rsa', 'ec']) {
    const chain = await ask('certificate', credential);
    const prepared = await page.ask('signature.prepare', { consultation, certificate: Buffer.from(chain).toString('base64') });
    const value = (await ask('sign', credential, prepared.hash)).trim();
    assert.deepEqual(provider.hashes.at(-1), prepared.hash, 'only the hash went out');
    const other = await page.ask('signature.prepare', { consultation, certificate: Buffer.from(chain).toString('base64') });
    const bent = Buffer.from(value, 'base64');
    bent[bent.length - 1] ^= 1;
    assert.match((await refusal(add(fields(prepared, bent.toString('base64'))))).text.vi, /không khớp/);
    const changed = Buffer.from(other.prepared, 'base64');
    changed[changed.length >> 1] ^= 1;
    await refusal(add({ ...fields(prepared, value), prepared: changed.toString('base64') }));
    await add(fields(prepared, value));
    assert.match((await refusal(add(fields(prepared, value)))).text.vi, /đã được nộp/);
    const last = (await report()).signatures.at(-1);
    assert.equal(last.name, credential === 'rsa' ? 'PGS. Ký từ xa' : 'PGS. Trần Thị Đào');
    assert.deepEqual(codes(last), ['timestamp-missing']);
  }
  assert.match((await refusal(page.ask('signature.prepare', { consultation, certificate: Buffer.from('xin chào').toString('base64') }))).text.vi, /không có chứng thư/);
  // Of a root that nobody believes: prepared, but not taken.
  const strange = await page.ask('signature.prepare', { consultation, certificate: readFileSync(join(pki, 'stranger.crt')).toString('base64') });
  writeFileSync(join(work, 'h'), Buffer.from(strange.hash, 'base64'));
  const value = openssl('pkeyutl', '-sign', '-inkey', join(pki, 'stranger.key'), '-pkeyopt', 'digest:sha256', '-in', join(work, 'h'));
  assert.match((await refusal(add(fields(strange, value.toString('base64'))))).text.vi, /tin cậy/);
  await provider.close();
});

test('an authority that answers nonsense, or another query, is not believed; then the time-stamps come, after a restart too', async () => {
  const before = authority.answers;
  for (const manner of ['broken', 'stale']) {
    authority.manner = manner;
    authority.config = manner === 'stale' ? 'foreign.cnf' : 'tsa.cnf';
    await report(); // wakes the queue
    while (authority.answers === before + (manner === 'stale' ? 1 : 0)) await page.ask('ping');
    assert.ok((await report()).signatures.every((s) => !s.stamped), manner);
  }
  await stop(station);
  authority.manner = 'good';
  authority.config = 'tsa.cnf';
  station = await runStation(place, { env });
  page.close();
  page = await signIn(place, 'lan');
  await page.ask('unlock', { passphrase: place.passphraseText });
  const keyed = (now) => now.signatures.filter((s) => s.certificate);
  const until = Date.now() + 30_000;
  let now = await report();
  while (!keyed(now).every((s) => s.stamped)) {
    assert.ok(Date.now() < until, JSON.stringify(now));
    now = await report();
  }
  assert.equal(keyed(now).length, 6);
  for (const signature of keyed(now)) {
    assert.equal(signature.stamped_by, 'Test time-stamps (tsa)');
    assert.equal(signature.tokens, 1);
  }
  assert.equal(now.pending, 0);
});

test('record verify and record signatures say it in words', () => {
  const words = tool('signatures', consultation, '--lang', 'vi');
  assert.equal(words.status, 0, words.stderr + words.stdout);
  assert.match(words.stdout, /Bác sĩ chuyên khoa: PGS\. Trần Thị Đào — ĐÚNG/);
  assert.match(words.stdout, /theo Test time-stamps \(tsa\)/);
  const json = JSON.parse(tool('verify', consultation, '--json').stdout);
  assert.equal(json.good, true, JSON.stringify(json.findings));
  assert.equal(json.signatures[0].signatures.length, 7);
});

test('stock openssl and the script of docs/records.md agree', () => {
  const out = join(work, 'out'), script = join(work, 'check-signatures.mjs');
  assert.equal(tool('signatures', consultation, '--out', out).status, 0);
  assert.deepEqual(readdirSync(out).sort(), ['1-station.p7s', '2-doctor.p7s', '3-specialist.p7s', '5-chair.p7s', '6-secretary.p7s',
    '7-secretary.p7s', 'manifest.json']);
  const docs = readFileSync(join(root, 'docs/records.md'), 'utf8');
  const code = docs.split('```js\n').map((part) => part.split('\n```')[0]).find((part) => part.includes('function firstToken'));
  writeFileSync(script, code);
  const check = () => spawnSync('node', [script, out, join(pki, 'people-ca.crt'), join(pki, 'tsa-ca.crt'), place.state], { encoding: 'utf8' });
  const good = check();
  assert.equal(good.status, 0, good.stdout + good.stderr);
  assert.equal(good.stdout.match(/^good/gm).length, 13);
  const file = join(out, '2-doctor.p7s'), bytes = readFileSync(file);
  const bent = Buffer.from(bytes);
  bent[bytes.length - 10] ^= 1; // in the time-stamp
  writeFileSync(file, bent);
  assert.equal(check().status, 1);
  writeFileSync(file, bytes);
  writeFileSync(join(out, 'manifest.json'), manifest.replace('"version":1', '"version":2'));
  assert.equal(check().status, 1);
});
