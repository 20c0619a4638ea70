import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Delivery, LogWitness, Outbox, StationState } from '../protocol'
import { said, t, word, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Button, Notice, Pill, dateOf, timeOf, useAction } from '../ui/parts'
import { useConsole } from './context'
import { patientName } from './home'

const AGAIN_MS = 5000
const FULL = 100

/** What waits for the hospital, why, and what has arrived. */
export function OutboxTab({ state }: { state: StationState }): JSX.Element {
  const client = useConsole()
  const [outbox, setOutbox] = useState<Outbox | null>(null)
  const { busy, problem, run } = useAction()
  const load = async (): Promise<void> => {
    setOutbox((await client.ask('outbox.list', { delivered: true })) as unknown as Outbox)
  }
  const send = (delivery?: string): void =>
    void run(async () => {
      await client.ask('outbox.send', delivery ? { delivery } : {})
      await load()
    })
  const older = (): void =>
    void run(async () => {
      await client.ask('outbox.older', {})
      await load()
    })
  useEffect(() => {
    const again = (): void => void load().catch(() => {})
    again()
    const timer = setInterval(again, AGAIN_MS)
    return () => clearInterval(timer)
  }, [state.vault])
  const failed = outbox?.items.filter(({ problem: why }) => why).length ?? 0
  return (
    <section class="card" data-testid="outbox">
      <header class="card-head">
        <h2>{t('outbox.waiting', { n: outbox?.waiting ?? 0 })}</h2>
        {outbox && outbox.waiting > 0 && (
          <Button look={outbox.call ? 'plain' : 'primary'} icon="signal" busy={busy} testid="outbox-send" onClick={() => send()}>
            {t(outbox.call ? 'outbox.send-in-call' : 'outbox.send')}
          </Button>
        )}
      </header>
      {problem && <Notice look="bad">{problem}</Notice>}
      {outbox?.waiting === 0 && <Notice look="good" testid="outbox-empty">{t('outbox.none')}</Notice>}
      {outbox && outbox.call && outbox.waiting > 0 && <Notice look="info" testid="outbox-call">{t('outbox.call')}</Notice>}
      {outbox && outbox.sending && <Notice look="info">{t('outbox.sending')}</Notice>}
      {failed > 0 && <Notice look="warn" testid="outbox-failed">{t('outbox.failed', { n: failed })}</Notice>}
      {outbox && outbox.items.length > 1 && <p class="quiet">{t('outbox.order')}</p>}
      {outbox && outbox.older > 0 && (
        <Notice look="info" testid="outbox-older">
          {t('outbox.older', { n: outbox.older })}{' '}
          {state.vault === 'open'
            ? <Button busy={busy} testid="outbox-older-send" onClick={older}>{t('outbox.older.send')}</Button>
            : t('outbox.older.locked')}
        </Notice>
      )}
      <ul class="rows deliveries">
        {outbox?.items.map((one) => <Waiting key={one.uuid} one={one} busy={busy} onSend={() => send(one.uuid)} />)}
      </ul>
      {outbox && outbox.waiting > outbox.items.length && <p class="quiet">{t('outbox.more', { n: outbox.waiting - outbox.items.length })}</p>}
      <h3>{t('outbox.delivered')}</h3>
      {outbox?.delivered?.length === 0 && <p class="quiet">{t('outbox.delivered.none')}</p>}
      <ul class="rows deliveries" data-testid="outbox-delivered">
        {outbox?.delivered?.map((one) => <Done key={one.uuid} one={one} />)}
      </ul>
      {outbox?.delivered && outbox.delivered.length >= FULL && <p class="quiet">{t('outbox.delivered.newest', { n: FULL })}</p>}
      {outbox && outbox.witnesses.length > 0 && <Witnesses all={outbox.witnesses} />}
    </section>
  )
}

/** 12.3 MB of KiB; what is small is told in KB. */
function bytes(kib: number): string {
  return kib < 1024 ? `${kib} KB` : `${(kib / 1024).toFixed(kib < 10240 ? 1 : 0)} MB`
}

const ITEMS: Record<string, Key> = { record: 'delivery.record', files: 'delivery.files', recording: 'delivery.recording' }

function Done({ one }: { one: Delivery }): JSX.Element {
  const arrived = one.state === 'confirmed'
  return (
    <li class="wrap" data-testid="delivered" data-target={one.target} data-item={one.item} data-state={one.state}>
      <Icon name={arrived ? 'check' : 'warn'} />
      <What one={one}>
        {one.receipt && (
          <small class="receipt">
            {t('delivery.receipt', { time: `${dateOf(one.receipt.at)} ${timeOf(one.receipt.at)}`, hash: one.receipt.sha256.slice(0, 12) })}
          </small>
        )}
      </What>
      <Pill look={arrived ? 'good' : 'info'}>{word('delivery', one.state)}</Pill>
    </li>
  )
}

function Witnesses({ all }: { all: LogWitness[] }): JSX.Element {
  return (
    <>
      <h3>{t('outbox.witnesses')}</h3>
      <p class="quiet">{t('outbox.witnesses.why')}</p>
      <ul class="rows" data-testid="outbox-witnesses">
        {all.map((one) => (
          <li key={one.target}>
            <Icon name="check" />
            <span class="grow">
              <strong>{one.title}</strong>
              <small>{t('outbox.witness', { n: one.size, time: `${dateOf(one.at)} ${timeOf(one.at)}` })}</small>
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

function What({ one, children }: { one: Delivery; children?: ComponentChildren }): JSX.Element {
  return (
    <span class="grow">
      <strong>{one.patient === undefined ? t('records.locked') : patientName(one.patient)}</strong>
      <small>
        {[one.day && dateOf(one.day), t(ITEMS[one.item] ?? 'delivery.object'), t('delivery.to', { title: one.title })]
          .filter(Boolean).join(' · ')}
      </small>
      {children}
    </span>
  )
}

function Waiting(props: { one: Delivery; busy: boolean; onSend: () => void }): JSX.Element {
  const { one } = props
  return (
    <li class="wrap" data-testid="delivery" data-target={one.target} data-item={one.item} data-state={one.state}>
      <Icon name={one.problem ? 'warn' : 'clock'} />
      <What one={one}>
        {one.progress && (
          <>
            <small>{t('delivery.progress', { done: bytes(one.progress.done), total: bytes(one.progress.total) })}</small>
            <progress value={one.progress.done} max={one.progress.total} />
          </>
        )}
        {one.problem && (
          <small class="why">
            {said(one.problem)}
            {' · '}
            {t('delivery.tries', { n: one.tries })}
            {one.next && ` · ${t('delivery.next', { time: timeOf(one.next) })}`}
          </small>
        )}
      </What>
      <Pill look={one.problem ? 'warn' : 'info'}>{word('delivery', one.state)}</Pill>
      <Button busy={props.busy} testid="delivery-send" onClick={props.onSend}>{t('delivery.send')}</Button>
    </li>
  )
}
