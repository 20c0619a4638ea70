import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Cell, useCell } from '../observable'
import { t } from '../text'
import { Icon } from './icons'

const STALL_MS = 3000

/** True when the picture has not changed for a while though a stream is there. */
function useStalled(video: { current: HTMLVideoElement | null }, stream: MediaStream | null): boolean {
  const [stalled, setStalled] = useState(false)
  useEffect(() => {
    setStalled(false)
    if (!stream) return
    let frames = -1
    let changed = performance.now()
    const timer = setInterval(() => {
      const shown = video.current?.getVideoPlaybackQuality?.().totalVideoFrames ?? 0
      if (shown !== frames || document.visibilityState === 'hidden') {
        frames = shown
        changed = performance.now()
      }
      setStalled(performance.now() - changed > STALL_MS || shown === 0)
    }, 1000)
    return () => clearInterval(timer)
  }, [stream])
  return stalled
}

export function LiveVideo(props: {
  stream: MediaStream | null; testid: string; mirrored?: boolean; label: string
  children?: (stalled: boolean) => ComponentChildren
}): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const stalled = useStalled(video, props.stream)
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
