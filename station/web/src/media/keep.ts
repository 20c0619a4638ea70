/** Parts of pictures that outlive a reload of the page: sealed by a key that this browser holds and
 * nobody can read out, and gone with the consultation. A browser without storage starts anew. */

const NAME = 'nhipcau-parts'
const DAY_MS = 24 * 3600 * 1000

interface Kept { picture: string; at: number; nonce: Uint8Array; sealed: ArrayBuffer }
export interface Part { offset: number; bytes: Uint8Array }

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('storage'))
  })
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => {
    request.result.createObjectStore('key')
    request.result.createObjectStore('parts', { autoIncrement: true }).createIndex('picture', 'picture')
  }
  return done(request)
}

export class PartsStore {
  #ready: Promise<{ db: IDBDatabase; key: CryptoKey }> = this.#begin()
  #waiting: { picture: string; part: Part }[] = []
  #writing = false
  #written: Promise<void> = Promise.resolve()

  constructor() {
    this.#ready.catch(() => {})
  }

  async #begin(): Promise<{ db: IDBDatabase; key: CryptoKey }> {
    const db = await open()
    // It is to be deleted.
    db.onversionchange = () => db.close()
    const known = (await done(db.transaction('key').objectStore('key').get('key'))) as CryptoKey | undefined
    if (known) return { db, key: known }
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    await done(db.transaction('key', 'readwrite').objectStore('key').put(key, 'key'))
    return { db, key }
  }

  /** What came while the last was written is written together. */
  keep(picture: string, part: Part): void {
    this.#waiting.push({ picture, part })
    if (!this.#writing) this.#written = this.#write().catch(() => {})
  }

  /** All that was given so far is written, or cannot be. */
  settled(): Promise<void> {
    return this.#written
  }

  async #write(): Promise<void> {
    this.#writing = true
    try {
      while (this.#waiting.length > 0) {
        const [first] = this.#waiting
        const mine = this.#waiting.filter(({ picture }) => picture === first!.picture)
        this.#waiting = this.#waiting.filter(({ picture }) => picture !== first!.picture)
        await this.#put(first!.picture, mine.map(({ part }) => part))
      }
    } finally {
      this.#writing = false
    }
  }

  async #put(picture: string, parts: Part[]): Promise<void> {
    const { db, key } = await this.#ready
    const nonce = crypto.getRandomValues(new Uint8Array(12))
    const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, pack(parts))
    const kept: Kept = { picture, at: Date.now(), nonce, sealed }
    await done(db.transaction('parts', 'readwrite').objectStore('parts').add(kept))
  }

  /** What an earlier page has kept of a picture. */
  async load(picture: string): Promise<Part[]> {
    const { db, key } = await this.#ready
    const all = (await done(db.transaction('parts').objectStore('parts').index('picture').getAll(picture))) as Kept[]
    const parts = await Promise.all(all.map(async ({ nonce, sealed }) =>
      unpack(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce as BufferSource }, key, sealed))))
    return parts.flat()
  }

  async forget(picture: string): Promise<void> {
    const { db } = await this.#ready
    const store = db.transaction('parts', 'readwrite').objectStore('parts')
    for (const id of await done(store.index('picture').getAllKeys(picture))) store.delete(id)
  }

  /** Of days before: a page that never came back. */
  async forgetOld(): Promise<void> {
    const { db } = await this.#ready
    const store = db.transaction('parts', 'readwrite').objectStore('parts')
    const cursor = store.openCursor()
    cursor.onsuccess = () => {
      if (!cursor.result) return
      if ((cursor.result.value as Kept).at < Date.now() - DAY_MS) cursor.result.delete()
      cursor.result.continue()
    }
  }
}

/** The consultation is over for this browser: nothing stays, the key neither. */
export function forgetParts(): void {
  try {
    indexedDB.deleteDatabase(NAME)
  } catch {
    // There is no storage: there is nothing.
  }
}

/** offset u32, length u32, bytes; again and again. */
export function pack(parts: readonly Part[]): ArrayBuffer {
  const size = parts.reduce((sum, { bytes }) => sum + 8 + bytes.length, 0)
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  let at = 0
  for (const { offset, bytes } of parts) {
    view.setUint32(at, offset)
    view.setUint32(at + 4, bytes.length)
    out.set(bytes, at + 8)
    at += 8 + bytes.length
  }
  return out.buffer
}

export function unpack(data: ArrayBuffer): Part[] {
  const view = new DataView(data)
  const parts: Part[] = []
  for (let at = 0; at + 8 <= data.byteLength;) {
    const length = view.getUint32(at + 4)
    parts.push({ offset: view.getUint32(at), bytes: new Uint8Array(data, at + 8, length) })
    at += 8 + length
  }
  return parts
}
