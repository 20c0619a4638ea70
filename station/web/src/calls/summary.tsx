import type { JSX } from 'preact'
import { ageText, Pill } from '../ui/parts'
import { useCell, now } from '../observable'
import { t, word, type Key } from '../text'
import type { CallSummary, Specialty, Urgency } from './protocol'

export function urgencyLook(urgency: Urgency): 'bad' | 'warn' | 'info' {
  return urgency === 'emergency' ? 'bad' : urgency === 'urgent' ? 'warn' : 'info'
}

export function CallTitle({ specialty, urgency }: { specialty: Specialty; urgency: Urgency }): JSX.Element {
  return (
    <span class="call-title">
      <strong>{word('specialty', specialty)}</strong>
      <Pill look={urgencyLook(urgency)} testid="call-urgency">{t(`urgency.${urgency}` as Key)}</Pill>
    </span>
  )
}

/** How long somebody has waited, counting up. */
export function Waiting({ since }: { since: string }): JSX.Element {
  const ms = useCell(now) - Date.parse(since)
  return <span class="age" data-testid="call-waiting">{t('call.waiting', { age: ageText(ms) })}</span>
}

function person(summary: CallSummary): string {
  const age = summary.birth_year === undefined ? '' : t('call.age', { n: new Date().getFullYear() - summary.birth_year })
  return [summary.name, summary.sex && t(`sex.${summary.sex}` as Key), age].filter(Boolean).join(' · ')
}

/** What a specialist sees of the patient before the call: the same at the console, before it is sent. */
export function SummaryView({ summary }: { summary: CallSummary }): JSX.Element {
  const who = person(summary)
  const readings = summary.readings.filter(({ absent }) => !absent)
  const empty = !who && !summary.reason && !summary.question && summary.notes.length === 0 && readings.length === 0
  return (
    <div class="call-summary" data-testid="call-summary">
      {empty && <p class="quiet">{t('call.nothing-released')}</p>}
      {who && <p class="call-person">{who}</p>}
      {summary.reason && <p><span class="quiet">{t('call.reason')}:</span> {summary.reason}</p>}
      {summary.question && <p class="call-question">{summary.question}</p>}
      {readings.length > 0 && (
        <ul class="call-readings">
          {readings.map((one) => (
            <li key={one.vital}>
              <span class="quiet">{word('vital', one.vital)}</span> {one.value_text ?? one.value} {word('unit', one.unit)}
            </li>
          ))}
        </ul>
      )}
      {summary.notes.map((note, i) => (
        <p key={i} class="call-note"><span class="quiet">{word('note', note.kind)}:</span> {note.text}</p>
      ))}
    </div>
  )
}
