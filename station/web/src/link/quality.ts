import type { Sight } from '../protocol'
import { t } from '../text'

/** The network in plain words: talk stays usable below 3 % loss, and below 400 ms one way. */
export function quality(loss: number, rttMs: number, sight: Sight = 'full'): { text: string; look: 'good' | 'warn' | 'bad' } {
  if (sight === 'stills') return { text: t('link.sound-only'), look: 'bad' }
  if (loss >= 0.1 || rttMs >= 800) return { text: t('link.bad'), look: 'bad' }
  if (loss >= 0.03 || rttMs >= 400) return { text: t('link.weak'), look: 'warn' }
  return { text: t('link.good'), look: 'good' }
}
