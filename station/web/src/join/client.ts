import { BriefReadings } from '../clinical/brief'
import { newest } from '../clinical/vitals'
import { ChannelPictures } from '../dicom/channel'
import { Refusal, Socket } from '../link/socket'
import { OwnDevice } from '../media/own'
import { ChannelPieces, EcgShelf } from '../ecg/fetch'
import { reportFigures } from '../media/figures'
import { forgetParts, PartsStore } from '../media/keep'
import { Peer } from '../media/peer'
import { Pictures } from '../media/pictures'
import { Ptz } from '../media/ptz'
import { Cell, stationClock } from '../observable'
import type { EcgItem, FromChannel, FromStation, Hello, IcdItem, LiveConsultation, Note, NoteKind, Observation, PeerFigures, Problem, Role, Said } from '../protocol'
import { stationLanguage } from '../text'
import { forget, keep, keyFor, prove, readFragment, type Kept, type Proof } from './key'

export type Phase =
  | 'loading' | 'bad-link' | 'insecure' | 'ready' | 'joining' | 'lobby' | 'live' | 'refused' | 'ended' | 'left'

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
  readonly #brief = new BriefReadings()
  readonly notes = new Cell<readonly Note[]>([])
  readonly problems = new Cell<{ problems: Problem[]; proposals: Problem[] }>({ problems: [], proposals: [] })
  readonly ecgs = new Cell<readonly EcgItem[]>([])
  readonly #pieces = new ChannelPieces((message) => this.peer.send(message))
  readonly shelf = new EcgShelf(this.#pieces.ask)
  readonly link = new Cell<PeerFigures | null>(null)
  readonly mic = new OwnDevice('audio')
  readonly cam = new OwnDevice('video')
  readonly name = new Cell('')
  readonly facility = new Cell('')
  readonly socket: Socket | null = null
  readonly peer: Peer
  readonly pictures: Pictures
  readonly ptz: Ptz
  readonly dicom: ChannelPictures
  /** The key of the invitation is known: it was let through before. */
  #kept: Kept | null = null
  #fragment = readFragment(location.hash)
  #proof: Promise<Proof> | null = null
  #ready: Proof | null = null
  #instance: string | undefined
  #leaving = false
  #saving = new Map<string, { resolve: () => void; reject: (why: Error) => void; timer: number }>()
  #key: Promise<Kept> | null = null
  /** Searches under way, by the name that the page gave them. */
  #finding = new Map<string, (items: IcdItem[]) => void>()
  #proposing = new Map<string, { resolve: () => void; reject: (why: Error) => void }>()

  constructor() {
    type Message = { type: string; [field: string]: unknown }
    const wire = {
      tell: (message: Message) => this.socket?.tell(message) ?? false,
      tellNow: (message: Message) => this.socket?.tellNow(message) ?? false,
    }
    this.peer = new Peer(wire, {}, (message) => this.#channel(message))
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
    this.#key = keyFor(this.#fragment.invite)
    this.socket = new Socket('/ws/join', (message) => this.#receive(message))
    this.mic.track.subscribe(() => this.peer.setMicrophone(this.mic.track.get()))
    this.cam.track.subscribe(() => this.peer.setCamera(this.cam.track.get()))
    for (const device of [this.mic, this.cam]) {
      device.state.subscribe(() => this.#tellOwn())
      device.wanted.subscribe(() => void this.#remember())
    }
    this.peer.phase.subscribe(() => {
      if (this.peer.phase.get() === 'connected') this.#tellOwn()
    })
  }

  /** The person's click. Everything is at hand by then: the proof is signed, the devices are open.
   * sameStation: it is the socket that was lost, not the station. */
  join(sameStation = false): void {
    const pass = this.#pass()
    if (!this.socket || !pass) return
    const back = this.phase.get() !== 'ready' && this.phase.get() !== 'refused'
    this.phase.set(back && this.phase.get() === 'live' ? 'live' : 'joining')
    const name = this.name.get().trim()
    const facility = this.facility.get().trim()
    const answer = this.socket.ask({
      type: 'join', ...pass,
      ...(name || !back ? { name } : {}), ...(facility || !back ? { facility } : {}),
    })
    // Right behind, so that who is admitted loses no round trip.
    if (sameStation && this.peer.phase.get() !== 'idle') this.peer.returned(true)
    else this.peer.start()
    answer.then(
      (ok) => {
        if (ok['state'] === 'admitted') this.#admitted()
        else this.#waiting()
        void this.#remember(true)
      },
      (error: unknown) => this.#joinRefused(error),
    )
  }

  /** While a person reads or waits, the browser does its part of the work for a connection. */
  #reserve(): void {
    const pass = this.#pass()
    if (pass) this.socket?.tell({ type: 'media.reserve', ...pass })
  }

  /** The invitation, and the proof that this browser holds its key; null: not at hand yet. */
  #pass(): (Omit<Proof, 'nonce'> & { invite: string; secret: string }) | null {
    if (!this.#fragment || !this.#ready) return null
    const { nonce: _, ...proof } = this.#ready
    const { invite, secret } = this.#fragment
    return { invite, secret, ...proof }
  }

  get opinion(): string {
    return this.#kept?.opinion ?? ''
  }

  /** Was here before: what is on the screen while joining is the consultation, not the form. */
  get returning(): boolean {
    return this.#kept?.back ?? false
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
      case 'lobby': return this.#waiting()
      case 'admitted':
        this.role.set(message.role)
        return this.#admitted()
      case 'refused': return this.#refused(message.code, message.text)
      case 'ended':
        this.why.set({ code: message.code })
        return this.#end('ended')
      case 'media.offer':
      case 'media.servers':
      case 'media.candidate':
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
    const proof = (this.#proof = prove(this.#kept, hello.nonce))
    this.#ready = await proof
    if (proof !== this.#proof) return
    const phase = this.phase.get()
    if (phase === 'ready' || (phase === 'loading' && !this.#kept.back)) this.#reserve()
    if (phase === 'loading') {
      if (this.#kept.back) this.#comeBack()
      else this.phase.set('ready')
    } else if (['joining', 'lobby', 'live'].includes(phase)) {
      if (!same && phase === 'live') this.peer.suspend()
      this.join(same)
    }
  }

  /** After a reload: in again without a click, with the devices as they were. */
  #comeBack(): void {
    const { audio, video } = this.#kept ?? { audio: false, video: false }
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
    if (answer?.code === 'bad-message' && this.#kept?.back) {
      // The station no longer knows this browser: it wants a name again.
      this.peer.stop()
      this.#kept = { ...this.#kept, back: false }
      this.phase.set('ready')
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
    if (next.back === this.#kept.back && next.audio === this.#kept.audio && next.video === this.#kept.video) return
    this.#kept = next
    await keep(next)
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
