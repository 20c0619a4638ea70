// People without a screen: a doctor who signs in, a guest whose browser holds a key.

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Console } from './console.mjs';
import { lookup } from './localhost.mjs';
import { setUp } from './station.mjs';

// A station in a folder of its own that goes away with the test.
export async function place(name, options = {}) {
  const dir = mkdtempSync(join(tmpdir(), `nhipcau-${name}-`));
  const made = await setUp(dir, options);
  return {
    ...made,
    passphraseText: readFileSync(made.passphrase, 'utf8').trim(),
    get: (url, headers = {}) => get(url, headers, made.ca),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function get(url, headers, ca) {
  return new Promise((done, fail) => {
    const asked = request(url, { headers, servername: 'localhost', lookup, ca: readFileSync(ca) }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    asked.once('error', fail);
    asked.end();
  });
}

export async function signIn(at, user, pin = at.pin) {
  const page = await Console.connect(at);
  page.session = (await page.ask('sign-in', { user, pin })).session;
  return page;
}

// The refusal that a request ends with; an error when it is answered by "ok".
export const refusal = (asked) => asked.then(
  (answer) => { throw new Error(`not refused: ${JSON.stringify(answer)}`); },
  (error) => { if (!error.code) throw error; return error; });

export const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

// A join page: join(link, key) proves the key as a browser does, reserve(link, key) and open(link, key) too.
export async function joinPage(at) {
  const page = await Console.connect(at, '/ws/join');
  const prove = (type) => (link, key, fields = {}) => {
    const [, invite, secret] = new URL(link).hash.slice(1).split('.');
    const text = `nhipcau-join-1\n${page.hello.nonce}\n${invite}`;
    const signature = sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    return page.ask(type, { invite, secret, key: key.publicKey.export({ format: 'jwk' }),
      signature: signature.toString('base64url'), ...fields });
  };
  page.join = prove('join');
  page.reserve = prove('media.reserve');
  page.open = prove('invite.open');
  return page;
}

export const passkeyChallenge = (page, binding) =>
  createHash('sha256').update(['nhipcau-passkey-1', page.hello.nonce, binding].join('\n')).digest('base64url');

// Starts a consultation; whatever an earlier test left on the screen is parked.
export async function startConsultation(page, fields = {}) {
  const state = await page.stateWhere(() => true);
  if (state.consultation) await page.ask('consultation.park');
  const { consultation } = await page.ask('consultation.start',
    { mode: 3, reason: 'Khó thở', patient: { unknown: true }, ...fields });
  await page.stateWhere((s) => s.consultation?.id === consultation);
  return consultation;
}

// A desk: enter(identity, key) signs in as docs/protocol.md, Sign-in, says; station: which one is meant.
export async function deskPage(at) {
  const page = await Console.connect(at, '/ws/desk');
  page.enter = (identity, key, { station = page.hello.station.id, fingerprint = FINGERPRINT, nonce = page.hello.nonce } = {}) => {
    const signature = sign('sha256', Buffer.from(`nhipcau-desk-1\n${nonce}\n${station}`), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    return page.ask('sign-in', { identity, fingerprint, key: key.publicKey.export({ format: 'jwk' }), signature: signature.toString('base64url') });
  };
  return page;
}

// What a sign-in of this browser is bound to: docs/protocol.md, Sign-in. link: of an invitation, or "desk".
export const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 160).toString(16).toUpperCase()).join(':');
export function bindingNonce(link, key, fingerprint = FINGERPRINT) {
  const invite = link === 'desk' ? link : new URL(link).hash.slice(1).split('.')[1];
  const { x, y } = key.publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const hash = createHash('sha256').update(point).digest('hex');
  return createHash('sha256').update(['nhipcau-identity-1', invite, hash, fingerprint].join('\n')).digest('base64url');
}
