import { STANDARD, type Lead } from './leads'

export type LayoutName = '3x4' | '6x2' | '12x1'
export const LAYOUTS: readonly LayoutName[] = ['3x4', '6x2', '12x1']
export const SPEEDS = [25, 50] as const
export const GAINS = [5, 10, 20] as const

/** What is drawn where, in millimetres of paper. */
export interface Cell { lead: Lead; x: number; width: number; fromS: number; toS: number }
export interface Strip { top: number; height: number; cells: Cell[] }
export interface Sheet {
  width: number
  height: number
  /** Left of the traces stand the calibration pulses. */
  margin: number
  speed: number
  gain: number
  strips: Strip[]
}

export interface Manner { layout: LayoutName; speed: number; gain: number }

const MARGIN = 10
/** 10 s at 25 mm/s: what fits on A4 across. */
export const TRACE_MM = 250
const HEIGHTS: Record<LayoutName, number> = { '3x4': 40, '6x2': 28, '12x1': 14 }
const COLUMNS: Record<LayoutName, number> = { '3x4': 4, '6x2': 2, '12x1': 1 }

/** Seconds of which a sheet shows a part of each lead. */
export function sheetSeconds(speed: number): number {
  return TRACE_MM / speed
}

/** The leads of each column, from top to bottom. */
function columns(leads: readonly Lead[], layout: LayoutName): Lead[][] {
  const count = COLUMNS[layout]
  const standard = leads.filter(({ name }) => (STANDARD as readonly string[]).includes(name))
  // Fewer than the twelve (a monitor's three, a Holter's two) stand below one another, whole.
  const all = standard.length === STANDARD.length ? standard : leads
  const wanted = standard.length === STANDARD.length ? count : 1
  const each = Math.ceil(all.length / wanted)
  return Array.from({ length: wanted }, (_, i) => all.slice(i * each, (i + 1) * each))
}

/** fromS: second of the recording at the left edge. */
export function layOut(leads: readonly Lead[], manner: Manner, fromS: number): Sheet {
  const parts = columns(leads, manner.layout)
  const width = TRACE_MM / parts.length
  const seconds = sheetSeconds(manner.speed) / parts.length
  const height = parts.length > 1 || leads.length > 6 ? HEIGHTS[manner.layout] : 40
  const rows = Math.max(...parts.map((column) => column.length), 1)
  const strips: Strip[] = Array.from({ length: rows }, (_, row) => ({
    top: row * height,
    height,
    cells: parts.flatMap((column, i): Cell[] => column[row]
      ? [{ lead: column[row]!, x: MARGIN + i * width, width, fromS: fromS + i * seconds, toS: fromS + (i + 1) * seconds }]
      : []),
  }))
  const rhythm = leads.find(({ name }) => name === 'II') ?? leads[0]
  if (manner.layout === '3x4' && parts.length > 1 && rhythm)
    strips.push({
      top: rows * height, height,
      cells: [{ lead: rhythm, x: MARGIN, width: TRACE_MM, fromS, toS: fromS + sheetSeconds(manner.speed) }],
    })
  return {
    width: MARGIN + TRACE_MM, height: strips.length * height, margin: MARGIN,
    speed: manner.speed, gain: manner.gain, strips,
  }
}
