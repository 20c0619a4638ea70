/* DICOM objects of a consultation, as docs/protocol.md tells: what is shown of them, and measures. */

export interface Attachment {
  id: string
  kind: string
  name: string
  mime: string
  size: number
  at: string
  user?: string
  about: unknown
}

export interface Window { center: number; width: number }
/** A table of the object's own (VOI LUT): a shade for each sample that can be stored. */
export interface Table { table: number; shades: Uint8Array }
/** How grey samples are shown. */
export type Levels = Window | Table
export interface Region { x0: number; y0: number; x1: number; y1: number; dx_mm: number; dy_mm: number }

export interface DicomPicture {
  shown: boolean
  reason?: string
  rows: number
  columns: number
  frames: number
  grey: boolean
  invert: boolean
  signed: boolean
  bits: number
  slope: number
  intercept: number
  windows: Window[]
  luts?: { name: string }[]
  regions: Region[]
  frame_ms?: number
  lossy: boolean
  unit?: string
  spacing?: { row_mm: number; column_mm: number; where: string }
}

export interface DicomAbout {
  study?: string
  series?: string
  modality?: string
  study_description?: string
  series_description?: string
  series_number?: string
  instance_number?: string
  study_date?: string
  study_time?: string
  date?: string
  time?: string
  manufacturer?: string
  model?: string
  sender?: string
  claimed_by?: string
  patient: { id?: string; name?: string; birth_date?: string; sex?: string }
  picture: DicomPicture
}

export interface DicomObject { id: string; consultation: string; size: number; about: DicomAbout }

export interface Series { series: string; title: string; objects: DicomObject[] }

/** Attachments that are DICOM objects, as they came. */
export function dicomObjects(items: readonly Attachment[], consultation: string): DicomObject[] {
  return items.filter(({ kind }) => kind === 'dicom')
    .map(({ id, size, about }) => ({ id, size, consultation, about: about as DicomAbout }))
}

const number = (text: string | undefined): number => Number.parseInt(text ?? '', 10) || 0

/** By series, in the order of their numbers; the newest study first. */
export function bySeries(objects: readonly DicomObject[]): Series[] {
  const all = new Map<string, DicomObject[]>()
  for (const object of objects) {
    const key = `${object.about.study}/${object.about.series}`
    all.set(key, [...(all.get(key) ?? []), object])
  }
  return [...all].map(([series, list]) => {
    const sorted = list.sort((a, b) => number(a.about.instance_number) - number(b.about.instance_number))
    const { modality, series_description, study_description } = sorted[0]!.about
    return {
      series, objects: sorted,
      title: [modality, series_description ?? study_description].filter(Boolean).join(' · '),
    }
  }).reverse()
}

/** "20261120", "090415.5" → "20/11/2026 09:04:15"; what is missing is left out. */
export function dicomTime(date: string | undefined, time: string | undefined): string {
  const day = /^(\d{4})(\d\d)(\d\d)$/.exec(date ?? '')
  const hour = /^(\d\d)(\d\d)(\d\d)?/.exec(time ?? '')
  return [
    day && `${day[3]}/${day[2]}/${day[1]}`,
    hour && [hour[1], hour[2], hour[3]].filter(Boolean).join(':'),
  ].filter(Boolean).join(' ')
}

export interface Point { x: number; y: number }
export interface Length { value: number; unit: 'mm' | 'px'; where: 'patient' | 'detector' | 'region' | 'none' }

const inside = ({ x, y }: Point, region: Region): boolean =>
  x >= region.x0 && x <= region.x1 + 1 && y >= region.y0 && y <= region.y1 + 1

/** How far it is between two points of the picture, in pixels of it. Of an ultrasound it is known
 * only within one calibrated region. */
export function lengthBetween(a: Point, b: Point, picture: DicomPicture): Length {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const region = picture.regions.find((one) => inside(a, one) && inside(b, one))
  if (region) return { value: Math.hypot(dx * region.dx_mm, dy * region.dy_mm), unit: 'mm', where: 'region' }
  const { spacing } = picture
  if (spacing && picture.regions.length === 0) {
    return {
      value: Math.hypot(dx * spacing.column_mm, dy * spacing.row_mm), unit: 'mm',
      where: spacing.where === 'detector' ? 'detector' : 'patient',
    }
  }
  return { value: Math.hypot(dx, dy), unit: 'px', where: 'none' }
}
