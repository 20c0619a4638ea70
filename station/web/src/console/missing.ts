import { consented } from '../consent'
import type { Consultation } from '../protocol'
import type { Key } from '../text'

/** Which sections of the consultation are still empty, by the names of their texts: worth a look before
 * signing, and no reason that keeps anybody from it. */
export function missingSections(consultation: Consultation): Key[] {
  const written = new Set(consultation.notes.filter(({ text }) => text.trim() !== '').map(({ kind }) => kind))
  const missing: Key[] = []
  const want = (there: boolean, key: Key): void => {
    if (!there) missing.push(key)
  }
  want(!consultation.patient.unknown && Boolean(consultation.patient.name), 'patient.identify')
  want(Boolean(consultation.patient.personal_number), 'patient.personal_number')
  want(consented(consultation.consents).has('treatment'), 'consent.title')
  want(written.has('summary'), 'note.summary')
  want(written.has('history'), 'note.history')
  want(written.has('allergies'), 'note.allergies')
  want(written.has('examination'), 'note.examination')
  if (consultation.mode >= 3) {
    want((consultation.facilities?.consulted.length ?? 0) > 0, 'facilities.consulted')
    want(written.has('question'), 'note.question')
    want(written.has('opinion'), 'note.opinion')
  }
  want((consultation.problems?.length ?? 0) > 0, 'problems')
  want(written.has('decision'), 'note.decision')
  want(written.has('follow-up'), 'note.follow-up')
  return missing
}
