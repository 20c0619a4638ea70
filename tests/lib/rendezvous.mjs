// The hospital's side of a rendezvous: Debian's mosquitto as the broker, Debian's nginx before it with
// the static pages, an authority of the test's own.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { buildDir, root, start, stop } from './station.mjs';

// An authority, and certificates under it: server(names), station(id).
export function makeAuthority(dir) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = (name) => join(dir, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '30', '-subj', '/CN=Rendezvous test CA',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign');
  const issue = (name, cn, extensions) => {
    openssl('req', '-new', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${cn}`);
    writeFileSync(file(`${name}.ext`), extensions);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial',
      '-out', `${name}.crt`, '-days', '30', '-extfile', `${name}.ext`);
    return { certificate: file(`${name}.crt`), key: file(`${name}.key`) };
  };
  return {
    ca: file('ca.crt'),
    server: (names) => issue('server', 'broker', `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`),
    // Of a client that is no station.
    client: (name) => issue('client', name, 'extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n'),
    // The common name is the station's id; the other names are for its own pages.
    station: (id, names = ['DNS:localhost', 'IP:127.0.0.1']) =>
      issue(`station-${id}`, id, `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n`),
  };
}

// A file of station/hospital as its setup makes it: the test runs what a hospital runs.
const ofHospital = (name, values) => readFileSync(join(root, 'station/hospital', name), 'utf8')
  .replace(/@([A-Z_]+)@/g, (_, key) => values[key] ?? '');

const reachable = (port, netns, address) => {
  if (netns) {
    try {
      execFileSync('ip', ['netns', 'exec', netns, 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`], { stdio: 'pipe' });
      return Promise.resolve(true);
    } catch { return Promise.resolve(false); }
  }
  return new Promise((done) => {
    const socket = connect(port, address, () => { socket.destroy(); done(true); });
    socket.on('error', () => done(false));
  });
};

async function untilReachable(child, port, netns, address = '127.0.0.1') {
  for (const end = Date.now() + 20_000; ;) {
    if (await reachable(port, netns, address)) return;
    if (child.exitCode !== null || Date.now() > end) throw new Error(`nothing listens at ${port}\n${child.said()}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function heard(child) {
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk.toString()));
  child.said = () => said.join('');
  return child;
}

// A server that listens there; what it says is kept.
export async function runServer(command, { netns, ports, address }) {
  const child = heard(start(...command, { netns }));
  try {
    for (const port of ports) await untilReachable(child, port, netns, address);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { child, log: () => child.said(), stop: () => stop(child) };
}

// tls: {port, ca, crl, certificate, key} for stations and websocket: port for nginx, as a hospital has them; or open: a port
// without any rule, on loopback, for tests that are the broker themselves. log: everything is written down, as a curious
// operator would.
export async function startBroker({ dir, netns, tls, websocket, open, log = true, more = '' }) {
  mkdirSync(dir, { recursive: true });
  const file = (name) => join(dir, name);
  for (const [name, from] of tls ? [['stations-ca.crt', tls.ca], ['broker.crt', tls.certificate], ['broker.key', tls.key],
    ...(tls.crl ? [['stations.crl', tls.crl]] : [])] : [])
    copyFileSync(from, file(name));
  copyFileSync(join(root, 'station/hospital/acl'), file('acl'));
  const level = log ? 'all' : 'error';
  writeFileSync(file('mosquitto.conf'), `user root\n${more}\n` + (tls
    ? ofHospital('mosquitto.conf', { FOLDER: dir, ADDRESS: '0.0.0.0', BROKER_PORT: tls.port, WEBSOCKET_PORT: websocket, BROKER_LOG: level,
      REVOKED: tls.crl ? `crlfile ${file('stations.crl')}` : '' })
    : `persistence false\nset_tcp_nodelay true\nmessage_size_limit 400000\nlog_dest stderr\nlog_type ${level}\nlistener ${open} 127.0.0.1\nallow_anonymous true\n`));
  return runServer(['mosquitto', ['-c', file('mosquitto.conf')]], { netns, ports: [tls?.port, websocket, open].filter(Boolean) });
}

// site: a file of one server, as /etc/nginx/sites-enabled has it; what Debian's nginx.conf says around it. user: of the workers.
export async function runNginx({ dir, netns, port, address = '127.0.0.1', site, log, user = 'root' }) {
  mkdirSync(join(dir, 'tmp'), { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((one) => `${one}_temp_path ${join(dir, 'tmp', one)};`);
  writeFileSync(join(dir, 'nginx.conf'), `user ${user};
worker_processes 1;
daemon off;
pid ${join(dir, 'nginx.pid')};
error_log stderr warn;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  ${temporary.join('\n  ')}
  include ${site};
}
`);
  const one = await runServer(['nginx', ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr']], { netns, ports: [port], address });
  return { ...one, log: () => one.log() + readFileSync(log, 'utf8') };
}

// The pages as static files, and /mqtt to the broker's WebSocket.
export async function startNginx({ dir, netns, port, websocket, certificate, key, files = join(buildDir, 'station/dist'), origins = '' }) {
  if (!existsSync(join(files, 'join.html'))) throw new Error(`no pages in ${files}`);
  mkdirSync(dir, { recursive: true });
  const file = (name) => join(dir, name);
  if (!existsSync(file('pages'))) symlinkSync(files, file('pages'));
  copyFileSync(certificate, file('pages.crt'));
  copyFileSync(key, file('pages.key'));
  writeFileSync(file('site'), ofHospital('nginx.conf', { FOLDER: dir, ADDRESS: '0.0.0.0', PORT: port, WEBSOCKET_PORT: websocket,
    NGINX_LOG: file('access.log'), PROVIDER_ORIGINS: origins }));
  return runNginx({ dir, netns, port, site: file('site'), log: file('access.log') });
}
