import type { Consent, Purpose } from './protocol'

/** What holds now: later entries override earlier ones. */
export function consented(consents: readonly Consent[]): Set<Purpose> {
  const holds = new Set<Purpose>()
  for (const consent of consents)
    for (const purpose of consent.purposes)
      if (consent.kind === 'withdrawn') holds.delete(purpose)
      else holds.add(purpose)
  return holds
}
