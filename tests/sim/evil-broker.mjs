// A broker that lies: stands between real ones and their clients, and does to what they are sent what
// it likes. mqtt-packet (of mqtt.js) reads and writes the packets.

import { connect, createServer } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../lib/station.mjs';

const packets = createRequire(join(root, 'station/web/node_modules/mqtt/package.json'))('mqtt-packet');
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';

// Numbers that are the same at each run.
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class EvilBroker {
  #roll;
  #server;
  #clients = new Set(); // { socket, topics, held }
  #seen = []; // honest messages, of all topics
  evil = true;
  forged = 0;
  done = { dropped: 0, delayed: 0, repeated: 0, reordered: 0, changed: 0, replayed: 0, crossed: 0 };
  honest = new Map(); // topic → Set of payloads that clients really published

  // per: forgeries behind each honest message
  static async start(port, { seed = 1, per = 8 } = {}) {
    const self = new EvilBroker();
    self.#roll = dice(seed);
    self.per = per;
    self.#server = createServer((socket) => self.#accept(socket, port)).listen(0, '127.0.0.1');
    await new Promise((done) => self.#server.once('listening', done));
    self.port = self.#server.address().port;
    return self;
  }

  #pick(list) { return list[Math.floor(this.#roll() * list.length)]; }

  #accept(socket, port) {
    const client = { socket, topics: [], held: null };
    const upstream = connect(port, '127.0.0.1');
    const fromClient = packets.parser({ protocolVersion: 4 }), fromBroker = packets.parser({ protocolVersion: 4 });
    this.#clients.add(client);
    fromClient.on('packet', (packet) => {
      if (packet.cmd === 'publish') this.#published(packet);
      if (packet.cmd === 'subscribe') client.topics.push(...packet.subscriptions.map(({ topic }) => topic));
    });
    fromBroker.on('packet', (packet) => {
      if (packet.cmd === 'publish' && this.evil) this.#fate(client, packet);
      else this.#send(client, packet);
    });
    socket.on('data', (bytes) => { fromClient.parse(bytes); upstream.write(bytes); });
    upstream.on('data', (bytes) => fromBroker.parse(bytes));
    const end = () => { this.#clients.delete(client); socket.destroy(); upstream.destroy(); };
    for (const one of [socket, upstream]) one.on('close', end).on('error', end);
  }

  #published({ topic, payload }) {
    if (!this.honest.has(topic)) this.honest.set(topic, new Set());
    this.honest.get(topic).add(payload.toString('latin1'));
    if (this.#seen.length < 2000) this.#seen.push({ topic, payload });
    else this.#seen[Math.floor(this.#roll() * 2000)] = { topic, payload };
  }

  #send(client, packet) {
    if (!client.socket.destroyed) client.socket.write(packets.generate(packet, { protocolVersion: 4 }));
  }

  // What becomes of an honest message; and what else comes with it.
  #fate(client, packet) {
    const fate = this.#roll();
    if (fate < 0.03) this.done.dropped++;
    else if (fate < 0.08) {
      this.done.delayed++;
      setTimeout(() => this.#send(client, packet), 50 + this.#roll() * 750);
    } else if (fate < 0.13 && !client.held) {
      this.done.reordered++;
      client.held = packet;
    } else {
      this.#send(client, packet);
      if (fate < 0.25) {
        this.done.repeated++;
        this.#send(client, { ...packet, dup: packet.qos > 0 });
      }
      if (client.held) this.#send(client, client.held);
      client.held = null;
    }
    for (let i = 0; i < this.per; i++) this.#forge(client, packet);
  }

  #inject(client, topic, payload, what) {
    this.forged++;
    this.done[what]++;
    this.#send(client, { cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false });
  }

  #forge(client, { topic, payload }) {
    const kind = this.#roll();
    if (kind < 0.5) return this.#inject(client, topic, this.#change(payload), 'changed');
    const old = this.#pick(this.#seen) ?? { topic, payload };
    if (kind < 0.75) return this.#inject(client, topic, old.payload, old.topic === topic ? 'replayed' : 'crossed');
    const [other] = [this.#pick([...this.honest.keys()])];
    return this.#inject(this.#pick([...this.#clients]), other ?? topic, this.#roll() < 0.5 ? payload : old.payload, 'crossed');
  }

  #change(payload) {
    const bytes = Buffer.from(payload);
    const at = Math.floor(this.#roll() * bytes.length);
    const kind = this.#roll();
    if (kind < 0.3) bytes[at] ^= 1 << Math.floor(this.#roll() * 8);
    else if (kind < 0.7) bytes[at] = this.#pick(LETTERS).charCodeAt(0);
    else if (kind < 0.85) return bytes.subarray(0, at);
    else bytes.copyWithin(at, Math.floor(at / 2), at);
    if (bytes.equals(payload)) bytes[at] ^= 1;
    return bytes;
  }

  close() {
    this.#server.close();
    for (const { socket } of this.#clients) socket.destroy();
  }
}
