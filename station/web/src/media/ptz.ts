import { Cell } from '../observable'
import type { PtzMessage, PtzVector, Said } from '../protocol'

/** The station stops a camera that it has not heard of for 700 ms. */
const REPEAT_MS = 250

const STILL: PtzVector = { pan: 0, tilt: 0, zoom: 0 }

/** The room's cameras that turn, as this page knows them, and what this page holds down. */
export class Ptz {
  readonly view = new Cell<PtzMessage | null>(null)
  readonly refused = new Cell<{ source: string; text: Said | undefined } | null>(null)
  #held: { source: string; velocity: PtzVector; timer: ReturnType<typeof setInterval> } | null = null

  constructor(readonly send: (message: { type: string; [field: string]: unknown }) => boolean) {
    // A page that nobody sees or touches holds nothing.
    if ('window' in globalThis) {
      addEventListener('blur', () => this.release())
      document.addEventListener('visibilitychange', () => document.hidden && this.release())
    }
  }

  receive(message: PtzMessage): void {
    this.view.set(message)
    if (message.cameras.length === 0) this.release()
  }

  refuse(source: string, text: Said | undefined): void {
    this.refused.set({ source, text })
    this.#drop()
  }

  allow(on: boolean): void {
    this.send({ type: 'ptz.allow', on })
  }

  /** Moves on until release(). */
  hold(source: string, velocity: Partial<PtzVector>): void {
    const wanted = { ...STILL, ...velocity }
    if (this.#held && this.#held.source !== source) this.release()
    this.#drop()
    this.refused.set(null)
    const say = (): void => {
      if (!this.send({ type: 'ptz.move', source, ...wanted })) this.#drop()
    }
    this.#held = { source, velocity: wanted, timer: setInterval(say, REPEAT_MS) }
    say()
  }

  release(): void {
    const held = this.#held
    this.#drop()
    if (held) this.send({ type: 'ptz.stop', source: held.source })
  }

  step(source: string, step: Partial<PtzVector>): void {
    this.refused.set(null)
    this.send({ type: 'ptz.step', source, ...STILL, ...step })
  }

  go(source: string, preset: string): void {
    this.refused.set(null)
    this.send({ type: 'ptz.preset', source, preset })
  }

  /** Another consultation, or none. */
  clear(): void {
    this.release()
    this.view.set(null)
    this.refused.set(null)
  }

  #drop(): void {
    if (this.#held) clearInterval(this.#held.timer)
    this.#held = null
  }
}

const KEYS: Record<string, keyof typeof DIRECTIONS> = {
  ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down',
  '+': 'in', '=': 'in', '-': 'out', PageUp: 'in', PageDown: 'out',
}

export const DIRECTIONS = {
  up: { pan: 0, tilt: 1, zoom: 0 }, down: { pan: 0, tilt: -1, zoom: 0 },
  left: { pan: -1, tilt: 0, zoom: 0 }, right: { pan: 1, tilt: 0, zoom: 0 },
  in: { pan: 0, tilt: 0, zoom: 1 }, out: { pan: 0, tilt: 0, zoom: -1 },
} as const
export type Direction = keyof typeof DIRECTIONS

export function directionOfKey(key: string): Direction | null {
  return KEYS[key] ?? null
}

/** Several keys at once: up and left go both ways. Opposite ones cancel each other. */
export function together(directions: Iterable<Direction>, speed: number): PtzVector {
  const sum = { ...STILL }
  for (const one of directions)
    for (const axis of ['pan', 'tilt', 'zoom'] as const) sum[axis] += DIRECTIONS[one][axis] * speed
  return sum
}
