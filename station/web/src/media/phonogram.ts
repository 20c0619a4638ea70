/** What a phonocardiogram shows: least and greatest sample of each column, the newest last. A column
 * without samples is a gap, one that the browser made up is concealed. */
export class Phonogram {
  readonly low: Float32Array
  readonly high: Float32Array
  /** 0: nothing is known; 1: heard; 2: made up by the browser, for want of packets. */
  readonly state: Uint8Array
  /** Columns that were ever begun. */
  columns = 0
  #filled = 0

  constructor(readonly width: number, readonly samplesPerColumn: number) {
    this.low = new Float32Array(width)
    this.high = new Float32Array(width)
    this.state = new Uint8Array(width)
  }

  /** Place of the newest column in the arrays. */
  get newest(): number {
    return (this.columns + this.width - 1) % this.width
  }

  push(samples: Float32Array): void {
    for (const sample of samples) {
      if (this.#filled === 0) this.#begin()
      const at = this.newest
      if (sample < this.low[at]! || this.state[at] === 0) this.low[at] = sample
      if (sample > this.high[at]! || this.state[at] === 0) this.high[at] = sample
      if (this.state[at] === 0) this.state[at] = 1
      this.#filled = (this.#filled + 1) % this.samplesPerColumn
    }
  }

  /** So many samples were not seen: a gap, never a line. */
  skip(samples: number): void {
    const columns = Math.min(Math.round(samples / this.samplesPerColumn), this.width)
    for (let i = 0; i < columns; i++) this.#begin()
    this.#filled = 0
  }

  /** Of the newest `samples`, something was made up. */
  conceal(samples: number): void {
    const columns = Math.min(Math.ceil(samples / this.samplesPerColumn), this.width, this.columns)
    for (let i = 0; i < columns; i++) {
      const at = (this.newest + this.width - i) % this.width
      if (this.state[at] === 1) this.state[at] = 2
    }
  }

  /** The greatest excursion in sight. */
  peak(): number {
    let peak = 0
    for (let i = 0; i < this.width; i++)
      if (this.state[i] !== 0) peak = Math.max(peak, this.high[i]!, -this.low[i]!)
    return peak
  }

  #begin(): void {
    this.columns++
    const at = this.newest
    this.low[at] = this.high[at] = 0
    this.state[at] = 0
  }
}
