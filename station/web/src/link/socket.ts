import { Cell } from '../observable'
import type { Answer, FromStation } from '../protocol'

export type LinkState = 'connecting' | 'open' | 'closed'

/** An answer of the station that says no, or no answer. */
export class Refusal extends Error {
  constructor(readonly answer: Answer) {
    super(answer.code ?? 'failed')
  }

  get code(): string {
    return this.answer.code ?? 'failed'
  }
}

const HEARTBEAT_MS = 1000
const SILENCE_MS = 3500
const RETRY_MIN_MS = 300
const RETRY_MAX_MS = 3000
const ANSWER_MS = 15_000

interface Waiting { resolve: (answer: Answer) => void; reject: (why: Refusal) => void; timer: number }

/** The WebSocket to the station. Comes back by itself, each time as a fresh connection. */
export class Socket {
  readonly state = new Cell<LinkState>('connecting')
  #socket: WebSocket | null = null
  #waiting = new Map<number, Waiting>()
  #next = 1
  #retry = RETRY_MIN_MS
  #heard = 0
  #heartbeat = 0
  #reopen = 0
  #ended = false

  constructor(
    readonly path: string,
    readonly receive: (message: FromStation) => void,
    readonly lost: () => void = () => {},
  ) {
    addEventListener('online', this.#hurry)
    document.addEventListener('visibilitychange', this.#hurry)
    this.#open()
  }

  /** Sends what needs no answer. False when there is no connection: it is not kept for later. */
  tell(message: { type: string; [field: string]: unknown }): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /** Sends a request; rejects with a Refusal. */
  ask(message: { type: string; [field: string]: unknown }): Promise<Answer> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      if (!this.tell({ ...message, id })) {
        reject(new Refusal({ type: 'error', code: 'no-link' }))
        return
      }
      const timer = window.setTimeout(() => {
        this.#waiting.delete(id)
        reject(new Refusal({ type: 'error', code: 'no-answer' }))
      }, ANSWER_MS)
      this.#waiting.set(id, { resolve, reject, timer })
    })
  }

  end(): void {
    this.#ended = true
    removeEventListener('online', this.#hurry)
    document.removeEventListener('visibilitychange', this.#hurry)
    this.#drop()
    this.state.set('closed')
  }

  #hurry = (): void => {
    if (this.#reopen && document.visibilityState === 'visible') {
      this.#retry = RETRY_MIN_MS
      this.#open()
    }
  }

  #open(): void {
    clearTimeout(this.#reopen)
    this.#reopen = 0
    this.state.set('connecting')
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}${this.path}`, 'nhipcau.1')
    this.#socket = socket
    this.#heard = performance.now()
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === 'string') this.#message(event.data)
    }
    socket.onclose = () => {
      if (socket === this.#socket) this.#again()
    }
    clearInterval(this.#heartbeat)
    this.#heartbeat = window.setInterval(() => this.#beat(socket), HEARTBEAT_MS)
  }

  #beat(socket: WebSocket): void {
    if (socket !== this.#socket) return
    if (performance.now() - this.#heard > SILENCE_MS) this.#again()
    else if (socket.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ type: 'ping', id: this.#next++ }))
  }

  #message(text: string): void {
    this.#heard = performance.now()
    let message: FromStation
    try {
      message = JSON.parse(text) as FromStation
    } catch {
      return
    }
    if (message.type === 'hello') {
      this.#retry = RETRY_MIN_MS
      this.state.set('open')
    }
    if ((message.type === 'ok' || message.type === 'error') && message.re !== undefined) {
      const waiting = this.#waiting.get(message.re)
      if (!waiting) return
      this.#waiting.delete(message.re)
      clearTimeout(waiting.timer)
      if (message.type === 'ok') waiting.resolve(message)
      else waiting.reject(new Refusal(message))
      return
    }
    this.receive(message)
  }

  #drop(): void {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#reopen)
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new Refusal({ type: 'error', code: 'no-link' }))
    }
    this.#waiting.clear()
  }

  #again(): void {
    if (this.#ended) return
    const was = this.state.get()
    this.#drop()
    this.state.set('connecting')
    if (was === 'open') this.lost()
    this.#reopen = window.setTimeout(() => this.#open(), this.#retry)
    this.#retry = Math.min(this.#retry * 1.8, RETRY_MAX_MS)
  }
}
