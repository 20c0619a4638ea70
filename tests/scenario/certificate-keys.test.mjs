// A station's key in a PKCS#11 token (SoftHSM) and in a TPM (swtpm): it asks for a certificate, is given one; the token's renews
// it over TLS. The key itself never leaves.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../lib/browser.mjs';
import { place as makePlace } from '../lib/people.mjs';
import { freePort, nhipcau, root, start, stop } from '../lib/station.mjs';
import { estServer } from '../sim/est.mjs';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so', PIN = '482915', HANDLE = '0x81000001';
const work = mkdtempSync(join(tmpdir(), 'certificate-keys-'));
const pki = join(work, 'pki');
const has = (program) => spawnSync('which', [program]).status === 0;
let place, est;

before(async () => {
  execFileSync(join(root, 'tests/sim/station-pki'), [pki]);
  est = await estServer(pki);
  place = await makePlace('certificate-keys', { more: 'id=muong-mau\nclock=trusted', config: `[issuer benh-vien]
certificate = ${pki}/ca.crt
crl = ${pki}/ca.crl
est = ${est.url}
est-ca-file = ${pki}/tls-ca.crt
` });
});
after(() => {
  est?.close();
  place?.remove();
  rmSync(work, { recursive: true });
});

const province = () => join(place.state, 'certs/province.crt');
const cert = (env, config, ...args) => new Promise((done) => {
  const child = spawn(nhipcau, ['cert', ...args, '--state', place.state, '--config', config, '--boot-credential', place.boot, '--lang', 'en'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let text = '';
  for (const out of [child.stdout, child.stderr]) out.setEncoding('utf8').on('data', (more) => { text += more; });
  child.once('close', (status) => done({ status, text }));
});

// Asked for and installed: by a key that only its URI names.
async function begins(name, key, secret, env) {
  const csr = join(work, `${name}.csr`), file = join(work, `${name}.secret`);
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  rmSync(province(), { force: true });
  const with_ = ['--key', key, '--key-secret-file', file];
  const asked = await cert(env, place.config, 'request', '--out', csr, ...with_);
  assert.equal(asked.status, 0, asked.text);
  const issued = est.issue(csr);
  const own = await cert(env, place.config, 'install', issued);
  assert.equal(own.status, 1, 'it is not of the key file of the station');
  const done = await cert(env, place.config, 'install', issued, ...with_);
  assert.equal(done.status, 0, done.text);
  return file;
}

// And renewed over TLS, where the key proves itself.
async function renews(name, key, file, env) {
  const config = join(work, `${name}.conf`);
  writeFileSync(config, readFileSync(place.config, 'utf8').replace('[http]',
    `[http]\nkey = ${key}\nkey-secret-file = ${file}\ncertificate = ${province()}`));
  const before = new X509Certificate(readFileSync(province()));
  const renewed = await cert(env, config, 'renew');
  assert.equal(renewed.status, 0, renewed.text);
  assert.deepEqual([est.asked.at(-1).again, est.asked.at(-1).authorized], [true, true]);
  const now = new X509Certificate(readFileSync(province()));
  assert.notEqual(now.serialNumber, before.serialNumber);
  assert.ok(now.publicKey.equals(before.publicKey));
}

test('a PKCS#11 token', { skip: existsSync(MODULE) ? false : 'SoftHSM is not installed' }, async () => {
  const env = { SOFTHSM2_CONF: join(work, 'softhsm2.conf'), PKCS11_MODULE_PATH: MODULE };
  mkdirSync(join(work, 'tokens'));
  writeFileSync(env.SOFTHSM2_CONF, `directories.tokendir = ${join(work, 'tokens')}\nobjectstore.backend = file\n`);
  const run = (command, ...args) => execFileSync(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  run('softhsm2-util', '--init-token', '--free', '--label', 'tram', '--pin', PIN, '--so-pin', '87654321');
  run('pkcs11-tool', '--module', MODULE, '--login', '--pin', PIN, '--token-label', 'tram', '--keypairgen', '--key-type', 'EC:prime256v1',
    '--label', 'sk', '--id', '01');
  const key = 'org.openssl.engine:pkcs11:pkcs11:token=tram;object=sk;type=private';
  await renews('token', key, await begins('token', key, PIN, env), env);
  writeFileSync(join(work, 'wrong'), '000000\n');
  const wrong = await cert(env, place.config, 'request', '--out', join(work, 'x.csr'), '--key', key, '--key-secret-file', join(work, 'wrong'));
  assert.equal(wrong.status, 3);
  assert.match(wrong.text, /cannot be opened with the secret/);
});

test('a TPM', { skip: has('swtpm') && has('tpm2_createprimary') ? false : 'swtpm, tpm2-tools, tpm2-openssl are not installed' }, async () => {
  const dir = join(work, 'tpm'), port = await freePort();
  mkdirSync(dir);
  const tpm = start('swtpm', ['socket', '--tpm2', '--tpmstate', `dir=${dir}`, '--server', `type=tcp,port=${port}`, '--ctrl', `type=tcp,port=${port + 1}`,
    '--flags', 'not-need-init,startup-clear']);
  const tcti = `swtpm:host=localhost,port=${port}`, cnf = join(dir, 'openssl.cnf');
  writeFileSync(cnf, `openssl_conf = init
[init]
providers = providers_sect
alg_section = algorithms
random = random_sect
[providers_sect]
default = default_sect
tpm2 = tpm2_sect
[default_sect]
activate = 1
[tpm2_sect]
activate = 1
[random_sect]
random = CTR-DRBG
properties = provider=default
[algorithms]
default_properties = ?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes
`);
  const tool = (name, ...args) => execFileSync(name, ['-Q', ...args], { cwd: dir, env: { ...process.env, TPM2TOOLS_TCTI: tcti }, stdio: 'pipe' });
  try {
    await eventually(async () => { tool('tpm2_createprimary', '-C', 'o', '-G', 'ecc256', '-c', 'primary.ctx'); return true; }, 20, 'the TPM answers');
    tool('tpm2_create', '-C', 'primary.ctx', '-G', 'ecc256', '-u', 'k.pub', '-r', 'k.priv', '-a', 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign');
    tool('tpm2_flushcontext', '-t');
    tool('tpm2_load', '-C', 'primary.ctx', '-u', 'k.pub', '-r', 'k.priv', '-c', 'k.ctx');
    tool('tpm2_evictcontrol', '-C', 'o', '-c', 'k.ctx', HANDLE);
    tool('tpm2_flushcontext', '-t');
    await begins('tpm', `handle:${HANDLE}`, 'unused', { OPENSSL_CONF: cnf, TPM2OPENSSL_TCTI: tcti });
  } finally {
    await stop(tpm);
  }
});
