/* The browser's own key for an invitation: by it the station knows this browser again after a
 * reload, a power cut, a new address. It cannot be taken out of the browser. */

export interface Kept {
  invite: string
  pair: CryptoKeyPair
  /** Was let through to the lobby or further: come back without a click. */
  back: boolean
  audio: boolean
  video: boolean
  /** Id of the opinion written here: after a reload the same note goes on. */
  opinion: string
}

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

/** The key of this invitation, a new one when there is none. In a window that keeps nothing it works
 * too, but not beyond a reload. */
export async function keyFor(invite: string): Promise<Kept> {
  const known = await store('readonly').then((kept) => request<Kept | undefined>(kept.get(invite)), () => undefined)
  if (known) return known
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const fresh: Kept = { invite, pair, back: false, audio: true, video: true, opinion: crypto.randomUUID() }
  await keep(fresh)
  return fresh
}

export async function keep(kept: Kept): Promise<void> {
  try {
    const kind = await store('readwrite')
    await request(kind.put(kept))
    if (await request(kind.count()) > KEPT_AT_MOST) {
      const other = (await request(kind.getAllKeys())).find((key) => key !== kept.invite)
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

export async function prove(kept: Kept, nonce: string): Promise<Proof> {
  const text = new TextEncoder().encode(`nhipcau-join-1\n${nonce}\n${kept.invite}`)
  const [signature, key] = await Promise.all([
    crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, kept.pair.privateKey, text),
    crypto.subtle.exportKey('jwk', kept.pair.publicKey),
  ])
  return { nonce, signature: base64url(new Uint8Array(signature)), key: { kty: key.kty, crv: key.crv, x: key.x, y: key.y } as JsonWebKey }
}

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

/** The parts of `#v1.<invite>.<secret>`; null when the link is not whole. */
export function readFragment(hash: string): { invite: string; secret: string } | null {
  const match = /^#v1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{8,128})$/.exec(hash)
  return match ? { invite: match[1]!, secret: match[2]! } : null
}
