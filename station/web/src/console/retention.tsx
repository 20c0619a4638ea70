import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { KeptPage, KeptRecord, RetentionClass, StationState } from '../protocol'
import { t, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Button, Dialog, Field, Notice, Pill, PRIVATE, dateOf, useAction } from '../ui/parts'
import { useConsole } from './context'
import { EraseForm } from './erase-form'
import { patientName } from './home'
import { useDuty } from './roles'

type Show = 'all' | 'due' | 'held'
const SHOWS: Show[] = ['all', 'due', 'held']
export const CLASSES: RetentionClass[] = ['ordinary', 'accident', 'psychiatric', 'death']

/** How long each record is kept, by which rule, and what holds it longer. Nothing goes by itself. */
export function Retention({ vault }: { vault: StationState['vault'] }): JSX.Element {
  const client = useConsole()
  const [show, setShow] = useState<Show>('all')
  const [page, setPage] = useState<KeptPage | null>(null)
  const [open, setOpen] = useState<KeptRecord | null>(null)
  const { busy, problem, run } = useAction()
  const load = (before?: string): Promise<boolean> => run(async () => {
    const next = (await client.ask('retention.list', { show, ...(before ? { before } : {}) })) as unknown as KeptPage
    setPage((known) => (before && known ? { ...next, records: [...known.records, ...next.records] } : next))
  })
  useEffect(() => void load(), [show, vault])
  const done = (): void => {
    setOpen(null)
    void load()
  }
  const last = page?.records[page.records.length - 1]
  return (
    <section class="card" data-testid="retention">
      <header class="card-head"><h2>{t('keeping.retention')}</h2></header>
      <p class="quiet">{t('retention.more')}</p>
      {page?.clock === 'not-trusted' && <Notice look="warn" testid="retention-clock">{t('retention.clock')}</Notice>}
      {page && <Notice look="info">{page.policy.make_room ? t('retention.room', { n: page.policy.age }) : t('retention.no-room')}</Notice>}
      <div class="segments" role="group" aria-label={t('keeping.retention')}>
        {SHOWS.map((one) => (
          <label key={one} class={show === one ? 'on' : ''}>
            <input type="radio" name="show" checked={show === one} data-testid={`retention-show-${one}`} onChange={() => setShow(one)} />
            {t(`retention.show.${one}` as Key)} ({page?.counts[one] ?? 0})
          </label>
        ))}
      </div>
      {problem && <Notice look="bad">{problem}</Notice>}
      {page?.records.length === 0 && <p class="quiet">{t('retention.none')}</p>}
      <ul class="rows">
        {page?.records.map((record) => <Line key={record.consultation} record={record} onOpen={() => setOpen(record)} />)}
      </ul>
      {page?.more && last && <Button busy={busy} onClick={() => void load(last.consultation)}>{t('records.more')}</Button>}
      {open && <RetentionDialog record={open} onDone={done} onClose={() => setOpen(null)} />}
    </section>
  )
}

function Line({ record, onOpen }: { record: KeptRecord; onOpen: () => void }): JSX.Element {
  return (
    <li>
      <button type="button" class="row-button" data-testid={`kept-${record.consultation}`} onClick={onOpen}>
        <Icon name={record.hold ? 'lock' : 'clock'} />
        <span class="grow">
          <strong>{record.patient === undefined ? t('records.locked') : patientName(record.patient)}</strong>
          <small class="flowing">
            {[record.day && dateOf(record.day), termText(record), !record.recording && t('retention.no-recording')].filter(Boolean).join(' · ')}
          </small>
          {record.hold && record.reason && <small class="why">{t('retention.held-for', { reason: record.reason })}</small>}
        </span>
        {record.hold && <Pill look="warn" icon="lock">{t('retention.held')}</Pill>}
        {record.is_due && <Pill look="bad">{t('retention.due')}</Pill>}
      </button>
    </li>
  )
}

function termText(record: KeptRecord): string {
  const until = record.due ? dateOf(record.due) : '?'
  return record.clinical ? t('retention.term', { class: t(`retention-class.${record.class}` as Key), years: record.years, until }) : t('retention.rest')
}

function RetentionDialog(props: { record: KeptRecord; onDone: () => void; onClose: () => void }): JSX.Element {
  const { record } = props
  const [erasing, setErasing] = useState(false)
  const duty = useDuty()
  return (
    <Dialog title={record.patient === undefined ? t('records.locked') : patientName(record.patient)} onClose={props.onClose} testid="retention-dialog" wide>
      <div class="dialog-body">
        <p class="quiet">{record.day && dateOf(record.day)} · {termText(record)}</p>
        {duty !== 'doctor' && <Notice look="info">{t('retention.doctors')}</Notice>}
        {duty === 'doctor' && (erasing
          ? <EraseForm record={record} onDone={props.onDone} onCancel={() => setErasing(false)} />
          : (
            <>
              {record.clinical && <ClassForm record={record} onDone={props.onDone} />}
              <HoldForm record={record} onDone={props.onDone} />
              {record.hold
                ? <p class="quiet">{t('retention.held.more')}</p>
                : <Button look="danger" icon="erase" testid="erase-open" onClick={() => setErasing(true)}>{t('erase.open')}</Button>}
            </>
          ))}
      </div>
    </Dialog>
  )
}

function ClassForm({ record, onDone }: { record: KeptRecord; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [chosen, setChosen] = useState<RetentionClass>(record.class)
  const [reason, setReason] = useState('')
  const { busy, problem, run } = useAction()
  return (
    <form class="way" onSubmit={(event) => {
      event.preventDefault()
      void run(() => client.ask('retention.set', { consultation: record.consultation, class: chosen, reason: reason.trim() })).then((good) => good && onDone())
    }}>
      <ClassField value={chosen} onChange={setChosen} />
      {chosen !== record.class && (
        <>
          <Field label={t('retention.reason')} optional>
            {(attributes) => (
              <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="class-reason"
                onInput={(event) => setReason(event.currentTarget.value)} />
            )}
          </Field>
          <Button submit look="primary" busy={busy} testid="class-save">{t('do.save')}</Button>
        </>
      )}
      {problem && <Notice look="bad">{problem}</Notice>}
    </form>
  )
}

/** The four terms of the law, in years. */
export function ClassField(props: { value: RetentionClass; hint?: string | null; onChange: (value: RetentionClass) => void }): JSX.Element {
  return (
    <Field label={t('retention.class')} hint={props.hint ?? null}>
      {(attributes) => (
        <select {...attributes} value={props.value} data-testid="retention-class"
          onChange={(event) => props.onChange(event.currentTarget.value as RetentionClass)}>
          {CLASSES.map((one) => <option key={one} value={one}>{t(`retention-class.${one}` as Key)} – {t(`retention-years.${one}` as Key)}</option>)}
        </select>
      )}
    </Field>
  )
}

function HoldForm({ record, onDone }: { record: KeptRecord; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const { busy, problem, run } = useAction()
  const save = (): void => {
    setTried(true)
    if (!record.hold && reason.trim() === '') return
    void run(() => client.ask('retention.hold', { consultation: record.consultation, hold: !record.hold, reason: reason.trim() }))
      .then((good) => good && onDone())
  }
  return (
    <form class="way" onSubmit={(event) => {
      event.preventDefault()
      save()
    }}>
      <p>{record.hold ? t('retention.held-for', { reason: record.reason ?? '–' }) : t('retention.hold.more')}</p>
      <Field label={t(record.hold ? 'retention.release.reason' : 'retention.hold.reason')} required={!record.hold} optional={record.hold}
        problem={tried && !record.hold && reason.trim() === '' ? t('problem.needed') : null}>
        {(attributes) => (
          <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="hold-reason"
            onInput={(event) => setReason(event.currentTarget.value)} />
        )}
      </Field>
      {problem && <Notice look="bad">{problem}</Notice>}
      <Button submit icon={record.hold ? 'unlock' : 'lock'} busy={busy} testid="hold-save">{t(record.hold ? 'retention.release' : 'retention.hold')}</Button>
    </form>
  )
}
