/* What stations say of themselves in public, read: only by the station's key, only newer than before. The twin of
 * station/rendezvous/presence.h. */
import { isPublicKey, publicPart, verify, type PublicKey } from './seal'

export interface Turn { epoch: number; link: number; seq: number }
export interface Presence extends Turn { state: 'here' | 'gone'; at: string; key: PublicKey | null }
export interface Ring extends Turn { calls: { call: string; since: string }[] }

const count = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most

export const isNewer = (a: Turn, b: Turn): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : a.link !== b.link ? a.link > b.link : a.seq > b.seq

class Reader<T extends Turn> {
  #newest: Turn = { epoch: 0, link: 0, seq: 0 }
  constructor(readonly station: string, readonly keyHash: string, readonly typ: string,
    readonly take: (body: Record<string, unknown>) => Omit<T, keyof Turn> | null) {}

  /** null: it is not by this station, not of this form, or not newer than all before. */
  async read(jws: string): Promise<T | null> {
    const signed = await verify(jws, this.typ)
    if (!signed || signed.thumbprint !== this.keyHash) return null
    const { payload } = signed
    const { epoch, link, seq } = payload
    if (payload['v'] !== 1 || payload['station'] !== this.station || !count(epoch, Number.MAX_SAFE_INTEGER)
      || !count(link, 0xffffffff) || !count(seq, 0xffffffff)) return null
    const turn = { epoch, link, seq }
    const rest = this.take(payload)
    if (!rest || !isNewer(turn, this.#newest)) return null
    this.#newest = turn
    return { ...turn, ...rest } as T
  }
}

export class PresenceReader extends Reader<Presence> {
  constructor(station: string, keyHash: string) {
    super(station, keyHash, 'nhipcau-presence+jws', ({ state, at, key }) => {
      const when = typeof at === 'string' ? at : ''
      if (state === 'gone') return { state, at: when, key: null }
      return state === 'here' && isPublicKey(key) ? { state, at: when, key: publicPart(key) } : null
    })
  }
}

export class RingReader extends Reader<Ring> {
  constructor(station: string, keyHash: string, desk: string) {
    super(station, keyHash, 'nhipcau-ring+jws', (body) => {
      const calls = body['calls']
      if (body['desk'] !== desk || !Array.isArray(calls) || calls.length > 16) return null
      const fit = calls.every((one: unknown) => {
        const { call, since } = (one ?? {}) as Record<string, unknown>
        return typeof call === 'string' && typeof since === 'string'
      })
      return fit ? { calls: calls as Ring['calls'] } : null
    })
  }
}
