import { Cell } from '../observable'
import type { Peer } from './peer'
import { Phonogram } from './phonogram'

/** A filter of the ear alone: what is sent and recorded has none. Hz, as of a stethoscope's two sides. */
export type View = 'none' | 'bell' | 'diaphragm'
const VIEWS: Record<Exclude<View, 'none'>, { from: number; to: number }> = {
  bell: { from: 20, to: 200 },
  diaphragm: { from: 100, to: 600 },
}

const RATE = 48_000
const SECONDS = 4
const COLUMNS = 800
const LOOK_MS = 250

let context: AudioContext | null = null
function audio(): AudioContext {
  context ??= new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' })
  return context
}

/** One stethoscope at this page: draws what comes, and plays it while the person listens. The sound
 * is neither filtered nor levelled on its way, but by the person's own volume and view. */
export class Auscultation {
  readonly listening = new Cell(false)
  readonly volume = new Cell(1)
  readonly view = new Cell<View>('none')
  readonly phonogram = new Phonogram(COLUMNS, (RATE * SECONDS) / COLUMNS)
  #analyser: AnalyserNode | null = null
  #gain: GainNode | null = null
  #source: MediaStreamAudioSourceNode | null = null
  #filters: BiquadFilterNode[] = []
  #track: MediaStreamTrack | null = null
  /** Chromium brings a remote track to Web Audio only while an element plays it. */
  #element: HTMLAudioElement | null = null
  #samples = new Float32Array(16_384)
  #at = 0
  #concealed = 0
  #timer = 0
  #ends: (() => void)[]

  constructor(readonly peer: Peer, readonly stream: string, readonly always: boolean) {
    this.#ends = [
      this.volume.subscribe(() => this.#setGain()),
      this.view.subscribe(() => this.#connect()),
      // A new connection knows nothing of who listens.
      peer.opened.subscribe(() => this.#tell()),
      peer.phase.subscribe(() => this.listening.get() && this.#tell()),
    ]
    if (always) peer.lookAlso(stream, true)
  }

  end(): void {
    if (this.listening.get()) this.listen(false)
    this.peer.lookAlso(this.stream, false)
    for (const end of this.#ends) end()
    this.take(null)
  }

  /** The person's click. */
  listen(on: boolean): void {
    this.listening.set(on)
    this.peer.lookAlso(this.stream, on || this.always)
    void audio().resume().catch(() => {})
    this.peer.send({ type: 'listen', stream: this.stream, on })
    this.#connect()
  }

  #tell(): void {
    if (this.listening.get() && this.peer.phase.get() === 'connected')
      this.peer.send({ type: 'listen', stream: this.stream, on: true })
  }

  /** The track to draw and to play; null: there is none. */
  take(stream: MediaStream | null): void {
    const track = stream?.getAudioTracks()[0] ?? null
    if (track === this.#track) return
    this.#release()
    this.#track = track
    if (!track) return
    const out = audio()
    const element = new Audio()
    element.muted = true
    element.srcObject = new MediaStream([track])
    void element.play().catch(() => {})
    this.#element = element
    this.#source = out.createMediaStreamSource(element.srcObject)
    this.#analyser = out.createAnalyser()
    this.#analyser.fftSize = this.#samples.length
    this.#source.connect(this.#analyser)
    this.#gain = out.createGain()
    this.#setGain()
    this.#at = out.currentTime
    this.#connect()
    this.#timer = window.setInterval(() => void this.#lookForGaps(), LOOK_MS)
  }

  #release(): void {
    clearInterval(this.#timer)
    this.#source?.disconnect()
    this.#gain?.disconnect()
    for (const filter of this.#filters) filter.disconnect()
    this.#filters = []
    this.#element?.pause()
    if (this.#element) this.#element.srcObject = null
    this.#source = this.#analyser = this.#gain = this.#element = null
  }

  #setGain(): void {
    if (this.#gain) this.#gain.gain.value = this.volume.get()
  }

  /** source → the view's filters → volume → the ear. */
  #connect(): void {
    const [source, gain] = [this.#source, this.#gain]
    if (!source || !gain) return
    gain.disconnect()
    for (const filter of this.#filters) {
      source.disconnect(filter)
      filter.disconnect()
    }
    try {
      source.disconnect(gain)
    } catch {
      // It was not connected without a filter.
    }
    this.#filters = []
    if (!this.listening.get()) return
    this.#filters = filtersOf(this.view.get())
    const chain = [...this.#filters, gain]
    source.connect(chain[0]!)
    for (let i = 1; i < chain.length; i++) chain[i - 1]!.connect(chain[i]!)
    gain.connect(audio().destination)
  }

  /** Takes what came since the last call into the phonogram. */
  draw(): void {
    const analyser = this.#analyser
    if (!analyser) return
    const now = audio().currentTime
    const passed = Math.round((now - this.#at) * RATE)
    if (passed <= 0) return
    this.#at = now
    analyser.getFloatTimeDomainData(this.#samples)
    const known = Math.min(passed, this.#samples.length)
    if (passed > known) this.phonogram.skip(passed - known)
    this.phonogram.push(this.#samples.subarray(this.#samples.length - known))
  }

  async #lookForGaps(): Promise<void> {
    const receiver = this.peer.pc.get()?.getReceivers().find(({ track }) => track === this.#track)
    const report = await receiver?.getStats().catch(() => null)
    for (const stat of report?.values() ?? []) {
      if (stat.type !== 'inbound-rtp') continue
      const concealed: number = stat.concealedSamples ?? 0
      this.draw()
      if (concealed > this.#concealed) this.phonogram.conceal((LOOK_MS / 1000) * RATE)
      this.#concealed = concealed
    }
  }
}

function filtersOf(view: View): BiquadFilterNode[] {
  if (view === 'none') return []
  const { from, to } = VIEWS[view]
  return ([['highpass', from], ['lowpass', to]] as const).map(([type, frequency]) => {
    const filter = audio().createBiquadFilter()
    filter.type = type
    filter.frequency.value = frequency
    filter.Q.value = -3.01 // dB: flat, no hump at the edge
    return filter
  })
}
