import type { Observation, Time } from '../protocol'

/** What has changed of readings that were told whole before: of each its number, and its value's text. */
export interface ReadingsNow { time: Time; received?: Time; values: [number, string][] }

/** Readings as the data channel tells them: whole once, then in short (docs/protocol.md). One for each channel. */
export class BriefReadings {
  #known = new Map<number, Observation>()

  take(items: readonly Observation[], now: readonly ReadingsNow[] = []): Observation[] {
    for (const item of items) if (item.no !== undefined) this.#known.set(item.no, item)
    return [...items, ...now.flatMap(({ time, received, values }) =>
      values.flatMap(([no, text]) => this.#again(no, text, time, received)))]
  }

  #again(no: number, text: string, time: Time, received?: Time): Observation[] {
    const before = this.#known.get(no)
    if (!before) return []
    const item: Observation = { ...before, value_text: text, time }
    if (received) item.received = received
    else delete item.received
    if (before.value !== undefined) item.value = Number(text)
    this.#known.set(no, item)
    return [item]
  }
}
