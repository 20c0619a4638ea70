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
  | 'insurance-class' | 'insurance-level' | 'phone-form' | 'too-long' | 'refused'

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

/** Classes of the insured, as station/cccd.c has them. */
const CLASSES = new Set(('DN HX CH NN TK HC XK HT TB NO CT XB TN CS XN MS HD TE BT HN DT DK XD TS TC TQ TA TY HG LS CN ' +
  'HS SV GB GD QN CA CY CC CK CB KC XV TG PV TV TD TU BA NU TH TL TX ND').split(' '))

/** 10 digits, or class, level of benefit, province and those 10 digits. */
export function checkInsurance(card: string): FieldProblem | null {
  if (card === '' || /^\d{10}$/.test(card)) return null
  if (!/^[A-Z]{2}\d{13}$/.test(card)) return 'insurance-form'
  if (!CLASSES.has(card.slice(0, 2))) return 'insurance-class'
  return /^..[1-5]/.test(card) ? null : 'insurance-level'
}

/** Codes of provinces and cities of birth registration (Circular 59/2021/TT-BCA). */
const PROVINCES = new Set(('1 2 4 6 8 10 11 12 14 15 17 19 20 22 24 25 26 27 30 31 33 34 35 36 37 38 40 42 44 45 46 48 49 51 52 ' +
  '54 56 58 60 62 64 66 67 68 70 72 74 75 77 79 80 82 83 84 86 87 89 91 92 93 94 95 96').split(' ').map(Number))

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
  const insurance = checkInsurance(compact(form.insurance))
  if (insurance) problems.insurance = insurance
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
  if (!PROVINCES.has(Number(compact(form.personal_number).slice(0, 3)))) return 'personal_number'
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
