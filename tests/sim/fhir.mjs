// A hospital's FHIR server as far as a station meets it: PUT and GET of Bundle, Basic and Binary over TLS with
// client certificates; it behaves badly on demand. Counts what it was asked.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });

// Certificates of a hospital: its authority, the server's, a station's, and a stranger's own.
export function hospitalCertificates(dir) {
  mkdirSync(dir, { recursive: true });
  const at = (name) => join(dir, name);
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-keyout', at('ca.key'), '-out', at('ca.crt'), '-subj', '/CN=Hospital authority');
  for (const [name, subject, more] of [['server', '/CN=localhost', ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']],
    ['station', '/CN=Station 1', []]]) {
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`),
      '-out', at(`${name}.csr`), '-subj', subject, ...more);
    openssl('x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial',
      '-days', '30', '-copy_extensions', 'copy', '-out', at(`${name}.crt`));
  }
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
    '-keyout', at('stranger.key'), '-out', at('stranger.crt'), '-subj', '/CN=Nobody');
  return at;
}

// mode: ok | 500 | refuse | cut (the connection ends in the midst) | half (of an answer) | lose | other. It concerns
// Bundles; binaries: how many Binary are taken until the next ones meet a 503.
export async function fhirServer(at) {
  const self = { mode: 'ok', kept: new Map(), puts: 0, gets: 0, basics: new Map(), binary: new Map(), binaryPuts: [], binaries: Infinity };
  // A Binary is kept as it came, and given back so (hl7.org/fhir/R4/binary.html).
  const putBinary = (id, body, type, response) => {
    if (self.binaries-- <= 0) return response.writeHead(503).end();
    self.binaryPuts.push(id);
    self.binary.set(id, { body, type });
    return response.writeHead(201).end();
  };
  const putBasic = (id, body, response) => {
    const version = Number(self.basics.get(id)?.meta.versionId ?? 0) + 1;
    self.basics.set(id, { ...JSON.parse(body), meta: { versionId: String(version), lastUpdated: new Date().toISOString() } });
    return response.writeHead(version > 1 ? 200 : 201).end();
  };
  const getOther = (kind, id, response) => {
    const found = (kind === 'Binary' ? self.binary : self.basics).get(id);
    if (!found) return response.writeHead(404).end();
    if (kind === 'Binary') return response.writeHead(200, { 'Content-Type': found.type }).end(found.body);
    return response.writeHead(200, { 'Content-Type': 'application/fhir+json' }).end(JSON.stringify(found));
  };
  const put = (id, body, response) => {
    self.puts++;
    if (self.mode === '500') return response.writeHead(500).end();
    if (self.mode === 'refuse') return response.writeHead(422).end();
    const bundle = JSON.parse(body);
    if (bundle.id !== id) return response.writeHead(400).end();
    const version = Number(self.kept.get(id)?.meta.versionId ?? 0) + 1;
    // As a server does: members in an order of its own, and a version.
    const stored = { ...Object.fromEntries(Object.entries(bundle).reverse()), meta: { versionId: String(version) } };
    if (self.mode === 'other') stored.timestamp = '2001-01-01T00:00:00Z';
    if (self.mode !== 'lose') self.kept.set(id, stored);
    if (self.mode === 'half') {
      response.writeHead(201, { 'Content-Length': 1000 });
      response.write('{"resourceType"');
      return setTimeout(() => response.destroy(), 50);
    }
    return response.writeHead(version > 1 ? 200 : 201).end();
  };
  const server = createServer({ key: readFileSync(at('server.key')), cert: readFileSync(at('server.crt')),
    ca: readFileSync(at('ca.crt')), requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const [, kind, id] = request.url.match(/^\/fhir\/(Bundle|Binary|Basic)\/([A-Za-z0-9.-]{1,64})$/) ?? [];
    if (!id) return response.writeHead(404).end();
    if (kind !== 'Bundle' && request.method === 'GET') return getOther(kind, id, response);
    if (self.mode === 'cut') { self.puts++; return request.socket.destroy(); }
    if (request.method === 'GET') {
      self.gets++;
      const found = self.kept.get(id);
      return found ? response.writeHead(200, { 'Content-Type': 'application/fhir+json' }).end(JSON.stringify(found, null, 1))
        : response.writeHead(404).end();
    }
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (kind === 'Binary') return putBinary(id, body, request.headers['content-type'], response);
      if (kind === 'Basic') return putBasic(id, body, response);
      return put(id, body.toString(), response);
    });
  });
  server.on('tlsClientError', () => {});
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  self.port = server.address().port;
  self.url = `https://localhost:${self.port}/fhir`;
  // Of one type: "document", "collection".
  self.bundles = (type) => [...self.kept.values()].filter((one) => one.type === type);
  self.close = () => new Promise((done) => { server.closeAllConnections(); server.close(done); });
  self.stop = self.close;
  return self;
}
