import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { toBase64 } from '../bytes'
import { Refusal } from '../link/socket'
import type { Answer } from '../protocol'
import { t, word } from '../text'
import { Button, Notice, dateOf, refusalText } from '../ui/parts'
import type { EcgPatient } from './pack'

type Ask = (type: string, fields: Record<string, unknown>) => Promise<Answer>

/** Before base64; a frame has at most 256 KiB. */
const PART_BYTES = 120 * 1024
const MOST_BYTES = 8 * 1024 * 1024

async function send(ask: Ask, ecg: string, files: readonly File[], progress: (part: number) => void): Promise<void> {
  const all = files.reduce((sum, { size }) => sum + size, 0)
  let sent = 0
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer())
    for (let offset = 0; offset < bytes.length; offset += PART_BYTES) {
      const part = bytes.subarray(offset, offset + PART_BYTES)
      await ask('ecg.part', { ecg, name: file.name, offset, data: toBase64(part) })
      sent += part.length
      progress(sent / all)
    }
  }
}

/** Choose files, or let them fall here. What names another patient waits for the doctor's word. */
export function AddEcg({ ask, patient }: { ask: Ask; patient: string }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [part, setPart] = useState<number | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [other, setOther] = useState<{ ecg: string; patient: EcgPatient } | null>(null)
  const [over, setOver] = useState(false)

  const keep = async (ecg: string, confirmed: boolean): Promise<void> => {
    try {
      await ask('ecg.add', { ecg, confirmed })
    } catch (error) {
      if (error instanceof Refusal && error.code === 'other-patient')
        setOther({ ecg, patient: (error.answer?.['patient'] ?? {}) as EcgPatient })
      else throw error
    }
  }
  const run = async (work: () => Promise<void>): Promise<void> => {
    setProblem(null)
    setOther(null)
    setPart(0)
    try {
      await work()
    } catch (error) {
      setProblem(refusalText(error))
    }
    setPart(null)
  }
  const take = (list: FileList | null | undefined): void => {
    const files = [...(list ?? [])]
    if (files.length === 0) return
    if (files.reduce((sum, { size }) => sum + size, 0) > MOST_BYTES) {
      setProblem(t('ecg.too-large'))
      return
    }
    const ecg = crypto.randomUUID()
    void run(async () => {
      await send(ask, ecg, files, setPart)
      await keep(ecg, false)
    })
  }
  return (
    <div class={`ecg-add${over ? ' over' : ''}`} data-testid="ecg-add"
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        take(event.dataTransfer?.files)
      }}>
      <input ref={input} type="file" multiple hidden data-testid="ecg-files"
        onChange={(event) => {
          take(event.currentTarget.files)
          event.currentTarget.value = ''
        }} />
      <Button icon="plus" busy={part !== null} testid="ecg-choose" onClick={() => input.current?.click()}>{t('ecg.add')}</Button>
      <span class="quiet">{part !== null ? t('ecg.sending', { n: Math.round(part * 100) }) : t('ecg.add.more')}</span>
      {problem && <Notice look="bad" testid="ecg-problem">{problem}</Notice>}
      {other && (
        <Notice look="warn" testid="ecg-other"
          action={(
            <>
              <Button onClick={() => setOther(null)} testid="ecg-other-no">{t('ecg.other.no')}</Button>
              <Button look="danger" testid="ecg-other-yes" onClick={() => void run(() => keep(other.ecg, true))}>
                {t('ecg.other.yes', { name: patient })}
              </Button>
            </>
          )}>
          {t('ecg.other')} <strong>{personOf(other.patient)}</strong>. {t('ecg.other.here')} <strong>{patient}</strong>.
        </Notice>
      )}
    </div>
  )
}

function personOf({ name, id, birth_date: birth, sex }: EcgPatient): string {
  return [name, id && t('ecg.id', { id }), birth && dateOf(birth), sex && word('sex', sex)].filter(Boolean).join(' · ') || t('ecg.no-name')
}
