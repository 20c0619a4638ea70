/** The station's CLOCK_MONOTONIC as this page knows it, and the moment to which waves are drawn. */

/** A picture that was presented: when it was taken (the station's clock, µs) and when it was shown. */
export interface Shown { takenUs: number; shownMs: number }

/** Of pictures, to know how often one comes. */
const INTERVALS_KEPT = 15
const INTERVAL_MAX_US = 1_000_000
/** A picture that is overdue stands, and waves with it; so long, then they go on without it. */
const OVERDUE_US = 300_000
/** Without a picture: late packets still find their place before the beam comes by. */
const BUFFER_US = 400_000
/** Waves that are on screen are drawn more often. */
const DRAWN_MS = 1000
/** Of arrivals, to know how late samples come. */
const LATE_KEPT = 200

export class WaveTime {
  /** Local µs minus the station's, of the fastest message: the clock is behind by its way here. */
  #offsets: { offset: number; at: number }[] = []
  #late: number[] = []
  #shown: Shown | null = null
  #intervals: number[] = []
  /** The usual time from one picture to the next, µs. */
  #interval = 0
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

  shown(picture: Shown): void {
    const interval = picture.takenUs - (this.#shown?.takenUs ?? NaN)
    if (interval > 0 && interval <= INTERVAL_MAX_US) {
      this.#intervals.push(interval)
      if (this.#intervals.length > INTERVALS_KEPT) this.#intervals.shift()
      this.#interval = [...this.#intervals].sort((a, b) => a - b)[this.#intervals.length >> 1]!
    }
    this.#shown = picture
  }

  /** The station's time now, less the fastest way of a sample to here; NaN: nothing has come. */
  now(nowMs: number): number {
    const best = this.#offsets[0]
    return best ? nowMs * 1000 - best.offset : NaN
  }

  /** The moment for which the picture on screen stands now: that at which it was taken in the middle of
   * its time there, so that waves run smoothly and are never further from it than half of that. When the
   * next one is late it stands still; NaN: there is none, or it is overdue. */
  picture(nowMs: number): number {
    const { takenUs, shownMs } = this.#shown ?? { takenUs: NaN, shownMs: 0 }
    const since = (nowMs - shownMs) * 1000
    const stands = this.#interval
    return since > stands + OVERDUE_US ? NaN : takenUs - this.#interval / 2 + Math.min(since, stands)
  }

  /** Nineteen of twenty packets are here when their first sample is so old, after the fastest, µs. */
  lateness(): number {
    if (this.#late.length === 0) return 0
    const sorted = [...this.#late].sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length * 0.95)]!
  }

  /** The moment to which waves are drawn: that of the picture on screen when samples come in time for
   * it, else as late as samples are. It never goes back; a hundredth of a second is less than a column. */
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
    else this.#head = Math.max(this.#head, before + Math.max(-passed, Math.min(passed * 0.5, (aim - before) * 0.5)))
    return this.#head
  }

  /** How far the waves are behind the picture on screen, µs; NaN: there is no picture, or nobody draws waves. */
  behind(nowMs: number): number {
    return nowMs - this.#headAt > DRAWN_MS ? NaN : this.picture(nowMs) - this.#head
  }
}
