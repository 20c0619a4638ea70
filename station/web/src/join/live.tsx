import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { EcgDialog } from '../ecg/dialog'
import { Studies } from '../dicom/studies'
import { LinkDetails, streamName } from '../link/details'
import { quality } from '../link/quality'
import { listDevices } from '../media/own'
import { Draft } from '../notes/draft'
import { DraftEditor, NoteCard } from '../notes/editor'
import { useCell } from '../observable'
import type { LiveConsultation, Note } from '../protocol'
import { t, word, type Key } from '../text'
import { Icon, Logo } from '../ui/icons'
import { Auscultations, ListeningNotice } from '../ui/auscultation'
import { PicturesPanel } from '../ui/pictures'
import { PtzPanel } from '../ui/ptz'
import { BarButton, Button, LanguageSwitch, Notice, Pill, timeOf, useAction } from '../ui/parts'
import { Stage, type Tile } from '../ui/stage'
import { AudioOut } from '../ui/video'
import { LiveTrends } from '../ui/trends'
import { AlarmList } from '../ui/alarms'
import { VitalsPanel } from '../ui/vitals'
import { CatchUp } from '../ui/catch-up'
import { WeakNotice } from '../ui/weak'
import { WavePanel } from '../waves/panel'
import { BrokenCode, GuestComparison } from './comparison'
import { ProposalsPanel } from './proposals'
import type { Guest } from './client'

export function Live({ guest, hidden }: { guest: Guest; hidden: boolean }): JSX.Element {
  const live = useCell(guest.live)
  const hello = useCell(guest.hello)
  const readings = useCell(guest.readings)
  const role = useCell(guest.role)
  const phase = useCell(guest.peer.phase)
  return (
    <div class="join-live" data-testid="live" hidden={hidden}>
      <header class="top">
        <Logo size={30} />
        <div class="top-middle">
          <div class="patient-line">
            <strong data-testid="patient-line">{personLine(live)}</strong>
            <span class="quiet">{[live?.station ?? hello?.station.name, live?.reason].filter(Boolean).join(' · ')}</span>
          </div>
        </div>
        {live?.recording && <span class="recording-state on" role="status" data-testid="recording-state"><i aria-hidden="true" />{t('recording.on')}</span>}
        <LinkState guest={guest} />
        <LanguageSwitch />
      </header>
      <main class="join-main">
        <div class="live-left">
          {phase === 'trouble' && <Notice look="warn" testid="media-trouble">{t('media.trouble')}</Notice>}
          <WeakNotice peer={guest.peer} />
          <BrokenCode guest={guest} />
          {live?.encryption === 'sfu' && <Notice look="warn" testid="sfu">{live.operator ? t('encryption.sfu-by', { name: live.operator }) : t('encryption.sfu')}</Notice>}
          <ListeningNotice live={live} />
          {live?.disk === 'full' && <Notice look="warn">{t('disk.full')}</Notice>}
          <Pictures guest={guest} live={live} />
          {role !== 'patient' && <WavePanel waves={guest.peer.waves} />}
          <Bar guest={guest} />
        </div>
        {role !== 'patient' && (
          <aside class="live-side">
            <AlarmList alarms={live?.alarms} />
            <VitalsPanel latest={readings} remote />
            <CatchUp past={guest.past} pictures={guest.pictures} />
            <LiveTrends readings={guest.readings} past={guest.past} consultation="" />
            <Ecgs guest={guest} />
            {role === 'specialist' && <Auscultations peer={guest.peer} sources={live?.sources ?? []} always={false} />}
            {role === 'specialist' && <GuestStudies guest={guest} />}
            {role === 'specialist' && <PtzPanel ptz={guest.ptz} />}
            {role === 'specialist' && <PicturesPanel pictures={guest.pictures} sources={live?.sources ?? []} />}
            <Opinion guest={guest} />
            {role === 'specialist' && <ProposalsPanel guest={guest} />}
          </aside>
        )}
      </main>
    </div>
  )
}

function Ecgs({ guest }: { guest: Guest }): JSX.Element | null {
  const items = useCell(guest.ecgs)
  const [open, setOpen] = useState(false)
  if (items.length === 0) return null
  return (
    <>
      <button type="button" class="link-button" data-testid="ecg-open" onClick={() => setOpen(true)}>
        <Icon name="heart" size={17} />
        {t('ecg.open')}
        <Pill look="info">{items.length}</Pill>
      </button>
      {open && <EcgDialog items={items} shelf={guest.shelf} onClose={() => setOpen(false)} />}
    </>
  )
}

function GuestStudies({ guest }: { guest: Guest }): JSX.Element | null {
  const objects = useCell(guest.dicom.objects)
  return objects.length > 0 ? <Studies objects={objects} source={guest.dicom} /> : null
}

function personLine(live: LiveConsultation | null): string {
  if (!live) return t('link.joining')
  const { patient } = live
  if (!patient?.name) return t('patient.unknown')
  return [patient.name, patient.sex && t(`sex.${patient.sex}` as Key), patient.birth_year].filter(Boolean).join(' · ')
}

/** The state of the connection in plain words. */
function LinkState({ guest }: { guest: Guest }): JSX.Element {
  const socket = useCell(guest.socket!.state)
  const phase = useCell(guest.peer.phase)
  const figures = useCell(guest.link)
  const live = useCell(guest.live)
  const { sight } = useCell(guest.peer.sight)
  let says: { text: string; look: 'good' | 'warn' | 'bad' | 'quiet' }
  if (phase === 'trouble' || socket !== 'open') says = { text: t('link.again'), look: 'warn' }
  else if (phase !== 'connected') says = { text: t('link.joining'), look: 'quiet' }
  else says = quality(figures?.loss ?? 0, figures?.rtt_ms ?? 0, sight)
  const name = streamName((label) => live?.people.find((person) => person.label === label)?.name)
  return (
    <details class="link-details">
      <summary aria-label={t('figures')} data-testid="figures-open">
        <span role="status"><Pill look={says.look} icon="signal" testid="link-state">{says.text}</Pill></span>
      </summary>
      {figures && <LinkDetails figures={figures} name={name} />}
      <GuestComparison guest={guest} relayed={figures?.relayed ?? false} encryption={live?.encryption} />
    </details>
  )
}

function Pictures({ guest, live }: { guest: Guest; live: LiveConsultation | null }): JSX.Element {
  const streams = useCell(guest.peer.streams)
  const own = useCell(guest.cam.track)
  const [main, setMain] = useState<string | null>(null)
  const ownStream = useMemo(() => (own ? new MediaStream([own]) : null), [own])
  const stethoscopes = new Set(live?.sources.filter(({ prefer }) => prefer === 'stethoscope')
    .map(({ name }) => `source-${name}`))
  const tiles: Tile[] = []
  for (const stream of streams) {
    if (!stream.video) continue
    const source = stream.kind === 'source' ? live?.sources.find(({ name }) => name === stream.name) : undefined
    const person = stream.kind === 'peer' ? live?.people.find(({ label }) => label === stream.name) : undefined
    const missing = source && source.state !== 'running' && source.state !== 'starting'
    tiles.push({
      id: stream.id,
      title: stream.kind === 'source' ? word('source', stream.name) : person?.name ?? t('participant'),
      stream: stream.video,
      person: stream.kind === 'peer',
      absent: missing ? word('source-state', source.state) : null,
    })
  }
  if (ownStream) tiles.push({ id: 'own', title: t('own.you'), stream: ownStream, absent: null, mirrored: guest.cam.facing !== 'environment' })
  return (
    <>
      <Stage tiles={tiles} main={main} onMain={setMain} empty={t('link.joining')} peer={guest.peer} />
      <div class="voices">
        {streams.map((stream) => stream.audio && !stethoscopes.has(stream.id) && (
          <AudioOut key={stream.id} stream={stream.audio} testid={`audio-${stream.id}`} />
        ))}
      </div>
    </>
  )
}

function Bar({ guest }: { guest: Guest }): JSX.Element {
  const mic = useCell(guest.mic.state)
  const cam = useCell(guest.cam.state)
  const [several, setSeveral] = useState(false)
  useEffect(() => void listDevices('video').then((list) => setSeveral(list.length > 1)), [cam])
  return (
    <nav class="bar" aria-label={t('bar')}>
      <BarButton icon={mic === 'on' ? 'mic' : 'micOff'} on={mic === 'on'} warn={mic !== 'on'} testid="microphone"
        text={t(`own.mic.${mic}` as Key)} onClick={() => (mic === 'on' ? guest.mic.off() : void guest.mic.on())} />
      <BarButton icon={cam === 'on' ? 'camera' : 'cameraOff'} on={cam === 'on'} testid="camera"
        text={t(`own.cam.${cam}` as Key)} onClick={() => (cam === 'on' ? guest.cam.off() : void guest.cam.on())} />
      {several && cam === 'on' && (
        <BarButton icon="swap" text={t('bar.switch')} testid="switch-camera" onClick={() => void nextCamera(guest)} />
      )}
      <span class="bar-gap" />
      <BarButton icon="leave" danger text={t('bar.leave')} testid="leave" onClick={() => guest.leave()} />
    </nav>
  )
}

/** A phone turns between front and back; elsewhere the next camera of the list follows. */
async function nextCamera(guest: Guest): Promise<void> {
  const settings = guest.cam.track.get()?.getSettings()
  if (settings?.facingMode === 'user' || settings?.facingMode === 'environment') {
    await guest.cam.choose(null, settings.facingMode === 'user' ? 'environment' : 'user')
    return
  }
  const cameras = await listDevices('video')
  const now = cameras.findIndex(({ id }) => id === settings?.deviceId)
  const next = cameras[(now + 1) % cameras.length]
  if (next) await guest.cam.choose(next.id)
}

/** Who has signed in may confirm what stands at the station: a signature by the key that the sign-in is bound to. */
function Confirm({ guest, draft, note }: { guest: Guest; draft: Draft; note: Note | undefined }): JSX.Element | null {
  const identity = useCell(guest.identity)
  const text = useCell(draft.text)
  const { busy, problem, run } = useAction()
  if (!identity || text.trim() === '') return null
  const same = note !== undefined && !note.draft && note.text === text
  const confirm = (): void => void run(async () => {
    await draft.settle(SETTLE_MS)
    await guest.confirmOpinion(draft.note, draft.text.get())
  })
  return (
    <div class="confirm-opinion">
      {same && note.confirmed
        ? <Pill look="good" icon="check" testid="opinion-confirmed">{t('note.confirmed')} {timeOf(note.confirmed)}</Pill>
        : <Button icon="sign" busy={busy} testid="confirm-opinion" onClick={confirm}>{t('note.confirm')}</Button>}
      {problem && <Notice look="warn">{problem}</Notice>}
    </div>
  )
}

const SETTLE_MS = 5000

function Opinion({ guest }: { guest: Guest }): JSX.Element {
  const notes = useCell(guest.notes)
  const role = useCell(guest.role)
  const draft = useMemo(
    () => new Draft(guest.opinion, 'opinion', '', (note, kind, text) => guest.saveNote(note, kind, text),
      (note, kind, text) => guest.keepNote(note, kind, text)), [],
  )
  useEffect(() => () => draft.flush(), [draft])
  useEffect(() => {
    const own = notes.find(({ note }) => note === draft.note)
    if (own) draft.follow(own.text, own.draft)
  }, [notes])
  const shown = notes.filter(({ note, text }) => note !== draft.note && text.trim() !== '')
  return (
    <section class="notes" aria-label={t('notes')} data-testid="opinions">
      {role === 'specialist' && (
        <>
          <DraftEditor draft={draft} label={t('note.opinion')} placeholder={t('note.opinion.hint')} rows={5} testid="opinion" />
          <Confirm guest={guest} draft={draft} note={notes.find(({ note }) => note === draft.note)} />
        </>
      )}
      {shown.length > 0 && <h3><Icon name="note" size={18} /> {t('notes')}</h3>}
      {shown.map((note) => <NoteCard key={note.note} note={note} />)}
      {shown.length === 0 && role !== 'specialist' && <p class="quiet">{t('notes.none')}</p>}
    </section>
  )
}
