import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../text'
import { Button, Dialog } from './parts'

const MOST = 16
const STEP = 1.25

/** scale: pixels of the screen for one of the picture; x, y: place of its middle, in its pixels. */
interface View { scale: number; x: number; y: number }

/** A picture at any size: wheel, buttons or keys zoom, dragging moves. Drawn from its own bytes. */
export function Viewer(props: { blob: Blob; title: string; detail: string; onClose: () => void }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [picture, setPicture] = useState<ImageBitmap | null>(null)
  const [view, setView] = useState<View | null>(null)
  const [broken, setBroken] = useState(false)
  useEffect(() => {
    let closed = false
    createImageBitmap(props.blob).then((bitmap) => !closed && setPicture(bitmap), () => setBroken(true))
    return () => {
      closed = true
    }
  }, [props.blob])
  useEffect(() => {
    if (picture && canvas.current) setView(fitting(picture, canvas.current))
  }, [picture])
  useEffect(() => {
    if (picture && view && canvas.current) draw(canvas.current, picture, view)
  }, [picture, view])
  const zoom = (by: number): void => setView((now) => now && { ...now, scale: Math.min(MOST, Math.max(0.02, now.scale * by)) })
  const wheel = (event: WheelEvent): void => {
    event.preventDefault()
    zoom(event.deltaY < 0 ? STEP : 1 / STEP)
  }
  const drag = (event: PointerEvent): void => {
    const element = event.currentTarget as HTMLCanvasElement
    if (event.type === 'pointerdown') element.setPointerCapture(event.pointerId)
    else if (element.hasPointerCapture(event.pointerId)) {
      const pixels = element.width / element.clientWidth
      setView((now) => now && {
        ...now, x: now.x - (event.movementX * pixels) / now.scale, y: now.y - (event.movementY * pixels) / now.scale,
      })
    }
  }
  return (
    <Dialog title={props.title} onClose={props.onClose} wide testid="viewer">
      <div class="viewer">
        <canvas ref={canvas} width={1600} height={1000} tabIndex={0} role="img" aria-label={props.title}
          data-testid="viewer-picture" data-width={picture?.width} data-height={picture?.height}
          data-scale={view?.scale.toFixed(3)} data-x={view?.x.toFixed(1)} data-y={view?.y.toFixed(1)}
          onWheel={wheel} onPointerDown={drag} onPointerMove={drag} />
        {broken && <p>{t('picture.unreadable')}</p>}
        <footer class="viewer-tools">
          <span class="quiet">{props.detail}</span>
          <Button icon="minus" label={t('viewer.out')} testid="viewer-out" onClick={() => zoom(1 / STEP)} />
          <Button icon="plus" label={t('viewer.in')} testid="viewer-in" onClick={() => zoom(STEP)} />
          <Button testid="viewer-fit" onClick={() => picture && canvas.current && setView(fitting(picture, canvas.current))}>
            {t('viewer.fit')}
          </Button>
          <Button testid="viewer-pixels" onClick={() => setView((now) => now && { ...now, scale: 1 })}>1:1</Button>
        </footer>
      </div>
    </Dialog>
  )
}

function fitting(picture: ImageBitmap, canvas: HTMLCanvasElement): View {
  return {
    scale: Math.min(canvas.width / picture.width, canvas.height / picture.height),
    x: picture.width / 2, y: picture.height / 2,
  }
}

function draw(canvas: HTMLCanvasElement, picture: ImageBitmap, { scale, x, y }: View): void {
  const ink = canvas.getContext('2d')
  if (!ink) return
  ink.setTransform(1, 0, 0, 1, 0, 0)
  ink.clearRect(0, 0, canvas.width, canvas.height)
  // Large: each pixel is what the sensor saw, and nothing in between is made up.
  ink.imageSmoothingEnabled = scale < 2
  ink.setTransform(scale, 0, 0, scale, canvas.width / 2 - x * scale, canvas.height / 2 - y * scale)
  ink.drawImage(picture, 0, 0)
}
