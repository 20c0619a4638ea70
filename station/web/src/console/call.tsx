import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { SPECIALTIES, URGENCIES, type CallSummary, type CallView, type Specialist, type Specialty, type Urgency } from '../calls/protocol'
import { CallTitle, SummaryView, Waiting } from '../calls/summary'
import type { Consultation } from '../protocol'
import { t, word, type Key } from '../text'
import { Button, Dialog, Field, Notice, Pill, PRIVATE, refusalText, useAction } from '../ui/parts'
import { useConsole } from './context'
import { CaseFilesChoice, LaterDialog } from './later'

/** What may be released; the first ones are ticked, since a call without them says nothing. */
const RELEASES = ['age', 'sex', 'reason', 'name', 'readings', 'note:summary', 'note:history', 'note:allergies', 'note:examination', 'note:findings'] as const
const AT_FIRST: readonly string[] = ['age', 'sex', 'reason']

function releaseText(what: string): string {
  return what.startsWith('note:') ? word('note', what.slice(5)) : t(`release.${what}` as Key)
}

/** Who is on duty for this: said before anybody is called. */
function onDutyFor(duty: readonly Specialist[], specialty: Specialty): Specialist[] {
  return duty.filter(({ specialties }) => !specialties || specialties.length === 0 || specialties.includes(specialty))
}

/** Whom to call, how urgently, and what of the patient they see: shown as they will see it. */
export function CallDialog(props: { consultation: Consultation; duty: readonly Specialist[]; far: boolean; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const { consultation } = props
  const [specialty, setSpecialty] = useState<Specialty>('general')
  const [urgency, setUrgency] = useState<Urgency>('routine')
  const [release, setRelease] = useState<readonly string[]>(AT_FIRST)
  const [question, setQuestion] = useState('')
  const [files, setFiles] = useState<readonly string[]>([])
  const [later, setLater] = useState(false)
  const { busy, problem, run } = useAction()
  const there = onDutyFor(props.duty, specialty)
  const go = async (): Promise<void> => {
    const fields = { call: crypto.randomUUID(), specialty, urgency, release, question: question.trim(), later, files: later ? files : [] }
    if (await run(() => client.ask('call.request', fields))) props.onClose()
  }
  return (
    <Dialog title={t('call.title')} onClose={props.onClose} wide testid="call-dialog">
      <form onSubmit={(event) => {
        event.preventDefault()
        void go()
      }}>
        <div class="dialog-body">
          <div class="two">
            <Field label={t('call.specialty')}>
              {(attributes) => (
                <select {...attributes} value={specialty} autofocus data-testid="call-specialty"
                  onChange={(event) => setSpecialty(event.currentTarget.value as Specialty)}>
                  {SPECIALTIES.map((one) => <option key={one} value={one}>{word('specialty', one)}</option>)}
                </select>
              )}
            </Field>
            <fieldset class="field">
              <legend>{t('call.urgency')}</legend>
              <div class="segments">
                {URGENCIES.map((one) => (
                  <label key={one} class={urgency === one ? 'on' : ''}>
                    <input type="radio" name="urgency" checked={urgency === one} data-testid={`urgency-${one}`} onChange={() => setUrgency(one)} />
                    {t(`urgency.${one}` as Key)}
                  </label>
                ))}
              </div>
            </fieldset>
          </div>
          <Pill look={there.length > 0 ? 'good' : props.far ? 'info' : 'warn'} icon="people" testid="on-duty">
            {there.length > 0 ? t('call.on-duty', { names: there.map(({ name }) => name).join(', ') })
              : t(props.far ? 'call.rings-far' : 'call.nobody-on-duty')}
          </Pill>
          <Field label={t('call.question')} optional>
            {(attributes) => (
              <textarea {...attributes} {...PRIVATE} rows={2} maxLength={2000} value={question} data-testid="call-question"
                onInput={(event) => setQuestion(event.currentTarget.value)} />
            )}
          </Field>
          <Release chosen={release} onChange={setRelease} />
          <Preview consultation={consultation} release={release} question={question} />
          <label class="tick">
            <input type="checkbox" checked={later} data-testid="call-later-now" onChange={() => setLater(!later)} />
            {t('call.later-now')}
          </label>
          {later && <CaseFilesChoice consultation={consultation} chosen={files} onChange={setFiles} />}
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="sound" busy={busy} testid="call-go">{t(later ? 'call.send-later' : 'call.go')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function Release(props: { chosen: readonly string[]; onChange: (chosen: readonly string[]) => void }): JSX.Element {
  const { chosen } = props
  return (
    <fieldset class="field">
      <legend>{t('call.release')}</legend>
      <div class="call-release">
        {RELEASES.map((one) => (
          <label key={one} class="tick">
            <input type="checkbox" checked={chosen.includes(one)} data-testid={`release-${one}`}
              onChange={() => props.onChange(chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one])} />
            {releaseText(one)}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

const PREVIEW_MS = 250

/** Made by the station from what it keeps: the same words that it would send. */
function Preview(props: { consultation: Consultation; release: readonly string[]; question: string }): JSX.Element {
  const client = useConsole()
  const [summary, setSummary] = useState<CallSummary | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const { release, question, consultation } = props
  useEffect(() => {
    let gone = false
    const timer = setTimeout(() => {
      client.ask('call.preview', { release, question: question.trim() }).then(
        (answer) => {
          if (gone) return
          setSummary(answer['summary'] as CallSummary)
          setProblem(null)
        },
        (error: unknown) => void (gone || setProblem(refusalText(error))),
      )
    }, PREVIEW_MS)
    return () => {
      gone = true
      clearTimeout(timer)
    }
  }, [release.join(), question, consultation.notes, consultation.patient])
  return (
    <section class="call-preview" aria-label={t('call.preview')} data-testid="call-preview">
      <h3>{t('call.preview')}</h3>
      {problem && <Notice look="warn">{problem}</Notice>}
      {summary && <SummaryView summary={summary} />}
    </section>
  )
}

/** Calls that are under way, above everything else; those that are over are in the log. */
export function CallNotices({ consultation }: { consultation: Consultation }): JSX.Element | null {
  const calls = (consultation.calls ?? []).filter(({ state }) => !['ended', 'cancelled'].includes(state))
  if (calls.length === 0) return null
  return (
    <section class="call-notices" aria-label={t('call.notices')} data-testid="call-notices">
      {calls.map((call) => <CallNotice key={call.call} call={call} consultation={consultation} />)}
    </section>
  )
}

function CallNotice({ call, consultation }: { call: CallView; consultation: Consultation }): JSX.Element {
  const client = useConsole()
  const [later, setLater] = useState(false)
  const { busy, problem, run } = useAction()
  const act = (type: string): void => void run(() => client.ask(type, { call: call.call }))
  const rings = call.state === 'ringing' || call.state === 'requested'
  const open = rings || call.state === 'unanswered'
  return (
    <div class={`call-notice ${call.state}`} role="status" data-testid="call-notice" data-state={call.state}>
      <div class="grow">
        <CallTitle specialty={call.specialty} urgency={call.urgency} />
        <p data-testid="call-says">{says(call)}</p>
        {call.declines.map((one, i) => (
          <p key={i} class="quiet" data-testid="call-decline">
            {t('call.declined-by', { name: one.name, reason: t(`call-reason.${one.reason}` as Key) })}{one.text && ` – ${one.text}`}
          </p>
        ))}
        {problem && <p class="note" role="alert">{problem}</p>}
      </div>
      {(open || call.state === 'later') && <Waiting since={call.asked} />}
      {(rings || call.state === 'handing') && (
        <Button busy={busy} icon="right" testid="call-escalate" onClick={() => act('call.escalate')}>
          {call.next ? t('call.escalate', { who: call.next.title }) : t('call.give-up')}
        </Button>
      )}
      {call.state === 'unanswered' && <Button look="primary" busy={busy} testid="call-again" onClick={() => act('call.again')}>{t('call.again')}</Button>}
      {open && <Button look={call.state === 'unanswered' ? 'primary' : 'plain'} icon="clock" testid="call-later" onClick={() => setLater(true)}>{t('call.later')}</Button>}
      {(open || call.state === 'later' || call.state === 'handing') && (
        <Button icon="close" busy={busy} testid="call-cancel" onClick={() => act('call.cancel')}>
          {t(call.state === 'later' ? 'call.withdraw' : call.state === 'handing' ? 'call.stop-handing' : 'call.cancel')}
        </Button>
      )}
      {call.state === 'accepted' && <Button icon="check" busy={busy} testid="call-end" onClick={() => act('call.end')}>{t('call.end')}</Button>}
      {later && <LaterDialog call={call} consultation={consultation} onClose={() => setLater(false)} />}
    </div>
  )
}

/** The state of a call in one sentence. */
function says(call: CallView): string {
  const who = call.taken?.name ?? ''
  switch (call.state) {
    case 'requested': return t('call.says.requested')
    case 'ringing': return ringing(call)
    case 'accepted': return t('call.says.accepted', { who: [who, call.taken?.facility].filter(Boolean).join(', ') })
    case 'handing': return t('call.says.handing', { who, to: rungNames(call) })
    case 'unanswered': return t(`call.says.unanswered.${call.why ?? 'nobody'}` as Key)
    case 'later': return who ? t('call.says.read-by', { who }) : t('call.says.later', { n: call.files.length })
    case 'answered': return t('call.says.answered', { who })
    default: return word('call-state', call.state)
  }
}

function rungNames(call: CallView): string {
  return call.rung.map(({ name }) => name).join(', ') || call.step?.title || ''
}

function ringing(call: CallView): string {
  const names = rungNames(call)
  const level = call.step && call.step.level !== names ? ` (${call.step.level})` : ''
  return t('call.says.ringing', { who: `${names}${level}` })
}
