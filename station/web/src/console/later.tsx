import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { CallView } from '../calls/protocol'
import type { Consultation } from '../protocol'
import { t, word } from '../text'
import { Button, Dialog, Notice, timeOf, useAction } from '../ui/parts'
import { useConsole } from './context'

interface Attached { id: string; kind: string; name: string; size: number; about?: { source?: string; taken?: string; seconds?: number } }

function title(file: Attached): string {
  const source = word('source', (file.about?.source ?? '').replace(/^source-/, '')) || file.name
  const length = file.about?.seconds === undefined ? '' : t('clip.seconds', { n: Math.round(file.about.seconds) })
  return [t(file.kind === 'clip' ? 'call.clip' : 'call.still'), source, file.about?.taken && timeOf(file.about.taken, true), length].filter(Boolean).join(' · ')
}

/** Stills and clips of the consultation: which of them go along. */
export function CaseFilesChoice(props: {
  consultation: Consultation; chosen: readonly string[]; onChange: (chosen: readonly string[]) => void
}): JSX.Element {
  const client = useConsole()
  const { consultation, chosen, onChange } = props
  const [files, setFiles] = useState<readonly Attached[]>([])
  useEffect(() => {
    let gone = false
    client.ask('attachments.list').then((answer) => {
      if (gone) return
      const list = (answer['items'] as Attached[]).filter(({ kind }) => kind === 'still' || kind === 'clip')
      setFiles(list)
      onChange(list.map(({ id }) => id))
    }, () => {})
    return () => {
      gone = true
    }
  }, [consultation.id, consultation.attachments])
  if (files.length === 0) return <p class="quiet" data-testid="later-no-files">{t('call.later.no-files')}</p>
  return (
    <fieldset class="field" data-testid="later-files">
      <legend>{t('call.later.files')}</legend>
      {files.map((file) => (
        <label key={file.id} class="tick">
          <input type="checkbox" checked={chosen.includes(file.id)}
            onChange={() => onChange(chosen.includes(file.id) ? chosen.filter((id) => id !== file.id) : [...chosen, file.id])} />
          {title(file)}
        </label>
      ))}
    </fieldset>
  )
}

/** Nobody can come now: the case goes as it is, and the answer comes back into the record. */
export function LaterDialog(props: { call: CallView; consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [files, setFiles] = useState<readonly string[]>([])
  const { busy, problem, run } = useAction()
  return (
    <Dialog title={t('call.later')} onClose={props.onClose} testid="later-dialog">
      <div class="dialog-body">
        <p>{t('call.later.more')}</p>
        <CaseFilesChoice consultation={props.consultation} chosen={files} onChange={setFiles} />
        {problem && <Notice look="bad">{problem}</Notice>}
      </div>
      <footer>
        <Button onClick={props.onClose}>{t('do.cancel')}</Button>
        <Button look="primary" icon="clock" busy={busy} testid="later-go"
          onClick={() => void run(() => client.ask('call.later', { call: props.call.call, files })).then((done) => done && props.onClose())}>
          {t('call.send-later')}
        </Button>
      </footer>
    </Dialog>
  )
}
