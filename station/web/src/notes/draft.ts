import { Cell } from '../observable'
import type { NoteKind } from '../protocol'

/** `kept`: a durable draft at the station; `saved`: a version of the record. */
export type DraftState = 'empty' | 'unsaved' | 'saving' | 'kept' | 'saved' | 'failed'

const EVERY_MS = 1000
const RETRY_MS = 2000

type Send = (note: string, kind: NoteKind, text: string) => Promise<unknown>

/** A note being written. While somebody types, the station keeps a draft that is overwritten, once a
 * second at most; when the field is left, a version is made. One at a time; what could not be sent is
 * tried again. */
export class Draft {
  readonly text: Cell<string>
  readonly state: Cell<DraftState>
  /** What the station has, as a draft or a version; and the newest version. */
  #durable: string
  #version: string | null
  #timer = 0
  #last = 0
  #busy = false
  #ended = false
  #wanted: 'draft' | 'version' = 'draft'

  /** `drafted`: what the station has is a draft, made before a reload. */
  constructor(
    readonly note: string,
    readonly kind: NoteKind,
    text: string,
    readonly save: Send,
    readonly keep: Send,
    drafted = false,
  ) {
    this.#durable = text
    this.#version = drafted ? null : text
    this.text = new Cell(text)
    this.state = new Cell<DraftState>(this.#resting())
  }

  get clean(): boolean {
    return this.text.get() === this.#durable
  }

  get #settled(): boolean {
    return this.text.get() === this.#version
  }

  edit(text: string): void {
    this.text.set(text)
    this.#wanted = 'draft'
    if (this.clean && !this.#busy) {
      this.state.set(this.#resting())
      return
    }
    this.state.set('unsaved')
    this.#plan(Math.max(0, this.#last + EVERY_MS - performance.now()))
  }

  /** The person went elsewhere: a version now. */
  flush(): void {
    this.#wanted = 'version'
    if (!this.#settled) this.#plan(0)
  }

  /** Saves what is not saved and waits for it, `ms` at most. */
  async settle(ms: number): Promise<void> {
    const until = performance.now() + ms
    this.flush()
    while (!this.#settled && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 30))
  }

  /** Gives the draft up: nothing is saved any more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  /** A newer text came from elsewhere (the same person on another page). */
  follow(text: string, drafted = false): void {
    if (!this.clean || this.#busy || text === this.#durable) return
    this.#durable = text
    this.#version = drafted ? null : text
    this.text.set(text)
    this.state.set(this.#resting())
  }

  #resting(): DraftState {
    if (this.text.get() === '' && this.#version === '') return 'empty'
    return this.#settled ? 'saved' : 'kept'
  }

  #plan(after: number): void {
    clearTimeout(this.#timer)
    if (!this.#ended) this.#timer = window.setTimeout(() => void this.#go(), after)
  }

  async #go(): Promise<void> {
    const version = this.#wanted === 'version'
    if (this.#busy || (version ? this.#settled : this.clean)) return
    const text = this.text.get()
    this.#busy = true
    this.#last = performance.now()
    this.state.set('saving')
    try {
      await (version ? this.save : this.keep)(this.note, this.kind, text)
      this.#durable = text
      if (version) this.#version = text
      this.state.set(this.clean ? this.#resting() : 'unsaved')
      if (!this.clean || (this.#wanted === 'version' && !this.#settled))
        this.#plan(this.#wanted === 'version' ? 0 : EVERY_MS)
    } catch {
      this.state.set('failed')
      this.#plan(RETRY_MS)
    } finally {
      this.#busy = false
    }
  }
}
