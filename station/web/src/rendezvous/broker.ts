/* The page's connection to the broker: mqtt.js over WSS, at the pages' own origin. Comes back by itself. */
import { encode, randomBytes } from './seal'

/** What we use of mqtt.js. */
interface Client {
  connected: boolean
  on(event: 'connect' | 'close' | 'error', what: () => void): void
  on(event: 'message', what: (topic: string, payload: Uint8Array) => void): void
  subscribe(topics: Record<string, { qos: 0 | 1 }>, done?: () => void): void
  unsubscribe(topic: string): void
  publish(topic: string, payload: string, options: { qos: 0 }): void
  reconnect(): void
  end(force: boolean): void
}
type Connect = (url: string, options: Record<string, unknown>) => Client

const LARGEST = 384 * 1024
const WAIT_FIRST_MS = 500
const WAIT_MOST_MS = 10_000
const STOOD_MS = 30_000
const CONNECT_MS = 10_000
/** Topics of one SUBSCRIBE: a broker keeps about a thousand messages for who is slower than it, and drops the rest. */
const AT_ONCE = 200

export type Heard = (topic: string, text: string) => void

export class Broker {
  /** Of this page, also its MQTT client id. */
  readonly client = encode(randomBytes(16))
  #mqtt: Client | null = null
  #topics = new Map<string, { qos: 0 | 1; heard: Set<Heard> }>()
  #listeners = new Set<(up: boolean) => void>()
  #tries = 0
  #since = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #ended = false

  constructor(readonly url: string) {
    addEventListener('online', this.#hurry)
    document.addEventListener('visibilitychange', this.#hurry)
    void this.#begin()
  }

  get up(): boolean {
    return this.#mqtt?.connected ?? false
  }

  onChange(listener: (up: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** `topic` is one, without `+` and `#`. Also after each return; what is retained comes again for each who begins to
   * listen. Returns how to end it. */
  listen(topic: string, qos: 0 | 1, heard: Heard): () => void {
    const known = this.#topics.get(topic)?.heard ?? new Set()
    this.#topics.set(topic, { qos, heard: known.add(heard) })
    if (this.up) this.#mqtt?.subscribe({ [topic]: { qos } })
    return () => {
      known.delete(heard)
      if (known.size === 0 && this.#topics.get(topic)?.heard === known) {
        this.#topics.delete(topic)
        if (this.up) this.#mqtt?.unsubscribe(topic)
      }
    }
  }

  /** Nothing is kept for later: what goes this way repeats itself. */
  publish(topic: string, text: string): void {
    if (this.up) this.#mqtt?.publish(topic, text, { qos: 0 })
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    removeEventListener('online', this.#hurry)
    document.removeEventListener('visibilitychange', this.#hurry)
    this.#mqtt?.end(true)
  }

  async #begin(): Promise<void> {
    const { default: mqtt } = await import('mqtt') as unknown as { default: { connect: Connect } }
    if (this.#ended) return
    const client = this.#mqtt = mqtt.connect(this.url, {
      clientId: this.client, clean: true, keepalive: 30, protocolVersion: 4, connectTimeout: CONNECT_MS,
      // The way back is ours, with jitter; a worker for timers would need a blob: of the policy.
      reconnectPeriod: 0, resubscribe: false, queueQoSZero: false, timerVariant: 'native',
    })
    client.on('connect', () => {
      this.#since = performance.now()
      this.#subscribe([...this.#topics.keys()], this.#since)
      for (const listener of this.#listeners) listener(true)
    })
    client.on('message', (topic, payload) => {
      if (payload.length > LARGEST) return
      const text = new TextDecoder().decode(payload)
      for (const heard of [...this.#topics.get(topic)?.heard ?? []]) heard(topic, text)
    })
    client.on('error', () => {})
    client.on('close', () => this.#closed())
  }

  /** One packet after the other is answered: what is retained comes as fast as it is taken. */
  #subscribe(topics: string[], since: number): void {
    const left = topics.filter((topic) => this.#topics.has(topic))
    if (left.length === 0 || since !== this.#since) return
    this.#mqtt?.subscribe(Object.fromEntries(left.slice(0, AT_ONCE).map((topic) => [topic, { qos: this.#topics.get(topic)!.qos }])),
      () => this.#subscribe(left.slice(AT_ONCE), since))
  }

  #closed(): void {
    if (this.#ended) return
    if (this.#since && performance.now() - this.#since >= STOOD_MS) this.#tries = 0
    if (this.#since) for (const listener of this.#listeners) listener(false)
    this.#since = 0
    clearTimeout(this.#timer)
    const most = Math.min(WAIT_MOST_MS, WAIT_FIRST_MS * 2 ** this.#tries++)
    this.#timer = setTimeout(() => this.#mqtt?.reconnect(), Math.random() * most)
  }

  /** The link is back, or the laptop woke up: no waiting now. */
  #hurry = (): void => {
    if (document.visibilityState !== 'visible' || this.up || this.#since || !this.#mqtt) return
    this.#tries = 0
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#mqtt?.reconnect(), 0)
  }
}

let shared: Broker | null = null

/** One connection of a page, however many stations it talks to. */
export function sharedBroker(): Broker {
  return (shared ??= new Broker(`wss://${location.host}/mqtt`))
}
