import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useCell } from '../observable'
import { t, word, type Key } from '../text'
import { Button, Notice, dateOf, timeOf } from '../ui/parts'
import { CalibrateDialog } from './calibrate'
import { NOMINAL_PX_PER_MM, screenScale } from './calibration'
import { Calipers } from './calipers'
import { drawSheet } from './draw'
import { GAINS, LAYOUTS, layOut, sheetSeconds, SPEEDS, type Manner } from './layout'
import { leadsOf, secondsOf } from './leads'
import type { Ecg, EcgHead } from './pack'
import { printSheet } from './print'

/** The sheet of one ECG with what a person may choose about it. */
export function EcgView({ ecg }: { ecg: Ecg }): JSX.Element {
  const leads = useMemo(() => leadsOf(ecg), [ecg])
  const [manner, setManner] = useState<Manner>({ layout: '3x4', speed: 25, gain: 10 })
  const [fromS, setFromS] = useState(0)
  const [measuring, setMeasuring] = useState(false)
  const [calibrating, setCalibrating] = useState(false)
  const scale = useCell(screenScale)
  const canvas = useRef<HTMLCanvasElement>(null)
  const seconds = secondsOf(leads)
  const shown = sheetSeconds(manner.speed)
  const px = scale ?? NOMINAL_PX_PER_MM
  const sheet = useMemo(() => layOut(leads, manner, fromS), [leads, manner, fromS])

  useEffect(() => {
    const ratio = Math.max(1, window.devicePixelRatio || 1)
    const element = canvas.current!
    element.width = Math.round(sheet.width * px * ratio)
    element.height = Math.round(sheet.height * px * ratio)
    element.style.width = `${element.width / ratio}px`
    element.dataset['pxPerMm'] = String(px * ratio)
    drawSheet(element.getContext('2d')!, sheet, px * ratio)
  }, [sheet, px])

  const step = (way: 1 | -1): void =>
    setFromS(Math.max(0, Math.min(Math.max(0, seconds - shown), fromS + way * shown)))
  const below = [
    `${manner.speed} mm/s · ${manner.gain} mm/mV · ${t('ecg.filter-none')}`,
    leads.some(({ derived }) => derived) ? t('ecg.derived') : '',
    leads.some(({ calibrated }) => !calibrated) ? t('ecg.uncalibrated') : '',
    ...ecg.head.notes,
  ].filter(Boolean)
  return (
    <section class="ecg-view" aria-label={t('ecg')} data-testid="ecg-view">
      <header class="ecg-tools">
        <Choice label={t('ecg.layout')} testid="ecg-layout" values={LAYOUTS} value={manner.layout}
          text={(layout) => t(`ecg.layout.${layout}` as Key)} onChange={(layout) => setManner({ ...manner, layout })} />
        <Choice label={t('ecg.speed')} testid="ecg-speed" values={SPEEDS} value={manner.speed}
          text={(speed) => `${speed} mm/s`} onChange={(speed) => setManner({ ...manner, speed })} />
        <Choice label={t('ecg.gain')} testid="ecg-gain" values={GAINS} value={manner.gain}
          text={(gain) => `${gain} mm/mV`} onChange={(gain) => setManner({ ...manner, gain })} />
        {seconds > shown && (
          <>
            <Button look="quiet" testid="ecg-back" disabled={fromS <= 0} onClick={() => step(-1)}>{t('ecg.back')}</Button>
            <span class="quiet">{t('ecg.window', { from: fromS.toFixed(1), to: Math.min(seconds, fromS + shown).toFixed(1), all: seconds.toFixed(1) })}</span>
            <Button look="quiet" testid="ecg-on" disabled={fromS >= seconds - shown} onClick={() => step(1)}>{t('ecg.on')}</Button>
          </>
        )}
        <Button pressed={measuring} look={measuring ? 'primary' : 'plain'} testid="ecg-measure" onClick={() => setMeasuring(!measuring)}>{t('ecg.measure')}</Button>
        <Button testid="ecg-calibrate" onClick={() => setCalibrating(true)}>{t('ecg.calibrate')}</Button>
        <Button testid="ecg-print" onClick={() => printSheet(leads, manner, fromS, headLines(ecg.head), [...below, ...ecg.head.interpretation])}>{t('ecg.print')}</Button>
      </header>
      {headLines(ecg.head).map((text) => <p key={text} class="ecg-line">{text}</p>)}
      <div class="ecg-scroll" tabIndex={0} aria-label={t('ecg.picture')}>
        <div class="ecg-paper">
          <canvas ref={canvas} data-testid="ecg-canvas" role="img" aria-label={t('ecg.picture')} data-seconds={seconds} />
          {measuring && <Calipers pxPerMm={px} speed={manner.speed} gain={manner.gain} />}
        </div>
      </div>
      <p class="ecg-line" data-testid="ecg-below">
        {[...below, t(scale === null ? 'ecg.not-to-scale' : 'ecg.to-scale')].join(' · ')}
      </p>
      <Findings head={ecg.head} />
      {calibrating && <CalibrateDialog onClose={() => setCalibrating(false)} />}
    </section>
  )
}

/** "Nguyễn Văn A · mã 0100123 · nam · 08/05/1959", "20/11/2026 09:03:12 · Mortara ELI250" */
export function headLines(head: EcgHead): string[] {
  const { patient, device } = head
  const who = [
    patient.name ?? t('ecg.no-name'), patient.id && t('ecg.id', { id: patient.id }),
    patient.sex && word('sex', patient.sex), patient.birth_date && dateOf(patient.birth_date),
  ]
  const when = [
    head.time ? `${dateOf(head.time)} ${timeOf(head.time, true)}` : t('ecg.no-time'),
    head.time && head.time_source === 'device-local' ? t('ecg.device-clock') : '',
    [device.maker, device.model].filter(Boolean).join(' '),
  ]
  return [who, when].map((parts) => parts.filter(Boolean).join(' · '))
}

function Findings({ head }: { head: EcgHead }): JSX.Element | null {
  const global = head.measurements.filter(({ lead }) => !lead)
  if (head.interpretation.length === 0 && global.length === 0) return null
  return (
    <details class="ecg-findings">
      <summary>{t('ecg.findings')}</summary>
      <Notice look="info">{t('ecg.findings.more')}</Notice>
      <ul>{head.interpretation.map((text) => <li key={text}>{text}</li>)}</ul>
      <dl>
        {global.slice(0, 60).map(({ name, value, unit }, i) => (
          <div key={i}><dt>{name}</dt><dd>{[value, unit].filter(Boolean).join(' ')}</dd></div>
        ))}
      </dl>
    </details>
  )
}

function Choice<T extends string | number>(props: {
  label: string; values: readonly T[]; value: T; testid: string; text: (value: T) => string; onChange: (value: T) => void
}): JSX.Element {
  return (
    <select aria-label={props.label} data-testid={props.testid} value={props.value}
      onChange={(event) => {
        const chosen = props.values.find((value) => String(value) === event.currentTarget.value)
        if (chosen !== undefined) props.onChange(chosen)
      }}>
      {props.values.map((value) => <option key={value} value={value}>{props.text(value)}</option>)}
    </select>
  )
}
