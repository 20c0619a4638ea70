import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useCell } from '../observable'
import { t } from '../text'
import { Icon } from '../ui/icons'
import { Button, Dialog, Field, Notice, Pill, PRIVATE, SECRET, useAction } from '../ui/parts'
import { useConsole } from './context'
import { addKey, keysWorkHere } from './passkey'
import { TpmPin } from './tpm-pin'

interface OwnKey { user: string; id: string; label: string; at: string; rp: string; opens: boolean }

/** The keys (fingerprint, face, security key) by which this user signs in; an administrator sees everybody's. */
export function OwnKeys(): JSX.Element {
  const client = useConsole()
  const user = useCell(client.user)
  const users = useCell(client.hello)?.users ?? []
  const [keys, setKeys] = useState<OwnKey[]>([])
  const [adding, setAdding] = useState(false)
  const [added, setAdded] = useState<boolean | null>(null)
  const { busy, problem, run } = useAction()
  const load = async (): Promise<void> => {
    setKeys((await client.ask('passkey.list'))['passkeys'] as OwnKey[])
  }
  useEffect(() => void run(load), [])
  const nameOf = (id: string): string => users.find((one) => one.id === id)?.name ?? id
  return (
    <section class="card" data-testid="own-keys">
      <header class="card-head">
        <h2>{t('own-keys.title')}</h2>
        {keysWorkHere() && <Button icon="lock" testid="own-key-add" onClick={() => setAdding(true)}>{t('own-keys.add')}</Button>}
      </header>
      <p class="quiet">{t(keysWorkHere() ? 'own-keys.more' : 'own-keys.not-here')}</p>
      {problem && <Notice look="bad">{problem}</Notice>}
      {added !== null && <Notice look={added ? 'good' : 'warn'} testid="own-key-added">{t(addedText(added, user?.passphrase === true))}</Notice>}
      <ul class="rows">
        {keys.map((key) => (
          <li key={key.id} class="wrap" data-testid="own-key">
            <Icon name="lock" />
            <span class="grow">
              <strong>{key.label || t('own-keys.unnamed')}</strong>
              <small>{[key.user === user?.id ? '' : nameOf(key.user), key.at.slice(0, 10), key.rp].filter(Boolean).join(' · ')}</small>
            </span>
            <Pill look={key.opens ? 'good' : 'info'}>{t(key.opens ? 'own-keys.opens' : 'own-keys.screen')}</Pill>
            <Button look="quiet" icon="close" label={t('own-keys.remove')} busy={busy} testid="own-key-remove"
              onClick={() => void run(async () => {
                await client.ask('passkey.remove', { passkey: key.id })
                setAdded(null)
                await load()
              })} />
          </li>
        ))}
      </ul>
      <TpmPin />
      {adding && <AddKey onClose={() => setAdding(false)} onDone={(opens) => {
        setAdding(false)
        setAdded(opens)
        void run(load)
      }} />}
    </section>
  )
}

/** Who has no passphrase opens nothing by any key. */
const addedText = (opens: boolean, may: boolean): 'own-keys.added' | 'own-keys.added.no-prf' | 'own-keys.added.screen' =>
  opens ? 'own-keys.added' : may ? 'own-keys.added.no-prf' : 'own-keys.added.screen'

function AddKey(props: { onClose: () => void; onDone: (opens: boolean) => void }): JSX.Element {
  const client = useConsole()
  const user = useCell(client.user)
  const [secret, setSecret] = useState('')
  const [label, setLabel] = useState('')
  const [declined, setDeclined] = useState(false)
  const { busy, problem, run } = useAction()
  const long = user?.passphrase === true
  const add = async (): Promise<void> => {
    setDeclined(false)
    await run(async () => {
      // Only an open vault can be given one more way in.
      if (long) await client.ask('unlock', { passphrase: secret })
      const opens = await addKey((type, fields) => client.ask(type, fields), user!, label.trim(), { [long ? 'passphrase' : 'pin']: secret })
        .catch((error: unknown) => {
          if (!(error instanceof DOMException)) throw error
          setDeclined(true)
          return null
        })
      if (opens !== null) props.onDone(opens)
    })
  }
  return (
    <Dialog title={t('own-keys.add')} onClose={props.onClose} testid="own-key-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void add()
      }}>
        <div class="dialog-body">
          <p>{t('own-keys.add.more')}</p>
          <Field label={t(long ? 'unlock.passphrase' : 'sign-in.pin')} required>
            {(attributes) => <input {...attributes} {...SECRET} value={secret} autofocus data-testid="own-key-proof" onInput={(event) => setSecret(event.currentTarget.value)} />}
          </Field>
          <Field label={t('own-keys.label')} hint={t('own-keys.label.hint')} optional>
            {(attributes) => <input {...attributes} {...PRIVATE} value={label} maxLength={60} data-testid="own-key-label" onInput={(event) => setLabel(event.currentTarget.value)} />}
          </Field>
          {declined && <Notice look="warn" testid="own-key-declined">{t('own-keys.declined')}</Notice>}
          {problem && <Notice look="bad" testid="own-key-problem">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="lock" busy={busy} disabled={secret === ''} testid="own-key-go">{t('own-keys.go')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

/** What the key that somebody signed in with could not do. */
export function KeyNote(): JSX.Element | null {
  const client = useConsole()
  const note = useCell(client.keyNote)
  if (!note) return null
  return (
    <Notice look="info" testid="key-note" action={<Button look="quiet" icon="close" label={t('do.close')} onClick={() => client.keyNote.set(null)} />}>
      {t(note === 'joined' ? 'own-keys.note.joined' : 'own-keys.note.closed')}
    </Notice>
  )
}
