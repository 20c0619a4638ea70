import type { Epoch, Trace } from './history'

/** One trace on the screen. Lengths in device pixels. */
export interface Row {
  trace: Trace
  /** Millimetres of paper a second. */
  speed: number
  /** Millimetres a unit; null: fitted to the row, of which the page says so. */
  gain: number | null
  /** Millimetres of a millivolt; null: not that kind of signal. */
  pulse: number | null
  top: number
  height: number
  colour: string
  /** Physical value in the middle of the row. */
  base: number
  /** Device pixels a unit. */
  scale: number
  /** `base` and `scale` were chosen by what the trace does. */
  fitted: boolean
}

/** Lowest and highest value of a column; null: nothing came, or nothing was measured. */
export interface Span { low: number; high: number }
type Column = Span | 'gap' | 'empty'

const ERASE_MM = 4
const HATCH_PX = 6
const PULSE_MM = 14
/** Columns that leave their row, before it is fitted anew. */
const OUTSIDE = 2

/** Value between two neighbours that are both there: the line that joins them, no more. */
function between(trace: Trace, epoch: Epoch, at: number): number {
  const i = Math.floor(at)
  const a = trace.value(epoch, i)
  const b = trace.value(epoch, i + 1)
  if (a === undefined || b === undefined || Number.isNaN(a) || Number.isNaN(b)) return NaN
  return a + (b - a) * (at - i)
}

/** What a trace does in [fromUs, toUs): every sample in it counts, so that no peak is lost. */
export function spanOf(trace: Trace, fromUs: number, toUs: number): Column {
  const epoch = trace.history.around(fromUs) ?? trace.history.around(toUs)
  if (!epoch) return 'empty'
  const from = (fromUs - epoch.zeroUs) / epoch.periodUs
  const to = (toUs - epoch.zeroUs) / epoch.periodUs
  let low = Infinity
  let high = -Infinity
  let gone = false
  const take = (value: number | undefined): void => {
    if (value === undefined || Number.isNaN(value)) {
      gone = true
      return
    }
    if (value < low) low = value
    if (value > high) high = value
  }
  for (let i = Math.ceil(from); i < to; i++) take(trace.value(epoch, i))
  if (gone && low > high) return 'gap'
  for (const edge of [from, to]) {
    const value = between(trace, epoch, edge)
    if (!Number.isNaN(value)) take(value)
  }
  return low > high ? 'gap' : { low, high }
}

/** A trace that runs to the right and wraps, erasing what is oldest before it. */
export class Sweep {
  #last = new Map<string, number>()
  #outside = new Map<string, number>()
  #hatch: CanvasPattern | null

  constructor(readonly context: CanvasRenderingContext2D, readonly pxPerMm: number, public rows: Row[]) {
    this.#hatch = hatch(context)
  }

  get width(): number {
    return this.context.canvas.width
  }

  /** Columns a second. */
  #rate(row: Row): number {
    return row.speed * this.pxPerMm
  }

  /** Draws up to this time what is new since the last call. */
  paint(headUs: number): void {
    for (const row of this.rows) {
      const head = Math.floor((headUs / 1e6) * this.#rate(row))
      const last = this.#last.get(row.trace.key)
      this.#last.set(row.trace.key, head)
      if (last === undefined || head - last >= this.width || head < last) this.#whole(row, head)
      else for (let column = last + 1; column <= head; column++) this.#column(row, column)
      this.#erase(row, head)
    }
  }

  /** Everything anew: another size, a frozen picture that is moved, another base. */
  repaint(headUs: number): void {
    this.#last.clear()
    if (Number.isNaN(headUs)) return
    for (const row of this.rows) fit(row, this.pxPerMm, headUs, this.width)
    this.paint(headUs)
  }

  /** Rows that their traces have left are fitted anew, where that helps. */
  refit(headUs: number): void {
    for (const row of this.rows) {
      if (row.fitted && (this.#outside.get(row.trace.key) ?? 0) < OUTSIDE) continue
      const { base, scale } = row
      this.#outside.set(row.trace.key, 0)
      fit(row, this.pxPerMm, headUs, this.width)
      if (Math.abs(row.base - base) * row.scale < 1 && row.scale === scale) continue
      this.#last.delete(row.trace.key)
    }
    this.paint(headUs)
  }

  /** Samples that came late, where the beam has been already: stretches of time, µs. */
  late(row: Row, stretches: readonly [number, number][]): void {
    const head = this.#last.get(row.trace.key)
    if (head === undefined) return
    const oldest = head - this.width + Math.ceil(ERASE_MM * this.pxPerMm) + 1
    for (const [from, to] of stretches) {
      const first = Math.max(oldest, Math.floor((from / 1e6) * this.#rate(row)))
      const last = Math.min(head, Math.ceil((to / 1e6) * this.#rate(row)))
      for (let column = first; column <= last; column++) this.#column(row, column)
    }
  }

  #whole(row: Row, head: number): void {
    this.context.clearRect(0, row.top, this.width, row.height)
    this.#outside.set(row.trace.key, 0)
    for (let column = head - this.width + 1; column <= head; column++) this.#column(row, column)
  }

  #erase(row: Row, head: number): void {
    const bar = Math.ceil(ERASE_MM * this.pxPerMm)
    const x = this.#x(head + 1)
    this.context.clearRect(x, row.top, bar, row.height)
    if (x + bar > this.width) this.context.clearRect(0, row.top, x + bar - this.width, row.height)
  }

  #x(column: number): number {
    return ((column % this.width) + this.width) % this.width
  }

  #column(row: Row, column: number): void {
    const rate = this.#rate(row)
    const x = this.#x(column)
    const { context } = this
    context.clearRect(x, row.top, 1, row.height)
    const span = spanOf(row.trace, (column / rate) * 1e6, ((column + 1) / rate) * 1e6)
    if (span === 'empty') return
    if (span === 'gap') {
      if (this.#hatch) context.fillStyle = this.#hatch
      context.fillRect(x, row.top, 1, row.height)
      return
    }
    const thick = Math.max(1, this.pxPerMm * 0.35)
    const y = (value: number): number => row.top + row.height / 2 - (value - row.base) * row.scale
    const top = Math.max(row.top, y(span.high) - thick / 2)
    const bottom = Math.min(row.top + row.height, y(span.low) + thick / 2)
    if (y(span.high) < row.top || y(span.low) > row.top + row.height)
      this.#outside.set(row.trace.key, (this.#outside.get(row.trace.key) ?? 0) + 1)
    context.fillStyle = row.colour
    context.fillRect(x, top, 1, Math.max(bottom - top, 0))
  }
}

/** Slanted lines: nothing is known here. */
function hatch(context: CanvasRenderingContext2D): CanvasPattern | null {
  const tile = document.createElement('canvas')
  tile.width = tile.height = HATCH_PX
  const pen = tile.getContext('2d')!
  pen.strokeStyle = 'rgb(190 200 205 / 55%)'
  pen.lineWidth = 1
  for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
    pen.beginPath()
    pen.moveTo(shift, HATCH_PX)
    pen.lineTo(shift + HATCH_PX, 0)
    pen.stroke()
  }
  return context.createPattern(tile, 'repeat')
}

/** Where the trace lies in its row: in the middle of what it did in the last seconds. */
function fit(row: Row, pxPerMm: number, headUs: number, width: number): void {
  const seconds = Math.min(5, width / (row.speed * pxPerMm))
  let low = Infinity
  let high = -Infinity
  const mids: number[] = []
  for (let at = headUs - seconds * 1e6; at < headUs; at += 20_000) {
    const span = spanOf(row.trace, at, at + 20_000)
    if (span === 'gap' || span === 'empty') continue
    low = Math.min(low, span.low)
    high = Math.max(high, span.high)
    mids.push((span.low + span.high) / 2)
  }
  mids.sort((a, b) => a - b)
  row.fitted = mids.length > 0
  if (row.gain !== null) {
    // A millivolt is so many millimetres: only where the base line lies is chosen. An ECG spends most
    // of its time on it; it is moved as far as peaks need room.
    row.scale = row.gain * pxPerMm
    row.base = mids[mids.length >> 1] ?? 0
    const room = (row.height / 2 - pxPerMm) / row.scale
    if (high > low && high - low <= 2 * room)
      row.base = Math.min(Math.max(row.base, high - room), low + room)
    return
  }
  const range = high > low ? high - low : 1
  row.scale = (row.height * 0.8) / range
  row.base = mids.length > 0 ? (low + high) / 2 : 0
}

/** Paper: lines of one and five millimetres, and the calibration pulse of rows in millivolts. */
export function drawPaper(context: CanvasRenderingContext2D, pxPerMm: number, rows: readonly Row[]): void {
  const { width, height } = context.canvas
  context.clearRect(0, 0, width, height)
  for (const [every, colour] of [[1, 'rgb(120 150 150 / 16%)'], [5, 'rgb(120 150 150 / 38%)']] as const) {
    context.fillStyle = colour
    for (let mm = 0; mm * pxPerMm < width; mm += every) context.fillRect(Math.round(mm * pxPerMm), 0, 1, height)
    for (let mm = 0; mm * pxPerMm < height; mm += every) context.fillRect(0, Math.round(mm * pxPerMm), width, 1)
  }
  for (const row of rows) if (row.pulse !== null) drawPulse(context, pxPerMm, row)
}

/** One millivolt for 200 ms, in the margin, beside the name. */
function drawPulse(context: CanvasRenderingContext2D, pxPerMm: number, row: Row): void {
  const middle = row.top + row.height - 2 * pxPerMm
  const up = row.pulse! * pxPerMm
  const wide = row.speed * 0.2 * pxPerMm
  const x = PULSE_MM * pxPerMm
  context.strokeStyle = 'rgb(230 236 238 / 85%)'
  context.lineWidth = Math.max(1, pxPerMm * 0.3)
  context.beginPath()
  context.moveTo(x - pxPerMm / 2, middle)
  context.lineTo(x, middle)
  context.lineTo(x, middle - up)
  context.lineTo(x + wide, middle - up)
  context.lineTo(x + wide, middle)
  context.lineTo(x + wide + pxPerMm / 2, middle)
  context.stroke()
}
