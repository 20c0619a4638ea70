import type { JSX } from 'preact'
import { ProblemList, ProblemTitle } from '../notes/problems'
import { useCell } from '../observable'
import { t } from '../text'
import type { Guest } from './client'

/** What the specialist proposes as conclusions; the doctor at the station decides on each. */
export function ProposalsPanel({ guest }: { guest: Guest }): JSX.Element {
  const { problems, proposals } = useCell(guest.problems)
  return (
    <section class="notes" aria-label={t('proposals.own')} data-testid="proposals-panel">
      <h3>{t('proposals.own')}</h3>
      {problems.map((one) => (
        <article key={one.problem} class="problem-card">
          <header><ProblemTitle problem={one} /></header>
          {one.text && <p>{one.text}</p>}
        </article>
      ))}
      <ProblemList problems={proposals} label={t('proposals.add')} find={(text) => guest.findIcd10(text)}
        save={(problem) => guest.propose(problem)} testid="proposals" />
    </section>
  )
}
