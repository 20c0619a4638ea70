import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Appointment, VisitCard } from '../protocol'
import { t, word } from '../text'
import { Button, dateOf, Dialog, Field, Notice, Pill, timeOf, useAction } from '../ui/parts'
import type { Console } from './client'
import { useConsole } from './context'
import { patientName } from './home'

const KEEP_MS = 60_000

/** A slip in the browser's own viewer, to print. */
export async function openSlip(client: Console, consultation: string, invite: string, kind: 'link' | 'pin'): Promise<void> {
  // At the click: a window that opens later is taken for an advertisement's.
  const tab = window.open('', '_blank')
  try {
    const answer = await fetch(`/slip/${encodeURIComponent(consultation)}/${encodeURIComponent(invite)}/${kind}`, {
      headers: { authorization: `Bearer ${client.session}` }, cache: 'no-store',
    })
    if (!answer.ok) throw new Error(String(answer.status))
    const url = URL.createObjectURL(await answer.blob())
    if (tab) tab.location.href = url
    setTimeout(() => URL.revokeObjectURL(url), KEEP_MS)
  } catch (error) {
    tab?.close()
    throw error
  }
}

/** Link and QR code; and the PIN, which goes another way. */
export function VisitCardDialog({ visit, onClose }: { visit: Appointment; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [card, setCard] = useState<VisitCard | null>(null)
  const { busy, problem, run } = useAction()
  const load = (type: 'appointment.card' | 'appointment.renew'): Promise<boolean> => run(async () => {
    setCard((await client.ask(type, { appointment: visit.appointment })) as unknown as VisitCard)
  })
  useEffect(() => void load('appointment.card'), [])
  return (
    <Dialog title={`${patientName(visit.patient)} · ${timeOf(visit.at)} ${dateOf(visit.at)}`} onClose={onClose} testid="visit-card-dialog" wide>
      <div class="dialog-body">
        {problem && <Notice look="bad">{problem}</Notice>}
        {visit.state === 'burnt' && <Notice look="warn" testid="card-burnt">{t('visits.burnt.more')}</Notice>}
        {card && <CardBody card={card} visit={visit} />}
      </div>
      <footer>
        <Button busy={busy} testid="visit-renew" onClick={() => void load('appointment.renew')}>{t('visits.renew')}</Button>
        <Button look="primary" testid="card-done" onClick={onClose}>{t('do.done')}</Button>
      </footer>
    </Dialog>
  )
}

function CardBody({ card, visit }: { card: VisitCard; visit: Appointment }): JSX.Element {
  const client = useConsole()
  const [copied, setCopied] = useState<boolean | null>(null)
  const [sent, setSent] = useState(false)
  const { busy, problem, run } = useAction()
  const copy = async (): Promise<void> => setCopied(await navigator.clipboard.writeText(card.message).then(() => true, () => false))
  const slip = (kind: 'link' | 'pin'): Promise<boolean> => run(() => openSlip(client, card.appointment, card.invite, kind))
  return (
    <div class="visit-card">
      <section class="invite-ready" aria-label={t('invite.link')}>
        <img class="qr" alt={t('invite.qr')} data-testid="qr" src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(card.qr)}`} />
        <div>
          <Field label={t('visits.message')}>
            {(attributes) => <textarea {...attributes} readOnly rows={5} value={card.message} data-testid="visit-message" onFocus={(event) => event.currentTarget.select()} />}
          </Field>
          <div class="actions">
            <Button look="primary" icon={copied ? 'check' : 'copy'} testid="message-copy" onClick={() => void copy()}>{t(copied ? 'invite.copied' : 'visits.message.copy')}</Button>
            {card.gateway && visit.phone && (
              <Button icon={sent ? 'check' : 'up'} busy={busy} testid="message-send"
                onClick={() => void run(async () => {
                  await client.ask('appointment.send', { appointment: card.appointment })
                  setSent(true)
                })}>{sent ? t('visits.message.sent') : t('visits.message.send', { phone: visit.phone })}</Button>
            )}
            <Button icon="note" busy={busy} testid="slip-link" onClick={() => void slip('link')}>{t('visits.slip.link')}</Button>
          </div>
          {copied === false && <p class="note" role="alert">{t('invite.copy-failed')}</p>}
        </div>
      </section>
      <section class="visit-card-pin" aria-label={t('visits.pin')}>
        <h3>{t('visits.pin')}</h3>
        <p class="pin-digits" data-testid="visit-pin">{card.pin.slice(0, 3)} {card.pin.slice(3)}</p>
        <p class="quiet">{t('visits.pin.more')}</p>
        <Button icon="note" busy={busy} testid="slip-pin" onClick={() => void slip('pin')}>{t('visits.slip.pin')}</Button>
        {visit.state && <p class="quiet">{t('invite.state')}: <Pill>{word('invite-state', visit.state)}</Pill></p>}
      </section>
      {problem && <Notice look="bad" testid="card-problem">{problem}</Notice>}
    </div>
  )
}
