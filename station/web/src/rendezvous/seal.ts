/* JWS and JWE as docs/rendezvous.md uses them; the twin of station/rendezvous/jose.h. What is read is hostile: its
 * header names exactly these algorithms, and there is one text for the same bytes. */
import { base64url, calculateJwkThumbprint, CompactEncrypt, compactDecrypt, compactVerify, flattenedDecrypt, importJWK } from 'jose'

export interface PublicKey { kty: 'EC'; crv: 'P-256'; x: string; y: string }
type Json = Record<string, unknown>

const LARGEST = 384 * 1024
const HEADER = new Set(['alg', 'enc', 'typ', 'kid', 'epk', 'f', 'n', 'a'])
const PARTS = new Set(['protected', 'header', 'iv', 'ciphertext', 'tag'])
const text = new TextEncoder()
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Base64url without padding, and no bits behind the last byte. */
export function isStrict(encoded: unknown): encoded is string {
  if (typeof encoded !== 'string' || !/^[A-Za-z0-9_-]*$/.test(encoded) || encoded.length % 4 === 1) return false
  const left = encoded.length % 4
  return left === 0 || (alphabet.indexOf(encoded[encoded.length - 1]!) & (left === 2 ? 15 : 3)) === 0
}

export function bytesOf(encoded: unknown, length: number): Uint8Array<ArrayBuffer> | null {
  if (!isStrict(encoded)) return null
  const bytes = base64url.decode(encoded) as Uint8Array<ArrayBuffer>
  return bytes.length === length ? bytes : null
}

export const encode = (bytes: Uint8Array): string => base64url.encode(bytes)
export const randomBytes = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length))

export async function sha256(...parts: (Uint8Array | string)[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)))
}

export function join(...parts: (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const all = parts.map((part) => (typeof part === 'string' ? text.encode(part) : part))
  const whole = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of all) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function parseObject(bytes: Uint8Array | string): Json | null {
  try {
    const value: unknown = JSON.parse(typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Json : null
  } catch {
    return null
  }
}

const only = (object: Json, names: Set<string>): boolean => Object.keys(object).every((name) => names.has(name))

export function isPublicKey(key: unknown): key is PublicKey {
  const { kty, crv, x, y } = (key ?? {}) as Json
  return kty === 'EC' && crv === 'P-256' && bytesOf(x, 32) !== null && bytesOf(y, 32) !== null
}

export const publicPart = ({ kty, crv, x, y }: PublicKey): PublicKey => ({ kty, crv, x, y })
export const thumbprint = (key: PublicKey): Promise<string> => calculateJwkThumbprint(publicPart(key), 'sha256')

/** HKDF-SHA256; the key cannot be taken out again. */
export async function deriveKey(ikm: Uint8Array<ArrayBuffer>, salt: Uint8Array<ArrayBuffer>, info: string,
  use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveKey'])
  return crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt, info: text.encode(info) }, material,
    { name: 'AES-GCM', length: 256 }, false, [use])
}

export interface Sealed { header: Json; compact: string }

function headerOf(encoded: unknown, alg: string, typ: string | undefined): Json | null {
  if (!isStrict(encoded) || encoded.length > 2800) return null
  const header = parseObject(base64url.decode(encoded))
  if (!header || !only(header, HEADER) || header['alg'] !== alg || header['enc'] !== 'A256GCM' || header['typ'] !== typ) return null
  return header
}

const partsFit = (iv: unknown, ciphertext: unknown, tag: unknown): boolean =>
  isStrict(iv) && iv.length === 16 && isStrict(ciphertext) && isStrict(tag) && tag.length === 22

/** A compact JWE by `dir`, looked at and not opened; null: it is none. */
export function readDir(token: string, typ: string | undefined): Sealed | null {
  if (token.length > LARGEST) return null
  const parts = token.split('.')
  if (parts.length !== 5 || parts[1] !== '' || !partsFit(parts[2], parts[3], parts[4])) return null
  const header = headerOf(parts[0], 'dir', typ)
  return header && !('epk' in header) ? { header, compact: token } : null
}

export async function openDir(sealed: Sealed, key: CryptoKey): Promise<Uint8Array | null> {
  try {
    return (await compactDecrypt(sealed.compact, key,
      { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] })).plaintext
  } catch {
    return null
  }
}

/** A flattened JWE by ECDH-ES that stands in another message. */
export async function openEcdh(sealed: unknown, typ: string, key: CryptoKey): Promise<Uint8Array | null> {
  const jwe = (sealed ?? {}) as Json
  const { protected: head, header, iv, ciphertext, tag } = jwe
  const beside = (header ?? {}) as Json
  if (!only(jwe, PARTS) || !partsFit(iv, ciphertext, tag) || !headerOf(head, 'ECDH-ES', typ)) return null
  if (Object.keys(beside).join() !== 'epk' || !isPublicKey(beside['epk'])) return null
  try {
    return (await flattenedDecrypt({ protected: head as string, header: { epk: publicPart(beside['epk']) },
      iv: iv as string, ciphertext: ciphertext as string, tag: tag as string }, key,
    { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] })).plaintext
  } catch {
    return null
  }
}

export function sealDir(key: CryptoKey, header: Json, plain: string): Promise<string> {
  return new CompactEncrypt(text.encode(plain)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', ...header }).encrypt(key)
}

export async function sealEcdh(key: PublicKey, header: Json, plain: string): Promise<string> {
  const to = await importJWK({ ...publicPart(key) }, 'ECDH-ES')
  return new CompactEncrypt(text.encode(plain)).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', ...header }).encrypt(to)
}

/** The payload when the token is of that typ and by the key that it names; whose key that is, is the caller's question. */
export async function verify(token: string, typ: string): Promise<{ payload: Json; thumbprint: string } | null> {
  const parts = token.split('.')
  if (token.length > 16 * 1024 || parts.length !== 3 || !parts.every(isStrict)) return null
  const header = parseObject(base64url.decode(parts[0]!))
  if (!header || !only(header, new Set(['alg', 'typ', 'jwk'])) || header['alg'] !== 'ES256' || header['typ'] !== typ) return null
  const key = header['jwk']
  if (!isPublicKey(key) || Object.keys(key).length !== 4) return null
  try {
    const { payload } = await compactVerify(token, await importJWK({ ...key }, 'ES256'), { algorithms: ['ES256'] })
    const body = parseObject(payload)
    return body && { payload: body, thumbprint: await thumbprint(key) }
  } catch {
    return null
  }
}
