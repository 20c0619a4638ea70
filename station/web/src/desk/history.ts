import { Cell } from '../observable'
import type { DeskCall, Specialty, Urgency } from '../calls/protocol'

/** What became of a call at this desk. */
export type Outcome = 'accepted' | 'declined' | 'missed' | 'answered' | 'handed-over'
/** Nothing of the patient: it stays in this browser. */
export interface Past { call: string; station: string; specialty: Specialty; urgency: Urgency; asked: string; at: string; outcome: Outcome }

const KEPT = 'nhipcau.desk.history'
const AT_MOST = 200

/** One's own calls, kept by this browser alone, apart for each person. */
export class History {
  readonly items = new Cell<readonly Past[]>([])
  #key = ''

  of(person: string): void {
    this.#key = `${KEPT}.${person}`
    this.items.set(read(this.#key))
  }

  add(call: DeskCall, station: string, outcome: Outcome): void {
    const past: Past = {
      call: call.call, station, specialty: call.specialty, urgency: call.urgency, asked: call.asked,
      at: new Date().toISOString(), outcome,
    }
    const same = ({ call: id, outcome: what }: Past): boolean => id === call.call && (what === outcome || what === 'missed')
    this.items.set([past, ...this.items.get().filter((one) => !same(one))].slice(0, AT_MOST))
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.items.get()))
    } catch {
      // Storage is off: it holds until the page is closed.
    }
  }

  has(call: string): boolean {
    return this.items.get().some((past) => past.call === call)
  }
}

function read(key: string): Past[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '[]')
    return Array.isArray(value) ? (value as Past[]).slice(0, AT_MOST) : []
  } catch {
    return []
  }
}
