import type { JSX } from 'preact'
import { useCell } from '../observable'
import type { Note } from '../protocol'
import { t, word, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Field, PRIVATE, timeOf } from '../ui/parts'
import type { Draft } from './draft'

export function DraftEditor(props: { draft: Draft; label: string; placeholder?: string; rows?: number; testid: string }): JSX.Element {
  const { draft } = props
  const text = useCell(draft.text)
  return (
    <div class="draft">
      <Field label={props.label}>
        {(attributes) => (
          <textarea {...attributes} {...PRIVATE} rows={props.rows ?? 3} value={text} maxLength={20_000}
            placeholder={props.placeholder} data-testid={props.testid}
            onInput={(event) => draft.edit(event.currentTarget.value)} onBlur={() => draft.flush()} />
        )}
      </Field>
      <DraftSays draft={draft} testid={`${props.testid}-state`} />
    </div>
  )
}

function DraftSays({ draft, testid }: { draft: Draft; testid: string }): JSX.Element {
  const state = useCell(draft.state)
  return (
    <p class={`draft-state ${state}`} role="status" data-testid={testid} data-state={state}>
      {state !== 'empty' && <Icon size={15} name={state === 'saved' || state === 'kept' ? 'check' : state === 'failed' ? 'warn' : 'clock'} />}
      {state === 'empty' ? '' : t(`draft.${state}` as Key)}
    </p>
  )
}

export function NoteCard({ note }: { note: Note }): JSX.Element {
  return (
    <article class={`note-card of-${note.kind}`} data-testid="note">
      <header>
        <strong>{word('note', note.kind)}</strong>
        <span>
          {note.user}{note.via === 'telephone' && ` · ${t('note.by-telephone')}`} · {timeOf(note.at)}
          {note.draft && ` · ${t('draft.being-written')}`}
          {note.confirmed && <> · <b class="note-confirmed" data-testid="note-confirmed">{t('note.confirmed')}</b></>}
        </span>
      </header>
      <p>{note.text}</p>
    </article>
  )
}
