import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../text'
import { Button, Field, PRIVATE, SECRET } from '../ui/parts'
import { passkeysWork } from '../webauthn'

/** What the two ways of an account do. */
export interface AccountWays {
  signInByPasskey(): Promise<void>
  signInByPassword(account: string, password: string, code: string): void
}

/** Signing in by an account of the station's own: the device's passkey, or a password and a code. */
export function AccountSignIn({ ways, busy }: { ways: AccountWays; busy: boolean }): JSX.Element {
  const [typing, setTyping] = useState(false)
  return (
    <>
      {passkeysWork() && (
        <Button wide icon="lock" busy={busy} testid="sign-in-passkey" onClick={() => void ways.signInByPasskey()}>
          {t('account.passkey')}
        </Button>
      )}
      {typing
        ? <PasswordForm ways={ways} busy={busy} />
        : <button type="button" class="link-button" data-testid="sign-in-password" onClick={() => setTyping(true)}>{t('account.by-password')}</button>}
    </>
  )
}

function PasswordForm({ ways, busy }: { ways: AccountWays; busy: boolean }): JSX.Element {
  const [form, setForm] = useState({ account: '', password: '', code: '' })
  const put = (field: keyof typeof form) => (event: { currentTarget: HTMLInputElement }): void =>
    setForm({ ...form, [field]: event.currentTarget.value })
  const enter = (): void => {
    ways.signInByPassword(form.account.trim(), form.password, form.code.replace(/\s/g, ''))
    setForm({ ...form, code: '' })
  }
  const whole = form.account.trim() !== '' && form.password !== '' && form.code.trim() !== ''
  return (
    <div class="account-form" onKeyDown={(event) => {
      if (event.key !== 'Enter') return
      event.preventDefault()
      if (whole) enter()
    }}>
      <Field label={t('account.name')}>
        {(attributes) => <input {...attributes} {...PRIVATE} autocapitalize="off" value={form.account} maxLength={32} data-testid="account-name" onInput={put('account')} />}
      </Field>
      <Field label={t('account.password')}>
        {(attributes) => <input {...attributes} {...SECRET} value={form.password} maxLength={200} data-testid="account-password" onInput={put('password')} />}
      </Field>
      <Field label={t('account.code')} hint={t('account.code.hint')}>
        {(attributes) => <input {...attributes} {...PRIVATE} inputMode="numeric" value={form.code} maxLength={7} data-testid="account-code" onInput={put('code')} />}
      </Field>
      <Button wide look="primary" busy={busy} disabled={!whole} testid="account-enter" onClick={enter}>{t('account.enter')}</Button>
    </div>
  )
}
