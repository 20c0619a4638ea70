import type { JSX } from 'preact'
import { useCell } from '../observable'
import { said, t, word, type Key } from '../text'
import { SPECIALTIES } from '../calls/protocol'
import { Icon, Logo } from '../ui/icons'
import { Button, LanguageSwitch, Notice, Pill, dateOf, timeOf, useAction } from '../ui/parts'
import { CallCard } from './card'
import { CaseCard } from './case'
import { useDesk } from './context'
import type { Past } from './history'
import type { DeskStation } from './station'

/** What waits, who is on duty, which stations are there. */
export function Board(): JSX.Element {
  const desk = useDesk()
  const waiting = useCell(desk.waiting)
  const live = waiting.filter(({ call }) => call.state !== 'later')
  const ringing = live.filter(({ rings }) => rings)
  const others = live.filter(({ rings }) => !rings)
  const cases = waiting.filter(({ call }) => call.state === 'later')
  return (
    <div class="desk" data-testid="desk">
      <Head />
      <main class="desk-main">
        <div class="desk-calls">
          <div aria-live="assertive" data-testid="ringing">
            {ringing.map((one) => <CallCard key={one.call.call} waiting={one} />)}
          </div>
          <section aria-label={t('desk.waiting')} hidden={ringing.length > 0 && others.length === 0}>
            <h2>{t('desk.waiting')}</h2>
            {live.length === 0 && <p class="quiet" data-testid="nothing-waits">{t('desk.nothing')}</p>}
            {others.map((one) => <CallCard key={one.call.call} waiting={one} />)}
          </section>
          <section aria-label={t('desk.cases')} data-testid="cases">
            <h2>{t('desk.cases')}</h2>
            {cases.length === 0 && <p class="quiet">{t('desk.no-cases')}</p>}
            {cases.map((one) => <CaseCard key={one.call.call} waiting={one} />)}
          </section>
        </div>
        <div class="desk-side">
          <Duty />
          <Stations />
          <HistoryList />
        </div>
      </main>
    </div>
  )
}

function Head(): JSX.Element {
  const desk = useDesk()
  const me = useCell(desk.me)
  return (
    <header class="top">
      <Logo size={30} />
      <div class="top-middle">
        <div class="patient-line">
          <strong>{t('desk.title')}</strong>
          <span class="quiet" data-testid="desk-me">{[me?.name, me?.facility].filter(Boolean).join(' · ')}</span>
        </div>
      </div>
      <LanguageSwitch />
      <Button look="quiet" testid="desk-leave" onClick={() => void desk.signOut()}>{t('desk.sign-out')}</Button>
    </header>
  )
}

/** On duty, for what, and whether it may be heard. */
function Duty(): JSX.Element {
  const desk = useDesk()
  const on = useCell(desk.onDuty)
  const chosen = useCell(desk.specialties)
  const muted = useCell(desk.ringer.muted)
  const blocked = useCell(desk.ringer.blocked)
  const { busy, problem, run } = useAction()
  return (
    <section class="card duty" aria-label={t('desk.duty')}>
      <div class="card-head">
        <h2>{t('desk.duty')}</h2>
        <Pill look={on ? 'good' : 'quiet'} testid="duty-state">{t(on ? 'desk.duty.on' : 'desk.duty.off')}</Pill>
      </div>
      {problem && <Notice look="bad">{problem}</Notice>}
      <Button look={on ? 'plain' : 'good'} big wide icon={on ? 'pause' : 'check'} busy={busy} pressed={on} testid="duty"
        onClick={() => void run(() => desk.setDuty(!on))}>
        {t(on ? 'desk.duty.end' : 'desk.duty.begin')}
      </Button>
      {on && blocked && (
        <Notice look="warn" action={<Button testid="allow-sound" onClick={() => desk.ringer.allow()}>{t('desk.sound.allow')}</Button>}>
          {t('desk.sound.blocked')}
        </Notice>
      )}
      <label class="tick">
        <input type="checkbox" checked={!muted} data-testid="ring-sound" onChange={() => desk.ringer.muted.set(!muted)} />
        {t('desk.sound')}
      </label>
      <details class="devices">
        <summary data-testid="specialties-open">
          {t('desk.specialties')}: {chosen.length === 0 ? t('desk.specialties.all') : chosen.map((one) => word('specialty', one)).join(', ')}
        </summary>
        <fieldset class="desk-specialties">
          <legend class="hidden">{t('desk.specialties')}</legend>
          {SPECIALTIES.map((one) => (
            <label key={one} class="tick">
              <input type="checkbox" checked={chosen.includes(one)} data-testid={`specialty-${one}`}
                onChange={() => void run(() => desk.setSpecialties(
                  chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]))} />
              {word('specialty', one)}
            </label>
          ))}
        </fieldset>
      </details>
    </section>
  )
}

function Stations(): JSX.Element {
  const desk = useDesk()
  const stations = useCell(desk.network.stations)
  const open = useCell(desk.stations)
  return (
    <section class="card" aria-label={t('desk.stations')}>
      <h2>{t('desk.stations')}</h2>
      <ul class="rows" data-testid="stations">
        {stations.map((one) => (
          <li key={one.station}>
            <Icon name="device" />
            <span class="grow"><strong>{one.name}</strong></span>
            <Pill look={one.state === 'here' ? 'good' : 'warn'}>{t(`desk.station.${one.state}` as Key)}</Pill>
          </li>
        ))}
      </ul>
      {open.map((one) => <NotEntered key={one.station} station={one} />)}
    </section>
  )
}

/** A station that did not take the sign-in: a token that has run out, another hospital's. */
function NotEntered({ station }: { station: DeskStation }): JSX.Element | null {
  const desk = useDesk()
  const refused = useCell(station.refused)
  if (!refused) return null
  return (
    <Notice look="warn" testid={`not-entered-${station.station}`}>
      <strong>{station.name}</strong>: {said(refused)}{' '}
      <Button testid="sign-in-again" onClick={() => void desk.signOut()}>{t('desk.sign-in-again')}</Button>
    </Notice>
  )
}

const LOOK: Record<Past['outcome'], 'good' | 'warn' | 'quiet' | 'info'> = {
  accepted: 'good', answered: 'good', 'handed-over': 'info', declined: 'quiet', missed: 'warn',
}

function HistoryList(): JSX.Element {
  const desk = useDesk()
  const items = useCell(desk.history.items)
  return (
    <section class="card" aria-label={t('desk.history')}>
      <h2>{t('desk.history')}</h2>
      {items.length === 0 && <p class="quiet">{t('desk.history.none')}</p>}
      <ul class="rows" data-testid="history">
        {items.slice(0, 30).map((past) => (
          <li key={`${past.call} ${past.outcome}`}>
            <span class="grow">
              <strong>{word('specialty', past.specialty)}</strong>
              <small>{[past.station, dateOf(past.at), timeOf(past.at)].join(' · ')}</small>
            </span>
            <Pill look={LOOK[past.outcome]}>{t(`desk.outcome.${past.outcome}` as Key)}</Pill>
          </li>
        ))}
      </ul>
      <p class="quiet small">{t('desk.history.more')}</p>
    </section>
  )
}
