import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { now, useCell } from '../observable'
import type { Appointment, Guest, StationState } from '../protocol'
import { t, word, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Age, Button, dateOf, Notice, Pill, timeOf, useAction } from '../ui/parts'
import { useConsole } from './context'
import { patientName } from './home'
import { CancelVisit, MoveVisit, NewVisit } from './visit-dialogs'
import { VisitCardDialog } from './visit-card'

type Open = { kind: 'new' } | { kind: 'card' | 'move' | 'cancel'; visit: Appointment } | null

/** The list of appointments: who comes when, who waits already. */
export function Visits({ state }: { state: StationState }): JSX.Element {
  const [open, setOpen] = useState<Open>(null)
  const visits = state.appointments ?? []
  const close = (): void => setOpen(null)
  return (
    <section class="card" data-testid="visits">
      <header class="visits-head">
        <h2>{t('visits')}</h2>
        <Button icon="plus" testid="visit-new" onClick={() => setOpen({ kind: 'new' })}>{t('visits.new')}</Button>
      </header>
      {visits.some(({ clock }) => !clock) && <p class="quiet small">{t('visits.clock')}</p>}
      {visits.length === 0 && <p class="quiet">{t('visits.none')}</p>}
      <ul class="rows">
        {visits.map((visit) => <VisitRow key={visit.appointment} visit={visit} onOpen={(kind) => setOpen({ kind, visit })} />)}
      </ul>
      {open?.kind === 'new' && <NewVisit onClose={close} />}
      {open?.kind === 'card' && <VisitCardDialog visit={visits.find(({ appointment }) => appointment === open.visit.appointment) ?? open.visit} onClose={close} />}
      {open?.kind === 'move' && <MoveVisit visit={open.visit} onClose={close} />}
      {open?.kind === 'cancel' && <CancelVisit visit={open.visit} onClose={close} />}
    </section>
  )
}

function VisitRow(props: { visit: Appointment; onOpen: (kind: 'card' | 'move' | 'cancel') => void }): JSX.Element {
  const { visit } = props
  const client = useConsole()
  const { busy, problem, run } = useAction()
  const today = dateOf(useCell(now)) === dateOf(visit.at)
  const burnt = visit.state === 'burnt'
  return (
    <li class="wrap visit-row" data-testid={`visit-${visit.appointment}`}>
      <Icon name="clock" />
      <span class="grow">
        <strong>{timeOf(visit.at)}{!today && ` · ${dateOf(visit.at)}`} — {patientName(visit.patient)}</strong>
        <small>{[visit.reason, visit.representative && t('visits.representative', visit.representative)].filter(Boolean).join(' · ')}</small>
      </span>
      {visit.time === 'late' && <Pill look="warn">{t('visits.late')}</Pill>}
      <Pill look={burnt ? 'bad' : visit.bound ? 'info' : 'quiet'} testid="visit-state">{burnt ? t('visits.burnt') : visit.bound ? t('visits.bound') : word('invite-state', visit.state)}</Pill>
      <Button look="quiet" icon="link" label={t('visits.card')} testid="visit-card" onClick={() => props.onOpen('card')} />
      <Button look="quiet" icon="clock" label={t('visits.move')} testid="visit-move" onClick={() => props.onOpen('move')} />
      <Button look="quiet" icon="close" label={t('visits.cancel')} testid="visit-cancel" onClick={() => props.onOpen('cancel')} />
      <Button look="plain" icon="play" busy={busy} testid="visit-start"
        onClick={() => void run(() => client.ask('appointment.start', { appointment: visit.appointment }))}>{t('visits.start')}</Button>
      {problem && <p class="note" role="alert">{problem}</p>}
      {visit.guests.map((guest) => <WaitingPatient key={guest.guest} visit={visit} guest={guest} />)}
    </li>
  )
}

const LOOKS = { good: 'good', weak: 'warn', bad: 'bad', skipped: 'quiet' } as const
const TESTS = ['camera', 'microphone', 'speaker', 'link'] as const

/** What the phone of who waits found out about itself. */
export function TestResults({ guest }: { guest: Guest }): JSX.Element | null {
  const tests = guest.about?.tests
  if (!tests) return null
  return (
    <span class="test-results" data-testid="test-results">
      {TESTS.map((test) => {
        const result = tests[test]
        return result && <Pill key={test} look={LOOKS[result]}>{t(`visits.test.${test}` as Key)}: {t(`visits.test-word.${result}` as Key)}</Pill>
      })}
      {tests.rtt_ms !== undefined && <small class="quiet">{t('visit.link.figures', { rtt: tests.rtt_ms, up: tests.up_kbps ?? 0, down: tests.down_kbps ?? 0 })}</small>}
    </span>
  )
}

/** Who sits before the phone: the patient, or somebody for the patient. */
export function aboutWords(guest: Guest): string {
  const { about } = guest
  if (!about) return ''
  const who = about.as === 'representative' ? t('visits.as.representative', { relation: about.relation }) : t('visits.as.patient')
  return about.consent === undefined ? who : `${who} · ${t(about.consent ? 'visits.consented' : 'visits.not-consented')}`
}

/** One click: the consultation begins and this phone is let in. */
function WaitingPatient({ visit, guest }: { visit: Appointment; guest: Guest }): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  return (
    <div class="waiting-guest" role="status" data-testid={`lobby-${guest.guest}`}>
      <Icon name="users" size={24} />
      <p>
        <strong>{guest.name}</strong>
        <span>{aboutWords(guest)}</span>
        {guest.other && <span class="note">{t('visits.other')}</span>}
        <TestResults guest={guest} />
        {problem && <span class="note" role="alert">{problem}</span>}
      </p>
      <Button look="good" icon="check" busy={busy} testid="visit-admit"
        onClick={() => void run(() => client.ask('appointment.start', { appointment: visit.appointment, guest: guest.guest }))}>
        {t(guest.other ? 'visits.admit.other' : 'visits.admit')}
      </Button>
    </div>
  )
}

/** Beside another consultation: somebody has come to an appointment. */
export function VisitsWaiting({ state }: { state: StationState }): JSX.Element | null {
  const waiting = (state.appointments ?? []).filter(({ guests }) => guests.length > 0)
  if (waiting.length === 0) return null
  return (
    <Notice look="info" testid="visits-waiting">
      {waiting.map((visit) => (
        <p key={visit.appointment}>{t('visits.waiting', { name: patientName(visit.patient), time: timeOf(visit.at) })} <Age time={visit.at} /></p>
      ))}
    </Notice>
  )
}
