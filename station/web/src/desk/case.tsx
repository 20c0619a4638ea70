import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { CaseFile } from '../calls/protocol'
import { CallTitle, SummaryView, Waiting as WaitingTime } from '../calls/summary'
import { t, word } from '../text'
import { ClipViewer } from '../ui/clip'
import { Icon } from '../ui/icons'
import { Button, Field, Notice, Pill, PRIVATE, timeOf, useAction } from '../ui/parts'
import { pictureDetail } from '../ui/pictures'
import { Viewer } from '../ui/viewer'
import { DeclineDialog } from './card'
import type { Waiting } from './client'
import { useDesk } from './context'

/** A case that was sent for later: what there is to see, and the written answer. */
export function CaseCard({ waiting }: { waiting: Waiting }): JSX.Element {
  const desk = useDesk()
  const { call, station } = waiting
  const [open, setOpen] = useState(false)
  const [declining, setDeclining] = useState(false)
  const { busy, problem, run } = useAction()
  const other = call.taken && !call.mine
  return (
    <article class={`card call-card ${call.urgency}`} data-testid={`case-${call.call}`}>
      <div class="card-head">
        <CallTitle specialty={call.specialty} urgency={call.urgency} />
        <WaitingTime since={call.asked} />
      </div>
      <p class="quiet">{[station.name, call.by].join(' · ')}</p>
      {!open && call.summary.question && <p class="call-question">{call.summary.question}</p>}
      {other && <Pill look="info">{t('desk.case.read-by', { name: call.taken!.name })}</Pill>}
      {problem && <Notice look="bad">{problem}</Notice>}
      {open && (
        <>
          <SummaryView summary={call.summary} />
          <Files waiting={waiting} />
          <Answer waiting={waiting} />
        </>
      )}
      <div class="actions">
        {call.mine && !call.declined && <Button testid="case-decline" onClick={() => setDeclining(true)}>{t('desk.case.give-back')}</Button>}
        {!open && (
          <Button look="primary" icon="open" busy={busy} testid="case-open" onClick={() => {
            setOpen(true)
            if (!call.taken) void run(() => desk.accept(waiting))
          }}>{t('desk.case.open')}</Button>
        )}
      </div>
      {declining && <DeclineDialog waiting={waiting} onClose={() => setDeclining(false)} />}
    </article>
  )
}

function Answer({ waiting }: { waiting: Waiting }): JSX.Element {
  const desk = useDesk()
  const [text, setText] = useState('')
  const { busy, problem, run } = useAction()
  return (
    <form class="case-answer" onSubmit={(event) => {
      event.preventDefault()
      if (text.trim() !== '') void run(() => desk.answerCase(waiting, text.trim()))
    }}>
      <Field label={t('note.opinion')} hint={t('desk.case.answer.hint')}>
        {(attributes) => (
          <textarea {...attributes} {...PRIVATE} rows={5} maxLength={20_000} value={text} data-testid="case-text"
            onInput={(event) => setText(event.currentTarget.value)} />
        )}
      </Field>
      {problem && <Notice look="bad">{problem}</Notice>}
      <Button submit look="good" icon="check" busy={busy} disabled={text.trim() === ''} testid="case-send">{t('desk.case.send')}</Button>
    </form>
  )
}

function Files({ waiting }: { waiting: Waiting }): JSX.Element | null {
  const [shown, setShown] = useState<{ file: CaseFile; blob: Blob } | null>(null)
  const { files } = waiting.call
  if (files.length === 0) return <p class="quiet">{t('desk.case.no-files')}</p>
  const title = shown ? fileTitle(shown.file) : ''
  const detail = shown ? pictureDetail({ ...shown.file, by: shown.file.by ?? '' } as Parameters<typeof pictureDetail>[0]) : ''
  return (
    <>
      <ul class="case-files" data-testid="case-files">
        {files.map((file) => <FileItem key={file.id} file={file} waiting={waiting} onOpen={(blob) => setShown({ file, blob })} />)}
      </ul>
      {shown && shown.file.kind === 'clip' && (
        <ClipViewer blob={shown.blob} startUs={shown.file.start_us ?? 0} title={title} detail={detail} onClose={() => setShown(null)} />
      )}
      {shown && shown.file.kind !== 'clip' && <Viewer blob={shown.blob} title={title} detail={detail} onClose={() => setShown(null)} />}
    </>
  )
}

function fileTitle(file: CaseFile): string {
  return [word('source', (file.source ?? '').replace(/^source-/, '')) || file.name, file.taken && timeOf(file.taken, true)].filter(Boolean).join(' · ')
}

/** Fetched at once: it is there when somebody looks, also when the station is gone meanwhile. */
function FileItem({ file, waiting, onOpen }: { file: CaseFile; waiting: Waiting; onOpen: (blob: Blob) => void }): JSX.Element {
  const desk = useDesk()
  const [blob, setBlob] = useState<Blob | null>(null)
  const [picture, setPicture] = useState<string | null>(null)
  const [failed, setFailed] = useState(false)
  const [tries, setTries] = useState(0)
  useEffect(() => {
    let gone = false
    setFailed(false)
    desk.file(waiting, file).then((done) => void (gone || setBlob(done)), () => void (gone || setFailed(true)))
    return () => {
      gone = true
    }
  }, [file.id, tries])
  useEffect(() => {
    if (!blob || file.kind === 'clip') return
    const address = URL.createObjectURL(blob)
    setPicture(address)
    return () => URL.revokeObjectURL(address)
  }, [blob])
  return (
    <li>
      <button type="button" class="case-file" data-testid="case-file" data-ready={blob !== null}
        aria-label={fileTitle(file)} onClick={() => (blob ? onOpen(blob) : failed && setTries(tries + 1))}>
        {picture ? <img src={picture} alt="" /> : <Icon name={file.kind === 'clip' ? 'film' : 'photo'} size={30} />}
        <small>{failed ? t('do.again') : blob ? fileTitle(file) : t('desk.case.fetching')}</small>
      </button>
    </li>
  )
}
