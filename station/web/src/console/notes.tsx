import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useCell } from '../observable'
import type { Consultation, NoteKind, Problem, User } from '../protocol'
import { Draft } from '../notes/draft'
import { DraftEditor, NoteCard } from '../notes/editor'
import { ProblemList, Proposals } from '../notes/problems'
import { t, type Key } from '../text'
import { Button } from '../ui/parts'
import type { Console } from './client'
import { useConsole } from './context'
import { FacilitiesForm } from './facilities'

/** The form from top to bottom, as a consultation goes. */
const SECTIONS: { title: Key; kinds: NoteKind[] }[] = [
  { title: 'form.told', kinds: ['summary', 'history', 'allergies'] },
  { title: 'form.examined', kinds: ['examination', 'findings'] },
  { title: 'form.asked', kinds: ['question'] },
  { title: 'form.decided', kinds: ['decision', 'follow-up'] },
  { title: 'form.more', kinds: ['note'] },
]
const OWN = SECTIONS.flatMap(({ kinds }) => kinds)

const SETTLE_MS = 2000

/** One draft for each kind, consultation and author: what another doctor wrote stays hers. They live
 * outside of the components so that a change of tab loses nothing. */
const drafts = new Map<string, Draft>()

function draftOf(client: Console, consultation: Consultation, kind: NoteKind, author: User): Draft {
  const key = `${consultation.id} ${author.id} ${kind}`
  const own = consultation.notes
    .filter((note) => note.kind === kind && (note.user === author.name || note.user === author.id)).pop()
  let draft = drafts.get(key)
  if (!draft) {
    // A retry must never go out under the name of whoever signed in meanwhile, nor into another
    // consultation.
    const guarded = (send: typeof client.saveNote) => async (note: string, noteKind: NoteKind, text: string) => {
      if (client.user.get()?.id !== author.id || client.state.get()?.consultation?.id !== consultation.id)
        throw new Error('another user or consultation')
      return send.call(client, note, noteKind, text)
    }
    draft = new Draft(own?.note ?? crypto.randomUUID(), kind, own?.text ?? '', guarded(client.saveNote),
      guarded(client.keepNote), own?.draft ?? false)
    drafts.set(key, draft)
  }
  return draft
}

/** Before a user leaves: what she wrote is saved under her name, then nothing of it stays here. */
export async function settleDrafts(): Promise<void> {
  await Promise.all([...drafts.values()].map((draft) => draft.settle(SETTLE_MS)))
  for (const draft of drafts.values()) draft.end()
  drafts.clear()
}

export function NotesTab({ consultation, onTelephone }: { consultation: Consultation; onTelephone: () => void }): JSX.Element {
  const client = useConsole()
  const author = useCell(client.user)
  const own = useMemo(
    () => (author ? OWN.map((kind) => draftOf(client, consultation, kind, author)) : []),
    [consultation.id, author?.id],
  )
  useEffect(() => {
    for (const draft of own) {
      const saved = consultation.notes.find(({ note }) => note === draft.note)
      if (saved) draft.follow(saved.text, saved.draft)
    }
  }, [consultation.notes])
  useEffect(() => () => own.forEach((draft) => draft.flush()), [own])
  const mine = new Set(own.map((draft) => draft.note))
  const others = consultation.notes.filter(({ note, text }) => !mine.has(note) && text.trim() !== '')
  const find = (text: string): ReturnType<Console['findIcd10']> => client.findIcd10(text)
  const save = (problem: Problem): Promise<unknown> => client.ask('problem.save', { ...problem })
  const editors = (kinds: NoteKind[]): JSX.Element[] => own.filter(({ kind }) => kinds.includes(kind)).map((draft) => (
    <DraftEditor key={draft.note} draft={draft} label={t(`note.${draft.kind}` as Key)} rows={2}
      placeholder={t(`note.${draft.kind}.hint` as Key)} testid={`note-${draft.kind}`} />
  ))
  return (
    <div class="notes" data-testid="notes">
      {SECTIONS.map(({ title, kinds }) => (
        <section key={title} class="form-section" aria-label={t(title)}>
          <h3>{t(title)}</h3>
          {title === 'form.decided' && (
            <>
              <Proposals proposals={consultation.proposals ?? []} save={save} />
              <ProblemList problems={consultation.problems ?? []} label={t('problems.add')} find={find} save={save} testid="problems" />
            </>
          )}
          {editors(kinds)}
          {title === 'form.asked' && (
            <>
              {others.map((note) => <NoteCard key={note.note} note={note} />)}
              <Button icon="note" testid="telephone-open" onClick={onTelephone}>{t('telephone.write')}</Button>
            </>
          )}
          {title === 'form.more' && <FacilitiesForm consultation={consultation} />}
        </section>
      ))}
    </div>
  )
}
