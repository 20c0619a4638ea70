import type { JSX } from 'preact'
import { LinkDetails, streamName } from '../link/details'
import { quality } from '../link/quality'
import type { Consultation, Guest, Invite } from '../protocol'
import { t, word, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Button, Pill, refusalText, useAction } from '../ui/parts'
import { Comparison } from './comparison'
import { useConsole } from './context'
import { aboutWords, TestResults } from './visits'

/** Network in plain words, from what the station measures. */
export function linkWords(guest: Guest): { text: string; look: 'good' | 'warn' | 'bad' | 'quiet' } {
  if (guest.state === 'lobby') return { text: t('guest-state.lobby'), look: 'quiet' }
  if (guest.state === 'away') return { text: t('guest-state.away'), look: 'warn' }
  const figures = guest.media
  if (!figures?.state || figures.state === 'new' || figures.state === 'connecting')
    return { text: t('link.joining'), look: 'quiet' }
  if (figures.state !== 'connected') return { text: t('link.again'), look: 'warn' }
  return quality(figures.loss ?? 0, figures.rtt_ms ?? 0, figures.sight)
}

/** Whether somebody else vouches for the name. Of patients nobody does. */
function Proven({ guest }: { guest: Guest }): JSX.Element | null {
  if (guest.identity)
    return (
      <Pill look="good" icon="check" testid={`proven-${guest.guest}`}>
        {t('guests.proven', { provider: guest.identity.provider })}
      </Pill>
    )
  return guest.role === 'specialist'
    ? <Pill look="quiet" icon="info" testid={`unproven-${guest.guest}`}>{t('guests.unproven')}</Pill>
    : null
}

/** Who waits to be let in stands above everything else. */
export function WaitingGuests({ consultation }: { consultation: Consultation }): JSX.Element | null {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  const waiting = consultation.guests.filter((guest) => guest.state === 'lobby')
  if (waiting.length === 0) return null
  return (
    <section class="waiting" aria-label={t('guests.waiting')} role="status" data-testid="waiting">
      {waiting.map((guest) => (
        <div key={guest.guest} class="waiting-guest" data-testid={`waiting-${guest.guest}`}>
          <Icon name="users" size={24} />
          <p>
            <strong>{guest.name || word('role', guest.role)}</strong>
            <span>{[guest.facility, word('role', guest.role), aboutWords(guest)].filter(Boolean).join(' · ')} — {t('guests.asks')}</span>
            {guest.other && <span class="note" data-testid="other-phone">{t('visits.other')}</span>}
            <TestResults guest={guest} />
            <Proven guest={guest} />
          </p>
          <Button look="plain" busy={busy} testid="refuse"
            onClick={() => void run(() => client.ask('guest.refuse', { guest: guest.guest }))}>{t('guests.refuse')}</Button>
          <Button look="good" icon="check" busy={busy} testid="admit"
            onClick={() => void run(() => client.ask('guest.admit', { guest: guest.guest }))}>{t(guest.other ? 'visits.admit.other' : 'guests.admit')}</Button>
        </div>
      ))}
      {problem && <p class="note" role="alert">{problem}</p>}
    </section>
  )
}

export function GuestsTab(props: { consultation: Consultation; onInvite: () => void }): JSX.Element {
  const client = useConsole()
  const { consultation } = props
  const { busy, problem, run } = useAction()
  const inside = consultation.guests.filter((guest) => guest.state !== 'lobby')
  const open = consultation.invites.filter(({ state }) => ['created', 'armed', 'burnt'].includes(state))
  return (
    <div class="guests" data-testid="guests">
      {inside.length === 0 && <p class="quiet">{t('guests.none')}</p>}
      <ul class="rows">
        {inside.map((guest) => {
          const link = linkWords(guest)
          return (
            <li key={guest.guest} class="wrap" data-testid={`guest-${guest.guest}`}>
              <Icon name="person" />
              <span class="grow">
                <strong>{guest.name}</strong>
                <small>{[guest.facility, word('role', guest.role)].filter(Boolean).join(' · ')}</small>
                <Proven guest={guest} />
              </span>
              <Pill look={link.look} icon="signal" testid={`link-${guest.guest}`}>{link.text}{guest.media?.relayed ? ` · ${t('link.relayed')}` : ''}</Pill>
              <Button look="quiet" icon="close" label={t('guests.remove', { name: guest.name })} busy={busy}
                testid="remove" onClick={() => void run(() => client.ask('guest.remove', { guest: guest.guest }))} />
              <Comparison guest={guest} encryption={consultation.encryption} />
              {guest.media?.streams && (
                <details class="link-details">
                  <summary data-testid={`figures-${guest.guest}`}>{t('figures')}</summary>
                  <LinkDetails figures={guest.media} name={streamName((label) => consultation.guests.find((g) => g.label === label)?.name)} />
                </details>
              )}
            </li>
          )
        })}
      </ul>
      {problem && <p class="note" role="alert">{problem}</p>}
      <Button icon="users" wide testid="invite-more" onClick={props.onInvite}>{t('bar.invite')}</Button>
      {open.length > 0 && <h3>{t('invites.open')}</h3>}
      <ul class="rows">{open.map((invite) => <InviteRow key={invite.invite} invite={invite} />)}</ul>
    </div>
  )
}

function InviteRow({ invite }: { invite: Invite }): JSX.Element {
  const client = useConsole()
  const { busy, problem, run } = useAction()
  const copy = (): void => {
    if (invite.link) void navigator.clipboard.writeText(invite.link).catch((error: unknown) => refusalText(error))
  }
  return (
    <li>
      <Icon name="link" />
      <span class="grow">
        <strong>{invite.name || t(`role.${invite.role}` as Key)}</strong>
        <small>{problem ?? word('invite-state', invite.state)}</small>
      </span>
      {invite.link && <Button look="quiet" icon="copy" label={t('invite.copy')} onClick={copy} />}
      <Button look="quiet" icon="close" label={t('invite.revoke')} busy={busy}
        onClick={() => void run(() => client.ask('invite.revoke', { invite: invite.invite }))} />
    </li>
  )
}
