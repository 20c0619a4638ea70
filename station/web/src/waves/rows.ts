import { deviceName } from '../clinical/vitals'
import type { StreamHistory, Trace } from './history'
import { leadName, tracesOf } from './history'
import type { Row } from './sweep'

/** What a person chose, the same for all rows. */
export interface Manner { speed: number; gain: number }
export const SPEEDS = [12.5, 25, 50] as const
export const GAINS = [5, 10, 20] as const

const MDC_PLETH = 150452
const ROW_MM = { ecg: 20, other: 14 }
const PAUSE_MM = 2

type Kind = 'ecg' | 'pleth' | 'resp' | 'pressure' | 'other'
const COLOURS: Record<Kind, string> = {
  ecg: '#63e38f', pleth: '#5ec8ff', resp: '#f2d35e', pressure: '#ff8d8d', other: '#d7dee0',
}

function kindOf(trace: Trace): Kind {
  const { view } = trace.history
  const lead = view.leads[trace.leads[0]!]!
  const name = `${view.wave} ${trace.label}`.toLowerCase()
  if (trace.unit === 'mV' || trace.unit === 'uV') return name.includes('resp') ? 'resp' : 'ecg'
  if (lead.mdc === MDC_PLETH || name.includes('pleth')) return 'pleth'
  if (name.includes('resp')) return 'resp'
  return trace.unit === 'mm[Hg]' ? 'pressure' : 'other'
}

/** Millimetres that a millivolt has; null: the signal is no voltage of a known size. */
function perMillivolt(trace: Trace, kind: Kind, manner: Manner): number | null {
  const scaled = trace.history.view.leads[trace.leads[0]!]!.scale !== undefined
  return kind === 'ecg' && scaled ? manner.gain : null
}

/** One of many ECG leads shows rhythm best; of other streams all are shown. */
export function usualTraces(histories: readonly StreamHistory[]): string[] {
  return histories.flatMap((history) => {
    const traces = tracesOf(history)
    if (traces.length <= 2) return traces.map(({ key }) => key)
    const best = traces.find(({ label }) => label.toUpperCase() === 'II') ?? traces[0]!
    return [best.key]
  })
}

/** Rows below each other, as high as their paper needs. Gives the height of all, device pixels. */
export function layRows(traces: readonly Trace[], manner: Manner, pxPerMm: number): { rows: Row[]; height: number } {
  let top = 0
  const rows = traces.map((trace): Row => {
    const kind = kindOf(trace)
    const pulse = perMillivolt(trace, kind, manner)
    const gain = pulse === null ? null : trace.unit === 'uV' ? pulse / 1000 : pulse
    const high = kind === 'ecg' ? Math.max(ROW_MM.ecg, manner.gain * 1.5) : ROW_MM.other
    const row: Row = {
      trace, gain, pulse, top, height: Math.round(high * pxPerMm), colour: COLOURS[kind], base: 0, scale: 1, fitted: false,
      speed: kind === 'resp' ? Math.min(12.5, manner.speed) : manner.speed,
    }
    top += row.height + Math.round(PAUSE_MM * pxPerMm)
    return row
  })
  return { rows, height: Math.max(1, top) }
}

/** Which of these leads are off, by the device's own word. */
export function leadsOff(trace: Trace): string[] {
  const off = trace.history.newest?.leadOff ?? 0
  return trace.leads.filter((lead) => (off >>> lead) & 1).map((lead) => leadName(trace.history, lead))
}

/** Two devices that measure the same are told apart by their names; null: no other row is called so. */
export function twinName(row: Row, rows: readonly Row[]): string | null {
  const { label, history: { view: { device } } } = row.trace
  return rows.some(({ trace }) => trace.label === label && trace.history.view.device !== device) ? deviceName(device) : null
}

/** The link is too weak for it. */
export function isLeftOut(trace: Trace): boolean {
  return trace.leads.some((lead) => !trace.history.view.sent.includes(lead))
}
