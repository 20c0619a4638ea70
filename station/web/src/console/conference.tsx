import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ConferenceView, Publisher, StationState } from '../protocol'
import { said, t } from '../text'
import { BarButton, Button, Dialog, Notice, useAction } from '../ui/parts'
import { useConsole } from './context'
import { useDuty } from './roles'

/** While a consultation goes through a conference server: that it does, who operates it, and how it ends. */
export function ConferenceNotices({ state }: { state: StationState }): JSX.Element | null {
  const conference = state.conference
  return (
    <>
      {conference && conference.state !== 'off' && <Running conference={conference} />}
      {conference && <Problem conference={conference} />}
      {(state.publishers ?? []).map((one) => <PublisherNotice key={one.publisher} publisher={one} />)}
    </>
  )
}

function Running({ conference }: { conference: ConferenceView }): JSX.Element {
  const client = useConsole()
  const duty = useDuty()
  const { busy, problem, run } = useAction()
  const stop = duty === 'doctor' && (
    <Button look="danger" icon="close" busy={busy} testid="conference-stop"
      onClick={() => void run(() => client.ask('conference.stop'))}>
      {t('conference.stop')}
    </Button>
  )
  return (
    <Notice look="warn" testid="sfu" action={stop || undefined}>
      <span data-testid="conference-state" data-state={conference.state} data-reading={conference.reading}>
        {t('encryption.sfu-by', { name: conference.operator })} {t(`conference.state.${conference.state as 'starting' | 'live' | 'lost'}`)}
        {conference.state === 'live' && conference.reads && conference.reading !== 'live' && <> {t('conference.not-read')}</>}
        {problem && <> {problem}</>}
      </span>
    </Notice>
  )
}

function Problem({ conference }: { conference: ConferenceView }): JSX.Element | null {
  const client = useConsole()
  const duty = useDuty()
  const problem = conference.problem ?? conference.reading_problem
  if (!problem) return null
  return (
    <Notice look="bad" testid="conference-problem" action={duty === 'doctor'
      ? <Button icon="check" testid="conference-seen" onClick={() => void client.ask('conference.seen').catch(() => {})}>{t('conference.seen')}</Button>
      : undefined}>
      {t(conference.problem ? 'conference.failed' : 'conference.read-failed')} {said(problem.text)}
    </Notice>
  )
}

function PublisherNotice({ publisher }: { publisher: Publisher }): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  return (
    <Notice look="info" testid="publisher" action={
      <Button icon="close" busy={busy} testid="publisher-remove"
        onClick={() => void run(() => client.ask('publisher.remove', { publisher: publisher.publisher }))}>
        {t('publisher.remove')}
      </Button>
    }>
      {t('publisher.here', { name: publisher.name })}{problem && <> {problem}</>}
    </Notice>
  )
}

/** Only for the doctor, where there is a conference server. */
export function ConferenceButton({ state, onOpen }: { state: StationState; onOpen: () => void }): JSX.Element | null {
  const duty = useDuty()
  if (duty !== 'doctor' || !state.conference?.configured || state.conference.state !== 'off') return null
  return <BarButton icon="grid" text={t('bar.conference')} testid="conference" onClick={onOpen} />
}

/** Said before it happens, and confirmed: from here on others than those in the call can see and hear it. */
export function ConferenceDialog({ conference, onClose }: { conference: ConferenceView; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [sure, setSure] = useState(false)
  const { busy, problem, run } = useAction()
  const go = async (): Promise<void> => {
    if (await run(() => client.ask('conference.start', { confirmed: true }))) onClose()
  }
  return (
    <Dialog title={t('conference.title')} onClose={onClose} testid="conference-dialog">
      <div class="dialog-body">
        <p>{t('conference.what')}</p>
        <Notice look="warn" testid="conference-warning">{t('conference.ends-encryption', { name: conference.operator })}</Notice>
        {conference.reads && <p>{t('conference.reads')}</p>}
        <label class="tick">
          <input type="checkbox" checked={sure} data-testid="conference-sure" onChange={() => setSure(!sure)} />
          {t('conference.sure', { name: conference.operator })}
        </label>
        {problem && <Notice look="bad">{problem}</Notice>}
      </div>
      <footer>
        <Button onClick={onClose}>{t('do.cancel')}</Button>
        <Button look="danger" icon="grid" busy={busy} disabled={!sure} testid="conference-go" onClick={() => void go()}>
          {t('conference.go')}
        </Button>
      </footer>
    </Dialog>
  )
}
