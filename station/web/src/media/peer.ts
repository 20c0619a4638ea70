import { Cell } from '../observable'
import type { FromChannel, MediaMessage, Sight } from '../protocol'
import { Pulse } from './pulse'
import type { CodeExchange } from '../link/exchange'
import { Stills } from './still'
import { PictureHold } from '../waves/hold'
import { Waves } from '../waves/waves'

/** What a track belongs to, by the name of its stream: a source of the station or a participant. */
export interface Stream {
  id: string
  kind: 'source' | 'peer'
  name: string
  audio: MediaStream | null
  video: MediaStream | null
}

export type LinkPhase = 'idle' | 'connecting' | 'connected' | 'trouble'

export interface PeerWire {
  /** False when there is no connection to send it over. */
  tell(message: { type: string; [field: string]: unknown }): boolean
  /** The same, and false too when nothing has come over it for a while. */
  tellNow(message: { type: string; [field: string]: unknown }): boolean
}

const PULSE_EVERY_MS = 250
/** Silence that makes the path be sought anew, and silence that is told. */
const SILENCE_MS = 1000
const TROUBLE_MS = 1500
/** Of the smaller encoding of the own picture: half as wide and high. */
const SMALL_BPS = 120_000
/** Of the own voice, where every bit counts: still clear speech. */
const LEAN_BPS = 16_000
const RESTART_EVERY_MS = 3000
/** After a restart that was not needed, or did not help, the next one waits longer. */
const RESTART_EVERY_MAX_MS = 24_000
const RESTART_EVERY_MIN_MS = 1000
/** Restarts that the station offered, and time without a path, before a new connection is asked for:
 * for two seconds a browser does not know the addresses that it has got. */
const RESTARTS_BEFORE_NEW = 2
const PATIENCE_MS = 10_000
const RELAYS_AFTER_MS = 1000
const LOOK_EVERY_MS = 1000

type VideoReceiver = RTCRtpReceiver & { playoutDelayHint?: number | null }

/** The page's end of its one peer connection with the station. The station offers, this answers;
 * own tracks sit on the lines `mic` and `cam` (docs/protocol.md, Media). */
export class Peer {
  readonly phase = new Cell<LinkPhase>('idle')
  readonly streams = new Cell<readonly Stream[]>([])
  readonly pc = new Cell<RTCPeerConnection | null>(null)
  /** What the link carries of pictures, as the station tells. */
  readonly sight = new Cell<{ sight: Sight; machine: boolean }>({ sight: 'full', machine: false })
  readonly stills = new Stills()
  readonly waves = new Waves((message) => this.send(message))
  /** Chunks of files that were asked for. */
  files: ((data: ArrayBuffer) => void) | null = null
  /** Counts the data channels that were opened: what the station was told before is to be told again. */
  readonly opened = new Cell(0)
  /** Called when an answer has gone out: from here on the browser waits, and the page has time. */
  answered: (() => void) | null = null
  /** By which the station knows this page's media; null: each connection makes its own. */
  certificate: RTCCertificate | null = null
  /** Made before it is wanted: bare, or with an answer to the station's reservation in it. */
  #spare: { pc: RTCPeerConnection; origin: string; relays?: boolean } | null = null
  /** What was reserved has gathered with relays. */
  #relayed = false
  #origin = ''
  /** Of pictures, while waves come at once; null: they do not. */
  #wait: PictureHold | null = null
  #holdMs = 0
  #lookedAt = 0
  /** What was reserved is offered to the station, which has said nothing to it yet. */
  #unproven = false
  #queue: Promise<void> = Promise.resolve()
  #channel: RTCDataChannel | null = null
  /** It was open, and closed by itself. */
  #mute = false
  #muteTimer = 0
  #looks: readonly string[] | null = null
  #looksAlso = new Set<string>()
  #own: { mic: MediaStreamTrack | null; cam: MediaStreamTrack | null } = { mic: null, cam: null }
  #lines: { mic: RTCRtpTransceiver | null; cam: RTCRtpTransceiver | null } = { mic: null, cam: null }
  #wanted = false
  #trouble = 0
  /** Offers of a restart, since the path stood last. */
  #restarts = 0
  #restartEvery = RESTART_EVERY_MS
  #restarted = 0
  /** When the path stood last. */
  #since = 0
  #started = -Infinity
  #pulse: Pulse | null = null
  #pulseTimer = 0

  constructor(
    readonly wire: PeerWire,
    readonly options: { loopback?: boolean },
    readonly message: (message: FromChannel) => void,
    /** For the comparison code; null: the page is on the station's own machine. */
    readonly codes: CodeExchange | null = null,
  ) {}

  /** Makes the browser load its WebRTC parts; nothing is sent. Called while a person still reads. */
  warm(): void {
    if (!this.#spare && !this.pc.get()) this.#spare = { pc: new RTCPeerConnection(this.#configuration()), origin: '' }
  }

  /** Asks the station for a new connection; the old one is given up when the offer comes. */
  start(): void {
    this.#wanted = true
    this.#restarts = 0
    this.#started = this.#since = performance.now()
    this.#origin = ''
    this.#relayed = false
    if (this.phase.get() !== 'connected') this.phase.set('connecting')
    const request: { type: string; [field: string]: unknown } = { type: 'media.start' }
    if (this.options.loopback) request['loopback'] = true
    const answer = this.#takeReserved()
    if (answer !== null) {
      request['answer'] = answer
      Object.assign(request, this.codes?.answering(answer))
    }
    this.wire.tell(request)
    this.#watchPulse()
    if (answer !== null) this.#map(this.pc.get()!)
    this.#watch()
  }

  /** The socket is back. A connection that still works is kept if the station is the same one. */
  returned(sameStation: boolean): void {
    if (!this.#wanted) return
    if (sameStation && this.works()) return
    if (sameStation && this.pc.get()) this.#restart()
    else this.start()
  }

  /** Packets come. */
  works(): boolean {
    return this.pc.get()?.connectionState === 'connected' && (this.#pulse?.silence() ?? 0) < SILENCE_MS
  }

  /** The station lost this peer (it was restarted): nothing of it is to be waited for. */
  suspend(): void {
    this.#drop()
    this.phase.set('connecting')
  }

  stop(): void {
    this.#wanted = false
    clearTimeout(this.#trouble)
    clearInterval(this.#pulseTimer)
    if (this.#unproven) this.#putBack()
    this.#drop()
    this.streams.set([])
    this.phase.set('idle')
  }

  setMicrophone(track: MediaStreamTrack | null): void {
    this.#own.mic = track
    this.#send('mic')
  }

  setCamera(track: MediaStreamTrack | null): void {
    this.#own.cam = track
    this.#send('cam')
  }

  #send(line: 'mic' | 'cam'): void {
    const sender = this.#lines[line]?.sender
    if (!sender || this.pc.get()?.connectionState !== 'connected' || sender.track === this.#own[line]) return
    void sender.replaceTrack(this.#own[line]).catch(() => {})
  }

  /** False: the channel is not open; nothing is kept. */
  send(message: { type: string; [field: string]: unknown }): boolean {
    if (this.#channel?.readyState !== 'open') return false
    this.#channel.send(JSON.stringify(message))
    return true
  }

  /** Tells the station which streams this page shows large; the others may be small. */
  look(streams: readonly string[]): void {
    if (this.#looks?.join() === streams.join()) return
    this.#looks = streams
    this.#tellLooks()
  }

  /** A stream beside the pictures that is wanted, or not any more: a stethoscope's. */
  lookAlso(stream: string, wanted: boolean): void {
    if (this.#looksAlso.has(stream) === wanted) return
    if (wanted) this.#looksAlso.add(stream)
    else this.#looksAlso.delete(stream)
    this.#tellLooks()
  }

  #tellLooks(): void {
    const streams = [...(this.#looks ?? []), ...this.#looksAlso]
    if (this.#looks || streams.length > 0) this.send({ type: 'look', streams })
  }

  receive(message: MediaMessage): void {
    if (message.type === 'media.offer' && message.reserved) {
      this.#then(() => this.#prepare(message.sdp, message.servers ?? [], message.commit))
      return
    }
    if (!this.#wanted) return
    if (message.type === 'media.code') {
      this.#then(async () => this.codes?.revealed(message.nonce))
      return
    }
    this.#unproven = false
    if (message.type === 'media.servers') this.#then(async () => this.#relays(message.servers))
    else if (message.type === 'media.offer') this.#then(() => this.#offer(message.sdp, message.servers ?? [], message.commit))
    else if (message.type === 'media.candidate')
      this.#then(async () => {
        await this.pc.get()?.addIceCandidate({ candidate: message.candidate, sdpMid: message.mid || null })
        // The answer went with the request: from here on the browser waits.
        if (this.streams.get().length > 0) this.answered?.()
      })
    else if (message.state === 'failed' || message.state === 'closed') this.#gone()
  }

  /** Offers and candidates one after the other: no glare, no candidate before its offer. */
  #then(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch((error: unknown) => {
      // The message itself may quote the description, and with it the password of the path.
      console.warn('media:', error instanceof Error ? error.name : 'failed')
    })
  }

  async #offer(sdp: string, servers: RTCIceServer[], commit: string | undefined): Promise<void> {
    const origin = originOf(sdp)
    this.codes?.offered(origin, sdp, commit)
    let pc = this.pc.get()
    if (!pc || origin !== this.#origin || pc.signalingState === 'closed') {
      this.#drop()
      pc = this.#make()
      this.#origin = origin
    }
    if (isRestart(pc, sdp)) this.#restarts++
    // Their credentials are fresh in each offer, and count from the next gathering on.
    pc.setConfiguration({ ...this.#configuration(), iceServers: servers })
    await pc.setRemoteDescription({ type: 'offer', sdp })
    this.#takeLines(pc)
    const answer = await pc.createAnswer()
    // Without a path, the station can seek it while this browser still applies its own answer. Where
    // there is one, it would send what this browser cannot place yet.
    const first = pc.connectionState === 'new'
    if (!first) await pc.setLocalDescription(answer)
    this.wire.tell({ type: 'media.answer', sdp: answer.sdp, ...this.codes?.answering(answer.sdp ?? '') })
    this.answered?.()
    if (first) await pc.setLocalDescription(answer)
    this.#map(pc)
  }

  /** What was reserved has gathered without relays: if there is no way soon, it is done again with them. */
  #relays(servers: RTCIceServer[]): void {
    if (this.#relayed) return
    this.pc.get()?.setConfiguration({ ...this.#configuration(), iceServers: servers })
    this.#watch(RELAYS_AFTER_MS)
  }

  #make(): RTCPeerConnection {
    const pc = this.#bare()
    this.#use(pc)
    return pc
  }

  #configuration(): RTCConfiguration {
    return this.certificate ? { certificates: [this.certificate] } : {}
  }

  /** One that nothing was set on yet: the one made ahead, or a new one. */
  #bare(): RTCPeerConnection {
    if (this.#spare?.origin !== '') return new RTCPeerConnection(this.#configuration())
    const { pc } = this.#spare
    this.#spare = null
    return pc
  }

  /** Answers the offer of a reservation; the answer is kept till start(). No candidate is in it:
   * nothing is sent to the station. servers: for who is known there already. */
  async #prepare(sdp: string, servers: RTCIceServer[], commit: string | undefined): Promise<void> {
    if (this.#wanted) return
    this.codes?.offered(originOf(sdp), sdp, commit)
    const pc = this.#bare()
    this.#spare?.pc.close()
    this.#spare = { pc, origin: originOf(sdp), relays: servers.length > 0 }
    if (servers.length > 0) pc.setConfiguration({ ...this.#configuration(), iceServers: servers })
    await pc.setRemoteDescription({ type: 'offer', sdp })
    this.#sendOn(pc)
    await pc.setLocalDescription(await pc.createAnswer())
  }

  /** The kept answer, with the addresses that were found meanwhile; null: there is none. */
  #takeReserved(): string | null {
    const spare = this.#spare
    const answer = spare?.pc.signalingState === 'stable' ? spare.pc.localDescription?.sdp : undefined
    if (!spare || answer === undefined) return null
    this.#spare = null
    this.#drop()
    this.#origin = spare.origin
    this.#relayed = spare.relays ?? false
    this.#unproven = true
    this.#use(spare.pc)
    this.#takeLines(spare.pc)
    for (const { receiver } of spare.pc.getTransceivers()) if (receiver.track.kind === 'video') this.#lowDelay(receiver)
    return answer
  }

  /** The station did not want it yet. */
  #putBack(): void {
    const pc = this.pc.get()
    if (!pc) return
    this.#spare = { pc, origin: this.#origin, relays: this.#relayed }
    this.#release(pc)
  }

  #use(pc: RTCPeerConnection): void {
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate)
        this.wire.tell({ type: 'media.candidate', mid: candidate.sdpMid ?? '', candidate: candidate.candidate })
      else if (!candidate) {
        const mid = pc.getTransceivers()[0]?.mid ?? ''
        this.wire.tell({ type: 'media.candidate', mid, candidate: '' })
      }
    }
    pc.ontrack = ({ receiver, track }) => {
      if (track.kind === 'video') this.#lowDelay(receiver)
      this.#map(pc)
    }
    pc.ondatachannel = ({ channel }) => {
      if (channel.label === 'data') this.#takeData(channel)
      else if (channel.label === 'still') this.#takeStills(channel)
      else if (channel.label === 'wave') this.#takeWaves(channel)
      else if (channel.label === 'file') this.#takeFiles(channel)
    }
    pc.onconnectionstatechange = () => this.#connection(pc)
    pc.oniceconnectionstatechange = () => this.#connection(pc)
    this.#pulse = new Pulse(pc)
    this.pc.set(pc)
  }

  #takeData(channel: RTCDataChannel): void {
    this.#channel = channel
    const opened = (): void => {
      this.#tellLooks()
      this.opened.set(this.opened.get() + 1)
    }
    channel.onopen = opened
    channel.onclose = () => this.#dumb(channel)
    if (channel.readyState === 'open') opened()
    channel.onmessage = (event) => {
      if (typeof event.data !== 'string') return
      try {
        const message = JSON.parse(event.data) as FromChannel
        if (message.type === 'link') {
          this.#see(message.sight ?? 'full', message.machine ?? false)
          this.#sendLayers(message.layers ?? 1)
          this.#sendLean(message.lean ?? false)
        }
        if (message.type === 'waves') {
          const atOnce = message.level === 'all' && message.streams.length > 0
          this.#wait = atOnce ? this.#wait ?? new PictureHold() : null
          this.#hold(this.#wait?.ms ?? 0)
        }
        if (message.type === 'waves' || message.type === 'waves.clock' || message.type === 'waves.filled')
          this.waves.told(message)
        else this.message(message)
      } catch {
        // Not JSON: nothing of ours.
      }
    }
  }

  /** Readings and notes have no way any more, though picture and sound may go on: browsers give the association up
   * after a minute without an answer. A new connection is asked for as soon as the path stands; the old one stays
   * until then. */
  #dumb(channel: RTCDataChannel): void {
    if (channel !== this.#channel) return
    this.#channel = null
    this.#mute = true
    if (this.phase.get() === 'connected') this.#speakAgain()
  }

  #speakAgain(): void {
    const wait = Math.max(0, this.#started + RESTART_EVERY_MS - performance.now())
    clearTimeout(this.#muteTimer)
    this.#muteTimer = window.setTimeout(() => {
      if (this.#mute && this.#wanted && this.works()) this.start()
    }, wait)
  }

  #takeFiles(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.files?.(data)
    }
  }

  #takeStills(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.stills.receive(data)
    }
  }

  #takeWaves(channel: RTCDataChannel): void {
    channel.binaryType = 'arraybuffer'
    channel.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return
      this.waves.packet(data)
      this.#lookAtWaves(performance.now())
    }
  }

  #lookAtWaves(nowMs: number): void {
    if (!this.#wait || nowMs - this.#lookedAt < LOOK_EVERY_MS) return
    this.#lookedAt = nowMs
    this.#hold(this.#wait.look(this.waves.time.behind(nowMs)))
  }

  /** A smaller picture beside the own one, for whoever's link is weak; only while several watch. */
  #sendLayers(layers: number): void {
    const sender = this.#lines.cam?.sender
    const parameters = sender?.getParameters()
    const small = parameters?.encodings.find(({ rid }) => rid === 'l')
    if (!sender || !parameters || !small || small.active === layers > 1) return
    small.active = layers > 1
    small.maxBitrate = SMALL_BPS
    sender.setParameters(parameters).catch(() => {})
  }

  /** Somebody's link carries little more than this voice. */
  #sendLean(lean: boolean): void {
    const sender = this.#lines.mic?.sender
    const parameters = sender?.getParameters()
    const voice = parameters?.encodings[0]
    if (!sender || !parameters || !voice || (voice.maxBitrate === LEAN_BPS) === lean) return
    if (lean) voice.maxBitrate = LEAN_BPS
    else delete voice.maxBitrate
    sender.setParameters(parameters).catch(() => {})
  }

  #see(sight: Sight, machine: boolean): void {
    const before = this.sight.get()
    if (before.sight !== sight || before.machine !== machine) this.sight.set({ sight, machine })
    if (sight !== 'stills') this.stills.clear()
  }

  #hold(ms: number): void {
    if (ms === this.#holdMs) return
    this.#holdMs = ms
    for (const receiver of this.pc.get()?.getReceivers() ?? []) if (receiver.track.kind === 'video') this.#lowDelay(receiver)
  }

  #lowDelay(receiver: VideoReceiver): void {
    try {
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = this.#holdMs
      if ('playoutDelayHint' in receiver) receiver.playoutDelayHint = this.#holdMs / 1000
    } catch {
      // An older browser: its own choice holds.
    }
  }

  /** Sends on both lines from the first answer on, so that no unmute needs a new offer. The tracks
   * themselves come once the path stands: starting encoders would delay the first picture. */
  #takeLines(pc: RTCPeerConnection): void {
    for (const line of this.#sendOn(pc)) this.#lines[line.mid as 'mic' | 'cam'] = line
  }

  #sendOn(pc: RTCPeerConnection): RTCRtpTransceiver[] {
    const lines = pc.getTransceivers().filter(({ mid }) => mid === 'mic' || mid === 'cam')
    for (const line of lines) if (line.direction !== 'sendonly') line.direction = 'sendonly'
    return lines
  }

  #map(pc: RTCPeerConnection): void {
    if (pc !== this.pc.get()) return
    const before = new Map(this.streams.get().map((stream) => [stream.id, stream]))
    const after = new Map<string, Stream>()
    const description = pc.remoteDescription?.sdp ?? ''
    const names = streamNames(description)
    for (const line of pc.getTransceivers()) {
      const id = line.mid === null ? undefined : names.get(line.mid)
      const place = id === undefined ? null : streamPlace(id)
      if (!place || !id || line.direction === 'sendonly') continue
      const receives = line.currentDirection ?? line.direction
      if (receives !== 'recvonly' && receives !== 'sendrecv') continue
      const stream = after.get(id) ?? { id, ...place, audio: null, video: null }
      const kind = line.receiver.track.kind === 'audio' ? 'audio' : 'video'
      const known = before.get(id)?.[kind]
      stream[kind] = known?.getTracks()[0] === line.receiver.track
        ? known
        : new MediaStream([line.receiver.track])
      after.set(id, stream)
    }
    const list = [...after.values()].map((stream) => {
      const known = before.get(stream.id)
      return known && known.audio === stream.audio && known.video === stream.video ? known : stream
    })
    const same = list.length === before.size && list.every((s, i) => s === this.streams.get()[i])
    if (!same) this.streams.set(list)
  }

  #connection(pc: RTCPeerConnection): void {
    if (pc !== this.pc.get()) return
    const state = pc.connectionState
    if (state === 'connected' && pc.iceConnectionState !== 'disconnected') {
      this.#restartEvery = RESTART_EVERY_MS
      this.#connected()
    } else if (state === 'failed') this.#lost(Math.max(0, this.#restarted + RESTART_EVERY_MIN_MS - performance.now()))
    else if (state === 'disconnected' || pc.iceConnectionState === 'disconnected') this.#lost(TROUBLE_MS)
  }

  /** The path is lost, as the browser or the station says. */
  #lost(after: number): void {
    if (!this.#wanted) return
    this.phase.set('trouble')
    clearTimeout(this.#trouble)
    this.#trouble = window.setTimeout(() => this.#restart(), after)
  }

  /** The station has given this one up, and asked for a restart would say so again. */
  #gone(): void {
    if (!this.#wanted) return
    this.phase.set('trouble')
    this.#restarts = RESTARTS_BEFORE_NEW
    this.#since = -Infinity
    clearTimeout(this.#trouble)
    const wait = Math.max(0, this.#started + RESTART_EVERY_MS - performance.now())
    this.#trouble = window.setTimeout(() => this.#restart(), wait)
  }

  #watchPulse(): void {
    clearInterval(this.#pulseTimer)
    this.#pulseTimer = window.setInterval(() => this.#feel(), PULSE_EVERY_MS)
  }

  /** Nothing comes, though the browser still takes the path for good. */
  #feel(): void {
    const connected = this.pc.get()?.connectionState === 'connected'
    const silence = this.#pulse?.silence() ?? 0
    if (!connected) return
    if (silence < SILENCE_MS) {
      if (this.phase.get() === 'trouble' && this.pc.get()?.iceConnectionState !== 'disconnected') this.#connected()
      this.#since = performance.now()
      return
    }
    if (silence > TROUBLE_MS) this.phase.set('trouble')
    if (performance.now() - this.#restarted < this.#restartEvery || !this.#askRestart()) return
    this.#restartEvery = Math.min(this.#restartEvery * 2, RESTART_EVERY_MAX_MS)
  }

  /** False: nobody hears it now. */
  #askRestart(): boolean {
    const asked = this.wire.tellNow({ type: 'media.renegotiate', restart: true })
    if (asked) this.#restarted = performance.now()
    return asked
  }

  #connected(): void {
    clearTimeout(this.#trouble)
    this.#restarts = 0
    this.#since = performance.now()
    this.setMicrophone(this.#own.mic)
    this.setCamera(this.#own.cam)
    this.phase.set('connected')
    if (this.#mute) this.#speakAgain()
  }

  #restart(): void {
    if (!this.#wanted) return
    this.phase.set('trouble')
    const since = performance.now() - this.#since
    if (this.#restarts >= RESTARTS_BEFORE_NEW && since > PATIENCE_MS) {
      this.start()
      return
    }
    this.#askRestart()
    this.#watch()
  }

  /** Whatever was asked for, look again in a while. */
  #watch(after = RESTART_EVERY_MS): void {
    clearTimeout(this.#trouble)
    this.#trouble = window.setTimeout(() => {
      if (this.#wanted && this.pc.get()?.connectionState !== 'connected') this.#restart()
    }, after)
  }

  /** Gives the connection up. The list of streams stays until a new one comes, so that the pictures
   * keep their place on the page meanwhile. */
  #drop(): void {
    const pc = this.pc.get()
    if (pc) this.#release(pc)
    pc?.close()
  }

  #release(pc: RTCPeerConnection): void {
    this.#channel = null
    this.#mute = false
    this.#see('full', false)
    this.#lines = { mic: null, cam: null }
    this.#unproven = false
    this.#pulse = null
    this.pc.set(null)
    pc.onicecandidate = pc.ontrack = pc.ondatachannel = null
    pc.onconnectionstatechange = pc.oniceconnectionstatechange = null
  }
}

/** The session id of a description's o= line: one per peer of the station. */
function originOf(sdp: string): string {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1] ?? ''
}

/** Other credentials than the description in force: the path is sought anew. */
function isRestart(pc: RTCPeerConnection, sdp: string): boolean {
  const ufrag = (text: string | undefined): string => /^a=ice-ufrag:(\S+)/m.exec(text ?? '')?.[1] ?? ''
  const before = ufrag(pc.remoteDescription?.sdp)
  return before !== '' && before !== ufrag(sdp)
}

/** mid → id of the stream that the line carries, from the a=msid lines of a description. */
export function streamNames(sdp: string): Map<string, string> {
  const names = new Map<string, string>()
  for (const section of sdp.split(/\r?\nm=/).slice(1)) {
    const mid = /\na=mid:(\S+)/.exec(section)?.[1]
    // Of several the last: those before it are what the line is played in step with.
    const stream = [...section.matchAll(/\na=msid:(\S+)/g)].at(-1)?.[1]
    if (mid && stream) names.set(mid, stream)
  }
  return names
}

export function streamPlace(id: string): { kind: 'source' | 'peer'; name: string } | null {
  const match = /^(source|peer)-(.+)$/.exec(id)
  return match ? { kind: match[1] as 'source' | 'peer', name: match[2]! } : null
}
