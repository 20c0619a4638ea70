import type { WavePacket } from './codec'
import { MISSING } from './codec'
import type { WaveStreamView } from '../protocol'

/** Nothing has come: lost, or not yet here. */
export const ABSENT = -2147483647

/** What is kept of a stream, seconds: enough to freeze and look back. */
const KEPT_S = 120
const EPOCHS_MAX = 8

/** Samples of one epoch: a ring for each lead, filled with what came, in whatever order. */
export class Epoch {
  readonly rings: Int32Array[]
  readonly capacity: number
  /** Index after the newest sample; the ring has those before it. */
  next = 0
  /** Index of the first sample that ever came. */
  first = Number.MAX_SAFE_INTEGER
  leadOff = 0
  /** Time of sample 0 and of each further one, µs: the station's CLOCK_MONOTONIC, or UTC in playback.
   * NaN until the station has told it. */
  zeroUs: number
  periodUs: number

  constructor(readonly id: number, leads: number, rate: number, seconds: number) {
    this.capacity = Math.max(16, Math.ceil(rate * seconds))
    this.rings = Array.from({ length: leads }, () => new Int32Array(this.capacity).fill(ABSENT))
    this.periodUs = 1e6 / rate
    this.zeroUs = NaN
  }

  /** Time of a sample, µs. */
  time(index: number): number {
    return this.zeroUs + index * this.periodUs
  }

  /** Raw sample; ABSENT outside of what is kept. */
  at(lead: number, index: number): number {
    if (index < 0 || index >= this.next || index < this.next - this.capacity) return ABSENT
    return this.rings[lead]![index % this.capacity]!
  }

  put(packet: WavePacket): void {
    const end = packet.first + packet.count
    if (end > this.next) this.#advance(end)
    this.first = Math.min(this.first, packet.first)
    const from = Math.max(packet.first, this.next - this.capacity)
    for (let lead = 0, i = 0; lead < this.rings.length; lead++) {
      if (!((packet.leads >>> lead) & 1)) continue
      const samples = packet.samples[i++]!
      const ring = this.rings[lead]!
      for (let index = from; index < end; index++) ring[index % this.capacity] = samples[index - packet.first]!
    }
    if (end === this.next) this.leadOff = packet.leadOff
  }

  /** What the ring had there is older than is kept. */
  #advance(next: number): void {
    const from = Math.max(this.next, next - this.capacity)
    for (const ring of this.rings) for (let index = from; index < next; index++) ring[index % this.capacity] = ABSENT
    this.next = next
  }

  /** Stretches of samples that never came, from `from` on, for lead 0 of those that are sent. */
  holes(lead: number, from: number): [number, number][] {
    const list: [number, number][] = []
    let start = -1
    const begin = Math.max(from, this.first, this.next - this.capacity)
    for (let index = begin; index <= this.next; index++) {
      const gone = index < this.next && this.at(lead, index) === ABSENT
      if (gone && start < 0) start = index
      if (!gone && start >= 0) {
        list.push([start, index])
        start = -1
      }
    }
    return list
  }
}

/** Everything that is kept of one signal source. */
export class StreamHistory {
  /** In the order of time. */
  readonly epochs: Epoch[] = []
  /** Where samples changed since somebody looked, µs: [from, to). */
  dirty: [number, number][] = []
  readonly rate: number

  constructor(public view: WaveStreamView, readonly kept = KEPT_S) {
    this.rate = view.rate[0] / view.rate[1]
  }

  get newest(): Epoch | undefined {
    return this.epochs[this.epochs.length - 1]
  }

  epoch(id: number): Epoch {
    let epoch = this.epochs.find((one) => one.id === id)
    if (epoch) return epoch
    epoch = new Epoch(id, this.view.leads.length, this.rate, this.kept)
    this.epochs.push(epoch)
    this.epochs.sort((a, b) => a.id - b.id)
    if (this.epochs.length > EPOCHS_MAX) this.epochs.shift()
    return epoch
  }

  put(packet: WavePacket): Epoch {
    const epoch = this.epoch(packet.epoch)
    epoch.put(packet)
    this.#changed(epoch, packet.first, packet.first + packet.count)
    return epoch
  }

  #changed(epoch: Epoch, from: number, to: number): void {
    if (Number.isNaN(epoch.zeroUs)) return
    this.dirty.push([epoch.time(from - 1), epoch.time(to)])
    if (this.dirty.length > 200) this.dirty.splice(0, 100)
  }

  /** The epoch whose samples lie around this time. */
  around(us: number): Epoch | undefined {
    for (let i = this.epochs.length - 1; i >= 0; i--) {
      const epoch = this.epochs[i]!
      if (!Number.isNaN(epoch.zeroUs) && us >= epoch.time(epoch.first) - epoch.periodUs) return epoch
    }
    return undefined
  }
}

/** A trace to be drawn: a lead of a stream, or what follows from two of them. */
export interface Trace {
  key: string
  history: StreamHistory
  label: string
  unit: string
  /** Physical value of a sample; NaN: not measured; undefined: nothing came. */
  value: (epoch: Epoch, index: number) => number | undefined
  /** Leads that it is made of. */
  leads: number[]
}

function scaled(history: StreamHistory, lead: number): (epoch: Epoch, index: number) => number | undefined {
  const { scale, offset } = history.view.leads[lead]!
  const factor = scale ?? 1
  const zero = scale === undefined ? 0 : offset ?? 0
  return (epoch, index) => {
    const sample = epoch.at(lead, index)
    return sample === ABSENT ? undefined : sample === MISSING ? NaN : sample * factor + zero
  }
}

/** What leads I and II imply (Einthoven, Goldberger). */
const DERIVED: [string, (i: number, ii: number) => number][] = [
  ['III', (i, ii) => ii - i], ['aVR', (i, ii) => -(i + ii) / 2],
  ['aVL', (i, ii) => i - ii / 2], ['aVF', (i, ii) => ii - i / 2],
]

export function leadName(history: StreamHistory, lead: number): string {
  return history.view.leads[lead]?.name || `${history.view.wave} ${lead + 1}`
}

/** All traces of a stream, derived leads after II. */
export function tracesOf(history: StreamHistory): Trace[] {
  const { view } = history
  const key = `${view.device}/${view.wave}`
  const names = view.leads.map((_, lead) => leadName(history, lead).toUpperCase())
  const list: Trace[] = view.leads.map((lead, i) => ({
    key: `${key}/${i}`, history, label: leadName(history, i), unit: lead.unit ?? '', value: scaled(history, i), leads: [i],
  }))
  const [one, two] = [names.indexOf('I'), names.indexOf('II')]
  if (one < 0 || two < 0) return list
  const [i, ii] = [scaled(history, one), scaled(history, two)]
  const derived = DERIVED.filter(([name]) => !names.includes(name.toUpperCase())).map(([name, of]): Trace => ({
    key: `${key}/${name}`, history, label: name, unit: view.leads[two]!.unit ?? '', leads: [one, two],
    value: (epoch, index) => {
      const a = i(epoch, index)
      const b = ii(epoch, index)
      return a === undefined || b === undefined ? undefined : of(a, b)
    },
  }))
  list.splice(Math.max(one, two) + 1, 0, ...derived)
  return list
}
