// A mobile link between a clinic and a hospital, each a network namespace; the forwarder sim-link
// (tests/sim/link.c) in a third one between them gives capacity, queue, delay, loss and blackouts.
//
//   clinic ── veth ── link: sim-link ── veth ── hospital
//
// Each side sees a router that is always there: blackouts are silence, not an error, as behind a
// mobile router. A person runs the same by tests/sim/link.

import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { batch, joinByVeth, makeNamespaces } from './net.mjs';
import { sim, start, stop } from './station.mjs';

const ROUTER = { v4: '10.77.255.254', v6: 'fe80::7777' };
// The clinic's pages are served from an address that stays (on `lo`, no candidate of ICE): it stands for
// the hospital's public origin, while the media's addresses change.
const ORIGIN = { v4: '10.78.0.1', v6: 'fd78::1' };
const HOST = { clinic: 1, hospital: 2 };

// One side's interface: its n-th pair of addresses, everything else by the router.
class Side {
  #number = 0;

  constructor(netns, dev, router, host) {
    Object.assign(this, { netns, dev, router, host });
    batch(netns, [`link set ${dev} up`, ...this.#arrive()]);
  }

  get address() { return `10.77.${this.#number}.${this.host}`; }
  get address6() { return `fd77::${this.#number ? `${this.#number}:` : ''}${this.host}`; }

  #arrive() {
    const { dev, router } = this;
    return [
      `address add ${this.address}/32 dev ${dev}`, `address add ${this.address6}/128 dev ${dev} nodad`,
      `neighbour replace ${ROUTER.v4} lladdr ${router} dev ${dev} nud permanent`,
      `neighbour replace ${ROUTER.v6} lladdr ${router} dev ${dev} nud permanent`,
      `route replace default via ${ROUTER.v4} dev ${dev} onlink`,
      `route replace ::/0 via ${ROUTER.v6} dev ${dev} onlink`,
    ];
  }

  #leave() {
    return [`address delete ${this.address}/32 dev ${this.dev}`, `address delete ${this.address6}/128 dev ${this.dev}`];
  }

  async change(gap) {
    const leave = this.#leave();
    this.#number++;
    if (gap > 0) {
      batch(this.netns, leave);
      await new Promise((done) => setTimeout(done, gap * 1000)); // the time without an address
      batch(this.netns, this.#arrive());
    } else {
      batch(this.netns, [...leave, ...this.#arrive()]);
    }
    return this.address;
  }
}

const hardwareAddress = (netns, dev) =>
  JSON.parse(execFileSync('ip', ['-n', netns, '-json', 'link', 'show', 'dev', dev]))[0].address;

// Whole packets with sums of their own, as on a real wire.
export function noOffloads(netns, dev) {
  execFileSync('ip', ['netns', 'exec', netns, 'ethtool', '-K', dev,
    'rx', 'off', 'tx', 'off', 'sg', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off'], { stdio: 'pipe' });
}

// sim-link, a question and an answer at a time.
export class Forwarder {
  #waiting = [];
  #error = '';
  #ended = null;

  static async run(netns, ends, profile, seed) {
    const self = new Forwarder();
    self.child = start(sim('sim-link'), ['--clinic', ends[0], '--hospital', ends[1], '--profile', profile,
      '--seed', String(seed)], { netns, stdio: ['pipe', 'pipe', 'pipe'] });
    self.child.stderr.on('data', (data) => { self.#error += data; });
    self.child.once('close', (code, signal) => {
      self.#ended = new Error(`sim-link ended (${signal ?? code}): ${self.#error}`);
      for (const { fail } of self.#waiting.splice(0)) fail(self.#ended);
    });
    self.child.stdin.on('error', () => {});
    createInterface({ input: self.child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line);
      const { done, fail } = self.#waiting.shift();
      if (answer.error) fail(new Error(`sim-link: ${answer.error}`));
      else done(answer);
    });
    self.profile = (await self.#answer()).profile;
    return self;
  }

  #answer() { return new Promise((done, fail) => { this.#waiting.push({ done, fail }); }); }

  ask(command) {
    if (this.#ended) return Promise.reject(this.#ended);
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.#answer();
  }
}

class Link {
  #namespaces;
  #sides;
  #forwarder;
  #timers = new Set();
  origin = ORIGIN.v4;
  origin6 = ORIGIN.v6;

  async open(profile, seed) {
    const { tag, names, remove } = (this.#namespaces = makeNamespaces('clinic', 'link', 'hospital'));
    [this.clinic, this.middle, this.hospital] = names;
    try {
      const ends = { clinic: [`${tag}c`, `${tag}a`], hospital: [`${tag}h`, `${tag}b`] };
      for (const [room, [own, middle]] of Object.entries(ends)) {
        joinByVeth([this[room], own], [this.middle, middle]);
        batch(this.middle, [`link set ${middle} addrgenmode none`, `link set ${middle} up`]);
        noOffloads(this.middle, middle);
        noOffloads(this[room], own);
      }
      const hardware = { clinic: hardwareAddress(this.clinic, ends.clinic[0]), hospital: hardwareAddress(this.hospital, ends.hospital[0]) };
      this.#sides = {
        clinic: new Side(this.clinic, ends.clinic[0], hardware.hospital, HOST.clinic),
        hospital: new Side(this.hospital, ends.hospital[0], hardware.clinic, HOST.hospital),
      };
      batch(this.clinic, [`address add ${ORIGIN.v4}/32 dev lo`, `address add ${ORIGIN.v6}/128 dev lo nodad`]);
      this.#forwarder = await Forwarder.run(this.middle, [ends.clinic[1], ends.hospital[1]], profile, seed);
      this.profile = this.#forwarder.profile;
      return this;
    } catch (error) {
      remove();
      throw error;
    }
  }

  // Addresses of the media, as they are now.
  get clinicAddress() { return this.#sides.clinic.address; }
  get clinicAddress6() { return this.#sides.clinic.address6; }
  get hospitalAddress() { return this.#sides.hospital.address; }
  get hospitalAddress6() { return this.#sides.hospital.address6; }

  // {up, down}, each {rate: bit/s, delay: ms, jitter: ms, loss: 0..1, burst: packets, queue: ms}; what is left out
  // stays. up: from the clinic.
  async set(ways) {
    for (const [way, numbers] of Object.entries(ways)) await this.#forwarder.ask({ do: 'set', way, ...numbers });
  }

  // Another profile on the same link; its events too.
  async become(profile) { this.profile = (await this.#forwarder.ask({ do: 'profile', name: profile })).profile; }

  // way: "up", "down"; both without.
  cut(way) { return this.#forwarder.ask({ do: 'cut', ...(way && { way }) }); }
  restore(way) { return this.#forwarder.ask({ do: 'restore', ...(way && { way }) }); }

  // A new address of either family in place of the old one; gap: seconds without any.
  changeAddress(side, { gap = 0 } = {}) { return this.#sides[side].change(gap); }

  // Both capacities by that factor of the profile's; the queues keep their bytes.
  scale(factor) {
    const { up, down } = this.profile;
    return this.set({ up: { rate: up.rate * factor }, down: { rate: down.rate * factor } });
  }

  // See link.c.
  stats() { return this.#forwarder.ask({ do: 'stats' }); }

  // One of the profile's events.
  happen(what) {
    return { cut: () => this.cut(), restore: () => this.restore(), address: () => this.changeAddress('clinic'),
      half: () => this.scale(0.5), whole: () => this.scale(1) }[what]();
  }

  // Calls act so many seconds from now, unless the link is removed before; told gets what went wrong.
  at(seconds, act, told = (error) => { throw error; }) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      Promise.resolve().then(act).catch(told);
    }, seconds * 1000);
    this.#timers.add(timer);
  }

  // The profile's events, its two minutes taking so many seconds; [{at, what}] of what will happen.
  play(seconds = 120) {
    const events = this.profile.events.map(({ at, what }) => ({ at: at * seconds / 120, what }));
    for (const { at, what } of events) this.at(at, () => this.happen(what));
    return events;
  }

  async remove() {
    for (const timer of this.#timers) clearTimeout(timer);
    await stop(this.#forwarder.child);
    this.#namespaces.remove();
  }
}

// profile: "fibre", "mountain-4g", "village-3g", "bufferbloat" (link_profile.c); its events happen only
// when play() is called. The same seed loses the same packets of each direction, by their number.
export const makeLink = (profile, { seed = 1 } = {}) => new Link().open(profile, seed);
