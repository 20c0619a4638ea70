import { drawSheet } from './draw'
import { layOut, type Manner } from './layout'
import type { Lead } from './leads'

/** Dots of a millimetre on paper: 300 to the inch. */
const PRINT_PX_PER_MM = 300 / 25.4

/** Puts a sheet of true millimetres beside the page and prints it alone; the style sheet hides the
 * rest. lines: what stands above and below. */
export function printSheet(leads: readonly Lead[], manner: Manner, fromS: number, above: string[], below: string[]): void {
  const sheet = layOut(leads, manner, fromS)
  const root = document.createElement('section')
  root.className = 'ecg-sheet'
  root.dataset['testid'] = 'ecg-sheet'
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(sheet.width * PRINT_PX_PER_MM)
  canvas.height = Math.round(sheet.height * PRINT_PX_PER_MM)
  canvas.style.width = `${sheet.width}mm`
  canvas.style.height = `${sheet.height}mm`
  drawSheet(canvas.getContext('2d')!, sheet, PRINT_PX_PER_MM)
  root.append(...above.map(line), canvas, ...below.map(line))
  document.body.append(root)
  document.body.classList.add('ecg-printing')
  const done = (): void => {
    document.body.classList.remove('ecg-printing')
    root.remove()
    removeEventListener('afterprint', done)
  }
  addEventListener('afterprint', done)
  print()
}

function line(text: string): HTMLElement {
  const paragraph = document.createElement('p')
  paragraph.textContent = text
  return paragraph
}
