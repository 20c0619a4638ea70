import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { BarButton } from '../ui/parts'
import { t } from '../text'
import { useConsole } from './context'

export const MARK_KEY = 'F9'
const SHOWN_MS = 2500

/** "Mark this moment": a key, so that the eyes stay with the patient. The moment is that of the press,
 * however long the answer takes. */
export function MarkButton(): JSX.Element {
  const client = useConsole()
  const [says, setSays] = useState<'idle' | 'done' | 'failed'>('idle')
  const mark = (): void => {
    client.ask('mark.save', { text: '' }).then(() => setSays('done'), () => setSays('failed'))
  }
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key !== MARK_KEY || event.repeat) return
      event.preventDefault()
      mark()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  useEffect(() => {
    if (says === 'idle') return
    const timer = setTimeout(() => setSays('idle'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [says])
  return (
    <BarButton icon={says === 'done' ? 'check' : 'clock'} on={says === 'done'} warn={says === 'failed'} testid="mark"
      text={t(says === 'done' ? 'mark.done' : says === 'failed' ? 'mark.failed' : 'mark.go')} onClick={mark} />
  )
}
