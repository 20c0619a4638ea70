import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { toBase64 } from '../bytes'
import { useCell } from '../observable'
import type { SignatureFinding, SignatureReport, SignatureView, SignerRole } from '../protocol'
import { said, t, type Key } from '../text'
import { Button, Dialog, Field, Notice, Pill, PRIVATE, SECRET, dateOf, refusalText, timeOf, useAction } from '../ui/parts'
import { DrawnSignature } from './drawn-signature'
import { RemoteForm } from './remote-signature'
import { RoleField } from './role-field'
import { useConsole } from './context'

const LOOKS = { good: 'good', note: 'warn', bad: 'bad' } as const
const moment = (time: string): string => `${dateOf(time)} ${timeOf(time)}`

function Findings({ findings }: { findings: SignatureFinding[] }): JSX.Element | null {
  if (findings.length === 0) return null
  return (
    <ul class="findings">
      {findings.map(({ code, text, verdict }) => <li key={code} class={verdict} data-code={code}>{said(text)}</li>)}
    </ul>
  )
}

function SignatureCard({ signature }: { signature: SignatureView }): JSX.Element {
  const { certificate } = signature
  return (
    <li class="signature" data-testid={`signature-${signature.seq}`} data-verdict={signature.verdict}>
      <div class="card-head">
        <strong>{t(`signer.${signature.role}` as Key)}{(signature.name ?? certificate?.subject) && `: ${signature.name ?? certificate?.subject}`}</strong>
        <Pill look={LOOKS[signature.verdict]}>{t(`signature.${signature.verdict}` as Key)}</Pill>
      </div>
      <p class="quiet">
        {signature.stamped
          ? t('signature.stamped', { time: moment(signature.stamped), by: signature.stamped_by ?? '' })
          : t('signature.unstamped', { time: moment(signature.at) })}
      </p>
      {certificate && <p class="quiet">{t('signature.certificate', { name: certificate.subject, issuer: certificate.issuer, until: dateOf(certificate.until) })}</p>}
      {signature.statement && <p>“{signature.statement}”</p>}
      {signature.drawing && <img class="drawn" alt={t('signature.drawing')} src={`data:image/png;base64,${signature.drawing}`} />}
      <Findings findings={signature.findings} />
    </li>
  )
}

/** Who has signed, who has not, and what holds. */
export function SignaturesDialog({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const client = useConsole()
  const [report, setReport] = useState<SignatureReport | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [way, setWay] = useState<'upload' | 'key' | 'remote' | 'confirmation' | null>(null)
  const load = async (): Promise<void> => {
    try {
      setReport((await client.ask('signature.report', { consultation: id }))['report'] as SignatureReport)
      setProblem(null)
    } catch (error) {
      setProblem(refusalText(error))
    }
  }
  const done = (): void => {
    setWay(null)
    void load()
  }
  useEffect(() => void load(), [id])
  return (
    <Dialog title={t('signatures.title')} onClose={onClose} testid="signatures" wide>
      <div class="dialog-body">
        {problem && <Notice look="bad">{problem}</Notice>}
        {report?.manifest && <Findings findings={report.manifest.findings} />}
        {report && (
          <div class="roles">
            {report.roles.filter(({ required, done: given }) => required || given).map(({ role, done: given }) => (
              <Pill key={role} look={given ? 'good' : 'warn'}>{t(`signer.${role}` as Key)}: {t(given ? 'signatures.done' : 'signatures.open')}</Pill>
            ))}
          </div>
        )}
        {report && report.pending > 0 && <Notice look="info" testid="stamps-pending">{t('signatures.pending', { count: report.pending })}</Notice>}
        {report && !report.authority && <p class="quiet">{t('signatures.no-authority')}</p>}
        <ul class="signature-list">{report?.signatures.map((one) => <SignatureCard key={one.seq} signature={one} />)}</ul>
        {report && way === null && (
          <div class="ways">
            {report.key && <Button icon="sign" testid="sign-key" onClick={() => setWay('key')}>{t('signatures.key')}</Button>}
            <Button testid="sign-upload" onClick={() => setWay('upload')}>{t('signatures.upload')}</Button>
            <Button testid="sign-remote" onClick={() => setWay('remote')}>{t('signatures.remote')}</Button>
            <Button testid="sign-confirm" onClick={() => setWay('confirmation')}>{t('signatures.confirm')}</Button>
          </div>
        )}
        {way === 'key' && <KeyForm id={id} onDone={done} />}
        {way === 'upload' && <UploadForm id={id} onDone={done} />}
        {way === 'remote' && <RemoteForm id={id} onDone={done} />}
        {way === 'confirmation' && <ConfirmationForm id={id} onDone={done} />}
      </div>
      <footer>
        <Button onClick={() => void load()}>{t('signatures.again')}</Button>
        <Button look="primary" onClick={onClose}>{t('do.close')}</Button>
      </footer>
    </Dialog>
  )
}

function KeyForm({ id, onDone }: { id: string; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const user = useCell(client.user)
  const [secret, setSecret] = useState('')
  const [role, setRole] = useState<SignerRole>('doctor')
  const { busy, problem, run } = useAction()
  return (
    <form class="way" onSubmit={(event) => {
      event.preventDefault()
      void run(() => client.ask('signature.add', { consultation: id, method: 'key', role, secret })).then((good) => good && onDone())
      setSecret('')
    }}>
      <p>{t('signatures.key-more', { name: user?.name ?? '' })}</p>
      <RoleField roles={['doctor', 'chair', 'secretary']} role={role} onRole={setRole} />
      <Field label={t('signatures.key-secret')} problem={problem}>
        {(attributes) => (
          <input {...attributes} {...SECRET} value={secret} data-testid="key-secret" onInput={(event) => setSecret(event.currentTarget.value)} />
        )}
      </Field>
      <Button submit look="primary" icon="sign" busy={busy} testid="key-go">{t('signatures.key-go')}</Button>
    </form>
  )
}

function UploadForm({ id, onDone }: { id: string; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [told, setTold] = useState<{ manifest: string; sha256: string } | null>(null)
  const [role, setRole] = useState<SignerRole>('specialist')
  const { busy, problem, run } = useAction()
  useEffect(() => {
    void run(async () => setTold(await client.ask('signature.manifest', { consultation: id }) as unknown as { manifest: string; sha256: string }))
  }, [id])
  const address = useMemo(() => told ? URL.createObjectURL(new Blob([told.manifest], { type: 'application/json' })) : '', [told])
  useEffect(() => () => URL.revokeObjectURL(address), [address])
  const send = async (file: File | undefined): Promise<void> => {
    if (!file) return
    const good = await run(async () => client.ask('signature.add', {
      consultation: id, method: 'upload', role, file: toBase64(new Uint8Array(await file.arrayBuffer())),
    }))
    if (good) onDone()
  }
  return (
    <div class="way">
      <p>{t('signatures.upload-more')}</p>
      {told && (
        <p>
          <a class="link-button" data-testid="manifest" download={`manifest-${id}.json`}
            href={address}>{t('signatures.manifest')}</a>
          <br /><span class="quiet">SHA-256: <code data-testid="manifest-sha256">{told.sha256}</code></span>
        </p>
      )}
      <RoleField roles={['specialist', 'chair', 'secretary', 'doctor']} role={role} onRole={setRole} />
      <Field label={t('signatures.file')}>
        {(attributes) => (
          <input {...attributes} type="file" accept=".p7s,.p7m,.pem,.der" disabled={busy} data-testid="p7s"
            onChange={(event) => {
              const input = event.currentTarget
              void send(input.files?.[0]).then(() => { input.value = '' })
            }} />
        )}
      </Field>
      {problem && <Notice look="bad" testid="upload-problem">{problem}</Notice>}
    </div>
  )
}

function ConfirmationForm({ id, onDone }: { id: string; onDone: () => void }): JSX.Element {
  const client = useConsole()
  const [role, setRole] = useState<SignerRole>('patient')
  const [name, setName] = useState('')
  const [statement, setStatement] = useState(t('signatures.statement'))
  const [drawing, setDrawing] = useState<string | null>(null)
  const { busy, problem, run } = useAction()
  return (
    <form class="way" onSubmit={(event) => {
      event.preventDefault()
      void run(() => client.ask('signature.add', {
        consultation: id, method: 'confirmation', role, name: name.trim(), statement: statement.trim(), ...(drawing ? { drawing } : {}),
      })).then((good) => good && onDone())
    }}>
      <RoleField roles={['patient', 'representative', 'specialist', 'chair', 'secretary']} role={role} onRole={setRole} />
      <Field label={t('signatures.name')}>
        {(attributes) => <input {...attributes} {...PRIVATE} value={name} maxLength={200} data-testid="confirm-name" onInput={(event) => setName(event.currentTarget.value)} />}
      </Field>
      <Field label={t('signatures.says')}>
        {(attributes) => <textarea {...attributes} {...PRIVATE} rows={2} value={statement} maxLength={2000} onInput={(event) => setStatement(event.currentTarget.value)} />}
      </Field>
      <DrawnSignature onDrawing={setDrawing} />
      {problem && <Notice look="bad">{problem}</Notice>}
      <Button submit look="primary" busy={busy} disabled={name.trim() === '' || statement.trim() === ''} testid="confirm-go">{t('signatures.confirm-go')}</Button>
    </form>
  )
}
