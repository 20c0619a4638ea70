import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import type { Patient, StationState } from '../protocol'
import { t, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Age, Button, Notice, Pill, useAction } from '../ui/parts'
import { Accounts } from './accounts'
import { useConsole } from './context'
import { Header } from './header'
import { KeyNote, OwnKeys } from './own-keys'
import { Records } from './records'
import { useDuty } from './roles'
import { Start } from './start'
import { StationPanel } from './station'
import { Visits } from './visits'

export function patientName(patient: Patient | string | null | undefined): string {
  if (typeof patient === 'string') return patient
  if (!patient || patient.unknown || !patient.name) return t('patient.unknown')
  return patient.name
}

export function Home(props: {
  state: StationState; onRecord: (id: string) => void; onKeeping: () => void; onSwitch: (user: string | null) => void
}): JSX.Element {
  const hello = useCell(useConsole().hello)
  const duty = useDuty()
  return (
    <div class="console home" data-testid="home">
      <Header onSwitch={props.onSwitch}>
        <p class="brand">Nhịp Cầu</p>
        <p class="quiet">{hello?.station.name}</p>
      </Header>
      <KeyNote />
      <main class="home-main">
        {duty === 'administrator' ? <Administration onKeeping={props.onKeeping} /> : <Start />}
        <div class="home-side">
          <Visits state={props.state} />
          <StationPanel state={props.state} />
          {props.state.parked.length > 0 && <ParkedList state={props.state} />}
          <KeysButton />
          {duty === 'doctor' && <AccountsButton />}
          {duty !== 'administrator' && <Records vault={props.state.vault} onRecord={props.onRecord} onKeeping={props.onKeeping} />}
        </div>
      </main>
    </div>
  )
}

function Administration({ onKeeping }: { onKeeping: () => void }): JSX.Element {
  return (
    <div class="administration">
      <Notice look="info" testid="no-patients">{t('home.administrator')}</Notice>
      <Button icon="signal" testid="keeping-open" onClick={onKeeping}>{t('keeping.open')}</Button>
      <Accounts />
    </div>
  )
}

/** A doctor alone at a station makes accounts, too, but seldom. */
function AccountsButton(): JSX.Element {
  const [open, setOpen] = useState(false)
  return open
    ? <Accounts />
    : <Button icon="users" testid="accounts-open" onClick={() => setOpen(true)}>{t('accounts.title')}</Button>
}

/** One's own keys: seldom looked at. */
function KeysButton(): JSX.Element {
  const [open, setOpen] = useState(false)
  return open
    ? <OwnKeys />
    : <Button icon="lock" testid="own-keys-open" onClick={() => setOpen(true)}>{t('own-keys.title')}</Button>
}

function ParkedList({ state }: { state: StationState }): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  return (
    <section class="card" data-testid="parked">
      <h2>{t('parked.title')}</h2>
      {problem && <Notice look="bad">{problem}</Notice>}
      <ul class="rows">
        {state.parked.map((parked) => (
          <li key={parked.id}>
            <Icon name="park" />
            <span class="grow">
              <strong>{patientName(parked.patient)}</strong>
              <small>
                {parked.mode && `${t(`mode.${parked.mode}` as Key)} · `}
                {t('parked.since')} <Age time={parked.since} />
              </small>
            </span>
            {parked.case && <Pill look={parked.case === 'answered' ? 'good' : 'info'} testid="parked-case">{t(`parked.case.${parked.case}` as Key)}</Pill>}
            <Button look="primary" busy={busy} testid={`open-${parked.id}`}
              onClick={() => void run(() => client.ask('consultation.open', { consultation: parked.id }))}>
              {t('parked.open')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
