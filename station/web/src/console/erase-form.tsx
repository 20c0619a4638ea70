import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import type { KeptRecord } from '../protocol'
import { t, type Key } from '../text'
import { Button, Field, Notice, PRIVATE, SECRET, useAction } from '../ui/parts'
import { useConsole } from './context'

type Purpose = 'recording' | 'teaching' | 'all'
type Why = 'retention-over' | 'consent-withdrawn' | 'disk-full'

/** Destroying keys: what, why, and the PIN or passphrase of who does it. There is no way back. */
export function EraseForm(props: { record: KeptRecord; onDone: () => void; onCancel: () => void }): JSX.Element {
  const { record } = props
  const client = useConsole()
  const user = useCell(client.user)
  const purposes: Purpose[] = [...(record.recording ? ['recording' as const] : []), 'teaching', ...(record.is_due ? ['all' as const] : [])]
  const [purpose, setPurpose] = useState<Purpose>(purposes[0]!)
  const whys: Why[] = purpose === 'all' ? ['retention-over'] : ['consent-withdrawn', 'disk-full', ...(record.is_due ? ['retention-over' as const] : [])]
  const [why, setWhy] = useState<Why>(whys[0]!)
  const [reason, setReason] = useState('')
  const [secret, setSecret] = useState('')
  const [sure, setSure] = useState(false)
  const { busy, problem, run } = useAction()
  const long = user?.passphrase ?? false
  const ready = sure && secret !== '' && reason.trim() !== ''
  const go = async (): Promise<void> => {
    const fields = {
      consultation: record.consultation, purpose, why: whys.includes(why) ? why : whys[0]!, reason: reason.trim(),
      ...(long ? { passphrase: secret } : { pin: secret }),
    }
    const good = await run(() => client.ask('retention.erase', fields))
    setSecret('')
    if (good) props.onDone()
  }
  return (
    <form class="way" data-testid="erase-form" onSubmit={(event) => {
      event.preventDefault()
      if (ready) void go()
    }}>
      <Notice look="bad">{t('erase.more')}</Notice>
      <Choice label={t('erase.what')} values={purposes} value={purpose} testid="erase-purpose"
        name={(one) => t(`erase-purpose.${one}` as Key)} onChange={setPurpose} />
      <Choice label={t('erase.why')} values={whys} value={whys.includes(why) ? why : whys[0]!} testid="erase-why"
        name={(one) => t(`erase-why.${one}` as Key)} onChange={setWhy} />
      <Field label={t('erase.reason')} required>
        {(attributes) => (
          <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="erase-reason"
            onInput={(event) => setReason(event.currentTarget.value)} />
        )}
      </Field>
      <Field label={t(long ? 'unlock.passphrase' : 'sign-in.pin')} required>
        {(attributes) => (
          <input {...attributes} {...SECRET} inputMode={long ? 'text' : 'numeric'} value={secret} data-testid="erase-secret"
            onInput={(event) => setSecret(event.currentTarget.value)} />
        )}
      </Field>
      <label class="tick">
        <input type="checkbox" checked={sure} data-testid="erase-sure" onChange={(event) => setSure(event.currentTarget.checked)} />
        {t('erase.sure')}
      </label>
      {problem && <Notice look="bad" testid="erase-problem">{problem}</Notice>}
      <div class="actions">
        <Button onClick={props.onCancel}>{t('do.cancel')}</Button>
        <Button submit look="danger" icon="erase" busy={busy} disabled={!ready} testid="erase-go">{t('erase.go')}</Button>
      </div>
    </form>
  )
}

function Choice<Value extends string>(props: {
  label: string; values: Value[]; value: Value; testid: string; name: (value: Value) => string; onChange: (value: Value) => void
}): JSX.Element {
  return (
    <Field label={props.label}>
      {(attributes) => (
        <select {...attributes} value={props.value} data-testid={props.testid}
          onChange={(event) => props.onChange(event.currentTarget.value as Value)}>
          {props.values.map((one) => <option key={one} value={one}>{props.name(one)}</option>)}
        </select>
      )}
    </Field>
  )
}
