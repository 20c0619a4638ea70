import type { Answer } from '../protocol'
import { Refusal } from './carrier'

const ANSWER_MS = 15_000

interface Waiting { resolve: (answer: Answer) => void; reject: (why: Refusal) => void; timer: number }

/** Requests under way, and their numbers. */
export class Requests {
  #waiting = new Map<number, Waiting>()
  #next = 1

  number(): number {
    return this.#next++
  }

  /** send gets the request's number; false when there is no connection. */
  ask(send: (id: number) => boolean): Promise<Answer> {
    const id = this.number()
    return new Promise((resolve, reject) => {
      if (!send(id)) {
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

  answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.re ?? 0)
    if (!waiting) return
    this.#waiting.delete(answer.re ?? 0)
    clearTimeout(waiting.timer)
    if (answer.type === 'ok') waiting.resolve(answer)
    else waiting.reject(new Refusal(answer))
  }

  /** The connection is gone. */
  drop(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new Refusal({ type: 'error', code: 'no-link' }))
    }
    this.#waiting.clear()
  }
}
