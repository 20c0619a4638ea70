import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Live } from '../join/live'
import { useCell } from '../observable'
import { CallTitle } from '../calls/summary'
import { said, t, word } from '../text'
import { Icon } from '../ui/icons'
import { Button, Dialog, Notice, Pill, useAction } from '../ui/parts'
import type { InCall, Waiting } from './client'
import { useDesk } from './context'

/** The consultation that one was called to, and what can be done about the call. */
export function InCallView({ inCall }: { inCall: InCall }): JSX.Element {
  const desk = useDesk()
  const { guest, station } = inCall
  const phase = useCell(guest.phase)
  const why = useCell(guest.why)
  useCell(desk.waiting)
  const mine = desk.mine()
  const over = ['left', 'ended', 'refused', 'bad-link', 'insecure'].includes(phase)
  return (
    <div class="in-call" data-testid="in-call">
      <div class="in-call-strip">
        <span class="grow">
          {mine ? <CallTitle specialty={mine.call.specialty} urgency={mine.call.urgency} /> : <strong>{t('desk.call')}</strong>}
          <small class="quiet">{station.name}</small>
        </span>
        <HandOver waiting={mine} />
        <Ringing />
        <Button look={over ? 'primary' : 'danger'} icon={over ? 'back' : 'leave'} testid="back" onClick={() => desk.back()}>
          {t(over ? 'desk.back' : 'desk.leave')}
        </Button>
      </div>
      {phase === 'lobby' && <Notice look="info" testid="call-parked">{t('desk.parked')}</Notice>}
      {over
        ? (
          <main class="plain-page" data-testid="call-over">
            <span class="plain-icon"><Icon name="check" size={44} /></span>
            <h1>{t('join.ended')}</h1>
            {why && <p>{said(why.text) || word(phase === 'ended' ? 'ended' : 'error', why.code)}</p>}
          </main>
        )
        : <Live guest={guest} hidden={false} />}
    </div>
  )
}

/** Another call rings meanwhile: one sees it, and goes back to the desk to take it. */
function Ringing(): JSX.Element | null {
  const desk = useDesk()
  const ringing = useCell(desk.waiting).filter(({ rings }) => rings)
  return ringing.length > 0 ? <Pill look="bad" icon="sound" testid="also-rings">{t('desk.also-rings', { n: ringing.length })}</Pill> : null
}

/** To a colleague who is on duty, or to the next of the station's list; one stays until somebody has it. */
function HandOver({ waiting }: { waiting: Waiting | null }): JSX.Element {
  const [open, setOpen] = useState(false)
  if (!waiting) return <Pill look="good" testid="handed-over">{t('desk.handed-over')}</Pill>
  if (waiting.call.state === 'handing') return <Pill look="info" icon="sound" testid="handing">{t('desk.handing')}</Pill>
  return (
    <>
      <Button icon="users" testid="hand-over" onClick={() => setOpen(true)}>{t('desk.hand-over')}</Button>
      {open && <HandOverDialog waiting={waiting} onClose={() => setOpen(false)} />}
    </>
  )
}

function HandOverDialog({ waiting, onClose }: { waiting: Waiting; onClose: () => void }): JSX.Element {
  const desk = useDesk()
  const me = useCell(desk.me)
  const seen = useCell(waiting.station.seen)
  const { busy, problem, run } = useAction()
  const others = (seen?.on_duty ?? []).filter(({ id }) => id !== me?.id)
  const go = (to: string | null): void => void run(() => desk.handOver(waiting, to)).then((done) => done && onClose())
  return (
    <Dialog title={t('desk.hand-over.title')} onClose={onClose} testid="hand-over-dialog">
      <div class="dialog-body">
        <p>{t('desk.hand-over.more')}</p>
        {problem && <Notice look="bad">{problem}</Notice>}
        {others.length === 0 && <p class="quiet">{t('desk.hand-over.nobody')}</p>}
        <ul class="rows">
          {others.map((one) => (
            <li key={one.id}>
              <Icon name="person" />
              <span class="grow">
                <strong>{one.name}</strong>
                <small>{[one.facility, ...(one.specialties ?? []).map((what) => word('specialty', what))].filter(Boolean).join(' · ')}</small>
              </span>
              <Button look="primary" busy={busy} testid={`to-${one.id}`} onClick={() => go(one.id)}>{t('desk.hand-over.to')}</Button>
            </li>
          ))}
        </ul>
      </div>
      <footer>
        <Button onClick={onClose}>{t('do.cancel')}</Button>
        <Button busy={busy} testid="hand-over-next" onClick={() => go(null)}>{t('desk.hand-over.next')}</Button>
      </footer>
    </Dialog>
  )
}
