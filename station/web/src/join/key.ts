/* The browser's own key for an invitation: by it the station knows this browser again after a
 * reload, a power cut, a new address. It cannot be taken out of the browser. */

import { base64url, sha256 } from '../bytes'
import type { DeviceTests } from '../protocol'

export interface Kept {
  invite: string
  pair: CryptoKeyPair
  /** Was let through to the lobby or further: come back without a click. */
  back: boolean
  audio: boolean
  video: boolean
  /** Of the media: a sign-in is bound to it, so that it has to be the same after one. */
  certificate?: RTCCertificate
  fingerprint?: string
  /** Id of the opinion written here: after a reload the same note goes on. */
  opinion: string
  /** What a patient's page told of who sits before it, so that a reload asks nothing again. */
  visit?: VisitAnswers
}

export interface VisitAnswers { as: 'patient' | 'representative'; name: string; relation: string; consent: boolean; tests: DeviceTests }

const DATABASE = 'nhipcau'
const STORE = 'invitations'
const KEPT_AT_MOST = 20

function request<T>(what: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    what.onsuccess = () => resolve(what.result)
    what.onerror = () => reject(what.error ?? new Error('IndexedDB'))
  })
}

let database: Promise<IDBDatabase> | null = null

/** Opened once: what is written just before the page goes is then already under way. */
function open(): Promise<IDBDatabase> {
  if (database) return database
  const opening = indexedDB.open(DATABASE, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: 'invite' })
  return (database = request(opening))
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  return (await open()).transaction(STORE, mode).objectStore(STORE)
}

/** In place of an invitation: by this key and its certificate a specialist's sign-in at a desk is bound to the browser. */
export const DESK = 'desk'

/** The key of this invitation, a new one when there is none. In a window that keeps nothing it works
 * too, but not beyond a reload. own: who has signed in at a desk comes in by the key of that sign-in. */
export async function keyFor(invite: string, own?: Kept): Promise<Kept> {
  const known = await store('readonly').then((kept) => request<Kept | undefined>(kept.get(invite)), () => undefined)
  if (own) return { ...(known ?? fresh(invite, own.pair)), pair: own.pair, certificate: own.certificate, fingerprint: own.fingerprint }
  if (known) return withCertificate(known)
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  return withCertificate(fresh(invite, pair))
}

function fresh(invite: string, pair: CryptoKeyPair): Kept {
  return { invite, pair, back: false, audio: true, video: true, opinion: crypto.randomUUID() }
}

const DAY_MS = 24 * 3600 * 1000

async function withCertificate(kept: Kept): Promise<Kept> {
  if (kept.certificate && kept.certificate.expires > Date.now() + DAY_MS) return kept
  const certificate = await RTCPeerConnection.generateCertificate({ name: 'ECDSA', namedCurve: 'P-256' } as EcKeyGenParams)
  const next = { ...kept, certificate, fingerprint: await fingerprintOf(certificate) }
  await keep(next)
  return next
}

/** Not every browser tells it of a certificate alone; each does in an offer. */
async function fingerprintOf(certificate: RTCCertificate): Promise<string> {
  const told = certificate.getFingerprints?.().find(({ algorithm }) => algorithm === 'sha-256')?.value
  if (told) return told.toUpperCase()
  const pc = new RTCPeerConnection({ certificates: [certificate] })
  pc.createDataChannel('')
  const { sdp } = await pc.createOffer()
  pc.close()
  return /^a=fingerprint:sha-256 ([0-9A-F:]{95})/im.exec(sdp ?? '')?.[1]?.toUpperCase() ?? ''
}

/** SHA-256 of the key's point, as the station knows this browser (station/proof.h). */
export async function keyHash(kept: Kept): Promise<string> {
  return sha256(await crypto.subtle.exportKey('raw', kept.pair.publicKey))
}

async function put(kind: IDBObjectStore, kept: Kept): Promise<void> {
  try {
    await request(kind.put(kept))
  } catch {
    // A browser that cannot keep certificates: a sign-in then lasts as long as this page.
    const { certificate: _, fingerprint: __, ...rest } = kept
    await request(kind.put(rest))
  }
}

export async function keep(kept: Kept): Promise<void> {
  try {
    const kind = await store('readwrite')
    await put(kind, kept)
    if (await request(kind.count()) > KEPT_AT_MOST) {
      const other = (await request(kind.getAllKeys())).find((key) => key !== kept.invite && key !== DESK)
      if (other !== undefined) await request(kind.delete(other))
    }
  } catch {
    // A private window without storage.
  }
}

export async function forget(invite: string): Promise<void> {
  await store('readwrite').then((kept) => request(kept.delete(invite))).catch(() => {})
}

export interface Proof { nonce: string; key: JsonWebKey; signature: string }

export async function publicKeyOf(kept: Kept): Promise<JsonWebKey> {
  const key = await crypto.subtle.exportKey('jwk', kept.pair.publicKey)
  return { kty: key.kty, crv: key.crv, x: key.x, y: key.y } as JsonWebKey
}

/** Lines of text, signed by the browser's key. */
export async function sign(kept: Kept, lines: string[]): Promise<Omit<Proof, 'nonce'>> {
  const text = new TextEncoder().encode(lines.join('\n'))
  const [signature, key] = await Promise.all([
    crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, kept.pair.privateKey, text),
    publicKeyOf(kept),
  ])
  return { signature: base64url(new Uint8Array(signature)), key }
}

export async function prove(kept: Kept, nonce: string): Promise<Proof> {
  return { nonce, ...(await sign(kept, ['nhipcau-join-1', nonce, kept.invite])) }
}

/** What a link says. via: the station is reached through the broker (docs/rendezvous.md). */
export interface Link { invite: string; secret: string; via?: { station: string; keyHash: string } }

/** The parts of `#v1.<invite>.<secret>` or `#v2.<station>.<invite>.<secret>.<key hash>`; null when the link is not whole. */
export function readFragment(hash: string): Link | null {
  const local = /^#v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{8,128})$/.exec(hash)
  if (local) return { invite: local[1]!, secret: local[2]! }
  const far = /^#v2\.([a-z][a-z0-9-]{0,31})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{8,128})\.([A-Za-z0-9_-]{43})$/.exec(hash)
  return far && { invite: far[2]!, secret: far[3]!, via: { station: far[1]!, keyHash: far[4]! } }
}

/** The station asks for a PIN too. */
export function wantsPin(invite: string): boolean {
  return invite.startsWith('pin-')
}
