import { Cell } from '../observable'
import { t, word } from '../text'
import type { DeskCall } from '../calls/protocol'

const EVERY_MS = 2500
const TITLE_MS = 1000

/** Rings while calls wait for this desk: sound, the page's title, a notification where that is allowed,
 * and a phone's vibration. None of them says anything of the patient. */
export class Ringer {
  readonly muted = new Cell(false)
  /** The browser lets no sound out before a person has touched the page. */
  readonly blocked = new Cell(false)
  /** How often it has sounded. */
  readonly sounded = new Cell(0)
  #audio: AudioContext | null = null
  #ringing: readonly { call: DeskCall; station: string }[] = []
  #told = new Set<string>()
  #shown = new Map<string, Notification>()
  #title = document.title
  #timers: number[] = []

  /** By a person's click: from here on sound and notifications may come out. */
  allow(): void {
    this.#audio ??= new AudioContext()
    void this.#audio.resume().then(() => this.blocked.set(false), () => {})
    if ('Notification' in globalThis && Notification.permission === 'default')
      void Notification.requestPermission().catch(() => {})
  }

  /** Whether sound would come out: after a reload there was no click yet. */
  heard(): void {
    this.#audio ??= new AudioContext()
    this.blocked.set(this.#audio.state !== 'running')
  }

  title(text: string): void {
    this.#title = text
    if (this.#timers.length === 0) document.title = text
  }

  set(ringing: readonly { call: DeskCall; station: string }[]): void {
    this.#ringing = ringing
    const ids = new Set(ringing.map(({ call }) => call.call))
    for (const [id, notification] of this.#shown)
      if (!ids.has(id)) {
        notification.close()
        this.#shown.delete(id)
      }
    for (const { call, station } of ringing) if (!this.#told.has(call.call)) this.#notify(call, station)
    this.#told = ids
    if (ringing.length > 0 && this.#timers.length === 0) this.#start()
    if (ringing.length === 0) this.#stop()
  }

  #start(): void {
    let flash = false
    const turn = (): void => {
      flash = !flash
      document.title = flash ? t('desk.ring.title', { n: this.#ringing.length }) : this.#title
    }
    turn()
    this.#sound()
    this.#timers = [window.setInterval(() => this.#sound(), EVERY_MS), window.setInterval(turn, TITLE_MS)]
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#timers = []
    document.title = this.#title
    if ('vibrate' in navigator) navigator.vibrate(0)
  }

  /** Two tones, as a telephone's bell; made here, nothing is fetched. */
  #sound(): void {
    if (this.muted.get()) return
    if ('vibrate' in navigator && this.#audio) navigator.vibrate([400, 150, 400])
    const audio = this.#audio
    this.blocked.set(audio?.state !== 'running')
    if (audio?.state !== 'running') return
    for (const [i, frequency] of [660, 880, 660, 880].entries()) {
      const tone = audio.createOscillator()
      const gain = audio.createGain()
      const at = audio.currentTime + i * 0.22
      tone.frequency.value = frequency
      gain.gain.setValueAtTime(0, at)
      gain.gain.linearRampToValueAtTime(0.25, at + 0.02)
      gain.gain.linearRampToValueAtTime(0, at + 0.2)
      tone.connect(gain).connect(audio.destination)
      tone.start(at)
      tone.stop(at + 0.21)
    }
    this.sounded.update((n) => n + 1)
  }

  #notify(call: DeskCall, station: string): void {
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return
    try {
      const notification = new Notification(t('desk.ring.notification', { station }), {
        body: `${word('specialty', call.specialty)} · ${word('urgency', call.urgency)}`, tag: call.call,
        requireInteraction: true,
      })
      notification.onclick = () => window.focus()
      this.#shown.set(call.call, notification)
    } catch {
      // A phone's browser has them from service workers only.
    }
  }
}
