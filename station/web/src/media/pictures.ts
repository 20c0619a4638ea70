import { hex, sha256 } from '../bytes'
import { Cell } from '../observable'
import type { PictureAsk, PictureView, PicturesMessage, Said } from '../protocol'
import { PartsStore } from './keep'
import { Parts } from './parts'
import type { Peer } from './peer'

const HEADER = 20
const ID_BYTES = 16
/** Stretches named in one request; what is missing beyond them is asked for when these have come. */
const STRETCHES = 60
/** Bytes asked for at once where they are kept: no more than this can come twice by a reload. */
const AHEAD = 256 * 1024
const LOOK_MS = 1000
/** Nothing came for so long though the connection stands: what is missing is asked for again. */
const STALL_MS = 15_000

/** coming: on its way or waiting for its turn; broken: what came is not what was taken. */
export type PictureState = 'coming' | 'whole' | 'broken'
export interface PictureProgress { have: number; state: PictureState }

interface File { view: PictureView; bytes: Uint8Array<ArrayBuffer>; parts: Parts; state: PictureState; loaded: boolean; tries: number }

/** The pictures of the consultation at this page: what there is, and their bytes, fetched one after the
 * other, the newest or the one that is looked at first. No byte is asked for that has come before. */
export class Pictures {
  readonly list = new Cell<readonly PictureView[]>([])
  readonly asks = new Cell<readonly PictureAsk[]>([])
  readonly always = new Cell(false)
  readonly progress = new Cell<ReadonlyMap<string, PictureProgress>>(new Map())
  readonly refused = new Cell<{ ask: string; text: Said | undefined } | null>(null)
  #files = new Map<string, File>()
  #current: string | null = null
  #first: string | null = null
  /** Bytes that were asked for and have not come. */
  #awaited = 0
  #heard = 0
  #shown = 0

  constructor(readonly peer: Peer, readonly store: PartsStore | null) {
    peer.files = (data) => this.#chunk(data)
    // A new connection knows nothing of what was asked.
    peer.opened.subscribe(() => (this.#current = null))
    setInterval(() => this.#look(), LOOK_MS)
    void store?.forgetOld().catch(() => {})
  }

  take(source: string, lossless: boolean): string {
    const ask = crypto.randomUUID()
    this.refused.set(null)
    this.peer.send({ type: 'picture.take', source, lossless, ask })
    return ask
  }

  /** What a camera has just shown, as it was recorded. */
  clip(source: string, seconds: number): void {
    this.refused.set(null)
    this.peer.send({ type: 'clip.take', source, seconds, ask: crypto.randomUUID() })
  }

  answer(ask: string, allow: boolean): void {
    this.peer.send({ type: 'picture.answer', ask, allow })
  }

  setAlways(on: boolean): void {
    this.peer.send({ type: 'picture.always', on })
  }

  /** This one before the others. */
  prefer(picture: string): void {
    this.#first = picture
    if (this.#current !== picture && this.#files.get(picture)?.state === 'coming') {
      this.#current = null
      this.#next()
    }
  }

  /** The picture's bytes; null until all have come and are what was taken. */
  blob(picture: string): Blob | null {
    const file = this.#files.get(picture)
    return file?.state === 'whole' ? new Blob([file.bytes], { type: file.view.mime }) : null
  }

  receive(message: PicturesMessage): void {
    this.asks.set(message.asks)
    this.always.set(message.always)
    this.list.set(message.items)
    const known = new Set(message.items.map(({ picture }) => picture))
    for (const id of [...this.#files.keys()]) if (!known.has(id)) this.#files.delete(id)
    for (const view of message.items) if (!this.#files.has(view.picture)) void this.#begin(view)
    this.#next()
    this.#tell()
  }

  /** Another consultation, or none. */
  clear(): void {
    this.#files.clear()
    this.#current = null
    this.list.set([])
    this.asks.set([])
    this.progress.set(new Map())
  }

  async #begin(view: PictureView): Promise<void> {
    const file: File = {
      view, bytes: new Uint8Array(view.size), parts: new Parts(), state: 'coming', loaded: !this.store, tries: 0,
    }
    this.#files.set(view.picture, file)
    if (this.store) {
      const kept = await this.store.load(view.picture).catch(() => [])
      for (const { offset, bytes } of kept) this.#put(file, offset, bytes)
      file.loaded = true
    }
    await this.#finish(file)
    this.#next()
    this.#tell()
  }

  #put(file: File, offset: number, bytes: Uint8Array): number {
    if (offset + bytes.length > file.bytes.length || file.state !== 'coming') return 0
    file.bytes.set(bytes, offset)
    return file.parts.add(offset, offset + bytes.length)
  }

  #chunk(data: ArrayBuffer): void {
    if (data.byteLength <= HEADER) return
    const id = hex(new Uint8Array(data, 0, ID_BYTES))
    const offset = new DataView(data).getUint32(ID_BYTES)
    const bytes = new Uint8Array(data, HEADER)
    const file = [...this.#files.values()].find(({ view }) => view.picture.startsWith(id))
    if (!file) return
    this.#heard = performance.now()
    const news = this.#put(file, offset, bytes)
    if (news === 0) return
    this.#awaited -= news
    this.store?.keep(file.view.picture, { offset, bytes })
    if (file.parts.bytes === file.view.size) void this.#finish(file)
    else if (this.#awaited <= 0) void this.#more(file)
    else if (performance.now() - this.#shown > 200) this.#tell()
  }

  async #finish(file: File): Promise<void> {
    if (file.parts.bytes !== file.view.size || file.state !== 'coming') return
    const good = await sha256(file.bytes) === file.view.sha256
    file.state = good ? 'whole' : 'broken'
    if (!good && file.tries++ === 0) {
      await this.store?.forget(file.view.picture).catch(() => {})
      file.parts = new Parts()
      file.state = 'coming'
    }
    if (this.#current === file.view.picture) this.#current = null
    this.#next()
    this.#tell()
  }

  #next(): void {
    if (this.#current !== null) return
    const waiting = this.list.get().map(({ picture }) => this.#files.get(picture))
      .filter((file) => file?.state === 'coming' && file.loaded)
    const file = waiting.find((one) => one!.view.picture === this.#first) ?? waiting[0]
    if (file) this.#ask(file)
  }

  /** The next ones, when those that came would outlive the page. */
  async #more(file: File): Promise<void> {
    await this.store?.settled()
    if (this.#current === file.view.picture && this.#awaited <= 0) this.#ask(file)
  }

  #ask(file: File): void {
    const missing = file.parts.missing(file.view.size, STRETCHES)
    const parts = this.store ? firstBytes(missing, AHEAD) : missing
    if (parts.length === 0 || !this.peer.send({ type: 'picture.want', picture: file.view.picture, parts })) return
    this.#current = file.view.picture
    this.#awaited = parts.reduce((sum, [from, to]) => sum + to - from, 0)
    this.#heard = performance.now()
  }

  #look(): void {
    const file = this.#current === null ? undefined : this.#files.get(this.#current)
    if (!file) return this.#next()
    if (performance.now() - this.#heard < STALL_MS || this.peer.phase.get() !== 'connected') return
    this.#ask(file)
  }

  #tell(): void {
    this.#shown = performance.now()
    this.progress.set(new Map([...this.#files].map(([id, { parts, state }]) => [id, { have: parts.bytes, state }])))
  }
}

/** Of these stretches the first `most` bytes. */
export function firstBytes(parts: readonly [number, number][], most: number): [number, number][] {
  const first: [number, number][] = []
  for (const [from, to] of parts) {
    if (most <= 0) break
    first.push([from, Math.min(to, from + most)])
    most -= to - from
  }
  return first
}
