import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Refusal } from '../link/socket'
import { readRecord, type ReadRecord } from '../playback/record'
import { NoteCard } from '../notes/editor'
import { ProblemTitle } from '../notes/problems'
import type { Consultation, ConsultationRecord, ConsultationState, Mode } from '../protocol'
import { t, word, type Key } from '../text'
import { Button, Dialog, Notice, Pill, dateOf, refusalText, useAction } from '../ui/parts'
import { useConsole } from './context'
import { UnlockDialog } from './records'

export interface Earlier {
  consultation: string
  day: string
  state?: ConsultationState
  mode?: Mode
  reason?: string
  doctor?: string
}

/** Earlier consultations of a patient; one is read without leaving the one on screen. */
export function EarlierList({ consultations }: { consultations: Earlier[] }): JSX.Element {
  const [open, setOpen] = useState<string | null>(null)
  return (
    <ul class="rows" data-testid="earlier">
      {consultations.map((one) => (
        <li key={one.consultation}>
          <button type="button" class="row-button" data-testid="earlier-open" onClick={() => setOpen(one.consultation)}>
            <span class="grow">
              <strong>{dateOf(one.day)}</strong>
              <small>{[one.reason, one.mode && t(`mode.${one.mode}` as Key)].filter(Boolean).join(' · ')}</small>
            </span>
            {one.state && <Pill>{word('state', one.state)}</Pill>}
          </button>
        </li>
      ))}
      {open && <EarlierDialog id={open} onClose={() => setOpen(null)} />}
    </ul>
  )
}

/** The patient of the consultation on screen, before: asked for, since each look is logged. */
export function PatientHistory({ consultation }: { consultation: Consultation }): JSX.Element | null {
  const client = useConsole()
  const { patient } = consultation
  const [found, setFound] = useState<Earlier[] | null>(null)
  const [unlocking, setUnlocking] = useState(false)
  const { busy, problem, run } = useAction()
  const wanted = patient.personal_number ?? patient.insurance ??
    [patient.name, patient.birth_year].filter(Boolean).join(' ')
  if (!wanted) return null
  const look = (): Promise<boolean> => run(async () => {
    try {
      const answer = await client.ask('patient.find', { text: wanted })
      const all = (answer['patients'] as { consultations: Earlier[] }[]).flatMap(({ consultations }) => consultations)
      setFound(all.filter((one) => one.consultation !== consultation.id))
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'locked')) throw error
      setUnlocking(true)
    }
  })
  return (
    <section data-testid="patient-history">
      <h3>{t('earlier.title')}</h3>
      {problem && <Notice look="bad">{problem}</Notice>}
      {found === null
        ? <Button icon="list" busy={busy} testid="earlier-look" onClick={() => void look()}>{t('earlier.look')}</Button>
        : found.length === 0 ? <p class="quiet">{t('earlier.none')}</p> : <EarlierList consultations={found} />}
      {unlocking && <UnlockDialog onClose={() => setUnlocking(false)} onOpen={() => {
        setUnlocking(false)
        void look()
      }} />}
    </section>
  )
}

function EarlierDialog({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [record, setRecord] = useState<ReadRecord | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [asked, setAsked] = useState(false)
  if (!asked) {
    setAsked(true)
    client.ask('record.open', { consultation: id })
      .then((answer) => setRecord(readRecord(answer['record'] as ConsultationRecord, (user) => user)))
      .catch((error: unknown) => setProblem(refusalText(error)))
  }
  return (
    <Dialog title={record ? `${dateOf(record.started)} · ${record.reason}` : t('record.opening')} onClose={onClose} testid="earlier-dialog" wide>
      <div class="dialog-body notes">
        {problem && <Notice look="bad">{problem}</Notice>}
        {record?.problems.map((one) => (
          <article key={one.problem} class="problem-card"><header><ProblemTitle problem={one} /></header><p>{one.text}</p></article>
        ))}
        {record?.notes.map((note) => <NoteCard key={note.note} note={note} />)}
        {record && record.conclusion && <p><small>{t('conclusion')}</small><br />{record.conclusion}</p>}
      </div>
      <footer><Button onClick={onClose}>{t('do.close')}</Button></footer>
    </Dialog>
  )
}
