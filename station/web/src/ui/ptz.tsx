import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { DIRECTIONS, directionOfKey, together, type Direction, type Ptz } from '../media/ptz'
import { useCell } from '../observable'
import type { PtzCamera } from '../protocol'
import { said, t, word, type Key } from '../text'
import { Icon, type IconName } from './icons'
import { Notice, Pill } from './parts'

const STEP = 0.1
const SPEEDS = [['slow', 0.25], ['middle', 0.5], ['fast', 1]] as const
const BUTTONS: readonly [Direction, IconName][] = [
  ['up', 'up'], ['left', 'left'], ['right', 'right'], ['down', 'down'], ['in', 'plus'], ['out', 'minus'],
]

/** The cameras that turn. `console`: this is the doctor's page, which allows others to drive. */
export function PtzPanel({ ptz, console = false }: { ptz: Ptz; console?: boolean }): JSX.Element | null {
  const view = useCell(ptz.view)
  const refused = useCell(ptz.refused)
  const [chosen, setChosen] = useState<string | null>(null)
  useEffect(() => () => ptz.release(), [ptz])
  if (!view || view.cameras.length === 0) return null
  if (!console && !view.allowed) return null
  const camera = view.cameras.find(({ source }) => source === chosen) ?? view.cameras[0]!
  return (
    <section class="ptz" aria-label={t('ptz')} data-testid="ptz">
      <h3>{t('ptz')}</h3>
      {console && (
        <label class="check">
          <input type="checkbox" checked={view.allowed} data-testid="ptz-allow"
            onChange={(event) => ptz.allow(event.currentTarget.checked)} />
          {t('ptz.allow')}
        </label>
      )}
      {view.cameras.length > 1 && (
        <select value={camera.source} aria-label={t('ptz.camera')} data-testid="ptz-camera"
          onChange={(event) => setChosen(event.currentTarget.value)}>
          {view.cameras.map(({ source }) => <option key={source} value={source}>{titleOf(source)}</option>)}
        </select>
      )}
      {camera.state === 'ready'
        ? <Controls key={camera.source} ptz={ptz} camera={camera} />
        : <Notice look={camera.state === 'asking' ? 'info' : 'warn'} testid="ptz-state">{said(camera.text ?? undefined)}</Notice>}
      {refused && <Notice look="warn" testid="ptz-refused">{said(refused.text) || t('error.failed')}</Notice>}
    </section>
  )
}

function titleOf(source: string): string {
  return word('source', source.replace(/^source-/, ''))
}

function Controls({ ptz, camera }: { ptz: Ptz; camera: PtzCamera }): JSX.Element {
  const [speed, setSpeed] = useState<number>(0.5)
  return (
    <>
      <Pad ptz={ptz} source={camera.source} speed={speed} />
      <div class="ptz-more">
        <label class="check">
          {t('ptz.speed')}
          <select value={String(speed)} data-testid="ptz-speed" onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
            {SPEEDS.map(([name, value]) => <option key={name} value={String(value)}>{t(`ptz.speed.${name}` as Key)}</option>)}
          </select>
        </label>
        {camera.presets.length > 0 && (
          <select value="" aria-label={t('ptz.preset')} data-testid="ptz-preset"
            onChange={(event) => {
              if (event.currentTarget.value) ptz.go(camera.source, event.currentTarget.value)
              event.currentTarget.value = ''
            }}>
            <option value="">{t('ptz.preset')}</option>
            {camera.presets.map(({ preset, name }) => <option key={preset} value={preset}>{name}</option>)}
          </select>
        )}
        <span class="quiet" role="status" data-testid="ptz-position" data-moving={camera.moving}
          data-pan={camera.position?.pan} data-tilt={camera.position?.tilt} data-zoom={camera.position?.zoom}>
          {camera.driver && <Pill look="info">{camera.driver}</Pill>}
        </span>
      </div>
      <p class="quiet">{t('ptz.hint')}</p>
    </>
  )
}

/** Held by finger, mouse or key it moves; a click of a screen reader or of Enter is one step. */
function Pad({ ptz, source, speed }: { ptz: Ptz; source: string; speed: number }): JSX.Element {
  const held = useRef(new Set<Direction>())
  const pointer = useRef(false)
  const change = (): void => {
    if (held.current.size === 0) ptz.release()
    else ptz.hold(source, together(held.current, speed))
  }
  const release = (): void => {
    held.current.clear()
    pointer.current = false
    ptz.release()
  }
  useEffect(() => release, [])
  const key = (event: KeyboardEvent, down: boolean): void => {
    const direction = directionOfKey(event.key)
    if (!direction) return
    event.preventDefault()
    if (event.repeat || held.current.has(direction) === down) return
    if (down) held.current.add(direction)
    else held.current.delete(direction)
    change()
  }
  const press = (event: PointerEvent, direction: Direction): void => {
    if (event.button !== 0) return
    const button = event.currentTarget as HTMLElement
    button.setPointerCapture(event.pointerId)
    pointer.current = true
    held.current.add(direction)
    change()
  }
  return (
    <div class="ptz-pad" role="group" aria-label={t('ptz.pad')} data-testid="ptz-pad"
      onKeyDown={(event) => key(event, true)} onKeyUp={(event) => key(event, false)}
      onFocusOut={() => pointer.current || release()}>
      {BUTTONS.map(([direction, icon]) => (
        <button key={direction} type="button" class={`ptz-${direction}`} aria-label={t(`ptz.${direction}` as Key)}
          title={t(`ptz.${direction}` as Key)} data-testid={`ptz-${direction}`}
          onPointerDown={(event) => press(event, direction)}
          onPointerUp={release} onPointerCancel={release} onLostPointerCapture={release}
          onContextMenu={(event) => event.preventDefault()}
          onClick={(event) => event.detail === 0 && ptz.step(source, scaled(direction))}>
          <Icon name={icon} size={22} />
        </button>
      ))}
    </div>
  )
}

function scaled(direction: Direction): { pan: number; tilt: number; zoom: number } {
  const { pan, tilt, zoom } = DIRECTIONS[direction]
  return { pan: pan * STEP, tilt: tilt * STEP, zoom: zoom * STEP }
}
