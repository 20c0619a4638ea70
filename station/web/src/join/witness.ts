/* This browser as a witness of the station's log: it keeps the newest head that the station has signed, and shows it
 * the next time. A station whose folder was put back to an older state then learns of it. */

import type { Carrier } from '../link/carrier'

const FIRST_MS = 2000
const EVERY_MS = 5 * 60_000
const PREFIX = 'nhipcau-head-'

/** What another visit left; null: nothing, or nothing that can be read. */
function kept(station: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + station) ?? 'null')
  } catch {
    return null
  }
}

function keep(station: string, head: unknown): void {
  try {
    localStorage.setItem(PREFIX + station, JSON.stringify(head))
  } catch {
    // A window that keeps nothing: no witness.
  }
}

/** Shows what is kept and keeps what comes back, soon and every five minutes. Stop it with what is returned. */
export function witness(socket: Carrier, station: string): () => void {
  const once = async (): Promise<void> => {
    const head = kept(station)
    const answer = await socket.ask({ type: 'log.head', ...(head ? { head } : {}) })
    if (answer['head']) keep(station, answer['head'])
  }
  const again = (): void => void once().catch(() => {})
  // Not while picture and sound find their way.
  const first = setTimeout(again, FIRST_MS)
  const timer = setInterval(again, EVERY_MS)
  return () => {
    clearTimeout(first)
    clearInterval(timer)
  }
}
