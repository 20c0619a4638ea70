import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import type { Encryption } from '../protocol'
import { t } from '../text'
import { codeWords, EncryptionWords } from '../ui/encryption'
import { Button, Notice } from '../ui/parts'
import type { Guest } from './client'

/** The code that the doctor sees too, unless somebody stands between. */
export function GuestComparison(props: { guest: Guest; relayed: boolean; encryption: Encryption | undefined }): JSX.Element {
  const state = useCell(props.guest.codes.state)
  const [sure, setSure] = useState(false)
  return (
    <section class="comparison" aria-label={t('comparison')} data-testid="comparison">
      <EncryptionWords encryption={props.encryption} relayed={props.relayed} />
      {state && 'code' in state && (
        <>
          <p>{t('comparison')}: <span class="digits" data-testid="comparison-code">{codeWords(state.code)}</span></p>
          <p class="small quiet">{t('comparison.how.guest')}</p>
          {sure
            ? <Button look="danger" testid="code-differs-sure" onClick={() => props.guest.differs()}>{t('comparison.end')}</Button>
            : <Button testid="code-differs" onClick={() => setSure(true)}>{t('comparison.differs')}</Button>}
        </>
      )}
      {state === null && <p class="small quiet">{t('comparison.none')}</p>}
    </section>
  )
}

/** What the station sent does not fit together: said at once, and where everybody looks. */
export function BrokenCode({ guest }: { guest: Guest }): JSX.Element | null {
  const state = useCell(guest.codes.state)
  if (!state || !('broken' in state)) return null
  return (
    <Notice look="bad" testid="code-broken"
      action={<Button look="danger" onClick={() => guest.differs()}>{t('comparison.end')}</Button>}>{t('comparison.broken')}</Notice>
  )
}
