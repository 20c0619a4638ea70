import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Consultation, DeviceView, StationState } from '../protocol'
import { t, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Age, Button, Dialog, Notice, Pill, PRIVATE, useAction } from '../ui/parts'
import { unitText } from '../ui/vitals'
import { BluetoothSection } from './bluetooth'
import { useConsole } from './context'
import { FeedRows } from './feeds'

/** What can be typed in: the field, its UCUM unit, the vitals it fills. */
const BY_HAND = [
  ['nibp', 'mm[Hg]'], ['hr', '/min'], ['spo2', '%'], ['temp', 'Cel'], ['resp', '/min'],
  ['glucose', 'mmol/L'], ['weight', 'kg'], ['height', 'cm'],
] as const

/** Who is named, as the device knows them. */
function whoText(device: DeviceView): string {
  return (device.held?.who ?? []).map(({ id, name }) => (name ? `${id}, ${name}` : id)).join('; ')
}

const isHeld = (device: DeviceView): boolean => (device.held?.count ?? 0) > 0

/** Readings that name another patient: said at once, not only in the dialog. */
export function HeldBackNotices(props: { devices: readonly DeviceView[]; onOpen: () => void }): JSX.Element {
  return (
    <>
      {props.devices.filter(isHeld).map((device) => (
        <Notice key={device.device} look="warn" testid={`held-${device.device}`}
          action={<Button testid={`held-open-${device.device}`} onClick={props.onOpen}>{t('devices.open')}</Button>}>
          {`${device.sender || device.device}: ${t('devices.held', { n: device.held!.count, ids: whoText(device) })}`}
        </Notice>
      ))}
    </>
  )
}

/** What waits of one device, and what the doctor says of it. */
function Waiting(props: { device: DeviceView; busy: boolean; onClaim: () => void; onDecline: () => void }): JSX.Element | null {
  const { device, busy } = props
  if (!device.waiting) return null
  return (
    <div class="device-waiting" data-testid={`waiting-${device.device}`}>
      <small>
        {isHeld(device)
          ? t('devices.held', { n: device.held!.count, ids: whoText(device) })
          : t('devices.held.anonymous', { n: device.waiting })}
      </small>
      <Button busy={busy} testid={`take-${device.device}`} onClick={props.onClaim}>{t('devices.held.claim')}</Button>
      <Button busy={busy} look="plain" testid={`decline-${device.device}`} onClick={props.onDecline}>{t('devices.held.decline')}</Button>
    </div>
  )
}

/** It has a row of its own below. */
function isBluetooth(state: StationState, device: string): boolean {
  return state.bluetooth?.paired.some((paired) => paired.device === device) ?? false
}

/** Which devices belong to this consultation, and readings typed in by hand. */
export function DevicesDialog(props: { state: StationState; consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const { state, consultation } = props
  const { busy, problem, run } = useAction()
  return (
    <Dialog title={t('devices.title')} onClose={props.onClose} testid="devices-dialog" wide>
      <div class="dialog-body">
        {problem && <Notice look="bad">{problem}</Notice>}
        {state.waiting_readings > 0 && <Notice look="info">{t('devices.waiting.more', { n: state.waiting_readings })}</Notice>}
        <ul class="rows"><FeedRows feeds={(state.feeds ?? []).filter((feed) => feed.state !== 'live' && !isBluetooth(state, feed.device))} /></ul>
        {state.devices.length === 0 && <p class="quiet">{t('device.none.more')}</p>}
        <ul class="rows">
          {state.devices.map((device) => {
            const mine = device.consultation === consultation.id
            const claim = (consult: string | null): void =>
              void run(() => client.ask('device.claim', { device: device.device, consultation: consult }))
            return (
              <li key={device.device}>
                <Icon name="device" />
                <span class="grow">
                  <strong>{device.sender || device.device}</strong>
                  <small>{device.device}{device.last && <> · <Age time={device.last} /></>}</small>
                  <Waiting device={device} busy={busy} onClaim={() => claim(consultation.id)}
                    onDecline={() => void run(() => client.ask('device.decline', { device: device.device }))} />
                </span>
                {device.room && <Pill>{t('devices.room')}</Pill>}
                {mine && <Pill look="good">{t('devices.mine')}</Pill>}
                {!mine && device.consultation && <Pill look="warn">{t('devices.other')}</Pill>}
                <Button busy={busy} look={mine ? 'plain' : 'primary'} testid={`claim-${device.device}`}
                  onClick={() => claim(mine ? null : consultation.id)}>
                  {t(mine ? 'devices.release' : 'devices.claim')}
                </Button>
              </li>
            )
          })}
        </ul>
        <BluetoothSection state={state} />
        <h3>{t('by-hand.title')}</h3>
        <ByHand />
      </div>
    </Dialog>
  )
}

const NUMBER = /^\d{1,4}([.,]\d{1,2})?$/
const PRESSURE = /^(\d{2,3})\s*[/\s]\s*(\d{2,3})$/

function ByHand(): JSX.Element {
  const client = useConsole()
  const [values, setValues] = useState<Record<string, string>>({})
  const [saved, setSaved] = useState(false)
  const { busy, problem, run } = useAction()
  const filled = BY_HAND.filter(([vital]) => (values[vital] ?? '').trim() !== '')
  const wrong = filled.filter(([vital]) => !(vital === 'nibp' ? PRESSURE : NUMBER).test(values[vital]!.trim()))
  const save = async (): Promise<void> => {
    const done = await run(async () => {
      for (const [vital, unit] of filled) {
        const text = values[vital]!.trim()
        const pressure = vital === 'nibp' ? PRESSURE.exec(text) : null
        if (pressure) {
          await client.ask('reading.save', { vital: 'nibp-sys', value: pressure[1], unit })
          await client.ask('reading.save', { vital: 'nibp-dia', value: pressure[2], unit })
        } else await client.ask('reading.save', { vital, value: text.replace(',', '.'), unit })
      }
    })
    if (done) {
      setValues({})
      setSaved(true)
    }
  }
  return (
    <form class="by-hand" onSubmit={(event) => {
      event.preventDefault()
      if (filled.length > 0 && wrong.length === 0) void save()
    }}>
      {BY_HAND.map(([vital, unit]) => (
        <label key={vital} class={wrong.some(([name]) => name === vital) ? 'wrong' : ''}>
          <span>{t(`vital.${vital}` as Key)}</span>
          <input {...PRIVATE} inputMode="decimal" value={values[vital] ?? ''} data-testid={`by-hand-${vital}`}
            placeholder={vital === 'nibp' ? '120/80' : ''} maxLength={9}
            onInput={(event) => {
              setSaved(false)
              setValues({ ...values, [vital]: event.currentTarget.value })
            }} />
          <small>{unitText(unit)}</small>
        </label>
      ))}
      {problem && <Notice look="bad">{problem}</Notice>}
      <div class="actions">
        {saved && <Pill look="good" icon="check">{t('draft.saved')}</Pill>}
        <Button submit look="primary" busy={busy} disabled={filled.length === 0 || wrong.length > 0} testid="by-hand-save">{t('do.save')}</Button>
      </div>
    </form>
  )
}
