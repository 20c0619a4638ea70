import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { PictureProgress, Pictures } from '../media/pictures'
import { useCell } from '../observable'
import type { PictureView, SourceView } from '../protocol'
import { said, t, word, type Key } from '../text'
import { Button, Notice, Pill, timeOf } from './parts'
import { ClipViewer } from './clip'
import { Viewer } from './viewer'

const CLIP_S = 10

function title(source: string): string {
  return word('source', source.replace(/^source-/, ''))
}

export function pictureDetail(view: Pick<PictureView, 'width' | 'height' | 'lossless' | 'seconds' | 'size' | 'by'>): string {
  const { width, height, lossless, seconds, size, by } = view
  const kilobytes = Math.max(1, Math.round(size / 1000))
  if (seconds !== undefined)
    return [t('clip.seconds', { n: Math.round(seconds) }), `${kilobytes} kB`, by].filter(Boolean).join(' · ')
  return [`${width} × ${height}`, lossless ? t('picture.lossless') : 'JPEG', `${kilobytes} kB`, by].filter(Boolean).join(' · ')
}

type Prefer = 'balanced' | 'motion' | 'detail'
const PREFERS: readonly Prefer[] = ['balanced', 'motion', 'detail']

/** Taking pictures, and those that were taken. */
export function PicturesPanel(props: {
  pictures: Pictures; sources: readonly SourceView[]
  /** At the console: what is kept of a camera while bits are short, as the doctor chooses. */
  onPrefer?: (source: string, prefer: Prefer) => void
}): JSX.Element | null {
  const { pictures } = props
  const list = useCell(pictures.list)
  const asks = useCell(pictures.asks)
  const progress = useCell(pictures.progress)
  const refused = useCell(pictures.refused)
  const [open, setOpen] = useState<string | null>(null)
  const cameras = props.sources.filter(({ kind }) => kind === 'video')
  const shown = list.find(({ picture }) => picture === open)
  const blob = shown ? pictures.blob(shown.picture) : null
  if (cameras.length === 0 && list.length === 0) return null
  return (
    <section class="pictures" aria-label={t('pictures')} data-testid="pictures">
      <h3>{t('pictures')}</h3>
      {cameras.length > 0 && <Take pictures={pictures} cameras={cameras} onPrefer={props.onPrefer} />}
      {props.onPrefer && <Asks pictures={pictures} />}
      {!props.onPrefer && asks.some(({ taken }) => !taken) && <p class="quiet" data-testid="picture-waiting">{t('picture.waits')}</p>}
      {refused && <Notice look="warn" testid="picture-refused">{said(refused.text) || t('error.failed')}</Notice>}
      <ul class="picture-list" data-testid="picture-list">
        {list.map((one) => (
          <Item key={one.picture} view={one} progress={progress.get(one.picture)} onOpen={() => {
            pictures.prefer(one.picture)
            setOpen(one.picture)
          }} />
        ))}
      </ul>
      {shown && blob && shown.seconds !== undefined && (
        <ClipViewer blob={blob} startUs={shown.start_us ?? 0} title={`${title(shown.source)} · ${timeOf(shown.taken, true)}`}
          detail={pictureDetail(shown)} onClose={() => setOpen(null)} />
      )}
      {shown && blob && shown.seconds === undefined && (
        <Viewer blob={blob} title={`${title(shown.source)} · ${timeOf(shown.taken, true)}`} detail={pictureDetail(shown)}
          onClose={() => setOpen(null)} />
      )}
    </section>
  )
}

function Take({ pictures, cameras, onPrefer }: {
  pictures: Pictures; cameras: readonly SourceView[]; onPrefer: ((source: string, prefer: Prefer) => void) | undefined
}): JSX.Element {
  const [source, setSource] = useState<string | null>(null)
  const [lossless, setLossless] = useState(false)
  const chosen = cameras.find(({ name }) => name === source) ?? cameras[0]!
  return (
    <div class="picture-take">
      {cameras.length > 1 && (
        <select value={chosen.name} aria-label={t('picture.camera')} data-testid="picture-source"
          onChange={(event) => setSource(event.currentTarget.value)}>
          {cameras.map(({ name }) => <option key={name} value={name}>{word('source', name)}</option>)}
        </select>
      )}
      <label class="check">
        <input type="checkbox" checked={lossless} data-testid="picture-lossless"
          onChange={(event) => setLossless(event.currentTarget.checked)} />
        {t('picture.lossless')}
      </label>
      <Button look="primary" icon="photo" disabled={chosen.state !== 'running'} testid="picture-take"
        onClick={() => pictures.take(`source-${chosen.name}`, lossless)}>
        {t('picture.take')}
      </Button>
      <span title={t('clip.why')}>
        <Button icon="film" disabled={chosen.state !== 'running' || !chosen.recording} testid="clip-take"
          onClick={() => pictures.clip(`source-${chosen.name}`, CLIP_S)}>
          {t('clip.take', { n: CLIP_S })}
        </Button>
      </span>
      {onPrefer && (
        <label class="check prefer">
          {t('prefer')}
          <select value={chosen.prefer ?? 'balanced'} data-testid="source-prefer"
            onChange={(event) => onPrefer(chosen.name, event.currentTarget.value as Prefer)}>
            {PREFERS.map((one) => <option key={one} value={one}>{t(`prefer.${one}` as Key)}</option>)}
          </select>
        </label>
      )}
    </div>
  )
}

/** At the console: who asks, and whether they need to. */
function Asks({ pictures }: { pictures: Pictures }): JSX.Element {
  const asks = useCell(pictures.asks)
  const always = useCell(pictures.always)
  return (
    <>
      {asks.filter(({ taken }) => !taken).map(({ ask, name, source }) => (
        <Notice key={ask} look="info" testid="picture-ask" action={
          <>
            <Button look="good" testid="picture-allow" onClick={() => pictures.answer(ask, true)}>{t('picture.allow')}</Button>
            <Button testid="picture-refuse" onClick={() => pictures.answer(ask, false)}>{t('picture.refuse')}</Button>
          </>
        }>{t('picture.asks', { who: name, camera: title(source) })}</Notice>
      ))}
      <label class="check">
        <input type="checkbox" checked={always} data-testid="picture-always"
          onChange={(event) => pictures.setAlways(event.currentTarget.checked)} />
        {t('picture.always')}
      </label>
    </>
  )
}

function Item(props: { view: PictureView; progress: PictureProgress | undefined; onOpen: () => void }): JSX.Element {
  const { view, progress } = props
  const state = progress?.state ?? 'coming'
  const share = Math.floor((100 * (progress?.have ?? 0)) / Math.max(1, view.size))
  return (
    <li>
      <button type="button" class="picture-item" data-testid={`picture-${view.picture.slice(0, 8)}`} data-state={state}
        data-have={progress?.have ?? 0} data-size={view.size} onClick={props.onOpen}>
        <strong>{title(view.source)}</strong>
        <span class="quiet">{timeOf(view.taken, true)} · {pictureDetail(view)}</span>
        {state === 'coming' && (
          <>
            <progress value={share} max={100} aria-label={t('picture.coming')} />
            <Pill>{`${share} %`}</Pill>
          </>
        )}
        {state === 'broken' && <Pill look="bad">{t('picture.broken')}</Pill>}
      </button>
    </li>
  )
}
