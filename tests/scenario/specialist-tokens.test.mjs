// Who a specialist is, by a hospital's provider: what it signs for this browser and this invitation is
// believed, with keys that were fetched before where it cannot be reached; nothing else is.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { base64url } from 'jose';
import { bindingNonce, FINGERPRINT, joinPage, keyPair, place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';
import { CLIENT, hospitalProvider, PEOPLE, providerConfig } from '../sim/oidc.mjs';

const work = mkdtempSync(join(tmpdir(), 'nhipcau-tokens-'));
let place, station, provider, doctor, consultation;

before(async () => {
  provider = await hospitalProvider(work, () => place?.origin ?? 'https://localhost');
  place = await makePlace('tokens', { config: providerConfig(provider, '[guests]\nspecialists = proven\n') });
  station = await runStation(place);
  doctor = await signIn(place, 'lan');
  consultation = await startConsultation(doctor);
});
after(async () => {
  doctor?.close();
  await stop(station);
  await provider?.stop();
  place?.remove();
  rmSync(work, { recursive: true });
});

const invite = (role = 'specialist') => doctor.ask('invite.create', { role, name: 'x' }).then(({ link }) => link);
const byToken = (token) => ({ identity: { method: 'oidc', token }, fingerprint: FINGERPRINT });
const guests = async () => (await doctor.stateWhere((s) => s.consultation)).consultation.guests;

// A browser with a key of its own, and a token of this sub for it.
async function specialist(link, claims = {}, how = {}) {
  const key = keyPair();
  const page = await joinPage(place);
  const token = await provider.sign({ nonce: bindingNonce(link, key), ...claims }, how);
  return { page, key, token };
}

// A token of three parts, made by hand.
function compact(header, claims, signature = '') {
  const part = (value) => base64url.encode(JSON.stringify(value));
  return `${part(header)}.${part(claims)}.${signature}`;
}

test('no wrong token lets anybody in, and each refusal says what to do', { timeout: 180_000 }, async () => {
  const link = await invite();
  const key = keyPair();
  const nonce = bindingNonce(link, key);
  const now = Math.floor(Date.now() / 1000);
  const [own] = provider.keys;
  const { n, e } = own;
  const forged = { iss: provider.issuer, aud: CLIENT, sub: 'minh', iat: now, exp: now + 600, nonce, ...PEOPLE.minh };
  const secret = (text) => ({ kty: 'oct', k: base64url.encode(text), alg: 'HS256', kid: own.kid });
  const stranger = await provider.otherKey(own.kid);
  const good = await provider.sign({ nonce });
  const matrix = [
    ['expired', 'expired', await provider.sign({ nonce, iat: now - 1200, exp: now - 600 })],
    ['issued long ago', 'expired', await provider.sign({ nonce, iat: now - 100_000 })],
    ['nbf in the future', 'early', await provider.sign({ nonce, nbf: now + 600 })],
    ['iat in the future', 'early', await provider.sign({ nonce, iat: now + 600, exp: now + 1200 })],
    ['another audience', 'audience', await provider.sign({ nonce, aud: 'other' })],
    ['a second audience', 'audience', await provider.sign({ nonce, aud: [CLIENT, 'other'] })],
    ['another party', 'audience', await provider.sign({ nonce, azp: 'other' })],
    ['another nonce', 'nonce', await provider.sign({ nonce: bindingNonce(link, keyPair()) })],
    ['another certificate', 'nonce', await provider.sign({ nonce: bindingNonce(link, key, FINGERPRINT.replace('A0', '00')) })],
    ['another invitation', 'nonce', await provider.sign({ nonce: bindingNonce(await invite(), key) })],
    ['no nonce', 'nonce', await provider.sign({})],
    ['no end', 'malformed', await provider.sign({ nonce, exp: undefined })],
    ['nobody', 'malformed', await provider.sign({ nonce, sub: undefined })],
    ['another issuer', 'issuer', await provider.sign({ nonce, iss: 'https://id.example.vn' })],
    ['another key of this name', 'signature', await provider.sign({ nonce }, { key: stranger })],
    ['one byte changed', 'signature', good.replace(/.{5}$/, (end) => (end[0] === 'A' ? 'B' : 'A') + end.slice(1))],
    ['unsigned', 'algorithm', compact({ alg: 'none' }, forged)],
    ['unsigned, in other letters', 'algorithm', compact({ alg: 'nOnE', kid: own.kid }, forged)],
    ['signed by the public key as a secret', 'algorithm', await provider.sign({ nonce }, { key: secret(JSON.stringify({ kty: 'RSA', n, e })) })],
    ['signed by the modulus as a secret', 'algorithm', await provider.sign({ nonce }, { key: secret(n) })],
    ['a critical extension', 'malformed', compact({ alg: 'RS256', kid: own.kid, crit: ['b64'], b64: false }, forged, 'AAAA')],
    ['a person without the role', 'role', await provider.sign({ nonce, sub: 'hoa', ...PEOPLE.hoa })],
    ['no token at all', 'malformed', ''],
    ['rubbish', 'malformed', 'a.b.c'],
  ];
  const texts = new Set();
  for (const [what, reason, token] of matrix) {
    const page = await joinPage(place);
    const said = await refusal(page.join(link, key, byToken(token)));
    assert.equal(said.code, 'not-proven', what);
    assert.equal(said.reason, reason, what);
    assert.ok(said.text.vi.length > 40 && said.text.en.length > 40 && said.text.vi !== said.text.en, what);
    texts.add(said.text.vi);
    page.close();
  }
  assert.equal(texts.size, new Set(matrix.map(([, reason]) => reason)).size, 'each reason has words of its own');
  const page = await joinPage(place);
  const said = await refusal(page.join(link, key, { name: 'BS. Trần Văn Minh' }));
  assert.deepEqual([said.code, said.reason], ['not-proven', 'wanted']);
  assert.equal((await refusal(page.join(link, key, { identity: { method: 'oidc', token: good } }))).field, 'fingerprint');
  assert.equal((await refusal(page.join(link, key, { identity: 'me', fingerprint: FINGERPRINT }))).field, 'identity');
  assert.deepEqual(await guests(), [], 'nobody stands in the lobby');
  // The same browser with the good one: the matrix failed for what was wrong, not for what was right.
  assert.equal((await page.join(link, key, byToken(good))).state, 'lobby');
  // A stolen token is of no use to another browser, nor for the same one on another socket's proof.
  const thief = await joinPage(place);
  assert.equal((await refusal(thief.join(link, keyPair(), byToken(good)))).reason, 'nonce');
  thief.close();
  page.close();
});

test('ten refused tokens end a socket', async () => {
  const link = await invite();
  const { page, key } = await specialist(link);
  const closed = new Promise((done) => page.once('close', done));
  for (let i = 0; i < 10; i++) await refusal(page.join(link, key, byToken('x')));
  await closed;
});

test('who is proven is in the record by the name that the provider gives, and media are bound to it', { timeout: 180_000 }, async () => {
  const link = await invite();
  const { page, key, token } = await specialist(link);
  const joined = await page.join(link, key, { ...byToken(token), name: 'Somebody else', facility: 'BV Trung ương' });
  assert.equal(joined.state, 'lobby');
  const waiting = (await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.guest === joined.guest)))
    .consultation.guests.find((g) => g.guest === joined.guest);
  assert.equal(waiting.name, PEOPLE.minh.name);
  assert.deepEqual(waiting.identity, {
    method: 'oidc', provider: 'Bệnh viện Trung ương', issuer: provider.issuer, subject: 'minh', name: PEOPLE.minh.name,
  });
  const admitted = page.until((m) => m.type === 'admitted');
  await doctor.ask('guest.admit', { guest: joined.guest });
  await admitted;
  // Another certificate than the one that signed in.
  const sdp = (fingerprint) => `v=0\r\na=fingerprint:sha-256 ${fingerprint}\r\n`;
  const other = FINGERPRINT.replace('A0', '00');
  for (const wrong of [sdp(other), sdp(FINGERPRINT) + sdp(other), 'v=0\r\n', sdp(FINGERPRINT).replace('256', '1')]) {
    assert.equal((await refusal(page.ask('media.answer', { sdp: wrong }))).reason, 'unbound');
    assert.equal((await refusal(page.ask('media.start', { answer: wrong }))).reason, 'unbound');
  }
  assert.notEqual((await refusal(page.ask('media.answer', { sdp: sdp(FINGERPRINT) }))).code, 'not-proven');
  await doctor.ask('unlock', { passphrase: place.passphraseText });
  const { record } = await doctor.ask('record.open', { consultation });
  const [row] = record.rows.identity.filter(({ body }) => body.guest === joined.guest);
  assert.equal(row.body.subject, 'minh');
  assert.equal(row.body.issuer, provider.issuer);
  assert.equal(row.body.proof, undefined, 'a page need not see the token');
  assert.equal(record.rows.guest.find(({ body }) => body.guest === joined.guest).body.identity.subject, 'minh');
  page.close();
});

test('a patient need not sign in', async () => {
  const page = await joinPage(place);
  assert.equal((await page.join(await invite('patient'), keyPair(), { name: 'Mỷ' })).state, 'lobby');
  page.close();
});

test('the provider changes its keys: the new one is fetched, the old one counts no longer', { timeout: 180_000 }, async () => {
  const link = await invite();
  const old = await specialist(link);
  await provider.changeKeys('two');
  const fresh = await specialist(link);
  assert.equal((await fresh.page.join(link, fresh.key, byToken(fresh.token))).state, 'lobby');
  assert.equal((await refusal(old.page.join(link, old.key, byToken(old.token)))).reason, 'key');
  // Keys that nobody knows make the station ask now and then, not each time.
  const { asked } = provider;
  for (let i = 0; i < 5; i++)
    await refusal(old.page.join(link, old.key, byToken(await provider.sign({}, { header: { kid: `made-up-${i}` } }))));
  assert.ok(provider.asked - asked <= 1, `${provider.asked - asked} questions`);
  fresh.page.close();
  old.page.close();
});

test('without the provider, and after a restart, the keys that were fetched still count', { timeout: 180_000 }, async () => {
  const link = await invite();
  const stranger = await provider.otherKey('three');
  await provider.stop();
  await stop(station);
  station = await runStation(place);
  doctor = await signIn(place, 'lan');
  const known = await specialist(link);
  assert.equal((await known.page.join(link, known.key, byToken(known.token))).state, 'lobby');
  const unknown = await specialist(link, {}, { key: stranger });
  const said = await refusal(unknown.page.join(link, unknown.key, byToken(unknown.token)));
  assert.equal(said.reason, 'key');
  known.page.close();
  unknown.page.close();
  await provider.start();
});
