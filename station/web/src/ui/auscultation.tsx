import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { Auscultation, type View } from '../media/auscultation'
import type { Peer } from '../media/peer'
import type { Phonogram } from '../media/phonogram'
import { useCell } from '../observable'
import type { LiveConsultation, SourceView } from '../protocol'
import { t, word, type Key } from '../text'
import { Button, Notice } from './parts'

const DRAW_MS = 40
/** Where nothing is heard, the noise is not blown up. */
const LEAST_PEAK = 0.02

/** The stethoscopes of the clinic. `always`: their sound comes without being asked for. */
export function Auscultations(props: {
  peer: Peer; sources: readonly SourceView[]; always: boolean
}): JSX.Element {
  const list = props.sources.filter(({ prefer }) => prefer === 'stethoscope')
  return <>{list.map((source) => <Panel key={source.name} source={source} peer={props.peer} always={props.always} />)}</>
}

/** For everybody: why the room is not heard now. */
export function ListeningNotice({ live }: { live: LiveConsultation | null }): JSX.Element | null {
  const labels = live?.listening?.map(({ label }) => label) ?? []
  if (labels.length === 0) return null
  const names = labels.map((label) => live?.people.find((person) => person.label === label)?.name ?? t('participant'))
  return <Notice look="info" testid="listening-notice">{t('auscultation.muted', { who: names.join(', ') })}</Notice>
}

function Panel({ source, peer, always }: { source: SourceView; peer: Peer; always: boolean }): JSX.Element {
  const stream = `source-${source.name}`
  const sound = useMemo(() => new Auscultation(peer, stream, always), [peer, stream, always])
  useEffect(() => () => sound.end(), [sound])
  const audio = useCell(peer.streams).find(({ id }) => id === stream)?.audio ?? null
  useEffect(() => sound.take(audio), [sound, audio])
  const listening = useCell(sound.listening)
  const there = source.state === 'running'
  return (
    <section class={`auscultation${listening ? ' listening' : ''}`} aria-label={word('source', source.name)}
      data-testid={`auscultation-${source.name}`}>
      <header>
        <h3>{word('source', source.name)}</h3>
        {!there && <span class="quiet">{word('source-state', source.state)}</span>}
        <Button look={listening ? 'primary' : 'plain'} icon={listening ? 'stop' : 'heart'} pressed={listening}
          disabled={!there && !listening} testid="listen" onClick={() => sound.listen(!listening)}>
          {t(listening ? 'auscultation.end' : 'auscultation.listen')}
        </Button>
      </header>
      {(listening || always) && <Wave sound={sound} />}
      {listening && <Ear sound={sound} />}
    </section>
  )
}

function Ear({ sound }: { sound: Auscultation }): JSX.Element {
  const volume = useCell(sound.volume)
  const view = useCell(sound.view)
  return (
    <div class="ear">
      <p class="headphones" data-testid="headphones">{t('auscultation.headphones')}</p>
      <label>
        {t('auscultation.volume')}
        <input type="range" min={0} max={4} step={0.1} value={volume} data-testid="listen-volume"
          onInput={(event) => sound.volume.set(Number(event.currentTarget.value))} />
      </label>
      <label>
        {t('auscultation.view')}
        <select value={view} data-testid="listen-view"
          onChange={(event) => sound.view.set(event.currentTarget.value as View)}>
          {(['none', 'bell', 'diaphragm'] as const).map((one) => (
            <option key={one} value={one}>{t(`auscultation.view.${one}` as Key)}</option>
          ))}
        </select>
      </label>
    </div>
  )
}

function Wave({ sound }: { sound: Auscultation }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const timer = setInterval(() => {
      sound.draw()
      if (canvas.current && document.visibilityState !== 'hidden') paint(canvas.current, sound.phonogram)
    }, DRAW_MS)
    return () => clearInterval(timer)
  }, [sound])
  return (
    <canvas ref={canvas} class="phonogram" width={sound.phonogram.width} height={120} role="img"
      aria-label={t('auscultation.wave')} data-testid="phonogram" />
  )
}

/** The newest at the right; seconds are ruled, gaps hatched, what the browser made up is pale. */
export function paint(canvas: HTMLCanvasElement, wave: Phonogram): void {
  const ink = canvas.getContext('2d')
  if (!ink) return
  const { width, height } = canvas
  const style = getComputedStyle(canvas)
  const line = style.getPropertyValue('--wave') || '#0b6b57'
  const pale = style.getPropertyValue('--wave-concealed') || '#c9822b'
  const rule = style.getPropertyValue('--wave-rule') || '#d9e2e0'
  const scale = (height / 2 - 4) / Math.max(wave.peak(), LEAST_PEAK)
  ink.clearRect(0, 0, width, height)
  ink.fillStyle = rule
  const second = width / 4
  for (let x = width - (wave.columns % second); x > 0; x -= second) ink.fillRect(x, 0, 1, height)
  ink.fillRect(0, height / 2, width, 1)
  for (let x = 0; x < width; x++) {
    const at = (wave.newest + 1 + x) % wave.width
    const state = wave.state[at]
    ink.fillStyle = state === 1 ? line : state === 2 ? pale : rule
    if (state === 0) {
      if ((x + wave.columns) % 6 < 2) ink.fillRect(x, 0, 1, height)
      continue
    }
    const top = height / 2 - wave.high[at]! * scale
    ink.fillRect(x, top, 1, Math.max(1, (wave.high[at]! - wave.low[at]!) * scale))
    if (state === 2) ink.fillRect(x, height - 4, 1, 4)
  }
}
