import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { t } from '../text'
import { Icon } from '../ui/icons'
import { Button, Dialog, Field, Notice, Pill, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'

interface Account {
  account: string
  name: string
  facility: string
  disabled: boolean
  password: boolean
  passkeys: { id: string; label: string; at: string }[]
  /** Until when a link that was given out holds. */
  enrolling: string | null
}

interface Given { name: string; link: string; qr?: string }

/** Accounts of specialists whose hospital has no provider: made here, opened by what they set up themselves. */
export function Accounts(): JSX.Element {
  const client = useConsole()
  const [accounts, setAccounts] = useState<Account[]>([])
  const [adding, setAdding] = useState(false)
  const [given, setGiven] = useState<Given | null>(null)
  const { busy, problem, run } = useAction()
  const load = async (): Promise<void> => {
    setAccounts((await client.ask('account.list'))['accounts'] as Account[])
  }
  useEffect(() => void run(load), [])
  const change = (type: string, fields: Record<string, unknown>): void => void run(async () => {
    await client.ask(type, fields)
    await load()
  })
  const give = (one: Account): void => void run(async () => {
    const answer = await client.ask('account.enrol', { account: one.account })
    setGiven({ name: one.name, link: String(answer['link']), ...(answer['qr'] ? { qr: String(answer['qr']) } : {}) })
    await load()
  })
  return (
    <section class="card" data-testid="accounts">
      <header class="card-head">
        <h2>{t('accounts.title')}</h2>
        <Button icon="users" testid="account-add" onClick={() => setAdding(true)}>{t('accounts.add')}</Button>
      </header>
      <p class="quiet">{t('accounts.more')}</p>
      {problem && <Notice look="bad">{problem}</Notice>}
      <ul class="rows">
        {accounts.map((one) => (
          <li key={one.account} class="wrap" data-testid={`account-${one.account}`}>
            <Icon name="person" />
            <span class="grow">
              <strong>{one.name}</strong>
              <small>{[one.account, one.facility].filter(Boolean).join(' · ')}</small>
            </span>
            <Pill look={one.disabled ? 'bad' : one.passkeys.length || one.password ? 'good' : 'warn'}>{stateOf(one)}</Pill>
            {!one.disabled && <Button busy={busy} icon="link" testid={`enrol-${one.account}`} onClick={() => give(one)}>{t('accounts.link')}</Button>}
            <Button look="quiet" busy={busy} testid={`disable-${one.account}`}
              onClick={() => change('account.disable', { account: one.account, disabled: !one.disabled })}>
              {t(one.disabled ? 'accounts.enable' : 'accounts.disable')}
            </Button>
            {one.passkeys.map((key) => (
              <span key={key.id} class="quiet small">
                {t('accounts.passkey')} {key.label} {key.at.slice(0, 10)}
                <Button look="quiet" icon="close" label={t('accounts.forget')} busy={busy}
                  onClick={() => change('account.forget', { account: one.account, passkey: key.id })} />
              </span>
            ))}
          </li>
        ))}
      </ul>
      {adding && <AddDialog onClose={() => setAdding(false)} onDone={() => {
        setAdding(false)
        void run(load)
      }} />}
      {given && <LinkDialog given={given} onClose={() => setGiven(null)} />}
    </section>
  )
}

function stateOf(one: Account): string {
  if (one.disabled) return t('accounts.disabled')
  if (one.passkeys.length > 0) return t('accounts.by-passkey')
  if (one.password) return t('accounts.by-password')
  return t(one.enrolling ? 'accounts.waiting' : 'accounts.nothing')
}

function AddDialog(props: { onClose: () => void; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [form, setForm] = useState({ account: '', name: '', facility: '' })
  const { busy, problem, run } = useAction()
  const put = (field: keyof typeof form) => (event: { currentTarget: HTMLInputElement }): void =>
    setForm({ ...form, [field]: event.currentTarget.value })
  const add = async (): Promise<void> => {
    if (await run(() => client.ask('account.save', { account: form.account.trim(), name: form.name.trim(), facility: form.facility.trim() }))) props.onDone()
  }
  return (
    <Dialog title={t('accounts.add')} onClose={props.onClose} testid="account-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void add()
      }}>
        <div class="dialog-body">
          <Field label={t('accounts.name')} required>
            {(attributes) => <input {...attributes} {...PRIVATE} value={form.name} maxLength={100} autofocus data-testid="new-name" onInput={put('name')} />}
          </Field>
          <Field label={t('account.name')} hint={t('accounts.account.hint')} required>
            {(attributes) => <input {...attributes} {...PRIVATE} autocapitalize="off" value={form.account} maxLength={32} data-testid="new-account" onInput={put('account')} />}
          </Field>
          <Field label={t('ready.facility')} optional>
            {(attributes) => <input {...attributes} {...PRIVATE} value={form.facility} maxLength={200} data-testid="new-facility" onInput={put('facility')} />}
          </Field>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" busy={busy} disabled={form.account.trim() === '' || form.name.trim() === ''} testid="account-save">{t('accounts.save')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function LinkDialog({ given, onClose }: { given: Given; onClose: () => void }): JSX.Element {
  return (
    <Dialog title={t('accounts.link')} onClose={onClose} testid="account-link-dialog">
      <div class="dialog-body">
        <p>{t('accounts.link.more', { name: given.name })}</p>
        {given.qr && <img class="qr" alt={t('enrol.qr')} src={`data:image/svg+xml,${encodeURIComponent(given.qr)}`} />}
        <input class="link" readOnly value={given.link} data-testid="account-link" onFocus={(event) => event.currentTarget.select()} />
      </div>
      <footer>
        <Button icon="copy" onClick={() => void navigator.clipboard.writeText(given.link)}>{t('invite.copy')}</Button>
        <Button look="primary" testid="account-link-done" onClick={onClose}>{t('do.close')}</Button>
      </footer>
    </Dialog>
  )
}
