// Thousands of stations, or of browsers, at a broker: their MQTT connections, and what they say and hear in public, sealed and
// signed as docs/rendezvous.md has it. A child of tests/bench/rendezvous-scale, told by process.send.
//
// Stations: TLS with a certificate, last will, presence and one ring, retained. Browsers: WebSocket, each looks at some
// stations by name. Whoever loses the connection comes back as the program and the pages do: full jitter.

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import { loadRendezvous } from '../lib/broker-pages.mjs';
import { root } from '../lib/station.mjs';

const packets = createRequire(join(root, 'station/web/node_modules/mqtt/package.json'))('mqtt-packet');
const FIRST_MS = 500, STOOD_MS = 30_000;
const id = (i) => `station-${i}`;
const figures = { connected: 0, failures: 0, lost: 0, messages: 0, published: 0, complete: 0, refused: 0 };
let order, members = [], perSecond = {};

// ---- What a station says ---------------------------------------------------------------------

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const publicPart = (key) => { const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' }); return { kty, crv, x, y }; };

function jws(key, jwk, typ, body) {
  const text = `${encode({ alg: 'ES256', typ, jwk })}.${encode(body)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

class PublicStation {
  link = 0;
  constructor(i) {
    this.id = id(i);
    this.key = createPrivateKey({ key: order.keys[i], format: 'jwk' });
    this.jwk = publicPart(this.key);
    this.epochKey = publicPart(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  }
  turn(seq) { return { v: 1, station: this.id, epoch: 1_764_224_000, link: this.link, seq }; }
  presence(seq, here) {
    return jws(this.key, this.jwk, 'nhipcau-presence+jws', { ...this.turn(seq), at: new Date(here ? Date.now() : 0).toISOString(), state: here ? 'here' : 'gone', ...(here ? { key: this.epochKey } : {}) });
  }
  ring(seq) { return jws(this.key, this.jwk, 'nhipcau-ring+jws', { ...this.turn(seq), desk: 'bv-tinh', calls: [] }); }
}

// ---- One connection --------------------------------------------------------------------------

class Member {
  tries = 0;
  since = 0;
  constructor(i) { this.i = i; this.place = Math.floor(Math.random() * order.nodes.length); }

  later(mostMs) { setTimeout(() => this.begin(), Math.random() * Math.min(mostMs, FIRST_MS * 2 ** Math.min(this.tries++, 16))); }

  begin() {
    const node = order.nodes[this.place++ % order.nodes.length];
    const parser = packets.parser({ protocolVersion: 4 });
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      clearInterval(this.alive);
      if (this.since) { figures.connected--; figures.lost++; if (performance.now() - this.since >= STOOD_MS) this.tries = 0; }
      else figures.failures++;
      this.since = 0;
      this.gone?.();
      this.close();
      this.later(this.mostMs);
    };
    const hello = this.hello();
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connack') {
        if (packet.returnCode !== 0) return end();
        this.since = performance.now();
        figures.connected++;
        const second = Math.floor(Date.now() / 1000);
        perSecond[second] = (perSecond[second] ?? 0) + 1;
        this.alive = setInterval(() => this.say({ cmd: 'pingreq' }), 25_000);
        this.subscribe();
      } else if (packet.cmd === 'suback') {
        if (packet.granted.some((code) => code > 2)) figures.refused++;
        this.subscribed?.();
      } else if (packet.cmd === 'publish') {
        figures.messages++;
        if (packet.qos > 0) this.say({ cmd: 'puback', messageId: packet.messageId });
        this.heard?.(packet.topic, packet.payload);
      } else if (packet.cmd === 'puback') figures.published++;
    });
    this.open(node, () => this.say(hello), (bytes) => parser.parse(bytes), end);
  }

  say(packet) { this.write(packets.generate(packet, { protocolVersion: 4 })); }
}

const hello = (clientId, more) => ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId, keepalive: 30, ...more });

class Station extends Member {
  mostMs = 60_000;
  seq = 0;
  constructor(i) { super(i); this.self = new PublicStation(i); }
  hello() {
    this.self.link++;
    this.seq = 0;
    return hello(this.self.id, { will: { topic: `nhipcau/1/${this.self.id}/presence`, payload: this.self.presence(0xffffffff, false), qos: 1, retain: true } });
  }
  open(node, ready, data, end) {
    const socket = connectTls({ host: '127.0.0.1', port: node.tls, ca: order.ca, cert: order.cert, key: order.key, servername: '' }, ready);
    this.write = (bytes) => socket.write(bytes);
    this.close = () => socket.destroy();
    socket.on('data', data).on('error', end).on('close', end);
  }
  subscribe() { this.say({ cmd: 'subscribe', messageId: 1, subscriptions: ['open', 'in'].map((what) => ({ topic: `nhipcau/1/${this.self.id}/${what}/+`, qos: 0 })) }); }
  subscribed() {
    this.publish();
    const { link } = this.self;
    setTimeout(() => { if (this.since && link === this.self.link) this.put(`ring/bv-tinh`, this.self.ring(++this.seq)); }, 1000);
  }
  publish() { this.put('presence', this.self.presence(++this.seq, true)); }
  put(what, payload) { this.say({ cmd: 'publish', topic: `nhipcau/1/${this.self.id}/${what}`, payload, qos: 1, messageId: 2 + (this.seq % 60_000), retain: true }); }
}

// Each presence is verified once by the pages' own code, then known by its bytes; each browser looks at its turn itself.
let pages, readers = new Map(), known = new Map();
async function verified(station, text) {
  let promise = known.get(text);
  if (!promise) {
    if (known.size > 40_000) known = new Map();
    // A reader of its own: order is each browser's matter.
    known.set(text, promise = new pages.PresenceReader(station, readers.get(station)).read(text));
  }
  return promise;
}

class Browser extends Member {
  mostMs = 10_000;
  hello() { return hello(`browser-${this.i}-aaaaaaaaaaaa`); }
  gone() { if (this.done) figures.complete--; this.done = false; }
  open(node, ready, data, end) {
    const socket = new WebSocket(`ws://127.0.0.1:${node.websocket}/mqtt`, 'mqtt', { perMessageDeflate: false });
    this.write = (bytes) => socket.readyState === WebSocket.OPEN && socket.send(bytes);
    this.close = () => socket.terminate();
    socket.on('open', () => { this.opened = performance.now(); ready(); }).on('message', data).on('error', end).on('close', end);
  }
  mine() { return Array.from({ length: order.sees }, (_, k) => id((this.i * order.sees + k) % order.stations)); }
  subscribe() {
    this.newest = new Map();
    this.here = new Set();
    const topics = [`nhipcau/1/+/out/browser-${this.i}-aaaaaaaaaaaa`, ...this.mine().flatMap((one) => [`nhipcau/1/${one}/presence`, `nhipcau/1/${one}/ring/bv-tinh`])];
    this.say({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos: 0 })) });
  }
  heard(topic, payload) {
    const [, , station, what] = topic.split('/');
    if (what !== 'presence') return;
    const { since } = this;
    void verified(station, payload.toString('latin1')).then((seen) => {
      if (!seen || since !== this.since) return;
      const before = this.newest.get(station);
      if (before && !pages.isNewer(seen, before)) return;
      this.newest.set(station, seen);
      if (seen.state === 'here') this.here.add(station);
      else this.here.delete(station);
      const done = this.here.size === order.sees;
      if (done && !this.done) { figures.complete++; times.push(performance.now() - this.opened); }
      if (!done && this.done) figures.complete--;
      this.done = done;
    });
  }
}

let times = [];
const quantile = (list, share) => list.length ? [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] : null;

process.on('message', async (message) => {
  if (message.do === 'begin') {
    order = message;
    if (order.role === 'browsers') {
      pages = await loadRendezvous();
      order.hashes.forEach((hash, i) => readers.set(id(i), hash));
    }
    members = Array.from({ length: order.count }, (_, i) => new (order.role === 'stations' ? Station : Browser)(i));
    // Together, as after a power cut: the first try within 2 s (stations), half a second (browsers).
    for (const member of members) {
      member.tries = order.role === 'stations' ? 2 : 0;
      member.later(member.mostMs);
      member.tries = 0;
    }
    process.send({ begun: true });
  } else if (message.do === 'publish') for (const member of members) { if (member.since) member.publish(); }
  else if (message.do === 'tell') {
    process.send({ ...figures, perSecond, cpu: process.cpuUsage(), memory: process.memoryUsage.rss() / 2 ** 20, seen_ms: { half: quantile(times, 0.5), most: quantile(times, 0.99) }, n: message.n });
    if (message.forget) [times, perSecond] = [[], {}];
  }
});
process.on('disconnect', () => process.exit());
