import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { squeeze } from '../clinical/patient'
import { useCell } from '../observable'
import { said, t } from '../text'
import { Icon, type IconName } from '../ui/icons'
import { Button, dateOf, Field, Notice, PRIVATE, timeOf } from '../ui/parts'
import { JoinHead } from './app'
import type { Guest } from './client'
import { CameraTest, LinkTest, MicrophoneTest, SpeakerTest } from './visit-tests'
import type { Visit } from './visit'

interface Shown { guest: Guest; visit: Visit }

/** One thing per screen, in large letters: made for a cheap phone held by somebody who never did this. */
export function VisitScreen({ guest, visit }: Shown): JSX.Element {
  const hello = useCell(guest.hello)
  const link = useCell(guest.socket!.state)
  const step = useCell(visit.step)
  const { at, of } = visit.progress
  useEffect(() => {
    if (step !== 'enter') return
    guest.join()
  }, [step])
  return (
    <div class="entry visit">
      <JoinHead station={hello?.station.name ?? ''} />
      <main class="visit-main" data-testid={`visit-${step}`} key={step}>
        {step !== 'pin' && step !== 'enter' && (
          <p class="visit-progress"><progress max={of} value={at} aria-hidden="true" />{t('visit.step', { n: at, of })}</p>
        )}
        {link !== 'open' && <Notice look="warn">{t('link.lost')}</Notice>}
        <Body guest={guest} visit={visit} />
      </main>
    </div>
  )
}

function Body({ guest, visit }: Shown): JSX.Element {
  switch (useCell(visit.step)) {
    case 'pin': return <PinEntry guest={guest} visit={visit} />
    case 'who': return <Who guest={guest} visit={visit} />
    case 'consent': return <Consent guest={guest} visit={visit} />
    case 'camera': return <CameraTest guest={guest} visit={visit} />
    case 'microphone': return <MicrophoneTest guest={guest} visit={visit} />
    case 'speaker': return <SpeakerTest guest={guest} visit={visit} />
    case 'link': return <LinkTest guest={guest} visit={visit} />
    case 'enter': return <Head icon="clock" title={t('link.connecting')} />
  }
}

export function Head(props: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <>
      <span class="visit-icon" aria-hidden="true"><Icon name={props.icon} size={40} /></span>
      <h1 tabIndex={-1}>{props.title}</h1>
      {props.children}
    </>
  )
}

function PinEntry({ visit }: Shown): JSX.Element {
  const wrong = useCell(visit.wrong)
  const busy = useCell(visit.busy)
  const [pin, setPin] = useState('')
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => { // with the news, not after it: what is typed next stays
    if (wrong === null) return
    setPin('')
    input.current?.focus()
  }, [wrong])
  return (
    <form class="visit-form" onSubmit={(event) => {
      event.preventDefault()
      if (pin.length === 6) void visit.enter(pin)
    }}>
      <Head icon="lock" title={t('visit.pin')}><p>{t('visit.pin.more')}</p></Head>
      <input {...PRIVATE} ref={input} class="visit-pin" value={pin} inputMode="numeric" maxLength={6} aria-label={t('visit.pin')}
        data-testid="pin" onInput={(event) => {
          const digits = event.currentTarget.value.replace(/\D/g, '').slice(0, 6)
          event.currentTarget.value = digits
          setPin(digits)
        }} />
      {wrong !== null && <Notice look="bad" testid="pin-wrong">{said(wrong)}</Notice>}
      <Button submit big wide look="primary" busy={busy} disabled={pin.length !== 6} testid="pin-go">{t('visit.next')}</Button>
      <p class="quiet">{t('visit.pin.lost')}</p>
    </form>
  )
}

/** The patient, or who stands in for the patient. */
function Who({ visit }: Shown): JSX.Element {
  const info = useCell(visit.info)
  const answers = useCell(visit.answers)
  const [chosen, setChosen] = useState(answers.name !== '' || answers.as === 'representative')
  const [tried, setTried] = useState(false)
  const needsName = answers.as === 'representative' || !info?.name
  const missing = needsName && squeeze(answers.name) === ''
  const noRelation = answers.as === 'representative' && squeeze(answers.relation) === ''
  const choose = (as: 'patient' | 'representative'): void => {
    const known = as === 'representative' ? info?.representative : undefined
    visit.change({ as, name: known?.name ?? '', relation: known?.relation ?? '' })
    if (as === 'patient' && info?.name) visit.next()
    else setChosen(true)
  }
  const go = (): void => {
    setTried(true)
    if (missing || noRelation) return
    visit.change({ name: squeeze(answers.name), relation: squeeze(answers.relation) })
    visit.next()
  }
  return (
    <>
      <Head icon="person" title={t('visit.who')}>
        {info?.at && <p>{t('visit.at', { time: timeOf(info.at), date: dateOf(info.at) })}</p>}
        {info?.other && <Notice look="info" testid="other-phone">{t('visit.other')}</Notice>}
      </Head>
      <button type="button" class={`visit-choice${chosen && answers.as === 'patient' ? ' on' : ''}`} data-testid="as-patient" onClick={() => choose('patient')}>
        <strong>{t('visit.as.patient')}</strong>{info?.name && <span>{info.name}</span>}
      </button>
      <button type="button" class={`visit-choice${chosen && answers.as === 'representative' ? ' on' : ''}`} data-testid="as-representative" onClick={() => choose('representative')}>
        <strong>{t('visit.as.representative')}</strong><span>{t('visit.as.representative.more')}</span>
      </button>
      {chosen && needsName && (
        <form class="visit-form" onSubmit={(event) => {
          event.preventDefault()
          go()
        }}>
          <Field label={t('visit.name')} problem={tried && missing ? t('problem.your-name') : null}>
            {(attributes) => (
              <input {...attributes} autocomplete="name" value={answers.name} maxLength={100} data-testid="visit-name"
                onInput={(event) => visit.change({ name: event.currentTarget.value })} />
            )}
          </Field>
          {answers.as === 'representative' && (
            <Field label={t('visit.relation')} problem={tried && noRelation ? t('visit.relation.missing') : null}>
              {(attributes) => (
                <input {...attributes} {...PRIVATE} value={answers.relation} maxLength={100} data-testid="visit-relation"
                  placeholder={t('visit.relation.hint')} onInput={(event) => visit.change({ relation: event.currentTarget.value })} />
              )}
            </Field>
          )}
          <Button submit big wide look="primary" testid="who-go">{t('visit.next')}</Button>
        </form>
      )}
    </>
  )
}

/** Never ticked beforehand. Who does not agree here can talk with the doctor first. */
function Consent({ guest, visit }: Shown): JSX.Element {
  const { as, consent } = useCell(visit.answers)
  const station = useCell(guest.hello)?.station.name ?? ''
  return (
    <>
      <Head icon="sign" title={t('visit.consent')} />
      <p>{t('visit.consent.more', { station })}</p>
      <label class="visit-tick">
        <input type="checkbox" checked={consent} data-testid="consent" onChange={(event) => visit.change({ consent: event.currentTarget.checked })} />
        <span>{t(as === 'representative' ? 'visit.consent.tick.representative' : 'visit.consent.tick')}</span>
      </label>
      <Button big wide look="primary" disabled={!consent} testid="consent-go" onClick={() => visit.next()}>{t('visit.next')}</Button>
      <Button big wide look="quiet" testid="consent-later" onClick={() => {
        visit.change({ consent: false })
        visit.next()
      }}>{t('visit.consent.later')}</Button>
    </>
  )
}
