import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Cell, useCell } from '../observable'
import { t } from '../text'
import { Icon } from './icons'

const STALL_MS = 3000

/** Tells at each picture that an element presents; returns what ends it. (The playback quality of a
 * live stream is no measure: Firefox counts no frames there.) */
function eachPicture(video: HTMLVideoElement, tell: (seen?: VideoFrameCallbackMetadata) => void): () => void {
  if (!('requestVideoFrameCallback' in video)) {
    // An older browser: the time goes on with the pictures.
    const element = video as HTMLVideoElement
    const told = (): void => tell()
    element.addEventListener('timeupdate', told)
    return () => element.removeEventListener('timeupdate', told)
  }
  const next = (_: DOMHighResTimeStamp, seen: VideoFrameCallbackMetadata): void => {
    tell(seen)
    handle = video.requestVideoFrameCallback(next)
  }
  let handle = video.requestVideoFrameCallback(next)
  return () => video.cancelVideoFrameCallback(handle)
}

/** True when the picture has not changed for a while though a stream is there. */
function useStalled(video: { current: HTMLVideoElement | null }, stream: MediaStream | null,
  onPicture: ((seen: VideoFrameCallbackMetadata) => void) | undefined): boolean {
  const [stalled, setStalled] = useState(false)
  const told = useRef(onPicture)
  told.current = onPicture
  useEffect(() => {
    setStalled(false)
    const element = video.current
    if (!stream || !element) return
    let changed = 0
    const end = eachPicture(element, (seen) => {
      if (seen) told.current?.(seen)
      changed = performance.now()
      setStalled(false)
    })
    const timer = setInterval(() => {
      // In a page that nobody looks at, no picture is presented.
      if (document.visibilityState === 'hidden' && changed !== 0) changed = performance.now()
      setStalled(performance.now() - changed > STALL_MS)
    }, 1000)
    return () => {
      clearInterval(timer)
      end()
    }
  }, [stream])
  return stalled
}

export function LiveVideo(props: {
  stream: MediaStream | null; testid: string; mirrored?: boolean; label: string
  onPicture?: ((seen: VideoFrameCallbackMetadata) => void) | undefined
  children?: (stalled: boolean) => ComponentChildren
}): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const stalled = useStalled(video, props.stream, props.onPicture)
  useEffect(() => {
    const element = video.current
    if (!element || element.srcObject === props.stream) return
    element.srcObject = props.stream
    if (props.stream) void element.play().catch(() => {})
  }, [props.stream])
  return (
    <>
      <video ref={video} class={props.mirrored ? 'mirrored' : ''} muted autoplay playsInline
        disablePictureInPicture aria-label={props.label} data-testid={props.testid} />
      {props.children?.(stalled)}
    </>
  )
}

/** The browser wants a click before it plays sound. */
export const soundBlocked = new Cell(false)
const playing = new Set<HTMLAudioElement>()

export function AudioOut(props: { stream: MediaStream; testid: string; silent?: boolean }): JSX.Element {
  const audio = useRef<HTMLAudioElement>(null)
  useEffect(() => {
    const element = audio.current
    if (!element) return
    playing.add(element)
    if (element.srcObject !== props.stream) element.srcObject = props.stream
    void element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') soundBlocked.set(true)
    })
    return () => {
      playing.delete(element)
    }
  }, [props.stream])
  useEffect(() => {
    if (audio.current) audio.current.muted = props.silent ?? false
  }, [props.silent])
  return <audio ref={audio} autoplay data-testid={props.testid} />
}

export function SoundButton(): JSX.Element | null {
  if (!useCell(soundBlocked)) return null
  return (
    <button type="button" class="sound-button" data-testid="enable-sound" onClick={() => {
      soundBlocked.set(false)
      for (const element of playing) void element.play().catch(() => soundBlocked.set(true))
    }}>
      <Icon name="sound" size={28} />
      {t('sound.enable')}
    </button>
  )
}
