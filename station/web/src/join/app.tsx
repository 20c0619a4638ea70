import type { ComponentChildren, JSX } from 'preact'
import { useCell } from '../observable'
import { language, said, t, word } from '../text'
import { Icon, Logo, type IconName } from '../ui/icons'
import { Button, LanguageSwitch } from '../ui/parts'
import { SoundButton } from '../ui/video'
import type { Guest, Phase } from './client'
import { Live } from './live'
import { Lobby, Ready } from './ready'

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

function Screen({ guest, phase }: { guest: Guest; phase: Phase }): JSX.Element {
  const why = useCell(guest.why)
  switch (phase) {
    case 'loading': return <Plain icon="clock" title={t('link.connecting')} testid="loading" />
    case 'bad-link': return <Plain icon="link" title={t('join.bad-link')} more={t('join.bad-link.more')} testid="bad-link" />
    case 'insecure': return <Plain icon="lock" title={t('join.insecure')} more={t('join.insecure.more')} testid="insecure" />
    case 'ready': return <WithLive guest={guest} seen={false}><Ready guest={guest} /></WithLive>
    case 'lobby': return <WithLive guest={guest} seen={false}><Lobby guest={guest} /></WithLive>
    case 'joining':
      return guest.returning
        ? <WithLive guest={guest} seen />
        : <WithLive guest={guest} seen={false}><Ready guest={guest} /></WithLive>
    case 'live': return <WithLive guest={guest} seen />
    case 'refused':
      return (
        <Plain icon="warn" title={t('join.refused')} testid="refused"
          more={said(why?.text) || word('error', why?.code) || ''}>
          {!['invite-used', 'invite-expired', 'invite-burnt', 'no-such'].includes(why?.code ?? '') && (
            <Button look="primary" big testid="try-again" onClick={() => location.reload()}>{t('do.again')}</Button>
          )}
        </Plain>
      )
    case 'ended':
      return (
        <Plain icon="check" title={t('join.ended')} testid="ended"
          more={why ? word('ended', why.code) : ''} />
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
