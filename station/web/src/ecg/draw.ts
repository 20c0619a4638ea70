import { spanOf } from './leads'
import type { Cell, Sheet, Strip } from './layout'

export interface Colours { paper: string; fine: string; coarse: string; ink: string; hatch: string }
/** As paper is: pink lines, black ink; the same in a dark room. */
export const PAPER: Colours = {
  paper: '#ffffff', fine: '#f8d7d7', coarse: '#e9a3a3', ink: '#101010', hatch: '#8a8a8a',
}

const LINE_MM = 0.28
const HATCH_MM = 2

/** A whole sheet: paper, pulses, names, traces. Canvas: sheet.width × sheet.height millimetres. */
export function drawSheet(context: CanvasRenderingContext2D, sheet: Sheet, pxPerMm: number, colours = PAPER): void {
  context.setTransform(1, 0, 0, 1, 0, 0)
  drawGrid(context, sheet, pxPerMm, colours)
  for (const strip of sheet.strips) {
    drawPulse(context, sheet, strip, pxPerMm, colours)
    for (const cell of strip.cells) drawCell(context, sheet, strip, cell, pxPerMm, colours)
  }
  // Names last: nothing lies over them.
  for (const strip of sheet.strips) for (const cell of strip.cells) drawName(context, strip, cell, pxPerMm, colours)
}

/** 1 mm is 0.04 s at 25 mm/s; 5 mm are 0.2 s, and 0.5 mV at 10 mm/mV. */
function drawGrid(context: CanvasRenderingContext2D, sheet: Sheet, px: number, colours: Colours): void {
  const [width, height] = [sheet.width * px, sheet.height * px]
  context.fillStyle = colours.paper
  context.fillRect(0, 0, width, height)
  for (const [every, colour, thick] of [[1, colours.fine, 1], [5, colours.coarse, Math.max(1, px * 0.12)]] as const) {
    context.fillStyle = colour
    for (let mm = 0; mm <= sheet.width; mm += every) context.fillRect(Math.round(mm * px), 0, thick, height)
    for (let mm = 0; mm <= sheet.height; mm += every) context.fillRect(0, Math.round(mm * px), width, thick)
  }
}

/** One millivolt for 200 ms. */
function drawPulse(context: CanvasRenderingContext2D, sheet: Sheet, strip: Strip, px: number, colours: Colours): void {
  if (!strip.cells[0]?.lead.calibrated) return
  const base = (strip.top + strip.height / 2) * px
  const up = sheet.gain * px
  const wide = sheet.speed * 0.2 * px
  const left = Math.max(0.5, (sheet.margin - sheet.speed * 0.2) / 2) * px
  context.strokeStyle = colours.ink
  context.lineWidth = Math.max(1, LINE_MM * px)
  context.beginPath()
  context.moveTo(left - px / 2, base)
  for (const [x, y] of [[left, base], [left, base - up], [left + wide, base - up], [left + wide, base], [left + wide + px / 2, base]] as const)
    context.lineTo(x, y)
  context.stroke()
}

/** A lead without a scale in volts is fitted to its strip; its name says so. */
function scaleOf(sheet: Sheet, strip: Strip, cell: Cell): { mm: number; base: number } {
  if (cell.lead.calibrated) return { mm: sheet.gain, base: 0 }
  const span = spanOf(cell.lead, cell.fromS, cell.toS)
  if (span === 'gap' || span === 'empty') return { mm: 1, base: 0 }
  return { mm: strip.height * 0.7 / (span.high - span.low || 1), base: (span.low + span.high) / 2 }
}

/** Column by column, the lowest and the highest of each. */
function drawCell(context: CanvasRenderingContext2D, sheet: Sheet, strip: Strip, cell: Cell, px: number, colours: Colours): void {
  const from = Math.round(cell.x * px)
  const to = Math.round((cell.x + cell.width) * px)
  const middle = (strip.top + strip.height / 2) * px
  const { mm, base } = scaleOf(sheet, strip, cell)
  const thick = Math.max(1, LINE_MM * px)
  // Steep parts are as thick as level ones: on paper a column is a twelfth of a millimetre.
  const wide = Math.max(1, Math.round(thick))
  const seconds = cell.toS - cell.fromS
  let gap = -1
  context.fillStyle = colours.ink
  for (let x = from; x <= to; x++) {
    const at = (column: number): number => cell.fromS + (column - from) / (to - from) * seconds
    const span = x < to ? spanOf(cell.lead, at(x), at(x + 1)) : null
    if (span === 'gap') {
      if (gap < 0) gap = x
      continue
    }
    if (gap >= 0) hatch(context, gap, strip.top * px, x - gap, strip.height * px, px, colours)
    gap = -1
    if (!span) break
    if (span === 'empty') continue
    context.fillStyle = colours.ink
    const top = middle - (span.high - base) * mm * px - thick / 2
    context.fillRect(x - (wide - 1) / 2, top, wide, Math.max(thick, (span.high - span.low) * mm * px + thick))
  }
  // Where another lead begins in the same line.
  if (cell.x > sheet.margin) context.fillRect(from, middle - 2.5 * px, Math.max(1, px * 0.2), 5 * px)
}

/** Slanted lines: nothing is known here. */
function hatch(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, px: number, colours: Colours): void {
  context.save()
  context.beginPath()
  context.rect(x, y + height * 0.15, width, height * 0.7)
  context.clip()
  context.strokeStyle = colours.hatch
  context.lineWidth = Math.max(1, px * 0.15)
  context.beginPath()
  for (let at = x - height; at < x + width; at += HATCH_MM * px) {
    context.moveTo(at, y + height)
    context.lineTo(at + height, y)
  }
  context.stroke()
  context.restore()
}

function drawName(context: CanvasRenderingContext2D, strip: Strip, cell: Cell, px: number, colours: Colours): void {
  const size = Math.min(3.4, strip.height * 0.3) * px
  const name = cell.lead.calibrated ? cell.lead.name : `${cell.lead.name} *`
  context.font = `600 ${size}px system-ui, sans-serif`
  context.textBaseline = 'top'
  const [x, y] = [(cell.x + 1) * px, (strip.top + 1) * px]
  context.fillStyle = colours.paper
  context.fillRect(x - px * 0.3, y - px * 0.2, context.measureText(name).width + px * 0.6, size + px * 0.3)
  context.fillStyle = colours.ink
  context.fillText(name, x, y)
}
