import type { Observation, PastReadings } from '../protocol'
import { readingTime } from './vitals'

/** Kept of each vital sign; when it is full, every other point makes room. */
const POINTS_MAX = 1200
export const TRENDS = ['hr', 'pulse', 'spo2', 'resp', 'nibp-sys', 'nibp-dia', 'temp'] as const
export type TrendKey = (typeof TRENDS)[number]
/** Seconds since 1970, and the value. */
export type Point = [number, number]
export type Trend = ReadonlyMap<string, readonly Point[]>

/** A number that may stand on a curve: measured, of the patient, not withdrawn. */
function pointOf(observation: Observation): Point | null {
  const { vital, value, absent, test } = observation
  if (!vital || value === undefined || absent || test || !(TRENDS as readonly string[]).includes(vital)) return null
  const time = readingTime(observation) / 1000
  return Number.isFinite(time) && Number.isFinite(value) ? [time, value] : null
}

function insert(list: Point[], point: Point): void {
  let at = list.length
  while (at > 0 && list[at - 1]![0] > point[0]) at--
  if (list[at - 1]?.[0] === point[0]) list[at - 1] = point
  else list.splice(at, 0, point)
}

/** Values of vital signs over time, in order, thinned when they become many. */
export class Trends {
  #points = new Map<string, Point[]>()

  add(observations: Iterable<Observation>): void {
    for (const observation of observations) {
      const point = pointOf(observation)
      if (!point) continue
      let list = this.#points.get(observation.vital!)
      if (!list) this.#points.set(observation.vital!, list = [])
      insert(list, point)
      if (list.length > POINTS_MAX) this.#points.set(observation.vital!, list.filter((_, i) => i % 2 === 0 || i === list!.length - 1))
    }
  }

  /** Of before this page came. */
  addPast({ until, curves }: PastReadings): void {
    const end = Date.parse(until) / 1000
    for (const [vital, points] of Object.entries(curves)) {
      if (!Number.isFinite(end) || !(TRENDS as readonly string[]).includes(vital)) continue
      let list = this.#points.get(vital)
      if (!list) this.#points.set(vital, list = [])
      for (const [seconds, value] of points) if (Number.isFinite(seconds) && Number.isFinite(value)) insert(list, [end + seconds, value])
    }
  }

  clear(): void {
    this.#points.clear()
  }

  get(): Trend {
    return this.#points
  }
}

/** What uPlot wants: one axis of times, and for each key its values there, null where it has none. */
export function table(trend: Trend, keys: readonly string[]): [number[], ...(number | null)[][]] {
  const times = [...new Set(keys.flatMap((key) => (trend.get(key) ?? []).map(([time]) => time)))].sort((a, b) => a - b)
  const place = new Map(times.map((time, i) => [time, i]))
  return [times, ...keys.map((key) => {
    const values: (number | null)[] = times.map(() => null)
    for (const [time, value] of trend.get(key) ?? []) values[place.get(time)!] = value
    return values
  })]
}
