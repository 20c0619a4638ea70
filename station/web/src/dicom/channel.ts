/* Frames over the data channel "file", one at a time, in parts that survive a lost connection. */

import { hex, sha256 } from '../bytes'
import { Parts } from '../media/parts'
import type { Peer } from '../media/peer'
import { Cell } from '../observable'
import type { DicomFileMessage } from '../protocol'
import type { Form, PictureSource } from './frames'
import type { DicomObject } from './object'

const HEADER = 20
const ID_BYTES = 16
const WHOLE = 64 << 20
const STRETCHES = 60
const LOOK_MS = 1000
/** Nothing came for so long: what is missing is asked for again. */
const STALL_MS = 5000

interface Job {
  object: DicomObject
  frame: number
  form: Form
  signal: AbortSignal
  done: (bytes: ArrayBuffer) => void
  fail: (why: Error) => void
  file: string | null
  bytes: Uint8Array<ArrayBuffer>
  parts: Parts
  heard: number
}

export class ChannelPictures implements PictureSource {
  readonly wide = false
  /** Objects of the consultation, as the station tells them. */
  readonly objects = new Cell<readonly DicomObject[]>([])
  #jobs: Job[] = []

  constructor(readonly peer: Peer) {
    const others = peer.files
    peer.files = (data) => void (this.#chunk(data) || others?.(data))
    peer.opened.subscribe(() => this.#ask())
    setInterval(() => this.#look(), LOOK_MS)
  }

  receiveItems(items: Pick<DicomObject, 'id' | 'size' | 'about'>[]): void {
    const known = new Map(this.objects.get().map((object) => [object.id, object]))
    for (const item of items) known.set(item.id, known.get(item.id) ?? { ...item, consultation: '' })
    this.objects.set([...known.values()])
  }

  clear(): void {
    this.objects.set([])
  }

  load(object: DicomObject, frame: number, form: Form, signal: AbortSignal): Promise<ArrayBuffer> {
    return new Promise((done, fail) => {
      this.#jobs.push({
        object, frame, form, signal, done, fail, file: null, bytes: new Uint8Array(), parts: new Parts(), heard: 0,
      })
      // Small ones first; what somebody looks at before the rest.
      const [first, ...rest] = this.#jobs
      rest.sort((a, b) => Number(a.form === 'full') - Number(b.form === 'full'))
      this.#jobs = [first!, ...rest]
      if (this.#jobs.length === 1) this.#ask()
    })
  }

  receiveFile(message: DicomFileMessage): void {
    const job = this.#jobs[0]
    if (!job || job.object.id !== message.attachment || job.frame !== message.frame || job.form !== message.form) return
    job.heard = performance.now()
    if (message.error) {
      if (message.error !== 'busy') this.#end(job, new Error(message.error))
      return
    }
    if (job.file === message.file) return
    job.file = message.file
    job.bytes = new Uint8Array(message.size)
    job.parts = new Parts()
  }

  /** FALSE: a chunk of somebody else's. */
  #chunk(data: ArrayBuffer): boolean {
    const job = this.#jobs[0]
    if (!job?.file || data.byteLength <= HEADER || hex(new Uint8Array(data, 0, ID_BYTES)) !== job.file) return false
    const offset = new DataView(data).getUint32(ID_BYTES)
    const bytes = new Uint8Array(data, HEADER)
    if (offset + bytes.length > job.bytes.length) return true
    job.bytes.set(bytes, offset)
    job.parts.add(offset, offset + bytes.length)
    job.heard = performance.now()
    if (job.parts.bytes === job.bytes.length) void this.#whole(job)
    return true
  }

  async #whole(job: Job): Promise<void> {
    const sum = await sha256(job.bytes)
    if (sum.startsWith(job.file!)) this.#end(job, null)
    else this.#end(job, new Error('a frame that is not what was sent'))
  }

  #end(job: Job, why: Error | null): void {
    if (this.#jobs[0] !== job) return
    this.#jobs.shift()
    if (why) job.fail(why)
    else job.done(job.bytes.buffer)
    this.#ask()
  }

  #ask(): void {
    while (this.#jobs[0]?.signal.aborted) this.#jobs.shift()!.fail(new Error('aborted'))
    const job = this.#jobs[0]
    if (!job) return
    job.heard = performance.now()
    const parts = job.file ? job.parts.missing(job.bytes.length, STRETCHES) : [[0, WHOLE]]
    this.peer.send({ type: 'dicom.want', attachment: job.object.id, frame: job.frame, form: job.form, parts })
  }

  #look(): void {
    const job = this.#jobs[0]
    if (job && (job.signal.aborted || performance.now() - job.heard > STALL_MS)) this.#ask()
  }
}
