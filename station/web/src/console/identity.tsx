import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useCell } from '../observable'
import { Refusal } from '../link/socket'
import type { Patient, Said } from '../protocol'
import { said, t } from '../text'
import { Button, Notice, PRIVATE, useAction } from '../ui/parts'
import { useConsole } from './context'
import { EarlierList, type Earlier } from './earlier'
import { patientLine } from './live'
import { UnlockDialog } from './records'

interface Found { patient: Patient; consultations: Earlier[] }

/** One line for all ways to a patient: a scanner types the QR text of the citizen card into it, or
 * somebody types a number or a name. What is read fills the form; the rest is the doctor's. */
export function IdentityLine({ onPatient }: { onPatient: (patient: Patient) => void }): JSX.Element {
  const client = useConsole()
  const [text, setText] = useState('')
  const [warnings, setWarnings] = useState<Said[]>([])
  const [found, setFound] = useState<Found[] | null>(null)
  const [unlocking, setUnlocking] = useState(false)
  const [camera, setCamera] = useState(false)
  const vault = useCell(client.state)?.vault
  const { busy, problem, clear, run } = useAction()

  const find = (wanted: string): Promise<boolean> => run(async () => {
    try {
      setFound((await client.ask('patient.find', { text: wanted }))['patients'] as Found[])
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'locked')) throw error
      setUnlocking(true)
    }
  })
  const read = (wanted: string): Promise<boolean> => run(async () => {
    const answer = await client.ask('identity.read', { text: wanted })
    onPatient(answer['patient'] as Patient)
    setWarnings(answer['warnings'] as Said[])
    setText('')
    // Who opened the vault sees at once whether the patient was here before.
    if (vault === 'open')
      setFound((await client.ask('patient.find', { text: wanted }))['patients'] as Found[])
  })
  const go = async (wanted: string): Promise<void> => {
    setWarnings([])
    setFound(null)
    if (wanted.trim() === '') return
    await (wanted.includes('|') ? read(wanted) : find(wanted.trim()))
  }
  return (
    <section class="identity" aria-label={t('identity.title')} data-testid="identity">
      <div class="add-line">
        <input {...PRIVATE} value={text} maxLength={2000} aria-label={t('identity.title')} placeholder={t('identity.hint')}
          data-testid="identity-text" onInput={(event) => {
            clear()
            setText(event.currentTarget.value)
          }} onKeyDown={(event) => {
            if (event.key !== 'Enter') return
            // The scanner's Enter is not the form's.
            event.preventDefault()
            void go(event.currentTarget.value)
          }} />
        {'BarcodeDetector' in window && (
          <Button icon="camera" label={t('identity.camera')} pressed={camera} testid="identity-camera" onClick={() => setCamera(!camera)} />
        )}
        <Button busy={busy} disabled={text.trim() === ''} testid="identity-go" onClick={() => void go(text)}>{t('identity.go')}</Button>
      </div>
      {camera && <CardCamera onText={(scanned) => {
        setCamera(false)
        void go(scanned)
      }} />}
      {problem && <Notice look="bad" testid="identity-problem">{problem}</Notice>}
      {warnings.map((warning, i) => <Notice key={i} look="warn" testid="identity-warning">{said(warning)}</Notice>)}
      {found?.length === 0 && <p class="quiet" role="status" data-testid="identity-none">{t('identity.none')}</p>}
      {found?.map(({ patient, consultations }, i) => (
        <article key={i} class="found" data-testid="identity-found">
          <header>
            <span>
              <strong>{patientLine(patient)}</strong>
              <small>{[patient.personal_number, patient.address].filter(Boolean).join(' · ')}</small>
            </span>
            <Button look="primary" icon="check" testid="identity-take" onClick={() => {
              onPatient(patient)
              setText('')
              setFound(null)
            }}>{t('identity.take')}</Button>
          </header>
          <EarlierList consultations={consultations} />
        </article>
      ))}
      {unlocking && <UnlockDialog onClose={() => setUnlocking(false)} onOpen={() => {
        setUnlocking(false)
        void find(text.trim())
      }} />}
    </section>
  )
}

interface Detector { detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]> }

/** Where the browser can read codes itself: the card before the camera. Nothing of the picture is kept. */
function CardCamera({ onText }: { onText: (text: string) => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let over = false
    let stream: MediaStream | null = null
    const look = async (): Promise<void> => {
      const Maker = (window as unknown as { BarcodeDetector: new (options: { formats: string[] }) => Detector }).BarcodeDetector
      const detector = new Maker({ formats: ['qr_code'] })
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: 1280 } })
      const element = video.current
      if (over || !element) return
      element.srcObject = stream
      await element.play()
      while (!over) {
        const code = (await detector.detect(element)).find(({ rawValue }) => rawValue.includes('|'))
        if (code) return onText(code.rawValue)
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
    void look().catch(() => setFailed(true)).finally(() => stream?.getTracks().forEach((track) => track.stop()))
    return () => {
      over = true
      stream?.getTracks().forEach((track) => track.stop())
    }
  }, [])
  return failed ? <Notice look="bad">{t('identity.camera-failed')}</Notice> : <video ref={video} class="card-camera" muted playsInline />
}

