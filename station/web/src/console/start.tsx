import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { EMPTY_FORM, squeeze, toPatient } from '../clinical/patient'
import { Refusal } from '../link/socket'
import type { Mode } from '../protocol'
import { t, type Key } from '../text'
import { Button, Field, Notice, PRIVATE, useAction } from '../ui/parts'
import { PatientFields, usePatientForm } from './patient-form'
import { useConsole } from './context'
import { IdentityLine } from './identity'

const MODES: Mode[] = [1, 2, 3, 4]
/** What a commune station does most: a specialised facility supports it. */
const USUAL: Mode = 3

/** The start of a consultation: mode, reason, patient. Made to be done within a minute. */
export function Start(): JSX.Element {
  const client = useConsole()
  const [mode, setMode] = useState<Mode>(USUAL)
  const [reason, setReason] = useState('')
  const [unknown, setUnknown] = useState(false)
  const [tried, setTried] = useState(false)
  const editor = usePatientForm(EMPTY_FORM)
  const { busy, problem, run } = useAction()

  const start = async (): Promise<void> => {
    setTried(true)
    const patientGood = unknown || editor.check()
    if (squeeze(reason) === '' || !patientGood) return
    await run(async () => {
      try {
        await client.ask('consultation.start', {
          mode, reason: squeeze(reason), patient: unknown ? { unknown: true } : toPatient(editor.form),
        })
      } catch (error) {
        if (error instanceof Refusal) editor.refuse(error.answer.field)
        throw error
      }
    })
  }
  return (
    <form class="card start" data-testid="start" onSubmit={(event) => {
      event.preventDefault()
      void start()
    }}>
      <h2>{t('start.title')}</h2>
      <fieldset class="field modes">
        <legend>{t('start.mode')}</legend>
        <div class="mode-cards">
          {MODES.map((value) => (
            <label key={value} class={mode === value ? 'on' : ''}>
              <input type="radio" name="mode" checked={mode === value} data-testid={`mode-${value}`}
                onChange={() => setMode(value)} />
              <strong>{t(`mode.${value}` as Key)}</strong>
              <span>{t(`mode.${value}.more` as Key)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Field label={t('start.reason')} required problem={tried && squeeze(reason) === '' ? t('problem.reason-missing') : null}>
        {(attributes) => (
          <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="reason"
            placeholder={t('start.reason.hint')} onInput={(event) => setReason(event.currentTarget.value)} />
        )}
      </Field>
      <div class="patient-head">
        <h3>{t('patient')}</h3>
        <label class="tick">
          <input type="checkbox" checked={unknown} data-testid="patient-unknown"
            onChange={(event) => setUnknown(event.currentTarget.checked)} />
          {t('patient.unknown.tick')}
        </label>
      </div>
      {unknown ? <Notice look="info">{t('patient.unknown.more')}</Notice> : <><IdentityLine onPatient={editor.fill} /><PatientFields editor={editor} /></>}
      {problem && <Notice look="bad" testid="start-problem">{problem}</Notice>}
      <div class="actions">
        <Button submit big look="primary" icon="play" busy={busy} testid="start-consultation">{t('start.go')}</Button>
      </div>
    </form>
  )
}
