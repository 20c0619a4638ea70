import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useCell } from '../observable'
import { language, t } from '../text'
import { Logo } from '../ui/icons'
import { LanguageSwitch } from '../ui/parts'
import { AudioOut, SoundButton } from '../ui/video'
import { useConsole } from './context'
import { Conclude } from './conclude'
import { Home } from './home'
import { Keeping } from './keeping'
import { Live } from './live'
import { settleDrafts } from './notes'
import { RecordView } from './record'
import { SignIn } from './signin'

export function App(): JSX.Element {
  const client = useConsole()
  useCell(language)
  const entry = useCell(client.entry)
  const state = useCell(client.state)
  const [record, setRecord] = useState<string | null>(null)
  const [keeping, setKeeping] = useState(false)
  const [next, setNext] = useState<string | null>(null)

  const switchUser = (user: string | null): void => {
    setNext(user)
    setRecord(null)
    setKeeping(false)
    void settleDrafts().then(() => client.signOut())
  }

  let page: JSX.Element
  if (entry === 'starting') page = <Splash />
  else if (entry === 'signed-out') page = <SignIn first={next} />
  else if (!state?.user) page = <Splash />
  else {
    const consultation = state.consultation
    if (record) page = <RecordView id={record} onClose={() => setRecord(null)} />
    else if (!consultation || consultation.state === 'cancelled' || consultation.state === 'signed')
      page = keeping
        ? <Keeping state={state} onClose={() => setKeeping(false)} />
        : <Home state={state} onRecord={setRecord} onKeeping={() => setKeeping(true)} onSwitch={switchUser} />
    else if (consultation.state === 'concluding')
      page = <Conclude state={state} consultation={consultation} onSwitch={switchUser} onRecord={setRecord} />
    else page = <Live state={state} consultation={consultation} onSwitch={switchUser} />
  }
  return (
    <>
      {page}
      <Voices />
      <SoundButton />
    </>
  )
}

/** The participants' voices. They stay while somebody else signs in. The room's own microphone is
 * never played here: the loudspeaker stands in the same room. */
function Voices(): JSX.Element {
  const client = useConsole()
  const streams = useCell(client.peer.streams)
  return (
    <div class="voices">
      {streams.map((stream) => stream.audio && (
        <AudioOut key={stream.id} stream={stream.audio} silent={stream.kind === 'source'}
          testid={`audio-${stream.id}`} />
      ))}
    </div>
  )
}

function Splash(): JSX.Element {
  return (
    <main class="splash" data-testid="splash">
      <Logo size={64} />
      <p role="status">{t('link.connecting')}</p>
      <LanguageSwitch />
    </main>
  )
}
