// What comes in RTP, in the forms that docs/protocol.md names: H.264 (RFC 6184) as Annex B, stills.

const START = Buffer.from([0, 0, 0, 1]);

// Puts packets into order and pictures together; a picture of which a packet is missing is left out, and all that
// follow up to the next whole key frame.
export class Pictures {
  #parts = [];
  #broken = true;
  #next = null;
  count = 0;
  keys = 0;

  // write: gets the Annex B of each whole picture. ask: a key frame is needed.
  constructor(write, ask) { this.write = write; this.ask = ask; }

  packet({ sequenceNumber, marker, payload }) {
    if (payload.length === 0) return; // padding
    if (this.#next !== null && sequenceNumber !== this.#next) this.#break();
    this.#next = (sequenceNumber + 1) & 0xffff;
    this.#units(payload);
    if (!marker) return;
    const key = this.#parts.some((unit) => (unit[0] & 0x1f) === 5);
    if (key) this.#broken = false;
    if (!this.#broken && this.#parts.length > 0) {
      this.count++;
      this.keys += key;
      this.write(Buffer.concat(this.#parts.flatMap((unit) => [START, unit])));
    }
    this.#parts = [];
  }

  #break() {
    this.#broken = true;
    this.#parts = [];
    this.ask();
  }

  #units(payload) {
    const type = payload[0] & 0x1f;
    if (type < 24) return void this.#parts.push(Buffer.from(payload));
    if (type === 24) { // STAP-A
      for (let at = 1; at + 2 < payload.length; at += 2 + payload.readUInt16BE(at))
        this.#parts.push(Buffer.from(payload.subarray(at + 2, at + 2 + payload.readUInt16BE(at))));
    } else if (type === 28) { // FU-A
      const head = payload[1];
      if (head & 0x80) this.#parts.push(Buffer.from([(payload[0] & 0xe0) | (head & 0x1f)]));
      if (this.#parts.length > 0) this.#parts.push(Buffer.concat([this.#parts.pop(), payload.subarray(2)]));
    }
  }
}

// Chunks of the channel "still", until a still is whole: give() gets {stream, age, jpeg}.
export class Stills {
  #number = null;
  #chunks = new Map();

  constructor(give) { this.give = give; }

  chunk(data) {
    const number = data.readUInt32BE(0), index = data.readUInt16BE(4), count = data.readUInt16BE(6);
    if (number !== this.#number) this.#chunks.clear();
    this.#number = number;
    this.#chunks.set(index, data.subarray(8));
    if (this.#chunks.size !== count) return;
    const parts = Array.from({ length: count }, (_, i) => this.#chunks.get(i));
    const age = parts[0].readUInt32BE(0), length = parts[0][4];
    const stream = parts[0].subarray(5, 5 + length).toString();
    parts[0] = parts[0].subarray(5 + length);
    this.give({ stream, age, jpeg: Buffer.concat(parts) });
  }
}
