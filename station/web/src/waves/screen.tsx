import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../text'
import type { Trace } from './history'
import { isLeftOut, layRows, leadsOff, twinName, type Manner } from './rows'
import { drawPaper, Sweep, type Row } from './sweep'

/** Of CSS: an inch is 96 px, whatever the screen's real size. */
const CSS_PX_PER_MM = 96 / 25.4
/** Names and calibration pulses stand here; whole squares of the paper. */
const MARGIN_MM = 20
const FRAME_MS = 1000 / 30
const FIT_EVERY_MS = 500

function ratio(): number {
  return Math.max(1, window.devicePixelRatio || 1)
}

/** The canvas and its names: draws up to the time that `head` tells, NaN for nothing. `still`: it is
 * not to move, and is drawn anew whenever that changes. */
export function WaveScreen(props: {
  traces: readonly Trace[]; manner: Manner; head: (nowMs: number) => number; still: number | null
}): JSX.Element {
  const { traces, manner, still } = props
  const box = useRef<HTMLDivElement>(null)
  const paper = useRef<HTMLCanvasElement>(null)
  const ink = useRef<HTMLCanvasElement>(null)
  const sweep = useRef<Sweep | null>(null)
  const head = useRef(props.head)
  head.current = props.head
  const [width, setWidth] = useState(0)
  const px = CSS_PX_PER_MM * ratio()
  const { rows, height } = layRows(traces, manner, px)
  const shape = `${traces.map(({ key }) => key).join()} ${manner.speed} ${manner.gain} ${width}`

  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)))
    watch.observe(box.current!)
    return () => watch.disconnect()
  }, [])

  useEffect(() => {
    const margin = Math.round(MARGIN_MM * px)
    const [below, above] = [paper.current!, ink.current!]
    below.width = Math.max(1, Math.round(width * ratio()))
    above.width = Math.max(1, below.width - margin)
    below.height = above.height = height
    for (const canvas of [below, above]) canvas.style.width = `${canvas.width / ratio()}px`
    drawPaper(below.getContext('2d')!, px, rows)
    sweep.current = new Sweep(above.getContext('2d')!, px, rows)
    sweep.current.repaint(still ?? head.current(performance.now()))
  }, [shape])

  useEffect(() => {
    if (still === null) return
    sweep.current?.repaint(still)
  }, [still])

  useEffect(() => {
    if (still !== null) return
    return animate((nowMs) => {
      const at = head.current(nowMs)
      if (sweep.current && !Number.isNaN(at)) drawLive(sweep.current, at, nowMs)
    })
  }, [still === null])

  return (
    <div class="wave-screen" ref={box} data-testid="wave-screen" data-px-per-mm={px} data-margin-mm={MARGIN_MM}
      style={{ height: `${height / ratio()}px` }}>
      <canvas class="wave-paper" ref={paper} aria-hidden="true" />
      <canvas class="wave-ink" ref={ink} data-testid="wave-ink" role="img" aria-label={t('waves.picture')}
        style={{ left: `${Math.round(MARGIN_MM * px) / ratio()}px` }} />
      {rows.map((row) => <RowName key={row.trace.key} row={row} device={twinName(row, rows)} />)}
    </div>
  )
}

function RowName({ row, device }: { row: Row; device: string | null }): JSX.Element {
  const off = leadsOff(row.trace)
  const left = isLeftOut(row.trace)
  const size = row.pulse !== null ? t('waves.gain', { n: row.pulse }) : t('waves.fitted')
  return (
    <div class="wave-name" style={{ top: `${row.top / ratio()}px`, height: `${row.height / ratio()}px`, color: row.colour }}
      data-testid={`wave-row-${row.trace.label}`} data-top={row.top} data-height={row.height} data-speed={row.speed}>
      <strong>{row.trace.label}</strong>
      {device && <small>{device}</small>}
      <small>{size}</small>
      <small>{t('waves.speed', { n: row.speed })}</small>
      {off.length > 0 && <b class="wave-said bad">{t('waves.lead-off', { leads: off.join(', ') })}</b>}
      {left && <b class="wave-said">{t('waves.left-out')}</b>}
    </div>
  )
}

function animate(draw: (nowMs: number) => void): () => void {
  let handle = 0
  let last = -Infinity
  const step = (nowMs: number): void => {
    handle = requestAnimationFrame(step)
    if (nowMs - last < FRAME_MS - 4) return
    last = nowMs
    draw(performance.now())
  }
  handle = requestAnimationFrame(step)
  return () => cancelAnimationFrame(handle)
}

let fitted = 0

function drawLive(sweep: Sweep, headUs: number, nowMs: number): void {
  if (nowMs - fitted > FIT_EVERY_MS) {
    fitted = nowMs
    sweep.refit(headUs)
  } else sweep.paint(headUs)
  const taken = new Set<readonly unknown[]>()
  for (const row of sweep.rows) {
    const { dirty } = row.trace.history
    if (dirty.length > 0) sweep.late(row, dirty)
    taken.add(dirty)
  }
  for (const dirty of taken) (dirty as unknown[]).length = 0
}
