import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { language, t } from '../text'
import { Button, Field, Notice, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'

interface Line {
  prescription: string
  drug: string
  strength: string
  dose: string
  unit: string
  days: number | null
  quantity: number | null
}

const NEW = { drug: '', strength: '', dose: '', unit: '', days: '', quantity: '' }
type Form = typeof NEW
const FIELDS = ['drug', 'strength', 'unit', 'dose', 'days', 'quantity'] as const

/** "1,5" as people write it; null: empty. */
const numberOf = (text: string): number | null => (text.trim() === '' ? null : Number(text.trim().replace(',', '.')))
const isNumber = (text: string): boolean => {
  const value = numberOf(text)
  return value === null || value > 0
}

/** What is prescribed: its lines stand in the record at once, and on the minutes. */
export function PrescriptionCard({ consultation }: { consultation: string }): JSX.Element {
  const client = useConsole()
  const [lines, setLines] = useState<Line[]>([])
  const [form, setForm] = useState<Form>(NEW)
  const [tried, setTried] = useState(false)
  const { busy, problem, run } = useAction()
  const load = async (): Promise<void> => {
    const answer = await client.ask('prescription.list')
    setLines((answer['items'] as Line[] | undefined) ?? [])
  }
  useEffect(() => void run(load), [consultation])
  const add = async (): Promise<void> => {
    setTried(true)
    if (form.drug.trim() === '' || !isNumber(form.days) || !isNumber(form.quantity)) return
    const done = await run(async () => {
      await client.ask('prescription.save', {
        prescription: crypto.randomUUID(), drug: form.drug.trim(), strength: form.strength.trim(), dose: form.dose.trim(),
        unit: form.unit.trim(), days: numberOf(form.days), quantity: numberOf(form.quantity),
      })
      await load()
    })
    if (!done) return
    setForm(NEW)
    setTried(false)
  }
  const remove = (line: Line): void => void run(async () => {
    await client.ask('prescription.save', { ...line, removed: true })
    await load()
  })
  const wrong = (field: keyof Form): string | null => {
    if (!tried) return null
    if (field === 'drug') return form.drug.trim() === '' ? t('problem.needed') : null
    return field === 'days' || field === 'quantity' ? (isNumber(form[field]) ? null : t('prescription.number')) : null
  }
  return (
    <section class="card" data-testid="prescription">
      <h2>{t('prescription.title')}</h2>
      <ul class="rows">
        {lines.map((line) => (
          <li key={line.prescription} class="prescription-line">
            <span class="grow">
              <strong>{[line.drug, line.strength].filter(Boolean).join(' ')}</strong>
              <small>
                {[line.dose, line.days !== null && t('prescription.for-days', { n: line.days }),
                  line.quantity !== null && `${line.quantity.toLocaleString(language.get())} ${line.unit}`].filter(Boolean).join(' · ')}
              </small>
            </span>
            <Button icon="close" look="quiet" label={t('prescription.remove', { drug: line.drug })} disabled={busy} onClick={() => remove(line)} />
          </li>
        ))}
      </ul>
      <form class="prescription-form" onSubmit={(event) => {
        event.preventDefault()
        void add()
      }}>
        {FIELDS.map((field) => (
          <Field key={field} label={t(`prescription.${field}`)} required={field === 'drug'} problem={wrong(field)}>
            {(attributes) => (
              <input {...attributes} {...PRIVATE} value={form[field]} maxLength={field === 'dose' ? 1000 : 100}
                inputMode={field === 'days' || field === 'quantity' ? 'decimal' : 'text'} data-testid={`prescription-${field}`}
                onInput={(event) => setForm({ ...form, [field]: event.currentTarget.value })} />
            )}
          </Field>
        ))}
        {problem && <Notice look="bad">{problem}</Notice>}
        <Button submit icon="plus" busy={busy} testid="prescription-add">{t('prescription.add')}</Button>
      </form>
    </section>
  )
}
