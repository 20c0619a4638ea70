import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ErasureLine } from '../protocol'
import { t, word } from '../text'
import { Icon } from '../ui/icons'
import { Button, Dialog, Notice, Pill, dateOf, timeOf, useAction } from '../ui/parts'
import { useConsole } from './context'
import { saveFile } from './save-file'

const purposesText = (purposes: string[]): string => purposes.map((one) => word('purpose-key', one)).join(', ')

/** What was destroyed, and the certificate of each. */
export function Erasures(): JSX.Element {
  const client = useConsole()
  const [lines, setLines] = useState<ErasureLine[] | null>(null)
  const [open, setOpen] = useState<ErasureLine | null>(null)
  const { problem, run } = useAction()
  useEffect(() => void run(async () => {
    setLines((await client.ask('erasure.list'))['certificates'] as ErasureLine[])
  }), [])
  return (
    <section class="card" data-testid="erasures">
      <header class="card-head"><h2>{t('keeping.erasures')}</h2></header>
      <p class="quiet">{t('erasures.more')}</p>
      {problem && <Notice look="bad">{problem}</Notice>}
      {lines?.length === 0 && <p class="quiet">{t('erasures.none')}</p>}
      <ul class="rows">
        {lines?.map((line) => (
          <li key={line.file}>
            <button type="button" class="row-button" data-testid="certificate" onClick={() => setOpen(line)}>
              <Icon name="erase" />
              <span class="grow">
                <strong>{purposesText(line.purposes)}</strong>
                <small class="flowing">{[`${dateOf(line.at)} ${timeOf(line.at)}`, word('erase-why', line.why), line.consultation].join(' · ')}</small>
              </span>
              <Pill look={line.signed ? 'good' : 'bad'}>{t(line.signed ? 'erasures.signed' : 'erasures.unsigned')}</Pill>
            </button>
          </li>
        ))}
      </ul>
      {open && <CertificateDialog line={open} onClose={() => setOpen(null)} />}
    </section>
  )
}

function CertificateDialog({ line, onClose }: { line: ErasureLine; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [words, setWords] = useState<{ statement: string; signature: string } | null>(null)
  const { problem, run } = useAction()
  useEffect(() => void run(async () => {
    setWords((await client.ask('erasure.certificate', { file: line.file }))['certificate'] as { statement: string; signature: string })
  }), [line.file])
  const keep = (): void => {
    if (!words) return
    const file = JSON.stringify({ statement: words.statement, signature: words.signature })
    saveFile(new Blob([file], { type: 'application/json' }), line.file.split('/').pop() ?? 'certificate.json')
  }
  return (
    <Dialog title={t('certificate.title')} onClose={onClose} testid="certificate-dialog" wide>
      <div class="dialog-body">
        {problem && <Notice look="bad">{problem}</Notice>}
        <Notice look={line.signed ? 'good' : 'bad'}>{t(line.signed ? 'certificate.signed' : 'certificate.unsigned')}</Notice>
        <dl class="facts">
          <dt>{t('certificate.what')}</dt><dd>{purposesText(line.purposes)}</dd>
          <dt>{t('certificate.whose')}</dt><dd>{line.consultation}</dd>
          <dt>{t('certificate.when')}</dt><dd>{dateOf(line.at)} {timeOf(line.at, true)}</dd>
          <dt>{t('certificate.why')}</dt><dd>{word('erase-why', line.why)}</dd>
          <dt>{t('certificate.copies')}</dt>
          <dd>{line.copies.length === 0 ? '–' : line.copies.map(({ where, what }) => <div key={where}>{word('copy', where)}: {word('copy-what', where) === where ? what : word('copy-what', where)}</div>)}</dd>
        </dl>
        <details>
          <summary>{t('certificate.words')}</summary>
          <pre class="statement" data-testid="statement">{words?.statement ?? ''}</pre>
        </details>
      </div>
      <footer>
        <Button disabled={!words} testid="certificate-save" onClick={keep}>{t('certificate.save')}</Button>
        <Button look="primary" onClick={onClose}>{t('do.close')}</Button>
      </footer>
    </Dialog>
  )
}
