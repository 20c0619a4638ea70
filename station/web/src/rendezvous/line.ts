/* A way to one station through the broker: its presence, and one tunnel after another. */
import { sharedBroker, type Broker } from './broker'
import { PresenceReader, type Presence } from './presence'
import { newSession, Tunnel } from './tunnel'

export interface Station {
  station: string
  /** Thumbprint of the station's key (docs/rendezvous.md). */
  keyHash: string
  /** An invitation, or `desk`. */
  box: string
  secret: string
}

export interface LineEvents {
  /** A whole message of the station. */
  message(text: string): void
  /** The tunnel is gone; another is on its way. */
  down(): void
  /** The station says no to this box. */
  refused(code: string): void
  /** Whether the station is at the broker, as it says. */
  presence?(state: 'here' | 'gone'): void
}

const TICK_MS = 50
const AGAIN_FIRST_MS = 4000
const AGAIN_MOST_MS = 10_000
/** Nothing of a tunnel that says something every five seconds. */
const QUIET_MS = 6500

export class Line {
  #reader: PresenceReader
  #presence: Presence | null = null
  #tunnel: Tunnel | null = null
  #opening = false
  #again = 0
  #tries = 0
  #timer: ReturnType<typeof setInterval>
  #unlisten: (() => void)[]
  #ended = false

  constructor(readonly to: Station, readonly events: LineEvents, readonly broker: Broker = sharedBroker()) {
    const topic = `nhipcau/1/${to.station}`
    this.#reader = new PresenceReader(to.station, to.keyHash)
    this.#unlisten = [
      this.broker.listen(`${topic}/out/${this.broker.client}`, 0, (_, text) => void this.#heard(text)),
      this.broker.listen(`${topic}/presence`, 0, (_, text) => void this.#seen(text)),
      this.broker.onChange((up) => {
        if (up) this.#again = 0
      }),
    ]
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  /** False: there is no tunnel now. */
  send(text: string): boolean {
    return this.#tunnel?.send(text, performance.now()) ?? false
  }

  get open(): boolean {
    return this.#tunnel?.state === 'open'
  }

  get quiet(): boolean {
    return !this.#tunnel || !this.broker.up || performance.now() - this.#tunnel.heard > QUIET_MS
  }

  end(): void {
    this.#ended = true
    clearInterval(this.#timer)
    this.#tunnel?.close(performance.now())
    for (const end of this.#unlisten) end()
  }

  async #seen(text: string): Promise<void> {
    const presence = await this.#reader.read(text)
    if (!presence || this.#ended) return
    const before = this.#presence
    this.#presence = presence
    if (before?.state !== presence.state) this.events.presence?.(presence.state)
    if (presence.state !== 'here') return
    this.#again = 0
    this.#tries = 0
    // Another start of the station: it knows nothing of the tunnel.
    if (before && before.epoch !== presence.epoch && this.#tunnel) this.#lose()
  }

  #lose(): void {
    const was = this.open
    if (this.#tunnel) this.#tunnel.state = 'lost'
    this.#tunnel = null
    if (was) this.#tries = 0
    this.events.down()
  }

  async #heard(text: string): Promise<void> {
    const tunnel = this.#tunnel
    if (!tunnel || !(await tunnel.receive(text, performance.now())) || tunnel !== this.#tunnel) return
    if (tunnel.state === 'refused') {
      this.#tunnel = null
      // "busy" is for later; anything else stays so.
      if (tunnel.why !== 'busy') this.end()
      this.events.refused(tunnel.why)
    } else if (tunnel.state === 'closed') {
      this.#lose()
    }
  }

  #tick(): void {
    const now = performance.now()
    const tunnel = this.#tunnel
    tunnel?.tick(now)
    if (tunnel && ['lost', 'closed'].includes(tunnel.state)) {
      // Never opened: the next try has its own time.
      if (tunnel === this.#tunnel) this.#lose()
    }
    if (tunnel?.state === 'open') this.#tries = 0
    if (now >= this.#again && !this.open) void this.#open(now)
  }

  async #open(now: number): Promise<void> {
    const { station, box, secret } = this.to
    const key = this.#presence?.key
    if (this.#opening || !this.broker.up || !key) return
    this.#opening = true
    const most = Math.min(AGAIN_MOST_MS, AGAIN_FIRST_MS * 2 ** this.#tries++)
    this.#again = now + most / 2 + Math.random() * most / 2
    const topic = `nhipcau/1/${station}`
    const { client } = this.broker
    const { tunnel, open } = await Tunnel.dial({ station, box, client, session: newSession() }, secret, key, now,
      (text) => this.broker.publish(`${topic}/in/${client}`, text), (text) => this.events.message(text))
    this.#opening = false
    if (this.#ended || this.open) return
    this.#tunnel = tunnel
    this.broker.publish(`${topic}/open/${box}`, open)
  }
}
