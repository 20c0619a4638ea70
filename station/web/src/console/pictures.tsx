import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { httpSource } from '../dicom/frames'
import { dicomObjects, type Attachment } from '../dicom/object'
import { Studies } from '../dicom/studies'
import type { Consultation, HeldStudy, StationState } from '../protocol'
import { t } from '../text'
import { Age, Button, Notice, useAction } from '../ui/parts'
import { useConsole } from './context'

/** Pictures that came with the consultation, and those that may be its own: held until a click. */
export function PicturesTab({ state, consultation }: { state: StationState; consultation: Consultation }): JSX.Element {
  const client = useConsole()
  const source = useMemo(() => httpSource(() => client.session), [client])
  const [items, setItems] = useState<Attachment[]>([])
  useEffect(() => {
    let gone = false
    client.ask('attachments.list').then(
      (answer) => void (gone || setItems(answer['items'] as Attachment[])),
      () => {}, // the next change of the state asks again
    )
    return () => {
      gone = true
    }
  }, [consultation.id, consultation.attachments])
  const objects = useMemo(() => dicomObjects(items, consultation.id), [items, consultation.id])
  return (
    <>
      <Held studies={state.held ?? []} />
      <Studies objects={objects} source={source} />
    </>
  )
}

function Held({ studies }: { studies: HeldStudy[] }): JSX.Element | null {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  if (studies.length === 0) return null
  return (
    <section aria-label={t('held.title')} data-testid="held">
      <h3>{t('held.title')}</h3>
      {problem && <Notice look="bad">{problem}</Notice>}
      <ul class="held rows">
        {studies.map((one) => (
          <li key={`${one.study} ${one.sender}`}>
            <span class="grow">
              <strong>{[one.modality, one.description].filter(Boolean).join(' · ')}</strong>
              <small>
                {t('held.more', { patient: one.patient.name ?? one.patient.id ?? t('held.nobody'), sender: one.sender, n: one.objects })}
                {' '}<Age time={one.at} />
              </small>
            </span>
            <Button busy={busy} testid="held-claim"
              onClick={() => void run(() => client.ask('dicom.claim', { study: one.study, sender: one.sender }))}>
              {t('held.claim')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
