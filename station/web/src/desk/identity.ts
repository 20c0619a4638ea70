/* How a specialist proves at a desk who they are (docs/protocol.md, Sign-in): bound to this browser's key and to the certificate
 * of its media, so that one sign-in of the hospital's is good for the calls of all stations. */

import { bindingNonce } from '../join/binding'
import { DESK, keyFor, keyHash, sign, type Kept } from '../join/key'
import type { Given } from '../webauthn'

export type DeskIdentity =
  | { method: 'oidc'; token: string }
  | { method: 'passkey'; credential: Given }
  | { method: 'password'; account: string; password: string; code: string }

let kept: Promise<Kept> | null = null

export function deskKey(): Promise<Kept> {
  return (kept ??= keyFor(DESK))
}

export async function deskBinding(): Promise<string> {
  const own = await deskKey()
  return bindingNonce(DESK, await keyHash(own), own.fingerprint ?? '')
}

/** What goes with `identity`: the key signs which station is meant, so that no station can pass it on to another. */
export async function deskProof(nonce: string, station: string): Promise<Record<string, unknown>> {
  const own = await deskKey()
  return { fingerprint: own.fingerprint, ...(await sign(own, ['nhipcau-desk-1', nonce, station])) }
}

const TOKEN = 'nhipcau.desk.token'

/** The hospital's word outlives a reload, in this tab: for stations that come later. */
export function keptToken(): string | null {
  try {
    return sessionStorage.getItem(TOKEN)
  } catch {
    return null
  }
}

export function keepToken(token: string | null): void {
  try {
    if (token) sessionStorage.setItem(TOKEN, token)
    else sessionStorage.removeItem(TOKEN)
  } catch {
    // Storage is off: a reload asks for the sign-in again where a station comes later.
  }
}
