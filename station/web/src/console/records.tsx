import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useCell } from '../observable'
import type { ListedRecord, StationState } from '../protocol'
import { t, word, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Button, Dialog, Field, Notice, Pill, SECRET, dateOf, useAction } from '../ui/parts'
import { useConsole } from './context'
import { patientName } from './home'
import { keysWorkHere } from './passkey'

const PAGE = 50

/** Finished and interrupted consultations, newest first. */
export function Records(props: {
  vault: StationState['vault']; onRecord: (id: string) => void; onKeeping: () => void
}): JSX.Element {
  const client = useConsole()
  const [records, setRecords] = useState<ListedRecord[]>([])
  const [more, setMore] = useState(false)
  const [unlocking, setUnlocking] = useState<string | null>(null)
  const { busy, problem, run } = useAction()

  const load = (before: string | null): Promise<boolean> => run(async () => {
    const answer = await client.ask('record.list', { limit: PAGE, ...(before ? { before } : {}) })
    const page = (answer['records'] as ListedRecord[] | undefined) ?? []
    setRecords((known) => (before ? [...known, ...page] : page))
    setMore(page.length === PAGE)
  })
  useEffect(() => void load(null), [props.vault])

  const doctorOf = (record: ListedRecord): string | undefined =>
    client.hello.get()?.users?.find(({ id }) => id === record.doctor)?.name ?? record.doctor
  const open = (record: ListedRecord): void => {
    if (record.locked && props.vault === 'closed') setUnlocking(record.consultation)
    else props.onRecord(record.consultation)
  }
  return (
    <section class="card" data-testid="records">
      <header class="card-head">
        <h2>{t('records.title')}</h2>
        <Button look="quiet" icon="signal" testid="keeping-open" onClick={props.onKeeping}>{t('keeping.open')}</Button>
        {props.vault === 'closed'
          ? <Button icon="unlock" testid="unlock" onClick={() => setUnlocking('')}>{t('records.unlock')}</Button>
          : <Button icon="lock" testid="lock" onClick={() => void run(() => client.ask('lock'))}>{t('records.lock')}</Button>}
      </header>
      {problem && <Notice look="bad">{problem}</Notice>}
      {records.length === 0 && !busy && <p class="quiet">{t('records.none')}</p>}
      <ul class="rows records">
        {records.map((record) => (
          <li key={record.consultation}>
            <button type="button" class="row-button" data-testid={`record-${record.consultation}`} onClick={() => open(record)}>
              <Icon name={record.locked && props.vault === 'closed' ? 'lock' : 'open'} />
              <span class="grow">
                <strong>{record.locked && !record.patient ? t('records.locked') : patientName(record.patient)}</strong>
                <small>
                  {[dateOf(record.day), record.mode && t(`mode.${record.mode}` as Key), doctorOf(record),
                    record.minutes !== undefined && t('records.minutes', { n: record.minutes })]
                    .filter(Boolean).join(' · ')}
                </small>
              </span>
              {record.state && <Pill look={record.state === 'signed' || record.state === 'delivered' ? 'good' : record.state === 'cancelled' ? 'quiet' : 'warn'}>
                {word('state', record.state)}
              </Pill>}
            </button>
          </li>
        ))}
      </ul>
      {more && <Button busy={busy} onClick={() => void load(records[records.length - 1]!.consultation)}>{t('records.more')}</Button>}
      {unlocking !== null && (
        <UnlockDialog onClose={() => setUnlocking(null)} onOpen={() => {
          if (unlocking) props.onRecord(unlocking)
          setUnlocking(null)
        }} />
      )}
    </section>
  )
}

/** Finished records open with the vault key only: asks for the passphrase. */
export function UnlockDialog(props: { onClose: () => void; onOpen: () => void }): JSX.Element {
  const client = useConsole()
  const hello = useCell(client.hello)
  const [declined, setDeclined] = useState(false)
  const [passphrase, setPassphrase] = useState('')
  const { busy, problem, run } = useAction()
  const byKey = async (): Promise<void> => {
    setDeclined(false)
    let open = true
    const done = await run(() => client.unlockByKey().catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error
      open = false
      setDeclined(true)
    }))
    if (done && open) props.onOpen()
  }
  return (
    <Dialog title={t('unlock.title')} onClose={props.onClose} testid="unlock-dialog">
      <form onSubmit={async (event) => {
        event.preventDefault()
        if (await run(() => client.ask('unlock', { passphrase }))) props.onOpen()
      }}>
        <div class="dialog-body">
          <p>{t('unlock.more')}</p>
          {hello?.passkeys && keysWorkHere() && (
            <Button icon="lock" busy={busy} testid="unlock-key" onClick={() => void byKey()}>{t('unlock.key')}</Button>
          )}
          {declined && <Notice look="warn">{t('sign-in.key.declined')}</Notice>}
          <Field label={t('unlock.passphrase')} problem={problem}>
            {(attributes) => (
              <input {...attributes} {...SECRET} value={passphrase} autofocus data-testid="passphrase"
                onInput={(event) => setPassphrase(event.currentTarget.value)} />
            )}
          </Field>
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="unlock" busy={busy} disabled={passphrase === ''} testid="unlock-go">{t('records.unlock')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
