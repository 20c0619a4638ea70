import { Guest } from '../join/client'
import { Refusal } from '../link/carrier'
import type { Returned } from '../join/return'
import { Cell } from '../observable'
import type { Provider, Said } from '../protocol'
import { t } from '../text'
import type { CaseFile, DeskCall, Reason, Specialist, Specialty } from '../calls/protocol'
import { CaseFiles } from './files'
import { History } from './history'
import { deskBinding, keepToken, keptToken } from './identity'
import type { DeskNetwork } from './network'
import { Ringer } from './ring'
import { DeskStation } from './station'

const KEPT = 'nhipcau.desk.specialties'
/** Who is on duty in this tab: a reload does not end it. */
const ON_DUTY = 'nhipcau.desk.on-duty'

/** A call, and the station where it waits. `rings`: it does, and the station can be reached: nobody else could take it. */
export interface Waiting { call: DeskCall; station: DeskStation; here: boolean; rings: boolean }
/** A call that one is in. */
export interface InCall { call: string; station: DeskStation; guest: Guest }

const ORDER = { emergency: 0, urgent: 1, routine: 2 } as const
const byNeed = (a: Waiting, b: Waiting): number =>
  ORDER[a.call.urgency] - ORDER[b.call.urgency] || Date.parse(a.call.asked) - Date.parse(b.call.asked)

/** A specialist's desk: all stations that it has a way to, and what waits there. */
export class Desk {
  readonly stations = new Cell<readonly DeskStation[]>([])
  readonly waiting = new Cell<readonly Waiting[]>([])
  readonly me = new Cell<Specialist | null>(null)
  readonly onDuty = new Cell(false)
  readonly specialties = new Cell<readonly Specialty[]>(keptSpecialties())
  readonly current = new Cell<InCall | null>(null)
  readonly history = new History()
  readonly ringer = new Ringer()
  readonly files = new CaseFiles()
  /** Made while it rings: the browser has then done its part of the work. */
  #prepared: InCall | null = null
  #accepting = false
  /** For stations that come later: in memory alone. */
  #entry: ((one: DeskStation) => Promise<void>) | null = null
  /** Back from the hospital's sign-in: the first station that is there is entered without a further click. */
  #eager = false
  readonly signing = new Cell<{ busy: boolean; problem: Said | null }>({ busy: false, problem: null })
  /** Stations have said something of themselves. */
  readonly greetings = new Cell(0)
  /** The call that one is in, as it was told last. */
  #had: Waiting | null = null
  /** What rang here, until it is known what became of it. */
  #rang = new Map<string, Waiting>()

  constructor(readonly network: DeskNetwork, returned: Returned | null = null) {
    const token = keptToken()
    if (token) this.#entry = (one) => one.prove({ method: 'oidc', token })
    network.ringing.subscribe(() => this.#open())
    network.stations.subscribe(() => this.#reached())
    this.#open()
    if (returned) void this.#finishSignIn(returned)
  }

  /** By which hospitals one may sign in. */
  get providers(): readonly Provider[] {
    const all = [...this.network.providers, ...this.stations.get().flatMap((one) => one.hello.get()?.providers ?? [])]
    const name = ({ issuer, client_id }: Provider): string => `${issuer} ${client_id}`
    return [...new Map(all.reverse().map((one) => [name(one), one])).values()].reverse()
  }

  /** Leads the browser to the provider; the page comes back by itself. */
  async signInAt(provider: Provider): Promise<void> {
    this.signing.set({ busy: true, problem: null })
    try {
      const { begin } = await import('../join/sign-in')
      location.assign(await begin(provider, await deskBinding(), { page: '/desk', fragment: '', facility: '' }))
    } catch {
      this.signing.set({ busy: false, problem: t('sign-in.unreachable', { provider: provider.title }) })
    }
  }

  async #finishSignIn(returned: Returned): Promise<void> {
    this.signing.set({ busy: true, problem: null })
    const { finish, wasDeclined } = await import('../join/sign-in')
    try {
      const token = await finish(returned)
      keepToken(token)
      this.#entry = (one) => one.prove({ method: 'oidc', token })
      this.#eager = true
      for (const one of this.stations.get()) this.#entered(one)
    } catch (error) {
      const key = wasDeclined(error) ? 'sign-in.declined' : 'sign-in.failed'
      this.signing.set({ busy: false, problem: t(key, { provider: returned.pending.provider.title }) })
    }
  }

  /** At one station, by an account that it has. */
  async signInAtStation(station: DeskStation, way: (one: DeskStation) => Promise<void>): Promise<void> {
    this.signing.set({ busy: true, problem: null })
    try {
      await way(station)
      this.signing.set({ busy: false, problem: null })
    } catch (error) {
      const said = error instanceof Refusal ? error.answer.text : undefined
      this.signing.set({ busy: false, problem: said ?? t('account.passkey.declined') })
    }
  }

  /** The one station whose own page this is. */
  get own(): DeskStation | null {
    return this.network.signIn === 'station' ? this.stations.get()[0] ?? null : null
  }

  /** At each station there is a way to, and at each that comes later while this page lives. */
  async signIn(user: string, pin: string): Promise<void> {
    keepToken(null)
    this.#entry = (one) => one.signIn(user, pin)
    const tried = await Promise.allSettled(this.stations.get()
      .filter(({ entry }) => entry.get() === 'signed-out').map((one) => one.signIn(user, pin)))
    const refused = tried.find((one): one is PromiseRejectedResult => one.status === 'rejected')
    if (tried.some(({ status }) => status === 'fulfilled')) return
    this.#entry = null
    throw refused ? refused.reason : new Refusal({ type: 'error', code: 'no-link' })
  }

  async signOut(): Promise<void> {
    this.#entry = null
    this.#eager = false
    keepToken(null)
    for (const one of this.stations.get()) one.forget()
    await this.setDuty(false).catch(() => {})
    await Promise.all(this.stations.get().map((one) => one.signOut()))
  }

  async setDuty(on: boolean): Promise<void> {
    if (on) this.ringer.allow()
    this.onDuty.set(on)
    keepDuty(on ? this.me.get()?.id ?? null : null)
    await this.#tellDuty()
  }

  async setSpecialties(specialties: readonly Specialty[]): Promise<void> {
    this.specialties.set(specialties)
    keepSpecialties(specialties)
    if (this.onDuty.get()) await this.#tellDuty()
  }

  async accept(waiting: Waiting): Promise<void> {
    const { call, station } = waiting
    if (call.state === 'later') {
      await station.ask('call.accept', call)
      return
    }
    const inCall = this.#guestOf(waiting)
    this.#prepared = null
    this.#accepting = true // the station says that it rings no more before it says yes
    try {
      const key = await inCall.guest.publicKey()
      const accepted = station.ask('call.accept', call, { key })
      // Right behind, so that no round trip stands between: the station holds it until the call is this page's.
      if (inCall.guest.phase.get() === 'ready') this.#join(inCall)
      await accepted
    } catch (error) {
      inCall.guest.mic.off()
      inCall.guest.cam.off()
      inCall.guest.drop()
      throw error
    } finally {
      this.#accepting = false
    }
    this.#rang.delete(call.call)
    this.history.add(call, station.name, 'accepted')
    this.#enter(inCall)
  }

  /** Into a call that is one's own already: after a reload of the page. */
  comeBack(waiting: Waiting): void {
    this.#enter(this.#guestOf(waiting))
  }

  async decline({ call, station }: Waiting, reason: Reason, text: string): Promise<void> {
    await station.ask('call.decline', call, { reason, text })
    this.#rang.delete(call.call)
    this.history.add(call, station.name, 'declined')
  }

  async handOver({ call, station }: Waiting, to: string | null): Promise<void> {
    await station.ask('call.hand-over', call, { to })
  }

  async answerCase({ call, station }: Waiting, text: string): Promise<void> {
    await station.ask('case.answer', call, { text })
    this.history.add(call, station.name, 'answered')
  }

  file(waiting: Waiting, file: CaseFile): Promise<Blob> {
    return this.files.get(waiting, file)
  }

  /** The call that one is in, as its station tells of it now; null: it is another's, or over. */
  mine(): Waiting | null {
    const inCall = this.current.get()
    return this.waiting.get().find(({ call, station }) => call.call === inCall?.call && station === inCall.station && call.mine) ?? null
  }

  /** Back to the desk: the consultation is over, or one has left it. */
  back(): void {
    const inCall = this.current.get()
    const mine = this.mine()
    if (mine) void mine.station.ask('call.end', mine.call).catch(() => {})
    inCall?.guest.leave()
    this.current.set(null)
    this.#prepare()
  }

  #enter(inCall: InCall): void {
    const { guest } = inCall
    this.current.set(inCall)
    if (guest.phase.get() === 'ready') this.#join(inCall)
    else if (guest.phase.get() === 'loading') {
      const stop = guest.phase.subscribe(() => {
        if (guest.phase.get() !== 'ready') return
        stop()
        this.#join(inCall)
      })
    }
  }

  #join({ guest }: InCall): void {
    const me = this.me.get()
    guest.name.set(me?.name ?? '')
    guest.facility.set(me?.facility ?? '')
    void guest.mic.on()
    void guest.cam.on()
    guest.join()
  }

  #guestOf({ call, station }: Waiting): InCall {
    if (this.#prepared?.call === call.call && this.#prepared.station === station) return this.#prepared
    this.#forgetPrepared()
    return { call: call.call, station, guest: new Guest(null, call.link ?? '', station.guestWay, station.ownKey) }
  }

  #forgetPrepared(): void {
    this.#prepared?.guest.drop()
    this.#prepared = null
  }

  /** The first call that rings: while a person still reads it, its connection is made ready. */
  #prepare(): void {
    if (this.current.get() || this.#accepting) return
    const first = this.waiting.get().find(({ call, rings }) => rings && call.link)
    if (this.#prepared && (first?.call.call !== this.#prepared.call || first.station !== this.#prepared.station)) this.#forgetPrepared()
    if (!first || this.#prepared) return
    this.#prepared = this.#guestOf(first)
  }

  #open(): void {
    const known = new Map(this.stations.get().map((one) => [one.station, one]))
    for (const station of this.network.ringing.get()) {
      if (known.has(station)) continue
      const one = new DeskStation(this.network, station)
      one.seen.subscribe(() => this.#changed())
      one.entry.subscribe(() => this.#entered(one))
      one.hello.subscribe(() => {
        this.greetings.update((n) => n + 1)
        if (one.refused.get() === null) this.#entered(one)
      })
      known.set(station, one)
    }
    for (const [station, one] of known) {
      const busy = (one.seen.get()?.calls.length ?? 0) > 0 || this.current.get()?.station === one
      if (this.network.ringing.get().has(station) || busy) continue
      one.end()
      known.delete(station)
    }
    this.stations.set([...known.values()])
  }

  #entered(one: DeskStation): void {
    const state = one.entry.get()
    if (state === 'signed-out' && this.#entry && (this.me.get() || this.#eager)) void this.#enterBy(this.#entry, one)
    if (state === 'signed-in' && this.onDuty.get()) void one.setDuty(true, this.specialties.get()).catch(() => {})
  }

  async #enterBy(entry: (one: DeskStation) => Promise<void>, one: DeskStation): Promise<void> {
    try {
      await entry(one)
      this.signing.set({ busy: false, problem: null })
    } catch (error) {
      const answer = error instanceof Refusal ? error.answer : null
      // A lost link is no refusal: the next greeting tries again.
      if (answer && ['no-link', 'no-answer'].includes(answer.code ?? '')) return
      // A PIN is this station's own affair: that others do not know it says nothing.
      one.refused.set(keptToken() ? answer?.text ?? '' : '')
      if (this.#eager) this.signing.set({ busy: false, problem: answer?.text ?? t('sign-in.failed', { provider: '' }) })
    }
  }

  async #tellDuty(): Promise<void> {
    const entered = this.stations.get().filter(({ entry }) => entry.get() === 'signed-in')
    await Promise.all(entered.map((one) => one.setDuty(this.onDuty.get(), this.specialties.get())))
  }

  #there(): ReadonlySet<string> {
    return new Set(this.network.stations.get().filter(({ state }) => state === 'here').map(({ station }) => station))
  }

  /** Some station came or went: of interest only where a call waits. */
  #reached(): void {
    const there = this.#there()
    if (this.waiting.get().some(({ station, here }) => here !== there.has(station.station))) this.#changed()
  }

  #changed(): void {
    const there = this.#there()
    const seen = this.stations.get().flatMap((station) => {
      const here = there.has(station.station)
      return (station.seen.get()?.calls ?? []).map((call) => ({ call, station, here, rings: call.rings && here }))
    })
    const me = this.stations.get().map((station) => station.seen.get()?.me).find(Boolean) ?? null
    if (me?.id !== this.me.get()?.id) {
      if (me) this.history.of(me.id)
      this.me.set(me)
      this.onDuty.set(me !== null && keptDuty() === me.id)
      if (this.onDuty.get()) {
        this.ringer.heard()
        void this.#tellDuty().catch(() => {})
      }
    }
    this.waiting.set(seen.sort(byNeed))
    this.#noteMissed()
    const ringing = seen.filter(({ rings }) => rings)
    for (const one of ringing) this.#rang.set(one.call.call, one)
    this.ringer.set(ringing.map(({ call, station }) => ({ call, station: station.name })))
    this.#noteHandedOver()
    this.#prepare()
  }

  /** It rang here, and does so no more, and not because of anything that was done here. */
  #noteMissed(): void {
    for (const [id, { call, station }] of this.#rang) {
      const now = this.waiting.get().find((one) => one.call.call === id)
      if (now?.call.rings || (this.#accepting && now?.call.mine)) continue
      this.#rang.delete(id)
      if (!now?.call.mine && !now?.call.declined) this.history.add(call, station.name, 'missed')
    }
  }

  #noteHandedOver(): void {
    const before = this.#had
    this.#had = this.mine()
    if (before && !this.#had && before.call.state === 'handing')
      this.history.add(before.call, before.station.name, 'handed-over')
  }
}

/** A refusal that says somebody was quicker. */
export function wasTaken(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'out-of-place'
}

function keptDuty(): string | null {
  try {
    return sessionStorage.getItem(ON_DUTY)
  } catch {
    return null
  }
}

function keepDuty(person: string | null): void {
  try {
    if (person) sessionStorage.setItem(ON_DUTY, person)
    else sessionStorage.removeItem(ON_DUTY)
  } catch {
    // Storage is off: a reload ends it.
  }
}

function keptSpecialties(): readonly Specialty[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]')
    return Array.isArray(value) ? (value as Specialty[]) : []
  } catch {
    return []
  }
}

function keepSpecialties(value: readonly Specialty[]): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(value))
  } catch {
    // Storage is off: it holds until the page is closed.
  }
}
