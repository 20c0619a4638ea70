import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { squeeze } from '../clinical/patient'
import type { Consultation, Role } from '../protocol'
import { t, word, type Key } from '../text'
import { Button, Dialog, Field, Notice, PRIVATE, Pill, useAction } from '../ui/parts'
import { useConsole } from './context'

const ROLES = ['specialist', 'patient', 'observer'] as const satisfies Role[]
interface Made { invite: string; link: string; qr: string; pin?: string }

/** An invitation: for whom, then link, copy button and QR code. */
export function InviteDialog(props: { consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [role, setRole] = useState<(typeof ROLES)[number]>('specialist')
  const [name, setName] = useState('')
  const [made, setMade] = useState<Made | null>(null)
  const { busy, problem, run } = useAction()
  const create = (): Promise<boolean> => run(async () => {
    const answer = await client.ask('invite.create', { role, name: squeeze(name), pin: role === 'patient' })
    setMade(answer as unknown as Made)
  })
  if (made) return <Ready made={made} consultation={props.consultation} onClose={props.onClose} />
  return (
    <Dialog title={t('invite.title')} onClose={props.onClose} testid="invite-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void create()
      }}>
        <div class="dialog-body">
          <fieldset class="field">
            <legend>{t('invite.whom')}</legend>
            <div class="segments">
              {ROLES.map((value) => (
                <label key={value} class={role === value ? 'on' : ''}>
                  <input type="radio" name="role" checked={role === value} data-testid={`role-${value}`} onChange={() => setRole(value)} />
                  {t(`role.${value}` as Key)}
                </label>
              ))}
            </div>
          </fieldset>
          <Field label={t('invite.name')} hint={t('invite.name.hint')} optional>
            {(attributes) => (
              <input {...attributes} {...PRIVATE} value={name} maxLength={120} data-testid="invite-name"
                onInput={(event) => setName(event.currentTarget.value)} />
            )}
          </Field>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="link" busy={busy} testid="invite-create">{t('invite.create')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function Ready(props: { made: Made; consultation: Consultation; onClose: () => void }): JSX.Element {
  const { made } = props
  const [copied, setCopied] = useState<boolean | null>(null)
  const invite = props.consultation.invites.find((one) => one.invite === made.invite)
  const copy = async (): Promise<void> => {
    setCopied(await navigator.clipboard.writeText(made.link).then(() => true, () => false))
  }
  return (
    <Dialog title={t('invite.ready')} onClose={props.onClose} testid="invite-ready" wide>
      <div class="dialog-body invite-ready">
        <img class="qr" alt={t('invite.qr')} data-testid="qr"
          src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(made.qr)}`} />
        <div>
          <p>{t('invite.how')}</p>
          <Field label={t('invite.link')}>
            {(attributes) => (
              <textarea {...attributes} readOnly rows={3} value={made.link} data-testid="invite-link"
                onFocus={(event) => event.currentTarget.select()} />
            )}
          </Field>
          <Button look="primary" icon={copied ? 'check' : 'copy'} wide testid="invite-copy" onClick={() => void copy()}>
            {t(copied ? 'invite.copied' : 'invite.copy')}
          </Button>
          {copied === false && <p class="note" role="alert">{t('invite.copy-failed')}</p>}
          {made.pin && <p>{t('visits.pin')}: <strong class="pin-digits" data-testid="invite-pin">{made.pin.slice(0, 3)} {made.pin.slice(3)}</strong> <span class="quiet">{t('visits.pin.more')}</span></p>}
          {invite && <p class="quiet">{t('invite.state')}: <Pill>{word('invite-state', invite.state)}</Pill></p>}
          <p class="quiet">{t('invite.safe')}</p>
        </div>
      </div>
      <footer><Button look="primary" onClick={props.onClose} testid="invite-done">{t('do.done')}</Button></footer>
    </Dialog>
  )
}
