import type { Cell } from '../observable'
import type { Answer } from '../protocol'

export type LinkState = 'connecting' | 'open' | 'closed'

/** An answer of the station that says no, or no answer. */
export class Refusal extends Error {
  constructor(readonly answer: Answer) {
    super(answer.code ?? 'failed')
  }

  get code(): string {
    return this.answer.code ?? 'failed'
  }
}

export interface Outgoing { type: string; [field: string]: unknown }

/** The way to a station: its own WebSocket (socket.ts), or a tunnel through a broker (rendezvous.ts). Comes back by
 * itself; after each return the station greets anew (`hello`). What the station says goes to the function given at the
 * making. */
export interface Carrier {
  readonly state: Cell<LinkState>
  /** Sends what needs no answer. False when there is no connection: it is not kept for later. */
  tell(message: Outgoing): boolean
  /** The same, but not into a connection that has fallen silent, where it would wait for its link. */
  tellNow(message: Outgoing): boolean
  /** Sends a request; rejects with a Refusal (codes `no-link`, `no-answer` when nothing was heard). */
  ask(message: Outgoing): Promise<Answer>
  end(): void
}
