import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { t } from '../text'
import { Button } from '../ui/parts'

/** A signature drawn with finger, pen or mouse: a PNG in base64, null while empty. */
export function DrawnSignature({ onDrawing }: { onDrawing: (png: string | null) => void }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null)
  const at = useRef<[number, number] | null>(null)
  const place = (event: PointerEvent): [number, number] => {
    const box = canvas.current!.getBoundingClientRect()
    return [(event.clientX - box.left) * canvas.current!.width / box.width, (event.clientY - box.top) * canvas.current!.height / box.height]
  }
  const draw = (event: PointerEvent): void => {
    const pen = canvas.current?.getContext('2d')
    if (!at.current || !pen) return
    const next = place(event)
    pen.lineWidth = 2.5
    pen.lineCap = 'round'
    pen.strokeStyle = '#123'
    pen.beginPath()
    pen.moveTo(...at.current)
    pen.lineTo(...next)
    pen.stroke()
    at.current = next
  }
  const end = (): void => {
    if (!at.current) return
    at.current = null
    onDrawing(canvas.current!.toDataURL('image/png').split(',')[1] ?? null)
  }
  const clear = (): void => {
    canvas.current?.getContext('2d')?.clearRect(0, 0, canvas.current.width, canvas.current.height)
    onDrawing(null)
  }
  return (
    <div class="drawing">
      <span class="quiet">{t('signatures.draw')}</span>
      <canvas ref={canvas} width={480} height={140} data-testid="drawing"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          at.current = place(event)
        }}
        onPointerMove={draw} onPointerUp={end} onPointerCancel={end} />
      <Button onClick={clear}>{t('signatures.clear')}</Button>
    </div>
  )
}
