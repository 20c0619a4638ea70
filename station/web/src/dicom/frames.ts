/* Frames of one object: fetched once, small ones first where the way is narrow, kept within bounds. */

import type { DicomObject } from './object'
import { colourFrame, greyFrame, shadesOf } from './pixels'

/** Of `lut` the frame is the number of the table. */
export type Form = 'thumb' | 'small' | 'full' | 'lut'

/** Where pictures come from: the station over HTTP, or a data channel. */
export interface PictureSource {
  /** The way is wide: every frame can be had without loss at once. */
  wide: boolean
  load(object: DicomObject, frame: number, form: Form, signal: AbortSignal): Promise<ArrayBuffer>
}

export type Frame =
  | { form: 'small'; image: ImageBitmap }
  | { form: 'full'; grey: Int32Array | null; colour: Uint8ClampedArray<ArrayBuffer> | null }

const KEPT_BYTES = 256 << 20

const bytesOf = (frame: Frame): number =>
  frame.form === 'small' ? 4 * frame.image.width * frame.image.height
    : frame.grey?.byteLength ?? frame.colour?.byteLength ?? 0

export class Frames {
  readonly #kept = new Map<string, Frame>()
  readonly #asked = new Map<string, Promise<Frame>>()
  readonly #tables = new Map<number, Promise<Uint8Array>>()
  readonly #end = new AbortController()
  #bytes = 0

  constructor(readonly object: DicomObject, readonly source: PictureSource) {}

  /** The best that is here now. */
  best(frame: number): Frame | null {
    return this.#kept.get(`full/${frame}`) ?? this.#kept.get(`small/${frame}`) ?? null
  }

  has(frame: number, form: 'small' | 'full'): boolean {
    return this.#kept.has(`${form}/${frame}`)
  }

  get(frame: number, form: 'small' | 'full'): Promise<Frame> {
    const key = `${form}/${frame}`
    const kept = this.#kept.get(key)
    if (kept) return Promise.resolve(kept)
    let asked = this.#asked.get(key)
    if (!asked) {
      asked = this.#load(frame, form).finally(() => this.#asked.delete(key))
      this.#asked.set(key, asked)
    }
    return asked
  }

  async #load(frame: number, form: 'small' | 'full'): Promise<Frame> {
    const bytes = await this.source.load(this.object, frame, form, this.#end.signal)
    const { picture } = this.object.about
    const loaded: Frame = form === 'small'
      ? { form, image: await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' })) }
      : {
          form,
          grey: picture.grey ? await greyFrame(bytes, picture) : null,
          colour: picture.grey ? null : await colourFrame(bytes, picture),
        }
    this.#keep(`${form}/${frame}`, loaded)
    return loaded
  }

  /** A table of the object's own. */
  table(number: number): Promise<Uint8Array> {
    let asked = this.#tables.get(number)
    if (!asked) {
      asked = this.source.load(this.object, number, 'lut', this.#end.signal)
        .then((bytes) => shadesOf(bytes, this.object.about.picture))
      asked.catch(() => this.#tables.delete(number))
      this.#tables.set(number, asked)
    }
    return asked
  }

  #keep(key: string, frame: Frame): void {
    this.#kept.set(key, frame)
    this.#bytes += bytesOf(frame)
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES || oldest === key) break
      this.#kept.delete(oldest)
      this.#bytes -= bytesOf(old)
    }
  }

  end(): void {
    this.#end.abort()
    this.#kept.clear()
  }
}

/** From the station's own page server. */
export function httpSource(session: () => string): PictureSource {
  return {
    wide: true,
    async load(object, frame, form, signal) {
      const path = [object.consultation, object.id, String(frame), form].map(encodeURIComponent).join('/')
      const answer = await fetch(`/attachment/${path}`, {
        headers: { Authorization: `Bearer ${session()}` }, cache: 'no-store', signal,
      })
      if (!answer.ok) throw new Error(`picture ${answer.status}`)
      return answer.arrayBuffer()
    },
  }
}
