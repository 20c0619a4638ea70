import type { Ecg, PackedLead } from './pack'

/** A run of samples without a gap between them; NaN inside: nothing was measured. */
export interface Piece { startS: number; periodS: number; values: Float64Array }
/** A lead in millivolts, or in its own unit when it has no scale in volts. */
export interface Lead { name: string; derived: boolean; calibrated: boolean; pieces: Piece[] }

const MILLIVOLTS: Record<string, number> = { V: 1000, mV: 1, uV: 1e-3, nV: 1e-6 }

export const STANDARD = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'] as const

/** III = II − I, aVR = −(I + II)/2, aVL = I − II/2, aVF = II − I/2. */
const DERIVED: Record<string, (i: number, ii: number) => number> = {
  III: (i, ii) => ii - i,
  aVR: (i, ii) => -(i + ii) / 2,
  aVL: (i, ii) => i - ii / 2,
  aVF: (i, ii) => ii - i / 2,
}

function factorOf(lead: PackedLead): number | null {
  const volts = lead.unit ? MILLIVOLTS[lead.unit] : undefined
  return volts !== undefined && lead.scale !== 0 ? volts : null
}

function measured(ecg: Ecg, stream: number, index: number, lead: PackedLead): Lead {
  const factor = factorOf(lead)
  const scale = lead.scale * (factor ?? 1)
  const offset = lead.offset * (factor ?? 1)
  const [num, den] = ecg.head.streams[stream]!.rate
  const pieces = ecg.blocks.filter((block) => block.stream === stream).map((block): Piece => ({
    startS: block.at_us / 1e6,
    periodS: den / num,
    values: block.off >> index & 1
      ? new Float64Array(block.count).fill(NaN)
      : block.samples[index]!.map((sample) => sample * scale + offset),
  }))
  return { name: lead.name, derived: false, calibrated: factor !== null, pieces }
}

/** Only where both were sampled at the same moments. */
function derive(name: string, one: Lead, two: Lead): Lead | null {
  const make = DERIVED[name]!
  if (!one.calibrated || !two.calibrated) return null
  const pieces = one.pieces.flatMap((piece): Piece[] => {
    const other = two.pieces.find(({ startS, periodS, values }) =>
      startS === piece.startS && periodS === piece.periodS && values.length === piece.values.length)
    return other ? [{ ...piece, values: piece.values.map((value, i) => make(value, other.values[i]!)) }] : []
  })
  return pieces.length > 0 ? { name, derived: true, calibrated: true, pieces } : null
}

/** All leads of the rhythm, the standard ones first and in their order. A mean beat is no rhythm. */
export function leadsOf(ecg: Ecg): Lead[] {
  const all = ecg.head.streams.flatMap((stream, at) =>
    stream.wave.startsWith('beat-') ? [] : stream.leads.map((lead, i) => measured(ecg, at, i, lead)))
  const first = new Map<string, Lead>()
  for (const lead of all) if (!first.has(lead.name)) first.set(lead.name, lead)
  const [one, two] = [first.get('I'), first.get('II')]
  for (const name of Object.keys(DERIVED)) {
    if (first.has(name) || !one || !two) continue
    const lead = derive(name, one, two)
    if (lead) first.set(name, lead)
  }
  const place = (name: string): number => {
    const at = (STANDARD as readonly string[]).indexOf(name)
    return at < 0 ? STANDARD.length : at
  }
  return [...first.values()].sort((a, b) => place(a.name) - place(b.name))
}

export function secondsOf(leads: readonly Lead[]): number {
  let end = 0
  for (const { pieces } of leads)
    for (const { startS, periodS, values } of pieces) end = Math.max(end, startS + periodS * values.length)
  return end
}

function startOf(lead: Lead): number {
  return Math.min(...lead.pieces.map(({ startS }) => startS))
}

function endOf(lead: Lead): number {
  return Math.max(...lead.pieces.map(({ startS, periodS, values }) => startS + periodS * (values.length - 1)))
}

export interface Span { low: number; high: number }

/** What a lead does in [fromS, toS): lowest and highest of every sample in it and of the line that joins
 * them to their neighbours, so that no peak is lost. `gap`: nothing was measured; `empty`: the lead has
 * not begun, or is over. */
export function spanOf(lead: Lead, fromS: number, toS: number): Span | 'gap' | 'empty' {
  if (toS <= startOf(lead) || fromS > endOf(lead)) return 'empty'
  let low = Infinity
  let high = -Infinity
  const take = (value: number | undefined): void => {
    if (value === undefined || Number.isNaN(value)) return
    if (value < low) low = value
    if (value > high) high = value
  }
  for (const { startS, periodS, values } of lead.pieces) {
    const from = (fromS - startS) / periodS
    const to = (toS - startS) / periodS
    if (to <= 0 || from > values.length - 1) continue
    for (let i = Math.max(0, Math.ceil(from)); i < Math.min(values.length, to); i++) take(values[i])
    for (const edge of [from, to]) {
      const i = Math.floor(edge)
      if (i < 0 || i + 1 >= values.length) continue
      const value = values[i]! + (values[i + 1]! - values[i]!) * (edge - i)
      take(value)
    }
  }
  return low > high ? 'gap' : { low, high }
}
