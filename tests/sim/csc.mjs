// A remote-signing provider as the Cloud Signature Consortium's API v2 describes it, made of openssl: a token
// (oauth2/token), credentials/list, credentials/info, credentials/authorize (the signer's consent, by a PIN here; on a
// telephone in real life) and signatures/signHash. It signs hashes, and never sees what they are of.

import { spawnSync } from 'node:child_process';
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHA256 = '2.16.840.1.101.3.4.2.1';

// credentials: {id: {key, chain (PEM file), pin}}
export async function remoteSigning(credentials, { client = 'hospital', secret = 'bí mật' } = {}) {
  const work = mkdtempSync(join(tmpdir(), 'csc-'));
  const self = { asked: [], hashes: [] };
  const tokens = new Set(), grants = new Map();
  const ders = (file) => readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
    .map((pem) => pem.replace(/-----[^-]+-----|\s/g, ''));
  const sign = (key, hash) => {
    const [file, out] = [join(work, 'hash'), join(work, 'value')];
    writeFileSync(file, hash);
    const done = spawnSync('openssl', ['pkeyutl', '-sign', '-inkey', key, '-pkeyopt', 'digest:sha256', '-in', file, '-out', out]);
    if (done.status !== 0) throw new Error(done.stderr.toString());
    return readFileSync(out);
  };
  const refuse = (status, error) => Object.assign(new Error(error), { status });
  const methods = {
    'oauth2/token': (body) => {
      if (body.client_id !== client || body.client_secret !== secret) throw refuse(401, 'invalid_client');
      const token = randomUUID();
      tokens.add(token);
      return { access_token: token, token_type: 'Bearer', expires_in: 3600 };
    },
    'credentials/list': () => ({ credentialIDs: Object.keys(credentials) }),
    'credentials/info': ({ credentialID }) => {
      const one = credentials[credentialID];
      if (!one) throw refuse(400, 'invalid_request');
      return { key: { status: 'enabled', algo: ['1.2.840.113549.1.1.1'] }, cert: { status: 'valid', certificates: ders(one.chain) }, multisign: 1 };
    },
    'credentials/authorize': ({ credentialID, PIN, hashes, numSignatures }) => {
      const one = credentials[credentialID];
      const same = one && PIN?.length === one.pin.length && timingSafeEqual(Buffer.from(PIN), Buffer.from(one.pin));
      if (!same || numSignatures !== 1) throw refuse(400, 'invalid_pin');
      const sad = randomUUID();
      grants.set(sad, JSON.stringify(hashes)); // for these hashes alone
      return { SAD: sad, expiresIn: 300 };
    },
    'signatures/signHash': ({ credentialID, SAD, hashes, hashAlgorithmOID }) => {
      if (grants.get(SAD) !== JSON.stringify(hashes) || hashAlgorithmOID !== SHA256) throw refuse(400, 'invalid_request');
      grants.delete(SAD);
      self.hashes.push(...hashes);
      return { signatures: hashes.map((hash) => sign(credentials[credentialID].key, Buffer.from(hash, 'base64')).toString('base64')) };
    },
  };
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      const name = request.url.replace(/^\/csc\/v2\//, '');
      self.asked.push(name);
      if (!methods[name]) return answer(404, { error: 'not_found' });
      if (name !== 'oauth2/token' && !tokens.has(request.headers.authorization?.replace('Bearer ', ''))) return answer(401, { error: 'invalid_token' });
      try {
        return answer(200, methods[name](JSON.parse(Buffer.concat(parts).toString() || '{}')));
      } catch (error) {
        return answer(error.status ?? 500, { error: error.message });
      }
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  self.url = `http://127.0.0.1:${server.address().port}/csc/v2`;
  self.close = () => new Promise((done) => server.close(() => { rmSync(work, { recursive: true }); done(); }));
  return self;
}
