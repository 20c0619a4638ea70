import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { EMPTY_FORM, squeeze, toPatient } from '../clinical/patient'
import { Refusal } from '../link/socket'
import { now } from '../observable'
import type { Appointment, VisitCard } from '../protocol'
import { t } from '../text'
import { Button, Dialog, Field, Notice, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'
import { IdentityLine } from './identity'
import { PatientFields, usePatientForm } from './patient-form'
import { VisitCardDialog } from './visit-card'

/** A patient at home, seen by the station's own doctor. */
const DIRECT = 1

/** "2026-11-20T08:30" in this machine's time, for an <input type="datetime-local">. */
function localTime(ms: number): string {
  const date = new Date(ms)
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function nextQuarter(): string {
  return localTime(Math.ceil((now.get() + 30 * 60_000) / 900_000) * 900_000)
}

interface When { at: string; minutes: string }

function WhenFields({ when, change }: { when: When; change: (when: When) => void }): JSX.Element {
  return (
    <div class="two">
      <Field label={t('visits.at')} required>
        {(attributes) => <input {...attributes} type="datetime-local" value={when.at} data-testid="visit-at" onInput={(event) => change({ ...when, at: event.currentTarget.value })} />}
      </Field>
      <Field label={t('visits.minutes')}>
        {(attributes) => <input {...attributes} type="number" min={5} max={240} step={5} value={when.minutes} data-testid="visit-minutes" onInput={(event) => change({ ...when, minutes: event.currentTarget.value })} />}
      </Field>
    </div>
  )
}

function whenFields(when: When): { at_us: number; minutes: number } {
  return { at_us: new Date(when.at).getTime() * 1000, minutes: Number(when.minutes) }
}

const isWhole = (when: When): boolean => !Number.isNaN(new Date(when.at).getTime()) && Number(when.minutes) >= 5

/** A new appointment: when, who, why, and who may stand in for the patient; then link and PIN. */
export function NewVisit({ onClose }: { onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [when, setWhen] = useState<When>({ at: nextQuarter(), minutes: '30' })
  const [reason, setReason] = useState('')
  const [other, setOther] = useState({ name: '', relation: '' })
  const [made, setMade] = useState<Appointment | null>(null)
  const editor = usePatientForm(EMPTY_FORM)
  const { busy, problem, run } = useAction()
  const create = (): Promise<boolean> => run(async () => {
    try {
      const card = (await client.ask('appointment.create', {
        ...whenFields(when), mode: DIRECT, reason: squeeze(reason), patient: toPatient(editor.form),
        ...(squeeze(other.name) ? { representative: { name: squeeze(other.name), relation: squeeze(other.relation) } } : {}),
      })) as unknown as VisitCard
      setMade(client.state.get()?.appointments?.find(({ appointment }) => appointment === card.appointment) ?? null)
    } catch (error) {
      if (error instanceof Refusal) editor.refuse(error.answer.field)
      throw error
    }
  })
  if (made) return <VisitCardDialog visit={made} onClose={onClose} />
  return (
    <Dialog title={t('visits.new')} onClose={onClose} testid="visit-dialog" wide>
      <form onSubmit={(event) => {
        event.preventDefault()
        if (editor.check() && isWhole(when)) void create()
      }}>
        <div class="dialog-body">
          <WhenFields when={when} change={setWhen} />
          <Field label={t('start.reason')} optional>
            {(attributes) => <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="visit-reason" onInput={(event) => setReason(event.currentTarget.value)} />}
          </Field>
          <IdentityLine onPatient={editor.fill} />
          <PatientFields editor={editor} />
          <div class="two">
            <Field label={t('visits.representative.name')} optional>
              {(attributes) => <input {...attributes} {...PRIVATE} value={other.name} maxLength={100} data-testid="visit-other-name" onInput={(event) => setOther({ ...other, name: event.currentTarget.value })} />}
            </Field>
            <Field label={t('visit.relation')} optional>
              {(attributes) => <input {...attributes} {...PRIVATE} value={other.relation} maxLength={100} data-testid="visit-other-relation" onInput={(event) => setOther({ ...other, relation: event.currentTarget.value })} />}
            </Field>
          </div>
          {problem && <Notice look="bad" testid="visit-problem">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="check" busy={busy} testid="visit-create">{t('visits.create')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

export function MoveVisit({ visit, onClose }: { visit: Appointment; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [when, setWhen] = useState<When>({ at: localTime(Date.parse(visit.at)), minutes: String(visit.minutes) })
  const { busy, problem, run } = useAction()
  return (
    <Dialog title={t('visits.move')} onClose={onClose} testid="move-dialog">
      <form onSubmit={async (event) => {
        event.preventDefault()
        if (isWhole(when) && await run(() => client.ask('appointment.move', { appointment: visit.appointment, ...whenFields(when) }))) onClose()
      }}>
        <div class="dialog-body">
          <WhenFields when={when} change={setWhen} />
          <p class="quiet">{t('visits.move.more')}</p>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" busy={busy} testid="move-go">{t('do.save')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

export function CancelVisit({ visit, onClose }: { visit: Appointment; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [reason, setReason] = useState('')
  const { busy, problem, run } = useAction()
  return (
    <Dialog title={t('visits.cancel')} onClose={onClose} testid="cancel-dialog">
      <form onSubmit={async (event) => {
        event.preventDefault()
        if (await run(() => client.ask('appointment.cancel', { appointment: visit.appointment, reason: squeeze(reason) }))) onClose()
      }}>
        <div class="dialog-body">
          <p>{t('visits.cancel.more')}</p>
          <Field label={t('visits.cancel.reason')} optional>
            {(attributes) => <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="cancel-reason" onInput={(event) => setReason(event.currentTarget.value)} />}
          </Field>
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={onClose}>{t('do.close')}</Button>
          <Button submit look="danger" busy={busy} testid="cancel-go">{t('visits.cancel')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
