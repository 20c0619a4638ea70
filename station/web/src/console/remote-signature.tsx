import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { toBase64 } from '../bytes'
import type { SignerRole } from '../protocol'
import { t } from '../text'
import { Button, Field, Notice, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'
import { RoleField } from './role-field'

/** What goes to the provider, and what the station wants back with the value: kept as a file, so that days may lie
 * between the two. */
interface Prepared { hash: string; hash_algo: string; prepared: string }

/** A key that lies with a remote-signing provider: the hash goes out, the value comes in. */
export function RemoteForm({ id, onDone }: { id: string; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [told, setTold] = useState<Prepared | null>(null)
  const [role, setRole] = useState<SignerRole>('specialist')
  const [value, setValue] = useState('')
  const { busy, problem, run } = useAction()
  const prepare = async (file: File | undefined): Promise<void> => {
    if (!file) return
    setTold(null)
    if (file.name.endsWith('.json')) {
      await run(async () => setTold(JSON.parse(await file.text()) as Prepared))
      return
    }
    await run(async () => setTold(await client.ask('signature.prepare', {
      consultation: id, certificate: toBase64(new Uint8Array(await file.arrayBuffer())),
    }) as unknown as Prepared))
  }
  const send = async (): Promise<void> => {
    if (!told) return
    const good = await run(() => client.ask('signature.add', {
      consultation: id, method: 'remote', role, prepared: told.prepared, signature: value.replace(/\s/g, ''),
    }))
    if (good) onDone()
  }
  const address = useMemo(() => told ? URL.createObjectURL(new Blob([JSON.stringify(
    { consultation: id, ...told }, null, 1)], { type: 'application/json' })) : '', [told])
  useEffect(() => () => URL.revokeObjectURL(address), [address])
  return (
    <form class="way" onSubmit={(event) => {
      event.preventDefault()
      void send()
    }}>
      <p>{t('signatures.remote-more')}</p>
      <Field label={t('signatures.remote-certificate')}>
        {(attributes) => (
          <input {...attributes} type="file" accept=".crt,.cer,.pem,.der,.json" disabled={busy} data-testid="remote-certificate"
            onChange={(event) => void prepare(event.currentTarget.files?.[0])} />
        )}
      </Field>
      {told && (
        <>
          <p>
            {t('signatures.remote-hash')}<br /><code data-testid="remote-hash">{told.hash}</code><br />
            <a class="link-button" download={`hash-${id}.json`} href={address}>{t('signatures.remote-file')}</a>
          </p>
          <RoleField roles={['specialist', 'chair', 'secretary', 'doctor']} role={role} onRole={setRole} />
          <Field label={t('signatures.remote-value')}>
            {(attributes) => (
              <textarea {...attributes} {...PRIVATE} rows={4} maxLength={4000} value={value} data-testid="remote-value"
                onInput={(event) => setValue(event.currentTarget.value)} />
            )}
          </Field>
        </>
      )}
      {problem && <Notice look="bad" testid="remote-problem">{problem}</Notice>}
      {told && <Button submit look="primary" icon="sign" busy={busy} disabled={value.trim() === ''} testid="remote-go">{t('signatures.remote-go')}</Button>}
    </form>
  )
}
