import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { squeeze } from '../clinical/patient'
import type { Consultation, Mode } from '../protocol'
import { t, type Key } from '../text'
import { Button, Field, Notice, PRIVATE, timeOf, useAction } from '../ui/parts'
import { useConsole } from './context'

const MODES: Mode[] = [1, 2, 3, 4]

/** Mode and reason, which may turn out otherwise than at the start; both facilities; who was connected
 * from when to when, as the station saw it. */
export function FacilitiesForm({ consultation }: { consultation: Consultation }): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  const [name, setName] = useState('')
  const [reason, setReason] = useState(consultation.reason)
  const consulted = consultation.facilities?.consulted ?? []
  const own = consultation.facilities?.own
  const put = (mode: Mode, text: string): Promise<boolean> =>
    run(() => client.ask('consultation.save', { mode, reason: squeeze(text) }))
  const add = async (): Promise<void> => {
    if (squeeze(name) === '') return
    if (await run(() => client.ask('facilities.save', { consulted: [...consulted, { name: squeeze(name), code: '' }] })))
      setName('')
  }
  return (
    <div class="facilities" data-testid="facilities">
      <Field label={t('start.mode')}>
        {(attributes) => (
          <select {...attributes} value={consultation.mode} disabled={busy} data-testid="mode-select"
            onChange={(event) => void put(Number(event.currentTarget.value) as Mode, consultation.reason)}>
            {MODES.map((mode) => <option key={mode} value={mode}>{mode}. {t(`mode.${mode}` as Key)}</option>)}
          </select>
        )}
      </Field>
      <Field label={t('start.reason')}>
        {(attributes) => (
          <input {...attributes} {...PRIVATE} value={reason} maxLength={500} data-testid="reason-edit"
            onInput={(event) => setReason(event.currentTarget.value)}
            onBlur={() => squeeze(reason) !== '' && squeeze(reason) !== consultation.reason && void put(consultation.mode, reason)} />
        )}
      </Field>
      <p><small>{t('facilities.own')}</small> {[own?.name, own?.code, own?.address].filter(Boolean).join(' · ')}</p>
      <p><small>{t('facilities.consulted')}</small></p>
      <ul class="rows">
        {consulted.map((one, i) => (
          <li key={one.name}>
            <span class="grow">{one.name}{one.code && ` · ${one.code}`}</span>
            <Button look="quiet" icon="close" busy={busy} label={t('facilities.remove')}
              onClick={() => void run(() => client.ask('facilities.save', { consulted: consulted.filter((_, k) => k !== i) }))} />
          </li>
        ))}
      </ul>
      <form class="add-line" onSubmit={(event) => {
        event.preventDefault()
        void add()
      }}>
        <input {...PRIVATE} value={name} maxLength={200} aria-label={t('facilities.add')} placeholder={t('facilities.add')}
          data-testid="facility-add" onInput={(event) => setName(event.currentTarget.value)} />
        <Button submit icon="plus" label={t('facilities.add')} busy={busy} disabled={squeeze(name) === ''} testid="facility-add-go" />
      </form>
      {problem && <Notice look="bad">{problem}</Notice>}
      <Connections consultation={consultation} />
    </div>
  )
}

/** From the events: when each guest came and went. */
function Connections({ consultation }: { consultation: Consultation }): JSX.Element {
  const spans = new Map<string, string[]>()
  for (const { at, what, detail } of consultation.events) {
    if (!detail || !['guest-live', 'guest-away', 'guest-left'].includes(what)) continue
    const list = spans.get(detail) ?? []
    list.push(what === 'guest-live' ? `${timeOf(at)}–` : timeOf(at))
    spans.set(detail, list)
  }
  return (
    <dl class="facts" data-testid="connections">
      <dt>{t('connections.station')}</dt><dd>{timeOf(consultation.started)}–</dd>
      {[...spans].map(([name, list]) => [
        <dt key={`${name}-n`}>{name}</dt>, <dd key={name}>{list.join(' ').replaceAll('– ', '–')}</dd>,
      ])}
    </dl>
  )
}
