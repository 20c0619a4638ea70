import vi from './text/vi.json'
import en from './text/en.json'
import { Cell } from './observable'
import type { Language, Said } from './protocol'

export type Key = keyof typeof vi
const texts: Record<Language, Record<Key, string>> = { vi, en }

const KEPT = 'nhipcau.language'

function kept(): Language | null {
  try {
    const value = localStorage.getItem(KEPT)
    return value === 'vi' || value === 'en' ? value : null
  } catch {
    return null
  }
}

export const language = new Cell<Language>(kept() ?? 'vi')

function show(): void {
  document.documentElement.lang = language.get()
}

if (typeof document !== 'undefined') {
  show()
  language.subscribe(show)
}

/** A person's choice: remembered. */
export function chooseLanguage(value: Language): void {
  try {
    localStorage.setItem(KEPT, value)
  } catch {
    // Storage is off: the choice holds until the page is closed.
  }
  language.set(value)
}

/** What the station is set to: taken only while nobody has chosen. */
export function stationLanguage(value: Language | undefined): void {
  if (value && texts[value] && kept() === null) language.set(value)
}

export function t(key: Key, fields?: Record<string, string | number>): string {
  const text = texts[language.get()][key] ?? key
  return fields ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(fields[name] ?? '')) : text
}

/** A word of the protocol: text of `prefix.word`, the word itself when there is none. */
export function word(prefix: string, value: string | null | undefined): string {
  if (!value) return ''
  const text = texts[language.get()][`${prefix}.${value}` as Key]
  return text ?? value
}

export function said(text: Said | undefined): string {
  if (!text) return ''
  return typeof text === 'string' ? text : text[language.get()] ?? text.vi
}
