import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { table, Trends, type Trend } from '../clinical/trend'
import { Cell, now, useCell } from '../observable'
import type { Observation, PastReadings } from '../protocol'
import { t, type Key } from '../text'
import { useAction } from './parts'

/** What shares an axis, and where a curve may go without a reading in between, s. */
const PLOTS: { keys: string[]; gap: number }[] = [
  { keys: ['hr', 'pulse'], gap: 60 }, { keys: ['spo2'], gap: 60 }, { keys: ['resp'], gap: 60 },
  { keys: ['nibp-sys', 'nibp-dia'], gap: 7200 }, { keys: ['temp'], gap: 7200 },
]
const COLOURS: Record<string, string> = {
  hr: '#1f9d55', pulse: '#5aa9a0', spo2: '#0e8fb3', resp: '#c28a0c', 'nibp-sys': '#b0433a', 'nibp-dia': '#d98a83', temp: '#7a57c2',
}
const HEIGHT = 110
const EVERY_MS = 5000

/** Curves of the readings that a page has seen since it was opened. `consultation`: another one begins anew. */
export function LiveTrends(props: {
  readings: Cell<ReadonlyMap<string, Observation>>; past: Cell<PastReadings | null>; consultation: string
}): JSX.Element {
  const trends = useRef(new Trends())
  const [trend, setTrend] = useState<Trend>(new Map())
  useEffect(() => {
    trends.current.clear()
    const take = (): void => trends.current.add(props.readings.get().values())
    const show = (): void => setTrend(new Map(trends.current.get()))
    const before = (): void => {
      const past = props.past.get()
      if (past) trends.current.addPast(past)
    }
    before()
    take()
    show()
    const quiet = props.readings.subscribe(take)
    const done = props.past.subscribe(before)
    const timer = setInterval(show, EVERY_MS)
    return () => {
      quiet()
      done()
      clearInterval(timer)
    }
  }, [props.readings, props.past, props.consultation])
  return <TrendPlots trend={trend} note={t('trends.since-opened')} />
}

/** Curves of a record, with the playhead. `at`: ms since 1970. */
export function RecordTrends(props: { observations: readonly Observation[]; at: number }): JSX.Element {
  const trends = new Trends()
  trends.add(props.observations)
  return <TrendPlots trend={trends.get()} at={props.at / 1000} />
}

/** The library that draws comes with the first trend that somebody opens: who joins does not wait for it. */
const drawing = async (): Promise<typeof UPlot> => (await import('uplot')).default

function TrendPlots({ trend, note, at }: { trend: Trend; note?: string; at?: number }): JSX.Element {
  useCell(now)
  const [open, setOpen] = useState(false)
  const plots = PLOTS.map(({ keys, gap }) => ({ keys: keys.filter((key) => (trend.get(key)?.length ?? 0) > 1), gap }))
    .filter(({ keys }) => keys.length > 0)
  return (
    <details class="trends" data-testid="trends" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary data-testid="trends-open">{t('trends')}</summary>
      {plots.length === 0 && <p class="quiet">{t('trends.none')}</p>}
      {open && plots.map(({ keys, gap }) => <Plot key={keys.join()} trend={trend} keys={keys} gap={gap} at={at} />)}
      {note && <p class="quiet">{note}</p>}
    </details>
  )
}

/** A curve ends where readings are further apart than `gap`: nothing is drawn over what is not known. */
function withGaps(data: ReturnType<typeof table>, gap: number): UPlot.AlignedData {
  const [times, ...rows] = data
  const all: (number | null)[][] = [[], ...rows.map(() => [])]
  times.forEach((time, i) => {
    if (i > 0 && time - times[i - 1]! > gap) all.forEach((list, n) => list.push(n === 0 ? times[i - 1]! + gap / 2 : null))
    all.forEach((list, n) => list.push(n === 0 ? time : rows[n - 1]![i]!))
  })
  return all as UPlot.AlignedData
}

function Plot(props: { trend: Trend; keys: string[]; gap: number; at: number | undefined }): JSX.Element {
  const { trend, keys, gap, at } = props
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | null>(null)
  const playhead = useRef(at)
  playhead.current = at
  const data = withGaps(table(trend, keys), gap)
  const newest = useRef(data)
  newest.current = data
  const { problem, run } = useAction()
  useEffect(() => {
    let end = (): void => {}
    let gone = false
    void run(async () => {
      const Drawn = await drawing()
      if (gone || !box.current) return
      const made = new Drawn(options(keys, box.current.clientWidth || 320, playhead), newest.current, box.current)
      plot.current = made
      const watch = new ResizeObserver(() => {
        const width = box.current?.clientWidth ?? 0
        if (width > 0) made.setSize({ width, height: HEIGHT })
      })
      watch.observe(box.current)
      end = () => {
        watch.disconnect()
        made.destroy()
        plot.current = null
      }
    })
    return () => {
      gone = true
      end()
    }
  }, [keys.join()])
  useEffect(() => plot.current?.setData(data), [trend])
  useEffect(() => plot.current?.redraw(false), [at])
  return (
    <figure class="trend" data-testid={`trend-${keys[0]}`} data-points={data[0].length}>
      <figcaption>{keys.map((key) => <span key={key} style={{ color: COLOURS[key] }}>{t(`vital.${key}` as Key)}</span>)}</figcaption>
      <div ref={box} />
      {problem && <p class="quiet">{problem}</p>}
    </figure>
  )
}

function options(keys: readonly string[], width: number, playhead: { current: number | undefined }): UPlot.Options {
  const ink = getComputedStyle(document.documentElement).getPropertyValue('--quiet') || '#4d6068'
  const axis = { stroke: ink, grid: { stroke: 'rgb(120 140 145 / 25%)', width: 1 }, font: '11px sans-serif' }
  return {
    width, height: HEIGHT, legend: { show: false }, cursor: { drag: { x: false, y: false } },
    axes: [{ ...axis, values: '{HH}:{mm}' }, { ...axis, size: 38 }],
    series: [{}, ...keys.map((key): UPlot.Series => ({
      stroke: COLOURS[key] ?? ink, width: 1.5, points: { show: key.startsWith('nibp') || key === 'temp', size: 5 },
      spanGaps: key.startsWith('nibp'),
    }))],
    hooks: {
      draw: [(u) => {
        if (playhead.current === undefined) return
        const x = u.valToPos(playhead.current, 'x', true)
        u.ctx.fillStyle = ink
        u.ctx.fillRect(Math.round(x), u.bbox.top, 2, u.bbox.height)
      }],
    },
  }
}
