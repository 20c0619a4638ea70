import { fromBase64 } from '../bytes'
import { Cell } from '../observable'
import type { RecordedWave, WaveStreamView } from '../protocol'
import { readWaves } from './codec'
import { StreamHistory } from './history'

/** Rows with seq > after, so many at most. */
export type AskRows = (after: number, limit: number) => Promise<{ waves: RecordedWave[]; newest: number }>

/** What is kept of a stream at once, and how far ahead of the playhead rows are fetched. */
const KEPT_S = 180
const AHEAD_S = 15
const BEFORE_S = 20
const ROWS = 40

function viewOf(row: RecordedWave): WaveStreamView {
  return {
    stream: 0, device: row.device, wave: row.wave, rate: row.rate, test: row.test, leads: row.leads,
    sent: row.leads.map((_, i) => i), epoch: row.epoch, next: row.first + row.count,
  }
}

/** Waves of a record around the playhead. Times are µs of the timeline's own clock (UTC of its zero). */
export class RecordedWaves {
  readonly streams = new Cell<readonly StreamHistory[]>([])
  /** The last sample of all, µs; 0: there are none. */
  readonly end = new Cell(0)
  #byKey = new Map<string, StreamHistory>()
  #newest = 0
  /** Rows after this one are not loaded. */
  #last = 0
  /** What is loaded, µs. */
  #from = Infinity
  #to = -Infinity
  #busy = false
  #ended = false

  constructor(readonly ask: AskRows, readonly place: (row: RecordedWave) => number) {}

  async open(): Promise<void> {
    const { newest } = await this.ask(0, 1)
    this.#newest = newest
    if (newest === 0) return
    const row = (await this.ask(newest - 1, 1)).waves[0]
    if (row) this.end.set(this.#endOf(row))
  }

  close(): void {
    this.#ended = true
  }

  /** The playhead is here: what is missing around it is fetched. */
  async follow(atUs: number): Promise<void> {
    if (this.#busy || this.#ended || this.#newest === 0) return
    this.#busy = true
    try {
      if (atUs < this.#from || atUs > this.#to + AHEAD_S * 1e6) await this.#jump(atUs)
      while (!this.#ended && this.#last < this.#newest && this.#to < atUs + AHEAD_S * 1e6) await this.#more()
    } catch {
      // The connection is lost, or the vault was closed: the next call tries again.
    } finally {
      this.#busy = false
    }
  }

  #endOf(row: RecordedWave): number {
    return this.place(row) + (row.count * 1e6 * row.rate[1]) / row.rate[0]
  }

  /** Rows lie in the order of writing, which is that of time. */
  async #jump(atUs: number): Promise<void> {
    const wanted = atUs - BEFORE_S * 1e6
    let low = 0
    let high = this.#newest
    while (high - low > ROWS / 4) {
      const middle = (low + high) >> 1
      const row = (await this.ask(middle, 1)).waves[0]
      if (row && this.#endOf(row) < wanted) low = middle
      else high = middle
    }
    this.#last = low
    this.#from = Math.min(wanted, atUs)
    this.#to = -Infinity
    this.#byKey.clear()
    this.streams.set([])
  }

  async #more(): Promise<void> {
    const { waves } = await this.ask(this.#last, ROWS)
    if (waves.length === 0) this.#last = this.#newest
    for (const row of waves) {
      this.#last = row.seq
      this.#to = Math.max(this.#to, this.place(row))
      this.#put(row)
    }
    const list = [...this.#byKey.values()]
    if (list.length !== this.streams.get().length) this.streams.set(list)
  }

  #put(row: RecordedWave): void {
    const key = JSON.stringify([row.device, row.wave, row.rate, row.leads])
    let history = this.#byKey.get(key)
    if (!history) this.#byKey.set(key, history = new StreamHistory(viewOf(row), KEPT_S))
    const epoch = history.epoch(row.epoch)
    if (row.period_us) epoch.periodUs = row.period_us
    epoch.zeroUs = this.place(row) - row.first * epoch.periodUs
    for (const packet of readWaves(fromBase64(row.data)) ?? []) history.put(packet)
  }
}
