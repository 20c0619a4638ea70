import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { sha256 } from '../bytes'
import { clockTime } from '../clinical/age'
import { ProblemTitle } from '../notes/problems'
import { httpSource } from '../dicom/frames'
import { dicomObjects } from '../dicom/object'
import { Studies } from '../dicom/studies'
import { useCell } from '../observable'
import { Player } from '../playback/player'
import { readingsAt, type Moment, type ReadRecord, type RecordedPictureView } from '../playback/record'
import { stretches, type Track } from '../playback/schedule'
import type { TrackPlayer, TrackState } from '../playback/track'
import { t, word } from '../text'
import { ClipViewer } from '../ui/clip'
import { Icon } from '../ui/icons'
import { Button, Notice, timeOf, useAction } from '../ui/parts'
import { pictureDetail } from '../ui/pictures'
import { RecordTrends } from '../ui/trends'
import { Viewer } from '../ui/viewer'
import { VitalsPanel } from '../ui/vitals'
import { RecordedWaves } from '../waves/recorded'
import { useConsole } from './context'
import { happeningDetail } from './happenings'
import { RecordedWavePanel } from './recorded-waves'

const RATES = [1, 1.5, 2, 0.5]

async function fetchRecord(consultation: string, session: string, segment: string, seq: number, signal: AbortSignal): Promise<ArrayBuffer> {
  const path = [consultation, segment, String(seq)].map(encodeURIComponent).join('/')
  const answer = await fetch(`/media/${path}`, {
    headers: { Authorization: `Bearer ${session}` }, cache: 'no-store', signal,
  })
  if (!answer.ok) throw new Error(`media ${answer.status}`)
  return answer.arrayBuffer()
}

export function Playback({ record, session }: { record: ReadRecord; session: string }): JSX.Element {
  const player = useMemo(
    () => new Player(record.tracks, (segment, seq, signal) => fetchRecord(record.id, session, segment, seq, signal)),
    [record, session],
  )
  useEffect(() => () => player.end(), [player])
  const waves = useRecordedWaves(record, player)
  const videos = record.tracks.filter(({ mime }) => mime.startsWith('video'))
  const sounds = record.tracks.filter(({ mime }) => mime.startsWith('audio'))
  const hearts = sounds.filter(isStethoscope)
  const [heart, setHeart] = useState(false)
  const [main, setMain] = useState<string | null>(null)
  const chosen = videos.find(({ stream }) => stream === main)?.stream ?? videos[0]?.stream
  return (
    <main class="playback" data-testid="playback">
      <div class="live-left">
        {record.tracks.length === 0 && <Notice look="info">{t('playback.none')}</Notice>}
        <section class={`stage${videos.length < 2 ? ' single' : ''}`} aria-label={t('stage')}
          style={{ '--columns': Math.max(3, Math.min(6, videos.length - 1)) }}>
          {videos.map((track) => (
            <RecordedPicture key={track.stream} track={track} player={player} main={track.stream === chosen}
              onChoose={() => setMain(track.stream)} />
          ))}
        </section>
        <RecordedWavePanel player={player} record={record} waves={waves} />
        {sounds.map((track) => <RecordedSound key={track.stream} track={track} player={player} silent={isStethoscope(track) !== heart} />)}
        {hearts.length > 0 && (
          <Button look={heart ? 'primary' : 'plain'} icon="heart" pressed={heart} testid="playback-listen"
            onClick={() => setHeart(!heart)}>{t('playback.listen')}</Button>
        )}
        <Transport player={player} record={record} />
      </div>
      <aside class="live-side">
        <ReadingsThen player={player} record={record} />
        <RecordedStudies record={record} session={session} />
        <RecordedPictures player={player} record={record} session={session} />
        <Moments player={player} record={record} />
      </aside>
    </main>
  )
}

/** Rows of waves, as long as the record is open. What lies after the last track makes it longer. */
function useRecordedWaves(record: ReadRecord, player: Player): RecordedWaves {
  const client = useConsole()
  const waves = useMemo(() => new RecordedWaves(
    async (after, limit) => (await client.ask('record.waves', { consultation: record.id, after, limit })) as
      unknown as Awaited<ReturnType<RecordedWaves['ask']>>,
    (row) => record.place(row.mono_us, row.start_us),
  ), [record])
  useEffect(() => {
    const end = waves.end.subscribe(() => player.reach((waves.end.get() / 1000 - record.started) / 1000))
    void waves.open().then(() => waves.follow(record.started * 1000 + player.at.get() * 1e6)).catch(() => {})
    return () => {
      end()
      waves.close()
    }
  }, [waves, player])
  return waves
}

function RecordedStudies({ record, session }: { record: ReadRecord; session: string }): JSX.Element | null {
  const source = useMemo(() => httpSource(() => session), [session])
  const objects = useMemo(() => dicomObjects(record.attachments, record.id), [record])
  return objects.length > 0 ? <Studies objects={objects} source={source} /> : null
}

/** Recorded without loss; heard alone, as it was at the time. */
function isStethoscope({ mime }: Track): boolean {
  return mime.includes('flac')
}

/** The pictures and clips that were taken; one that is opened is fetched, and compared with what was signed. */
function RecordedPictures({ player, record, session }: { player: Player; record: ReadRecord; session: string }): JSX.Element | null {
  const [open, setOpen] = useState<{ view: RecordedPictureView; blob: Blob } | null>(null)
  const { busy, problem, run } = useAction()
  if (record.pictures.length === 0) return null
  const show = async (view: RecordedPictureView): Promise<void> => {
    player.seek(Math.max(0, view.at))
    setOpen({ view, blob: await fetchPicture(record.id, session, view) })
  }
  const name = (view: RecordedPictureView): string => word('source', view.source.replace(/^source-/, ''))
  return (
    <section class="pictures" aria-label={t('pictures')}>
      <h3>{t('pictures')}</h3>
      {problem && <Notice look="bad">{problem}</Notice>}
      <ul class="picture-list" data-testid="recorded-pictures">
        {record.pictures.map((view) => (
          <li key={view.picture}>
            <button type="button" class="picture-item" data-kind={view.seconds === undefined ? 'still' : 'clip'} disabled={busy}
              onClick={() => void run(() => show(view))}>
              <strong>{name(view)}</strong>
              <span class="quiet">{timeOf(view.taken, true)} · {pictureDetail(view)}</span>
            </button>
          </li>
        ))}
      </ul>
      {open && open.view.seconds !== undefined && (
        <ClipViewer blob={open.blob} startUs={open.view.start_us ?? 0} title={`${name(open.view)} · ${timeOf(open.view.taken, true)}`}
          detail={pictureDetail(open.view)} onClose={() => setOpen(null)} />
      )}
      {open && open.view.seconds === undefined && (
        <Viewer blob={open.blob} title={`${name(open.view)} · ${timeOf(open.view.taken, true)}`}
          detail={pictureDetail(open.view)} onClose={() => setOpen(null)} />
      )}
    </section>
  )
}

async function fetchPicture(consultation: string, session: string, view: RecordedPictureView): Promise<Blob> {
  const answer = await fetch(`/attachment/${encodeURIComponent(consultation)}/${encodeURIComponent(view.picture)}`, {
    headers: { Authorization: `Bearer ${session}` }, cache: 'no-store',
  })
  if (!answer.ok) throw new Error(`attachment ${answer.status}`)
  const bytes = await answer.arrayBuffer()
  if (await sha256(bytes) !== view.sha256) throw new Error('attachment differs')
  return new Blob([bytes], { type: view.mime })
}

function trackTitle(track: Track): string {
  return word('source', track.label || track.stream.replace(/^source-/, ''))
}

function useTrack(player: Player, track: Track, element: { current: HTMLMediaElement | null }): TrackState {
  const [state, setState] = useState<TrackState>('waiting')
  useEffect(() => {
    if (!element.current) return
    const one: TrackPlayer = player.attach(track, element.current)
    const follow = (): void => setState(one.state.get())
    follow()
    const quiet = one.state.subscribe(follow)
    return () => {
      quiet()
      player.detach(one)
    }
  }, [player, track])
  return state
}

function RecordedPicture(props: { track: Track; player: Player; main: boolean; onChoose: () => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const state = useTrack(props.player, props.track, video)
  const title = trackTitle(props.track)
  const why = state === 'gap' ? t('playback.gap') : state === 'unsupported' ? t('playback.unsupported')
    : state === 'failed' ? t('playback.failed') : null
  return (
    <figure class={`picture${props.main ? ' main' : ''}`}>
      <video ref={video} muted playsInline preload="auto" aria-label={title}
        data-testid={`recorded-${props.track.stream}`} data-state={state} />
      {why && <div class="no-picture"><Icon name="cameraOff" size={28} /><p>{why}</p></div>}
      <figcaption><span>{title}</span></figcaption>
      {!props.main && <button type="button" class="choose" aria-label={t('stage.choose', { name: title })} onClick={props.onChoose} />}
    </figure>
  )
}

function RecordedSound(props: { track: Track; player: Player; silent: boolean }): JSX.Element {
  const { track, player, silent } = props
  const audio = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    if (audio.current) audio.current.muted = silent
  }, [silent])
  const state = useTrack(player, track, audio)
  return <audio ref={audio} preload="auto" data-testid={`recorded-${track.stream}`} data-state={state} />
}

function Transport({ player, record }: { player: Player; record: ReadRecord }): JSX.Element {
  const at = useCell(player.at)
  const playing = useCell(player.playing)
  const loading = useCell(player.loading)
  const rate = useCell(player.rate)
  const length = useCell(player.length)
  const share = (seconds: number): string => `${length > 0 ? (100 * seconds) / length : 0}%`
  return (
    <section class="transport" aria-label={t('playback')}>
      <div class="timeline">
        {record.tracks.flatMap((track) => stretches(track.pieces).map(({ start, end }) => (
          <i key={`${track.stream}${start}`} class="stretch"
            style={{ left: share(start), width: share(end - start) }} />
        )))}
        {record.moments.filter((moment) => moment.at >= 0 && moment.at <= length).map((moment, i) => (
          <i key={i} class={`mark ${moment.kind}`} style={{ left: share(moment.at) }} />
        ))}
        <input type="range" min={0} max={length} step={0.1} value={at} data-testid="seek" aria-label={t('playback.position')}
          aria-valuetext={clockTime(at)} style={{ '--done': share(at) }}
          onInput={(event) => player.seek(Number(event.currentTarget.value))} />
      </div>
      <div class="transport-row">
        <Button icon="back10" label={t('playback.back')} onClick={() => player.seek(at - 10)} />
        <Button look="primary" big icon={playing ? 'pause' : 'play'} label={t(playing ? 'playback.pause' : 'playback.play')}
          testid="play" onClick={() => player.toggle()} />
        <Button icon="forward10" label={t('playback.forward')} onClick={() => player.seek(at + 10)} />
        <Button testid="rate" onClick={() => player.rate.set(RATES[(RATES.indexOf(rate) + 1) % RATES.length] ?? 1)}>{`${rate}×`}</Button>
        <span class="position" data-testid="position">{clockTime(at)} / {clockTime(length)}</span>
        <span class="quiet">{timeOf(record.started + at * 1000, true)}</span>
        {loading && <span class="quiet" role="status">{t('playback.loading')}</span>}
      </div>
    </section>
  )
}

/** Whole seconds of the playhead: the lists need not follow twenty times a second. */
function useSecond(player: Player): number {
  const [second, setSecond] = useState(Math.floor(player.at.get()))
  useEffect(() => player.at.subscribe(() => setSecond(Math.floor(player.at.get()))), [player])
  return second
}

function ReadingsThen({ player, record }: { player: Player; record: ReadRecord }): JSX.Element {
  const second = useSecond(player)
  const latest = useMemo(() => readingsAt(record, second + 1), [record, second])
  const at = record.started + second * 1000
  return (
    <>
      <VitalsPanel latest={latest} at={at} />
      <RecordTrends observations={record.observations} at={at} />
    </>
  )
}

function momentTitle(moment: Moment): string {
  if (moment.kind === 'note') return word('note', moment.title)
  if (moment.kind === 'consent') return `${t('consent.title')}: ${word('consent', moment.title)}`
  return word('event', moment.title)
}

function Moments({ player, record }: { player: Player; record: ReadRecord }): JSX.Element {
  const second = useSecond(player)
  const list = useRef<HTMLOListElement>(null)
  const current = record.moments.reduce((found, moment, i) => (moment.at <= second + 0.5 ? i : found), -1)
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: 'nearest' })
  }, [current])
  return (
    <section class="moments" aria-label={t('playback.moments')}>
      {record.problems.map((one) => (
        <article key={one.problem} class="problem-card"><header><ProblemTitle problem={one} /></header>{one.text && <p>{one.text}</p>}</article>
      ))}
      <h3>{t('playback.moments')}</h3>
      <ol ref={list} data-testid="moments">
        {record.moments.map((moment, i) => (
          <li key={i} class={`${moment.kind}${i === current ? ' current' : ''}${i > current ? ' later' : ''}`}>
            <button type="button" onClick={() => player.seek(moment.at)}>
              <time>{moment.at >= 0 ? clockTime(moment.at) : timeOf(record.started + moment.at * 1000)}</time>
              <span>
                <strong>{momentTitle(moment)}{moment.note && ` — ${moment.note.user}`}</strong>
                {moment.detail && <small>{moment.kind === 'note' ? moment.detail : happeningDetail(moment.title, moment.detail)}</small>}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {record.people.length > 0 && (
        <p class="quiet">
          {t('summary.people')}: {record.people.map(({ name, facility }) => name + (facility ? ` (${facility})` : '')).join(', ')}
        </p>
      )}
    </section>
  )
}
