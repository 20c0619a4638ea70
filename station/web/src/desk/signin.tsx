import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import { AccountSignIn } from '../join/account'
import { language, said, t } from '../text'
import { Logo } from '../ui/icons'
import { Button, Field, LanguageSwitch, Notice, SECRET, useAction } from '../ui/parts'
import { useDesk } from './context'
import type { DirectoryError } from './directory'
import type { DeskStation } from './station'

/** At the station itself: a named specialist and a PIN. */
export function SignIn({ station }: { station: DeskStation }): JSX.Element {
  const hello = useCell(station.hello)
  const entry = useCell(station.entry)
  const link = useCell(station.carrier.state)
  const users = hello?.users ?? []
  const proofs = hello?.accounts || (hello?.providers ?? []).length > 0
  return (
    <div class="entry">
      <header class="entry-head">
        <Logo size={40} />
        <div>
          <p class="brand">{t('desk.title')}</p>
          <p class="station">{hello?.station.name ?? t('link.connecting')}</p>
        </div>
        <LanguageSwitch />
      </header>
      <main class="entry-main desk-entry" data-testid="desk-sign-in">
        {link !== 'open' && <Notice look="warn">{t('link.lost')}</Notice>}
        {entry === 'signed-out' && <Proofs />}
        {entry === 'signed-out' && users.length === 0 && !proofs && <Notice look="info" testid="desk-nobody">{t('desk.no-users')}</Notice>}
        {entry === 'signed-out' && users.length > 0 && <Form users={users} enter={(user, pin) => station.signIn(user, pin)} />}
      </main>
    </div>
  )
}

/** From the hospital: at all stations that there is a way to. Who may sign in they tell nobody, so the name is typed. */
export function HospitalSignIn(): JSX.Element {
  const desk = useDesk()
  const stations = useCell(desk.network.stations)
  const open = useCell(desk.stations)
  const here = stations.filter(({ state }) => state === 'here')
  return (
    <div class="entry">
      <header class="entry-head">
        <Logo size={40} />
        <div>
          <p class="brand">{t('desk.title')}</p>
          <p class="station" data-testid="stations-here">{t('desk.stations.here', { n: here.length, of: stations.length })}</p>
        </div>
        <LanguageSwitch />
      </header>
      <main class="entry-main desk-entry" data-testid="desk-sign-in">
        {open.length === 0 && <Notice look="warn">{t('desk.no-stations')}</Notice>}
        <Proofs />
        <DirectoryNotice />
        <Form users={null} enter={(user, pin) => desk.signIn(user, pin)} />
      </main>
    </div>
  )
}

/** By the hospital's sign-in, or by an account of a station. */
function Proofs(): JSX.Element | null {
  const desk = useDesk()
  const stations = useCell(desk.stations)
  useCell(desk.greetings)
  const { busy, problem } = useCell(desk.signing)
  const { providers } = desk
  const withAccounts = stations.filter((one) => one.hello.get()?.accounts)
  if (providers.length === 0 && withAccounts.length === 0 && !problem) return null
  return (
    <section class="card desk-form sign-in" aria-label={t('sign-in.title')} data-testid="desk-proofs">
      {providers.map((provider) => (
        <Button key={provider.issuer} wide big look="primary" icon="person" busy={busy} testid={`sign-in-${provider.provider}`}
          onClick={() => void desk.signInAt(provider)}>
          {t('sign-in.with', { provider: provider.title })}
        </Button>
      ))}
      {withAccounts.length > 0 && <StationAccount stations={withAccounts} busy={busy} />}
      {problem && <Notice look="warn" testid="sign-in-problem">{said(problem)}</Notice>}
    </section>
  )
}

/** An account belongs to a station, so that with more than one it is said which. */
function StationAccount({ stations, busy }: { stations: readonly DeskStation[]; busy: boolean }): JSX.Element {
  const desk = useDesk()
  const [chosen, setChosen] = useState('')
  const station = stations.find((one) => one.station === chosen) ?? stations[0]!
  const ways = {
    signInByPasskey: () => desk.signInAtStation(station, (one) => one.proveByPasskey()),
    signInByPassword: (account: string, password: string, code: string) =>
      void desk.signInAtStation(station, (one) => one.prove({ method: 'password', account, password, code })),
  }
  return (
    <>
      <h2>{t('desk.by-account')}</h2>
      {stations.length > 1 && (
        <Field label={t('desk.station')}>
          {(attributes) => (
            <select {...attributes} value={station.station} data-testid="account-station" onChange={(event) => setChosen(event.currentTarget.value)}>
              {stations.map((one) => <option key={one.station} value={one.station}>{one.name}</option>)}
            </select>
          )}
        </Field>
      )}
      <AccountSignIn ways={ways} busy={busy} />
    </>
  )
}

const NAMED = 5

/** Entries of the hospital's list that are left out: whoever looks after the pages is to mend them. */
function DirectoryNotice(): JSX.Element | null {
  const { faults } = useDesk().network
  if (faults.length === 0) return null
  return (
    <Notice look="warn" testid="directory-faults">
      {t('desk.directory.faults', { n: faults.length })}{' '}
      {faults.slice(0, NAMED).map(({ at, station, what }) => `${at}${station ? ` (${station})` : ''}: ${t(`desk.directory.${what}`)}`).join('; ')}
      {faults.length > NAMED && ' …'}
    </Notice>
  )
}

/** The hospital's list cannot be used at all. */
export function DirectoryBroken({ problem }: { problem: DirectoryError | null }): JSX.Element {
  useCell(language)
  return (
    <main class="splash">
      <Logo size={64} />
      <Notice look="bad" testid="directory-broken">
        {problem ? `${problem.file}: ${t(`desk.directory.${problem.what}`)}` : t('desk.directory.no-link')}
      </Notice>
      <LanguageSwitch />
    </main>
  )
}

function Form({ users, enter }: {
  /** null: the name is typed. */
  users: readonly { id: string; name: string }[] | null
  enter: (user: string, pin: string) => Promise<void>
}): JSX.Element {
  const [user, setUser] = useState(users?.[0]?.id ?? '')
  const [pin, setPin] = useState('')
  const { busy, problem, run } = useAction()
  const go = async (): Promise<void> => {
    if (pin === '' || user.trim() === '') return
    await run(() => enter(user.trim(), pin))
    setPin('')
  }
  return (
    <form class="card desk-form" onSubmit={(event) => {
      event.preventDefault()
      void go()
    }}>
      <h1>{t('desk.sign-in')}</h1>
      <Field label={t('desk.who')}>
        {(attributes) => users === null ? (
          <input {...attributes} autocomplete="username" autocapitalize="off" spellcheck={false} value={user} maxLength={32} autofocus
            data-testid="desk-user" onInput={(event) => setUser(event.currentTarget.value)} />
        ) : (
          <select {...attributes} value={user} data-testid="desk-user" onChange={(event) => setUser(event.currentTarget.value)}>
            {users.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
          </select>
        )}
      </Field>
      <Field label={t('sign-in.pin')} problem={problem}>
        {(attributes) => (
          <input {...attributes} {...SECRET} inputMode="numeric" value={pin} autofocus={users !== null} data-testid="desk-pin"
            onInput={(event) => setPin(event.currentTarget.value)} />
        )}
      </Field>
      <Button submit big wide look="primary" busy={busy} testid="desk-enter">{t('desk.enter')}</Button>
    </form>
  )
}
