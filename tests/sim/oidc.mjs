// A hospital's identity provider: npm `oidc-provider` on HTTPS, with its own authority. People sign in
// by their name alone; what is theirs stands in PEOPLE. Its keys can be changed, itself be taken away;
// and it can be made to sign what no provider should.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import { freePort } from '../lib/station.mjs';

export const CLIENT = 'nhipcau';
export const PEOPLE = {
  minh: { name: 'BS. Trần Văn Minh', roles: ['telemedicine'] },
  hoa: { name: 'Lê Thị Hoa', roles: ['billing'] },
};

// A CA and a server's certificate for a name or address, by stock openssl.
function certificates(dir, host) {
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  const file = (name) => join(dir, name);
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-keyout', file('oidc-ca.key'), '-out', file('oidc-ca.crt'), '-subj', '/CN=Hospital CA (test)');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${host}`,
    '-keyout', file('oidc.key'), '-out', file('oidc.csr'));
  writeFileSync(file('oidc.ext'), `subjectAltName=${/^[\d.]+$/.test(host) ? 'IP' : 'DNS'}:${host}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n`);
  openssl('x509', '-req', '-in', file('oidc.csr'), '-CA', file('oidc-ca.crt'), '-CAkey', file('oidc-ca.key'),
    '-CAcreateserial', '-days', '30', '-extfile', file('oidc.ext'), '-out', file('oidc.crt'));
  return { ca: file('oidc-ca.crt'), key: readFileSync(file('oidc.key')), cert: readFileSync(file('oidc.crt')) };
}

async function makeKey(kid, alg = 'RS256') {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg, use: 'sig' };
}

// dir: where its certificates go; origin(): of the pages that lead there, once it is known. at: {address, port} in place of
// localhost and a free port.
export async function hospitalProvider(dir, origin, at = {}) {
  const host = at.address ?? 'localhost';
  const tls = certificates(dir, host);
  const port = at.port ?? await freePort();
  const issuer = `https://${host}:${port}`;
  const self = { issuer, ca: tls.ca, keys: [await makeKey('one')], asked: 0 };
  let server;

  const provider = () => {
    const made = new Provider(issuer, {
      clients: [{
        client_id: CLIENT, token_endpoint_auth_method: 'none', redirect_uris: [`${origin()}/join`, `${origin()}/desk`],
        response_types: ['code'], grant_types: ['authorization_code'],
      }],
      clientBasedCORS: (_, from) => from === origin(),
      pkce: { required: () => true, methods: ['S256'] },
      jwks: { keys: self.keys },
      cookies: { keys: ['test'] },
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], profile: ['name', 'roles'] },
      findAccount: (_, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
    });
    return made;
  };

  self.start = () => new Promise((done) => {
    const handle = provider().callback();
    server = createServer({ key: tls.key, cert: tls.cert }, (request, response) => {
      if (request.url.endsWith('/jwks')) self.asked++;
      handle(request, response);
    });
    server.listen(port, at.address ?? '127.0.0.1', done);
  });
  self.stop = () => new Promise((done) => {
    server.closeAllConnections?.();
    server.close(done);
  });
  // Other keys from now on.
  self.changeKeys = async (kid) => {
    await self.stop();
    self.keys = [await makeKey(kid)];
    await self.start();
  };
  // A token as the provider would sign it, claims and header changed at will.
  self.sign = async (claims, { header = {}, key = self.keys[0] } = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const all = { iss: issuer, aud: CLIENT, sub: 'minh', iat: now, exp: now + 600, ...PEOPLE.minh, ...claims };
    for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
    return new SignJWT(all).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(await importJWK(key, key.alg));
  };
  self.otherKey = (kid) => makeKey(kid);
  await self.start();
  return self;
}

// The group of station.conf that believes it.
export const providerConfig = (provider, more = '') => `[provider hospital]
issuer = ${provider.issuer}
client-id = ${CLIENT}
title = Bệnh viện Trung ương
ca-file = ${provider.ca}
roles-claim = roles
roles = telemedicine
${more}`;
