import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { watchLevel } from '../media/level'
import { listDevices, type DeviceChoice, type OwnDevice } from '../media/own'
import { useCell } from '../observable'
import { said, t, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Button, Field, Notice } from '../ui/parts'
import { LiveVideo } from '../ui/video'
import { AccountSignIn } from './account'
import { JoinHead } from './app'
import type { Guest } from './client'

/** Before joining: who one is, and a look at camera and microphone. Nothing here is in the way: with
 * no device at all one still joins, to see and hear. */
export function Ready({ guest }: { guest: Guest }): JSX.Element {
  const hello = useCell(guest.hello)
  const link = useCell(guest.socket!.state)
  const name = useCell(guest.name)
  const facility = useCell(guest.facility)
  const joining = useCell(guest.phase) === 'joining'
  const must = useCell(guest.invited) === 'specialist' && hello?.specialists === 'proven'
  const [tried, setTried] = useState(false)
  useEffect(() => {
    guest.peer.warm()
    void guest.mic.on().then(() => guest.cam.on())
  }, [])
  const join = (): void => {
    setTried(true)
    if (name.trim() !== '') guest.join()
  }
  return (
    <div class="entry">
      <JoinHead station={hello?.station.name ?? ''} />
      <main class="ready" data-testid="ready">
        <section class="ready-preview" aria-label={t('ready.preview')}>
          <Preview guest={guest} />
        </section>
        <form class="card ready-form" onSubmit={(event) => {
          event.preventDefault()
          join()
        }}>
          <h1>{t('ready.title')}</h1>
          <p class="quiet">{t('ready.more', { station: hello?.station.name ?? '' })}</p>
          <SignIn guest={guest} must={must} />
          {!must && <>
          <Field label={t('ready.name')} problem={tried && name.trim() === '' ? t('problem.your-name') : null}>
            {(attributes) => (
              <input {...attributes} autocomplete="name" value={name} maxLength={120} data-testid="name"
                placeholder={t('ready.name.hint')} onInput={(event) => guest.name.set(event.currentTarget.value)} />
            )}
          </Field>
          <Field label={t('ready.facility')} optional>
            {(attributes) => (
              <input {...attributes} autocomplete="organization" value={facility} maxLength={200} data-testid="facility"
                placeholder={t('ready.facility.hint')} onInput={(event) => guest.facility.set(event.currentTarget.value)} />
            )}
          </Field>
          {link !== 'open' && <Notice look="warn">{t('link.lost')}</Notice>}
          <Button submit big wide look="primary" icon="camera" busy={joining} disabled={link !== 'open'} testid="join">{t('ready.join')}</Button>
          </>}
          <p class="quiet small">{t('ready.waits')}</p>
        </form>
      </main>
    </div>
  )
}

/** Who one is, said by the hospital. Specialists alone are asked. */
function SignIn({ guest, must }: { guest: Guest; must: boolean }): JSX.Element | null {
  const hello = useCell(guest.hello)
  const invited = useCell(guest.invited)
  const { busy, problem } = useCell(guest.signing)
  const providers = hello?.providers ?? []
  if (invited !== 'specialist' || (providers.length === 0 && !hello?.accounts))
    return problem ? <Notice look="warn" testid="sign-in-problem">{said(problem)}</Notice> : null
  return (
    <section class="sign-in" aria-label={t('sign-in.title')} data-testid="sign-in">
      <p>{t(must ? 'sign-in.must' : 'sign-in.may')}</p>
      {providers.map((provider) => (
        <Button key={provider.provider} wide big={must} look={must ? 'primary' : 'plain'} icon="person" busy={busy}
          testid={`sign-in-${provider.provider}`} onClick={() => void guest.signIn(provider)}>
          {t('sign-in.with', { provider: provider.title })}
        </Button>
      ))}
      {hello?.accounts && <AccountSignIn ways={guest} busy={busy} />}
      {problem && <Notice look="warn" testid="sign-in-problem">{said(problem)}</Notice>}
    </section>
  )
}

function useOwnStream(device: OwnDevice): MediaStream | null {
  const track = useCell(device.track)
  const [stream, setStream] = useState<MediaStream | null>(null)
  useEffect(() => setStream(track ? new MediaStream([track]) : null), [track])
  return stream
}

function Preview({ guest }: { guest: Guest }): JSX.Element {
  const stream = useOwnStream(guest.cam)
  const cam = useCell(guest.cam.state)
  const mic = useCell(guest.mic.state)
  const denied = mic === 'denied' || cam === 'denied'
  return (
    <>
      <div class="preview-picture">
        <LiveVideo stream={stream} testid="preview" label={t('ready.preview')} mirrored>
          {() => !stream && (
            <div class="no-picture">
              <Icon name={cam === 'asking' ? 'camera' : 'cameraOff'} size={40} />
              <p>{t(`own.cam.${cam}` as Key)}</p>
            </div>
          )}
        </LiveVideo>
        <div class="preview-tools">
          <Toggle device={guest.mic} on="mic" off="micOff" testid="preview-microphone" />
          <Toggle device={guest.cam} on="camera" off="cameraOff" testid="preview-camera" />
        </div>
      </div>
      <LevelMeter device={guest.mic} />
      <details class="devices" hidden={mic === 'missing' && cam === 'missing'} open={matchMedia('(min-width: 861px)').matches}>
        <summary>{t('ready.choose')}</summary>
        <div class="two">
          <Choice device={guest.mic} label={t('ready.microphone')} />
          <Choice device={guest.cam} label={t('ready.camera')} />
        </div>
      </details>
      {(mic === 'asking' || cam === 'asking') && <Notice look="info">{t('ready.allow')}</Notice>}
      {denied && <Notice look="warn" testid="denied">{t('ready.denied')}</Notice>}
      {!denied && (mic === 'missing' || mic === 'busy') && <Notice look="warn" testid="no-microphone">{t(`own.mic.${mic}.more` as Key)}</Notice>}
    </>
  )
}

function Toggle(props: { device: OwnDevice; on: 'mic' | 'camera'; off: 'micOff' | 'cameraOff'; testid: string }): JSX.Element {
  const state = useCell(props.device.state)
  const key = props.device.kind === 'audio' ? 'mic' : 'cam'
  return (
    <button type="button" class={`round${state === 'on' ? '' : ' off'}`} aria-pressed={state === 'on'}
      aria-label={t(`own.${key}.${state}` as Key)} title={t(`own.${key}.${state}` as Key)} data-testid={props.testid}
      onClick={() => (state === 'on' ? props.device.off() : void props.device.on())}>
      <Icon name={state === 'on' ? props.on : props.off} size={24} />
    </button>
  )
}

export function LevelMeter({ device }: { device: OwnDevice }): JSX.Element {
  const track = useCell(device.track)
  const [level, setLevel] = useState(0)
  useEffect(() => {
    setLevel(0)
    return track ? watchLevel(track, setLevel) : undefined
  }, [track])
  return (
    <div class="level" role="meter" aria-label={t('ready.level')} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={Math.round(level * 100)} data-testid="level">
      <Icon name={track ? 'mic' : 'micOff'} size={18} />
      <span class="level-bar"><i style={{ transform: `scaleX(${level.toFixed(2)})` }} /></span>
      <span class="level-text">{t(track ? 'ready.speak' : 'own.mic.off')}</span>
    </div>
  )
}

function Choice({ device, label }: { device: OwnDevice; label: string }): JSX.Element | null {
  const state = useCell(device.state)
  const track = useCell(device.track)
  const [devices, setDevices] = useState<DeviceChoice[]>([])
  useEffect(() => {
    const look = (): void => void listDevices(device.kind).then(setDevices)
    look()
    navigator.mediaDevices?.addEventListener('devicechange', look)
    return () => navigator.mediaDevices?.removeEventListener('devicechange', look)
  }, [state])
  if (devices.length === 0) return null
  return (
    <Field label={label}>
      {(attributes) => (
        <select {...attributes} value={track?.getSettings().deviceId ?? device.deviceId ?? ''}
          data-testid={`choose-${device.kind}`} onChange={(event) => void device.choose(event.currentTarget.value)}>
          {devices.map(({ id, label: title }, i) => <option key={id} value={id}>{title || `${label} ${i + 1}`}</option>)}
        </select>
      )}
    </Field>
  )
}

/** Everybody waits until the doctor admits them once. */
export function Lobby({ guest }: { guest: Guest }): JSX.Element {
  const hello = useCell(guest.hello)
  const link = useCell(guest.socket!.state)
  const { told } = useCell(guest.lobby)
  const other = guest.visit?.info.get()?.other ?? false
  const station = hello?.station.name ?? ''
  return (
    <div class="entry">
      <JoinHead station={station} />
      <main class={`ready lobby${guest.visit ? ' visit-lobby' : ''}`} data-testid="lobby">
        <section class="ready-preview"><Preview guest={guest} /></section>
        <div class="card lobby-card">
          <span class="pulse" aria-hidden="true"><Icon name="clock" size={40} /></span>
          <h1 role="status">{t('lobby.title')}</h1>
          <p data-testid="lobby-told">{t(told || !guest.visit ? 'lobby.more' : 'lobby.nobody', { station })}</p>
          {other && <Notice look="info" testid="lobby-other">{t('visit.other')}</Notice>}
          {link !== 'open' && <Notice look="warn">{t('link.lost')}</Notice>}
          <Button icon="leave" testid="lobby-leave" onClick={() => guest.leave()}>{t('lobby.leave')}</Button>
        </div>
      </main>
    </div>
  )
}
