import type { JSX } from 'preact'
import { now, useCell } from '../observable'
import type { Observation } from '../protocol'
import { t, word, type Key } from '../text'
import { alarming, freshness, shownFlags, sourceText, vitals, type Vital } from '../clinical/vitals'
import { ageText, timeOf } from './parts'

export function unitText(unit: string): string {
  return word('unit', unit)
}

/** Newest vital signs with unit, time and age. `at`: the moment to which ages refer, ms; else now. */
export function VitalsPanel(props: { latest: ReadonlyMap<string, Observation>; at?: number; remote?: boolean }): JSX.Element {
  const clock = useCell(now)
  const at = props.at ?? clock
  return (
    <section class="vitals" aria-label={t('vitals')} data-testid="vitals">
      <div class="vitals-grid">
        {vitals(props.latest).map((vital) => <Card key={vital.key} vital={vital} at={at} />)}
      </div>
      {props.remote && <p class="vitals-note">{t('vitals.not-alarm')}</p>}
    </section>
  )
}

/** Where a value comes from, and at which limits its device sounds an alarm. */
function Source({ vital }: { vital: Vital }): JSX.Element | null {
  const source = sourceText(vital, t('vital.by-hand'))
  if (vital.time === null || (!source && !vital.alarmRange)) return null
  return (
    <p class="source" title={vital.device || undefined} data-testid={`source-${vital.key}`}>
      {source}
      {vital.alarmRange && <span class="alarm-range">{t('vital.alarm-range', { range: vital.alarmRange })}</span>}
    </p>
  )
}

function Card({ vital, at }: { vital: Vital; at: number }): JSX.Element {
  const state = vital.time === null ? 'none' : freshness(vital.key, at - vital.time)
  const flags = shownFlags(vital)
  const blank = state === 'none' || state === 'blank' || vital.value === ''
  const look = `vital vital-${vital.key} ${state}${alarming(flags) ? ' alarming' : ''}` +
    `${flags.includes('implausible') ? ' doubtful' : ''}${vital.test ? ' test' : ''}`
  return (
    <article class={look} data-testid={`vital-${vital.key}`} data-state={state}>
      <h3>{t(`vital.${vital.key}` as Key)}</h3>
      <p class="value">
        <strong data-testid={`value-${vital.key}`}>{blank ? '–' : vital.value}</strong>
        {!blank && vital.unit && <span class="unit">{unitText(vital.unit)}</span>}
      </p>
      <p class="when">
        {vital.time === null
          ? t('vital.none')
          : <>
              <time dateTime={new Date(vital.time).toISOString()}>{timeOf(vital.time, true)}</time>
              {' · '}
              <span class="age">{ageText(at - vital.time)}</span>
            </>}
      </p>
      <Source vital={vital} />
      {(flags.length > 0 || vital.test || vital.absent) && (
        <p class="flags">
          {vital.test && <span class="flag test">{t('flag.TEST')}</span>}
          {vital.absent && <span class="flag">{word('absent', vital.absent)}</span>}
          {flags.map((flag) => <span key={flag} class={`flag ${alarming([flag]) ? 'alarm' : 'doubt'}`}>{word('flag', flag)}</span>)}
        </p>
      )}
    </article>
  )
}
