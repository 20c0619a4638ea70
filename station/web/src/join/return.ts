/* A sign-in leads the browser away from this page and back to it. What it needs on its way back stays in
 * this tab alone, and goes when it is read. */

import type { Provider } from '../protocol'

export interface Pending {
  state: string
  verifier: string
  nonce: string
  provider: Provider
  /** Where to come back to, and there the invitation: `#v1.…` */
  page: '/join' | '/desk'
  fragment: string
  facility: string
}

/** Back from a provider, with what its address said. */
export interface Returned { pending: Pending; url: string }

const KEPT = 'nhipcau.sign-in'

export function keepPending(pending: Pending): void {
  sessionStorage.setItem(KEPT, JSON.stringify(pending))
}

/** Takes code and state out of the address and puts back what stood there; null: this is no return. */
export function takeReturned(): Returned | null {
  const url = new URL(location.href)
  if (!url.searchParams.has('state')) return null
  let pending: Pending | null = null
  try {
    pending = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Pending | null
    sessionStorage.removeItem(KEPT)
  } catch {
    // Storage is off, or it is not ours: the page says that the link is not whole.
  }
  const known = pending?.state === url.searchParams.get('state') ? pending : null
  history.replaceState(null, '', `${known?.page ?? location.pathname}${known?.fragment ?? ''}`)
  return known && { pending: known, url: url.href }
}
