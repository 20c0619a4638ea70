import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { BluetoothFound, BluetoothPaired, BluetoothView, FeedView, StationState } from '../protocol'
import { said, t, word } from '../text'
import { Icon } from '../ui/icons'
import { Button, Notice, Pill, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'

const LOOK = { live: 'good', searching: 'quiet', lost: 'warn', failed: 'bad' } as const
const SIGNAL = { good: 'good', fair: 'info', weak: 'warn', none: 'quiet' } as const

/** Devices of Bluetooth LE: those that are paired and how they are, and pairing another one. */
export function BluetoothSection({ state }: { state: StationState }): JSX.Element | null {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  const bluetooth = state.bluetooth
  const searching = bluetooth?.searching ?? false
  // Who leaves the list does not search any longer.
  useEffect(() => () => {
    if (searching) client.ask('bluetooth.search', { on: false }).catch(() => undefined)
  }, [searching])
  if (!bluetooth) return null
  const pair = (device: string): void => void run(() => client.ask('bluetooth.pair', { device }))
  const search = (on: boolean): void => void run(() => client.ask('bluetooth.search', { on }))
  return (
    <section class="bluetooth" data-testid="bluetooth">
      <h3>{t('bluetooth.title')}</h3>
      {bluetooth.text && <Notice look="warn" testid="bluetooth-state">{said(bluetooth.text)}</Notice>}
      {problem && <Notice look="bad" testid="bluetooth-problem">{problem}</Notice>}
      <ul class="rows">
        {bluetooth.paired.map((device) => (
          <Paired key={device.device} device={device} feed={state.feeds?.find((one) => one.device === device.device)}
            onPair={bluetooth.state === 'ready' && !bluetooth.pairing ? pair : null} />
        ))}
      </ul>
      {bluetooth.pairing && <Question pairing={bluetooth.pairing} />}
      {searching && (
        <>
          <p class="quiet" role="status">{t('bluetooth.searching')}</p>
          <ul class="rows">
            {bluetooth.found.map((device) => (
              <Found key={device.device} device={device} busy={busy || bluetooth.pairing !== null} onPair={pair} />
            ))}
          </ul>
        </>
      )}
      {bluetooth.state === 'ready' && (
        <div class="actions">
          <Button icon={searching ? 'close' : 'plus'} testid="bluetooth-search" onClick={() => search(!searching)}>
            {t(searching ? 'bluetooth.stop' : 'bluetooth.search')}
          </Button>
        </div>
      )}
    </section>
  )
}

function Found(props: { device: BluetoothFound; busy: boolean; onPair: (device: string) => void }): JSX.Element {
  const { device } = props
  return (
    <li data-testid={`found-${device.device}`}>
      <Icon name="device" />
      <span class="grow"><strong>{device.name}</strong><small>{word('bluetooth-kind', device.kind)}</small></span>
      <Pill look={SIGNAL[device.signal]} icon="signal">{word('bluetooth-signal', device.signal)}</Pill>
      <Button look="primary" busy={props.busy} testid={`pair-${device.device}`} onClick={() => props.onPair(device.device)}>
        {t('bluetooth.pair')}
      </Button>
    </li>
  )
}

function Paired(props: {
  device: BluetoothPaired; feed: FeedView | undefined; onPair: ((device: string) => void) | null
}): JSX.Element {
  const client = useConsole()
  const { device, feed } = props
  const [editing, setEditing] = useState(false)
  const { busy, problem, run } = useAction()
  const about = [device.about.manufacturer, device.about.model].filter(Boolean).join(' ')
  return (
    <li data-testid={`paired-${device.device}`} class="paired">
      <Icon name="device" />
      <span class="grow">
        <strong>{device.name}</strong>
        <small>{word('bluetooth-kind', device.kind)}{about && ` · ${about}`}</small>
        {feed?.why && <small class="why">{said(feed.why)}</small>}
        {problem && <small class="why">{problem}</small>}
      </span>
      {feed?.battery !== undefined && <span class={feed.battery <= 15 ? 'battery low' : 'battery'}>{t('bluetooth.battery', { n: feed.battery })}</span>}
      {feed && <Pill look={LOOK[feed.state]} testid={`feed-${device.device}`}>{word('feed', feed.state)}</Pill>}
      {feed?.state === 'failed' && props.onPair && (
        <Button look="primary" testid={`again-${device.device}`} onClick={() => props.onPair?.(device.device)}>{t('bluetooth.pair-again')}</Button>
      )}
      <Button look="quiet" icon="note" label={t('bluetooth.edit')} pressed={editing} testid={`edit-${device.device}`} onClick={() => setEditing(!editing)} />
      {editing && (
        <Edit device={device} busy={busy} onDone={(work) => void run(work).then((good) => good && setEditing(false))}
          save={(fields) => client.ask('bluetooth.save', { device: device.device, ...fields })}
          forget={() => client.ask('bluetooth.forget', { device: device.device })} />
      )}
    </li>
  )
}

function Edit(props: {
  device: BluetoothPaired; busy: boolean; onDone: (work: () => Promise<unknown>) => void
  save: (fields: { name: string; room: boolean }) => Promise<unknown>; forget: () => Promise<unknown>
}): JSX.Element {
  const [name, setName] = useState(props.device.name)
  const [room, setRoom] = useState(props.device.room)
  return (
    <form class="edit-device" onSubmit={(event) => {
      event.preventDefault()
      if (name.trim()) props.onDone(() => props.save({ name: name.trim(), room }))
    }}>
      <label>{t('bluetooth.name')}
        <input {...PRIVATE} value={name} maxLength={60} data-testid="device-name" onInput={(event) => setName(event.currentTarget.value)} />
      </label>
      <label class="check">
        <input type="checkbox" checked={room} data-testid="device-room" onChange={(event) => setRoom(event.currentTarget.checked)} />
        {t('bluetooth.room')}
      </label>
      <div class="actions">
        <Button look="danger" busy={props.busy} testid="device-forget" onClick={() => props.onDone(props.forget)}>{t('bluetooth.forget')}</Button>
        <Button submit look="primary" busy={props.busy} disabled={!name.trim()} testid="device-save">{t('do.save')}</Button>
      </div>
    </form>
  )
}

/** What a pairing asks of the person before the screen. */
function Question({ pairing }: { pairing: NonNullable<BluetoothView['pairing']> }): JSX.Element {
  const client = useConsole()
  const [passkey, setPasskey] = useState('')
  const { busy, problem, run } = useAction()
  const answer = (fields: { agreed: boolean; passkey?: number }): void => void run(() => client.ask('bluetooth.answer', fields))
  if (!pairing.question) return <p class="quiet" role="status">{t('bluetooth.pairing')}</p>
  const digits = <strong class="passkey" data-testid="passkey">{pairing.passkey}</strong>
  return (
    <Notice look="info" testid="bluetooth-question">
      {problem && <p>{problem}</p>}
      {pairing.question === 'show' && <p>{t('bluetooth.show')} {digits}</p>}
      {pairing.question === 'confirm' && (
        <>
          <p>{t('bluetooth.confirm')} {digits}</p>
          <div class="actions">
            <Button busy={busy} testid="passkey-no" onClick={() => answer({ agreed: false })}>{t('bluetooth.unlike')}</Button>
            <Button look="primary" busy={busy} testid="passkey-yes" onClick={() => answer({ agreed: true })}>{t('bluetooth.alike')}</Button>
          </div>
        </>
      )}
      {pairing.question === 'enter' && (
        <form class="actions" onSubmit={(event) => {
          event.preventDefault()
          if (/^\d{1,6}$/.test(passkey)) answer({ agreed: true, passkey: Number(passkey) })
        }}>
          <label>{t('bluetooth.enter')}
            <input {...PRIVATE} inputMode="numeric" maxLength={6} value={passkey} data-testid="passkey-input"
              onInput={(event) => setPasskey(event.currentTarget.value.replace(/\D/g, ''))} />
          </label>
          <Button submit look="primary" busy={busy} disabled={!passkey} testid="passkey-send">{t('bluetooth.pair')}</Button>
        </form>
      )}
    </Notice>
  )
}
