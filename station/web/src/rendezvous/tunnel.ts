/* The page's end of a sealed conversation with a station (docs/rendezvous.md, Tunnel); the twin of
 * station/rendezvous/tunnel.h. No socket and no clock: texts come in by receive(), go out by publish; now is in ms. */
import { bytesOf, deriveKey, encode, join, openDir, openEcdh, parseObject, publicPart, randomBytes, readDir, sealDir, sealEcdh, sha256, thumbprint, type PublicKey } from './seal'

export interface Ends { station: string; box: string; client: string; session: string }
export type TunnelState = 'opening' | 'open' | 'refused' | 'closed' | 'lost'

export const SILENCE_MS = 20_000
const OPENING_MS = 10_000
const LIFE_MS = 12 * 3600_000
const FRAMES_MAX = 2 ** 24
const ALIVE_MS = 5000
const OWED_MS = 100
const REPEAT_MIN_MS = 1000
const REPEAT_MAX_MS = 4000
const WINDOW = 64n
const UNDER_WAY = 32
const UNDER_WAY_LENGTH = 512 * 1024
const WAITING = 512
const WAITING_LENGTH = 4 << 20
export const MESSAGE_MAX = 256 * 1024
const CLOSE = '{"close":true}'

/** What an opening is made of; given in tests alone, as the opening itself. */
export interface OpeningKeys { r: Uint8Array<ArrayBuffer>; pair: CryptoKeyPair; open?: string }

async function freshKeys(): Promise<OpeningKeys> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
  return { r: randomBytes(32), pair }
}

export const newSession = (): string => encode(randomBytes(12))

const who = ({ station, box, client, session }: Ends): string => `\n${station}\n${box}\n${client}\n${session}`

const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null

export class Tunnel {
  state: TunnelState = 'opening'
  /** Code of a refusal. */
  why = ''
  heard: number
  #began: number
  #said: number
  #keys: { send: CryptoKey; receive: CryptoKey } | null = null
  #owedAt: number | null = null
  // Receiving.
  #highest = 0
  #window = 0n
  #delivered = 0
  #held = new Map<number, string>()
  // Sending.
  #frames = 0
  #acknowledged = 0
  #out: string[] = []
  #outLength = 0
  #underWay = 0
  #repeatAt = 0
  #repeats = 0
  #timedAt: number | null = null
  #roundTrip = 0
  #sealing: Promise<void> = Promise.resolve()

  private constructor(readonly ends: Ends, readonly secret: string, readonly opening: OpeningKeys, readonly salt: Uint8Array<ArrayBuffer>,
    readonly publish: (text: string) => void, readonly message: (text: string) => void, now: number) {
    this.#began = this.heard = this.#said = now
  }

  /** open: for the topic open/{box}. Frames go to publish, whole messages in order to message. */
  static async dial(ends: Ends, secret: string, epochKey: PublicKey, now: number, publish: (text: string) => void,
    message: (text: string) => void, keys?: OpeningKeys): Promise<{ tunnel: Tunnel; open: string }> {
    const opening = keys ?? await freshKeys()
    const key = publicPart(await crypto.subtle.exportKey('jwk', opening.pair.publicKey) as PublicKey)
    const body = { v: 1, ...ends, r: encode(opening.r), key }
    const open = opening.open ?? await sealEcdh(epochKey, { typ: 'nhipcau-open+jwe', kid: await thumbprint(epochKey) }, JSON.stringify(body))
    return { tunnel: new Tunnel(ends, secret, opening, await sha256(open), publish, message, now), open }
  }

  /** True when it was this tunnel's and new; what is not accepted changes nothing. */
  async receive(text: string, now: number): Promise<boolean> {
    if (this.state === 'opening') return this.#takeAnswer(text, now)
    const sealed = this.state === 'open' ? readDir(text, undefined) : null
    const f = number(sealed?.header['f'])
    const n = number(sealed?.header['n'])
    const a = number(sealed?.header['a'])
    if (!sealed || !this.#keys || sealed.header['kid'] !== this.ends.session || f === null || n === null || a === null || !this.#isNew(f))
      return false
    const plain = await openDir(sealed, this.#keys.receive)
    // Another frame of that number may have come meanwhile.
    if (!plain || this.state !== 'open' || !this.#isNew(f)) return false
    this.#mark(f)
    this.heard = now
    this.#takeAcknowledgement(a, now)
    const said = new TextDecoder().decode(plain)
    if (n > 0) this.#takeMessage(n, said, now)
    else if (said === CLOSE) this.state = 'closed'
    return true
  }

  /** False: it is not open, or too much waits, and then it is lost. */
  send(text: string, now: number): boolean {
    if (this.state !== 'open' || text.length > MESSAGE_MAX) return false
    if (this.#out.length >= UNDER_WAY + WAITING || this.#outLength + text.length > WAITING_LENGTH) {
      this.state = 'lost'
      return false
    }
    this.#out.push(text)
    this.#outLength += text.length
    this.#fill(now)
    return true
  }

  close(now: number): void {
    if (this.state === 'open') this.#frame(0, CLOSE, now)
    if (this.state === 'open' || this.state === 'opening') this.state = 'closed'
  }

  /** Repeats, acknowledges, keeps alive, gives up: some times a second. */
  tick(now: number): void {
    if (this.state === 'opening' && now - this.#began >= OPENING_MS) this.state = 'lost'
    if (this.state !== 'open') return
    if (now - this.heard >= SILENCE_MS || now - this.#began >= LIFE_MS || this.#frames >= FRAMES_MAX) {
      this.state = 'lost'
      return
    }
    if (this.#underWay > 0 && now >= this.#repeatAt) {
      this.#repeats++
      this.#timedAt = null
      this.#repeatAt = now + this.#repeatAfter()
      for (let i = 0; i < this.#underWay; i++) this.#frame(this.#acknowledged + 1 + i, this.#out[i]!, now)
    }
    if ((this.#owedAt !== null && now >= this.#owedAt) || now - this.#said >= ALIVE_MS) this.#frame(0, '{}', now)
  }

  // ---- How it begins

  async #takeAnswer(text: string, now: number): Promise<boolean> {
    const sealed = readDir(text, 'nhipcau-answer+jwe')
    if (!sealed || sealed.header['kid'] !== this.ends.session) return false
    const { r, pair } = this.opening
    const plain = await openDir(sealed, await deriveKey(r, this.salt, `nhipcau-answer-1${who(this.ends)}`, 'decrypt'))
    const body = plain && parseObject(plain)
    if (!body || body['v'] !== 1 || this.state !== 'opening') return false
    if (typeof body['refused'] === 'string') {
      this.why = body['refused']
      this.state = 'refused'
      return true
    }
    const inner = await openEcdh(body['sealed'], 'nhipcau-secret+jwe', pair.privateKey)
    const r2 = bytesOf(inner && parseObject(inner)?.['r'], 32)
    if (!r2) return false
    const salt = await sha256(this.salt, await sha256(text))
    const ikm = join(r, r2, this.secret)
    const send = await deriveKey(ikm, salt, `nhipcau-in-1${who(this.ends)}`, 'encrypt')
    const receive = await deriveKey(ikm, salt, `nhipcau-out-1${who(this.ends)}`, 'decrypt')
    ikm.fill(0)
    if (this.state !== 'opening') return false
    this.#keys = { send, receive }
    this.heard = now
    this.state = 'open'
    // The station waits for it before it says anything.
    this.#frame(0, '{}', now)
    return true
  }

  // ---- Sending

  /** Sealed one after another, so that the numbers leave in order. */
  #frame(n: number, plain: string, now: number): void {
    const header = { kid: this.ends.session, f: ++this.#frames, n, a: this.#delivered }
    this.#said = now
    this.#owedAt = null
    this.#sealing = this.#sealing.then(async () => {
      if (this.#keys) this.publish(await sealDir(this.#keys.send, header, plain))
    })
  }

  /** When all that was said is published. */
  settled(): Promise<void> {
    return this.#sealing
  }

  #repeatAfter(): number {
    const first = Math.min(Math.max(2 * this.#roundTrip, REPEAT_MIN_MS), REPEAT_MAX_MS)
    return Math.min(first * 2 ** Math.min(this.#repeats, 4), REPEAT_MAX_MS)
  }

  #fill(now: number): void {
    let length = this.#out.slice(0, this.#underWay).reduce((sum, one) => sum + one.length, 0)
    while (this.#underWay < Math.min(this.#out.length, UNDER_WAY)) {
      const next = this.#out[this.#underWay]!
      if (this.#underWay > 0 && length + next.length > UNDER_WAY_LENGTH) return
      if (this.#underWay === 0) {
        this.#timedAt = now
        this.#repeatAt = now + this.#repeatAfter()
      }
      length += next.length
      this.#underWay++
      this.#frame(this.#acknowledged + this.#underWay, next, now)
    }
  }

  #takeAcknowledgement(a: number, now: number): void {
    if (a <= this.#acknowledged || a > this.#acknowledged + this.#underWay) return
    if (this.#timedAt !== null) {
      const sample = now - this.#timedAt
      this.#roundTrip = this.#roundTrip === 0 ? sample : (7 * this.#roundTrip + sample) / 8
    }
    for (; this.#acknowledged < a; this.#acknowledged++, this.#underWay--) this.#outLength -= this.#out.shift()!.length
    this.#repeats = 0
    this.#timedAt = null
    this.#repeatAt = now + this.#repeatAfter()
    this.#fill(now)
  }

  // ---- Receiving

  #isNew(f: number): boolean {
    if (f > this.#highest) return true
    const back = BigInt(this.#highest - f)
    return f > 0 && back < WINDOW && (this.#window >> back & 1n) === 0n
  }

  #mark(f: number): void {
    if (f > this.#highest) {
      const ahead = BigInt(f - this.#highest)
      this.#window = ahead < WINDOW ? BigInt.asUintN(64, this.#window << ahead) : 0n
      this.#highest = f
    }
    this.#window |= 1n << BigInt(this.#highest - f)
  }

  #takeMessage(n: number, said: string, now: number): void {
    this.#owedAt ??= now + OWED_MS
    if (n <= this.#delivered || n > this.#delivered + UNDER_WAY || this.#held.has(n)) return
    this.#held.set(n, said)
    for (;;) {
      const next = this.#held.get(this.#delivered + 1)
      if (next === undefined || this.state !== 'open') return
      this.#held.delete(++this.#delivered)
      this.message(next)
    }
  }
}
