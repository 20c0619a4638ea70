/* The comparison code (certs/comparison.h): the page's own computation of it, from what it saw. */

import { base64url, hex } from '../bytes'

async function hash(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

export function freshNonce(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(24)))
}

/** All fingerprints that a description names, each once, in order; null: none. */
export function fingerprints(sdp: string): string | null {
  const found = new Set([...sdp.matchAll(/^a=fingerprint:(.*?)\s*$/gm)].map(([, value]) => value!.trim().toUpperCase()))
  return found.size > 0 && found.size <= 8 ? [...found].sort().join(',') : null
}

/** The station is bound to this nonce by what it sent with its offer. */
export async function commitmentHolds(commitment: string, nonce: string): Promise<boolean> {
  return hex(await hash(`nhipcau-compare-1\ncommit\n${nonce}`)) === commitment
}

export interface Comparison {
  stationNonce: string
  pageNonce: string
  stationFingerprints: string
  pageFingerprints: string
  station: string
  page: string
}

/** Six digits. */
export async function comparisonCode(from: Comparison): Promise<string> {
  const bytes = await hash(['nhipcau-compare-1', from.stationNonce, from.pageNonce, from.stationFingerprints,
    from.pageFingerprints, from.station, from.page].join('\n'))
  let number = 0
  for (const byte of bytes.subarray(0, 6)) number = number * 256 + byte
  return String(number % 1_000_000).padStart(6, '0')
}
