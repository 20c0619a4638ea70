import assert from 'node:assert/strict'
import { test } from 'node:test'
import { age, clockTime } from '../clinical/age'
import {
  checkInsurance, checkPatient, contradicts, EMPTY_FORM, fromPatient, fromPersonalNumber, parseBirth, toPatient,
} from '../clinical/patient'
import { BriefReadings } from '../clinical/brief'
import { freshness, newest, shownFlags, vitals } from '../clinical/vitals'
import type { Observation } from '../protocol'

const T = Date.parse('2026-11-20T02:03:12.000Z')

function observation(vital: string, value: string, after = 0, more: Partial<Observation> = {}): Observation {
  return {
    vital, value: Number(value), value_text: value, unit: '/min', time: new Date(T + after * 1000).toISOString(),
    flags: [], test: false, ...more,
  }
}
const panel = (...items: Observation[]) => new Map(vitals(newest(new Map(), items)).map((vital) => [vital.key, vital]))

test('age is said in the unit a person would use', () => {
  assert.deepEqual(age(-60_000), { unit: 'now', count: 0 })
  assert.deepEqual(age(1_999), { unit: 'now', count: 0 })
  assert.deepEqual(age(59_999), { unit: 'seconds', count: 59 })
  assert.deepEqual(age(60_000), { unit: 'minutes', count: 1 })
  assert.deepEqual(age(3_599_999), { unit: 'minutes', count: 59 })
  assert.deepEqual(age(3_600_000), { unit: 'hours', count: 1 })
  assert.deepEqual(age(49 * 3_600_000), { unit: 'days', count: 2 })
  assert.equal(clockTime(65), '1:05')
  assert.equal(clockTime(3725.9), '1:02:05')
  assert.equal(clockTime(-3), '0:00')
})

test('readings told in short keep the words that were told before', () => {
  const brief = new BriefReadings()
  const whole = observation('temp', '36.5', 0, { unit: 'Cel', no: 1, received: new Date(T).toISOString() })
  assert.deepEqual(brief.take([whole]), [whole])
  const time = new Date(T + 1000).toISOString()
  const [again, ...rest] = brief.take([], [{ time, values: [[1, '36.70'], [2, '99']] }])
  assert.equal(rest.length, 0, 'a number that was never told is left out')
  delete whole.received
  assert.deepEqual(again, { ...whole, value: 36.7, value_text: '36.70', time }, 'its value and times are new')
})

test('a continuous value greys and vanishes, a spot value only greys', () => {
  assert.equal(freshness('hr', 14_000), 'fresh')
  assert.equal(freshness('hr', 16_000), 'old')
  assert.equal(freshness('spo2', 301_000), 'blank')
  assert.equal(freshness('nibp', 301_000), 'fresh')
  assert.equal(freshness('nibp', 1_801_000), 'old')
})

test('an older reading never replaces a newer one', () => {
  const after = newest(new Map(), [observation('hr', '72', 5), observation('hr', '155', 0)])
  assert.equal(after.get('hr')?.value_text, '72')
})

test('precision is the device\'s: 36.0 stays 36.0', () => {
  assert.equal(panel(observation('temp', '36.0')).get('temp')?.value, '36.0')
})

test('blood pressure is one panel of one measurement', () => {
  const whole = panel(
    observation('nibp-sys', '128'), observation('nibp-dia', '82'), observation('nibp-mean', '97', 1, { flags: ['H'] }),
  ).get('nibp')
  assert.equal(whole?.value, '128/82 (97)')
  assert.deepEqual(whole?.flags, ['H'])
  const mixed = panel(observation('nibp-sys', '128', 60), observation('nibp-dia', '82', 0)).get('nibp')
  assert.equal(mixed?.value, '128/–', 'a diastolic value of an older measurement is left out')
})

test('parts of two cuffs, or in two units, are not one blood pressure', () => {
  const units = panel(observation('nibp-sys', '16', 1, { unit: 'kPa' }), observation('nibp-dia', '82', 0, { unit: 'mm[Hg]' })).get('nibp')
  assert.equal(units?.value, '16/–')
  assert.equal(units?.unit, 'kPa')
  const cuffs = panel(observation('nibp-sys', '128', 1, { device: 'a' }), observation('nibp-dia', '82', 0, { device: 'b' })).get('nibp')
  assert.equal(cuffs?.value, '128/–')
})

test('a device whose clock is ahead neither stays fresh for ever nor hides the others', () => {
  const ahead = { flags: ['clock-ahead'], received: new Date(T).toISOString() }
  assert.equal(panel(observation('hr', '72', 86_400, ahead)).get('hr')?.time, T)
  assert.equal(panel(observation('hr', '72', 86_400, ahead), observation('hr', '75', 5)).get('hr')?.value, '75')
})

test('what the device takes back is no value any more', () => {
  const spo2 = panel(observation('spo2', '97'), observation('spo2', '97', 0, { value: undefined, absent: 'withdrawn', flags: ['withdrawn'] })).get('spo2')
  assert.equal(spo2?.value, '')
  assert.equal(spo2?.absent, 'withdrawn')
})

test('without a value there is none shown, and the reason stays', () => {
  const hr = panel(observation('hr', 'NaN', 0, { value: undefined, absent: 'unparsable' })).get('hr')
  assert.equal(hr?.value, '')
  assert.equal(hr?.absent, 'unparsable')
})

test('the oximeter\'s pulse stands in for a missing heart rate, but not beside one', () => {
  assert.equal(panel(observation('pulse', '80')).has('hr'), false)
  assert.ok(panel(observation('pulse', '80'), observation('hr', '81')).has('pulse'))
})

test('flags: the worst first, the unimportant left out', () => {
  const hr = panel(observation('hr', '500', 0, { flags: ['H', 'ALACT', 'implausible'] })).get('hr')!
  assert.deepEqual(shownFlags(hr), ['implausible', 'H'])
})

test('dates of birth as people write them', () => {
  assert.deepEqual(parseBirth('1962'), { year: 1962 })
  assert.deepEqual(parseBirth(' 3/4/1962 '), { year: 1962, date: '1962-04-03' })
  assert.deepEqual(parseBirth('03-04-1962'), { year: 1962, date: '1962-04-03' })
  assert.equal(parseBirth('31/2/1962'), null)
  assert.equal(parseBirth('62'), null)
  assert.equal(parseBirth('1862'), null)
})

test('fields of the patient are checked', () => {
  const today = new Date('2026-11-20T00:00:00Z')
  assert.deepEqual(checkPatient({ ...EMPTY_FORM, name: 'Lò Văn Pành' }, today), {})
  assert.deepEqual(
    checkPatient({
      ...EMPTY_FORM, name: '  ', birth: '21/11/2026', personal_number: '01234567890', insurance: 'GD47901234567', phone: '12',
    }, today),
    {
      name: 'name-missing', birth: 'birth-future', personal_number: 'personal-number-form',
      insurance: 'insurance-form', phone: 'phone-form',
    },
  )
  for (const insurance of ['0123456789', 'GD4790123456789', 'gd 4 79 0123456789'])
    assert.deepEqual(checkPatient({ ...EMPTY_FORM, name: 'A', insurance }, today), {}, insurance)
  assert.equal(checkPatient({ ...EMPTY_FORM, name: 'A'.repeat(121) }, today).name, 'too-long')
})

test('the personal number tells sex and year of birth', () => {
  assert.deepEqual(fromPersonalNumber('010162001234'), { sex: 'female', year: 1962 })
  assert.deepEqual(fromPersonalNumber('010 205 001234'), { sex: 'male', year: 2005 })
  assert.equal(fromPersonalNumber('0101620012'), null)
  const form = { ...EMPTY_FORM, name: 'A', personal_number: '010162001234' }
  assert.equal(contradicts({ ...form, birth: '1963' }), 'birth')
  assert.equal(contradicts({ ...form, birth: '1962', sex: 'male' }), 'sex')
  assert.equal(contradicts({ ...form, birth: '2/3/1962', sex: 'female' }), null)
})

test('what is sent has the form of the protocol, and comes back as it was typed', () => {
  const form = {
    ...EMPTY_FORM, name: ' Vàng  Thị Mỷ '.normalize('NFD'), birth: '03/04/1962', sex: 'female' as const,
    personal_number: '0101 6200 1234', insurance: 'gd4790123456789', device_ids: '0100123, B7',
  }
  const patient = toPatient(form)
  assert.deepEqual(patient, {
    unknown: false, name: 'Vàng Thị Mỷ', birth_year: 1962, birth_date: '1962-04-03', sex: 'female',
    personal_number: '010162001234', insurance: 'GD4790123456789', device_ids: ['0100123', 'B7'],
  })
  assert.equal(fromPatient(patient).birth, '03/04/1962')
  assert.deepEqual(toPatient(fromPatient(patient)), patient)
})

test('an insurance card: form, class and level, with a way out in each case', () => {
  assert.equal(checkInsurance(''), null)
  assert.equal(checkInsurance('0123456789'), null)
  assert.equal(checkInsurance('DT2110123456789'), null)
  assert.equal(checkInsurance('QQ2110123456789'), 'insurance-class')
  assert.equal(checkInsurance('DT7110123456789'), 'insurance-level')
  assert.equal(checkInsurance('DT211012345678'), 'insurance-form')
})

test('a number of no province is worth a second look', () => {
  const form = { ...EMPTY_FORM, name: 'Lò Thị Lan', personal_number: '003162000123' }
  assert.equal(contradicts(form), 'personal_number')
  assert.deepEqual(checkPatient(form), {})
})
