/* Calls for specialists, as consoles and desks see them: docs/protocol.md, Calls and Desk. */

import type { NoteKind, Observation, Sex, Time } from '../protocol'

export const SPECIALTIES = [
  'general', 'internal', 'cardiology', 'respiratory', 'emergency', 'surgery', 'obstetrics', 'paediatrics', 'neurology',
  'infectious', 'endocrine', 'dermatology', 'ophthalmology', 'ent', 'dental', 'psychiatry', 'oncology', 'traditional',
  'imaging',
] as const
export type Specialty = (typeof SPECIALTIES)[number]
export const URGENCIES = ['routine', 'urgent', 'emergency'] as const
export type Urgency = (typeof URGENCIES)[number]
export const REASONS = ['busy', 'other-specialty', 'more-needed', 'transfer', 'other'] as const
export type Reason = (typeof REASONS)[number]

export type CallState =
  | 'requested' | 'ringing' | 'accepted' | 'handing' | 'unanswered' | 'later' | 'answered' | 'ended' | 'cancelled'

export interface Specialist { id: string; name: string; facility: string; specialties?: Specialty[] }

/** What the doctor released: nothing else of the patient is in a call. */
export interface CallSummary {
  name?: string
  birth_year?: number
  sex?: Sex
  reason?: string
  question?: string
  notes: { kind: NoteKind; text: string; user: string }[]
  readings: Pick<Observation, 'vital' | 'value' | 'value_text' | 'unit' | 'time' | 'absent' | 'test'>[]
}

interface CallCommon {
  call: string
  state: CallState
  specialty: Specialty
  urgency: Urgency
  asked: Time
  summary: CallSummary
  taken: Specialist | null
  taken_at: Time | null
  /** Until whoever is rung is given up. */
  seconds: number | null
}

export interface CallStep { level: string; title: string; all: boolean }
/** At the console. */
export interface CallView extends CallCommon {
  why: string | null
  rung: Specialist[]
  step: CallStep | null
  next: CallStep | null
  declines: (Specialist & { reason: Reason; text: string; at: Time })[]
  files: string[]
  note: string | null
}

/** A still or a clip that goes with a case. */
export interface CaseFile {
  id: string
  kind: string
  name: string
  mime: string
  size: number
  sha256: string
  source?: string
  width?: number
  height?: number
  lossless?: boolean
  seconds?: number
  start_us?: number
  taken?: Time
  by?: string
}

/** At a desk. */
export interface DeskCall extends CallCommon {
  by: string
  rings: boolean
  mine: boolean
  declined: boolean
  link: string | null
  files: CaseFile[]
}

export interface DeskCalls {
  type: 'desk.calls'
  me: Specialist
  duty: boolean
  calls: DeskCall[]
  on_duty: Specialist[]
  now: Time
}
