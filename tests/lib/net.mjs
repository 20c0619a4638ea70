// Network namespaces that a test makes for itself: a clinic, a hospital, a cable between them that
// can be pulled (link.mjs: a mobile link in its place). Nothing leaves the machine.

import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';

export const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' });
// Many commands of ip in one namespace, one process.
export const batch = (netns, lines) =>
  execFileSync('ip', ['-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\n`, stdio: 'pipe' });

let made = 0;

// Namespaces with `lo` up, by a name that no other test has. They go away with remove(), or when this
// process ends in whatever way: a shell of another session waits for the end of its input.
export function makeNamespaces(...rooms) {
  made = (made + 1) % 1000;
  const tag = `nc${process.pid % 100000}${made.toString(36)}${randomInt(10, 100)}`; // an interface's name has 15 letters
  const names = rooms.map((room) => `${tag}-${room}`);
  const guard = spawn('sh', ['-c', 'cat > /dev/null; for name; do ip netns delete "$name"; done', 'guard', ...names],
    { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  guard.unref();
  guard.stdin.unref();
  guard.stdin.on('error', () => {});
  for (const name of names) {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'set', 'lo', 'up');
  }
  const remove = () => {
    for (const name of names) ip('netns', 'delete', name);
    guard.stdin.end();
  };
  return { tag, names, remove };
}

// A pair of interfaces, down as yet: [namespace, name of its end] twice.
export const joinByVeth = ([a, endA], [b, endB]) =>
  ip('link', 'add', endA, 'netns', a, 'type', 'veth', 'peer', 'name', endB, 'netns', b);

// Two namespaces joined by one cable. Private addresses, as a clinic has them, for which the station's
// own authority may vouch; both IPv4 and IPv6.
export function makeCable() {
  const { tag, names: [clinic, hospital], remove } = makeNamespaces('clinic', 'hospital');
  const ends = { [clinic]: `${tag}c`, [hospital]: `${tag}h` };
  joinByVeth([clinic, ends[clinic]], [hospital, ends[hospital]]);
  const address = { [clinic]: ['10.77.0.1/24', 'fd77::1/64'], [hospital]: ['10.77.0.2/24', 'fd77::2/64'] };
  for (const name of [clinic, hospital]) {
    for (const one of address[name])
      ip('-n', name, 'address', 'add', one, 'dev', ends[name], ...(one.includes(':') ? ['nodad'] : []));
    ip('-n', name, 'link', 'set', ends[name], 'up');
  }
  return {
    clinic, hospital, clinicAddress: '10.77.0.1',
    // Pulled at the clinic's side: its interface goes down, addresses of IPv6 are lost as in life.
    pull: () => ip('-n', clinic, 'link', 'set', ends[clinic], 'down'),
    plug: () => {
      ip('-n', clinic, 'link', 'set', ends[clinic], 'up');
      ip('-n', clinic, 'address', 'replace', 'fd77::1/64', 'dev', ends[clinic], 'nodad');
    },
    remove,
  };
}

// A namespace with nothing but `lo`.
export function makeIsland() {
  const { names: [name], remove } = makeNamespaces('island');
  return { name, remove };
}
