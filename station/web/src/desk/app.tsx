import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useCell } from '../observable'
import { language, t } from '../text'
import { SoundButton } from '../ui/video'
import { Logo } from '../ui/icons'
import { Board } from './board'
import { useDesk } from './context'
import { InCallView } from './in-call'
import { HospitalSignIn, SignIn } from './signin'

export function App(): JSX.Element {
  const desk = useDesk()
  const lang = useCell(language)
  const me = useCell(desk.me)
  const current = useCell(desk.current)
  useEffect(() => desk.ringer.title(`${t('desk.title')} · Nhịp Cầu`), [lang])
  let page: JSX.Element
  if (current) page = <InCallView key={current.call} inCall={current} />
  else if (me) page = <Board />
  else page = <Entry />
  return (
    <>
      {page}
      <SoundButton />
    </>
  )
}

function Entry(): JSX.Element {
  const desk = useDesk()
  useCell(desk.stations)
  const own = desk.own
  if (desk.network.signIn === 'hospital') return <HospitalSignIn />
  return own ? <SignIn station={own} /> : <main class="splash"><Logo size={64} /><p role="status">{t('link.connecting')}</p></main>
}
