import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { TRENDS } from '../clinical/trend'
import type { Pictures } from '../media/pictures'
import { now, useCell, type Cell } from '../observable'
import type { PastReadings } from '../protocol'
import { t, type Key } from '../text'
import { Button } from './parts'

/** So long after somebody came it is news. */
const SHOW_MS = 120_000

/** "88–95": from the least to the most of a minute; one number where nothing changed. */
export function rangeText(points: readonly (readonly [number, number])[]): string {
  const values = points.map(([, value]) => value)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return least === most ? String(least) : `${least}–${most}`
}

/** What who joins late has missed: the minute before, in numbers, and how many stills there are. */
export function CatchUp({ past, pictures }: { past: Cell<PastReadings | null>; pictures: Pictures }): JSX.Element | null {
  const known = useCell(past)
  const stills = useCell(pictures.list)
  const clock = useCell(now)
  const [closed, setClosed] = useState<string | null>(null)
  if (!known || closed === known.until || clock - Date.parse(known.until) > SHOW_MS) return null
  const vitals = TRENDS.filter((key) => (known.curves[key]?.length ?? 0) > 0)
  const before = stills.filter(({ taken, seconds }) => seconds === undefined && taken < known.until).length
  if (vitals.length === 0 && before === 0) return null
  return (
    <section class="card catch-up" data-testid="catch-up">
      <header class="card-head">
        <h3>{t('catch-up.title')}</h3>
        <Button look="quiet" icon="close" label={t('do.close')} testid="catch-up-close" onClick={() => setClosed(known.until)} />
      </header>
      <dl class="facts">
        {vitals.map((key) => [
          <dt key={key}>{t(`vital.${key}` as Key)}</dt>,
          <dd key={`${key}-range`} data-testid={`past-${key}`}>{rangeText(known.curves[key]!)}</dd>,
        ])}
        {before > 0 && <><dt>{t('catch-up.stills')}</dt><dd data-testid="past-stills">{before}</dd></>}
      </dl>
    </section>
  )
}
