import type { Observation } from '../protocol'

/** One place of the vitals panel. */
export interface Vital {
  key: string
  /** What is shown: "72", "128/82 (97)"; empty when there is no value. */
  value: string
  /** UCUM code. */
  unit: string
  time: number | null
  flags: string[]
  test: boolean
  absent: string | null
  /** Entered by hand or by a device: the device's name, empty when unknown. */
  device: string
  manual: boolean
  /** Body site, in the device's words. */
  site: string
  /** Range outside of which the device itself sounds an alarm. */
  alarmRange: string
}

const ALWAYS = ['hr', 'spo2', 'resp', 'nibp', 'temp'] as const
const SOMETIMES = ['pulse', 'glucose', 'weight', 'height'] as const
/** Devices send these without a break, so that silence means something. */
const CONTINUOUS = new Set(['hr', 'spo2', 'pulse', 'resp'])
/** Parts of one blood pressure measurement carry the same time, save for rounding. */
const SAME_MEASUREMENT_MS = 2000

export type Freshness = 'fresh' | 'old' | 'blank'

/** Continuous values grey after 15 s and vanish after 5 min; spot values grey after 30 min. */
export function freshness(key: string, ageMs: number): Freshness {
  if (CONTINUOUS.has(key)) return ageMs > 300_000 ? 'blank' : ageMs > 15_000 ? 'old' : 'fresh'
  return ageMs > 1_800_000 ? 'old' : 'fresh'
}

/** As the device wrote it: precision is kept. */
export function valueText(observation: Observation): string {
  // A text that could not be read as a value stays out of the panel; `absent` says so.
  if (observation.absent) return ''
  return observation.value_text ?? (observation.value === undefined ? '' : String(observation.value))
}

/** The device's time, unless its clock is ahead of the station's: a future reading would never age. */
export function readingTime(observation: Observation): number {
  const ahead = observation.flags?.includes('clock-ahead') && observation.received
  return Date.parse(ahead ? observation.received! : observation.time)
}

/** Newest observation of each vital. */
export function newest(
  before: ReadonlyMap<string, Observation>,
  items: readonly Observation[],
): Map<string, Observation> {
  const after = new Map(before)
  for (const item of items) {
    if (!item.vital) continue
    const known = after.get(item.vital)
    if (!known || readingTime(item) >= readingTime(known)) after.set(item.vital, item)
  }
  return after
}

function sourceOf(observation: Observation | undefined): Pick<Vital, 'device' | 'manual' | 'site' | 'alarmRange'> {
  return {
    device: observation?.device ?? '',
    manual: observation?.flags?.includes('manual') ?? false,
    site: observation?.site ?? '',
    alarmRange: observation?.alarm_range ?? '',
  }
}

/** What a device is called on a card: its last digits do, where it is a long number. */
export function deviceName(device: string): string {
  return /^[0-9A-Fa-f]{12,}$/.test(device) ? `…${device.slice(-4)}` : device
}

export function sourceText(vital: Vital, byHand: string): string {
  const name = vital.manual ? byHand : deviceName(vital.device)
  return [name, vital.site].filter(Boolean).join(' · ')
}

function single(key: string, observation: Observation | undefined): Vital {
  const value = observation ? valueText(observation) : ''
  return {
    key,
    value,
    unit: observation?.unit ?? '',
    time: observation ? readingTime(observation) : null,
    flags: observation?.flags ?? [],
    test: observation?.test ?? false,
    absent: observation && value === '' ? observation.absent ?? 'not-available' : null,
    ...sourceOf(observation),
  }
}

function pressure(latest: ReadonlyMap<string, Observation>): Vital {
  const parts = ['nibp-sys', 'nibp-dia', 'nibp-mean'].map((key) => latest.get(key))
  const times = parts.map((part) => (part ? readingTime(part) : Number.NEGATIVE_INFINITY))
  const time = Math.max(...times)
  const newestPart = parts[times.indexOf(time)]
  // Parts of another cuff, or in another unit, are another measurement.
  const [sys, dia, mean] = parts.map((part, i) =>
    part && time - times[i]! <= SAME_MEASUREMENT_MS && part.device === newestPart?.device &&
    (part.absent || newestPart?.absent || part.unit === newestPart?.unit) ? part : undefined,
  )
  const shown = [sys, dia, mean].filter((part) => part !== undefined)
  const text = (part: Observation | undefined) => (part && valueText(part)) || '–'
  const any = shown.some((part) => valueText(part) !== '')
  const first = shown.find((part) => !part.absent) ?? shown[0]
  return {
    key: 'nibp',
    value: any ? `${text(sys)}/${text(dia)}` + (mean ? ` (${text(mean)})` : '') : '',
    unit: first?.unit ?? '',
    time: first ? time : null,
    flags: [...new Set(shown.flatMap((part) => part.flags ?? []))],
    test: shown.some((part) => part.test),
    absent: first && !any ? first.absent ?? 'not-available' : null,
    ...sourceOf(first),
  }
}

/** What the panel shows, in its order. */
export function vitals(latest: ReadonlyMap<string, Observation>): Vital[] {
  const always = ALWAYS.map((key) => (key === 'nibp' ? pressure(latest) : single(key, latest.get(key))))
  // Without electrodes the oximeter's pulse stands where the heart rate would.
  if (!latest.has('hr') && latest.has('pulse')) always[0] = single('pulse', latest.get('pulse'))
  const shown = new Set(always.map((vital) => vital.key))
  const more = SOMETIMES.filter((key) => latest.has(key) && !shown.has(key)).map((key) =>
    single(key, latest.get(key)),
  )
  return [...always, ...more]
}

/** Flags worth a word beside the value; the worst first. */
const SHOWN_FLAGS = [
  'implausible', 'HH', 'LL', 'H', 'L', 'A', 'INV', 'QUES', 'EARLY', 'BUSY', 'corrected', 'withdrawn',
  'no-unit', 'unit-unmapped', 'several', 'clock-ahead', 'clock-behind', 'clock-not-set', 'stored',
  'no-finger', 'sensor-off', 'searching', 'artifact', 'low-perfusion', 'cuff-loose', 'body-movement',
  'irregular-pulse', 'improper-position', 'signal-poor']

export function shownFlags(vital: Vital): string[] {
  return SHOWN_FLAGS.filter((flag) => vital.flags.includes(flag))
}

export function alarming(flags: readonly string[]): boolean {
  return flags.some((flag) => ['HH', 'LL', 'H', 'L', 'A'].includes(flag))
}
