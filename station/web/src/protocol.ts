/* The messages between the station and its pages: docs/protocol.md, version 1. */

import type { CallView, Specialist } from './calls/protocol'
import type { ReadingsNow } from './clinical/brief'

import type { DicomAbout } from './dicom/object'

export type Language = 'vi' | 'en'
/** Text for people that the station wrote. */
export type Said = string | { vi: string; en: string }
/** UTC, ISO 8601 with milliseconds. */
export type Time = string

export type Role = 'doctor' | 'specialist' | 'patient' | 'observer' | 'administrator' | 'nurse' | 'secretary' | 'helper' | 'conference'
export type Mode = 1 | 2 | 3 | 4
export type Sex = 'male' | 'female' | 'other'
export type Purpose = 'treatment' | 'recording' | 'teaching'
export type ConsentKind = 'given' | 'representative' | 'impossible' | 'withdrawn'
export type NoteKind =
  | 'summary' | 'history' | 'allergies' | 'examination' | 'findings' | 'question' | 'opinion' | 'conclusion'
  | 'decision' | 'follow-up' | 'note'
export type ConsultationState =
  | 'scheduled' | 'waiting' | 'live' | 'interrupted' | 'concluding' | 'signed' | 'delivered'
  | 'cancelled'

export interface User { id: string; name: string; role: Role; passphrase?: boolean; tpm?: boolean }

export interface Patient {
  unknown?: boolean
  name?: string
  birth_year?: number
  birth_date?: string
  sex?: Sex
  personal_number?: string
  insurance?: string
  phone?: string
  address?: string
  device_ids?: string[]
}

/** One reading, as docs/devices.md tells. */
export interface Observation {
  /** By which the data channel names it later. */
  no?: number
  vital?: string
  mdc?: number
  code?: string
  loinc?: string
  value?: number
  value_text?: string
  unit?: string
  absent?: string
  time: Time
  time_source?: 'device' | 'device-local' | 'station'
  /** When the station got it from a device. */
  received?: Time
  device?: string
  patient?: { id?: string; name?: string }
  site?: string
  alarm_range?: string
  flags: string[]
  status?: string
  test: boolean
}

export interface Consent {
  kind: ConsentKind
  purposes: Purpose[]
  by?: string | null
  relation?: string | null
  reason?: string | null
  user?: string
  at?: Time
}

export interface Note {
  note: string
  kind: NoteKind
  text: string
  user: string
  at: Time
  /** Not a version yet: somebody is typing. */
  draft?: boolean
  via?: 'telephone'
  /** When its author, proven by a sign-in, confirmed this version. */
  confirmed?: Time
}

/** The conclusion on one problem, or a specialist's proposal of one. */
export interface Problem {
  problem: string
  icd10?: string | null
  title: string
  text: string
  removed?: boolean
  author?: string
  proposed_by?: string
  at?: Time
}
export interface Mark { at_us: number; text: string; at?: Time; user?: string }
export interface Facility { id?: string; name: string; code?: string; address?: string; phone?: string }
export interface Facilities { own: Facility; consulted: Facility[] }
export interface IcdItem { code: string; vi: string; en: string }

export type GuestState = 'lobby' | 'admitted' | 'live' | 'away'
/** What a link carries of pictures: all, smaller ones, or sound and stills only. */
export type Sight = 'full' | 'smaller' | 'stills'

/** How a stream arrives at a page: sums since its connection began. */
export interface StreamFigures {
  stream: string
  kind: 'video' | 'audio'
  lost?: number
  packets?: number
  freezes?: number
  frozen_ms?: number
  frames?: number
  concealed_ms?: number
  sound_ms?: number
}
export type AddressKind = 'host' | 'srflx' | 'prflx' | 'relay'
export interface PeerFigures {
  state?: MediaPhase
  rtt_ms?: number
  loss?: number
  estimate_bps?: number
  sent_bps?: number
  received_bps?: number
  relayed?: boolean
  path?: { local: AddressKind; remote: AddressKind; ip: 4 | 6 } | null
  sent?: { stream: string; kind: 'video' | 'audio'; rung: number; bps: number; width: number; height: number }[]
  streams?: StreamFigures[]
  sight?: Sight
}
/** Where specialists sign in. */
export interface Provider { provider: string; title: string; issuer: string; client_id: string; scope: string }
/** Who somebody is, proven by a sign-in. */
export interface ProvenIdentity { method: 'oidc' | 'passkey' | 'password' | 'certificate'; provider: string; issuer: string; subject: string; name: string }
export interface Guest {
  guest: string
  identity?: ProvenIdentity
  label?: string
  name: string
  facility?: string
  role: Role
  state: GuestState
  media?: PeerFigures | null
  /** Another phone than the one that the invitation is bound to. */
  other?: boolean
  /** What a patient's page says of who sits before it. */
  about?: GuestAbout
  /** The comparison code, while its peer is connected; same: the doctor has compared it. */
  code?: { code: string; same: boolean }
  /** How it is proven who this is. */
  proven?: string[]
}

export type TestWord = 'good' | 'weak' | 'bad' | 'skipped'
/** What a page found out of its own phone before the call. */
export interface DeviceTests {
  camera?: TestWord
  microphone?: TestWord
  speaker?: TestWord
  link?: TestWord
  rtt_ms?: number
  up_kbps?: number
  down_kbps?: number
}
export interface GuestAbout { as: 'patient' | 'representative'; relation: string; consent?: boolean; tests?: DeviceTests }

/** Where media can be seen: at both ends only, or on a conference server too. */
export type Encryption = 'end-to-end' | 'sfu'

/** The consultation at a conference server: published there, and read back. */
export interface ConferenceView {
  configured: boolean
  reads: boolean
  operator: string
  state: 'off' | 'starting' | 'live' | 'lost'
  reading: 'off' | 'starting' | 'live' | 'lost'
  problem: { code: string; text: Said } | null
  reading_problem: { code: string; text: Said } | null
}
/** Another program that publishes into this consultation. */
export interface Publisher { publisher: string; name: string; state: 'waiting' | 'live' }

/** A checkup that is planned and has not begun. */
export interface Appointment {
  appointment: string
  at: Time
  minutes: number
  opens: Time
  closes: Time
  /** Is the link open now? */
  time: 'early' | 'open' | 'late'
  /** False: nobody vouches for the station's clock; nothing is too early or too late. */
  clock: boolean
  reason: string
  mode: Mode
  patient: Patient
  phone?: string
  representative?: { name: string; relation: string }
  invite?: string
  state?: InviteState
  tries_left?: number
  bound?: boolean
  guests: Guest[]
}
/** What the patient gets: the link, and apart from it the PIN. */
export interface VisitCard { appointment: string; invite: string; link: string; qr: string; pin: string; message: string; gateway: boolean }

export type InviteState =
  | 'created' | 'armed' | 'lobby' | 'admitted' | 'live' | 'ended' | 'revoked' | 'burnt' | 'expired'
export interface Invite { invite: string; name: string; role: Role; state: InviteState; link?: string }

export interface Happening { at: Time; what: string; detail?: string | null }

export interface SourceView {
  name: string
  kind?: 'video' | 'audio'
  /** What is kept of it while bits are short; a stethoscope is a kind of its own. */
  prefer?: 'balanced' | 'motion' | 'detail' | 'stethoscope'
  state: 'starting' | 'running' | 'missing' | 'stopped'
  reason?: string | null
  recording?: boolean
}

/** A TURN relay of the configuration, and what it said when it was asked. */
export interface RelayView { relay: string; level: 'good' | 'bad'; code: string; text: Said }

/** The broker that people elsewhere come through. `text`: while it is not reached. */
export interface BrokerView { broker: string | null; connected: boolean; level: 'good' | 'bad'; code?: string; text?: Said }

/** What waits of a device, and of it what names another patient. */
export interface HeldBack { count: number; who: { id: string; name?: string }[] }
export interface DeviceView {
  device: string
  sender?: string
  last?: Time
  consultation?: string | null
  room?: boolean
  waiting?: number
  held?: HeldBack
}

/** An alarm of a device that stands, as the device says: never a primary alarm. */
export interface AlarmView {
  alarm?: string
  text?: string
  priority?: 'none' | 'low' | 'medium' | 'high'
  kind?: 'physiological' | 'technical' | 'advisory'
  state?: string
  inactivation?: string
  vital?: string
  device?: string
  since: Time
  test: boolean
}

export interface BluetoothFound { device: string; name: string; kind: string; signal: 'good' | 'fair' | 'weak' | 'none' }
export interface BluetoothPaired {
  device: string
  name: string
  kind: string
  /** Belongs to the room: its readings go to the consultation on screen. */
  room: boolean
  about: { manufacturer?: string; model?: string; firmware?: string }
}
export interface BluetoothView {
  state: 'ready' | 'absent' | 'no-adapter' | 'blocked' | 'off'
  /** What is wrong, when it is not ready. */
  text?: Said
  searching: boolean
  found: BluetoothFound[]
  paired: BluetoothPaired[]
  pairing: { device: string; question?: 'show' | 'enter' | 'confirm' | null; passkey?: string } | null
}

export interface RecordingView { on: boolean; allowed?: boolean; since?: Time | null; tracks?: number }

export type DiskLevel = 'good' | 'low' | 'full'

/** An ECG of a file, as lists show it; the samples come by `ecg.get`. */
export interface EcgItem {
  ecg: string
  name: string
  size: number
  at: Time
  format?: string
  patient?: { id?: string; name?: string; birth_date?: string; sex?: string }
  time?: Time
  seconds?: number
  user?: string
  /** It names another patient, and the doctor said that it is this one's. */
  confirmed?: boolean
}

export interface Consultation {
  id: string
  state: ConsultationState
  mode: Mode
  started: Time
  reason: string
  patient: Patient
  consents: Consent[]
  notes: Note[]
  problems?: Problem[]
  proposals?: Problem[]
  marks?: Mark[]
  facilities?: Facilities
  recording: RecordingView
  readings: Observation[]
  alarms?: AlarmView[]
  guests: Guest[]
  invites: Invite[]
  events: Happening[]
  ecgs?: EcgItem[]
  /** How many attachments there are; `attachments.list` tells them. */
  attachments: number
  calls?: CallView[]
  conclusion?: string
  /** How long the law wants it kept, by its diagnoses so far. */
  retention?: { class: RetentionClass; years: number; code: string | null }
  encryption?: Encryption
}

export interface Parked { id: string; patient?: Patient | string | null; since: Time; state?: ConsultationState; mode?: Mode; reason?: string; case?: 'waiting' | 'answered' | null }

/** A device that the station drives itself: what it is doing, and why it does not work. */
export interface FeedView {
  device: string
  name: string
  kind: string
  state: 'searching' | 'live' | 'lost' | 'failed'
  why?: Said
  battery?: number
}

export interface DiskView {
  recording_hours: number
  level: DiskLevel
  /** At the rate of recent use; null: not known yet. */
  days_left?: number | null
  soon?: boolean
  making_room?: boolean
  /** Recordings destroyed to make room since the station started. */
  erased?: number
  stuck?: 'clock' | 'nothing' | 'failed' | null
}

export interface Delivery {
  uuid: string
  consultation: string
  day: string | null
  patient?: Patient | string | null
  target: string
  title: string
  /** "record", "files", "recording", or an attachment's id. */
  item: string
  state: 'queued' | 'sent' | 'receipted' | 'confirmed' | 'withdrawn'
  tries: number
  next?: Time
  problem: Said | null
  /** KiB, of what is being sent. */
  progress?: { done: number; total: number }
  /** When it was read back there, while the vault is open. */
  receipt?: { at: Time; sha256: string }
}
export interface LogWitness { target: string; title: string; size: number; at: Time }
export interface Outbox {
  waiting: number
  call: boolean
  sending: boolean
  items: Delivery[]
  delivered?: Delivery[]
  witnesses: LogWitness[]
  /** Signed consultations whose recording was never queued. */
  older: number
}

export type RetentionClass = 'ordinary' | 'accident' | 'psychiatric' | 'death'
export interface KeptRecord {
  consultation: string
  day: string | null
  due: string | null
  class: RetentionClass
  years: number
  hold: boolean
  reason: string | null
  recording: boolean
  clinical: boolean
  is_due: boolean
  patient?: Patient | string | null
  state?: ConsultationState | null
}
export interface KeptPage {
  clock: 'trusted' | 'not-trusted'
  records: KeptRecord[]
  more: boolean
  counts: { all: number; due: number; held: number }
  policy: { make_room: boolean; age: number }
}
export interface ErasureLine {
  consultation: string
  at: Time
  why: string
  purposes: string[]
  copies: { where: string; what: string }[]
  signed: boolean
  file: string
}
export interface RecoveryRecipient {
  number: number
  subject: string
  sha256: string
  until: string
  confirmed: boolean
  drilled: Time | null
  due: boolean
}

/** A study of a device that nobody has claimed. */
export interface HeldStudy {
  study: string
  sender: string
  modality: string
  description: string
  patient: { id?: string; name?: string }
  objects: number
  at: Time
}

export interface StationState {
  type: 'state'
  user: User | null
  vault: 'open' | 'closed'
  sources: SourceView[]
  relays?: RelayView[]
  /** null: there is none in station.conf */
  broker?: BrokerView | null
  devices: DeviceView[]
  feeds?: FeedView[]
  /** null: switched off in station.conf */
  bluetooth?: BluetoothView | null
  disk: DiskView
  consultation: Consultation | null
  parked: Parked[]
  waiting_readings: number
  held: HeldStudy[]
  /** Specialists on duty, as far as this station knows. */
  duty?: Specialist[]
  /** Desks of hospitals can be rung; who sits there is not known before. */
  duty_far?: boolean
  appointments?: Appointment[]
  conference?: ConferenceView
  publishers?: Publisher[]
}

export interface Finding { level?: 'bad' | 'warn' | 'good'; code: string; text: Said }

export type MediaPhase = 'new' | 'connecting' | 'connected' | 'paused' | 'failed' | 'closed'

export interface ListedRecord {
  consultation: string
  day: string
  /** Absent while the record is locked. */
  state?: ConsultationState | null
  mode?: Mode
  patient?: Patient | string | null
  doctor?: string
  minutes?: number
  locked: boolean
}

export interface RecordRow<Body> { seq: number; user: string; at: Time; body: Body }

/** All rows of a consultation in order of writing, every version of them. */
export interface RecordRows {
  consultation?: RecordRow<{ state?: ConsultationState; mode?: Mode; reason?: string; conclusion?: string; started?: Time }>[]
  patient?: RecordRow<Patient>[]
  consent?: RecordRow<Consent>[]
  note?: RecordRow<{ note: string; kind: NoteKind; text: string; author?: string; via?: 'telephone' }>[]
  problem?: RecordRow<Problem>[]
  proposal?: RecordRow<Problem>[]
  facilities?: RecordRow<Facilities>[]
  mark?: RecordRow<Mark>[]
  observation?: RecordRow<Observation>[]
  guest?: RecordRow<{ guest: string; name: string; facility?: string; role?: Role; state?: string; label?: string; as?: string; relation?: string; proven?: string[] }>[]
  recording?: RecordRow<{ on: boolean; reason?: string }>[]
  attachment?: RecordRow<{
    id: string; kind: string; name: string; mime: string; size: number; sha256: string
    about: {
      source?: string; width?: number; height?: number; lossless?: boolean; taken?: Time; by?: string
      seconds?: number; start_us?: number
    }
  }>[]
  event?: RecordRow<{ what: string; detail?: string | null }>[]
  view?: RecordRow<unknown>[]
  signature?: RecordRow<{ user?: string }>[]
}

export type SignerRole = 'station' | 'doctor' | 'specialist' | 'chair' | 'secretary' | 'patient' | 'representative'
export interface SignatureFinding { verdict: 'good' | 'note' | 'bad'; code: string; text: Said }
export interface SignatureView {
  seq: number
  method: 'seal' | 'key' | 'upload' | 'confirmation'
  role: SignerRole
  name?: string | null
  user?: string | null
  at: Time
  verdict: 'good' | 'note' | 'bad'
  findings: SignatureFinding[]
  certificate?: { subject: string; issuer: string; serial: string; sha256: string; from: Time; until: Time }
  /** Of the first time-stamp that holds, and who says so. */
  stamped?: Time
  stamped_by?: string
  tokens?: number
  statement?: string
  /** A PNG in base64. */
  drawing?: string
}
export interface SignatureReport {
  manifest: { sha256?: string; verdict: 'good' | 'bad'; findings: SignatureFinding[] } | null
  signatures: SignatureView[]
  roles: { role: SignerRole; required: boolean; done: boolean }[]
  verdict: 'good' | 'note' | 'bad'
  /** Time-stamps that are waited for. */
  pending: number
  /** A time-stamping authority is configured. */
  authority: boolean
  /** The user has a key of their own on this station. */
  key: boolean
}

export interface TrackRecord { seq: number; flags: number; pts_us: number; size: number }
export interface TrackSegment {
  id: string
  state: 'open' | 'closed' | 'torn'
  mime?: string
  epoch_us?: number
  /** UTC of media time 0. */
  epoch?: Time
  records: TrackRecord[]
}
export interface TrackIndex {
  stream: string
  label?: string | null
  mime: string
  epoch_us: number
  segments: TrackSegment[]
}

export interface ConsultationRecord {
  consultation: string
  state: ConsultationState
  /** How many readings there are in all; the rows of `observation` may be a thinned-out part. */
  readings: number
  rows: RecordRows
  tracks: TrackIndex[]
}

/** Flags of a record in a media segment (records/segment.h). */
export const RECORD_INIT = 2
export const RECORD_KEY = 4

export interface Hello {
  type: 'hello'
  protocol: number
  version: string
  instance?: string
  station: { id?: string; name: string; phone?: string }
  language?: Language
  /* console */
  users?: User[]
  /** Somebody can sign in by a passkey. */
  passkeys?: boolean
  /** The computer has a security chip that checks PINs. */
  tpm?: boolean
  /** Of who is on duty at the hospital. */
  duty_phone?: string
  ready?: boolean
  problems?: Finding[]
  /* join page */
  nonce?: string
  providers?: Provider[]
  specialists?: 'anybody' | 'proven'
  /** The station has accounts of its own; to which host their passkeys belong. */
  accounts?: boolean
  rp?: string
}

export type MediaMessage =
  | { type: 'media.offer'; sdp: string; reserved?: boolean; servers?: RTCIceServer[]; commit?: string }
  | { type: 'media.code'; nonce: string }
  | { type: 'media.servers'; servers: RTCIceServer[] }
  | { type: 'media.candidate'; mid: string; candidate: string }
  | { type: 'media.state'; state: MediaPhase; reason?: string | null }

export interface Answer {
  type: 'ok' | 'error'
  re?: number
  code?: string
  text?: Said
  field?: string
  tries_left?: number
  seconds?: number
  [field: string]: unknown
}

export type FromStation =
  | Hello
  | StationState
  | MediaMessage
  | Answer
  | { type: 'signed-out'; reason?: string }
  | { type: 'lobby'; position?: number; told?: boolean }
  | { type: 'admitted'; consultation: { id: string }; role: Role; identity?: ProvenIdentity }
  | { type: 'refused'; code: string; text?: Said }
  | { type: 'ended'; code: 'concluded' | 'removed' | 'revoked' | 'cancelled' | 'moved' | 'code-differs' }

/* ---- Data channel `data` ---------------------------------------------------------------- */

export interface Person { label: string; name: string; role: Role; state?: string }

export interface LiveConsultation {
  type: 'consultation'
  state: ConsultationState
  recording: boolean
  patient: Pick<Patient, 'name' | 'birth_year' | 'sex' | 'unknown'> | null
  reason: string
  station: string
  people: Person[]
  sources: SourceView[]
  /** Who listens with which stethoscope: the room's microphone is silent meanwhile. */
  listening?: { label: string; source: string }[]
  disk?: DiskLevel
  alarms?: AlarmView[]
  encryption?: Encryption
  /** Who operates the conference server, while something goes through it. */
  operator?: string
}

/** A picture taken of a camera at its sensor's size; kept in the record. */
export interface PictureView {
  /** Name of the attachment: 64 hex digits. */
  picture: string
  source: string
  mime: string
  size: number
  /** Of its bytes, hex. */
  sha256: string
  /** Of a picture. */
  width?: number
  height?: number
  lossless?: boolean
  /** Of a clip: how long it is, and the media time of its first frame. */
  seconds?: number
  start_us?: number
  taken: Time
  /** Who wanted it. */
  by: string
}
/** Somebody wants a picture: it waits for the doctor, or is being taken. */
export interface PictureAsk { ask: string; source: string; lossless: boolean; label: string; name: string; taken: boolean }
export interface PicturesMessage {
  type: 'pictures'
  /** The newest first. */
  items: PictureView[]
  asks: PictureAsk[]
  /** Specialists need not ask. */
  always: boolean
}

export interface PtzVector { pan: number; tilt: number; zoom: number }
/** A camera that turns. */
export interface PtzCamera {
  source: string
  state: 'asking' | 'ready' | 'unreachable' | 'refused' | 'unfit'
  /** What to do, unless it is ready. */
  text: Said | null
  presets: { preset: string; name: string }[]
  position: PtzVector | null
  moving: boolean
  /** Who moves it. */
  driver: string | null
}
export interface PtzMessage {
  type: 'ptz'
  /** Specialists may drive. */
  allowed: boolean
  cameras: PtzCamera[]
}

/** A frame is about to come over the channel `file`, or cannot. */
export interface DicomFileMessage {
  type: 'dicom.file'
  attachment: string
  frame: number
  form: 'thumb' | 'small' | 'full'
  /** The first 16 bytes of its SHA-256, hex. */
  file: string
  size: number
  error?: string
}

/** The last minute of vital signs before this page came: seconds before `until`, and the value. */
export interface PastReadings { type: 'past'; until: Time; curves: Record<string, [number, number][]> }

export type FromChannel =
  | PastReadings
  | DicomFileMessage
  | { type: 'dicom'; items: { id: string; size: number; about: DicomAbout }[] }
  | FromWaves
  | PicturesMessage
  | PtzMessage
  | { type: 'readings'; items: Observation[]; now?: ReadingsNow[] }
  | { type: 'clock'; now: Time }
  | LiveConsultation
  | ({ type: 'note' } & Note)
  | ({ type: 'link'; machine?: boolean; layers?: number; lean?: boolean } & PeerFigures)
  | { type: 'ecgs'; items: EcgItem[] }
  | { type: 'problems'; problems: Problem[]; proposals: Problem[] }
  | { type: 'icd10'; ask: string; items: IcdItem[] }
  | { type: 'ecg.bytes'; ecg?: string; from?: number; size?: number; data?: string | null }
  | { type: 'saved'; note: string; seq: number }
  | { type: 'error'; code: string; text?: Said; note?: string; stream?: string; ask?: string; problem?: string; ptz?: string }

/* ---- Waves -------------------------------------------------------------------------------- */

export interface WaveLeadView { name?: string | null; unit?: string | null; mdc?: number; scale?: number; offset?: number }
/** A signal source that comes now. */
export interface WaveStreamView {
  stream: number
  device: string
  wave: string
  /** Samples a second: a rational. */
  rate: [number, number]
  test: boolean
  leads: WaveLeadView[]
  /** Which leads this page gets. */
  sent: number[]
  epoch: number
  next: number
}
/** All that there is, smaller packets or larger ones, one lead of each stream, or nothing. */
export type WaveLevel = 'all' | 'slow' | 'some' | 'few' | 'none'
export interface WavesMessage { type: 'waves'; level: WaveLevel; consultation: string | null; streams: WaveStreamView[] }
/** Sample `index` was taken at `us`, the station's CLOCK_MONOTONIC. */
export interface WaveClockMap { stream: number; epoch: number; index: number; us: number; period_us: number }
/** A picture's RTP timestamp and the time at which it was taken, of a stream of this peer. */
export interface FrameClock { stream: string; rtp: number; us: number }
export type FromWaves =
  | WavesMessage
  | { type: 'waves.clock'; maps: WaveClockMap[]; frames?: FrameClock[] }
  | { type: 'waves.filled'; epoch: number; first?: number; count?: number; data?: string; done?: boolean }

/** A row of waves in a record. */
export interface RecordedWave {
  seq: number
  device: string
  wave: string
  rate: [number, number]
  leads: WaveLeadView[]
  test: boolean
  epoch: number
  first: number
  count: number
  /** CLOCK_MONOTONIC of the first sample, and UTC of it, µs. */
  mono_us?: number
  start_us: number
  period_us?: number
  data: string
}
