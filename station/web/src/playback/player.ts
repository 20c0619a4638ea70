import { Cell } from '../observable'
import { duration, stretches, type Track } from './schedule'
import { TrackPlayer, type Fetch } from './track'

const TICK_MS = 50
/** A track that does not get ready holds the others up for so long, not for ever. */
const PATIENCE_MS = 4000

/** Plays all tracks together: one clock, which waits for those that still load. A sound that is heard is
 * that clock: it is never stretched to keep up with another one, the rest keeps up with it. */
export class Player {
  readonly at = new Cell(0)
  readonly playing = new Cell(false)
  readonly loading = new Cell(false)
  readonly rate = new Cell(1)
  readonly length: Cell<number>
  readonly players: TrackPlayer[] = []
  #timer: number
  #before = performance.now()
  #waiting = 0
  #jump = true

  constructor(readonly tracks: readonly Track[], readonly fetch: Fetch) {
    this.length = new Cell(duration(tracks))
    const first = Math.min(...tracks.flatMap((track) => stretches(track.pieces).slice(0, 1)).map(({ start }) => start))
    if (Number.isFinite(first)) this.at.set(Math.max(0, first))
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS)
  }

  /** The element of a track is on the page. */
  attach(track: Track, element: HTMLMediaElement): TrackPlayer {
    const player = new TrackPlayer(track, element, this.fetch)
    this.players.push(player)
    this.#jump = true
    return player
  }

  detach(player: TrackPlayer): void {
    player.end()
    this.players.splice(this.players.indexOf(player), 1)
  }

  /** There is something to be seen up to here, beside the tracks. */
  reach(seconds: number): void {
    this.length.set(Math.max(this.length.get(), seconds))
  }

  toggle(): void {
    if (!this.playing.get() && this.at.get() >= this.length.get() - 0.1) this.seek(0)
    this.playing.set(!this.playing.get())
  }

  seek(at: number): void {
    this.at.set(Math.max(0, Math.min(this.length.get(), at)))
    this.#jump = true
    this.#waiting = 0
    this.#tick()
  }

  end(): void {
    clearInterval(this.#timer)
    for (const player of [...this.players]) this.detach(player)
  }

  #tick(): void {
    const time = performance.now()
    const passed = Math.min(0.5, (time - this.#before) / 1000)
    this.#before = time
    const playing = this.playing.get()
    const waits = this.players.some((player) => player.state.get() === 'waiting')
    this.#waiting = waits ? this.#waiting + passed * 1000 : 0
    const held = waits && this.#waiting < PATIENCE_MS
    this.loading.set(held)
    const lead = playing && !held && !this.#jump ? this.players.find((player) => player.leads(this.at.get())) : undefined
    if (playing && !held) {
      const at = lead?.element.currentTime ?? this.at.get() + passed * this.rate.get()
      this.at.set(Math.min(this.length.get(), at))
    }
    if (playing && this.at.get() >= this.length.get()) this.playing.set(false)
    for (const player of this.players)
      player.tick(this.at.get(), this.playing.get() && !held, this.rate.get(), this.#jump)
    this.#jump = false
  }
}
