import { Refusal } from '../link/socket'
import type { Carrier, Outgoing } from '../link/carrier'
import { Cell, stationClock } from '../observable'
import { passkeyChallenge } from '../join/binding'
import type { Kept } from '../join/key'
import type { Answer, FromStation, Hello, Said } from '../protocol'
import { stationLanguage } from '../text'
import type { DeskCall, DeskCalls, Specialty } from '../calls/protocol'
import { usePasskey } from '../webauthn'
import { deskBinding, deskKey, deskProof, type DeskIdentity } from './identity'
import type { DeskNetwork, FromDesk } from './network'

/** The session alone outlives a reload, in this tab only; of each station its own. */
const KEPT = 'nhipcau.desk.session.'

export type Entry = 'starting' | 'signed-out' | 'signed-in'

/** The desk's side of the protocol towards one station. */
export class DeskStation {
  readonly hello = new Cell<Hello | null>(null)
  readonly entry = new Cell<Entry>('starting')
  readonly seen = new Cell<DeskCalls | null>(null)
  /** Why the last sign-in here was refused. */
  readonly refused = new Cell<Said | null>(null)
  readonly carrier: Carrier
  #proven = false
  #session: string | null
  /** Who comes in by this way: gets what is said to a guest. */
  #guest: ((message: FromStation) => void) | null = null
  /** On duty, and for what: told anew after each greeting. */
  #duty: { on: boolean; specialties: readonly Specialty[] } | null = null

  constructor(network: DeskNetwork, readonly station: string) {
    this.#session = kept(station)
    this.carrier = network.open(station, (message) => this.#receive(message))
  }

  get name(): string {
    return this.hello.get()?.station.name ?? this.station
  }

  async signIn(user: string, pin: string): Promise<void> {
    await this.#entered(await this.carrier.ask({ type: 'sign-in', user, pin }))
  }

  /** By a sign-in of the hospital, or an account of this station. */
  async prove(identity: DeskIdentity): Promise<void> {
    const hello = this.hello.get()
    if (!hello?.nonce) throw new Refusal({ type: 'error', code: 'no-link' })
    const proof = await deskProof(hello.nonce, this.station || (hello.station.id ?? ''))
    await this.#entered(await this.carrier.ask({ type: 'sign-in', identity, ...proof }))
  }

  async proveByPasskey(): Promise<void> {
    const hello = this.hello.get()
    if (!hello?.nonce || !hello.rp) throw new Refusal({ type: 'error', code: 'no-link' })
    const challenge = await passkeyChallenge(hello.nonce, await deskBinding())
    await this.prove({ method: 'passkey', credential: (await usePasskey(hello.rp, challenge)).given })
  }

  /** A page that is left before the station has answered does not come back in. */
  forget(): void {
    keep(this.station, null)
  }

  async signOut(): Promise<void> {
    this.#duty = null
    this.forget()
    await this.carrier.ask({ type: 'sign-out' }).catch(() => {})
    this.#leave()
  }

  /** The key by which one comes in to its calls; undefined: one for each call. */
  get ownKey(): Promise<Kept> | undefined {
    return this.#proven ? deskKey() : undefined
  }

  /** There is nothing to do with it any more. */
  end(): void {
    this.carrier.end()
  }

  setDuty(on: boolean, specialties: readonly Specialty[]): Promise<Answer> {
    this.#duty = { on, specialties }
    return this.carrier.ask({ type: 'duty', on, specialties })
  }

  ask(type: string, call: DeskCall, fields: Record<string, unknown> = {}): Promise<Answer> {
    return this.carrier.ask({ type, call: call.call, ...fields })
  }

  /** A way for a guest over the same connection: no second handshake, no second greeting. */
  guestWay = (receive: (message: FromStation) => void): Carrier => {
    this.#guest = receive
    const hello = this.hello.get()
    if (hello && this.entry.get() === 'signed-in') queueMicrotask(() => this.#guest === receive && receive(hello))
    const { carrier } = this
    return {
      state: carrier.state,
      tell: (message: Outgoing) => carrier.tell(message),
      tellNow: (message: Outgoing) => carrier.tellNow(message),
      ask: (message: Outgoing) => carrier.ask(message),
      end: () => {
        if (this.#guest === receive) this.#guest = null
      },
    }
  }

  #receive(message: FromDesk): void {
    switch (message.type) {
      case 'hello': return this.#greeted(message)
      case 'desk.calls':
        stationClock(message.now)
        return this.seen.set(message)
      case 'signed-out': return this.#leave()
      case 'ok':
      case 'error':
      case 'state': return
      default: return this.#guest?.(message)
    }
  }

  #greeted(hello: Hello): void {
    this.hello.set(hello)
    stationLanguage(hello.language)
    if (this.#session) void this.#resume(hello)
    else this.entry.set('signed-out')
  }

  async #resume(hello: Hello): Promise<void> {
    try {
      await this.#entered(await this.carrier.ask({ type: 'resume', session: this.#session }))
      if (this.hello.get() === hello) this.#guest?.(hello)
    } catch (error) {
      // A lost link is no refusal: the next hello tries again.
      if (error instanceof Refusal && !['no-link', 'no-answer'].includes(error.code)) this.#leave()
    }
  }

  async #entered(answer: Answer): Promise<void> {
    this.#session = typeof answer['session'] === 'string' ? answer['session'] : this.#session
    this.#proven = (answer['user'] as { proven?: boolean } | undefined)?.proven ?? false
    this.refused.set(null)
    keep(this.station, this.#session)
    if (this.#duty?.on) await this.setDuty(true, this.#duty.specialties)
    this.entry.set('signed-in')
  }

  #leave(): void {
    this.#session = null
    keep(this.station, null)
    this.seen.set(null)
    this.entry.set('signed-out')
  }
}

function kept(station: string): string | null {
  try {
    return sessionStorage.getItem(KEPT + station)
  } catch {
    return null
  }
}

function keep(station: string, session: string | null): void {
  try {
    if (session) sessionStorage.setItem(KEPT + station, session)
    else sessionStorage.removeItem(KEPT + station)
  } catch {
    // Storage is off: a reload asks for the PIN again.
  }
}
