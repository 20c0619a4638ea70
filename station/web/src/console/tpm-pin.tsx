import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import { t } from '../text'
import { Button, Dialog, Field, Notice, SECRET, useAction } from '../ui/parts'
import { useConsole } from './context'

/** A PIN that the computer's security chip checks opens the records, too. Only where there is such a chip, for who has a passphrase. */
export function TpmPin(): JSX.Element | null {
  const client = useConsole()
  const user = useCell(client.user)
  const hello = useCell(client.hello)
  const [changing, setChanging] = useState(false)
  const [done, setDone] = useState<'set' | 'cleared' | null>(null)
  if (!user?.passphrase || (!hello?.tpm && !user.tpm)) return null
  return (
    <div class="tpm-pin" data-testid="tpm-pin">
      <p>{t(user.tpm ? 'tpm.on' : 'tpm.off')}</p>
      {done && <Notice look="good" testid="tpm-done">{t(done === 'set' ? 'tpm.done' : 'tpm.undone')}</Notice>}
      <Button icon={user.tpm ? 'unlock' : 'lock'} testid="tpm-change" onClick={() => setChanging(true)}>{t(user.tpm ? 'tpm.clear' : 'tpm.set')}</Button>
      {changing && <ChangeDialog clear={user.tpm === true} onClose={() => setChanging(false)} onDone={() => {
        setChanging(false)
        setDone(user.tpm ? 'cleared' : 'set')
      }} />}
    </div>
  )
}

function ChangeDialog(props: { clear: boolean; onClose: () => void; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [form, setForm] = useState({ passphrase: '', pin: '', again: '' })
  const { busy, problem, run } = useAction()
  const put = (field: keyof typeof form) => (event: { currentTarget: HTMLInputElement }): void =>
    setForm({ ...form, [field]: event.currentTarget.value })
  const differs = form.again !== '' && form.again !== form.pin
  const change = async (): Promise<void> => {
    const { passphrase, pin } = form
    const good = await run(async () => {
      // Only an open vault can be given one more way in.
      if (!props.clear) await client.ask('unlock', { passphrase })
      await client.ask(props.clear ? 'tpm.clear' : 'tpm.set', { passphrase, pin })
    })
    if (good) props.onDone()
  }
  return (
    <Dialog title={t(props.clear ? 'tpm.clear' : 'tpm.set')} onClose={props.onClose} testid="tpm-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void change()
      }}>
        <div class="dialog-body">
          <p>{t(props.clear ? 'tpm.clear.more' : 'tpm.set.more')}</p>
          <Field label={t('unlock.passphrase')} required>
            {(attributes) => <input {...attributes} {...SECRET} value={form.passphrase} autofocus data-testid="tpm-passphrase" onInput={put('passphrase')} />}
          </Field>
          <Field label={t('tpm.pin')} hint={t('tpm.pin.hint')} required>
            {(attributes) => <input {...attributes} {...SECRET} inputMode="numeric" value={form.pin} maxLength={12} data-testid="tpm-new-pin" onInput={put('pin')} />}
          </Field>
          <Field label={t('tpm.again')} problem={differs ? t('tpm.differs') : null} required>
            {(attributes) => <input {...attributes} {...SECRET} inputMode="numeric" value={form.again} maxLength={12} data-testid="tpm-again" onInput={put('again')} />}
          </Field>
          {problem && <Notice look="bad" testid="tpm-problem">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" busy={busy} testid="tpm-go"
            disabled={form.passphrase === '' || form.pin === '' || form.again !== form.pin}>{t('tpm.go')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
