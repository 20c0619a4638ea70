import type { JSX } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t } from '../text'
import { Button, Dialog, Notice, Pill } from '../ui/parts'
import { Frames, type Frame, type PictureSource } from './frames'
import { dicomTime, lengthBetween, type DicomObject, type DicomPicture, type Levels, type Point, type Window } from './object'
import { defaultWindow, greyImage } from './pixels'

type Tool = 'move' | 'window' | 'measure'
interface View { zoom: number; x: number; y: number }
const WHOLE: View = { zoom: 1, x: 0, y: 0 }
const ZOOM_MAX = 16

/** One object: its frames, grey levels, lengths. */
export function DicomViewer(props: { object: DicomObject; source: PictureSource; onClose: () => void }): JSX.Element {
  const { object, source } = props
  const { picture } = object.about
  const frames = useMemo(() => new Frames(object, source), [object.id])
  useEffect(() => () => frames.end(), [frames])
  const [number, setNumber] = useState(0)
  const [playing, setPlaying] = useState(false)
  const [lossless, setLossless] = useState(source.wide)
  const { window, setWindow, table, setTable } = useLevels(picture)
  const levels = useTable(frames, table) ?? window
  const [tool, setTool] = useState<Tool>('move')
  const [view, setView] = useState<View>(WHOLE)
  const { frame, problem } = useFrame(frames, number, lossless, playing)
  usePlaying(frames, number, setNumber, playing, lossless)
  const ready = lossless && frame?.form === 'full'
  const step = (by: number): void => setNumber((now) => (now + by + picture.frames) % picture.frames)
  return (
    <Dialog title={titleOf(object)} onClose={props.onClose} testid="dicom-viewer" wide>
      <div class="dicom-viewer" tabIndex={0} onKeyDown={(event) => {
        if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') step(event.key === 'ArrowRight' ? 1 : -1)
        else if (event.key === ' ' && picture.frames > 1) setPlaying(!playing)
        else return
        event.preventDefault()
      }}>
        <Sheet object={object} frame={frame} levels={levels} view={view} tool={tool} number={number}
          onView={setView} onWindow={setWindow} onStep={step} />
        {problem && <Notice look="bad">{t('dicom.problem')}</Notice>}
        <div class="dicom-bar">
          {(['move', 'window', 'measure'] as const).filter((one) => one !== 'window' || picture.grey).map((one) => (
            <Button key={one} look={tool === one ? 'primary' : 'plain'} testid={`dicom-${one}`} onClick={() => setTool(one)}>
              {t(`dicom.tool.${one}`)}
            </Button>
          ))}
          <Button label={t('dicom.closer')} testid="dicom-closer" onClick={() => setView(zoomed(view, 1.5))}>+</Button>
          <Button label={t('dicom.farther')} testid="dicom-farther" onClick={() => setView(zoomed(view, 1 / 1.5))}>−</Button>
          <Button testid="dicom-whole" onClick={() => {
            setView(WHOLE)
            setWindow(picture.windows[0] ?? null)
            setTable(picture.luts?.length ? 0 : null)
          }}>{t('dicom.whole')}</Button>
          {picture.windows.length + (picture.luts?.length ?? 0) > 1 && picture.windows.map((one, i) => (
            <Button key={i} testid="dicom-window-choice" onClick={() => setWindow(one)}>{`${one.center}/${one.width}`}</Button>
          ))}
          {picture.luts?.map(({ name }, i) => (
            <Button key={`lut${i}`} testid="dicom-table-choice" pressed={table === i} onClick={() => setTable(i)}>
              {name || t('dicom.table', { n: i + 1 })}
            </Button>
          ))}
          <span class="bar-gap" />
          {!lossless && <Button icon="expand" testid="dicom-lossless" onClick={() => setLossless(true)}>{t('dicom.lossless')}</Button>}
          <span data-testid="dicom-quality" data-quality={ready ? 'full' : 'small'}>
            <Pill look={ready ? 'good' : 'warn'}>{t(ready ? 'dicom.is-full' : 'dicom.is-small')}</Pill>
          </span>
        </div>
        {picture.frames > 1 && (
          <div class="dicom-bar">
            <Button look="primary" icon={playing ? 'pause' : 'play'} testid="dicom-play"
              label={t(playing ? 'playback.pause' : 'playback.play')} onClick={() => setPlaying(!playing)} />
            <input type="range" min={0} max={picture.frames - 1} value={number} data-testid="dicom-frame"
              aria-label={t('dicom.frame')} onInput={(event) => {
                setPlaying(false)
                setNumber(Number(event.currentTarget.value))
              }} />
            <span class="position">{number + 1} / {picture.frames}{rateOf(object)}</span>
          </div>
        )}
        <p class="dicom-warning" data-testid="dicom-warning">{t('dicom.not-primary')}</p>
      </div>
    </Dialog>
  )
}

/** The object's tables come before its windows, which are for who has no tables; a window that is drawn or chosen
 * takes their place. */
function useLevels(picture: DicomPicture): {
  window: Window | null; setWindow: (window: Window | null) => void; table: number | null; setTable: (n: number | null) => void
} {
  const [window, setWindow] = useState<Window | null>(picture.windows[0] ?? null)
  const [table, setTable] = useState<number | null>(picture.grey && picture.luts?.length ? 0 : null)
  return {
    window, table, setTable,
    setWindow: (next) => {
      setTable(null)
      setWindow(next)
    },
  }
}

/** The table as soon as it is here; until then the window stands. */
function useTable(frames: Frames, table: number | null): Levels | null {
  const [known, setKnown] = useState<{ frames: Frames; table: number; shades: Uint8Array } | null>(null)
  useEffect(() => {
    if (table === null) return
    let gone = false
    frames.table(table).then((shades) => {
      if (!gone) setKnown({ frames, table, shades })
    }, () => {})
    return () => {
      gone = true
    }
  }, [frames, table])
  return table !== null && known?.frames === frames && known.table === table ? known : null
}

function titleOf({ about }: DicomObject): string {
  return [about.modality, about.study_description, about.series_description].filter(Boolean).join(' · ') || t('dicom')
}

function rateOf({ about: { picture } }: DicomObject): string {
  return picture.frame_ms ? ` · ${Math.round(10000 / picture.frame_ms) / 10} ${t('dicom.per-second')}` : ''
}

const zoomed = (view: View, by: number): View => ({ ...view, zoom: Math.min(ZOOM_MAX, Math.max(1, view.zoom * by)) })

/** The best of a frame that is here; a better one replaces it when it comes. */
function useFrame(frames: Frames, number: number, lossless: boolean, playing: boolean): { frame: Frame | null; problem: boolean } {
  const [, refresh] = useState(0)
  const [problem, setProblem] = useState(false)
  useEffect(() => {
    let gone = false
    const come = (): void => {
      if (gone) return
      setProblem(false)
      refresh((n) => n + 1)
    }
    const fail = (): void => void (gone || setProblem(true))
    if (!frames.source.wide && !frames.best(number)) frames.get(number, 'small').then(come, fail)
    if (lossless && !(playing && !frames.source.wide)) frames.get(number, 'full').then(come, fail)
    return () => {
      gone = true
    }
  }, [frames, number, lossless, playing])
  return { frame: frames.best(number), problem }
}

/** At the rate of the object. A frame that is not here yet is waited for: no frame is left out. */
function usePlaying(frames: Frames, number: number, go: (next: number) => void, playing: boolean, lossless: boolean): void {
  const { frames: n, frame_ms } = frames.object.about.picture
  useEffect(() => {
    if (!playing) return
    let gone = false
    const next = (number + 1) % n
    const form = lossless && frames.source.wide ? 'full' : 'small'
    const until = performance.now() + (frame_ms ?? 100)
    for (let ahead = 2; ahead < Math.min(8, n); ahead++) void frames.get((number + ahead) % n, form).catch(() => {})
    frames.get(next, form).then(() => {
      if (!gone) timer = globalThis.setTimeout(() => go(next), Math.max(0, until - performance.now()))
    }, () => {})
    let timer: ReturnType<typeof setTimeout> | undefined
    return () => {
      gone = true
      globalThis.clearTimeout(timer)
    }
  }, [frames, number, playing, lossless])
}

interface Sheeted {
  object: DicomObject; frame: Frame | null; levels: Levels | null; view: View; tool: Tool; number: number
  onView: (view: View) => void; onWindow: (window: Window) => void; onStep: (by: number) => void
}

/** The picture at its own size, moved and scaled by the browser, so that its pixels stay what they are. */
function Sheet(props: Sheeted): JSX.Element {
  const { object, frame, view } = props
  const { picture } = object.about
  const canvas = useRef<HTMLCanvasElement>(null)
  const sheet = useRef<HTMLDivElement>(null)
  const [lines, setLines] = useState<[Point, Point][]>([])
  const grey = frame?.form === 'full' ? frame.grey : null
  const levels = props.levels ?? (grey ? defaultWindow(picture, grey) : null)
  const window = levels && 'center' in levels ? levels : grey ? defaultWindow(picture, grey) : null
  useEffect(() => draw(canvas.current, object, frame, levels), [frame, window?.center, window?.width, levels && 'shades' in levels ? levels.shades : null])
  const tall = picture.spacing ? picture.spacing.row_mm / picture.spacing.column_mm : 1
  const at = (event: PointerEvent): Point => {
    const box = canvas.current!.getBoundingClientRect()
    return {
      x: (event.clientX - box.left) / box.width * picture.columns,
      y: (event.clientY - box.top) / box.height * picture.rows,
    }
  }
  const drag = useDrag(props, window, at, setLines)
  return (
    <div class="dicom-sheet" ref={sheet} data-tool={props.tool} {...drag} onWheel={(event) => {
      event.preventDefault()
      if (event.ctrlKey || picture.frames === 1) props.onView(zoomed(view, event.deltaY < 0 ? 1.2 : 1 / 1.2))
      else props.onStep(event.deltaY > 0 ? 1 : -1)
    }}>
      <div class="dicom-picture" style={{
        aspectRatio: `${picture.columns} / ${picture.rows * tall}`, '--shape': picture.columns / (picture.rows * tall),
        transform: `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`,
      }}>
        <canvas ref={canvas} width={picture.columns} height={picture.rows} data-testid="dicom-canvas"
          data-frame={frame ? props.number : ''} data-form={frame?.form ?? ''} class={view.zoom >= 3 ? 'sharp' : ''} />
        <svg viewBox={`0 0 ${picture.columns} ${picture.rows}`} preserveAspectRatio="none" aria-hidden="true">
          {lines.map(([a, b], i) => <line key={i} x1={a.x} y1={a.y} x2={b.x} y2={b.y} />)}
        </svg>
      </div>
      <Printed object={object} levels={picture.grey ? levels : null} zoom={view.zoom} />
      {lines.length > 0 && <Lengths object={object} lines={lines} onClear={() => setLines([])} />}
      {!frame && <p class="dicom-loading" role="status">{t('dicom.loading')}</p>}
    </div>
  )
}

function draw(canvas: HTMLCanvasElement | null, object: DicomObject, frame: Frame | null, levels: Levels | null): void {
  const context = canvas?.getContext('2d')
  const { picture } = object.about
  if (!context || !frame) return
  if (frame.form === 'small') {
    context.drawImage(frame.image, 0, 0, picture.columns, picture.rows)
    return
  }
  const pixels = frame.colour ?? (frame.grey && levels ? greyImage(frame.grey, picture, levels) : null)
  if (pixels) context.putImageData(new ImageData(pixels, picture.columns, picture.rows), 0, 0)
}

type Drag = { onPointerDown: (e: PointerEvent) => void; onPointerMove: (e: PointerEvent) => void; onPointerUp: (e: PointerEvent) => void }

function useDrag(
  props: Sheeted, window: Window | null, at: (e: PointerEvent) => Point,
  setLines: (change: (lines: [Point, Point][]) => [Point, Point][]) => void,
): Drag {
  const from = useRef<{ x: number; y: number; view: View; window: Window | null; point: Point } | null>(null)
  return {
    onPointerDown(event) {
      ;(event.currentTarget as HTMLElement).setPointerCapture(event.pointerId)
      from.current = { x: event.clientX, y: event.clientY, view: props.view, window, point: at(event) }
      if (props.tool === 'measure') setLines((lines) => [...lines.slice(-9), [at(event), at(event)]])
    },
    onPointerMove(event) {
      const begin = from.current
      if (!begin) return
      const [dx, dy] = [event.clientX - begin.x, event.clientY - begin.y]
      if (props.tool === 'move') props.onView({ ...begin.view, x: begin.view.x + dx, y: begin.view.y + dy })
      else if (props.tool === 'measure') setLines((lines) => [...lines.slice(0, -1), [begin.point, at(event)]])
      else if (begin.window) {
        const scale = Math.max(1, begin.window.width) / 300
        props.onWindow({
          center: Math.round(begin.window.center + dy * scale),
          width: Math.max(1, Math.round(begin.window.width + dx * scale)),
        })
      }
    },
    onPointerUp() {
      from.current = null
    },
  }
}

/** Whose it is, when, and of what: always on the picture. */
function Printed({ object, levels, zoom }: { object: DicomObject; levels: Levels | null; zoom: number }): JSX.Element {
  const { patient, modality, date, time, study_date, study_time, model, manufacturer, sender, picture } = object.about
  return (
    <>
      <p class="dicom-print left" data-testid="dicom-print">
        <b>{patient.name || t('patient.unknown')}</b>{patient.id && <> · {patient.id}</>}<br />
        {[modality, dicomTime(date ?? study_date, time ?? study_time)].filter(Boolean).join(' · ')}<br />
        {[[manufacturer, model].filter(Boolean).join(' '), sender].filter(Boolean).join(' · ')}
      </p>
      <p class="dicom-print right">
        {levels && <span data-testid="dicom-levels">{levelsText(levels, picture)}</span>}
        {zoom !== 1 && <span>{Math.round(zoom * 100)} %</span>}
        {picture.lossy && <span>{t('dicom.lossy')}</span>}
      </p>
    </>
  )
}

function levelsText(levels: Levels, picture: DicomPicture): string {
  if ('center' in levels) return `C ${levels.center} · W ${levels.width}${picture.unit ? ` ${picture.unit}` : ''}`
  return picture.luts?.[levels.table]?.name || t('dicom.table', { n: levels.table + 1 })
}

function Lengths(props: { object: DicomObject; lines: [Point, Point][]; onClear: () => void }): JSX.Element {
  return (
    <p class="dicom-lengths" data-testid="dicom-lengths">
      {props.lines.map(([a, b], i) => {
        const { value, unit, where } = lengthBetween(a, b, props.object.about.picture)
        return <span key={i}>{value.toFixed(1)} {unit} <small>{t(`dicom.length.${where}`)}</small></span>
      })}
      <Button look="quiet" icon="close" label={t('dicom.clear')} onClick={props.onClear} />
    </p>
  )
}
