import type { ComponentChildren, JSX } from 'preact'
import { useCell } from '../observable'
import { language, said, t, word } from '../text'
import { Icon, Logo, type IconName } from '../ui/icons'
import { Button, LanguageSwitch } from '../ui/parts'
import { SoundButton } from '../ui/video'
import type { Guest, Phase } from './client'
import { Live } from './live'
import { Lobby, Ready } from './ready'
import { VisitScreen } from './visit-screens'

/** Nothing is won by trying such a link again. */
const OVER = ['invite-used', 'invite-expired', 'invite-burnt', 'invite-cancelled', 'no-such']
const BROKEN_OFF = ['code-differs', 'moved', 'cancelled']

export function App({ guest }: { guest: Guest }): JSX.Element {
  useCell(language)
  const phase = useCell(guest.phase)
  return (
    <>
      <Screen guest={guest} phase={phase} />
      <SoundButton />
    </>
  )
}

/** The consultation's page is made, unseen, while a person still reads the one before it: what counts
 * after the click is the first picture. */
function WithLive({ guest, seen, children }: { guest: Guest; seen: boolean; children?: ComponentChildren }): JSX.Element {
  return (
    <>
      {children}
      <Live guest={guest} hidden={!seen} />
    </>
  )
}

function Screen({ guest, phase }: { guest: Guest; phase: Phase }): JSX.Element | null {
  const why = useCell(guest.why)
  switch (phase) {
    case 'loading': return <Plain icon="clock" title={t('link.connecting')} testid="loading" />
    case 'bad-link': return <Plain icon="link" title={t('join.bad-link')} more={t('join.bad-link.more')} testid="bad-link" />
    case 'insecure': return <Plain icon="lock" title={t('join.insecure')} more={t('join.insecure.more')} testid="insecure" />
    case 'visit': return guest.visit && <VisitScreen guest={guest} visit={guest.visit} />
    case 'ready': return <WithLive guest={guest} seen={false}><Ready guest={guest} /></WithLive>
    case 'lobby': return <WithLive guest={guest} seen={false}><Lobby guest={guest} /></WithLive>
    case 'joining':
      return guest.returning
        ? <WithLive guest={guest} seen />
        : guest.visit
          ? <Plain icon="clock" title={t('link.connecting')} testid="joining" />
          : <WithLive guest={guest} seen={false}><Ready guest={guest} /></WithLive>
    case 'live': return <WithLive guest={guest} seen />
    case 'refused':
      return (
        <Plain icon={why?.code === 'invite-early' ? 'clock' : 'warn'} testid="refused"
          title={t(why?.code === 'invite-early' ? 'join.early' : 'join.refused')}
          more={said(why?.text) || (why?.code === 'no-such' ? t('join.no-such') : word('error', why?.code)) || ''}>
          {!OVER.includes(why?.code ?? '') && (
            <Button look="primary" big testid="try-again" onClick={() => location.reload()}>{t('do.again')}</Button>
          )}
          <StationPhone guest={guest} />
        </Plain>
      )
    case 'ended':
      return (
        <Plain icon={BROKEN_OFF.includes(why?.code ?? '') ? 'warn' : 'check'} testid="ended"
          title={t(BROKEN_OFF.includes(why?.code ?? '') ? 'join.ended.broken-off' : 'join.ended')}
          more={why ? word('ended', why.code) : ''}>
          {BROKEN_OFF.includes(why?.code ?? '') && <StationPhone guest={guest} />}
        </Plain>
      )
    case 'left':
      return (
        <Plain icon="leave" title={t('join.left')} more={t('join.left.more')} testid="left">
          <Button look="primary" big testid="return" onClick={() => location.reload()}>{t('join.return')}</Button>
        </Plain>
      )
  }
}

function Plain(props: { icon: IconName; title: string; more?: string; testid: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="entry">
      <JoinHead />
      <main class="plain-page" data-testid={props.testid}>
        <span class="plain-icon"><Icon name={props.icon} size={44} /></span>
        <h1>{props.title}</h1>
        {props.more && <p>{props.more}</p>}
        {props.children}
      </main>
    </div>
  )
}

/** Whom to ask. */
function StationPhone({ guest }: { guest: Guest }): JSX.Element | null {
  const phone = useCell(guest.hello)?.station.phone
  return phone ? <a class="button big" href={`tel:${phone.replace(/[^+\d]/g, '')}`} data-testid="station-phone"><Icon name="device" size={24} /><span>{t('join.call', { phone })}</span></a> : null
}

export function JoinHead({ station }: { station?: string }): JSX.Element {
  return (
    <header class="entry-head">
      <Logo size={36} />
      <div>
        <p class="brand">Nhịp Cầu</p>
        <p class="station">{station ?? t('brand.more')}</p>
      </div>
      <LanguageSwitch />
    </header>
  )
}
