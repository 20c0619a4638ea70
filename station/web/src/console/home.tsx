import type { JSX } from 'preact'
import { useCell } from '../observable'
import type { Patient, StationState } from '../protocol'
import { t, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Age, Button, Notice, useAction } from '../ui/parts'
import { useConsole } from './context'
import { Header } from './header'
import { Records } from './records'
import { Start } from './start'
import { StationPanel } from './station'

export function patientName(patient: Patient | string | null | undefined): string {
  if (typeof patient === 'string') return patient
  if (!patient || patient.unknown || !patient.name) return t('patient.unknown')
  return patient.name
}

export function Home(props: {
  state: StationState; onRecord: (id: string) => void; onSwitch: (user: string | null) => void
}): JSX.Element {
  const hello = useCell(useConsole().hello)
  return (
    <div class="console home" data-testid="home">
      <Header onSwitch={props.onSwitch}>
        <p class="brand">Nhịp Cầu</p>
        <p class="quiet">{hello?.station.name}</p>
      </Header>
      <main class="home-main">
        <Start />
        <div class="home-side">
          <StationPanel state={props.state} />
          {props.state.parked.length > 0 && <ParkedList state={props.state} />}
          <Records vault={props.state.vault} onRecord={props.onRecord} />
        </div>
      </main>
    </div>
  )
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
