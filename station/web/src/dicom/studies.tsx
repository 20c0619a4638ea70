import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { t, word } from '../text'
import { Icon } from '../ui/icons'
import type { PictureSource } from './frames'
import { bySeries, dicomTime, type DicomObject } from './object'
import { DicomViewer } from './viewer'

/** Pictures of ultrasound and X-ray, by series; a click opens one. */
export function Studies({ objects, source }: { objects: readonly DicomObject[]; source: PictureSource }): JSX.Element {
  const [open, setOpen] = useState<string | null>(null)
  const series = useMemo(() => bySeries(objects), [objects])
  const shown = objects.find(({ id }) => id === open)
  return (
    <section class="studies" aria-label={t('dicom')} data-testid="studies">
      {objects.length === 0 && <p class="quiet">{t('dicom.none')}</p>}
      {series.map(({ series: key, title, objects: list }) => (
        <div key={key}>
          <h3>
            {title || t('dicom.untitled')}
            <small>{dicomTime(list[0]!.about.study_date, list[0]!.about.study_time)}</small>
          </h3>
          <ul class="thumbs">
            {list.map((object) => (
              <li key={object.id}><Thumb object={object} source={source} onOpen={() => setOpen(object.id)} /></li>
            ))}
          </ul>
        </div>
      ))}
      {shown && <DicomViewer key={shown.id} object={shown} source={source} onClose={() => setOpen(null)} />}
    </section>
  )
}

function Thumb(props: { object: DicomObject; source: PictureSource; onOpen: () => void }): JSX.Element {
  const { object, source } = props
  const { picture, modality, instance_number } = object.about
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (!picture.shown) return
    const end = new AbortController()
    let made: string | null = null
    source.load(object, 0, 'thumb', end.signal).then(
      (bytes) => {
        if (end.signal.aborted) return
        made = URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' }))
        setUrl(made)
      },
      () => {}, // the tile stays without a picture; opening it says why
    )
    return () => {
      end.abort()
      if (made) URL.revokeObjectURL(made)
    }
  }, [object.id])
  const name = `${modality ?? ''} ${instance_number ?? ''}`.trim()
  return (
    <button type="button" class="thumb" data-testid="dicom-thumb" disabled={!picture.shown}
      aria-label={t('dicom.open', { name })} onClick={props.onOpen}>
      {url ? <img src={url} alt="" /> : <Icon name="film" size={26} />}
      <span>
        {name}
        {picture.frames > 1 && <b>{t('dicom.frames', { n: picture.frames })}</b>}
        {!picture.shown && <small>{word('dicom.reason', picture.reason)}</small>}
      </span>
    </button>
  )
}

