/* "nc1" (docs/protocol.md): a frame without loss, and grey values to what a screen shows. */

import type { DicomPicture, Levels, Window } from './object'

async function inflate(bytes: ArrayBuffer, size: number): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))
  const out = new Uint8Array(await new Response(stream).arrayBuffer())
  if (out.length !== size) throw new Error(`a frame of ${out.length} bytes, ${size} were due`)
  return out
}

/** Stored samples, signed ones as they are. */
export async function greyFrame(bytes: ArrayBuffer, picture: DicomPicture): Promise<Int32Array> {
  const { columns, rows } = picture
  const n = columns * rows
  const planes = await inflate(bytes, 2 * n)
  const moved = new Uint16Array(n)
  const out = new Int32Array(n)
  const down = picture.signed ? 1 << (picture.bits - 1) : 0
  for (let i = 0; i < n; i++) {
    const coded = planes[i]! | (planes[n + i]! << 8)
    const step = (coded >>> 1) ^ -(coded & 1)
    const before = i % columns > 0 ? moved[i - 1]! : i > 0 ? moved[i - columns]! : 0
    moved[i] = before + step
    out[i] = moved[i]! - down
  }
  return out
}

export async function colourFrame(bytes: ArrayBuffer, picture: DicomPicture): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const { columns, rows } = picture
  const n = columns * rows
  const planes = await inflate(bytes, 3 * n)
  for (let plane = 0; plane < 3; plane++) {
    const at = plane * n
    for (let i = 1; i < n; i++) planes[at + i]! += planes[at + (i % columns > 0 ? i - 1 : i - columns)]!
  }
  const out = new Uint8ClampedArray(4 * n)
  for (let i = 0; i < n; i++) {
    const green = planes[i]!
    out[4 * i] = (planes[n + i]! + green) & 0xff
    out[4 * i + 1] = green
    out[4 * i + 2] = (planes[2 * n + i]! + green) & 0xff
    out[4 * i + 3] = 255
  }
  return out
}

/** A table of shades, as it comes. */
export function shadesOf(bytes: ArrayBuffer, picture: DicomPicture): Promise<Uint8Array> {
  return inflate(bytes, 1 << picture.bits)
}

/** What the object asks for, else all of what the frame has. */
export function defaultWindow(picture: DicomPicture, grey: Int32Array): Window {
  const asked = picture.windows[0]
  if (asked) return asked
  let low = Infinity
  let high = -Infinity
  for (const sample of grey) {
    if (sample < low) low = sample
    if (sample > high) high = sample
  }
  const ends = [low, high].map((sample) => sample * picture.slope + picture.intercept)
  const [from, to] = [Math.min(...ends), Math.max(...ends)]
  return { center: (from + to + 1) / 2, width: Math.max(1, to - from + 1) }
}

/** PS3.3 §C.11.2.1.2.1: a value of the object to 0…255. */
export function windowed(value: number, { center, width }: Window): number {
  if (value <= center - 0.5 - (width - 1) / 2) return 0
  if (value > center - 0.5 + (width - 1) / 2) return 255
  return ((value - (center - 0.5)) / (width - 1) + 0.5) * 255
}

/** Grey samples as a picture: one table for all values that a sample can have. */
export function greyImage(grey: Int32Array, picture: DicomPicture, levels: Levels): Uint8ClampedArray<ArrayBuffer> {
  const low = picture.signed ? -(1 << (picture.bits - 1)) : 0
  const table = new Uint8ClampedArray(1 << picture.bits)
  for (let i = 0; i < table.length; i++) {
    const shown = 'shades' in levels ? levels.shades[i]! : windowed((low + i) * picture.slope + picture.intercept, levels)
    table[i] = picture.invert ? 255 - shown : shown
  }
  const out = new Uint8ClampedArray(4 * grey.length)
  for (let i = 0; i < grey.length; i++) {
    const shade = table[grey[i]! - low]!
    out[4 * i] = out[4 * i + 1] = out[4 * i + 2] = shade
    out[4 * i + 3] = 255
  }
  return out
}
