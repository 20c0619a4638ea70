import { fromBase64 } from '../bytes'
import { Cell } from '../observable'
import type { FrameClock, FromWaves, WaveLevel, WavesMessage, WaveStreamView } from '../protocol'
import { WaveTime } from './clock'
import { readWaves, type WavePacket } from './codec'
import { StreamHistory } from './history'

/** Of the past that a page asks for when it comes, or comes back. */
const BACK_S = 20
/** Holes are asked for when the station must have written what was in them. */
const HOLE_AGE_S = 4
const HOLES_EVERY_MS = 2500
const HOLES_AT_ONCE = 6
const ASK_TWICE = 2
const RTP_RATE = 90_000

type Ask = (message: { type: string; [field: string]: unknown }) => boolean

function sameStream(a: WaveStreamView, b: WaveStreamView): boolean {
  return a.rate.join() === b.rate.join() && JSON.stringify(a.leads) === JSON.stringify(b.leads)
}

/** Live waves of one peer connection: what came, when it was taken, and what is to be asked for. */
export class Waves {
  readonly streams = new Cell<readonly StreamHistory[]>([])
  readonly level = new Cell<WaveLevel>('none')
  readonly time = new WaveTime()
  #consultation: string | null = null
  #numbers = new Map<number, StreamHistory>()
  #frames = new Map<string, FrameClock>()
  /** How often a hole was asked for. */
  #asked = new Map<string, number>()
  /** Packets of a stream that was not told of yet. */
  #early: WavePacket[] = []
  #looked = 0

  constructor(readonly ask: Ask) {}

  told(message: FromWaves): void {
    if (message.type === 'waves') this.#streams(message)
    else if (message.type === 'waves.clock') {
      for (const frame of message.frames ?? []) this.#frames.set(frame.stream, frame)
      for (const { stream, epoch, index, us, period_us } of message.maps) {
        const known = this.#numbers.get(stream)?.epoch(epoch)
        if (!known) continue
        known.periodUs = period_us
        known.zeroUs = us - index * period_us
      }
    } else if (message.data) for (const packet of readWaves(fromBase64(message.data)) ?? []) this.#fill(packet)
  }

  packet(data: ArrayBuffer, nowMs = performance.now()): void {
    for (const packet of readWaves(new Uint8Array(data)) ?? []) {
      const history = this.#numbers.get(packet.stream)
      if (!history) {
        if (this.#early.push(packet) > 100) this.#early.shift()
        continue
      }
      const epoch = history.put(packet)
      if (!Number.isNaN(epoch.zeroUs))
        this.time.arrived(epoch.time(packet.first), epoch.time(packet.first + packet.count), nowMs)
    }
    if (nowMs - this.#looked > HOLES_EVERY_MS) {
      this.#looked = nowMs
      this.#askHoles()
    }
  }

  /** A picture of this stream is presented. */
  picture(stream: string, seen: VideoFrameCallbackMetadata): void {
    const clock = this.#frames.get(stream)
    if (!clock || seen.rtpTimestamp === undefined) return
    const since = (seen.rtpTimestamp - clock.rtp) | 0
    this.time.shown({ takenUs: clock.us + (since / RTP_RATE) * 1e6, shownMs: seen.expectedDisplayTime })
  }

  #streams({ consultation, streams, level }: WavesMessage): void {
    const before = consultation === this.#consultation ? this.streams.get() : []
    if (consultation !== this.#consultation) this.#asked.clear()
    this.#consultation = consultation
    this.#numbers.clear()
    const list = streams.map((view) => {
      const known = before.find(({ view: old }) => old.device === view.device && old.wave === view.wave)
      const history = known && sameStream(known.view, view) ? known : new StreamHistory(view)
      history.view = view
      this.#numbers.set(view.stream, history)
      return history
    })
    this.level.set(level)
    const early = this.#early
    this.#early = []
    for (const packet of early) this.#numbers.get(packet.stream)?.put(packet)
    this.streams.set(list)
    if (level === 'all' || level === 'slow') for (const history of list) this.#askBack(history)
  }

  /** What came meanwhile: from the last sample that is known, or the last seconds. */
  #askBack(history: StreamHistory): void {
    const { epoch, next } = history.view
    const back = Math.max(0, next - Math.ceil(BACK_S * history.rate))
    const newest = history.newest
    if (newest && newest.id < epoch && newest.next > 0)
      this.#askFor(newest.id, newest.next, newest.next + Math.ceil(BACK_S * history.rate))
    const from = newest?.id === epoch && newest.next > back ? newest.next : back
    history.epoch(epoch)
    if (next > from) this.#askFor(epoch, from, next)
  }

  #askFor(epoch: number, from: number, to: number): void {
    const key = `${epoch}/${from}`
    const times = this.#asked.get(key) ?? 0
    if (times >= ASK_TWICE || !this.ask({ type: 'waves.fill', epoch, from, to })) return
    this.#asked.set(key, times + 1)
  }

  #askHoles(): void {
    if (this.level.get() !== 'all' && this.level.get() !== 'slow') return
    let left = HOLES_AT_ONCE
    for (const history of this.streams.get()) {
      const epoch = history.newest
      if (!epoch) continue
      const old = epoch.next - Math.ceil(HOLE_AGE_S * history.rate)
      const since = epoch.next - Math.ceil(3 * BACK_S * history.rate)
      for (const [from, to] of epoch.holes(history.view.sent[0] ?? 0, since)) {
        if (to > old || left-- <= 0) break
        this.#askFor(epoch.id, from, to)
      }
    }
  }

  /** From the record: numbers in it are of their own time, epochs hold throughout a consultation. */
  #fill(packet: WavePacket): void {
    for (const history of this.streams.get())
      if (history.epochs.some(({ id }) => id === packet.epoch)) history.put(packet)
  }
}
