import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { now, useCell } from '../observable'
import { t } from '../text'
import { Button, Pill } from '../ui/parts'
import { tracesOf } from './history'
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
  const [manner, setManner] = useState<Manner>({ speed: 25, gain: 10 })
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null)
  const [still, setStill] = useState<number | null>(null)
  useCell(now) // lead-off and delay are looked at once a second
  if (streams.length === 0) return null
  const all = streams.flatMap(tracesOf)
  const shown = chosen ?? new Set(usualTraces(streams))
  const traces = all.filter(({ key }) => shown.has(key))
  const choose = (key: string, on: boolean): void => {
    const next = new Set(shown)
    if (on) next.add(key)
    else next.delete(key)
    setChosen(next)
  }
  const head = (nowMs: number): number => waves.time.head(nowMs)
  return (
    <section class="waves" aria-label={t('waves')} data-testid="waves" data-level={level}>
      <header class="wave-tools">
        <h2>{t('waves')}</h2>
        <Choice label={t('waves.speed-choice')} testid="wave-speed" values={SPEEDS} value={manner.speed} unit="mm/s"
          onChange={(speed) => setManner({ ...manner, speed })} />
        <Choice label={t('waves.gain-choice')} testid="wave-gain" values={GAINS} value={manner.gain} unit="mm/mV"
          onChange={(gain) => setManner({ ...manner, gain })} />
        <details class="wave-leads">
          <summary data-testid="wave-leads">{t('waves.leads')}</summary>
          <div>
            {all.map(({ key, label }) => (
              <label key={key}>
                <input type="checkbox" checked={shown.has(key)} data-testid={`wave-lead-${label}`}
                  onChange={(event) => choose(key, event.currentTarget.checked)} />
                {label}
              </label>
            ))}
          </div>
        </details>
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
      </header>
      {level === 'none'
        ? <p class="wave-none" role="status" data-testid="wave-none">{t('waves.none')}</p>
        : <WaveScreen traces={traces} manner={manner} head={head} still={still} />}
      <Notes waves={waves} test={streams.some(({ view }) => view.test)} still={still !== null} />
    </section>
  )
}

function Notes({ waves, test, still }: { waves: Waves; test: boolean; still: boolean }): JSX.Element {
  const level = waves.level.get()
  const behind = waves.time.behind(performance.now())
  return (
    <p class="wave-notes">
      {test && <Pill look="bad" testid="wave-test">{t('waves.test')}</Pill>}
      {still && <Pill look="warn">{t('waves.frozen')}</Pill>}
      {level === 'few' && <Pill look="warn" testid="wave-few">{t('waves.few')}</Pill>}
      {!still && behind > BEHIND_US && (
        <span data-testid="wave-behind" data-us={Math.round(behind)}>
          {t('waves.behind', { n: (behind / 1e6).toFixed(1) })}
        </span>
      )}
      <span>{t('waves.not-alarm')}</span>
      <span>{t('waves.not-to-scale')}</span>
    </p>
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
