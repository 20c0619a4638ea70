import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import {
  checkPatient, contradicts, fromPatient, fromPersonalNumber, type PatientField, type PatientForm, type Problems,
} from '../clinical/patient'
import type { Patient, Sex } from '../protocol'
import { t, type Key } from '../text'
import { Field, PRIVATE } from '../ui/parts'

const SEXES: Sex[] = ['male', 'female', 'other']

export interface PatientEditor {
  form: PatientForm
  problems: Problems
  change: (field: PatientField, value: string) => void
  left: (field: PatientField) => void
  /** A patient read from a card or found: what it says takes the place of what stands there. */
  fill: (patient: Patient) => void
  /** True when nothing is wrong; shows all problems otherwise. */
  check: () => boolean
  /** The station found fault with a field. */
  refuse: (field: string | undefined) => void
}

/** Problems show once a field has been left, and all of them when the form is sent. */
export function usePatientForm(start: PatientForm): PatientEditor {
  const [form, setForm] = useState(start)
  const [visited, setVisited] = useState<ReadonlySet<PatientField>>(new Set())
  const [refused, setRefused] = useState<PatientField | null>(null)
  const all = checkPatient(form)
  const problems: Problems = {}
  for (const field of visited) if (all[field]) problems[field] = all[field]
  if (refused && !problems[refused]) problems[refused] = 'refused'
  return {
    form,
    problems,
    change: (field, value) => {
      if (refused === field) setRefused(null)
      setForm((before) => {
        const after = { ...before, [field]: value }
        if (field !== 'personal_number') return after
        // Every value is entered once: the number tells sex and year of birth.
        const told = fromPersonalNumber(value)
        if (told && after.birth.trim() === '') after.birth = String(told.year)
        if (told && after.sex === '') after.sex = told.sex
        return after
      })
    },
    fill: (patient) => {
      const told = Object.entries(fromPatient(patient)).filter(([, value]) => value !== '')
      setForm((before) => ({ ...before, ...Object.fromEntries(told) }))
    },
    left: (field) => setVisited((before) => new Set(before).add(field)),
    check: () => {
      setVisited(new Set(Object.keys(form) as PatientField[]))
      return Object.keys(all).length === 0
    },
    refuse: (field) => {
      const own = field === 'birth_year' || field === 'birth_date' ? 'birth' : field
      if (own && own in form) setRefused(own as PatientField)
    },
  }
}

export function PatientFields({ editor }: { editor: PatientEditor }): JSX.Element {
  const { form } = editor
  const doubt = contradicts(form)
  const line = (
    field: Exclude<PatientField, 'sex'>, options: { optional?: boolean; inputMode?: 'numeric' | 'tel'; placeholder?: string; hint?: string | null } = {},
  ): JSX.Element => {
    const problem = editor.problems[field]
    return (
      <Field label={t(`patient.${field}` as Key)} required={options.optional === false}
        problem={problem ? t(`problem.${problem}` as Key) : null} hint={options.hint ?? null}>
        {(attributes) => (
          <input {...attributes} {...PRIVATE} value={form[field]} placeholder={options.placeholder}
            inputMode={options.inputMode} data-testid={`patient-${field}`} aria-required={options.optional === false}
            onInput={(event) => editor.change(field, event.currentTarget.value)}
            onBlur={() => editor.left(field)} />
        )}
      </Field>
    )
  }
  return (
    <div class="patient-fields">
      <div class="span-2">{line('name', { optional: false })}</div>
      {line('personal_number', { inputMode: 'numeric', placeholder: t('patient.personal_number.hint'), hint: doubt === 'personal_number' ? t('patient.province-unknown') : null })}
      {line('birth', {
        placeholder: t('patient.birth.hint'), hint: doubt === 'birth' ? t('patient.contradicts') : null,
      })}
      <fieldset class="field">
        <legend>{t('patient.sex')}</legend>
        <div class="segments">
          {SEXES.map((sex) => (
            <label key={sex} class={form.sex === sex ? 'on' : ''}>
              <input type="radio" name="sex" value={sex} checked={form.sex === sex} data-testid={`sex-${sex}`}
                onChange={() => editor.change('sex', sex)} />
              {t(`sex.${sex}` as Key)}
            </label>
          ))}
        </div>
        {doubt === 'sex' && <p class="note">{t('patient.contradicts')}</p>}
      </fieldset>
      {line('insurance', { placeholder: t('patient.insurance.hint') })}
      {line('phone', { inputMode: 'tel' })}
      {line('address')}
      {line('device_ids', { placeholder: t('patient.device_ids.hint') })}
    </div>
  )
}
