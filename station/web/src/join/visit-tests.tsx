import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { watchLevel } from '../media/level'
import { playTone } from '../media/tone'
import { useCell } from '../observable'
import type { TestWord } from '../protocol'
import { t, type Key } from '../text'
import { Button, Notice } from '../ui/parts'
import { LiveVideo } from '../ui/video'
import type { Guest } from './client'
import { linkWord, measureLink, type LinkFigures } from './linktest'
import type { Visit } from './visit'
import { Head } from './visit-screens'

interface Shown { guest: Guest; visit: Visit }

/** Of the bar: a voice near the phone. */
const HEARD = 0.3
/** So often, ten times a second looked at: more than a knock. */
const LOUD_TIMES = 4

/** The answer to a test: it works; it does not, and here is what to do; or go on without. */
function Verdict(props: {
  yes: string; waits?: boolean; help: Key | null; onYes: () => void; onNo?: (() => void) | undefined; onAgain?: (() => void) | undefined; onSkip: () => void
}): JSX.Element {
  return (
    <>
      {props.help && <Notice look="warn" testid="test-help"><p class="visit-help">{t(props.help)}</p></Notice>}
      {!props.help && <Button big wide look="primary" icon="check" disabled={props.waits ?? false} testid="test-yes" onClick={props.onYes}>{props.yes}</Button>}
      {!props.help && props.onNo && <Button big wide testid="test-no" onClick={props.onNo}>{t('visit.no')}</Button>}
      {props.help && props.onAgain && <Button big wide look="primary" testid="test-again" onClick={props.onAgain}>{t('do.again')}</Button>}
      {props.help && <Button big wide testid="test-skip" onClick={props.onSkip}>{t('visit.skip')}</Button>}
    </>
  )
}

/** What to do about a device that is not there: the browsers of Zalo and Facebook have none at all. */
function deviceHelp(kind: 'camera' | 'microphone', state: string): Key | null {
  if (!navigator.mediaDevices) return 'visit.help.browser'
  if (state === 'denied') return kind === 'camera' ? 'visit.help.camera.denied' : 'visit.help.microphone.denied'
  if (state === 'busy') return 'visit.help.busy'
  if (state === 'missing') return kind === 'camera' ? 'visit.help.camera.missing' : 'visit.help.microphone.missing'
  return null
}

export function CameraTest({ guest, visit }: Shown): JSX.Element {
  const state = useCell(guest.cam.state)
  const track = useCell(guest.cam.track)
  const [stream, setStream] = useState<MediaStream | null>(null)
  const [dark, setDark] = useState(false)
  useEffect(() => setStream(track ? new MediaStream([track]) : null), [track])
  useEffect(() => void guest.cam.on(), [])
  const done = (word: TestWord): void => {
    visit.result('camera', word)
    visit.next()
  }
  const help = dark ? 'visit.help.camera.dark' : deviceHelp('camera', state)
  return (
    <>
      <Head icon="camera" title={t('visit.camera')} />
      {state === 'asking' && <Notice look="info">{t('visit.allow')}</Notice>}
      {(stream !== null || help === null) && (
        <div class="preview-picture">
          <LiveVideo stream={stream} testid="preview" label={t('ready.preview')} mirrored>{() => null}</LiveVideo>
        </div>
      )}
      <Verdict yes={t('visit.camera.yes')} waits={stream === null} help={help} onYes={() => done('good')} onNo={() => setDark(true)}
        onAgain={() => {
          setDark(false)
          void guest.cam.on()
        }} onSkip={() => done('bad')} />
    </>
  )
}

export function MicrophoneTest({ guest, visit }: Shown): JSX.Element {
  const state = useCell(guest.mic.state)
  const track = useCell(guest.mic.track)
  const [level, setLevel] = useState(0)
  const [heard, setHeard] = useState(false)
  const [silent, setSilent] = useState(false)
  const loud = useRef(0)
  useEffect(() => void guest.mic.on(), [])
  useEffect(() => track ? watchLevel(track, (now) => {
    setLevel(now)
    if (now > HEARD) loud.current++
    if (loud.current >= LOUD_TIMES) setHeard(true)
  }) : undefined, [track])
  const done = (word: TestWord): void => {
    visit.result('microphone', word)
    visit.next()
  }
  const help = silent && !heard ? 'visit.help.microphone.silent' : deviceHelp('microphone', state)
  return (
    <>
      <Head icon="mic" title={t('visit.microphone')}><p>{t('visit.microphone.more')}</p></Head>
      {state === 'asking' && <Notice look="info">{t('visit.allow')}</Notice>}
      <div class="level visit-level" role="meter" aria-label={t('ready.level')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(level * 100)}
        data-testid="level"><span class="level-bar"><i style={{ transform: `scaleX(${level.toFixed(2)})` }} /></span></div>
      <p role="status" data-testid="mic-heard">{t(heard ? 'visit.microphone.heard' : 'visit.microphone.waiting')}</p>
      <Verdict yes={t(heard ? 'visit.next' : 'visit.microphone.yes')} help={help} onYes={() => done(heard ? 'good' : 'weak')}
        onNo={heard ? undefined : () => setSilent(true)}
        onAgain={() => {
          setSilent(false)
          void guest.mic.on()
        }} onSkip={() => done('bad')} />
    </>
  )
}

export function SpeakerTest({ visit }: Shown): JSX.Element {
  const [playing, setPlaying] = useState(false)
  const [played, setPlayed] = useState(false)
  const [deaf, setDeaf] = useState(false)
  const play = (): void => {
    setPlaying(true)
    setDeaf(false)
    void playTone().catch(() => {}).finally(() => {
      setPlaying(false)
      setPlayed(true)
    })
  }
  const done = (word: TestWord): void => {
    visit.result('speaker', word)
    visit.next()
  }
  return (
    <>
      <Head icon="sound" title={t('visit.speaker')}><p>{t(played ? 'visit.speaker.heard' : 'visit.speaker.more')}</p></Head>
      <Button big wide look={played ? 'plain' : 'primary'} icon="play" busy={playing} testid="tone" onClick={play}>{t(played ? 'visit.speaker.again' : 'visit.speaker.play')}</Button>
      {played && <Verdict yes={t('visit.speaker.yes')} help={deaf ? 'visit.help.speaker' : null} onYes={() => done('good')}
        onNo={() => setDeaf(true)} onAgain={play} onSkip={() => done('bad')} />}
    </>
  )
}

export function LinkTest({ guest, visit }: Shown): JSX.Element {
  const [figures, setFigures] = useState<LinkFigures | null>(null)
  const [failed, setFailed] = useState(false)
  const measure = (): void => {
    setFigures(null)
    setFailed(false)
    measureLink(guest.socket!).then((found) => {
      setFigures(found)
      visit.result('link', linkWord(found), { ...found })
    }, () => {
      setFailed(true)
      visit.result('link', 'bad')
    })
  }
  useEffect(measure, [])
  const word = figures ? linkWord(figures) : failed ? 'bad' : null
  return (
    <>
      <Head icon="signal" title={t('visit.link')}>
        {word === null && <p role="status">{t('visit.link.measuring')}</p>}
        {word !== null && <p role="status" data-testid="link-word">{t(`visit.link.${word}` as Key)}</p>}
      </Head>
      {figures && <p class="quiet">{t('visit.link.figures', { rtt: figures.rtt_ms, up: figures.up_kbps, down: figures.down_kbps })}</p>}
      {word !== null && word !== 'good' && <Notice look="warn" testid="test-help"><p class="visit-help">{t('visit.help.link')}</p></Notice>}
      {word !== null && <Button big wide look="primary" testid="visit-enter" onClick={() => visit.next()}>{t('visit.enter')}</Button>}
      {word !== null && word !== 'good' && <Button big wide testid="test-again" onClick={measure}>{t('visit.link.again')}</Button>}
    </>
  )
}
