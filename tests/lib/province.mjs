// A clinic and a hospital, each behind a router of its own, and between them a provider's network
// with a relay (Debian's coturn). The routers can be symmetric NATs, the network can be open or let
// UDP reach nothing but the relay. Namespaces and nftables; nothing leaves the machine. With a profile of
// sim-link the clinic's router hangs at such a link.
//
//   clinic 10.78.1.2 ── routerA ── 10.77.1.0/30 ── wan ── 10.77.2.0/30 ── routerB ── hospital 10.78.2.2
//                                                        └── relay 10.77.9.1

import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tls } from 'node:tls';
import { Forwarder, noOffloads } from './link.mjs';
import { line, start, stop } from './station.mjs';

const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' });

export function makeProvince(port, { hasLink = false } = {}) {
  const tag = `nc${process.pid % 100000}${randomInt(100)}`;
  const ns = Object.fromEntries(['clinic', 'routerA', 'wan', 'routerB', 'hospital', 'relay', ...(hasLink ? ['link'] : [])].map((n) => [n, `${tag}-${n}`]));
  const inside = (name, command, ...args) => execFileSync('ip', ['netns', 'exec', ns[name], command, ...args], { stdio: 'pipe' });
  const remove = () => {
    for (const name of Object.values(ns)) try { ip('netns', 'delete', name); } catch { /* never made, or gone */ }
  };
  const cable = (a, nameA, addressA, b, nameB, addressB) => {
    ip('link', 'add', nameA, 'netns', ns[a], 'type', 'veth', 'peer', 'name', nameB, 'netns', ns[b]);
    for (const [where, name, address] of [[a, nameA, addressA], [b, nameB, addressB]]) {
      for (const one of address)
        ip('-n', ns[where], 'address', 'add', one, 'dev', name, ...(one.includes(':') ? ['nodad'] : []));
      ip('-n', ns[where], 'link', 'set', name, 'up');
    }
  };
  process.once('exit', remove); // also when it fails half way
  for (const name of Object.values(ns)) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  for (const name of ['routerA', 'wan', 'routerB']) {
    inside(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
  }
  cable('clinic', 'lan', ['10.78.1.2/24', 'fd78:1::2/64'], 'routerA', 'lan', ['10.78.1.1/24', 'fd78:1::1/64']);
  cable('hospital', 'lan', ['10.78.2.2/24'], 'routerB', 'lan', ['10.78.2.1/24']);
  const [atRouter, atWan] = [['10.77.1.2/30', 'fd77:1::2/64'], ['10.77.1.1/30', 'fd77:1::1/64']];
  if (hasLink) {
    cable('routerA', 'wan', atRouter, 'link', 'near', []);
    cable('link', 'far', [], 'wan', 'toA', atWan);
    for (const [name, dev] of [['routerA', 'wan'], ['link', 'near'], ['link', 'far'], ['wan', 'toA']]) noOffloads(ns[name], dev);
  } else {
    cable('routerA', 'wan', atRouter, 'wan', 'toA', atWan);
  }
  cable('routerB', 'wan', ['10.77.2.2/30'], 'wan', 'toB', ['10.77.2.1/30']);
  cable('relay', 'wan', ['10.77.9.1/30', 'fd77:9::1/64'], 'wan', 'toRelay', ['10.77.9.2/30', 'fd77:9::2/64']);
  for (const [name, gateway] of [['clinic', '10.78.1.1'], ['hospital', '10.78.2.1'], ['routerA', '10.77.1.1'], ['routerB', '10.77.2.1'], ['relay', '10.77.9.2']])
    ip('-n', ns[name], 'route', 'add', 'default', 'via', gateway);
  ip('-n', ns.clinic, 'route', 'add', 'default', 'via', 'fd78:1::1');
  ip('-n', ns.routerA, 'route', 'add', 'default', 'via', 'fd77:1::1');
  ip('-n', ns.relay, 'route', 'add', 'default', 'via', 'fd77:9::2');
  ip('-n', ns.wan, 'route', 'add', '10.78.1.0/24', 'via', '10.77.1.2');
  ip('-n', ns.wan, 'route', 'add', '10.78.2.0/24', 'via', '10.77.2.2');
  ip('-n', ns.wan, 'route', 'add', 'fd78:1::/64', 'via', 'fd77:1::2');

  const nft = (name, rules) => execFileSync('ip', ['netns', 'exec', ns[name], 'nft', '-f', '-'],
    { input: `flush ruleset\n${rules}`, stdio: ['pipe', 'pipe', 'pipe'] });
  const chain = (name, type, hook, priority, rule) => `chain ${name} {
    type ${type} hook ${hook} priority ${priority}; policy accept;
    ${rule}
  }\n`;
  const router = (name, mode, extra = '') => nft(name, `table ip nat {
    ${chain('pre', 'nat', 'prerouting', -100, extra)}
    ${chain('post', 'nat', 'postrouting', 100, { symmetric: 'oifname "wan" masquerade fully-random', nat: 'oifname "wan" masquerade' }[mode] ?? '')}
  }
  table ip filter {
    ${chain('input', 'filter', 'input', 0, mode === 'nat' ? 'iifname "wan" ct state new drop' : '')}
  }\n`);
  // symmetric: two NATs that give each destination another port; nobody outside reaches inside. nat: the same with a port
  // that stays, as most routers have it.
  // blocked: plain routers, but UDP passes to the relay alone. open: plain routers.
  const network = (mode) => {
    router('routerA', mode, `iifname "wan" tcp dport ${port} dnat to 10.78.1.2`);
    router('routerB', mode);
    const rule = {
      symmetric: 'ip daddr 10.78.0.0/16 drop',
      nat: 'ip daddr 10.78.0.0/16 drop',
      blocked: 'meta l4proto udp iifname != "toRelay" oifname != "toRelay" drop',
      open: '',
    }[mode];
    nft('wan', `table ip filter {\n${chain('forward', 'filter', 'forward', 0, rule)}}\n`);
  };
  // profile: of sim-link, which runs from then on; resolves to what can be asked of it (Forwarder, link.mjs).
  const openLink = (profile, seed = 1) => Forwarder.run(ns.link, ['near', 'far'], profile, seed);
  return {
    ...ns, network, openLink, clinicAddress: '10.78.1.2', publicAddress: '10.77.1.2', relayAddress: '10.77.9.1', relayAddress6: 'fd77:9::1',
    remove,
  };
}

// An authority of the test's own, and the relay's certificate under it.
export function makeRelayCertificate(dir, names) {
  const file = (name) => join(dir, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'turn-ca.key', '-out', 'turn-ca.crt', '-days', '30', '-subj', '/CN=Relay test CA',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign');
  openssl('req', '-new', ...key, '-keyout', 'turn.key', '-out', 'turn.csr', '-subj', '/CN=relay');
  writeFileSync(file('turn.ext'), `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`);
  openssl('x509', '-req', '-in', 'turn.csr', '-CA', 'turn-ca.crt', '-CAkey', 'turn-ca.key', '-CAcreateserial',
    '-out', 'turn.crt', '-days', '30', '-extfile', 'turn.ext');
  return { ca: file('turn-ca.crt'), certificate: file('turn.crt'), key: file('turn.key') };
}

// coturn in a namespace, speaking one or more of udp, tcp, tls.
export async function startRelay({ netns, addresses, speaks, secret, certificate, dir }) {
  const args = ['-n', '--no-cli', '--log-file', 'stdout', '--simple-log', '--realm', 'relay.test', '--fingerprint',
    '--listening-port', '3478', '--tls-listening-port', '5349', '--min-port', '49152', '--max-port', '49999',
    '--use-auth-secret', '--static-auth-secret', secret, '--pidfile', join(dir, 'turn.pid'), '--userdb', join(dir, 'turn.db'),
    '--cert', certificate.certificate, '--pkey', certificate.key, '--no-dtls', '--verbose',
    ...addresses.flatMap((address) => ['--listening-ip', address, '--relay-ip', address])];
  if (!speaks.includes('udp')) args.push('--no-udp');
  if (!speaks.includes('tcp')) args.push('--no-tcp');
  if (!speaks.includes('tls')) args.push('--no-tls');
  const child = start('turnserver', args, { netns });
  const log = [];
  child.stdout.on('data', (chunk) => log.push(chunk.toString()));
  await line(child, /(listener opened on|Total auth threads)/);
  child.stdout.resume();
  child.stderr.resume();
  return { child, log: () => log.join(''), stop: () => stop(child) };
}

// Sockets with a path are of no network namespace: a way from here to a port inside of one.
export async function doorInto(netns, port) {
  const dir = mkdtempSync(join(tmpdir(), 'nhipcau-door-'));
  const path = join(dir, 'door');
  const script = `const net = require('node:net');
    net.createServer((from) => { const to = net.connect(${port}, '127.0.0.1');
      from.pipe(to).pipe(from); from.on('error', () => to.destroy()); to.on('error', () => from.destroy());
    }).listen(${JSON.stringify(path)}, () => console.log('ready'));`;
  const child = start(process.execPath, ['-e', script], { netns });
  await line(child, /^ready/);
  const agent = new Agent();
  agent.createConnection = (options) => tls({ ...options, path, host: undefined, port: undefined, servername: 'localhost' });
  return { agent, close: async () => { await stop(child); rmSync(dir, { recursive: true, force: true }); } };
}
