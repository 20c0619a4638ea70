// Specialists without a provider: accounts of the station, opened by a passkey or by a password and a
// code; links that work once, locks that a restart does not lift, what the administrator takes away.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { bindingNonce, FINGERPRINT, joinPage, keyPair, place as makePlace, refusal, signIn, startConsultation } from '../lib/people.mjs';
import { runStation, stop } from '../lib/station.mjs';
import { Authenticator } from '../sim/authenticator.mjs';

const USERS = [{ id: 'lan', name: 'BS. Lò Thị Lan', role: 'doctor' }, { id: 'tri', name: 'Quản trị Trí', role: 'administrator' }];
const PASSWORD = 'bốn từ dễ nhớ nhé';
let place, station, doctor, admin, consultation;

async function begin() {
  station = await runStation(place);
  doctor = await signIn(place, 'lan');
  admin = await signIn(place, 'tri');
}
async function restart() {
  doctor.close();
  admin.close();
  await stop(station);
  await begin();
}
before(async () => {
  place = await makePlace('accounts', { users: USERS, config: '[guests]\nspecialists = proven\n' });
  await begin();
  consultation = await startConsultation(doctor);
});
after(async () => {
  doctor?.close();
  admin?.close();
  await stop(station);
  place?.remove();
});

const inviteLink = () => doctor.ask('invite.create', { role: 'specialist', name: 'x' }).then(({ link }) => link);
const parts = (link) => {
  const [, account, secret] = new URL(link).hash.slice(1).split('.');
  return { account, secret };
};

// RFC 6238, by Node's own HMAC.
function totp(secret, seconds = Date.now() / 1000) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/=+$/, '')].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

async function newAccount(account, name) {
  await admin.ask('account.save', { account, name, facility: 'BV huyện' });
  return parts((await admin.ask('account.enrol', { account })).link);
}

async function withPassword(account, name) {
  const link = await newAccount(account, name);
  const page = await joinPage(place);
  const { totp: { secret } } = await page.ask('enrol.begin', link);
  await page.ask('enrol.password', { ...link, password: PASSWORD, code: totp(secret, Date.now() / 1000 - 30) });
  page.close();
  return { link, secret };
}

async function withPasskey(account, name) {
  const link = await newAccount(account, name);
  const authenticator = new Authenticator(place.origin);
  const page = await joinPage(place);
  const { challenge } = await page.ask('enrol.begin', link);
  await page.ask('enrol.passkey', { ...link, created: authenticator.create(challenge), label: 'test' });
  page.close();
  return authenticator;
}

const password = (account, code, words = PASSWORD) =>
  ({ fingerprint: FINGERPRINT, identity: { method: 'password', account, password: words, code } });
const challengeOf = (page, link, key) => createHash('sha256')
  .update(['nhipcau-passkey-1', page.hello.nonce, bindingNonce(link, key)].join('\n')).digest('base64url');
const passkey = (credential) => ({ fingerprint: FINGERPRINT, identity: { method: 'passkey', credential } });

test('a passkey is registered once by a link, and signs in for this socket alone', { timeout: 180_000 }, async () => {
  const authenticator = await withPasskey('minh', 'BS. Trần Văn Minh');
  const link = await inviteLink();
  const key = keyPair();
  const page = await joinPage(place);
  assert.equal(page.hello.accounts, true);
  const credential = authenticator.get(challengeOf(page, link, key));
  const joined = await page.join(link, key, passkey(credential));
  assert.equal(joined.state, 'lobby');
  const guest = (await doctor.stateWhere((s) => s.consultation?.guests.some((g) => g.guest === joined.guest)))
    .consultation.guests.find((g) => g.guest === joined.guest);
  assert.equal(guest.name, 'BS. Trần Văn Minh');
  assert.deepEqual([guest.identity.method, guest.identity.subject, guest.identity.provider], ['passkey', 'minh', 'Trạm Y tế xã Tả Van']);
  await doctor.ask('guest.admit', { guest: joined.guest });
  await doctor.ask('unlock', { passphrase: place.passphraseText });
  const { record } = await doctor.ask('record.open', { consultation });
  assert.equal(record.rows.identity.at(-1).body.subject, 'minh');
  // The same answer again, on another socket and on this one.
  const other = await joinPage(place);
  assert.equal((await refusal(other.join(link, keyPair(), passkey(credential)))).reason, 'passkey');
  other.close();
  page.close();
});

test('no wrong answer of an authenticator lets anybody in', { timeout: 180_000 }, async () => {
  const authenticator = await withPasskey('nga', 'BS. Nga');
  const stranger = new Authenticator(place.origin);
  const link = await inviteLink();
  const wrong = {
    'another challenge': (c) => authenticator.get(bindingNonce(link, keyPair())),
    'another origin': (c) => authenticator.get(c, { client: { origin: 'https://evil.example' } }),
    'inside another page': (c) => authenticator.get(c, { client: { crossOrigin: true } }),
    'of a registration': (c) => authenticator.get(c, { type: 'webauthn.create' }),
    'for another host': (c) => authenticator.get(c, { rp: 'evil.example' }),
    'the person was not verified': (c) => authenticator.get(c, { flags: 0x01 }),
    'nobody was present': (c) => authenticator.get(c, { flags: 0x04 }),
    'a wrong signature': (c) => authenticator.get(c, { spoil: true }),
    'an unknown key': (c) => stranger.get(c),
    'an unknown key under a known name': (c) => ({ ...stranger.get(c), id: authenticator.id.toString('base64url') }),
    'nothing': () => ({}),
    'no object': () => 'x',
  };
  for (const [what, make] of Object.entries(wrong)) {
    const page = await joinPage(place);
    const key = keyPair();
    const said = await refusal(page.join(link, key, passkey(make(challengeOf(page, link, key)))));
    assert.deepEqual([said.code, said.reason], ['not-proven', 'passkey'], what);
    assert.ok(said.text.vi.length > 40 && said.text.en.length > 40);
    page.close();
  }
  const enter = async (how) => {
    const page = await joinPage(place);
    const key = keyPair();
    const answer = await page.join(link, key, passkey(authenticator.get(challengeOf(page, link, key), how))).catch((error) => error);
    page.close();
    return answer.state ?? answer.reason;
  };
  assert.equal(await enter({ step: 10 }), 'lobby');
  // A copy of the key counts from where it was copied.
  assert.equal(await enter({ step: -5 }), 'passkey');
  assert.equal(await enter({ step: 5 }), 'passkey', 'the counter stands still');
  await restart();
  assert.equal(await enter({ step: 0 }), 'passkey', 'it is remembered over a restart');
  assert.equal(await enter({ step: 1 }), 'lobby');
});

test('no wrong registration is taken', { timeout: 180_000 }, async () => {
  const link = await newAccount('phong', 'BS. Phong');
  const page = await joinPage(place);
  const { challenge } = await page.ask('enrol.begin', link);
  const made = (how) => new Authenticator(place.origin).create(challenge, how);
  for (const created of [
    made({ client: { challenge: 'x' } }), made({ client: { origin: 'https://evil.example' } }), made({ type: 'webauthn.get' }),
    made({ rp: 'evil.example' }), made({ flags: 0x41 }), made({ flags: 0x44 }), { ...made(), algorithm: -65535 }, { ...made(), algorithm: -257 },
    { ...made(), authenticator_data: made().authenticator_data.slice(0, 60) }, {}, 7,
  ]) assert.equal((await refusal(page.ask('enrol.passkey', { ...link, created }))).code, 'not-allowed');
  const [one] = (await admin.ask('account.list')).accounts.filter(({ account }) => account === 'phong');
  assert.deepEqual(one.passkeys, []);
  page.close();
});

test('a password and a code: each code counts once, five wrong ones lock, a restart too', { timeout: 240_000 }, async () => {
  const { secret } = await withPassword('hoa', 'BS. Hoa');
  const link = await inviteLink();
  const key = keyPair();
  const page = await joinPage(place);
  const code = totp(secret);
  assert.equal((await page.join(link, key, password('hoa', code))).state, 'lobby');
  await page.ask('leave');
  assert.equal((await refusal(page.join(link, keyPair(), password('hoa', code)))).reason, 'password', 'the code again');
  const decomposed = PASSWORD.normalize('NFD');
  let said;
  for (let i = 0; i < 4; i++) said = await refusal(page.join(link, key, password('hoa', '000000', i % 2 ? 'wrong words here' : decomposed)));
  assert.equal(said.code, 'locked-out');
  assert.ok(said.seconds >= 25);
  assert.equal((await refusal(page.join(link, key, password('nobody', '123456')))).reason, 'password', 'an unknown account is no other answer');
  await restart();
  const again = await joinPage(place);
  assert.equal((await refusal(again.join(link, key, password('hoa', totp(secret, Date.now() / 1000 + 30))))).code, 'locked-out');
  // The administrator knows the person: a new link, wrong ones forgotten.
  const fresh = parts((await admin.ask('account.enrol', { account: 'hoa' })).link);
  const { totp: offered } = await again.ask('enrol.begin', fresh);
  const weak = await refusal(again.ask('enrol.password', { ...fresh, password: 'aaaaaaaaaaaa', code: totp(offered.secret) }));
  assert.equal(weak.field, 'password');
  assert.equal((await refusal(again.ask('enrol.password', { ...fresh, password: PASSWORD, code: '000000' }))).field, 'code');
  await again.ask('enrol.password', { ...fresh, password: PASSWORD, code: totp(offered.secret) });
  assert.equal((await again.join(link, key, password('hoa', totp(offered.secret, Date.now() / 1000 + 30)))).state, 'lobby');
  page.close();
  again.close();
});

test('a link works once, not after another was given, not for who is disabled', { timeout: 180_000 }, async () => {
  const { link: used } = await withPassword('quy', 'BS. Quý');
  const page = await joinPage(place);
  const over = (link) => refusal(page.ask('enrol.begin', link)).then(({ code }) => code);
  assert.equal(await over(used), 'invite-expired');
  const first = parts((await admin.ask('account.enrol', { account: 'quy' })).link);
  const second = parts((await doctor.ask('account.enrol', { account: 'quy' })).link);
  assert.equal(await over(first), 'invite-expired');
  await page.ask('enrol.begin', second);
  await admin.ask('account.disable', { account: 'quy', disabled: true });
  assert.equal(await over(second), 'invite-expired');
  assert.equal(await over({ account: 'who', secret: 'x'.repeat(32) }), 'invite-expired');
  page.close();
});

test('who is disabled, and a key that was removed, open nothing; no secret is told', { timeout: 180_000 }, async () => {
  const authenticator = await withPasskey('son', 'BS. Sơn');
  const link = await inviteLink();
  const enter = async () => {
    const page = await joinPage(place);
    const key = keyPair();
    const answer = await page.join(link, key, passkey(authenticator.get(challengeOf(page, link, key)))).catch((error) => error);
    page.close();
    return answer.state ?? answer.reason;
  };
  await admin.ask('account.disable', { account: 'son', disabled: true });
  assert.equal(await enter(), 'passkey');
  await admin.ask('account.disable', { account: 'son', disabled: false });
  assert.equal(await enter(), 'lobby');
  const id = authenticator.id.toString('base64url');
  await admin.ask('account.forget', { account: 'son', passkey: id });
  assert.equal(await enter(), 'passkey');
  assert.equal((await refusal(admin.ask('account.forget', { account: 'son', passkey: id }))).code, 'no-such');
  const told = JSON.stringify(await admin.ask('account.list'));
  for (const word of ['scrypt', 'totp', 'hash']) assert.ok(!told.includes(word), word);
});
