/** The station's CLOCK_MONOTONIC as this page knows it, and the moment to which waves are drawn. */

/** A picture that was presented: when it was taken (the station's clock, µs) and when it was shown. */
export interface Shown { takenUs: number; shownMs: number }

/** Older news of the picture says nothing about now. */
const SHOWN_MAX_MS = 1500
/** Without a picture: late packets still find their place before the beam comes by. */
const BUFFER_US = 400_000
/** Of arrivals, to know how late samples come. */
const LATE_KEPT = 200

export class WaveTime {
  /** Local µs minus the station's, of the fastest message: the clock is behind by its way here. */
  #offsets: { offset: number; at: number }[] = []
  #late: number[] = []
  #shown: Shown | null = null
  #head = NaN
  #headAt = 0

  /** A live packet is here: its samples were taken from `firstUs` to `lastUs`. */
  arrived(firstUs: number, lastUs: number, nowMs: number): void {
    const offset = nowMs * 1000 - lastUs
    this.#offsets = this.#offsets.filter((one) => one.offset < offset && nowMs - one.at < 60_000)
    this.#offsets.push({ offset, at: nowMs })
    const now = this.now(nowMs)
    if (Number.isNaN(now)) return
    this.#late.push(now - firstUs)
    if (this.#late.length > LATE_KEPT) this.#late.shift()
  }

  shown(picture: Shown | null): void {
    this.#shown = picture
  }

  /** The station's time now, less the fastest way of a sample to here; NaN: nothing has come. */
  now(nowMs: number): number {
    const best = this.#offsets[0]
    return best ? nowMs * 1000 - best.offset : NaN
  }

  /** When the picture that is on screen now was taken; NaN: there is none. */
  picture(nowMs: number): number {
    const { takenUs, shownMs } = this.#shown ?? { takenUs: NaN, shownMs: 0 }
    return nowMs - shownMs > SHOWN_MAX_MS ? NaN : takenUs + (nowMs - shownMs) * 1000
  }

  /** Nineteen of twenty packets are here when their first sample is so old, after the fastest, µs. */
  lateness(): number {
    if (this.#late.length === 0) return 0
    const sorted = [...this.#late].sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length * 0.95)]!
  }

  /** The moment to which waves are drawn: that of the picture on screen when samples come in time for
   * it, else as late as samples are. It never goes back, and is pulled gently. */
  head(nowMs: number): number {
    const now = this.now(nowMs)
    if (Number.isNaN(now)) return NaN
    const picture = this.picture(nowMs)
    const inTime = now - this.lateness()
    const aim = Number.isNaN(picture) ? now - Math.max(BUFFER_US, this.lateness()) : Math.min(picture, inTime)
    const passed = (nowMs - this.#headAt) * 1000
    const before = this.#head + passed
    this.#headAt = nowMs
    if (Number.isNaN(this.#head) || Math.abs(aim - before) > 1_000_000) this.#head = aim
    else this.#head = Math.max(this.#head, before + Math.max(-passed * 0.5, Math.min(passed * 0.5, (aim - before) * 0.1)))
    return this.#head
  }

  /** How far the waves are behind the picture on screen, µs; NaN: there is no picture. */
  behind(nowMs: number): number {
    return this.picture(nowMs) - this.#head
  }
}
