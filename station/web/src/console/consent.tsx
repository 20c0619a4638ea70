import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { squeeze } from '../clinical/patient'
import { consented } from '../consent'
import type { Consent, ConsentKind, Consultation, Purpose } from '../protocol'
import { t, type Key } from '../text'
import { Button, Dialog, Field, Notice, PRIVATE, Pill, timeOf, useAction } from '../ui/parts'
import { useConsole } from './context'

const PURPOSES: Purpose[] = ['treatment', 'recording', 'teaching']
const KINDS: ConsentKind[] = ['given', 'representative', 'impossible']

export function missingConsent(consultation: Consultation): boolean {
  return consultation.consents.length === 0
}

/** Consent by purpose, never ticked beforehand; and its withdrawal. */
export function ConsentDialog(props: { consultation: Consultation; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const { consents } = props.consultation
  const holds = consented(consents)
  const [kind, setKind] = useState<ConsentKind>('given')
  const [purposes, setPurposes] = useState<ReadonlySet<Purpose>>(new Set())
  const [by, setBy] = useState('')
  const [relation, setRelation] = useState('')
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const { busy, problem, run } = useAction()
  const withdrawing = kind === 'withdrawn'
  const offered = withdrawing ? PURPOSES.filter((purpose) => holds.has(purpose)) : PURPOSES
  const choose = (value: ConsentKind): void => {
    setKind(value)
    setPurposes(new Set())
    setTried(false)
  }
  const complete = purposes.size > 0 &&
    (kind !== 'representative' || (squeeze(by) !== '' && squeeze(relation) !== '')) &&
    (kind !== 'impossible' || squeeze(reason) !== '')
  const save = async (): Promise<void> => {
    setTried(true)
    if (!complete) return
    const fields: Record<string, unknown> = { kind, purposes: [...purposes] }
    if (kind === 'representative') Object.assign(fields, { by: squeeze(by), relation: squeeze(relation) })
    if (squeeze(reason) !== '') fields['reason'] = squeeze(reason)
    if (await run(() => client.ask('consent.save', fields))) props.onClose()
  }
  const line = (label: Key, value: string, set: (value: string) => void, testid: string, needed: boolean): JSX.Element => (
    <Field label={t(label)} optional={!needed} problem={tried && needed && squeeze(value) === '' ? t('problem.needed') : null}>
      {(attributes) => (
        <input {...attributes} {...PRIVATE} value={value} maxLength={300} data-testid={testid}
          onInput={(event) => set(event.currentTarget.value)} />
      )}
    </Field>
  )
  return (
    <Dialog title={t('consent.title')} onClose={props.onClose} testid="consent-dialog" wide>
      <div class="dialog-body">
        {consents.length > 0 && <ConsentHistory consents={consents} />}
        <fieldset class="field">
          <legend>{t('consent.who')}</legend>
          <div class="choices">
            {[...KINDS, ...(holds.size > 0 ? ['withdrawn' as const] : [])].map((value) => (
              <label key={value} class={kind === value ? 'on' : ''}>
                <input type="radio" name="consent" checked={kind === value} data-testid={`consent-${value}`}
                  onChange={() => choose(value)} />
                {t(`consent.${value}` as Key)}
              </label>
            ))}
          </div>
        </fieldset>
        {kind === 'representative' && (
          <div class="two">
            {line('consent.by', by, setBy, 'consent-by', true)}
            {line('consent.relation', relation, setRelation, 'consent-relation', true)}
          </div>
        )}
        {kind === 'impossible' && line('consent.reason', reason, setReason, 'consent-reason', true)}
        {withdrawing && line('consent.withdraw-reason', reason, setReason, 'consent-reason', false)}
        <fieldset class={`field${tried && purposes.size === 0 ? ' wrong' : ''}`}>
          <legend>{t(withdrawing ? 'consent.withdraw-for' : kind === 'impossible' ? 'consent.goes-on' : 'consent.agrees')}</legend>
          {offered.map((purpose) => (
            <label key={purpose} class="purpose">
              <input type="checkbox" checked={purposes.has(purpose)} data-testid={`purpose-${purpose}`}
                onChange={(event) => {
                  const next = new Set(purposes)
                  if (event.currentTarget.checked) next.add(purpose)
                  else next.delete(purpose)
                  setPurposes(next)
                }} />
              <span>
                <strong>{t(`purpose.${purpose}` as Key)}</strong>
                <small>{t(`purpose.${purpose}.more` as Key)}</small>
              </span>
            </label>
          ))}
          {tried && purposes.size === 0 && <p class="note" role="alert">{t('problem.purpose-missing')}</p>}
        </fieldset>
        {problem && <Notice look="bad">{problem}</Notice>}
      </div>
      <footer>
        <Button onClick={props.onClose}>{t('do.cancel')}</Button>
        <Button look={withdrawing ? 'danger' : 'primary'} icon="check" busy={busy} testid="consent-save" onClick={() => void save()}>
          {t(withdrawing ? 'consent.withdraw' : 'consent.save')}
        </Button>
      </footer>
    </Dialog>
  )
}

export function ConsentHistory({ consents }: { consents: readonly Consent[] }): JSX.Element {
  return (
    <ul class="consents" data-testid="consents">
      {consents.map((consent, i) => (
        <li key={i}>
          <strong>{t(`consent.${consent.kind}` as Key)}</strong>
          {consent.purposes.map((purpose) => (
            <Pill key={purpose} look={consent.kind === 'withdrawn' ? 'warn' : 'good'}>{t(`purpose.${purpose}` as Key)}</Pill>
          ))}
          <small>
            {[consent.by && `${consent.by} (${consent.relation ?? ''})`, consent.reason, consent.user,
              consent.at && timeOf(consent.at)].filter(Boolean).join(' · ')}
          </small>
        </li>
      ))}
    </ul>
  )
}
