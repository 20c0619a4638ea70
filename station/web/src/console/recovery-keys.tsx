import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { fromBase64 } from '../bytes'
import type { RecoveryRecipient } from '../protocol'
import { t } from '../text'
import { Icon } from '../ui/icons'
import { Button, Field, Notice, Pill, PRIVATE, dateOf, useAction } from '../ui/parts'
import { useConsole } from './context'
import { saveFile } from './save-file'

/** Who could open the records when nobody of the station can, and whether that still works. */
export function RecoveryTab(): JSX.Element {
  const client = useConsole()
  const [recipients, setRecipients] = useState<RecoveryRecipient[] | null>(null)
  const [code, setCode] = useState('')
  const [proven, setProven] = useState<number | null>(null)
  const { busy, problem, run } = useAction()
  const load = async (): Promise<void> => {
    setRecipients((await client.ask('recovery.list'))['recipients'] as RecoveryRecipient[])
  }
  const challenge = (number: number): void => void run(async () => {
    const answer = await client.ask('recovery.challenge', { number })
    saveFile(new Blob([fromBase64(String(answer['challenge']))], { type: 'application/pkcs7-mime' }), `dien-tap-${number}.cms`)
  })
  const sheet = (): void => void run(async () => {
    const answer = await client.ask('recovery.sheet')
    saveFile(new Blob([fromBase64(String(answer['pdf']))], { type: 'application/pdf' }), 'phieu-khoi-phuc.pdf')
  })
  const confirm = (): void => void run(async () => {
    setProven(null)
    setProven(Number((await client.ask('recovery.confirm', { code }))['number']))
    setCode('')
    await load()
  })
  useEffect(() => void run(load), [])
  return (
    <section class="card" data-testid="recovery">
      <header class="card-head">
        <h2>{t('keeping.recovery')}</h2>
        <Button icon="note" busy={busy} testid="recovery-sheet" onClick={sheet}>{t('recovery.sheet')}</Button>
      </header>
      <p class="quiet">{t('recovery.more')}</p>
      {recipients?.some(({ due }) => due) && <Notice look="warn" testid="recovery-due">{t('recovery.due.more')}</Notice>}
      <ul class="rows">
        {recipients?.map((one) => (
          <li key={one.number} class="wrap" data-testid={`recipient-${one.number}`}>
            <Icon name="shield" />
            <span class="grow">
              <strong>{one.number}. {one.subject}</strong>
              <small>{one.drilled ? t('recovery.drilled', { day: dateOf(one.drilled) }) : t('recovery.never')}</small>
              <small class="fingerprint">{one.sha256}</small>
            </span>
            {!one.confirmed && <Pill look="bad">{t('recovery.unconfirmed')}</Pill>}
            <Pill look={one.due ? 'warn' : 'good'}>{t(one.due ? 'recovery.due' : 'recovery.fresh')}</Pill>
            <Button busy={busy} testid={`drill-${one.number}`} onClick={() => challenge(one.number)}>{t('recovery.challenge')}</Button>
          </li>
        ))}
      </ul>
      <form class="way" onSubmit={(event) => {
        event.preventDefault()
        if (code.trim() !== '') confirm()
      }}>
        <p>{t('recovery.steps')}</p>
        <pre class="statement">openssl cms -decrypt -inform DER -in dien-tap-1.cms -inkey KHOA.key -recip KHOA.crt</pre>
        <Field label={t('recovery.code')} problem={problem}>
          {(attributes) => (
            <input {...attributes} {...PRIVATE} value={code} maxLength={100} autocapitalize="characters" data-testid="drill-code"
              onInput={(event) => setCode(event.currentTarget.value)} />
          )}
        </Field>
        {proven !== null && <Notice look="good" testid="drill-proven">{t('recovery.proven', { n: proven })}</Notice>}
        <Button submit look="primary" icon="check" busy={busy} disabled={code.trim() === ''} testid="drill-confirm">{t('recovery.confirm')}</Button>
      </form>
    </section>
  )
}
