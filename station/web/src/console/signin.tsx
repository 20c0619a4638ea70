import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useCell } from '../observable'
import { said, t, word } from '../text'
import { Icon, Logo } from '../ui/icons'
import { Button, Field, LanguageSwitch, Notice, SECRET, useAction } from '../ui/parts'
import { useConsole } from './context'
import { keysWorkHere } from './passkey'

export function initials(name: string): string {
  const words = name.replace(/^(PGS|GS|TS|ThS|BS|BSCKI{1,2}|CN|ĐD|YS)\.?\s*/gi, '').trim().split(/\s+/)
  const last = words[words.length - 1] ?? ''
  return ((words.length > 1 ? words[0]?.[0] ?? '' : '') + (last[0] ?? '')).toUpperCase()
}

export function SignIn({ first }: { first: string | null }): JSX.Element {
  const client = useConsole()
  const hello = useCell(client.hello)
  const reason = useCell(client.signedOut)
  const link = useCell(client.socket.state)
  const users = hello?.users ?? []
  const [chosen, setChosen] = useState<string | null>(first ?? (users.length === 1 ? users[0]!.id : null))
  const user = users.find(({ id }) => id === chosen)
  return (
    <div class="entry">
      <header class="entry-head">
        <Logo size={40} />
        <div>
          <p class="brand">Nhịp Cầu</p>
          <p class="station">{hello?.station.name}</p>
        </div>
        <LanguageSwitch />
      </header>
      <main class="entry-main" data-testid="sign-in">
        {link !== 'open' && <Notice look="warn">{t('link.lost')}</Notice>}
        {reason && <Notice look="info">{word('signed-out', reason)}</Notice>}
        {hello?.ready === false && <Notice look="warn">{t('station.not-ready')}</Notice>}
        {(hello?.problems ?? []).map((problem) => (
          <Notice key={problem.code} look="warn">{said(problem.text)}</Notice>
        ))}
        {user
          ? <PinPad key={user.id} name={user.name} role={word('role', user.role)}
              onBack={users.length > 1 ? () => setChosen(null) : null}
              enter={(pin) => client.signIn(user.id, pin)}
              long={user.passphrase ? (passphrase) => client.signInByPassphrase(user.id, passphrase) : null} />
          : (
            <section class="who">
              <h1>{t('sign-in.who')}</h1>
              <div class="users">
                {users.map(({ id, name, role }) => (
                  <button type="button" key={id} class="user" data-testid={`user-${id}`} onClick={() => setChosen(id)}>
                    <span class="avatar" aria-hidden="true">{initials(name)}</span>
                    <strong>{name}</strong>
                    <span>{word('role', role)}</span>
                  </button>
                ))}
              </div>
            </section>
          )}
        {hello?.passkeys && keysWorkHere() && <ByKey />}
      </main>
    </div>
  )
}

function ByKey(): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  const [declined, setDeclined] = useState(false)
  const enter = (): void => {
    setDeclined(false)
    void run(() => client.signInByKey().catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error
      setDeclined(true)
    }))
  }
  return (
    <div class="by-key">
      <Button icon="lock" busy={busy} testid="sign-in-key" onClick={enter}>{t('sign-in.key')}</Button>
      {declined && <Notice look="warn" testid="sign-in-key-declined">{t('sign-in.key.declined')}</Notice>}
      {problem && <Notice look="bad" testid="sign-in-key-problem">{problem}</Notice>}
    </div>
  )
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9'] as const
const LONGEST = 12

function PinPad(props: {
  name: string; role: string; onBack: (() => void) | null
  enter: (pin: string) => Promise<void>; long: ((passphrase: string) => Promise<void>) | null
}): JSX.Element {
  const [typing, setTyping] = useState(false)
  if (typing && props.long) return <ByPassphrase name={props.name} enter={props.long} onBack={() => setTyping(false)} />
  return <Pad {...props} onLong={props.long ? () => setTyping(true) : null} />
}

/** For who has forgotten the PIN, or whose security chip checks none. */
function ByPassphrase(props: { name: string; enter: (passphrase: string) => Promise<void>; onBack: () => void }): JSX.Element {
  const [passphrase, setPassphrase] = useState('')
  const { busy, problem, run } = useAction()
  return (
    <form class="pin" data-testid="by-passphrase" onSubmit={(event) => {
      event.preventDefault()
      void run(() => props.enter(passphrase))
    }}>
      <h1>{props.name}</h1>
      <Field label={t('unlock.passphrase')} problem={problem}>
        {(attributes) => <input {...attributes} {...SECRET} value={passphrase} autofocus data-testid="sign-in-passphrase"
          onInput={(event) => setPassphrase(event.currentTarget.value)} />}
      </Field>
      <Button submit wide look="primary" busy={busy} disabled={passphrase === ''} testid="sign-in-passphrase-go">{t('sign-in.enter')}</Button>
      <Button look="quiet" icon="back" onClick={props.onBack}>{t('sign-in.pin')}</Button>
    </form>
  )
}

function Pad(props: {
  name: string; role: string; onBack: (() => void) | null; enter: (pin: string) => Promise<void>; onLong: (() => void) | null
}): JSX.Element {
  const [pin, setPin] = useState('')
  const { busy, problem, clear, run } = useAction()
  const box = useRef<HTMLInputElement>(null)
  const typed = (value: string): void => {
    clear()
    setPin(value.replace(/\D/g, '').slice(0, LONGEST))
  }
  const go = async (): Promise<void> => {
    if (pin === '' || busy) return
    await run(() => props.enter(pin))
    setPin('')
    box.current?.focus()
  }
  useEffect(() => box.current?.focus(), [])
  return (
    <form class="pin" data-testid="pin-pad" onSubmit={(event) => {
      event.preventDefault()
      void go()
    }}>
      <h1>{props.name}</h1>
      <p class="quiet">{props.role}</p>
      <label class="pin-box">
        <span class="hidden">{t('sign-in.pin')}</span>
        <input ref={box} {...SECRET} inputMode="numeric" value={pin} data-testid="pin"
          aria-describedby="pin-problem" placeholder={t('sign-in.pin')} disabled={busy}
          onInput={(event) => {
            typed(event.currentTarget.value)
            event.currentTarget.value = event.currentTarget.value.replace(/\D/g, '')
          }} />
      </label>
      <p id="pin-problem" class="pin-problem" role="alert" data-testid="pin-problem">{problem}</p>
      <div class="keys">
        {KEYS.map((digit) => (
          <button type="button" key={digit} onClick={() => typed(pin + digit)}>{digit}</button>
        ))}
        <button type="button" aria-label={t('sign-in.erase')} onClick={() => typed(pin.slice(0, -1))}><Icon name="erase" size={26} /></button>
        <button type="button" onClick={() => typed(`${pin}0`)}>0</button>
        <button type="submit" class="go" aria-label={t('sign-in.enter')} disabled={pin === '' || busy} data-testid="pin-enter"><Icon name="check" size={28} /></button>
      </div>
      {props.onLong && <Button look="quiet" icon="lock" onClick={props.onLong} testid="by-passphrase-open">{t('sign-in.passphrase')}</Button>}
      {props.onBack && <Button look="quiet" icon="back" onClick={props.onBack} testid="other-user">{t('sign-in.other')}</Button>}
    </form>
  )
}
