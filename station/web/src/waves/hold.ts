/** While waves come at once, pictures wait for their samples: those are on the way for a packet of 40 ms and the
 * channel's own time longer. Shown when they come, pictures would be ahead. */
const LEAST_MS = 80
/** Longer, and a person would wait for the answer to what they say. */
const MOST_MS = 300
/** So far behind the picture waves are not worth another wait. */
const LATE_US = 20_000
/** Looks before a wait that was changed is seen in what is shown. */
const SETTLES = 3
/** Looks without need before it becomes shorter, and between two steps. */
const CALM = 30
const STEP_MS = 10

/** How long pictures wait, ms: as long as samples take, which a busy machine or link makes longer. */
export class PictureHold {
  ms = LEAST_MS
  #settling = SETTLES
  #calm = 0

  /** A look, once a second: how far the waves are behind the picture on screen, µs; NaN: there is none. */
  look(behindUs: number): number {
    if (Number.isNaN(behindUs)) return this.ms
    if (this.#settling > 0) {
      this.#settling--
      return this.ms
    }
    if (behindUs > LATE_US) this.#set(Math.min(MOST_MS, this.ms + Math.ceil(behindUs / 1000)))
    else if (++this.#calm >= CALM) this.#set(Math.max(LEAST_MS, this.ms - STEP_MS))
    return this.ms
  }

  #set(ms: number): void {
    this.#calm = 0
    if (ms !== this.ms) this.#settling = SETTLES
    this.ms = ms
  }
}
