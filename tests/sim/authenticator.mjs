// An authenticator for passkeys (WebAuthn Level 2, §6.1, §6.5) of our own making, so that each thing that
// can be wrong with an answer can be made wrong by itself.

import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sha256 = (data) => createHash('sha256').update(data).digest();
const text = (bytes) => Buffer.from(bytes).toString('base64url');

// CBOR of a COSE_Key of P-256 (RFC 8152 §13.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}
function coseKey({ x, y }) {
  const bytes = (value) => Buffer.concat([Buffer.from([0x58, 32]), Buffer.from(value, 'base64url')]);
  return Buffer.concat([Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]), bytes(x), Buffer.from([0x22]), bytes(y)]);
}

export class Authenticator {
  #pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  id = randomBytes(16);
  count = 0;

  constructor(origin, rp = 'localhost') {
    this.origin = origin;
    this.rp = rp;
  }

  #clientData(type, challenge, more) {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false, ...more }));
  }

  #head(flags, rp) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(this.count);
    return Buffer.concat([sha256(rp ?? this.rp), Buffer.from([flags]), count]);
  }

  // As navigator.credentials.create() tells it. flags: present, verified, attested.
  create(challenge, { client = {}, rp, flags = 0x45, type = 'webauthn.create' } = {}) {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.id.length);
    const data = Buffer.concat([this.#head(flags, rp), Buffer.alloc(16), length, this.id,
      coseKey(this.#pair.publicKey.export({ format: 'jwk' }))]);
    return { client_data: text(this.#clientData(type, challenge, client)), authenticator_data: text(data), algorithm: -7 };
  }

  // As navigator.credentials.get() tells it. flags: present, verified.
  get(challenge, { client = {}, rp, flags = 0x05, type = 'webauthn.get', step = 1, spoil = false } = {}) {
    this.count += step;
    const client_data = this.#clientData(type, challenge, client);
    const data = this.#head(flags, rp);
    const signature = sign('sha256', Buffer.concat([data, sha256(client_data)]), this.#pair.privateKey);
    if (spoil) signature[signature.length - 1] ^= 1;
    return { id: text(this.id), client_data: text(client_data), authenticator_data: text(data), signature: text(signature) };
  }
}
