import type { Patient, Sex } from '../protocol'

/** What stands in the form, as typed. */
export interface PatientForm {
  name: string
  birth: string
  sex: Sex | ''
  personal_number: string
  insurance: string
  phone: string
  address: string
  device_ids: string
}

export const EMPTY_FORM: PatientForm = {
  name: '', birth: '', sex: '', personal_number: '', insurance: '', phone: '', address: '', device_ids: '',
}

export type PatientField = keyof PatientForm

export type FieldProblem =
  | 'name-missing' | 'birth-form' | 'birth-future' | 'personal-number-form' | 'insurance-form'
  | 'phone-form' | 'too-long' | 'refused'

export type Problems = Partial<Record<PatientField, FieldProblem>>

const LIMITS: Partial<Record<PatientField, number>> = { name: 120, address: 300, device_ids: 200 }

export function squeeze(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim()
}

const compact = (text: string): string => text.replace(/[\s.\-]/g, '').toUpperCase()

/** "1962" or "3/4/1962" (also with . or -), day first. Null: not a date. */
export function parseBirth(text: string): { year: number; date?: string } | null {
  const trimmed = text.trim()
  if (/^\d{4}$/.test(trimmed)) {
    const year = Number(trimmed)
    return year >= 1880 ? { year } : null
  }
  const match = /^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})$/.exec(trimmed)
  if (!match) return null
  const [day, month, year] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const date = new Date(Date.UTC(year, month - 1, day))
  if (year < 1880 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  return { year, date: date.toISOString().slice(0, 10) }
}

export function checkPatient(form: PatientForm, today = new Date()): Problems {
  const problems: Problems = {}
  if (squeeze(form.name) === '') problems.name = 'name-missing'
  for (const [field, limit] of Object.entries(LIMITS) as [PatientField, number][])
    if (form[field].length > limit) problems[field] = 'too-long'
  if (form.birth.trim() !== '') {
    const birth = parseBirth(form.birth)
    if (!birth) problems.birth = 'birth-form'
    else if ((birth.date ?? `${birth.year}`) > today.toISOString().slice(0, birth.date ? 10 : 4))
      problems.birth = 'birth-future'
  }
  if (form.personal_number.trim() !== '' && !/^\d{12}$/.test(compact(form.personal_number)))
    problems.personal_number = 'personal-number-form'
  if (form.insurance.trim() !== '' && !/^(\d{10}|[A-Z]{2}\d{13})$/.test(compact(form.insurance)))
    problems.insurance = 'insurance-form'
  if (form.phone.trim() !== '' && !/^\+?\d{9,12}$/.test(compact(form.phone)))
    problems.phone = 'phone-form'
  return problems
}

/** Sex and year of birth stand in the personal number (Decree 137/2015, article 13): the fourth
 * digit tells century and sex, the next two the year. */
export function fromPersonalNumber(text: string): { sex: Sex; year: number } | null {
  const digits = compact(text)
  if (!/^\d{12}$/.test(digits)) return null
  const code = Number(digits[3])
  return {
    sex: code % 2 === 0 ? 'male' : 'female',
    year: 1900 + Math.floor(code / 2) * 100 + Number(digits.slice(4, 6)),
  }
}

/** The form says something else than the personal number: worth a second look, no error. */
export function contradicts(form: PatientForm): PatientField | null {
  const told = fromPersonalNumber(form.personal_number)
  if (!told) return null
  const birth = parseBirth(form.birth)
  if (birth && birth.year !== told.year) return 'birth'
  if ((form.sex === 'male' || form.sex === 'female') && form.sex !== told.sex) return 'sex'
  return null
}

export function toPatient(form: PatientForm): Patient {
  const patient: Patient = { unknown: false, name: squeeze(form.name) }
  const birth = parseBirth(form.birth)
  if (birth) {
    patient.birth_year = birth.year
    if (birth.date) patient.birth_date = birth.date
  }
  if (form.sex) patient.sex = form.sex
  if (form.personal_number.trim()) patient.personal_number = compact(form.personal_number)
  if (form.insurance.trim()) patient.insurance = compact(form.insurance)
  if (form.phone.trim()) patient.phone = compact(form.phone)
  if (form.address.trim()) patient.address = squeeze(form.address)
  const ids = form.device_ids.split(/[,;]/).map((id) => id.trim()).filter(Boolean)
  if (ids.length) patient.device_ids = ids
  return patient
}

export function fromPatient(patient: Patient | null | undefined): PatientForm {
  if (!patient) return EMPTY_FORM
  const [year, month, day] = (patient.birth_date ?? '').split('-')
  return {
    name: patient.name ?? '',
    birth: day ? `${day}/${month}/${year}` : patient.birth_year ? String(patient.birth_year) : '',
    sex: patient.sex ?? '',
    personal_number: patient.personal_number ?? '',
    insurance: patient.insurance ?? '',
    phone: patient.phone ?? '',
    address: patient.address ?? '',
    device_ids: (patient.device_ids ?? []).join(', '),
  }
}
