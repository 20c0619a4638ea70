// Reads messages of the data channel "wave", from docs/protocol.md (Data channel "wave") alone.

class Bytes {
  constructor(data) { this.data = data; this.at = 0; }
  get left() { return this.data.length - this.at; }

  varint() {
    let value = 0, scale = 1;
    for (;;) {
      if (this.left === 0 || scale > 2 ** 53) throw new Error('a number does not end');
      const byte = this.data[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  take(count) {
    if (count > this.left) throw new Error('a block is longer than its message');
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }
}

class Bits {
  constructor(data) { this.data = data; this.at = 0; }

  bit() {
    if (this.at >= this.data.length * 8) throw new Error('a block ends early');
    const bit = (this.data[this.at >> 3] >> (7 - (this.at & 7))) & 1;
    this.at++;
    return bit;
  }

  number(count) {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }

  sized() {
    const count = this.number(6);
    if (count > 32) throw new Error('a number of more than 32 bits');
    return this.number(count);
  }

  rice(k) {
    let q = 0;
    while (q < 20 && this.bit() === 1) q++;
    return q === 20 ? this.number(32) : q * 2 ** k + this.number(k);
  }
}

const unfold = (folded) => (folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2);
const predict = [
  () => 0,
  (x) => x.at(-1),
  (x) => 2 * x.at(-1) - x.at(-2),
  (x) => 3 * (x.at(-1) - x.at(-2)) + x.at(-3),
];

function* places(bits, count) {
  if (bits.number(1) === 0) {
    for (let i = 0; i < count; i++) yield true;
    return;
  }
  let there = true;
  for (let done = 0; done < count; there = !there) {
    const run = bits.sized();
    if (run > count - done) throw new Error('a run is longer than its block');
    for (let i = 0; i < run; i++) yield there;
    done += run;
  }
}

function lead(bits, count) {
  const there = [...places(bits, count)];
  const order = bits.number(2), k = bits.number(5), before = [];
  return there.map((is) => {
    if (!is) return null;
    const folded = before.length === 0 ? bits.sized() : bits.rice(k);
    const value = (unfold(folded) + predict[Math.min(order, before.length)](before)) | 0;
    before.push(value);
    if (before.length > 3) before.shift();
    return value;
  });
}

function block(data) {
  const bytes = new Bytes(data);
  const [stream, epoch, first, count, leads, off] = Array.from({ length: 6 }, () => bytes.varint());
  if (count < 1 || count > 4096) throw new Error(`a block of ${count} samples`);
  const bits = new Bits(bytes.take(bytes.left)), samples = {};
  for (let i = 0; i < 32; i++) if ((leads >>> i) & 1) samples[i] = lead(bits, count);
  return { stream, epoch, first, count, off, samples };
}

// message: Uint8Array. [{stream, epoch, first, count, off, samples: {lead: [number or null]}}]
export function readWaves(message) {
  const bytes = new Bytes(message), blocks = [];
  if (bytes.take(1)[0] !== 1) throw new Error('another version of waves');
  while (bytes.left > 0) blocks.push(block(bytes.take(bytes.varint())));
  return blocks;
}
