import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { useCell } from '../observable'
import type { Consultation, NoteKind, User } from '../protocol'
import { Draft } from '../notes/draft'
import { DraftEditor, NoteCard } from '../notes/editor'
import { t, type Key } from '../text'
import type { Console } from './client'
import { useConsole } from './context'

const OWN: NoteKind[] = ['question', 'examination', 'history', 'note']

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
    draft = new Draft(own?.note ?? crypto.randomUUID(), kind, own?.text ?? '', async (note, noteKind, text) => {
      // A retry must never go out under the name of whoever signed in meanwhile, nor into another
      // consultation.
      if (client.user.get()?.id !== author.id || client.state.get()?.consultation?.id !== consultation.id)
        throw new Error('another user or consultation')
      return client.saveNote(note, noteKind, text)
    })
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

export function NotesTab({ consultation }: { consultation: Consultation }): JSX.Element {
  const client = useConsole()
  const author = useCell(client.user)
  const own = useMemo(
    () => (author ? OWN.map((kind) => draftOf(client, consultation, kind, author)) : []),
    [consultation.id, author?.id],
  )
  useEffect(() => {
    for (const draft of own) {
      const saved = consultation.notes.find(({ note }) => note === draft.note)
      if (saved) draft.follow(saved.text)
    }
  }, [consultation.notes])
  useEffect(() => () => own.forEach((draft) => draft.flush()), [own])
  const mine = new Set(own.map((draft) => draft.note))
  const others = consultation.notes.filter(({ note, text }) => !mine.has(note) && text.trim() !== '')
  return (
    <div class="notes" data-testid="notes">
      {others.length > 0 && (
        <section aria-label={t('notes.others')}>
          {others.map((note) => <NoteCard key={note.note} note={note} />)}
        </section>
      )}
      {own.map((draft) => (
        <DraftEditor key={draft.note} draft={draft} label={t(`note.${draft.kind}` as Key)}
          placeholder={t(`note.${draft.kind}.hint` as Key)} testid={`note-${draft.kind}`} />
      ))}
    </div>
  )
}
