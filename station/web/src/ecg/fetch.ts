import { fromBase64 } from '../bytes'
import { unpack, type Ecg } from './pack'

/** One answer to `ecg.get`, however it came. */
export interface EcgPiece { size: number; data: string }
export type AskPiece = (ecg: string, from: number) => Promise<EcgPiece>

/** Pieces that are asked for at once: a far station is not waited for between them. */
const AT_ONCE = 2

/** ECGs by their id: fetched once, piece by piece, so that a weak link carries other things between. */
export class EcgShelf {
  #known = new Map<string, Promise<Ecg>>()

  constructor(readonly ask: AskPiece) {}

  get(ecg: string, progress?: (part: number) => void): Promise<Ecg> {
    let known = this.#known.get(ecg)
    if (!known) {
      known = this.#fetch(ecg, progress)
      this.#known.set(ecg, known)
      // What failed may be asked for again.
      known.catch(() => this.#known.delete(ecg))
    }
    return known
  }

  async #fetch(ecg: string, progress?: (part: number) => void): Promise<Ecg> {
    const first = await this.ask(ecg, 0)
    const begin = fromBase64(first.data)
    const whole = new Uint8Array(first.size)
    if (begin.length === 0 || begin.length > whole.length) throw new Error('the ECG is empty')
    whole.set(begin)
    let there = begin.length
    let next = begin.length
    progress?.(there / whole.length)
    const follow = async (): Promise<void> => {
      while (next < whole.length) {
        const from = next
        next += begin.length
        const bytes = fromBase64((await this.ask(ecg, from)).data)
        if (bytes.length !== Math.min(begin.length, whole.length - from)) throw new Error('a piece is cut')
        whole.set(bytes, from)
        there += bytes.length
        progress?.(there / whole.length)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, follow))
    return unpack(whole)
  }
}

const PIECE_MS = 20_000

/** Over a data channel answers come as messages of their own. */
export class ChannelPieces {
  #waiting = new Map<string, { take: (piece: EcgPiece) => void; fail: (error: Error) => void }>()

  constructor(readonly send: (message: { type: string; [field: string]: unknown }) => boolean) {}

  readonly ask: AskPiece = (ecg, from) => new Promise((resolve, reject) => {
    const key = `${ecg} ${from}`
    const timer = setTimeout(() => done(() => reject(new Error('no answer'))), PIECE_MS)
    const done = (act: () => void): void => {
      clearTimeout(timer)
      this.#waiting.delete(key)
      act()
    }
    this.#waiting.set(key, {
      take: (piece) => done(() => resolve(piece)), fail: (error) => done(() => reject(error)),
    })
    if (!this.send({ type: 'ecg.get', ecg, from })) done(() => reject(new Error('no channel')))
  })

  receive(message: { ecg?: string; from?: number; size?: number; data?: string | null }): void {
    if (typeof message.data !== 'string' || message.size === undefined) {
      for (const [key, { fail }] of [...this.#waiting])
        if (key.startsWith(`${message.ecg} `)) fail(new Error('no such ECG'))
      return
    }
    this.#waiting.get(`${message.ecg} ${message.from}`)?.take({ size: message.size, data: message.data })
  }
}
