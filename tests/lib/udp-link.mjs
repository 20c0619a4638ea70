// A link between two UDP ports in user space and real time, for peers that cannot be had in virtual
// time: a bottleneck with a drop-tail queue one way, delay both ways, loss behind the bottleneck.
// Its numbers mean the same as those of tests/sim/virtual_link.h.

import { createSocket } from 'node:dgram';
import { performance } from 'node:perf_hooks';

const OVERHEAD = 28; // UDP and IPv4

export class UdpLink {
  #near = createSocket('udp4'); // the sender's packets come in here
  #far = createSocket('udp4'); // and leave from here
  #waiting = []; // before the bottleneck: {data, wire}
  #bytes = 0;
  #free = 0; // the bottleneck is busy until then, ms
  #under = []; // {at, data}, by time
  #back = [];
  #timer;
  arrived = []; // [ms, bytes] out of the bottleneck and not lost
  dropped = 0;

  // rate: bits per second; queue: seconds at that rate; delay: ms; loss, backLoss (of what the
  // receiver sends): 0..1
  constructor({ rate, queue = 0.5, delay = 40, loss = 0, backLoss = 0 }) {
    Object.assign(this, { rate, delay, loss, backLoss, room: rate * queue / 8 });
  }

  // near: where the sender's packets shall be sent to; far: where the receiver's.
  async open() {
    for (const socket of [this.#near, this.#far])
      await new Promise((done) => socket.bind(0, '127.0.0.1', done));
    this.#near.on('message', (data, from) => { this.sender = from.port; this.#enter(data); });
    this.#far.on('message', (data) => {
      if (Math.random() >= this.backLoss) this.#back.push({ at: performance.now() + this.delay, data });
    });
    this.#timer = setInterval(() => this.#turn(), 1);
    return { near: this.#near.address().port, far: this.#far.address().port };
  }

  close() {
    clearInterval(this.#timer);
    this.#near.close();
    this.#far.close();
  }

  // The bottleneck becomes another.
  setRate(rate, queue = 0.5) {
    Object.assign(this, { rate, room: Math.max(rate * queue / 8, 3000) });
  }

  get queueMs() { return (this.#bytes * 8 * 1000) / this.rate; }

  #enter(data) {
    const wire = data.length + OVERHEAD;
    if (this.#bytes + wire > this.room) { this.dropped++; return; }
    this.#waiting.push({ data, wire });
    this.#bytes += wire;
    this.#turn();
  }

  #turn() {
    const now = performance.now();
    while (this.#waiting.length > 0) {
      const done = Math.max(this.#free, this.#waiting[0].since ?? now) + (this.#waiting[0].wire * 8 * 1000) / this.rate;
      this.#waiting[0].since ??= now;
      if (done > now) break;
      const { data, wire } = this.#waiting.shift();
      if (this.#waiting.length > 0) this.#waiting[0].since = done;
      this.#free = done;
      this.#bytes -= wire;
      if (Math.random() < this.loss) continue;
      this.arrived.push([done, wire]);
      this.#under.push({ at: done + this.delay, data });
    }
    const deliver = (list, socket, port) => {
      for (; list[0]?.at <= now; list.shift()) if (port) socket.send(list[0].data, port, '127.0.0.1');
    };
    deliver(this.#under, this.#far, this.receiver);
    deliver(this.#back, this.#near, this.sender);
  }

  // Bytes that came through between two times of performance.now().
  through(from, to) {
    return this.arrived.reduce((sum, [at, bytes]) => sum + (at >= from && at < to ? bytes : 0), 0);
  }
}
