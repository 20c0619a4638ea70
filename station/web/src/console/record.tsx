import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { EcgDialog } from '../ecg/dialog'
import { Refusal } from '../link/socket'
import { useCell } from '../observable'
import type { ConsultationRecord } from '../protocol'
import { readRecord, type ReadRecord } from '../playback/record'
import { t, word, type Key } from '../text'
import { Button, Notice, Pill, dateOf, refusalText, timeOf } from '../ui/parts'
import { useConsole } from './context'
import { patientLine } from './live'
import { PapersButton } from './papers'
import { Playback } from './playback'
import { UnlockDialog } from './records'
import { SignaturesDialog } from './signatures'

/** An opened record: what was said and measured, and the recording. That it was opened is logged. */
export function RecordView({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const link = useCell(client.socket.state)
  const [record, setRecord] = useState<ReadRecord | null>(null)
  const [locked, setLocked] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [ecg, setEcg] = useState(false)
  const [signatures, setSignatures] = useState(false)
  const nameOf = (user: string): string =>
    client.hello.get()?.users?.find((known) => known.id === user)?.name ?? user
  const load = async (): Promise<void> => {
    setProblem(null)
    setLocked(false)
    try {
      const answer = await client.ask('record.open', { consultation: id })
      setRecord(readRecord(answer['record'] as ConsultationRecord, nameOf))
    } catch (error) {
      if (error instanceof Refusal && error.code === 'locked') setLocked(true)
      else setProblem(refusalText(error))
    }
  }
  useEffect(() => {
    if (link === 'open' && !record) void load()
  }, [id, link])
  return (
    <div class="console record" data-testid="record">
      <header class="top">
        <Button icon="back" testid="record-close" onClick={onClose}>{t('record.back')}</Button>
        <div class="top-middle">
          {record && (
            <>
              <div class="patient-line">
                <strong>{patientLine(record.patient)}</strong>
                <span class="quiet">
                  {[dateOf(record.started), timeOf(record.started), record.mode && t(`mode.${record.mode}` as Key),
                    record.reason].filter(Boolean).join(' · ')}
                </span>
              </div>
              <Pill look={record.state === 'signed' || record.state === 'delivered' ? 'good' : 'warn'}>
                {word('state', record.state)}
              </Pill>
            </>
          )}
        </div>
        {record && <PapersButton consultation={id} />}
        {record && record.ecgs.length > 0 && (
          <Button icon="heart" testid="ecg-open" onClick={() => setEcg(true)}>{t('ecg.open')}</Button>
        )}
        {record && (record.state === 'signed' || record.state === 'delivered') && (
          <Button icon="sign" testid="signatures-open" onClick={() => setSignatures(true)}>{t('signatures.title')}</Button>
        )}
      </header>
      {signatures && <SignaturesDialog id={id} onClose={() => setSignatures(false)} />}
      {record && ecg && <EcgDialog items={record.ecgs} shelf={client.ecgs(id)} onClose={() => setEcg(false)} />}
      {problem && <Notice look="bad" action={<Button onClick={() => void load()}>{t('do.again')}</Button>}>{problem}</Notice>}
      {locked && (
        <main class="splash">
          <Notice look="warn" testid="record-locked">{t('record.locked')}</Notice>
        </main>
      )}
      {locked && <UnlockDialog onClose={onClose} onOpen={() => void load()} />}
      {!record && !locked && !problem && <main class="splash"><p role="status">{t('record.opening')}</p></main>}
      {record && <Playback record={record} session={client.session} />}
    </div>
  )
}
