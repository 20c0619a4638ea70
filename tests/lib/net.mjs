// Network namespaces that a test makes for itself: a clinic, a hospital, a cable between them that
// can be pulled. Nothing leaves the machine.

import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' });
const nft = (name, rules) => execFileSync('ip', ['netns', 'exec', name, 'nft', '-f', '-'], { input: rules });

// Two namespaces, each with `lo`, joined by one cable. Private addresses, as a clinic has them, for
// which the station's own authority may vouch; both IPv4 and IPv6.
export function makeCable() {
  const tag = `nc${process.pid % 100000}${randomInt(100)}`;
  const clinic = `${tag}-clinic`, hospital = `${tag}-hospital`;
  const ends = { [clinic]: `${tag}c`, [hospital]: `${tag}h` };
  for (const name of [clinic, hospital]) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  ip('link', 'add', ends[clinic], 'netns', clinic, 'type', 'veth', 'peer', 'name', ends[hospital], 'netns', hospital);
  const address = { [clinic]: ['10.77.0.1/24', 'fd77::1/64'], [hospital]: ['10.77.0.2/24', 'fd77::2/64'] };
  let last = 2;
  for (const name of [clinic, hospital]) {
    for (const one of address[name])
      ip('-n', name, 'address', 'add', one, 'dev', ends[name], ...(one.includes(':') ? ['nodad'] : []));
    ip('-n', name, 'link', 'set', ends[name], 'up');
    // Without it a second address of a network goes with the first one.
    ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv4.conf.all.promote_secondaries=1');
  }
  return {
    clinic, hospital, ends, clinicAddress: '10.77.0.1',
    // A blackout: every packet is lost, and nobody is told.
    cut: () => {
      for (const name of [clinic, hospital])
        nft(name, `table inet cut {\n chain in {\n type filter hook prerouting priority -300;
          iifname "${ends[name]}" drop;\n }\n}`);
    },
    restore: () => {
      for (const name of [clinic, hospital])
        nft(name, 'delete table inet cut');
    },
    // One side ('clinic', 'hospital') loses its addresses and gets others.
    changeAddress: (side) => {
      const name = side === 'clinic' ? clinic : hospital;
      const next = [`10.77.0.${++last}/24`, `fd77::${last}/64`];
      for (const one of next)
        ip('-n', name, 'address', 'add', one, 'dev', ends[name], ...(one.includes(':') ? ['nodad'] : []));
      for (const one of address[name]) ip('-n', name, 'address', 'delete', one, 'dev', ends[name]);
      address[name] = next;
    },
    // Pulled at the clinic's side: its interface goes down, addresses of IPv6 are lost as in life.
    pull: () => ip('-n', clinic, 'link', 'set', ends[clinic], 'down'),
    plug: () => {
      ip('-n', clinic, 'link', 'set', ends[clinic], 'up');
      ip('-n', clinic, 'address', 'replace', address[clinic][1], 'dev', ends[clinic], 'nodad');
    },
    remove: () => {
      for (const name of [clinic, hospital]) ip('netns', 'delete', name);
    },
  };
}

// A namespace with nothing but `lo`.
export function makeIsland() {
  const name = `nc${process.pid % 100000}${randomInt(100)}-island`;
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
  return { name, remove: () => ip('netns', 'delete', name) };
}
