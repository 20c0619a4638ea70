import { Cell } from '../observable'
import { covered, next, pieceAt, type Piece, type Track } from './schedule'

export type TrackState = 'waiting' | 'ready' | 'gap' | 'unsupported' | 'failed'

const AHEAD_S = 12
const KEEP_S = 20
const FAR_S = 0.35
const NEAR_S = 0.03

/** Fetches one record of the recording in the clear. */
export type Fetch = (segment: string, seq: number, signal: AbortSignal) => Promise<ArrayBuffer>

/** One track of a recording on its own element and MediaSource, fed around the playhead and held
 * close to the common clock. */
export class TrackPlayer {
  readonly state = new Cell<TrackState>('waiting')
  #source: MediaSource | null = null
  #buffer: SourceBuffer | null = null
  #last = -1
  #again = -1
  #init = ''
  #inits = new Map<string, ArrayBuffer>()
  #busy = false
  #failures = 0
  #abort = new AbortController()
  #address = ''
  #at = 0

  constructor(readonly track: Track, readonly element: HTMLMediaElement, readonly fetch: Fetch) {
    if (!track.mime || !('MediaSource' in window) || !MediaSource.isTypeSupported(track.mime)) {
      this.state.set('unsupported')
      return
    }
    const source = new MediaSource()
    this.#source = source
    source.addEventListener('sourceopen', () => {
      if (this.#buffer) return
      this.#buffer = source.addSourceBuffer(track.mime)
      this.#buffer.mode = 'segments'
      void this.#feed()
    })
    this.#address = URL.createObjectURL(source)
    element.src = this.#address
  }

  /** Whether this is a sound that is heard now, near the common clock: the clock then goes by it. */
  leads(at: number): boolean {
    const { element } = this
    return element instanceof HTMLAudioElement && !element.muted && !element.paused && !element.seeking &&
      this.state.get() === 'ready' && Math.abs(element.currentTime - at) < FAR_S
  }

  /** The common clock moved on. `jump`: to somewhere else, not by playing. */
  tick(at: number, playing: boolean, rate: number, jump: boolean): void {
    this.#at = at
    const state = this.state.get()
    if (state === 'unsupported' || state === 'failed') return
    void this.#feed()
    if (!covered(this.track.pieces, at)) {
      if (!this.element.paused) this.element.pause()
      this.state.set('gap')
      return
    }
    const away = this.element.currentTime - at
    if (jump || Math.abs(away) > FAR_S) {
      if (Math.abs(away) > NEAR_S && this.#has(at)) this.element.currentTime = at
    } else if (playing) {
      const correction = Math.abs(away) < NEAR_S ? 0 : Math.max(-0.05, Math.min(0.05, -away))
      const wanted = rate * (1 + correction)
      if (Math.abs(this.element.playbackRate - wanted) > 0.004) this.element.playbackRate = wanted
    }
    const ready = this.#has(at) && this.element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA
    this.state.set(ready ? 'ready' : 'waiting')
    if (playing && ready && this.element.paused) void this.element.play().catch(() => {})
    else if (!playing && !this.element.paused) this.element.pause()
  }

  end(): void {
    this.#abort.abort()
    this.element.pause()
    this.element.removeAttribute('src')
    this.element.load()
    URL.revokeObjectURL(this.#address)
    this.#source = null
    this.#buffer = null
    this.#inits.clear()
  }

  #has(at: number): boolean {
    const ranges = this.#buffer?.buffered
    if (!ranges) return false
    for (let i = 0; i < ranges.length; i++)
      if (ranges.start(i) <= at + 0.1 && at < ranges.end(i)) return true
    return false
  }

  async #feed(): Promise<void> {
    if (this.#busy || !this.#buffer || this.#source?.readyState !== 'open') return
    this.#busy = true
    try {
      for (;;) {
        this.#reconsider()
        const index = next(this.track.pieces, this.#last, this.#at, AHEAD_S)
        if (index === null) break
        await this.#append(this.track.pieces[index]!)
        this.#last = index
        this.#failures = 0
      }
      await this.#forget()
    } catch (error) {
      if (this.#abort.signal.aborted) return
      if (error instanceof DOMException && error.name === 'QuotaExceededError') await this.#forget().catch(() => {})
      if (++this.#failures > 5) this.state.set('failed')
    } finally {
      this.#busy = false
    }
  }

  /** After a jump back the data at the playhead may be gone though later pieces are there. */
  #reconsider(): void {
    const here = pieceAt(this.track.pieces, this.#at)
    if (this.#last < here || here === this.#again || this.#has(this.#at)) return
    this.#again = here
    this.#last = -1
  }

  async #append(piece: Piece): Promise<void> {
    const init = `${piece.segment}/${piece.init}`
    if (init !== this.#init) {
      let bytes = this.#inits.get(init)
      if (!bytes) {
        bytes = await this.fetch(piece.segment, piece.init, this.#abort.signal)
        this.#inits.set(init, bytes)
      }
      await this.#give(bytes, piece.offset)
      this.#init = init
    }
    await this.#give(await this.fetch(piece.segment, piece.seq, this.#abort.signal), piece.offset)
  }

  async #give(bytes: ArrayBuffer, offset: number): Promise<void> {
    const buffer = this.#buffer
    if (!buffer) throw new Error('ended')
    if (buffer.timestampOffset !== offset) buffer.timestampOffset = offset
    await settled(buffer, () => buffer.appendBuffer(bytes))
  }

  /** What lies far behind the playhead is dropped: a recording is longer than memory. */
  async #forget(): Promise<void> {
    const buffer = this.#buffer
    const until = Math.min(this.#at, this.element.currentTime) - KEEP_S
    if (buffer && buffer.buffered.length > 0 && buffer.buffered.start(0) < until - 5)
      await settled(buffer, () => buffer.remove(0, until))
  }
}

function settled(buffer: SourceBuffer, work: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      buffer.removeEventListener('updateend', done)
      buffer.removeEventListener('error', failed)
      resolve()
    }
    const failed = (): void => {
      buffer.removeEventListener('updateend', done)
      buffer.removeEventListener('error', failed)
      reject(new Error('append'))
    }
    buffer.addEventListener('updateend', done)
    buffer.addEventListener('error', failed)
    try {
      work()
    } catch (error) {
      buffer.removeEventListener('updateend', done)
      buffer.removeEventListener('error', failed)
      reject(error instanceof Error ? error : new Error('append'))
    }
  })
}
