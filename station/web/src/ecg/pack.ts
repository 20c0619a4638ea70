/* An ECG as the station packs it: media/devices/ecg_pack.h. */

export interface PackedLead { name: string; mdc: number; unit?: string | null; scale: number; offset: number }
export interface PackedStream { wave: string; rate: [number, number]; leads: PackedLead[] }
export interface PackedBlock { stream: number; epoch: number; first: number; count: number; at_us: number; off: number }

export interface EcgPatient { id?: string; name?: string; birth_date?: string; sex?: string }
export interface EcgHead {
  ecg: string
  patient: EcgPatient
  device: { id?: string; maker?: string; model?: string }
  time?: string
  time_source?: string
  interpretation: string[]
  measurements: { name: string; lead?: string; value: string; unit?: string }[]
  annotations: { at_s: number; duration_s?: number; lead?: string; text: string }[]
  notes: string[]
  streams: PackedStream[]
  blocks: PackedBlock[]
}

export interface EcgBlock extends PackedBlock {
  /** Of each lead, the file's own numbers; NaN: nothing was measured. */
  samples: Float64Array[]
}
export interface Ecg { head: EcgHead; blocks: EcgBlock[] }

async function inflate(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** Samples from `at` on; returns where they end. Numbers may have more than 32 bits. */
function readLead(bytes: Uint8Array, at: number, samples: Float64Array): number {
  let before = 0
  let beforeThat = 0
  for (let i = 0; i < samples.length; i++) {
    let value = 0
    let weight = 1
    let byte: number
    do {
      if (at >= bytes.length) throw new RangeError('the ECG ends before its samples do')
      byte = bytes[at++]!
      value += (byte & 0x7f) * weight
      weight *= 128
    } while (byte & 0x80)
    if (value === 0) {
      samples[i] = NaN
      continue
    }
    value -= 1
    const rest = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    const sample = rest + 2 * before - beforeThat
    samples[i] = sample
    beforeThat = before
    before = sample
  }
  return at
}

/** Throws when the bytes are none. */
export async function unpack(packed: Uint8Array): Promise<Ecg> {
  const bytes = await inflate(packed)
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as EcgHead
  let at = 4 + length
  const blocks = head.blocks.map((block): EcgBlock => ({
    ...block,
    samples: head.streams[block.stream]!.leads.map(() => {
      const samples = new Float64Array(block.count)
      at = readLead(bytes, at, samples)
      return samples
    }),
  }))
  return { head, blocks }
}
