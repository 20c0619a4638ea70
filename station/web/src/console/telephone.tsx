import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { squeeze } from '../clinical/patient'
import { useCell } from '../observable'
import type { Consultation } from '../protocol'
import { t } from '../text'
import { Button, Dialog, Field, Notice, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'

/** The link is gone: the hospital's telephone number, and where to write what is said on it. */
export function TelephoneNotice(props: { consultation: Consultation; onWrite: () => void }): JSX.Element | null {
  const client = useConsole()
  const phone = useCell(client.hello)?.duty_phone
  const socket = useCell(client.socket.state)
  const { guests } = props.consultation
  const gone = guests.some(({ role, state }) => role === 'specialist' && state === 'away') &&
    !guests.some(({ role, state }) => role === 'specialist' && state === 'live')
  if (socket === 'open' && !gone) return null
  return (
    <Notice look="warn" testid="telephone" action={<Button icon="note" testid="telephone-write" onClick={props.onWrite}>{t('telephone.write')}</Button>}>
      {phone
        ? <>{t('telephone.call')} <a class="duty-phone" data-testid="duty-phone" href={`tel:${phone.replace(/[^+\d]/g, '')}`}>{phone}</a></>
        : t('telephone.none')}
    </Notice>
  )
}

/** What somebody said on the telephone: under the speaker's name, written down by who is signed in. */
export function TelephoneDialog(props: { consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const known = props.consultation.guests.filter(({ role }) => role === 'specialist').pop()
  const [speaker, setSpeaker] = useState(known?.name ?? '')
  const [text, setText] = useState('')
  const [tried, setTried] = useState(false)
  const { busy, problem, run } = useAction()
  const save = async (): Promise<void> => {
    setTried(true)
    if (squeeze(speaker) === '' || text.trim() === '') return
    const fields = { note: crypto.randomUUID(), kind: 'opinion', text: text.trim(), speaker: squeeze(speaker) }
    if (await run(() => client.ask('note.save', fields))) props.onClose()
  }
  const needed = (value: string): string | null => (tried && value.trim() === '' ? t('problem.needed') : null)
  return (
    <Dialog title={t('telephone.title')} onClose={props.onClose} testid="telephone-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}>
        <div class="dialog-body">
          <Field label={t('telephone.speaker')} required problem={needed(speaker)}>
            {(attributes) => (
              <input {...attributes} {...PRIVATE} value={speaker} maxLength={200} data-testid="telephone-speaker"
                onInput={(event) => setSpeaker(event.currentTarget.value)} />
            )}
          </Field>
          <Field label={t('telephone.said')} required problem={needed(text)}>
            {(attributes) => (
              <textarea {...attributes} {...PRIVATE} rows={5} value={text} maxLength={20_000} autofocus data-testid="telephone-text"
                onInput={(event) => setText(event.currentTarget.value)} />
            )}
          </Field>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="check" busy={busy} testid="telephone-save">{t('do.save')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
