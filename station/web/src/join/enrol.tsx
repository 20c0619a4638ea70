import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { sha256 } from '../bytes'
import type { Carrier } from '../link/carrier'
import { Rendezvous } from '../link/rendezvous'
import { Refusal, Socket } from '../link/socket'
import { Cell, useCell } from '../observable'
import type { FromStation, Hello } from '../protocol'
import { language, t } from '../text'
import { Icon } from '../ui/icons'
import { Button, Field, Notice, PRIVATE, SECRET, useAction } from '../ui/parts'
import { createPasskey, passkeysWork } from '../webauthn'
import { JoinHead } from './app'

export interface EnrolLink { account: string; secret: string; via?: { station: string; keyHash: string } }

/** `#e1.<account>.<secret>`: the link by which a person sets up an account that was made for them;
 * `#e2.<station>.<account>.<secret>.<key hash>`: through the broker. */
export function readEnrolLink(hash: string): EnrolLink | null {
  const match = /^#e1\.([a-z][a-z0-9-]{0,31})\.([A-Za-z0-9_-]{8,64})$/.exec(hash)
  if (match) return { account: match[1]!, secret: match[2]! }
  const far = /^#e2\.([a-z][a-z0-9-]{0,31})\.([a-z][a-z0-9-]{0,31})\.([A-Za-z0-9_-]{8,64})\.([A-Za-z0-9_-]{43})$/.exec(hash)
  return far && { account: far[2]!, secret: far[3]!, via: { station: far[1]!, keyHash: far[4]! } }
}

/** The station knows but the hash of the link's secret: tunnel and box are made of that. */
async function wayOf({ secret, via }: EnrolLink, receive: (message: FromStation) => void): Promise<Carrier> {
  if (!via) return new Socket('/ws/join', receive)
  const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value)
  const hash = await sha256(text(secret))
  const box = `e-${(await sha256(text(`nhipcau-enrol-1\n${hash}`))).slice(0, 32)}`
  return new Rendezvous({ ...via, box, secret: hash }, receive)
}

interface Offer { name: string; challenge: string; rp: { id: string; name: string }; totp: { secret: string; qr?: string } }

export class Enrolment {
  readonly hello = new Cell<Hello | null>(null)
  readonly offer = new Cell<Offer | null>(null)
  readonly over = new Cell<'done' | 'refused' | null>(null)
  readonly #way: Promise<Carrier>

  constructor(readonly link: EnrolLink) {
    this.#way = wayOf(link, (message) => {
      if (message.type === 'refused') this.#end('refused')
      if (message.type !== 'hello') return
      this.hello.set(message)
      if (!this.offer.get()) void this.#begin()
    })
  }

  async #begin(): Promise<void> {
    try {
      this.offer.set((await this.#ask('enrol.begin')) as unknown as Offer)
    } catch (error) {
      if (error instanceof Refusal && !['no-link', 'no-answer'].includes(error.code)) this.#end('refused')
    }
  }

  async #ask(type: string, fields: Record<string, unknown> = {}): Promise<{ [field: string]: unknown }> {
    const { account, secret } = this.link
    return (await this.#way).ask({ type, account, secret, ...fields })
  }

  #end(how: 'done' | 'refused'): void {
    this.over.set(how)
    void this.#way.then((way) => way.end())
  }

  async byPasskey(): Promise<void> {
    const offer = this.offer.get()!
    const { created } = await createPasskey({ rp: offer.rp, user: this.link.account, name: offer.name, challenge: offer.challenge })
    await this.#ask('enrol.passkey', { created, label: navigator.userAgentData?.platform ?? '' })
    this.#end('done')
  }

  async byPassword(password: string, code: string): Promise<void> {
    await this.#ask('enrol.password', { password, code })
    this.#end('done')
  }
}

declare global {
  interface Navigator { userAgentData?: { platform: string } }
}

export function EnrolPage({ enrolment }: { enrolment: Enrolment }): JSX.Element {
  useCell(language)
  const hello = useCell(enrolment.hello)
  const offer = useCell(enrolment.offer)
  const over = useCell(enrolment.over)
  useEffect(() => { document.title = t('enrol.title') }, [])
  return (
    <div class="entry">
      <JoinHead station={hello?.station.name ?? ''} />
      <main class="enrol" data-testid="enrol">
        {over === 'done' && <Plain icon="check" title={t('enrol.done')} more={t('enrol.done.more')} testid="enrol-done" />}
        {over === 'refused' && <Plain icon="warn" title={t('enrol.refused')} more={t('enrol.refused.more')} testid="enrol-refused" />}
        {over === null && offer && <Choose enrolment={enrolment} offer={offer} />}
        {over === null && !offer && <p class="quiet">{t('link.connecting')}</p>}
      </main>
    </div>
  )
}

function Plain(props: { icon: 'check' | 'warn'; title: string; more: string; testid: string }): JSX.Element {
  return (
    <section class="card enrol-card" data-testid={props.testid}>
      <Icon name={props.icon} size={44} />
      <h1>{props.title}</h1>
      <p>{props.more}</p>
    </section>
  )
}

function Choose({ enrolment, offer }: { enrolment: Enrolment; offer: Offer }): JSX.Element {
  const { busy, problem, run } = useAction()
  const [declined, setDeclined] = useState(false)
  const [typing, setTyping] = useState(!passkeysWork())
  const passkey = (): void => {
    setDeclined(false)
    void run(() => enrolment.byPasskey().catch((error: unknown) => {
      if (!(error instanceof DOMException)) throw error
      setDeclined(true)
    }))
  }
  return (
    <section class="card enrol-card">
      <h1>{t('enrol.hello', { name: offer.name })}</h1>
      <p>{t('enrol.more', { account: enrolment.link.account })}</p>
      {passkeysWork() && (
        <>
          <Button big wide look="primary" icon="lock" busy={busy} testid="enrol-passkey" onClick={passkey}>{t('enrol.passkey')}</Button>
          <p class="quiet small">{t('enrol.passkey.more')}</p>
          {declined && <Notice look="warn" testid="enrol-declined">{t('account.passkey.declined')}</Notice>}
        </>
      )}
      {problem && <Notice look="bad" testid="enrol-problem">{problem}</Notice>}
      {typing
        ? <Password enrolment={enrolment} offer={offer} busy={busy} run={run} />
        : <button type="button" class="link-button" data-testid="enrol-by-password" onClick={() => setTyping(true)}>{t('enrol.by-password')}</button>}
    </section>
  )
}

function Password(props: {
  enrolment: Enrolment; offer: Offer; busy: boolean; run: (work: () => Promise<unknown>) => Promise<boolean>
}): JSX.Element {
  const { secret, qr } = props.offer.totp
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  return (
    <form class="account-form" onSubmit={(event) => {
      event.preventDefault()
      void props.run(() => props.enrolment.byPassword(password, code.replace(/\s/g, '')))
    }}>
      <Field label={t('account.password')} hint={t('enrol.password.hint')}>
        {(attributes) => <input {...attributes} {...SECRET} value={password} maxLength={200} data-testid="enrol-password" onInput={(event) => setPassword(event.currentTarget.value)} />}
      </Field>
      <p>{t('enrol.totp')}</p>
      {qr && <img class="qr" alt={t('enrol.qr')} src={`data:image/svg+xml,${encodeURIComponent(qr)}`} />}
      <p class="quiet small">{t('enrol.secret')} <code data-testid="enrol-secret">{secret}</code></p>
      <Field label={t('account.code')} hint={t('account.code.hint')}>
        {(attributes) => <input {...attributes} {...PRIVATE} inputMode="numeric" value={code} maxLength={7} data-testid="enrol-code" onInput={(event) => setCode(event.currentTarget.value)} />}
      </Field>
      <Button submit wide look="primary" busy={props.busy} disabled={password === '' || code === ''} testid="enrol-go">{t('enrol.go')}</Button>
    </form>
  )
}
