import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { now, useCell } from '../observable'
import { chooseLanguage, language, t, word, type Key } from '../text'
import { age } from '../clinical/age'
import { Icon, type IconName } from './icons'

type ButtonLook = 'primary' | 'plain' | 'quiet' | 'danger' | 'good'

export interface ButtonProps {
  children?: ComponentChildren
  icon?: IconName
  look?: ButtonLook
  big?: boolean
  wide?: boolean
  disabled?: boolean
  busy?: boolean
  pressed?: boolean
  label?: string
  testid?: string
  submit?: boolean
  autofocus?: boolean
  onClick?: (event: MouseEvent) => void
}

export function Button(props: ButtonProps): JSX.Element {
  const { icon, look = 'plain', big, wide, busy, children } = props
  return (
    <button
      type={props.submit ? 'submit' : 'button'}
      class={`button ${look}${big ? ' big' : ''}${wide ? ' wide' : ''}${children ? '' : ' only-icon'}`}
      disabled={props.disabled || busy}
      aria-busy={busy || undefined}
      aria-pressed={props.pressed}
      aria-label={props.label}
      title={children ? undefined : props.label}
      autofocus={props.autofocus}
      data-testid={props.testid}
      onClick={props.onClick}
    >
      {icon && <Icon name={icon} size={big ? 24 : 20} />}
      {children && <span>{children}</span>}
    </button>
  )
}

/** A button of the bar below the pictures: icon, word, and whether it is on. */
export function BarButton(props: {
  icon: IconName; text: string; on?: boolean; warn?: boolean; danger?: boolean; testid?: string
  disabled?: boolean; onClick: () => void
}): JSX.Element {
  const look = props.danger ? ' danger' : props.warn ? ' warn' : props.on ? ' on' : ''
  return (
    <button type="button" class={`bar-button${look}`} aria-pressed={props.on} disabled={props.disabled}
      data-testid={props.testid} onClick={props.onClick}>
      <Icon name={props.icon} size={24} />
      <span>{props.text}</span>
    </button>
  )
}

/** A modal window on the browser's own <dialog>: focus stays inside, Esc closes. */
export function Dialog(props: {
  title: string; children: ComponentChildren; onClose: () => void; wide?: boolean; testid?: string
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const title = useId()
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} class={props.wide ? 'wide' : ''} aria-labelledby={title} data-testid={props.testid}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose()
      }}>
      <header>
        <h2 id={title}>{props.title}</h2>
        <Button look="quiet" icon="close" label={t('do.close')} onClick={props.onClose} testid="close" />
      </header>
      {props.children}
    </dialog>
  )
}

export function Field(props: {
  label: string; problem?: string | null; hint?: string | null; optional?: boolean; required?: boolean
  children: (attributes: { id: string; 'aria-invalid'?: true; 'aria-describedby'?: string }) => JSX.Element
}): JSX.Element {
  const id = useId()
  const note = props.problem ?? props.hint
  return (
    <div class={`field${props.problem ? ' wrong' : ''}`}>
      <label for={id}>
        {props.label}
        {props.required && <span class="required" aria-hidden="true"> *</span>}
        {props.optional && <span class="optional"> ({t('form.optional')})</span>}
      </label>
      {props.children({
        id,
        ...(props.problem ? { 'aria-invalid': true as const } : {}),
        ...(note ? { 'aria-describedby': `${id}-note` } : {}),
      })}
      {note && <p id={`${id}-note`} class="note">{note}</p>}
    </div>
  )
}

/** For what is written about people: the browser neither completes nor sends it for spelling. */
export const PRIVATE = {
  autocomplete: 'off', autocorrect: 'off', spellcheck: false, 'data-lpignore': 'true',
} as const

/** A secret is drawn as dots by the style sheet: with type=password a browser offers to keep it. */
export const SECRET = { ...PRIVATE, type: 'text', class: 'secret', autocapitalize: 'off' } as const

export function Pill(props: {
  look?: 'good' | 'warn' | 'bad' | 'info' | 'record' | 'quiet'; icon?: IconName
  children: ComponentChildren; testid?: string
}): JSX.Element {
  return (
    <span class={`pill ${props.look ?? 'quiet'}`} data-testid={props.testid}>
      {props.icon && <Icon name={props.icon} size={16} />}
      {props.children}
    </span>
  )
}

export function Notice(props: {
  look: 'good' | 'warn' | 'bad' | 'info'; children: ComponentChildren; action?: ComponentChildren
  testid?: string
}): JSX.Element {
  const icon = props.look === 'good' ? 'check' : props.look === 'info' ? 'info' : 'warn'
  return (
    <div class={`notice ${props.look}`} role={props.look === 'bad' ? 'alert' : 'status'} data-testid={props.testid}>
      <Icon name={icon} />
      <div class="says">{props.children}</div>
      {props.action}
    </div>
  )
}

export function LanguageSwitch(): JSX.Element {
  const current = useCell(language)
  return (
    <div class="language" role="group" aria-label={t('language')}>
      {(['vi', 'en'] as const).map((code) => (
        <button type="button" key={code} lang={code} aria-pressed={current === code}
          data-testid={`language-${code}`} onClick={() => chooseLanguage(code)}>
          {code === 'vi' ? 'Tiếng Việt' : 'English'}
        </button>
      ))}
    </div>
  )
}

export function ageText(ms: number): string {
  const { unit, count } = age(ms)
  return t(`age.${unit}` as Key, { n: count })
}

/** "12 giây trước", counting up. */
export function Age({ time }: { time: number | string }): JSX.Element {
  const at = typeof time === 'string' ? Date.parse(time) : time
  return <span class="age">{ageText(useCell(now) - at)}</span>
}

export function timeOf(time: string | number, seconds = false): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return ''
  return date.toLocaleTimeString(language.get() === 'vi' ? 'vi-VN' : 'en-GB', {
    hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}), hour12: false,
  })
}

export function dateOf(time: string | number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return String(time)
  return date.toLocaleDateString(language.get() === 'vi' ? 'vi-VN' : 'en-GB', {
    day: '2-digit', month: '2-digit', year: 'numeric',
  })
}

/** Runs an action once at a time; says when it is busy and what was refused. */
export function useAction(): {
  busy: boolean; problem: string | null; clear: () => void
  run: (work: () => Promise<unknown>) => Promise<boolean>
} {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  return {
    busy,
    problem,
    clear: () => setProblem(null),
    run: async (work) => {
      setBusy(true)
      setProblem(null)
      try {
        await work()
        return true
      } catch (error) {
        setProblem(refusalText(error))
        return false
      } finally {
        setBusy(false)
      }
    },
  }
}

/** The station's own words when it sent some, else ours for the code. */
export function refusalText(error: unknown): string {
  const answer = (error as { answer?: { code?: string; text?: { vi: string; en: string } | string; tries_left?: number; seconds?: number } }).answer
  if (!answer) return t('error.failed')
  if (answer.code === 'wrong-pin' && answer.tries_left !== undefined)
    return t('error.wrong-pin.tries', { n: answer.tries_left })
  if (answer.code === 'locked-out' && answer.seconds !== undefined)
    return t('error.locked-out.seconds', { n: answer.seconds })
  const text = typeof answer.text === 'string' ? answer.text : answer.text?.[language.get()]
  return text || word('error', answer.code) || t('error.failed')
}
