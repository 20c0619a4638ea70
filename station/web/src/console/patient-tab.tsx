import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { fromPatient, toPatient } from '../clinical/patient'
import { Refusal } from '../link/socket'
import type { Consultation } from '../protocol'
import { t, type Key } from '../text'
import { Button, Dialog, Notice, dateOf, useAction } from '../ui/parts'
import { ConsentHistory } from './consent'
import { useConsole } from './context'
import { PatientHistory } from './earlier'
import { IdentityLine } from './identity'
import { PatientFields, usePatientForm } from './patient-form'

const LINES = ['name', 'sex', 'birth', 'personal_number', 'insurance', 'phone', 'address', 'device_ids'] as const

export function PatientTab(props: { consultation: Consultation; onConsent: () => void }): JSX.Element {
  const { patient, reason, consents } = props.consultation
  const [editing, setEditing] = useState(false)
  const values: Record<(typeof LINES)[number], string> = {
    ...fromPatient(patient),
    sex: patient.sex ? t(`sex.${patient.sex}` as Key) : '',
    birth: patient.birth_date ? dateOf(patient.birth_date) : String(patient.birth_year ?? ''),
  }
  const unknown = patient.unknown || !patient.name
  return (
    <div class="patient-tab" data-testid="patient-tab">
      {unknown && (
        <Notice look="warn" action={<Button look="primary" testid="identify" onClick={() => setEditing(true)}>{t('patient.identify')}</Button>}>
          {t('patient.unknown.now')}
        </Notice>
      )}
      <dl class="facts">
        <dt>{t('start.reason')}</dt><dd>{reason}</dd>
        {LINES.filter((line) => values[line]).map((line) => [
          <dt key={`${line}-t`}>{t(`patient.${line}` as Key)}</dt>, <dd key={line}>{values[line]}</dd>,
        ])}
      </dl>
      {!unknown && <Button icon="note" testid="patient-edit" onClick={() => setEditing(true)}>{t('patient.edit')}</Button>}
      <PatientHistory consultation={props.consultation} />
      <h3>{t('consent.title')}</h3>
      {consents.length > 0 ? <ConsentHistory consents={consents} /> : <p class="quiet">{t('consent.none')}</p>}
      <Button icon="shield" onClick={props.onConsent}>{t(consents.length ? 'consent.change' : 'consent.enter')}</Button>
      {editing && <PatientDialog consultation={props.consultation} onClose={() => setEditing(false)} />}
    </div>
  )
}

/** Corrects the patient, or names who was unknown: a new version, the earlier ones stay. */
function PatientDialog(props: { consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const editor = usePatientForm(fromPatient(props.consultation.patient))
  const { busy, problem, run } = useAction()
  const save = async (): Promise<void> => {
    if (!editor.check()) return
    const done = await run(async () => {
      try {
        await client.ask('patient.save', { patient: toPatient(editor.form) })
      } catch (error) {
        if (error instanceof Refusal) editor.refuse(error.answer.field)
        throw error
      }
    })
    if (done) props.onClose()
  }
  return (
    <Dialog title={t('patient')} onClose={props.onClose} testid="patient-dialog" wide>
      <form onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}>
        <div class="dialog-body">
          <IdentityLine onPatient={editor.fill} />
          <PatientFields editor={editor} />
          {problem && <Notice look="bad">{problem}</Notice>}
        </div>
        <footer>
          <Button onClick={props.onClose}>{t('do.cancel')}</Button>
          <Button submit look="primary" icon="check" busy={busy} testid="patient-save">{t('do.save')}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
