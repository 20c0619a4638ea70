import { Refusal } from '../link/socket'
import { Cell } from '../observable'
import type { Answer, DeviceTests, Said, TestWord, Time } from '../protocol'
import type { VisitAnswers } from './key'

export type Step = 'pin' | 'who' | 'consent' | 'camera' | 'microphone' | 'speaker' | 'link' | 'enter'
const ORDER: Step[] = ['who', 'consent', 'camera', 'microphone', 'speaker', 'link', 'enter']

/** What the station says of the appointment to the phone that has the invitation. */
export interface VisitInfo {
  /** Another phone has the invitation: this one waits until the doctor lets it take its place. */
  other: boolean
  state: 'scheduled' | 'live'
  name: string | null
  at: Time | null
  representative: { name: string; relation: string } | null
}

/** A patient's way to the waiting room, one thing at a time: PIN, who it is, consent, camera,
 * microphone, loudspeaker, link. What fails is told to the doctor; nothing but the PIN keeps anybody out. */
export class Visit {
  readonly step = new Cell<Step>('pin')
  readonly info = new Cell<VisitInfo | null>(null)
  readonly answers = new Cell<VisitAnswers>({ as: 'patient', name: '', relation: '', consent: false, tests: {} })
  /** A PIN that did not do: the station's words. */
  readonly wrong = new Cell<Said | null>(null)
  readonly busy = new Cell(false)
  /** Shown again by a phone that the invitation is not bound to; kept in memory alone. */
  #pin = ''

  constructor(
    readonly open: (pin: string) => Promise<Answer>,
    /** The invitation opens nothing: refused for good. */
    readonly refused: (code: string, text: Said | undefined) => void,
  ) {}

  /** With no PIN: who was bound before needs none. */
  async enter(pin = ''): Promise<void> {
    this.busy.set(true)
    try {
      this.#opened(await this.open(pin), pin)
    } catch (error) {
      this.#failed(error)
    } finally {
      this.busy.set(false)
    }
  }

  /** The station has a new socket: it knows nothing of what the old one had shown. */
  async again(): Promise<void> {
    if (this.info.get()) await this.enter(this.#pin)
  }

  #opened(answer: Answer, pin: string): void {
    const info = answer as unknown as Partial<VisitInfo>
    this.#pin = pin
    this.wrong.set(null)
    this.info.set({
      other: info.other ?? false, state: info.state ?? 'scheduled', name: info.name ?? null, at: info.at ?? null,
      representative: info.representative ?? null,
    })
    if (this.step.get() === 'pin') this.step.set('who')
  }

  #failed(error: unknown): void {
    const answer = error instanceof Refusal ? error.answer : null
    if (answer && ['no-link', 'no-answer'].includes(answer.code ?? '')) return
    if (answer?.code === 'pin-wanted') this.step.set('pin')
    else if (answer?.code === 'wrong-pin') this.wrong.set(answer.text ?? '')
    else this.refused(answer?.code ?? 'failed', answer?.text)
  }

  change(fields: Partial<VisitAnswers>): void {
    this.answers.update((before) => ({ ...before, ...fields }))
  }

  result(test: keyof DeviceTests, word: TestWord, more: DeviceTests = {}): void {
    this.answers.update((before) => ({ ...before, tests: { ...before.tests, [test]: word, ...more } }))
  }

  next(): void {
    this.step.set(ORDER[Math.min(ORDER.indexOf(this.step.get()) + 1, ORDER.length - 1)]!)
  }

  back(): void {
    this.step.set(ORDER[Math.max(ORDER.indexOf(this.step.get()) - 1, 0)]!)
  }

  /** How far: of the steps after the PIN. */
  get progress(): { at: number; of: number } {
    return { at: Math.max(0, ORDER.indexOf(this.step.get())) + 1, of: ORDER.length - 1 }
  }

  /** What goes with `join`. */
  fields(): Record<string, unknown> {
    const { as, name, relation, consent, tests } = this.answers.get()
    return {
      as, consent, tests, ...(as === 'representative' ? { name, relation } : {}),
      ...(as === 'patient' && !this.info.get()?.name ? { name: name || '?' } : {}),
      ...(this.#pin ? { pin: this.#pin } : {}),
    }
  }
}
