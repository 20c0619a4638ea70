import type { TestWord } from '../protocol'

/** What the way to the station carries, measured over the page's own connection. */
export interface LinkFigures { rtt_ms: number; up_kbps: number; down_kbps: number }

const PINGS = 5
const BYTES = 48 * 1024
/** More is not measured by so few bytes, and not needed. */
const MOST_KBPS = 20_000
/** A call with small pictures wants so much each way; with sound alone a tenth of it. */
const GOOD_KBPS = 400
const WEAK_KBPS = 64
const GOOD_RTT_MS = 400
const WEAK_RTT_MS = 1500

async function timed(ask: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await ask()
  return Math.max(1, performance.now() - start)
}

function kbps(bytes: number, took_ms: number, rtt_ms: number): number {
  return Math.min(MOST_KBPS, Math.round((bytes * 8) / Math.max(1, took_ms - rtt_ms)))
}

/** The page's connection with the station, whatever carries it. */
interface Line { ask: (message: { type: string; [field: string]: unknown }) => Promise<unknown> }

/** Round trips, then a piece up and a piece down. Rejects when the station does not answer. */
export async function measureLink(line: Line): Promise<LinkFigures> {
  const trips: number[] = []
  for (let i = 0; i < PINGS; i++) trips.push(await timed(() => line.ask({ type: 'ping' })))
  const rtt = trips.sort((a, b) => a - b)[Math.floor(PINGS / 2)]!
  const up = await timed(() => line.ask({ type: 'ping', pad: 'x'.repeat(BYTES) }))
  const down = await timed(() => line.ask({ type: 'link.probe', bytes: BYTES }))
  return { rtt_ms: Math.round(rtt), up_kbps: kbps(BYTES, up, rtt), down_kbps: kbps(BYTES, down, rtt) }
}

export function linkWord({ rtt_ms, up_kbps, down_kbps }: LinkFigures): TestWord {
  const slowest = Math.min(up_kbps, down_kbps)
  if (slowest >= GOOD_KBPS && rtt_ms <= GOOD_RTT_MS) return 'good'
  return slowest >= WEAK_KBPS && rtt_ms <= WEAK_RTT_MS ? 'weak' : 'bad'
}
