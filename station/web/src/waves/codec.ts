/** Messages of the channel `wave`, and of rows of the record: docs/protocol.md, Waves. */

/** As in media/devices/wave.h: the device measured nothing here. */
export const MISSING = -2147483648

export interface WavePacket {
  stream: number
  epoch: number
  first: number
  count: number
  /** Bit i: lead i of the stream is here. */
  leads: number
  leadOff: number
  /** Of the leads that are here, one after the other. */
  samples: Int32Array[]
}

const VERSION = 1
const COUNT_MAX = 4096
const SAMPLES_MAX = 262144
const ESCAPE = 20
const POWERS = Array.from({ length: 48 }, (_, n) => 2 ** n)

class Bad extends Error {}

class Bytes {
  constructor(readonly data: Uint8Array, public at: number, readonly end: number) {}

  varint(most: number): number {
    let value = 0
    for (let shift = 1; shift <= 2 ** 49; shift *= 128) {
      const byte = this.data[this.at++]
      if (byte === undefined || this.at > this.end) throw new Bad()
      value += (byte & 127) * shift
      if (byte < 128) {
        if (value > most) throw new Bad()
        return value
      }
    }
    throw new Bad()
  }
}

class Bits {
  #kept = 0
  #n = 0

  constructor(readonly bytes: Bytes) {}

  /** n ≤ 32 */
  get(n: number): number {
    while (this.#n < n) {
      if (this.bytes.at >= this.bytes.end) throw new Bad()
      this.#kept = this.#kept * 256 + this.bytes.data[this.bytes.at++]!
      this.#n += 8
    }
    this.#n -= n
    const below = POWERS[this.#n]!
    const value = Math.floor(this.#kept / below)
    this.#kept -= value * below
    return value
  }

  /** So many bits as the first six say. */
  sized(): number {
    const n = this.get(6)
    if (n > 32) throw new Bad()
    return this.get(n)
  }

  rice(k: number): number {
    let ones = 0
    while (ones < ESCAPE && this.get(1) === 1) ones++
    if (ones === ESCAPE) return this.get(32)
    return ones * POWERS[k]! + this.get(k)
  }
}

function unfold(value: number): number {
  return (value >>> 1) ^ -(value & 1)
}

function predict(x: Int32Array, i: number, order: number): number {
  switch (Math.min(i, order)) {
    case 0: return 0
    case 1: return x[i - 1]!
    case 2: return 2 * x[i - 1]! - x[i - 2]!
    default: return 3 * (x[i - 1]! - x[i - 2]!) + x[i - 3]!
  }
}

function readSamples(bits: Bits, count: number): Int32Array {
  const x = new Int32Array(count)
  const order = bits.get(2)
  const k = bits.get(5)
  x[0] = unfold(bits.sized())
  for (let i = 1; i < count; i++) x[i] = (predict(x, i, order) + unfold(bits.rice(k))) | 0
  return x
}

/** Where samples are missing, and how many are there. */
function readRuns(bits: Bits, into: Int32Array): number {
  let there = 0
  let missing = false
  for (let i = 0; i < into.length; missing = !missing) {
    const run = bits.sized()
    if (run > into.length - i || (run === 0 && i > 0)) throw new Bad()
    if (missing) into.fill(MISSING, i, i + run)
    else there += run
    i += run
  }
  return there
}

function readLead(bits: Bits, count: number): Int32Array {
  if (bits.get(1) === 0) return readSamples(bits, count)
  const lead = new Int32Array(count)
  const there = readRuns(bits, lead)
  if (there === 0) return lead
  const samples = readSamples(bits, there)
  for (let i = 0, j = 0; i < count; i++) if (lead[i] !== MISSING) lead[i] = samples[j++]!
  return lead
}

export function countLeads(mask: number): number {
  let n = 0
  for (let rest = mask >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) n++
  return n
}

function readBlock(bytes: Bytes, room: number): WavePacket {
  const u32 = 0xffffffff
  const packet: WavePacket = {
    stream: bytes.varint(u32), epoch: bytes.varint(u32), first: bytes.varint(Number.MAX_SAFE_INTEGER),
    count: bytes.varint(COUNT_MAX), leads: bytes.varint(u32), leadOff: bytes.varint(u32), samples: [],
  }
  const leads = countLeads(packet.leads)
  if (packet.count === 0 || leads === 0 || leads * packet.count > room) throw new Bad()
  const bits = new Bits(bytes)
  for (let i = 0; i < leads; i++) packet.samples.push(readLead(bits, packet.count))
  return packet
}

/** Null: something in it is wrong. */
export function readWaves(message: Uint8Array): WavePacket[] | null {
  const packets: WavePacket[] = []
  let room = SAMPLES_MAX
  try {
    if (message[0] !== VERSION) return null
    for (const bytes = new Bytes(message, 1, message.length); bytes.at < message.length;) {
      const length = bytes.varint(message.length)
      const end = bytes.at + length
      if (end > message.length) return null
      const packet = readBlock(new Bytes(message, bytes.at, end), room)
      room -= packet.count * packet.samples.length
      packets.push(packet)
      bytes.at = end
    }
    return packets
  } catch (error) {
    if (error instanceof Bad) return null
    throw error
  }
}
