import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { IcdItem } from '../protocol'
import { language, t } from '../text'
import { useCell } from '../observable'
import { Field, PRIVATE } from '../ui/parts'

const WAIT_MS = 120

export function icdTitle(item: IcdItem, lang: 'vi' | 'en'): string {
  return (lang === 'en' ? item.en : item.vi) || item.vi || item.en
}

/** A search of diagnoses by words or code: arrows and Enter choose, Esc closes. What is in no list can
 * be taken as it was typed. */
export function IcdSearch(props: {
  label: string; find: (text: string) => Promise<IcdItem[]>; testid: string
  onChoose: (choice: { icd10: string | null; title: string }) => void
}): JSX.Element {
  const [text, setText] = useState('')
  const [items, setItems] = useState<IcdItem[]>([])
  /** What the items are for: Enter before the answer must not take the words without a code. */
  const [answered, setAnswered] = useState('')
  const [active, setActive] = useState(0)
  const [open, setOpen] = useState(false)
  const lang = useCell(language)
  const list = useId()
  const box = useRef<HTMLUListElement>(null)
  useEffect(() => {
    if (text.trim() === '') {
      setItems([])
      return
    }
    let stale = false
    const timer = setTimeout(() => {
      props.find(text).then((found) => {
        if (stale) return
        setItems(found)
        setAnswered(text)
        setActive(0)
        setOpen(true)
      }).catch(() => {
        if (stale) return
        setItems([])
        setAnswered(text)
      })
    }, WAIT_MS)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }, [text])
  useEffect(() => box.current?.children[active]?.scrollIntoView({ block: 'nearest' }), [active])
  const free = text.trim()
  const ready = free !== '' && answered === text
  const count = ready ? items.length + 1 : 0
  const choose = (i: number): void => {
    const item = items[i]
    if (!item && free === '') return
    props.onChoose(item ? { icd10: item.code, title: icdTitle(item, lang) } : { icd10: null, title: free })
    setText('')
    setItems([])
    setOpen(false)
  }
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      setOpen(true)
      setActive((at) => (count === 0 ? 0 : (at + (event.key === 'ArrowDown' ? 1 : count - 1)) % count))
    } else if (event.key === 'Enter' && free !== '') {
      if (ready && open) choose(active)
    }
    else if (event.key === 'Escape' && open) setOpen(false)
    else return
    event.preventDefault()
  }
  return (
    <div class="icd">
      <Field label={props.label}>
        {(attributes) => (
          <input {...attributes} {...PRIVATE} value={text} maxLength={200} role="combobox" aria-expanded={open && count > 0}
            aria-controls={list} aria-autocomplete="list" placeholder={t('icd.hint')} data-testid={props.testid}
            aria-activedescendant={open && count > 0 ? `${list}-${active}` : undefined}
            onInput={(event) => setText(event.currentTarget.value)} onKeyDown={key} onFocus={() => setOpen(true)}
            onBlur={() => setOpen(false)} />
        )}
      </Field>
      {open && count > 0 && (
        <ul ref={box} id={list} role="listbox" aria-label={props.label} data-testid={`${props.testid}-list`}>
          {items.map((item, i) => (
            <li key={item.code} id={`${list}-${i}`} role="option" aria-selected={i === active}
              onPointerDown={(event) => event.preventDefault()} onClick={() => choose(i)}>
              <b>{item.code}</b>
              <span>{icdTitle(item, lang)}<small>{icdTitle(item, lang === 'vi' ? 'en' : 'vi')}</small></span>
            </li>
          ))}
          <li id={`${list}-${items.length}`} role="option" aria-selected={active === items.length}
            onPointerDown={(event) => event.preventDefault()} onClick={() => choose(items.length)}>
            <b>–</b>
            <span>{free}<small>{t('icd.free')}</small></span>
          </li>
        </ul>
      )}
    </div>
  )
}
