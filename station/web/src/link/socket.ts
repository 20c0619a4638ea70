import { Cell } from '../observable'
import type { Answer, FromStation } from '../protocol'
import type { Carrier, LinkState, Outgoing } from './carrier'
import { Requests } from './requests'

export { Refusal, type LinkState } from './carrier'

const TICK_MS = 250
const HEARTBEAT_MS = 1000
/** Silence, beyond two round trips, after which a second connection is tried beside the first. */
const QUIET_MS = 1500
/** Silence after which people are told. */
const LOST_MS = 3500
/** An attempt that has brought no greeting by then is given up. */
const ATTEMPT_MS = 3000
const RETRY_MIN_MS = 300
const RETRY_MAX_MS = 1500
/** Browsers hold back the WebSockets of a page that failed often, by seconds. They do not hold back
 * requests: after a few failures one of these finds out whether the station is there. */
const FAILURES_BEFORE_PROBES = 5
const PROBE_EVERY_MS = 700
const ATTEMPT_ANYWAY_MS = 6000
const PROBES_AT_ONCE = 3

/** What it still says is nobody's. */
function abandon(socket: WebSocket): void {
  socket.onclose = socket.onmessage = null
  socket.close()
}

/** The WebSocket to the station. Comes back by itself, each time as a fresh connection: what a link
 * swallowed would be sent again ever more rarely on the old one. */
export class Socket implements Carrier {
  readonly state = new Cell<LinkState>('connecting')
  /** The one that has greeted us. */
  #socket: WebSocket | null = null
  #attempts = new Map<WebSocket, number>()
  #probes = 0
  #requests = new Requests()
  #failures = 0
  #retry = RETRY_MIN_MS
  /** When the next attempt or probe is due, and when an attempt is due whatever the probes say. */
  #due = 0
  #dueAnyway = 0
  #heard = 0
  #beaten = 0
  #beat = { id: 0, at: 0 }
  #roundTrip = 0
  #timer: number
  #ended = false

  constructor(readonly path: string, readonly receive: (message: FromStation) => void) {
    addEventListener('online', this.#hurry)
    document.addEventListener('visibilitychange', this.#hurry)
    ;(navigator as { connection?: EventTarget }).connection?.addEventListener('change', this.#hurry)
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS)
    this.#attempt()
  }

  tell(message: Outgoing): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  tellNow(message: Outgoing): boolean {
    return !this.#isQuiet() && this.tell(message)
  }

  ask(message: Outgoing): Promise<Answer> {
    return this.#requests.ask((id) => this.tell({ ...message, id }))
  }

  end(): void {
    this.#ended = true
    removeEventListener('online', this.#hurry)
    document.removeEventListener('visibilitychange', this.#hurry)
    ;(navigator as { connection?: EventTarget }).connection?.removeEventListener('change', this.#hurry)
    clearInterval(this.#timer)
    this.#abandonAttempts()
    this.#drop()
    this.state.set('closed')
  }

  /** Something changed for the better, or the laptop woke up: no waiting now. */
  #hurry = (event: Event): void => {
    if (document.visibilityState !== 'visible') return
    const changed = event.type === 'change' || event.type === 'online'
    if (this.#socket && !changed && !this.#isQuiet()) return
    this.#retry = RETRY_MIN_MS
    this.#attempt()
  }

  #isQuiet(): boolean {
    return performance.now() - this.#heard > QUIET_MS + 2 * this.#roundTrip
  }

  #tick(): void {
    const now = performance.now()
    for (const [socket, since] of this.#attempts)
      if (now - since > ATTEMPT_MS) this.#failed(socket)
    if (this.#socket) this.#beatNow(this.#socket, now)
    if (this.#socket && !this.#isQuiet()) return
    if (this.#socket && now - this.#heard > LOST_MS) this.state.set('connecting')
    if (now < this.#due) return
    if (this.#failures < FAILURES_BEFORE_PROBES || now >= this.#dueAnyway) this.#attempt()
    else void this.#probe()
  }

  #beatNow(socket: WebSocket, now: number): void {
    if (now - this.#beaten < HEARTBEAT_MS - TICK_MS / 2 || socket.readyState !== WebSocket.OPEN) return
    this.#beaten = now
    // Into a silent connection one is enough.
    if (this.#isQuiet() && socket.bufferedAmount > 0) return
    const id = this.#requests.number()
    if (this.#beat.at === 0) this.#beat = { id, at: now }
    socket.send(JSON.stringify({ type: 'ping', id }))
  }

  #attempt(): void {
    const now = performance.now()
    this.#due = now + Math.max(this.#retry, HEARTBEAT_MS)
    this.#dueAnyway = now + ATTEMPT_ANYWAY_MS
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`, 'nhipcau.1')
    this.#attempts.set(socket, now)
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') this.#message(socket, event.data)
    }
    socket.onclose = () => this.#failed(socket)
  }

  async #probe(): Promise<void> {
    if (this.#probes >= PROBES_AT_ONCE) return
    this.#due = performance.now() + PROBE_EVERY_MS
    this.#probes++
    const there = await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(ATTEMPT_MS) })
      .then(({ ok }) => ok, () => false)
    this.#probes--
    if (there && !this.#ended && this.#attempts.size === 0 && (!this.#socket || this.#isQuiet())) this.#attempt()
  }

  /** An attempt, or the connection itself, is over. */
  #failed(socket: WebSocket): void {
    abandon(socket)
    if (this.#attempts.delete(socket)) this.#failures++
    if (this.#ended) return
    if (socket === this.#socket) {
      this.#drop()
      this.state.set('connecting')
    }
    if (this.#socket || this.#attempts.size > 0) return
    this.#due = performance.now() + this.#retry
    this.#retry = Math.min(this.#retry * 1.5, RETRY_MAX_MS)
  }

  #message(socket: WebSocket, text: string): void {
    if (socket !== this.#socket && !this.#attempts.has(socket)) return
    let message: FromStation
    try {
      message = JSON.parse(text) as FromStation
    } catch {
      return
    }
    if (message.type === 'hello') this.#greeted(socket)
    if (socket !== this.#socket) return
    this.#heard = performance.now()
    if (this.state.get() !== 'open') this.state.set('open')
    if ((message.type === 'ok' || message.type === 'error') && message.re !== undefined) this.#answered(message)
    else this.receive(message)
  }

  #answered(message: Answer): void {
    if (message.re === this.#beat.id) {
      this.#roundTrip = performance.now() - this.#beat.at
      this.#beat = { id: 0, at: 0 }
    }
    this.#requests.answered(message)
  }

  /** This one takes the place of all others. */
  #greeted(socket: WebSocket): void {
    this.#attempts.delete(socket)
    this.#abandonAttempts()
    if (socket !== this.#socket) this.#drop()
    this.#socket = socket
    this.#failures = 0
    this.#retry = RETRY_MIN_MS
    this.#beat = { id: 0, at: 0 }
  }

  #abandonAttempts(): void {
    for (const socket of this.#attempts.keys()) abandon(socket)
    this.#attempts.clear()
  }

  #drop(): void {
    if (this.#socket) abandon(this.#socket)
    this.#socket = null
    this.#requests.drop()
  }
}
