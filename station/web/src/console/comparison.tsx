import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Encryption, Guest } from '../protocol'
import { t } from '../text'
import { codeWords, EncryptionWords } from '../ui/encryption'
import { Button, Pill, useAction } from '../ui/parts'
import { useConsole } from './context'

/** The code of one guest's link, read out to each other: the same on both screens, or somebody stands between. */
export function Comparison({ guest, encryption }: { guest: Guest; encryption: Encryption | undefined }): JSX.Element | null {
  const client = useConsole()
  const [differs, setDiffers] = useState(false)
  const { busy, problem, run } = useAction()
  const { code } = guest
  if (!code) return null
  const tell = (same: boolean): Promise<boolean> => run(() => client.ask('guest.compared', { guest: guest.guest, same }))
  return (
    <details class="link-details comparison" data-testid={`comparison-${guest.guest}`}>
      <summary>
        {t('comparison')}: <span class="digits" data-testid={`code-${guest.guest}`}>{codeWords(code.code)}</span>{' '}
        {code.same && <Pill look="good" icon="check" testid="code-same-said">{t('comparison.same.said')}</Pill>}
      </summary>
      <EncryptionWords encryption={encryption} relayed={guest.media?.relayed ?? false} />
      <p class="small quiet">{t('comparison.how.console')}</p>
      <div class="actions">
        {!code.same && <Button look="good" icon="check" busy={busy} testid="code-same" onClick={() => void tell(true)}>{t('comparison.same')}</Button>}
        {differs
          ? <Button look="danger" busy={busy} testid="code-differs-sure" onClick={() => void tell(false)}>{t('comparison.end')}</Button>
          : <Button testid="code-differs" onClick={() => setDiffers(true)}>{t('comparison.differs')}</Button>}
      </div>
      {problem && <p class="note" role="alert">{problem}</p>}
    </details>
  )
}
