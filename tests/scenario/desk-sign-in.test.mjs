// Who sits at a desk: by a hospital's provider, by a certificate of a pinned authority, by an account of the station. Nobody else
// gets in, each refusal says what to do, and what was proven goes into the record of a call.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { sign, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bindingNonce, deskPage, FINGERPRINT, joinPage, keyPair, passkeyChallenge, place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { nhipcau, runStation, stop } from '../lib/station.mjs';
import { Authenticator } from '../sim/authenticator.mjs';
import { hospitalProvider, PEOPLE, providerConfig } from '../sim/oidc.mjs';

const work = mkdtempSync(join(tmpdir(), 'nhipcau-desk-sign-in-'));
const at = (name) => join(work, name);
const USERS = [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'tri', name: 'Quản trị Trí', role: 'administrator' }];
let place, station, provider, doctor, admin, consultation;

// ---- A provincial authority, and people whom it vouches for

const run = (...args) => execFileSync(nhipcau, args, { stdio: 'pipe' });
const authority = (ca, ...args) => run('ca', ...args, '--ca', at(ca), '--passphrase-file', at('passphrase'));
const certify = (ca, id, name) => {
  run('cert', 'request', '--person', id, '--name', name, '--new-key', at(`${id}.key`), '--passphrase-file', at('passphrase'), '--out', at(`${id}.csr`));
  authority(ca, 'sign', '--yes', at(`${id}.csr`));
  return { id, key: { key: readFileSync(at(`${id}.key`)), passphrase: readFileSync(at('passphrase'), 'utf8').trim(), dsaEncoding: 'ieee-p1363' },
    x5c: readFileSync(at(`${id}.crt`), 'utf8').match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g).map((pem) => new X509Certificate(pem).raw.toString('base64')) };
};
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function jws(person, payload, { header = {}, key = person.key } = {}) {
  const text = `${part({ alg: 'ES256', typ: 'nhipcau-person+jws', x5c: person.x5c, ...header })}.${part({ id: person.id, ...payload })}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

before(async () => {
  writeFileSync(at('passphrase'), 'sáu chữ mà hai người nghĩ ra\n', { mode: 0o600 });
  for (const ca of ['ca', 'rogue']) {
    authority(ca, 'init', '--name', 'Sở Y tế Lào Cai', '--crl-url', 'http://ca.example.vn/a.crl');
    authority(ca, 'crl');
  }
  provider = await hospitalProvider(work, () => place?.origin ?? 'https://localhost');
  place = await makePlace('desk-sign-in', { users: USERS, more: 'id=muong-mau\nclock=trusted',
    config: `${providerConfig(provider)}[issuer lao-cai]\ncertificate = ${at('ca/root.crt')}\ncrl = ${at('ca/crl.pem')}\npeople = *@tinh.example.vn\nstations = *
[level province]\ntitle = Bệnh viện Trung ương\ncall = hospital:minh; person:hoa@tinh.example.vn; *\nring = 60\n` });
});
after(async () => {
  for (const one of [doctor, admin]) one?.close();
  await stop(station);
  await provider?.stop();
  place?.remove();
  rmSync(work, { recursive: true });
});

const oidc = (token) => ({ method: 'oidc', token });
const binding = (key) => bindingNonce('desk', key);

test('no wrong proof lets anybody in at a desk', { timeout: 180_000 }, async () => {
  const hoa = certify('ca', 'hoa@tinh.example.vn', 'BS. Lê Thị Hoa');
  const gone = certify('ca', 'cu@tinh.example.vn', 'BS. Đã Nghỉ');
  const other = certify('ca', 'xa@khac.example.vn', 'BS. Tỉnh Khác');
  const rogue = certify('rogue', 'gia@tinh.example.vn', 'BS. Giả');
  authority('ca', 'revoke', '--yes', '--id', gone.id);
  authority('ca', 'crl');
  station = await runStation(place);
  [doctor, admin] = [await signIn(place, 'lan'), await signIn(place, 'tri')];
  consultation = await startConsultation(doctor);
  const now = Math.floor(Date.now() / 1000), key = keyPair();
  const claims = (page) => ({ nonce: passkeyChallenge(page, binding(key)) });
  const certificate = (make) => async (page) => ({ method: 'certificate', jws: make(page) });
  const matrix = [
    ['a token for an invitation', 'nonce', async () => oidc(await provider.sign({ nonce: bindingNonce('https://x/join#v1.abc.def', key) }))],
    ["another browser's token", 'nonce', async () => oidc(await provider.sign({ nonce: binding(keyPair()) }))],
    ['an old token', 'expired', async () => oidc(await provider.sign({ nonce: binding(key), iat: now - 1200, exp: now - 600 }))],
    ['no role', 'role', async () => oidc(await provider.sign({ nonce: binding(key), sub: 'hoa', ...PEOPLE.hoa }))],
    ['a revoked certificate', 'certificate-revoked', certificate((page) => jws(gone, claims(page)))],
    ['whom the authority may not vouch for', 'issuer-other', certificate((page) => jws(other, claims(page)))],
    ['another authority of that name', 'issuer-unknown', certificate((page) => jws(rogue, claims(page)))],
    ["somebody else's name", 'name-other', certificate((page) => jws(hoa, { ...claims(page), id: 'minh@tinh.example.vn' }))],
    ['another key', 'signature', certificate((page) => jws(hoa, claims(page), { key: rogue.key }))],
    ['of another socket', 'nonce', certificate(() => jws(hoa, { nonce: binding(key) }))],
    ['no chain', 'malformed', certificate((page) => jws(hoa, claims(page), { header: { x5c: [] } }))],
    ['no certificates in it', 'malformed', certificate((page) => jws(hoa, claims(page), { header: { x5c: ['AAAA'] } }))],
    ['of another kind', 'malformed', certificate((page) => jws(hoa, claims(page), { header: { typ: 'JWT' } }))],
    ['unsigned', 'signature', certificate((page) => jws(hoa, claims(page), { header: { alg: 'none' } }))],
    ['a password', 'password', async () => ({ method: 'password', account: 'minh', password: 'x', code: '000000' })],
  ];
  for (const [what, reason, make] of matrix) {
    const page = await deskPage(place);
    const said = await refusal(make(page).then((identity) => page.enter(identity, key)));
    assert.deepEqual([said.code, said.reason], ['not-proven', reason], what);
    assert.ok(said.text.vi.length > 40 && said.text.en.length > 40 && said.text.vi !== said.text.en, what);
    assert.equal((await refusal(page.ask('duty', { on: true }))).code, 'not-signed-in', what);
    page.close();
  }
  // What one station was shown is of no use at another.
  const page = await deskPage(place), good = oidc(await provider.sign({ nonce: binding(key) }));
  assert.equal((await refusal(page.enter(good, key, { station: 'ban-ho' }))).field, 'signature');
  assert.equal((await refusal(page.enter(good, key, { nonce: 'x' }))).field, 'signature');
  assert.deepEqual((await doctor.stateWhere((s) => s.duty)).duty, []);
  // The certificate that is right, to see that the others failed for what was wrong.
  const { user } = await page.enter({ method: 'certificate', jws: jws(hoa, claims(page)) }, key);
  assert.deepEqual([user.id, user.name], ['person:hoa@tinh.example.vn', 'BS. Lê Thị Hoa']);
  await page.ask('duty', { on: true });
  assert.equal((await doctor.stateWhere((s) => s.duty.length === 1)).duty[0].facility, 'lao-cai');
  page.close();
});

test('who the hospital knows is called by that name, and stands in the record', { timeout: 90_000 }, async () => {
  const key = keyPair(), page = await deskPage(place);
  assert.deepEqual(page.hello.providers.map(({ issuer }) => issuer), [provider.issuer]);
  const { session, user } = await page.enter(oidc(await provider.sign({ nonce: binding(key) })), key);
  assert.deepEqual(user, { id: 'hospital:minh', name: PEOPLE.minh.name, role: 'specialist', proven: true });
  page.close();
  const again = await deskPage(place); // a lost link, or an hour later: without the provider
  assert.equal((await again.ask('resume', { session })).user.proven, true);
  await again.ask('duty', { on: true });
  const rings = again.until((m) => m.type === 'desk.calls' && m.calls.some((one) => one.rings));
  await doctor.stateWhere((s) => s.duty.some(({ id }) => id === 'hospital:minh'));
  await doctor.ask('call.request', { call: 'c1', specialty: 'cardiology', urgency: 'urgent', release: ['age'], question: '' });
  await rings;
  const jwk = (pair) => pair.publicKey.export({ format: 'jwk' });
  const unbound = await refusal(again.ask('call.accept', { call: 'c1', key: jwk(keyPair()) }));
  assert.deepEqual([unbound.code, unbound.reason], ['not-proven', 'unbound']);
  await again.ask('call.accept', { call: 'c1', key: jwk(key) });
  const { consultation: seen } = await doctor.stateWhere((s) => s.consultation.calls[0]?.state === 'accepted');
  const [guest] = seen.guests;
  assert.deepEqual([guest.name, guest.identity.method, guest.identity.subject], [PEOPLE.minh.name, 'oidc', 'minh']);
  await doctor.ask('unlock', { passphrase: place.passphraseText });
  const { record } = await doctor.ask('record.open', { consultation });
  assert.deepEqual(record.rows.identity.map(({ body }) => [body.guest, body.subject, body.fingerprint]), [[guest.guest, 'minh', FINGERPRINT]]);
  await again.ask('sign-out');
  assert.equal((await refusal(again.ask('resume', { session }))).code, 'not-signed-in');
  again.close();
  await doctor.ask('call.end', { call: 'c1' });
  await doctor.ask('consultation.conclude', { conclusion: 'x' });
  await doctor.ask('consultation.sign', { pin: place.pin });
  const [report] = JSON.parse(execFileSync(nhipcau, ['record', 'verify', '--json', '--state', place.state, '--config', place.config,
    '--boot-credential', place.boot, '--unlock', place.passphrase, consultation], { encoding: 'utf8' })).signatures;
  assert.deepEqual(report.identities.map(({ subject, verdict }) => [subject, verdict]), [['minh', 'good']]);
});

test("an account's passkey opens the desk, until the account is disabled", { timeout: 90_000 }, async () => {
  await admin.ask('account.save', { account: 'minh', name: 'BS. Minh', facility: 'BV huyện' });
  const { link } = await admin.ask('account.enrol', { account: 'minh' });
  const [, account, secret] = new URL(link).hash.slice(1).split('.');
  const authenticator = new Authenticator(place.origin), setting = await joinPage(place);
  const { challenge } = await setting.ask('enrol.begin', { account, secret });
  await setting.ask('enrol.passkey', { account, secret, created: authenticator.create(challenge), label: 'test' });
  setting.close();
  const key = keyPair(), page = await deskPage(place);
  assert.deepEqual([page.hello.accounts, page.hello.rp], [true, 'localhost']);
  const passkey = (challenge) => ({ method: 'passkey', credential: authenticator.get(challenge) });
  assert.equal((await refusal(page.enter(passkey(passkeyChallenge({ hello: { nonce: 'old' } }, binding(key))), key))).reason, 'passkey');
  const { session, user } = await page.enter(passkey(passkeyChallenge(page, binding(key))), key);
  assert.deepEqual([user.id, user.name], ['account:minh', 'BS. Minh']);
  page.close();
  await admin.ask('account.disable', { account: 'minh', disabled: true });
  const again = await deskPage(place);
  assert.equal((await refusal(again.ask('resume', { session }))).code, 'not-signed-in');
  again.close();
});
