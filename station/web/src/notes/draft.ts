import { Cell } from '../observable'
import type { NoteKind } from '../protocol'

export type DraftState = 'empty' | 'unsaved' | 'saving' | 'saved' | 'failed'

const EVERY_MS = 1000
const RETRY_MS = 2000

/** A note being written. Every save is a version at the station; "saved" means that it is durable
 * there. At most one save a second, one at a time; what could not be saved is tried again. */
export class Draft {
  readonly text: Cell<string>
  readonly state: Cell<DraftState>
  #saved: string
  #timer = 0
  #last = 0
  #busy = false
  #ended = false

  constructor(
    readonly note: string,
    readonly kind: NoteKind,
    text: string,
    readonly save: (note: string, kind: NoteKind, text: string) => Promise<unknown>,
  ) {
    this.#saved = text
    this.text = new Cell(text)
    this.state = new Cell<DraftState>(text === '' ? 'empty' : 'saved')
  }

  get clean(): boolean {
    return this.text.get() === this.#saved
  }

  edit(text: string): void {
    this.text.set(text)
    if (this.clean && !this.#busy) {
      this.state.set(text === '' ? 'empty' : 'saved')
      return
    }
    this.state.set('unsaved')
    this.#plan(Math.max(0, this.#last + EVERY_MS - performance.now()))
  }

  /** The person went elsewhere: save now. */
  flush(): void {
    if (!this.clean) this.#plan(0)
  }

  /** Saves what is not saved and waits for it, `ms` at most. */
  async settle(ms: number): Promise<void> {
    const until = performance.now() + ms
    this.flush()
    while (!this.clean && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 30))
  }

  /** Gives the draft up: nothing is saved any more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  /** A newer version came from elsewhere (the same person on another page). */
  follow(text: string): void {
    if (!this.clean || this.#busy || text === this.#saved) return
    this.#saved = text
    this.text.set(text)
    this.state.set(text === '' ? 'empty' : 'saved')
  }

  #plan(after: number): void {
    clearTimeout(this.#timer)
    if (!this.#ended) this.#timer = window.setTimeout(() => void this.#go(), after)
  }

  async #go(): Promise<void> {
    if (this.#busy || this.clean) return
    const text = this.text.get()
    this.#busy = true
    this.#last = performance.now()
    this.state.set('saving')
    try {
      await this.save(this.note, this.kind, text)
      this.#saved = text
      this.state.set(this.clean ? 'saved' : 'unsaved')
      if (!this.clean) this.#plan(EVERY_MS)
    } catch {
      this.state.set('failed')
      this.#plan(RETRY_MS)
    } finally {
      this.#busy = false
    }
  }
}
