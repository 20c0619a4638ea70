import { BriefReadings } from '../clinical/brief'
import { newest } from '../clinical/vitals'
import { ChannelPictures } from '../dicom/channel'
import type { Carrier } from '../link/carrier'
import { Rendezvous } from '../link/rendezvous'
import { CodeExchange } from '../link/exchange'
import { Refusal, Socket } from '../link/socket'
import { OwnDevice } from '../media/own'
import { ChannelPieces, EcgShelf } from '../ecg/fetch'
import { reportFigures } from '../media/figures'
import { forgetParts, PartsStore } from '../media/keep'
import { Peer } from '../media/peer'
import { Pictures } from '../media/pictures'
import { Ptz } from '../media/ptz'
import { Cell, stationClock } from '../observable'
import type { Answer, EcgItem, FromChannel, FromStation, Hello, IcdItem, LiveConsultation, Note, NoteKind, Observation, PastReadings, PeerFigures, Problem, ProvenIdentity, Provider, Role, Said } from '../protocol'
import { stationLanguage, t } from '../text'
import { bindingNonce, passkeyChallenge } from './binding'
import { usePasskey, type Given } from '../webauthn'
import { sha256 as hashOf } from '../bytes'
import { forget, keep, keyFor, keyHash, prove, publicKeyOf, readFragment, sign, wantsPin, type Kept, type Proof } from './key'
import type { Returned } from './return'
import { Visit } from './visit'
import { witness } from './witness'

export type Phase =
  | 'loading' | 'bad-link' | 'insecure' | 'visit' | 'ready' | 'joining' | 'lobby' | 'live' | 'refused' | 'ended' | 'left'

/** A proof of who somebody is, as `identity` of a `join`. */
type SignedIn =
  | { method: 'oidc'; token: string }
  | { method: 'passkey'; credential: Given }
  | { method: 'password'; account: string; password: string; code: string }

const SAVE_MS = 10_000
/** Without an offer the page shows the consultation all the same. */
const SHOW_MS = 250

/** The guest's side of the protocol: one invitation, one socket, one peer. */
export class Guest {
  readonly phase = new Cell<Phase>('loading')
  readonly hello = new Cell<Hello | null>(null)
  readonly role = new Cell<Role>('specialist')
  readonly why = new Cell<{ code: string; text?: Said } | null>(null)
  readonly live = new Cell<LiveConsultation | null>(null)
  readonly readings = new Cell<ReadonlyMap<string, Observation>>(new Map())
  readonly past = new Cell<PastReadings | null>(null)
  readonly #brief = new BriefReadings()
  readonly notes = new Cell<readonly Note[]>([])
  readonly problems = new Cell<{ problems: Problem[]; proposals: Problem[] }>({ problems: [], proposals: [] })
  readonly ecgs = new Cell<readonly EcgItem[]>([])
  readonly #pieces = new ChannelPieces((message) => this.peer.send(message))
  readonly shelf = new EcgShelf(this.#pieces.ask)
  readonly link = new Cell<PeerFigures | null>(null)
  readonly mic = new OwnDevice('audio')
  readonly cam = new OwnDevice('video')
  /** What the invitation is for, once the station has said so. */
  readonly invited = new Cell<Role | null>(null)
  /** A sign-in: under way, or what went wrong with it. */
  readonly signing = new Cell<{ busy: boolean; problem: Said | null }>({ busy: false, problem: null })
  /** Who this page's person is, as the station knows it by a sign-in. */
  readonly identity = new Cell<ProvenIdentity | null>(null)
  readonly name = new Cell('')
  readonly facility = new Cell('')
  readonly socket: Carrier | null = null
  readonly peer: Peer
  readonly pictures: Pictures
  readonly ptz: Ptz
  readonly dicom: ChannelPictures
  /** Who waits: how many before, and whether somebody sits before the station's console. */
  readonly lobby = new Cell<{ position: number; told: boolean }>({ position: 0, told: false })
  readonly codes = new CodeExchange(() => ({ station: this.hello.get()?.station.id ?? '', page: this.#keyHash }))
  /** A patient's way to the waiting room; null: the link wants no PIN. */
  readonly visit: Visit | null
  #keyHash = ''
  /** The key of the invitation is known: it was let through before. */
  #kept: Kept | null = null
  #fragment: ReturnType<typeof readFragment>
  #proof: Promise<Proof> | null = null
  #ready: Proof | null = null
  #instance: string | undefined
  #consultation = ''
  /** Proof of a sign-in, for as long as this page lives. */
  #identity: SignedIn | null = null
  #leaving = false
  #witness: (() => void) | null = null
  #saving = new Map<string, { resolve: () => void; reject: (why: Error) => void; timer: number }>()
  #key: Promise<Kept> | null = null
  /** Searches under way, by the name that the page gave them. */
  #finding = new Map<string, (items: IcdItem[]) => void>()
  #proposing = new Map<string, { resolve: () => void; reject: (why: Error) => void }>()

  /** link: the invitation's. Who sits at a desk has a connection to the station already (way), and the key of the sign-in (own). */
  constructor(private returned: Returned | null = null, link = location.hash, way?: (receive: (message: FromStation) => void) => Carrier,
    own?: Promise<Kept>) {
    this.#fragment = readFragment(link.slice(Math.max(0, link.indexOf('#'))))
    type Message = { type: string; [field: string]: unknown }
    const wire = {
      tell: (message: Message) => this.socket?.tell(message) ?? false,
      tellNow: (message: Message) => this.socket?.tellNow(message) ?? false,
    }
    this.peer = new Peer(wire, {}, (message) => this.#channel(message), this.codes)
    this.visit = this.#fragment && wantsPin(this.#fragment.invite) ? new Visit((pin) => this.#openInvite(pin), (code, text) => this.#refused(code, text)) : null
    this.pictures = new Pictures(this.peer, 'indexedDB' in globalThis && crypto.subtle ? new PartsStore() : null)
    this.ptz = new Ptz((message) => this.peer.send(message))
    this.dicom = new ChannelPictures(this.peer)
    reportFigures(this.peer)
    if (!this.#fragment) {
      this.phase.set('bad-link')
      return
    }
    if (!globalThis.isSecureContext || !crypto.subtle) {
      this.phase.set('insecure')
      return
    }
    const { invite, secret, via } = this.#fragment
    this.#key = own ? own.then((kept) => keyFor(invite, kept)) : keyFor(invite)
    const receive = (message: FromStation): void => this.#receive(message)
    this.socket = way ? way(receive) : via ? new Rendezvous({ ...via, box: invite, secret }, receive) : new Socket('/ws/join', receive)
    this.mic.track.subscribe(() => this.peer.setMicrophone(this.mic.track.get()))
    this.cam.track.subscribe(() => this.peer.setCamera(this.cam.track.get()))
    for (const device of [this.mic, this.cam]) {
      device.state.subscribe(() => this.#tellOwn())
      device.wanted.subscribe(() => void this.#remember())
    }
    this.phase.subscribe(() => this.#watchLog())
    this.peer.phase.subscribe(() => {
      if (this.peer.phase.get() === 'connected') this.#tellOwn()
    })
  }

  /** The person's click. Everything is at hand by then: the proof is signed, the devices are open.
   * sameStation: it is the socket that was lost, not the station. */
  join(sameStation = false): void {
    const pass = this.#pass()
    if (!this.socket || !pass) return
    const back = !['ready', 'refused', 'visit'].includes(this.phase.get())
    this.phase.set(back && this.phase.get() === 'live' ? 'live' : 'joining')
    const name = this.name.get().trim()
    const facility = this.facility.get().trim()
    const answer = this.socket.ask({
      type: 'join', ...pass,
      ...(this.visit ? this.visit.fields() : { ...(name || !back ? { name } : {}), ...(facility || !back ? { facility } : {}) }),
      ...(this.#identity ? { identity: this.#identity, fingerprint: this.#kept?.fingerprint } : {}),
    })
    // Right behind, so that who is admitted loses no round trip.
    if (sameStation && this.peer.phase.get() !== 'idle') this.peer.returned(true)
    else this.peer.start()
    answer.then(
      (ok) => {
        this.signing.set({ busy: false, problem: null })
        if (ok['state'] === 'admitted') this.#admitted()
        else this.#waiting()
        void this.#remember(true)
      },
      (error: unknown) => this.#joinRefused(error),
    )
  }

  /** Opens an invitation with its PIN; without one when this phone was bound before. */
  #openInvite(pin: string): Promise<Answer> {
    const pass = this.#pass()
    if (!this.socket || !pass) return Promise.reject(new Refusal({ type: 'error', code: 'no-link' }))
    return this.socket.ask({ type: 'invite.open', ...pass, ...(pin ? { pin } : {}) })
  }

  /** The person says that the codes differ: somebody may stand between. */
  differs(): void {
    this.why.set({ code: 'code-differs' })
    void this.socket?.ask({ type: 'code.differs' }).catch(() => {}).finally(() => this.#end('ended'))
  }

  /** While a person reads or waits, the browser does its part of the work for a connection. */
  #reserve(): void {
    const pass = this.#pass()
    if (!pass) return
    void this.socket?.ask({ type: 'media.reserve', ...pass })
      .then((ok) => this.invited.set((ok['role'] as Role | undefined) ?? null), () => {})
  }

  /** Leads the browser to the provider; the page comes back by itself. */
  async signIn(provider: Provider): Promise<void> {
    const kept = this.#kept
    if (!kept?.fingerprint) return
    this.signing.set({ busy: true, problem: null })
    try {
      const { begin } = await import('./sign-in')
      location.assign(await begin(provider, await this.#binding(kept), { page: '/join', fragment: location.hash, facility: this.facility.get().trim() }))
    } catch {
      this.signing.set({ busy: false, problem: t('sign-in.unreachable', { provider: provider.title }) })
    }
  }

  #binding(kept: Kept): Promise<string> {
    return keyHash(kept).then((key) => bindingNonce(kept.invite, key, kept.fingerprint ?? ''))
  }

  /** By an account of the station's own. */
  async signInByPasskey(): Promise<void> {
    const kept = this.#kept
    const hello = this.hello.get()
    if (!kept || !hello?.nonce || !hello.rp) return
    this.signing.set({ busy: true, problem: null })
    try {
      const challenge = await passkeyChallenge(hello.nonce, await this.#binding(kept))
      this.#signedIn({ method: 'passkey', credential: (await usePasskey(hello.rp, challenge)).given })
    } catch {
      this.signing.set({ busy: false, problem: t('account.passkey.declined') })
    }
  }

  signInByPassword(account: string, password: string, code: string): void {
    this.signing.set({ busy: true, problem: null })
    this.#signedIn({ method: 'password', account, password, code })
  }

  #signedIn(identity: SignedIn): void {
    this.#identity = identity
    this.join()
  }

  /** Back from the provider: in, without a further click. */
  async #finishSignIn(returned: Returned): Promise<void> {
    this.signing.set({ busy: true, problem: null })
    this.facility.set(returned.pending.facility || returned.pending.provider.title)
    const { finish, wasDeclined } = await import('./sign-in')
    try {
      this.#signedIn({ method: 'oidc', token: await finish(returned) })
    } catch (error) {
      const key = wasDeclined(error) ? 'sign-in.declined' : 'sign-in.failed'
      this.signing.set({ busy: false, problem: t(key, { provider: returned.pending.provider.title }) })
    }
  }

  /** The invitation, and the proof that this browser holds its key; null: not at hand yet. */
  #pass(): (Omit<Proof, 'nonce'> & { invite: string; secret: string }) | null {
    if (!this.#fragment || !this.#ready) return null
    const { nonce: _, ...proof } = this.#ready
    const { invite, secret } = this.#fragment
    return { invite, secret, ...proof }
  }

  /** By which the station knows this browser; null: the link is not whole, or nothing can be kept. */
  async publicKey(): Promise<JsonWebKey | null> {
    return this.#key ? publicKeyOf(await this.#key) : null
  }

  get opinion(): string {
    return this.#kept?.opinion ?? ''
  }

  /** Was here before: what is on the screen while joining is the consultation, not the form. */
  get returning(): boolean {
    return this.#kept?.back ?? false
  }

  /** It was only made ready: nothing was joined, nobody hears of it. */
  drop(): void {
    this.#leaving = true
    this.peer.stop()
    this.socket?.end()
  }

  leave(): void {
    void this.socket?.ask({ type: 'leave' }).catch(() => {})
    this.#end('left')
  }

  /** A proposal for the doctor to take over; durable when the promise resolves. */
  propose(problem: Problem): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.peer.send({ type: 'problem.save', ...problem })) {
        reject(new Error('no channel'))
        return
      }
      this.#proposing.set(problem.problem, { resolve, reject })
      setTimeout(() => this.#proposing.delete(problem.problem) && reject(new Error('no answer')), SAVE_MS)
    })
  }

  findIcd10(text: string): Promise<IcdItem[]> {
    return new Promise((resolve, reject) => {
      const ask = crypto.randomUUID()
      this.#finding.set(ask, resolve)
      setTimeout(() => this.#finding.delete(ask) && reject(new Error('no answer')), SAVE_MS)
      if (!this.peer.send({ type: 'icd10.find', ask, text })) reject(new Error('no channel'))
    })
  }

  saveNote(note: string, kind: NoteKind, text: string): Promise<void> {
    return this.#sendNote('note.save', note, kind, text)
  }

  /** Confirms the opinion as it stands at the station; durable when the promise resolves. */
  async confirmOpinion(note: string, text: string): Promise<void> {
    const kept = this.#kept
    if (!kept || !this.socket) return
    const sha256 = await hashOf(new TextEncoder().encode(text))
    const { key, signature } = await sign(kept, ['nhipcau-opinion-1', this.#consultation, note, sha256])
    await this.socket.ask({ type: 'opinion.confirm', note, sha256, key, signature })
  }

  keepNote(note: string, kind: NoteKind, text: string): Promise<void> {
    return this.#sendNote('note.draft', note, kind, text)
  }

  /** Durable at the station when the promise resolves. */
  #sendNote(type: 'note.save' | 'note.draft', note: string, kind: NoteKind, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.peer.send({ type, note, kind, text })) {
        reject(new Error('no channel'))
        return
      }
      const timer = window.setTimeout(() => {
        this.#saving.delete(note)
        reject(new Error('no answer'))
      }, SAVE_MS)
      this.#saving.set(note, { resolve, reject, timer })
    })
  }

  #receive(message: FromStation): void {
    switch (message.type) {
      case 'hello': return void this.#greeted(message)
      case 'lobby':
        this.lobby.set({ position: message.position ?? 0, told: message.told ?? false })
        return this.#waiting()
      case 'admitted':
        this.role.set(message.role)
        this.#consultation = message.consultation.id
        this.identity.set(message.identity ?? null)
        return this.#admitted()
      case 'refused': return this.#refused(message.code, message.text)
      case 'ended':
        this.why.set({ code: message.code })
        return this.#end('ended')
      case 'media.offer':
      case 'media.servers':
      case 'media.candidate':
      case 'media.code':
      case 'media.state': return this.peer.receive(message)
      default: return
    }
  }

  async #greeted(hello: Hello): Promise<void> {
    const same = hello.instance !== undefined && hello.instance === this.#instance
    this.#instance = hello.instance
    this.hello.set(hello)
    stationLanguage(hello.language)
    if (!hello.nonce || !this.#key) return
    this.#kept = await this.#key
    this.peer.certificate = this.#kept.certificate ?? null
    this.#keyHash ||= await keyHash(this.#kept)
    const proof = (this.#proof = prove(this.#kept, hello.nonce))
    this.#ready = await proof
    if (proof !== this.#proof) return
    const phase = this.phase.get()
    if (!this.visit && (phase === 'ready' || (phase === 'loading' && !this.#kept.back))) this.#reserve()
    if (phase === 'loading') {
      if (this.#kept.back) this.#comeBack()
      else if (this.visit) await this.#begin(this.visit)
      else this.phase.set('ready')
      const { returned } = this
      this.returned = null
      if (returned && !this.#kept.back) void this.#finishSignIn(returned)
    } else if (phase === 'visit') {
      void this.visit?.again()
    } else if (['joining', 'lobby', 'live'].includes(phase)) {
      if (!same && phase === 'live') this.peer.suspend()
      this.join(same)
    }
  }

  async #begin(visit: Visit): Promise<void> {
    await visit.enter()
    if (this.phase.get() !== 'loading') return
    // Who left and comes back is asked nothing again.
    if (this.#kept?.visit && visit.info.get()?.other === false) {
      visit.change(this.#kept.visit)
      visit.step.set('enter')
    }
    this.phase.set('visit')
  }

  /** After a reload: in again without a click, with the devices as they were. */
  #comeBack(): void {
    const { audio, video } = this.#kept ?? { audio: false, video: false }
    if (this.visit && this.#kept?.visit) this.visit.change(this.#kept.visit)
    this.phase.set('joining')
    this.join()
    if (audio) void this.mic.on()
    if (video) void this.cam.on()
  }

  #admitted(): void {
    if (this.peer.phase.get() === 'idle') this.peer.start()
    if (this.phase.get() === 'live') return
    // To lay the page out takes longer than a round trip: it is done while the path is sought.
    const show = (): void => {
      clearTimeout(timer)
      this.peer.answered = null
      if (['joining', 'lobby'].includes(this.phase.get())) this.phase.set('live')
    }
    const timer = window.setTimeout(show, SHOW_MS)
    this.peer.answered = show
  }

  #waiting(): void {
    this.peer.stop()
    this.phase.set('lobby')
  }

  #joinRefused(error: unknown): void {
    const answer = error instanceof Refusal ? error.answer : null
    // The link went: the next hello joins again.
    if (answer && ['no-link', 'no-answer'].includes(answer.code ?? '')) return
    if (answer?.code === 'not-proven' || (answer && this.#identity && answer.code === 'locked-out')) {
      this.peer.stop()
      this.#identity = null
      this.signing.set({ busy: false, problem: answer.text ?? '' })
      this.phase.set('ready')
      return
    }
    if (answer?.code === 'bad-message' && this.#kept?.back) {
      // The station no longer knows this browser: it wants a name again.
      this.peer.stop()
      this.#kept = { ...this.#kept, back: false }
      this.visit?.step.set('who')
      this.phase.set(this.visit ? 'visit' : 'ready')
      return
    }
    if (answer?.code === 'pin-wanted' && this.visit) {
      // Another phone has the invitation now.
      this.peer.stop()
      this.visit.step.set('pin')
      this.phase.set('visit')
      return
    }
    this.#refused(answer?.code ?? 'failed', answer?.text)
  }

  #refused(code: string, text: Said | undefined): void {
    this.peer.stop()
    this.why.set(text === undefined ? { code } : { code, text })
    void this.#remember(false)
    this.phase.set('refused')
  }

  #end(phase: 'ended' | 'left'): void {
    this.#leaving = true
    this.peer.stop()
    this.socket?.end()
    this.mic.off()
    this.cam.off()
    this.live.set(null)
    this.readings.set(new Map())
    this.past.set(null)
    this.notes.set([])
    this.problems.set({ problems: [], proposals: [] })
    this.pictures.clear()
    this.ptz.clear()
    this.dicom.clear()
    forgetParts()
    // Who left may come back by the link, but by a click. Said only when that is kept.
    if (phase === 'left') void this.#remember(false).then(() => this.phase.set('left'))
    else {
      this.phase.set('ended')
      if (this.#fragment) void forget(this.#fragment.invite)
    }
  }

  async #remember(back = this.#kept?.back ?? false): Promise<void> {
    if (!this.#kept || (this.#leaving && back)) return
    const next = { ...this.#kept, back }
    // While coming back the devices are not yet as they were.
    if (!this.#leaving && ['live', 'lobby'].includes(this.phase.get()))
      Object.assign(next, { audio: this.mic.wanted.get(), video: this.cam.wanted.get() })
    if (this.visit && back) next.visit = this.visit.answers.get()
    if (next.back === this.#kept.back && next.audio === this.#kept.audio && next.video === this.#kept.video) return
    this.#kept = next
    await keep(next)
  }

  /** While in, this browser is a witness of the station's log. */
  #watchLog(): void {
    const phase = this.phase.get()
    const station = this.hello.get()?.station.id
    if (phase === 'live' && this.socket && station) this.#witness ??= witness(this.socket, station)
    else if (phase !== 'live') {
      this.#witness?.()
      this.#witness = null
    }
  }

  #tellOwn(): void {
    if (this.phase.get() !== 'live') return
    this.socket?.tell({
      type: 'media.own', audio: this.mic.state.get() === 'on', video: this.cam.state.get() === 'on',
    })
  }

  /** The newest is fetched at once: it is there when somebody looks. */
  #listed(items: EcgItem[]): void {
    this.ecgs.set(items)
    const newest = items[items.length - 1]
    if (newest && this.role.get() !== 'patient') this.shelf.get(newest.ecg).catch(() => {})
  }

  #listedProblems(message: { problems: Problem[]; proposals: Problem[] }): void {
    this.problems.set({ problems: message.problems, proposals: message.proposals })
    for (const { resolve } of this.#proposing.values()) resolve()
    this.#proposing.clear()
  }

  #channel(message: FromChannel): void {
    switch (message.type) {
      case 'readings': {
        const items = this.#brief.take(message.items, message.now)
        return this.readings.update((known) => newest(known, items))
      }
      case 'past': return this.past.set(message)
      case 'clock': return stationClock(message.now)
      case 'ecgs': return this.#listed(message.items)
      case 'problems': return this.#listedProblems(message)
      case 'icd10':
        this.#finding.get(message.ask)?.(message.items)
        return void this.#finding.delete(message.ask)
      case 'ecg.bytes': return this.#pieces.receive(message)
      case 'consultation': return this.live.set(message)
      case 'link':
        return this.link.update((known) => ({ ...message, streams: message.streams ?? known?.streams }))
      case 'note':
        return this.notes.update((known) => [
          ...known.filter(({ note }) => note !== message.note), message,
        ])
      case 'pictures': return this.pictures.receive(message)
      case 'ptz': return this.ptz.receive(message)
      case 'dicom': return this.dicom.receiveItems(message.items)
      case 'dicom.file': return this.dicom.receiveFile(message)
      case 'saved':
      case 'error': {
        if (message.type === 'error' && message.ptz !== undefined) this.ptz.refuse(message.ptz, message.text)
        if (message.type === 'error' && message.ask) this.pictures.refused.set({ ask: message.ask, text: message.text })
        if (message.type === 'error' && message.problem) {
          this.#proposing.get(message.problem)?.reject(new Error(message.code))
          this.#proposing.delete(message.problem)
        }
        const note = message.note
        const waiting = note === undefined ? undefined : this.#saving.get(note)
        if (!waiting || note === undefined) return
        this.#saving.delete(note)
        clearTimeout(waiting.timer)
        if (message.type === 'saved') waiting.resolve()
        else waiting.reject(new Error(message.code))
      }
    }
  }
}
