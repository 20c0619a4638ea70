import type { Attachment } from '../dicom/object'
import type {
  Consent, ConsultationRecord, ConsultationState, EcgItem, Mode, Note, Observation, Patient, PictureView, Problem,
  RecordRow,
} from '../protocol'
import { readTrack, timeline, type Timeline, type Track } from './schedule'

/** Something that has its place on the timeline. */
export interface Moment {
  at: number
  kind: 'note' | 'event' | 'recording' | 'consent' | 'mark'
  title: string
  detail: string
  note?: Note
}

/** A record as the page shows it: newest versions, and times in seconds of the recording. */
export interface ReadRecord {
  id: string
  state: ConsultationState
  mode: Mode | null
  reason: string
  /** UTC of second 0 of the timeline, ms. */
  started: number
  patient: Patient
  consents: Consent[]
  notes: Note[]
  problems: Problem[]
  conclusion: string
  observations: Observation[]
  people: { name: string; facility: string; role: string }[]
  moments: Moment[]
  tracks: Track[]
  /** Where a moment lies, by the station's two clocks: UTC, µs. */
  place: Timeline['place']
  ecgs: EcgItem[]
  attachments: Attachment[]
  pictures: RecordedPictureView[]
}

/** A picture that was taken, or a clip, as the record's rows tell of it. */
export interface RecordedPictureView extends PictureView { at: number }

function last<Body>(rows: RecordRow<Body>[] | undefined): Body | undefined {
  return rows?.[rows.length - 1]?.body
}

/** Newest version of each note, in the order in which they were begun. */
function notes(record: ConsultationRecord, nameOf: (user: string) => string): Note[] {
  const byId = new Map<string, Note>()
  for (const row of record.rows.note ?? []) {
    const { note, kind, text, author, via } = row.body
    byId.set(note, { note, kind, text, user: nameOf(author ?? row.user), at: row.at, ...(via ? { via } : {}) })
  }
  return [...byId.values()].filter(({ text }) => text.trim() !== '')
}

/** Newest version of each conclusion that was not taken back. */
function problems(record: ConsultationRecord): Problem[] {
  const byId = new Map<string, Problem>()
  for (const { body } of record.rows.problem ?? []) byId.set(body.problem, body)
  return [...byId.values()].filter(({ removed }) => !removed)
}

function pictures(record: ConsultationRecord, seconds: (time: string) => number): RecordedPictureView[] {
  return (record.rows.attachment ?? []).filter(({ body }) => body.kind === 'still' || body.kind === 'clip').map(({ at, body }) => {
    const { source = '', width = 0, height = 0, lossless = false, taken = at, by = '', seconds: long, start_us } = body.about
    const { id, mime, size, sha256 } = body
    const clip = body.kind === 'clip' ? { seconds: long ?? 0, start_us: start_us ?? 0 } : {}
    return { picture: id, mime, size, sha256, source, width, height, lossless, taken, by, at: seconds(taken), ...clip }
  })
}

/** nameOf: the name of a user of the station; anybody else's stays as it is. */
export function readRecord(record: ConsultationRecord, nameOf: (user: string) => string): ReadRecord {
  const { rows } = record
  const bodies = (rows.consultation ?? []).map(({ body }) => body)
  const find = <K extends 'mode' | 'reason' | 'started'>(key: K) => bodies.find((body) => body[key] !== undefined)?.[key]
  const began = Date.parse(find('started') ?? rows.consultation?.[0]?.at ?? '')
  const line = timeline(record.tracks, began)
  const seconds = (time: string): number => (Date.parse(time) - line.zero) / 1000
  const written = notes(record, nameOf)
  const people = new Map((rows.guest ?? []).map(({ body }) => [body.guest, body]))
  const moments: Moment[] = [
    ...written.map((note): Moment => ({
      at: seconds(note.at), kind: 'note', title: note.kind, detail: note.text, note,
    })),
    // Consent has rows of its own.
    ...(rows.event ?? []).filter(({ body }) => body.what !== 'consent').map(({ at, body }): Moment => ({
      at: seconds(at), kind: 'event', title: body.what, detail: body.detail ?? '',
    })),
    ...(rows.mark ?? []).map(({ body }): Moment => ({
      at: (body.at_us / 1000 - line.zero) / 1000, kind: 'mark', title: 'mark', detail: body.text,
    })),
    ...(rows.consent ?? []).map(({ at, body }): Moment => ({
      at: seconds(at), kind: 'consent', title: body.kind, detail: '',
    })),
  ]
  if (!(rows.event ?? []).some(({ body }) => body.what.startsWith('recording')))
    for (const { at, body } of rows.recording ?? [])
      moments.push({ at: seconds(at), kind: 'recording', title: body.on ? 'recording-on' : 'recording-off', detail: body.reason ?? '' })
  moments.sort((a, b) => a.at - b.at)
  return {
    id: record.consultation,
    state: record.state,
    mode: find('mode') ?? null,
    reason: find('reason') ?? '',
    started: line.zero,
    patient: last(rows.patient) ?? { unknown: true },
    consents: (rows.consent ?? []).map(({ at, user, body }) => ({ ...body, user: nameOf(user), at })),
    notes: written,
    problems: problems(record),
    conclusion: bodies.map(({ conclusion }) => conclusion ?? '').filter(Boolean).pop() ?? '',
    observations: (rows.observation ?? []).map(({ body }) => body)
      .sort((a, b) => Date.parse(a.time) - Date.parse(b.time)),
    people: [...people.values()].map(({ name, facility, role }) => ({ name, facility: facility ?? '', role: role ?? '' })),
    moments,
    place: line.place,
    ecgs: (rows.attachment ?? []).filter(({ body }) => body.kind === 'ecg').map(({ at, body }) =>
      ({ ...(body.about as Partial<EcgItem> | undefined), ecg: body.id, name: body.name, size: body.size, at })),
    pictures: pictures(record, seconds),
    tracks: record.tracks.map((track) => readTrack(track, line)).filter(({ pieces }) => pieces.length > 0),
    attachments: (record.rows.attachment ?? []).map(({ body, at, user }) => ({ ...body, at, user })),
  }
}

/** Newest reading of each vital at a moment of the recording. */
export function readingsAt(record: ReadRecord, at: number): Map<string, Observation> {
  const until = record.started + at * 1000
  const latest = new Map<string, Observation>()
  for (const observation of record.observations) {
    if (Date.parse(observation.time) > until) break
    if (observation.vital) latest.set(observation.vital, observation)
  }
  return latest
}
