import { Cell } from '../observable'

/** A bank card, ISO/IEC 7810 ID-1. */
export const CARD_MM = 85.6
/** Of CSS, whatever the screen's real size. */
export const NOMINAL_PX_PER_MM = 96 / 25.4

const KEPT = 'nhipcau.px-per-mm'

function kept(): number | null {
  try {
    const value = Number(localStorage.getItem(KEPT))
    return value > 1 && value < 20 ? value : null
  } catch {
    return null
  }
}

/** CSS pixels of a real millimetre of this screen; null: nobody has measured. */
export const screenScale = new Cell<number | null>(typeof localStorage === 'undefined' ? null : kept())

export function keepScale(pxPerMm: number): void {
  try {
    localStorage.setItem(KEPT, String(pxPerMm))
  } catch {
    // Storage is off: it holds until the page is closed.
  }
  screenScale.set(pxPerMm)
}
