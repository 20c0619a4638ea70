// A hospital's enrolment server (RFC 7030) and the place where its revocation list is published, on
// stock openssl (tests/sim/station-pki makes the authority). `manner` says how it behaves next.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as plain } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';

const stamp = (ms) => new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

// times of a certificate, in seconds around now
export const DAY = 86400;

export async function estServer(pki, { user = 'muong-mau', password = 'mot-lan' } = {}) {
  const file = (name) => join(pki, name);
  const est = { manner: 'good', life: [-DAY, 89 * DAY], asked: [], issued: 0, clock: 0 };

  // From a PKCS#10 (PEM) a certificate, by an authority and section of station-pki.
  est.issue = (csr, { from = est.life[0], until = est.life[1], section = 'station', ca = 'ca' } = {}) => {
    const out = file(`issued-${++est.issued}.crt`);
    execFileSync(file('issue'), [csr, out, stamp(Date.now() + from * 1000), stamp(Date.now() + until * 1000), section, ca],
      { stdio: 'pipe' });
    return out;
  };
  est.revoke = (certificate) => {
    execFileSync('openssl', ['ca', '-batch', '-config', file('ca.cnf'), '-revoke', certificate], { stdio: 'pipe' });
    est.publish();
  };
  est.publish = (days = 30) => execFileSync('openssl', ['ca', '-batch', '-config', file('ca.cnf'), '-gencrl', '-crldays', String(days),
    '-out', file('ca.crl')], { stdio: 'pipe' });
  // A request of somebody else's key for the same name, or of the same key for another.
  est.request = (id, key) => {
    const out = file(`asked-${createHash('sha256').update(id + (key ?? '')).digest('hex').slice(0, 8)}.csr`);
    execFileSync('openssl', ['req', '-new', '-subj', '/CN=x', ...(key ? ['-key', key] : ['-newkey', 'ec', '-pkeyopt',
      'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${out}.key`]), '-addext', `subjectAltName=URI:${id}`, '-out', out], { stdio: 'pipe' });
    return out;
  };

  const packed = (...certificates) => execFileSync('openssl', ['crl2pkcs7', '-nocrl',
    ...certificates.flatMap((name) => ['-certfile', name]), '-outform', 'DER']);
  const pkcs7 = (response, bytes) => {
    response.writeHead(200, { 'Content-Type': 'application/pkcs7-mime; smime-type=certs-only', 'Content-Transfer-Encoding': 'base64',
      ...(est.clock ? { Date: new Date(Date.now() + est.clock * 1000).toUTCString() } : {}) });
    response.end(bytes.toString('base64').replace(/(.{64})/g, '$1\r\n'));
  };
  const say = (response, status, text = '', headers = {}) => {
    response.writeHead(status, { 'Content-Type': 'text/plain', ...headers });
    response.end(text);
  };

  function enrol(request, response, body) {
    const again = request.url.endsWith('/simplereenroll');
    const socket = request.socket;
    const certificate = socket.getPeerCertificate();
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    est.asked.push({ again, certificate: certificate?.subjectaltname, authorized: socket.authorized });
    if (again ? !socket.authorized : request.headers.authorization !== basic)
      return say(response, 401, again ? 'no certificate of ours' : 'wrong password', again ? {} : { 'WWW-Authenticate': 'Basic realm="est"' });
    const csr = file(`enrol-${est.asked.length}.csr`);
    const text = body.toString('ascii').replace(/\s/g, '');
    writeFileSync(csr, `-----BEGIN CERTIFICATE REQUEST-----\n${text.replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE REQUEST-----\n`);
    execFileSync('openssl', ['req', '-in', csr, '-verify', '-noout'], { stdio: 'pipe' });
    const wrong = {
      'other-key': () => est.issue(est.request('nhipcau:station:muong-mau')),
      rogue: () => est.issue(csr, { ca: 'rogue-ca' }),
      'other-purpose': () => est.issue(csr, { section: 'other' }),
      expired: () => est.issue(csr, { from: -90 * DAY, until: -DAY }),
    };
    pkcs7(response, packed((wrong[est.manner] ?? (() => est.issue(csr)))()));
  }

  const server = createServer({ key: readFileSync(file('server.key')), cert: readFileSync(file('server.crt')),
    ca: readFileSync(file('ca.crt')), requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (est.manner === 'gone') return request.socket.destroy();
      if (est.manner === 'down') return say(response, 503, 'tomorrow');
      if (est.manner === 'later') return say(response, 202, '', { 'Retry-After': '60' });
      if (est.manner === 'refuse') return say(response, 403, 'not you\u0007\r\nsecond line');
      if (est.manner === 'rubbish') return pkcs7(response, Buffer.from('xin chào'));
      if (est.manner === 'page') { response.writeHead(200, { 'Content-Type': 'text/html' }); return response.end('<h1>Wi-Fi</h1>'); }
      if (est.manner === 'endless') { response.writeHead(200, { 'Content-Type': 'application/pkcs7-mime' }); return response.end(Buffer.alloc(4 << 20, 'A')); }
      if (request.url.endsWith('/cacerts')) return pkcs7(response, packed(file('ca.crt')));
      try { return enrol(request, response, Buffer.concat(chunks)); } catch (error) { return say(response, 400, String(error)); }
    });
  });
  const lists = plain((request, response) => {
    if (est.manner === 'gone') return request.socket.destroy();
    if (est.manner === 'down') return say(response, 503);
    response.writeHead(200, { 'Content-Type': 'application/pkix-crl' });
    return response.end(readFileSync(file('ca.crl')));
  });
  est.url = `https://localhost:${await listen(server)}/.well-known/est`;
  est.crl = `http://127.0.0.1:${await listen(lists)}/ca.crl`;
  est.close = () => { server.closeAllConnections(); server.close(); lists.closeAllConnections(); lists.close(); };
  return est;
}
