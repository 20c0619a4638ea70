import { Cell } from '../observable'
import type { Answer, FromStation } from '../protocol'
import type { Line, Station } from '../rendezvous/line'
import type { Carrier, LinkState, Outgoing } from './carrier'
import { Requests } from './requests'

const TICK_MS = 250
/** Silence after which people are told. */
const LOST_MS = 3500

/** The way to a station through the broker. What it needs for that is fetched when it is used. */
export class Rendezvous implements Carrier {
  readonly state = new Cell<LinkState>('connecting')
  #requests = new Requests()
  #line: Line | null = null
  #greeted = false
  #quietSince: number | null = null
  #timer: number
  #ended = false

  constructor(to: Station, readonly receive: (message: FromStation) => void) {
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS)
    void import('../rendezvous/line').then(({ Line }) => {
      if (this.#ended) return
      this.#line = new Line(to, {
        message: (text) => this.#message(text),
        down: () => this.#down(),
        refused: (code) => this.#refused(code),
      })
    })
  }

  tell(message: Outgoing): boolean {
    return this.#greeted && (this.#line?.send(JSON.stringify(message)) ?? false)
  }

  tellNow(message: Outgoing): boolean {
    return !(this.#line?.quiet ?? true) && this.tell(message)
  }

  ask(message: Outgoing): Promise<Answer> {
    return this.#requests.ask((id) => this.tell({ ...message, id }))
  }

  end(): void {
    this.#ended = true
    clearInterval(this.#timer)
    this.#line?.end()
    this.#requests.drop()
    this.state.set('closed')
  }

  #tick(): void {
    const quiet = this.#line?.quiet ?? true
    this.#quietSince = quiet ? this.#quietSince ?? performance.now() : null
    if (this.#quietSince !== null && performance.now() - this.#quietSince > LOST_MS) this.state.set('connecting')
    else if (!quiet && this.#greeted) this.state.set('open')
  }

  #down(): void {
    if (this.#ended) return
    this.#greeted = false
    this.#requests.drop()
    this.state.set('connecting')
  }

  #refused(code: string): void {
    if (this.#ended || code === 'busy') return
    this.receive({ type: 'refused', code })
  }

  #message(text: string): void {
    if (this.#ended) return
    let message: FromStation
    try {
      message = JSON.parse(text) as FromStation
    } catch {
      return
    }
    if (message.type === 'hello') {
      this.#greeted = true
      this.state.set('open')
    }
    if ((message.type === 'ok' || message.type === 'error') && message.re !== undefined) this.#requests.answered(message)
    else this.receive(message)
  }
}
