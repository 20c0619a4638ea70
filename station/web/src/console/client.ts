import { BriefReadings } from '../clinical/brief'
import { newest } from '../clinical/vitals'
import { EcgShelf } from '../ecg/fetch'
import { Refusal, Socket } from '../link/socket'
import { OwnDevice } from '../media/own'
import { reportFigures } from '../media/figures'
import { Peer } from '../media/peer'
import { Pictures } from '../media/pictures'
import { Ptz } from '../media/ptz'
import { Cell, stationClock } from '../observable'
import type {
  Answer, FromChannel, FromStation, Hello, IcdItem, LiveConsultation, NoteKind, Observation, PastReadings, StationState, User,
} from '../protocol'
import { stationLanguage } from '../text'
import { answerByKey } from './passkey'

/** The session alone outlives a reload, in this tab only; it says nothing about anybody. */
const KEPT = 'nhipcau.session'

export type Entry = 'starting' | 'signed-out' | 'signed-in'

/** How often a touch is told, at most. */
const TOUCH_EVERY_MS = 15_000

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** The console's side of the protocol: one socket, one peer, the station's state. */
export class Console {
  readonly hello = new Cell<Hello | null>(null)
  readonly state = new Cell<StationState | null>(null)
  readonly entry = new Cell<Entry>('starting')
  readonly user = new Cell<User | null>(null)
  readonly signedOut = new Cell<string | null>(null)
  /** What the key by which somebody signed in could not do; null: nothing to tell. */
  readonly keyNote = new Cell<'joined' | 'closed' | null>(null)
  readonly readings = new Cell<ReadonlyMap<string, Observation>>(new Map())
  readonly past = new Cell<PastReadings | null>(null)
  readonly #brief = new BriefReadings()
  readonly live = new Cell<LiveConsultation | null>(null)
  readonly mic = new OwnDevice('audio')
  readonly cam = new OwnDevice('video')
  readonly socket: Socket
  readonly peer: Peer
  readonly pictures: Pictures
  readonly ptz: Ptz
  #session: string | null = keptSession()
  #instance: string | undefined
  #mediaFor: string | null = null
  #micWanted = true
  #ecgs: { consultation: string; shelf: EcgShelf } | null = null

  constructor() {
    this.socket = new Socket('/ws/console', (message) => this.#receive(message))
    this.peer = new Peer(
      this.socket, { loopback: LOOPBACK.includes(location.hostname) }, (message) => this.#channel(message),
    )
    this.pictures = new Pictures(this.peer, null)
    this.ptz = new Ptz((message) => this.peer.send(message))
    reportFigures(this.peer)
    this.#watchTouches()
    this.mic.track.subscribe(() => this.peer.setMicrophone(this.mic.track.get()))
    this.cam.track.subscribe(() => this.peer.setCamera(this.cam.track.get()))
    for (const device of [this.mic, this.cam]) device.state.subscribe(() => this.#tellOwn())
    this.peer.phase.subscribe(() => {
      if (this.peer.phase.get() === 'connected') this.#tellOwn()
    })
  }

  get session(): string {
    return this.#session ?? ''
  }

  ask(type: string, fields: Record<string, unknown> = {}): Promise<Answer> {
    return this.socket.ask({ type, ...fields })
  }

  /** The ECGs of a consultation, one on screen or one of the archive. */
  ecgs(consultation: string): EcgShelf {
    if (this.#ecgs?.consultation !== consultation)
      this.#ecgs = {
        consultation,
        shelf: new EcgShelf(async (ecg, from) => {
          const answer = await this.ask('ecg.get', { consultation, ecg, from })
          return { size: Number(answer['size']), data: String(answer['data']) }
        }),
      }
    return this.#ecgs.shelf
  }

  async signIn(user: string, pin: string): Promise<void> {
    this.#entered(await this.ask('sign-in', { user, pin }))
  }

  /** By the passphrase in place of the PIN; the records are open then. */
  async signInByPassphrase(user: string, passphrase: string): Promise<void> {
    this.#entered(await this.ask('sign-in', { user, passphrase }))
    await this.ask('unlock', { passphrase })
  }

  /** By a key of this computer; rejects with a DOMException when it is not used. */
  async signInByKey(): Promise<void> {
    const ask = (type: string, fields?: Record<string, unknown>): Promise<Answer> => this.ask(type, fields)
    const answer = await this.ask('sign-in.passkey', await answerByKey(ask))
    this.#entered(answer)
    const opened = answer['opened']
    const opensNothing = opened === 'no' && this.user.get()?.passphrase !== true
    this.keyNote.set(opensNothing || opened === 'key' ? null : opened === 'joined' ? 'joined' : 'closed')
  }

  /** Opens the records by a key of this computer. */
  async unlockByKey(): Promise<void> {
    await this.ask('unlock.passkey', await answerByKey((type, fields) => this.ask(type, fields)))
  }

  async signOut(): Promise<void> {
    await this.ask('sign-out').catch(() => {})
    this.#leave(null)
  }

  /** Durable at the station when the promise resolves. */
  saveNote(note: string, kind: NoteKind, text: string): Promise<Answer> {
    return this.ask('note.save', { note, kind, text })
  }

  /** A draft: overwritten by the next one, durable when the promise resolves. */
  keepNote(note: string, kind: NoteKind, text: string): Promise<Answer> {
    return this.ask('note.draft', { note, kind, text })
  }

  async findIcd10(text: string): Promise<IcdItem[]> {
    return (await this.ask('icd10.find', { text }))['items'] as IcdItem[]
  }

  toggleMicrophone(): void {
    this.#micWanted = this.mic.state.get() !== 'on'
    if (this.#micWanted) void this.mic.on()
    else this.mic.off()
  }

  toggleCamera(): void {
    if (this.cam.state.get() === 'on') this.cam.off()
    else void this.cam.on()
  }

  #receive(message: FromStation): void {
    switch (message.type) {
      case 'hello': return this.#greeted(message)
      case 'state': return this.#changed(message)
      case 'signed-out': return this.#leave(message.reason ?? null)
      case 'media.offer':
      case 'media.servers':
      case 'media.candidate':
      case 'media.state': return this.peer.receive(message)
      default: return
    }
  }

  #greeted(hello: Hello): void {
    const same = hello.instance !== undefined && hello.instance === this.#instance
    this.#instance = hello.instance
    this.hello.set(hello)
    stationLanguage(hello.language)
    if (this.#session) void this.#resume(same)
    else this.entry.set('signed-out')
  }

  async #resume(same: boolean): Promise<void> {
    try {
      this.#entered(await this.ask('resume', { session: this.#session }))
      this.peer.returned(same)
    } catch (error) {
      // A lost link is no refusal: the next hello tries again.
      if (error instanceof Refusal && !['no-link', 'no-answer'].includes(error.code)) this.#leave(null)
    }
  }

  #entered(answer: Answer): void {
    this.#session = typeof answer['session'] === 'string' ? answer['session'] : this.#session
    keepSession(this.#session)
    this.user.set(this.#userOf(answer['user']) ?? this.state.get()?.user ?? null)
    this.signedOut.set(null)
    this.entry.set('signed-in')
    this.#followMedia()
  }

  #userOf(user: unknown): User | null {
    if (user && typeof user === 'object') return user as User
    return this.hello.get()?.users?.find((known) => known.id === user) ?? null
  }

  #leave(reason: string | null): void {
    // Who left by her own act need not be told so.
    const known = this.entry.get() === 'signed-out'
    this.#session = null
    keepSession(null)
    this.user.set(null)
    this.keyNote.set(null)
    this.signedOut.set(known || reason === 'ended' ? null : reason)
    this.entry.set('signed-out')
  }

  #changed(state: StationState): void {
    const before = this.state.get()?.consultation?.id
    // Who is signed out sees nothing of the consultation; its picture and sound go on meanwhile.
    this.state.set(state)
    if (state.user) this.user.set(state.user)
    const consultation = state.consultation
    if (consultation) {
      const known = consultation.id === before ? this.readings.get() : new Map<string, Observation>()
      this.readings.set(newest(known, consultation.readings ?? []))
      if (consultation.id !== before) this.past.set(null)
    } else if (state.user) {
      this.readings.set(new Map())
      this.live.set(null)
      this.pictures.clear()
      this.ptz.clear()
    }
    this.#followMedia()
  }

  /** Media run while a consultation is on the screen, whoever is signed in. */
  #followMedia(): void {
    const state = this.state.get()
    if (this.entry.get() !== 'signed-in' || !state?.user) return
    const consultation = state.consultation
    const wanted = consultation && ['live', 'interrupted'].includes(consultation.state) ? consultation.id : null
    if (wanted === this.#mediaFor) return
    this.#mediaFor = wanted
    if (wanted) {
      this.peer.start()
      if (this.#micWanted) void this.mic.on()
    } else {
      this.peer.stop()
      this.socket.tell({ type: 'media.stop' })
      this.mic.off()
      this.cam.off()
    }
  }

  /** The station locks a page that nobody touches: it hears that somebody does. */
  #watchTouches(): void {
    let told = -Infinity
    const touched = (): void => {
      if (this.entry.get() !== 'signed-in' || performance.now() - told < TOUCH_EVERY_MS) return
      if (this.socket.tell({ type: 'active' })) told = performance.now()
    }
    for (const kind of ['pointerdown', 'pointermove', 'keydown', 'wheel'])
      addEventListener(kind, touched, { passive: true, capture: true })
  }

  #tellOwn(): void {
    if (this.#mediaFor === null) return
    this.socket.tell({
      type: 'media.own', audio: this.mic.state.get() === 'on', video: this.cam.state.get() === 'on',
    })
  }

  #channel(message: FromChannel): void {
    if (message.type === 'readings') {
      const items = this.#brief.take(message.items, message.now)
      this.readings.update((known) => newest(known, items))
    } else if (message.type === 'past') this.past.set(message)
    else if (message.type === 'clock') stationClock(message.now)
    else if (message.type === 'consultation') this.live.set(message)
    else if (message.type === 'pictures') this.pictures.receive(message)
    else if (message.type === 'ptz') this.ptz.receive(message)
    else if (message.type === 'error' && message.ptz !== undefined) this.ptz.refuse(message.ptz, message.text)
    else if (message.type === 'error' && message.ask) this.pictures.refused.set({ ask: message.ask, text: message.text })
  }
}

function keptSession(): string | null {
  try {
    return sessionStorage.getItem(KEPT)
  } catch {
    return null
  }
}

function keepSession(session: string | null): void {
  try {
    if (session) sessionStorage.setItem(KEPT, session)
    else sessionStorage.removeItem(KEPT)
  } catch {
    // Storage is off: a reload asks for the PIN again.
  }
}
