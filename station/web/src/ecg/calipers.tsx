import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../text'

interface Point { x: number; y: number }

/** Two points on the paper and what lies between them. Laid over the canvas, in its size. */
export function Calipers(props: { pxPerMm: number; speed: number; gain: number }): JSX.Element {
  const [ends, setEnds] = useState<[Point, Point] | null>(null)
  const [held, setHeld] = useState(false)
  const point = (event: PointerEvent): Point => {
    const box = (event.currentTarget as Element).getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const mm = (px: number): number => px / props.pxPerMm
  const [from, to] = ends ?? [null, null]
  return (
    <>
      <svg class="ecg-calipers" data-testid="ecg-calipers"
        onPointerDown={(event) => {
          const at = point(event)
          setEnds([at, at])
          setHeld(true)
          ;(event.currentTarget as Element).setPointerCapture(event.pointerId)
        }}
        onPointerMove={(event) => held && ends && setEnds([ends[0], point(event)])}
        onPointerUp={() => setHeld(false)}>
        {from && to && (
          <g>
            <line x1={from.x} x2={from.x} y1="0" y2="100%" />
            <line x1={to.x} x2={to.x} y1="0" y2="100%" />
            <line x1={from.x} x2={to.x} y1={from.y} y2={from.y} class="level" />
            <line x1={from.x} x2={to.x} y1={to.y} y2={to.y} class="level" />
          </g>
        )}
      </svg>
      {from && to && <output class="ecg-measured" data-testid="ecg-measured">{measured(mm(to.x - from.x), mm(from.y - to.y), props)}</output>}
    </>
  )
}

/** "842 ms (71 /phút) · 1,25 mV" */
function measured(dx: number, dy: number, { speed, gain }: { speed: number; gain: number }): string {
  const seconds = Math.abs(dx) / speed
  return [
    t('ecg.measured.ms', { n: Math.round(seconds * 1000) }),
    seconds >= 0.15 && seconds <= 4 ? t('ecg.measured.rate', { n: Math.round(60 / seconds) }) : '',
    t('ecg.measured.mv', { n: (dy / gain).toFixed(2) }),
  ].filter(Boolean).join(' · ')
}
