import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { clockTime } from '../clinical/age'
import { AddEcg } from '../ecg/add'
import { EcgDialog } from '../ecg/dialog'
import { now, useCell } from '../observable'
import type { Consultation, Patient, StationState } from '../protocol'
import { t, type Key } from '../text'
import { BarButton, Button, Dialog, Notice, Pill, dateOf, useAction } from '../ui/parts'
import { Auscultations, ListeningNotice } from '../ui/auscultation'
import { PicturesPanel } from '../ui/pictures'
import { PtzPanel } from '../ui/ptz'
import { Stage, type Tile } from '../ui/stage'
import { LiveTrends } from '../ui/trends'
import { AlarmList } from '../ui/alarms'
import { VitalsPanel } from '../ui/vitals'
import { WeakNotice } from '../ui/weak'
import { WavePanel } from '../waves/panel'
import { Icon } from '../ui/icons'
import { ConcludeDialog } from './conclude'
import { ConferenceButton, ConferenceDialog, ConferenceNotices } from './conference'
import { useDuty } from './roles'
import { ConsentDialog, missingConsent } from './consent'
import { CallDialog, CallNotices } from './call'
import { useConsole } from './context'
import { GuestsTab, WaitingGuests } from './guests'
import { VisitsWaiting } from './visits'
import { Header } from './header'
import { patientName } from './home'
import { InviteDialog } from './invite'
import { MarkButton } from './mark'
import { NotesTab } from './notes'
import { PicturesTab } from './pictures'
import { PatientTab } from './patient-tab'
import { DevicesDialog, HeldBackNotices } from './devices'
import { BrokerNotice, RelayNotices, sourceReason, sourceTitle } from './station'
import { HappeningsTab } from './happenings'
import { TelephoneDialog, TelephoneNotice } from './telephone'

type Tab = 'notes' | 'pictures' | 'guests' | 'patient' | 'happenings'
type Open = 'call' | 'ecg' | 'consent' | 'invite' | 'conclude' | 'devices' | 'park' | 'telephone' | 'conference' | null
const TABS = [['notes', 'note'], ['pictures', 'film'], ['guests', 'people'], ['patient', 'person'], ['happenings', 'list']] as const

/** "Lò Thị Mai · nữ · 1962" */
export function patientLine(patient: Patient | null | undefined): string {
  return [
    patientName(patient), patient?.sex && t(`sex.${patient.sex}` as Key),
    patient?.birth_date ? dateOf(patient.birth_date) : patient?.birth_year,
  ].filter(Boolean).join(' · ')
}

export function Live(props: {
  state: StationState; consultation: Consultation; onSwitch: (user: string | null) => void
}): JSX.Element {
  const { state, consultation } = props
  const client = useConsole()
  const readings = useCell(client.readings)
  const live = useCell(client.live)
  const [tab, setTab] = useState<Tab>('notes')
  const [open, setOpen] = useState<Open>(null)
  const waiting = consultation.guests.filter((guest) => guest.state === 'lobby').length
  const close = (): void => setOpen(null)
  return (
    <div class="console live" data-testid="live">
      <Header onSwitch={props.onSwitch}>
        <div class="patient-line">
          <strong data-testid="patient-line">{patientLine(consultation.patient)}</strong>
          <span class="quiet">{t(`mode.${consultation.mode}` as Key)} · <Elapsed since={consultation.started} /></span>
        </div>
        <RecordingButton consultation={consultation} onConsent={() => setOpen('consent')} />
      </Header>
      <main class="live-main">
        <div class="live-left">
          <WaitingGuests consultation={consultation} />
          <CallNotices consultation={consultation} />
          <VisitsWaiting state={state} />
          <ConferenceNotices state={state} />
          <TelephoneNotice consultation={consultation} onWrite={() => setOpen('telephone')} />
          {missingConsent(consultation) && (
            <Notice look="warn" testid="consent-missing"
              action={<Button testid="consent-open" onClick={() => setOpen('consent')}>{t('consent.enter')}</Button>}>
              {t('consent.missing')}
            </Notice>
          )}
          {state.disk.level !== 'good' && (
            <Notice look={state.disk.level === 'full' ? 'bad' : 'warn'}>
              {t(state.disk.level === 'full' ? 'disk.full' : 'disk.low')}
            </Notice>
          )}
          <HeldBackNotices devices={state.devices} onOpen={() => setOpen('devices')} />
          <ListeningNotice live={live} />
          <RelayNotices relays={state.relays ?? []} />
          <BrokerNotice broker={state.broker} />
          <Pictures state={state} consultation={consultation} />
          <WavePanel waves={client.peer.waves} />
          <Bar state={state} onOpen={setOpen} consented={consultation.consents.length > 0} />
        </div>
        <aside class="live-side">
          <AlarmList alarms={consultation.alarms} />
          <VitalsPanel latest={readings} />
          <LiveTrends readings={client.readings} past={client.past} consultation={consultation.id} />
          <Auscultations peer={client.peer} sources={state.sources} always={client.peer.options.loopback ?? false} />
          <PtzPanel ptz={client.ptz} console />
          <PicturesPanel pictures={client.pictures} sources={state.sources}
            onPrefer={(source, prefer) => void client.ask('source.prefer', { source, prefer }).catch(() => {})} />
          <button type="button" class="link-button" data-testid="devices-open" onClick={() => setOpen('devices')}>
            <Icon name="device" size={17} />
            {t('devices.open')}
            {state.waiting_readings > 0 && <Pill look="warn">{t('devices.waiting', { n: state.waiting_readings })}</Pill>}
          </button>
          <button type="button" class="link-button" data-testid="ecg-open" onClick={() => setOpen('ecg')}>
            <Icon name="heart" size={17} />
            {t('ecg.open')}
            {(consultation.ecgs ?? []).length > 0 && <Pill look="info">{consultation.ecgs!.length}</Pill>}
          </button>
          <div class="tabs" role="tablist" aria-label={t('tabs')}>
            {TABS.map(([name, icon]) => (
              <button type="button" role="tab" key={name} id={`tab-${name}`} aria-controls="tab-panel"
                aria-selected={tab === name} data-testid={`tab-${name}`} onClick={() => setTab(name)}>
                <Icon name={icon} />
                <span>{t(`tab.${name}` as Key)}</span>
                {name === 'pictures' && state.held.length > 0 && <b class="count">{state.held.length}</b>}
                {name === 'guests' && waiting > 0 && <b class="count">{waiting}</b>}
              </button>
            ))}
          </div>
          <div class="tab-panel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`}>
            {tab === 'notes' && <NotesTab consultation={consultation} onTelephone={() => setOpen('telephone')} />}
            {tab === 'pictures' && <PicturesTab state={state} consultation={consultation} />}
            {tab === 'guests' && <GuestsTab consultation={consultation} onInvite={() => setOpen('invite')} />}
            {tab === 'patient' && <PatientTab consultation={consultation} onConsent={() => setOpen('consent')} />}
            {tab === 'happenings' && <HappeningsTab events={consultation.events} marks={consultation.marks ?? []} />}
          </div>
        </aside>
      </main>
      {open === 'consent' && <ConsentDialog consultation={consultation} onClose={close} />}
      {open === 'call' && <CallDialog consultation={consultation} duty={state.duty ?? []} far={state.duty_far ?? false} onClose={close} />}
      {open === 'invite' && <InviteDialog consultation={consultation} onClose={close} />}
      {open === 'conclude' && <ConcludeDialog consultation={consultation} onClose={close} />}
      {open === 'devices' && <DevicesDialog state={state} consultation={consultation} onClose={close} />}
      {open === 'ecg' && (
        <EcgDialog items={consultation.ecgs ?? []} shelf={client.ecgs(consultation.id)} onClose={close}>
          <AddEcg ask={(type, fields) => client.ask(type, fields)} patient={patientLine(consultation.patient)} />
        </EcgDialog>
      )}
      {open === 'telephone' && <TelephoneDialog consultation={consultation} onClose={close} />}
      {open === 'conference' && state.conference && <ConferenceDialog conference={state.conference} onClose={close} />}
      {open === 'park' && <ParkDialog onClose={close} />}
    </div>
  )
}

function Elapsed({ since }: { since: string }): JSX.Element {
  return <span class="elapsed">{clockTime((useCell(now) - Date.parse(since)) / 1000)}</span>
}

function RecordingButton(props: { consultation: Consultation; onConsent: () => void }): JSX.Element {
  const client = useConsole()
  const { recording } = props.consultation
  const { busy, problem, run } = useAction()
  const press = (): void => {
    if (recording.on) void run(() => client.ask('recording.pause', { reason: '' }))
    else if (recording.allowed === false) props.onConsent()
    else void run(() => client.ask('recording.start'))
  }
  return (
    <div class="recording-control">
      {problem && <Pill look="bad">{problem}</Pill>}
      <span class={`recording-state${recording.on ? ' on' : ''}`} role="status" data-testid="recording-state"
        data-on={recording.on}>
        <i aria-hidden="true" />
        {recording.on
          ? <>{t('recording.on')}{recording.since && <Elapsed since={recording.since} />}</>
          : t('recording.off')}
      </span>
      <Button look={recording.on ? 'plain' : 'danger'} icon={recording.on ? 'pause' : 'record'} busy={busy}
        testid="recording" onClick={press}>
        {t(recording.on ? 'recording.pause' : 'recording.start')}
      </Button>
    </div>
  )
}

function Pictures({ state, consultation }: { state: StationState; consultation: Consultation }): JSX.Element {
  const client = useConsole()
  const streams = useCell(client.peer.streams)
  const phase = useCell(client.peer.phase)
  const live = useCell(client.live)
  const own = useCell(client.cam.track)
  const [main, setMain] = useState<string | null>(null)
  const [ownStream, setOwnStream] = useState<MediaStream | null>(null)
  if ((ownStream?.getTracks()[0] ?? null) !== own) setOwnStream(own ? new MediaStream([own]) : null)

  const tiles: Tile[] = state.sources
    .filter((source) => source.kind !== 'audio')
    .map((source) => ({
      id: `source-${source.name}`,
      title: sourceTitle(source.name),
      stream: streams.find(({ id }) => id === `source-${source.name}`)?.video ?? null,
      absent: source.state === 'running' ? null : sourceReason(source),
      recording: source.recording ?? false,
    }))
  for (const stream of streams) {
    if (stream.kind !== 'peer' || !stream.video) continue
    const guest = consultation.guests.find(({ label, guest: id }) => (label ?? id) === stream.name)
    const person = live?.people.find(({ label }) => label === stream.name)
    tiles.push({
      id: stream.id,
      title: guest?.name ?? person?.name ?? t('guest'),
      person: true,
      stream: stream.video,
      absent: guest?.state === 'away' ? t('guest-state.away') : null,
    })
  }
  if (ownStream) tiles.push({ id: 'own', title: t('own.you'), stream: ownStream, absent: null, mirrored: true })
  return (
    <>
      {phase === 'trouble' && <Notice look="warn" testid="media-trouble">{t('media.trouble')}</Notice>}
      <WeakNotice peer={client.peer} />
      <Stage tiles={tiles} main={main} onMain={setMain} empty={t('stage.none')} peer={client.peer} />
    </>
  )
}

function Bar(props: { state: StationState; onOpen: (what: Open) => void; consented: boolean }): JSX.Element {
  const client = useConsole()
  const duty = useDuty()
  const mic = useCell(client.mic.state)
  const cam = useCell(client.cam.state)
  return (
    <nav class="bar" aria-label={t('bar')}>
      <BarButton icon={mic === 'on' ? 'mic' : 'micOff'} on={mic === 'on'} warn={mic !== 'on'} testid="microphone"
        text={t(`own.mic.${mic}` as Key)} onClick={() => client.toggleMicrophone()} />
      <BarButton icon={cam === 'on' ? 'camera' : 'cameraOff'} on={cam === 'on'} testid="camera"
        text={t(`own.cam.${cam}` as Key)} onClick={() => client.toggleCamera()} />
      <span class="bar-gap" />
      <MarkButton />
      <BarButton icon="sound" text={t('bar.call')} testid="call-specialist" onClick={() => props.onOpen('call')} />
      <BarButton icon="users" text={t('bar.invite')} testid="invite" onClick={() => props.onOpen('invite')} />
      <ConferenceButton state={props.state} onOpen={() => props.onOpen('conference')} />
      <BarButton icon="shield" text={t('bar.consent')} testid="consent" onClick={() => props.onOpen('consent')} />
      <BarButton icon="park" text={t('bar.park')} testid="park" onClick={() => props.onOpen('park')} />
      {duty === 'doctor' && <BarButton icon="sign" text={t('bar.conclude')} testid="conclude" danger onClick={() => props.onOpen('conclude')} />}
    </nav>
  )
}

function ParkDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  return (
    <Dialog title={t('park.title')} onClose={onClose} testid="park-dialog">
      <div class="dialog-body">
        <p>{t('park.more')}</p>
        {problem && <Notice look="bad">{problem}</Notice>}
      </div>
      <footer>
        <Button onClick={onClose}>{t('do.cancel')}</Button>
        <Button look="primary" icon="park" busy={busy} testid="park-go"
          onClick={() => void run(() => client.ask('consultation.park')).then((done) => done && onClose())}>
          {t('park.go')}
        </Button>
      </footer>
    </Dialog>
  )
}
