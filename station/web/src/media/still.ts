import { Cell } from '../observable'

export interface Still {
  /** Of which stream: "source-room". */
  stream: string
  url: string
  /** When the picture was taken, by performance.now(). */
  taken: number
}

const HEADER = 8
const CHUNKS = 256

/** Puts the chunks of stills together (docs/protocol.md, data channel `still`). One is under way at
 * a time; of one that was cut off nothing is kept. */
export class Stills {
  readonly latest = new Cell<Still | null>(null)
  #number = -1
  #chunks: (Uint8Array | undefined)[] = []
  #missing = 0
  #begun = 0

  receive(data: ArrayBuffer): void {
    if (data.byteLength <= HEADER) return
    const view = new DataView(data)
    const number = view.getUint32(0)
    const index = view.getUint16(4)
    const count = view.getUint16(6)
    if (count === 0 || count > CHUNKS || index >= count) return
    if (number !== this.#number || count !== this.#chunks.length) {
      this.#number = number
      this.#chunks = new Array<undefined>(count).fill(undefined)
      this.#missing = count
      this.#begun = performance.now()
    }
    if (this.#chunks[index]) return
    this.#chunks[index] = new Uint8Array(data, HEADER)
    if (--this.#missing === 0) this.#show()
  }

  clear(): void {
    this.#number = -1
    this.#chunks = []
    this.latest.set(null)
  }

  #show(): void {
    const first = this.#chunks[0]!
    if (first.length < 5) return
    const age = new DataView(first.buffer, first.byteOffset).getUint32(0)
    const end = 5 + first[4]!
    const stream = new TextDecoder().decode(first.subarray(5, end))
    let bytes = ''
    for (const [i, chunk] of this.#chunks.entries())
      bytes += String.fromCharCode(...(i === 0 ? chunk!.subarray(end) : chunk!))
    // The page's policy takes pictures as data: only.
    this.latest.set({ stream, url: `data:image/jpeg;base64,${btoa(bytes)}`, taken: this.#begun - age })
    this.#chunks = []
    this.#number = -1
  }
}
