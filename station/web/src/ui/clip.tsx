import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../text'
import { Dialog } from './parts'

/** A piece of the recording, played again and again as it was recorded. Its media time begins where the
 * recording's did: `startUs` of it is the clip's beginning. */
export function ClipViewer(props: { blob: Blob; startUs: number; title: string; detail: string; onClose: () => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const [broken, setBroken] = useState(false)
  useEffect(() => {
    const source = new MediaSource()
    const address = URL.createObjectURL(source)
    const fill = async (): Promise<void> => {
      const buffer = source.addSourceBuffer(props.blob.type)
      buffer.appendBuffer(await props.blob.arrayBuffer())
      await new Promise((done, failed) => {
        buffer.onupdateend = done
        buffer.onerror = failed
      })
      if (source.readyState === 'open') source.endOfStream()
      if (video.current && buffer.buffered.length > 0) video.current.currentTime = buffer.buffered.start(0)
    }
    source.addEventListener('sourceopen', () => void fill().catch(() => setBroken(true)), { once: true })
    if (video.current) video.current.src = address
    return () => URL.revokeObjectURL(address)
  }, [props.blob])
  /** Over a moment that the camera or the recording left out. */
  const goOn = (): void => {
    const element = video.current
    if (!element) return
    const { buffered, currentTime } = element
    for (let i = 0; i < buffered.length; i++)
      if (buffered.start(i) > currentTime) {
        element.currentTime = buffered.start(i)
        return
      }
  }
  const again = (): void => {
    const element = video.current
    if (!element || element.buffered.length === 0) return
    element.currentTime = element.buffered.start(0)
    void element.play().catch(() => {})
  }
  return (
    <Dialog title={props.title} onClose={props.onClose} wide testid="clip-viewer">
      <div class="viewer">
        <video ref={video} muted playsInline autoplay controls onEnded={again} onWaiting={goOn} data-testid="clip-video" aria-label={props.title} />
        {broken && <p>{t('clip.unreadable')}</p>}
        <footer class="viewer-tools"><span class="quiet">{props.detail}</span></footer>
      </div>
    </Dialog>
  )
}
