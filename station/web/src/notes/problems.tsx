import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { IcdItem, Problem } from '../protocol'
import { t } from '../text'
import { Button, Notice, PRIVATE, useAction } from '../ui/parts'
import { IcdSearch } from './icd10'

type Save = (problem: Problem) => Promise<unknown>

/** One conclusion per problem, or (a specialist's page) what is proposed as such. */
export function ProblemList(props: {
  problems: Problem[]; label: string; find: (text: string) => Promise<IcdItem[]>; save: Save; testid: string
}): JSX.Element {
  const { busy, problem, run } = useAction()
  return (
    <div class="problems" data-testid={props.testid}>
      {props.problems.map((one) => <ProblemCard key={one.problem} problem={one} save={props.save} />)}
      <IcdSearch label={props.label} find={props.find} testid={`${props.testid}-search`}
        onChoose={({ icd10, title }) =>
          void run(() => props.save({ problem: crypto.randomUUID(), icd10, title, text: '' }))} />
      {busy && <p class="quiet" role="status">{t('draft.saving')}</p>}
      {problem && <Notice look="bad">{problem}</Notice>}
    </div>
  )
}

export function ProblemTitle({ problem }: { problem: Problem }): JSX.Element {
  return <strong>{problem.icd10 && <code>{problem.icd10}</code>} {problem.title}</strong>
}

/** The conclusion is saved when the field is left; what was typed stays until then. */
function ProblemCard({ problem, save }: { problem: Problem; save: Save }): JSX.Element {
  const [text, setText] = useState(problem.text)
  const { busy, problem: wrong, run } = useAction()
  useEffect(() => setText(problem.text), [problem.text])
  const put = (change: Partial<Problem>): void => {
    const { problem: id, icd10, title } = problem
    void run(() => save({ problem: id, icd10: icd10 ?? null, title, text, ...change }))
  }
  return (
    <article class="problem-card" data-testid="problem">
      <header>
        <ProblemTitle problem={problem} />
        <Button look="quiet" icon="close" busy={busy} label={t('problem.remove')} testid="problem-remove"
          onClick={() => put({ removed: true })} />
      </header>
      {problem.proposed_by && <p class="quiet">{t('problem.proposed-by', { name: problem.proposed_by })}</p>}
      <textarea {...PRIVATE} rows={2} value={text} maxLength={20_000} aria-label={t('problem.text')} placeholder={t('problem.text')}
        data-testid="problem-text" onInput={(event) => setText(event.currentTarget.value)}
        onBlur={() => text !== problem.text && put({})} />
      {wrong && <Notice look="bad">{wrong}</Notice>}
    </article>
  )
}

/** What a specialist proposes; the doctor takes it over, or leaves it. */
export function Proposals({ proposals, save }: { proposals: Problem[]; save: Save }): JSX.Element | null {
  const { busy, problem, run } = useAction()
  if (proposals.length === 0) return null
  return (
    <section class="proposals" aria-label={t('proposals')} data-testid="proposals">
      <h4>{t('proposals')}</h4>
      {problem && <Notice look="bad">{problem}</Notice>}
      {proposals.map((one) => (
        <article key={one.problem} class="problem-card proposed">
          <header>
            <ProblemTitle problem={one} />
            <Button icon="check" busy={busy} testid="proposal-take"
              onClick={() => void run(() => save({ problem: one.problem, icd10: one.icd10 ?? null, title: one.title, text: one.text }))}>
              {t('proposals.take')}
            </Button>
          </header>
          <p class="quiet">{one.author}</p>
          {one.text && <p>{one.text}</p>}
        </article>
      ))}
    </section>
  )
}
