import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { now, useCell } from '../observable'
import { t } from '../text'
import { Button, Pill } from '../ui/parts'
import { tracesOf, type StreamHistory, type Trace } from './history'
import { GAINS, SPEEDS, usualTraces, type Manner } from './rows'
import { WaveScreen } from './screen'
import type { Waves } from './waves'

/** So much behind the picture, waves and picture no longer show the same moment. */
const BEHIND_US = 50_000
const STEP_US = 5_000_000

/** Live waves with what a person may choose about them. Nothing while no device sends any. */
export function WavePanel({ waves }: { waves: Waves }): JSX.Element | null {
  const streams = useCell(waves.streams)
  const level = useCell(waves.level)
  const [still, setStill] = useState<number | null>(null)
  useCell(now) // lead-off and delay are looked at once a second
  if (streams.length === 0) return null
  return (
    <WaveView streams={streams} head={(nowMs) => waves.time.head(nowMs)} still={still} level={level}
      tools={<>
        {still !== null && (
          <>
            <Button look="quiet" testid="wave-back" onClick={() => setStill(still - STEP_US)}>{t('waves.back')}</Button>
            <Button look="quiet" testid="wave-on" onClick={() => setStill(still + STEP_US)}>{t('waves.on')}</Button>
          </>
        )}
        <Button look={still === null ? 'plain' : 'primary'} icon={still === null ? 'pause' : 'play'} testid="wave-freeze"
          onClick={() => setStill(still === null ? waves.time.head(performance.now()) : null)}>
          {t(still === null ? 'waves.freeze' : 'waves.go-on')}
        </Button>
      </>}>
      {still !== null && <Pill look="warn">{t('waves.frozen')}</Pill>}
      {level === 'some' && <Pill look="warn" testid="wave-some">{t('waves.some')}</Pill>}
      {level === 'few' && <Pill look="warn" testid="wave-few">{t('waves.few')}</Pill>}
      {still === null && <Behind waves={waves} />}
      <span>{t('waves.not-alarm')}</span>
    </WaveView>
  )
}

function Behind({ waves }: { waves: Waves }): JSX.Element | null {
  const behind = waves.time.behind(performance.now())
  if (!(behind > BEHIND_US)) return null
  return <span data-testid="wave-behind">{t('waves.behind', { n: (behind / 1e6).toFixed(1) })}</span>
}

/** Traces of these streams up to a moment, with the choice of leads, speed and gain. */
export function WaveView(props: {
  streams: readonly StreamHistory[]; head: (nowMs: number) => number; still: number | null; level: string
  tools?: ComponentChildren; children?: ComponentChildren
}): JSX.Element {
  const { streams, level } = props
  const [manner, setManner] = useState<Manner>({ speed: 25, gain: 10 })
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null)
  const all = streams.flatMap(tracesOf)
  const shown = chosen ?? new Set(usualTraces(streams))
  return (
    <section class="waves" aria-label={t('waves')} data-testid="waves" data-level={level}>
      <header class="wave-tools">
        <h2>{t('waves')}</h2>
        <Choice label={t('waves.speed-choice')} testid="wave-speed" values={SPEEDS} value={manner.speed} unit="mm/s"
          onChange={(speed) => setManner({ ...manner, speed })} />
        <Choice label={t('waves.gain-choice')} testid="wave-gain" values={GAINS} value={manner.gain} unit="mm/mV"
          onChange={(gain) => setManner({ ...manner, gain })} />
        <Leads all={all} shown={shown} onChoose={setChosen} />
        {props.tools}
      </header>
      {level === 'none'
        ? <p class="wave-none" role="status" data-testid="wave-none">{t('waves.none')}</p>
        : <WaveScreen traces={all.filter(({ key }) => shown.has(key))} manner={manner} head={props.head} still={props.still} />}
      <p class="wave-notes">
        {streams.some(({ view }) => view.test) && <Pill look="bad" testid="wave-test">{t('waves.test')}</Pill>}
        {props.children}
        <span>{t('waves.not-to-scale')}</span>
      </p>
    </section>
  )
}

function Leads(props: {
  all: readonly Trace[]; shown: ReadonlySet<string>; onChoose: (shown: ReadonlySet<string>) => void
}): JSX.Element {
  const choose = (key: string, on: boolean): void => {
    const next = new Set(props.shown)
    if (on) next.add(key)
    else next.delete(key)
    props.onChoose(next)
  }
  return (
    <details class="wave-leads">
      <summary data-testid="wave-leads">{t('waves.leads')}</summary>
      <div>
        {props.all.map(({ key, label }) => (
          <label key={key}>
            <input type="checkbox" checked={props.shown.has(key)} data-testid={`wave-lead-${label}`}
              onChange={(event) => choose(key, event.currentTarget.checked)} />
            {label}
          </label>
        ))}
      </div>
    </details>
  )
}

function Choice<T extends number>(props: {
  label: string; testid: string; values: readonly T[]; value: number; unit: string; onChange: (value: T) => void
}): JSX.Element {
  return (
    <label class="wave-choice">
      <span class="hidden">{props.label}</span>
      <select data-testid={props.testid} value={props.value}
        onChange={(event) => props.onChange(Number(event.currentTarget.value) as T)}>
        {props.values.map((value) => <option key={value} value={value}>{value} {props.unit}</option>)}
      </select>
    </label>
  )
}
