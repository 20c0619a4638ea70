import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../text'
import { Button, Dialog, Notice } from '../ui/parts'
import type { Console } from './client'
import { useConsole } from './context'
import { saveFile } from './save-file'

export type PaperKind = 'minutes' | 'referral' | 'prescription'

const NAMES: Record<PaperKind, string> = {
  minutes: 'bien-ban.pdf', referral: 'giay-chuyen-co-so-kcb.pdf', prescription: 'don-thuoc.json',
}
async function fetchPaper(client: Console, consultation: string, kind: PaperKind): Promise<Blob | null> {
  const answer = await fetch(`/paper/${encodeURIComponent(consultation)}/${kind}`, {
    headers: { authorization: `Bearer ${client.session}` }, cache: 'no-store',
  })
  if (answer.status === 404 && kind === 'prescription') return null
  if (!answer.ok) throw new Error(String(answer.status))
  return answer.blob()
}

/** Minutes, referral and prescription, made by the station now: to print, in the browser's own viewer, or to
 * keep. Each is logged there. */
export function PaperButtons({ consultation }: { consultation: string }): JSX.Element {
  const client = useConsole()
  const [busy, setBusy] = useState<PaperKind | 'save' | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const take = async (kind: PaperKind, print: boolean): Promise<void> => {
    // At the click: a window that opens later is taken for an advertisement's.
    const tab = print ? window.open('', '_blank') : null
    setBusy(print || kind !== 'minutes' ? kind : 'save')
    setProblem(null)
    try {
      const blob = await fetchPaper(client, consultation, kind)
      if (!blob) setProblem(t('papers.no-prescription'))
      else if (tab) tab.location.href = URL.createObjectURL(blob)
      else saveFile(blob, NAMES[kind])
    } catch {
      tab?.close()
      setProblem(t('papers.problem'))
    }
    setBusy(null)
  }
  return (
    <div class="papers" data-testid="papers">
      <Button icon="note" testid="paper-print" busy={busy === 'minutes'} onClick={() => void take('minutes', true)}>{t('papers.print')}</Button>
      <Button testid="paper-save" busy={busy === 'save'} onClick={() => void take('minutes', false)}>{t('papers.save')}</Button>
      <Button testid="paper-referral" busy={busy === 'referral'} onClick={() => void take('referral', true)}>{t('papers.referral')}</Button>
      <Button testid="paper-prescription" busy={busy === 'prescription'} onClick={() => void take('prescription', false)}>
        {t('papers.prescription')}
      </Button>
      {problem && <Notice look="warn" testid="paper-problem">{problem}</Notice>}
    </div>
  )
}

/** The same behind one button, where room is short. */
export function PapersButton({ consultation }: { consultation: string }): JSX.Element {
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button icon="note" testid="papers-open" onClick={() => setOpen(true)}>{t('papers.title')}</Button>
      {open && (
        <Dialog title={t('papers.title')} onClose={() => setOpen(false)} testid="papers-dialog">
          <div class="dialog-body"><PaperButtons consultation={consultation} /></div>
        </Dialog>
      )}
    </>
  )
}
