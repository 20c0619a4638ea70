import type { JSX } from 'preact'
import type { FeedView } from '../protocol'
import { said, t } from '../text'
import { Icon } from '../ui/icons'
import { Pill } from '../ui/parts'

const LOOK = { live: 'good', searching: 'warn', lost: 'warn', failed: 'bad' } as const

/** The devices that the station drives itself: state, and in plain words what to do. */
export function FeedRows({ feeds }: { feeds: FeedView[] }): JSX.Element {
  return (
    <>
      {feeds.map((feed) => (
        <li key={feed.device} data-testid={`feed-${feed.device}`} data-state={feed.state}>
          <Icon name="heart" />
          <span class="grow">
            <strong>{feed.name}</strong>
            {feed.why && feed.state !== 'live' && <small>{said(feed.why)}</small>}
          </span>
          {feed.battery !== undefined && <span class="quiet">{t('feed.battery', { n: feed.battery })}</span>}
          <Pill look={LOOK[feed.state]}>{t(`feed.${feed.state}`)}</Pill>
        </li>
      ))}
    </>
  )
}
