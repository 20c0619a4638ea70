import type { JSX } from 'preact'
import type { Happening, Mark } from '../protocol'
import { t, word } from '../text'
import { timeOf } from '../ui/parts'

/** What happened during the consultation, newest first. */
export function HappeningsTab({ events, marks }: { events: Happening[]; marks: Mark[] }): JSX.Element {
  const all: Happening[] = [
    ...events,
    ...marks.map(({ at_us, text }) => ({ at: new Date(at_us / 1000).toISOString(), what: 'mark', detail: text })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return (
    <ol class="happenings" data-testid="happenings">
      {all.length === 0 && <li class="quiet">{t('happenings.none')}</li>}
      {all.reverse().map((event, i) => (
        <li key={`${event.at}-${i}`}>
          <time>{timeOf(event.at, true)}</time>
          <span>{word('event', event.what)}{event.detail && <small>{happeningDetail(event.what, event.detail)}</small>}</span>
        </li>
      ))}
    </ol>
  )
}

/** A detail that is a word of the protocol is said in plain words; everything else stands as it is. */
export function happeningDetail(what: string, detail: string): string {
  if (what === 'sfu-ended') return word('conference-end', detail)
  return word(what === 'consent' ? 'consent' : what === 'call-requested' ? 'specialty' : 'source', detail)
}
