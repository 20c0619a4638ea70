import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { REASONS, type Reason } from '../calls/protocol'
import { CallTitle, SummaryView, Waiting as WaitingTime } from '../calls/summary'
import { t, type Key } from '../text'
import { Button, Dialog, Field, Notice, Pill, PRIVATE, useAction } from '../ui/parts'
import type { Waiting } from './client'
import { useDesk } from './context'

/** A call: what the doctor released of it, and yes or no. */
export function CallCard({ waiting }: { waiting: Waiting }): JSX.Element {
  const desk = useDesk()
  const { call, station, here, rings } = waiting
  const [declining, setDeclining] = useState(false)
  const { busy, problem, run } = useAction()
  const open = call.link !== null && !call.mine && here
  return (
    <article class={`card call-card ${call.urgency}${rings ? ' rings' : ''}`} data-testid={`call-${call.call}`} data-rings={rings}
      aria-label={`${station.name}: ${t('desk.call')}`}>
      <div class="card-head">
        <CallTitle specialty={call.specialty} urgency={call.urgency} />
        <WaitingTime since={call.asked} />
      </div>
      <p class="quiet">{[station.name, call.by].join(' · ')}</p>
      <SummaryView summary={call.summary} />
      <div class="actions">
        <CallState waiting={waiting} />
        {!here && <Notice look="warn" testid="call-unreachable">{t('desk.unreachable', { station: station.name })}</Notice>}
        {problem && <Notice look="bad" testid="call-problem">{problem}</Notice>}
        {open && !call.declined && (
          <Button icon="close" testid="decline" onClick={() => setDeclining(true)}>{t('desk.decline')}</Button>
        )}
        {(open || call.mine) && (
          <Button look="good" big={rings} icon="check" busy={busy} testid="accept"
            onClick={() => void run(() => (call.mine ? Promise.resolve(desk.comeBack(waiting)) : desk.accept(waiting)))}>
            {t(call.mine ? 'desk.return' : 'desk.accept')}
          </Button>
        )}
      </div>
      {declining && <DeclineDialog waiting={waiting} onClose={() => setDeclining(false)} />}
    </article>
  )
}

function CallState({ waiting: { call, here, rings } }: { waiting: Waiting }): JSX.Element {
  if (call.mine) return <Pill look="good">{t('desk.mine')}</Pill>
  if (!here) return <Pill look="warn">{t('desk.station.gone')}</Pill>
  if (rings) return <Pill look="bad" icon="sound">{t('desk.rings')}</Pill>
  if (call.declined) return <Pill>{t('desk.declined')}</Pill>
  return <Pill look={call.state === 'unanswered' ? 'warn' : 'quiet'}>{t(`call-state.${call.state}` as Key)}</Pill>
}

/** A reason is always given: the doctor who waits reads it. */
export function DeclineDialog({ waiting, onClose }: { waiting: Waiting; onClose: () => void }): JSX.Element {
  const desk = useDesk()
  const [reason, setReason] = useState<Reason>('busy')
  const [text, setText] = useState('')
  const [tried, setTried] = useState(false)
  const { busy, problem, run } = useAction()
  const missing = reason === 'other' && text.trim() === ''
  const go = async (): Promise<void> => {
    setTried(true)
    if (!missing && await run(() => desk.decline(waiting, reason, text.trim()))) onClose()
  }
  return (
    <Dialog title={t('desk.decline.title')} onClose={onClose} testid="decline-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void go()
      }}>
        <div class="dialog-body">
          <fieldset class="field">
            <legend>{t('desk.decline.why')}</legend>
            {REASONS.map((one) => (
              <label key={one} class="tick">
                <input type="radio" name="reason" checked={reason === one} data-testid={`reason-${one}`} onChange={() => setReason(one)} />
                {t(`call-reason.${one}` as Key)}
              </label>
            ))}
          </fieldset>
          <Field label={t('desk.decline.text')} optional={reason !== 'other'} problem={tried && missing ? t('problem.needed') : null}>
            {(attributes) => (
              <textarea {...attributes} {...PRIVATE} rows={2} maxLength={500} value={text} data-testid="decline-text"
                onInput={(event) => setText(event.currentTarget.value)} />
            )}
          </Field>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" busy={busy} testid="decline-go">{t('desk.decline')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
