import { Cell } from '../observable'
import { commitmentHolds, comparisonCode, fingerprints, freshNonce } from './comparison'

/** Six digits to compare; broken: what the station sent does not fit together, as when somebody stands
 * between. */
export type CodeState = { code: string } | { broken: true } | null

/** The page's half of the comparison code: the station is bound to its nonce by its offer, the answer brings ours,
 * the station reveals. One exchange for each connection of the station; a later description with another
 * certificate voids it. */
export class CodeExchange {
  readonly state = new Cell<CodeState>(null)
  #origin = ''
  #commitment: string | undefined
  #nonce = ''
  #offered: string | null = null
  #answered: string | null = null
  #revealed = false

  constructor(readonly identities: () => { station: string; page: string }) {}

  offered(origin: string, sdp: string, commitment: string | undefined): void {
    const found = fingerprints(sdp)
    if (origin === this.#origin) {
      if (found !== this.#offered || commitment !== this.#commitment) this.#void()
      return
    }
    this.#origin = origin
    this.#commitment = commitment
    this.#nonce = freshNonce()
    this.#offered = found
    this.#answered = null
    this.#revealed = false
    this.state.set(null)
  }

  /** What goes with an answer. */
  answering(sdp: string): { nonce?: string } {
    const found = fingerprints(sdp)
    if (this.#commitment === undefined || this.#offered === null || found === null) return {}
    if (this.#answered !== null && this.#answered !== found) this.#void()
    this.#answered ??= found
    return { nonce: this.#nonce }
  }

  async revealed(nonce: string): Promise<void> {
    const commitment = this.#commitment
    if (this.#revealed || commitment === undefined || this.#offered === null || this.#answered === null) return
    this.#revealed = true
    const origin = this.#origin
    const { station, page } = this.identities()
    const code = await comparisonCode({
      stationNonce: nonce, pageNonce: this.#nonce, stationFingerprints: this.#offered,
      pageFingerprints: this.#answered, station, page,
    })
    const holds = await commitmentHolds(commitment, nonce)
    if (origin === this.#origin && !(this.state.get() && 'broken' in this.state.get()!))
      this.state.set(holds ? { code } : { broken: true })
  }

  #void(): void {
    this.state.set({ broken: true })
  }
}
