import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { clockTime } from '../clinical/age'
import { useCell } from '../observable'
import type { Consultation, RetentionClass, StationState } from '../protocol'
import { NoteCard } from '../notes/editor'
import { t, word, type Key } from '../text'
import { Button, Dialog, Field, Notice, PRIVATE, SECRET, Pill, timeOf, dateOf, useAction } from '../ui/parts'
import { VitalsPanel } from '../ui/vitals'
import { ConsentHistory } from './consent'
import { useConsole } from './context'
import { useDuty } from './roles'
import { Header } from './header'
import { patientLine } from './live'
import { PaperButtons } from './papers'
import { PrescriptionCard } from './prescription'
import { missingSections } from './missing'
import { ProblemTitle } from '../notes/problems'
import { ClassField } from './retention'

/** The local doctor decides and writes the conclusion; media and invitations end with it. */
export function ConcludeDialog(props: { consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [text, setText] = useState('')
  const [tried, setTried] = useState(false)
  const { busy, problem, run } = useAction()
  const opinions = props.consultation.notes.filter(({ kind }) => kind === 'opinion')
  const go = async (): Promise<void> => {
    setTried(true)
    if (text.trim() === '') return
    if (await run(() => client.ask('consultation.conclude', { conclusion: text.trim() }))) props.onClose()
  }
  return (
    <Dialog title={t('conclude.title')} onClose={props.onClose} testid="conclude-dialog" wide>
      <form onSubmit={(event) => {
        event.preventDefault()
        void go()
      }}>
        <div class="dialog-body">
          {opinions.map((note) => <NoteCard key={note.note} note={note} />)}
          <Field label={t('conclude.text')} problem={tried && text.trim() === '' ? t('problem.needed') : null}>
            {(attributes) => (
              <textarea {...attributes} {...PRIVATE} rows={6} value={text} maxLength={20_000} autofocus
                data-testid="conclusion" placeholder={t('conclude.hint')}
                onInput={(event) => setText(event.currentTarget.value)} />
            )}
          </Field>
          <MissingNotice consultation={props.consultation} />
          <Notice look="info">{t('conclude.more')}</Notice>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('conclude.not-yet')}</Button>
          <Button submit look="primary" icon="sign" busy={busy} testid="conclude-go">
            {t('conclude.go')}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}

/** The summary of a concluded consultation; nothing more than the signature is missing. */
export function Conclude(props: {
  state: StationState; consultation: Consultation
  onSwitch: (user: string | null) => void; onRecord: (id: string) => void
}): JSX.Element {
  const client = useConsole()
  const { consultation } = props
  const duty = useDuty()
  const readings = useCell(client.readings)
  const { busy, problem, run } = useAction()
  const notes = consultation.notes.filter(({ text }) => text.trim() !== '')
  const conclusion = consultation.conclusion ??
    notes.filter(({ kind }) => kind === 'conclusion').pop()?.text ?? ''
  const end = consultation.events.filter(({ what }) => what === 'concluded').pop()?.at
  const minutes = end ? (Date.parse(end) - Date.parse(consultation.started)) / 1000 : null
  return (
    <div class="console concluding" data-testid="concluding">
      <Header onSwitch={props.onSwitch}>
        <div class="patient-line">
          <strong>{patientLine(consultation.patient)}</strong>
          <span class="quiet">{t(`mode.${consultation.mode}` as Key)}</span>
        </div>
        <Pill look="warn" icon="sign">{t('state.concluding')}</Pill>
      </Header>
      <main class="summary">
        <section class="card">
          <h2>{t('summary.title')}</h2>
          <dl class="facts">
            <dt>{t('summary.when')}</dt>
            <dd>{dateOf(consultation.started)} {timeOf(consultation.started)}{minutes !== null && ` (${clockTime(minutes)})`}</dd>
            <dt>{t('start.reason')}</dt><dd>{consultation.reason}</dd>
            <dt>{t('summary.people')}</dt>
            <dd>
              {consultation.guests.length === 0 ? t('guests.none') : consultation.guests.map((guest) => (
                <div key={guest.guest}>{guest.name}{guest.facility && ` (${guest.facility})`} — {word('role', guest.role)}</div>
              ))}
            </dd>
            <dt>{t('conclusion')}</dt><dd class="conclusion" data-testid="conclusion-text">{conclusion}</dd>
          </dl>
          {(consultation.problems ?? []).map((one) => (
            <article key={one.problem} class="problem-card" data-testid="problem">
              <header><ProblemTitle problem={one} /></header>
              {one.text && <p>{one.text}</p>}
            </article>
          ))}
          <VitalsPanel latest={readings} />
          {notes.filter(({ kind }) => kind !== 'conclusion').map((note) => <NoteCard key={note.note} note={note} />)}
          <h3>{t('consent.title')}</h3>
          {consultation.consents.length ? <ConsentHistory consents={consultation.consents} /> : <p class="quiet">{t('consent.none')}</p>}
        </section>
        <div>
          <MissingNotice consultation={consultation} />
          {duty === 'doctor' ? <SignCard consultation={consultation} /> : <Notice look="info" testid="doctor-signs">{t('sign.doctor')}</Notice>}
          <PrescriptionCard consultation={consultation.id} />
          <section class="card">
            <h2>{t('papers.title')}</h2>
            <p class="quiet">{t('papers.draft')}</p>
            <PaperButtons consultation={consultation.id} />
          </section>
          <section class="card">
            <p>{t('reopen.more')}</p>
            {problem && <Notice look="bad">{problem}</Notice>}
            <Button icon="back" busy={busy} disabled={duty !== 'doctor'} testid="reopen" onClick={() => void run(() => client.ask('consultation.reopen'))}>
              {t('reopen.go')}
            </Button>
          </section>
        </div>
      </main>
    </div>
  )
}

/** What is still empty: a reminder. Nobody is kept from signing. */
function MissingNotice({ consultation }: { consultation: Consultation }): JSX.Element | null {
  const missing = missingSections(consultation)
  if (missing.length === 0) return null
  return (
    <Notice look="warn" testid="missing">{t('missing')}: {missing.map((key) => t(key)).join(', ')}.</Notice>
  )
}

function SignCard({ consultation }: { consultation: Consultation }): JSX.Element {
  const client = useConsole()
  const user = useCell(client.user)
  const [secret, setSecret] = useState('')
  const [long, setLong] = useState(user?.passphrase ?? false)
  const [chosen, setChosen] = useState<RetentionClass | null>(null)
  const proposed = consultation.retention
  const term = chosen ?? proposed?.class ?? 'ordinary'
  const { busy, problem, run } = useAction()
  const sign = async (): Promise<void> => {
    if (secret === '') return
    await run(() => client.ask('consultation.sign', { retention: term, ...(long ? { passphrase: secret } : { pin: secret }) }))
    setSecret('')
  }
  return (
    <form class="card sign" data-testid="sign" onSubmit={(event) => {
      event.preventDefault()
      void sign()
    }}>
      <h2>{t('sign.title')}</h2>
      <ClassField value={term} onChange={setChosen}
        hint={proposed?.code ? t('retention.proposed', { code: proposed.code }) : t('retention.proposed.none')} />
      <p>{t('sign.more', { name: user?.name ?? '' })}</p>
      <Field label={t(long ? 'unlock.passphrase' : 'sign-in.pin')} problem={problem}>
        {(attributes) => (
          <input {...attributes} {...SECRET} inputMode={long ? 'text' : 'numeric'} value={secret} data-testid="sign-secret"
            onInput={(event) => setSecret(event.currentTarget.value)} />
        )}
      </Field>
      <button type="button" class="link-button" data-testid="sign-other" onClick={() => {
        setLong(!long)
        setSecret('')
      }}>
        {t(long ? 'sign.with-pin' : 'sign.with-passphrase')}
      </button>
      <Button submit big wide look="primary" icon="sign" busy={busy} disabled={secret === ''} testid="sign-go">{t('sign.go')}</Button>
    </form>
  )
}
