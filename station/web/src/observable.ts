import { useEffect, useReducer } from 'preact/hooks'

/** A value with listeners: the pages' only state machinery. */
export class Cell<T> {
  #value: T
  #listeners = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const listener of [...this.#listeners]) listener()
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value))
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export function useCell<T>(cell: Cell<T>): T {
  const [, refresh] = useReducer((n: number) => n + 1, 0)
  useEffect(() => {
    // The value may have changed between the render and this effect.
    refresh(undefined)
    return cell.subscribe(() => refresh(undefined))
  }, [cell])
  return cell.get()
}

/** One timer for all ages on the page: now in ms, once a second, corrected to the station's clock. */
export const now = new Cell(Date.now())
let offset = 0
if (typeof document !== 'undefined') setInterval(() => now.set(Date.now() + offset), 1000)

/** The station said what time it is. Only a real difference moves the clock: no jitter. */
export function stationClock(time: string): void {
  const difference = Date.parse(time) - Date.now()
  if (Number.isNaN(difference)) return
  if (Math.abs(difference - offset) > 2000 || Math.abs(difference) < Math.abs(offset))
    offset = Math.abs(difference) < 1000 ? 0 : difference
}
