import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { ChannelPieces, EcgShelf } from '../ecg/fetch'
import { layOut, sheetSeconds } from '../ecg/layout'
import { leadsOf, secondsOf, spanOf, type Lead } from '../ecg/leads'
import { unpack, type EcgHead } from '../ecg/pack'

/** Packs as media/devices/ecg_pack.h tells, by another hand. */
function pack(head: Partial<EcgHead>, leads: (number | null)[][]): Uint8Array {
  const text = Buffer.from(JSON.stringify(head))
  const bytes: number[] = []
  for (const samples of leads) {
    let [one, two] = [0n, 0n]
    for (const sample of samples) {
      let value = 0n
      if (sample !== null) {
        const rest = BigInt(sample) - 2n * one + two
        value = 1n + (rest >= 0n ? rest * 2n : -rest * 2n - 1n)
        two = one
        one = BigInt(sample)
      }
      do {
        bytes.push(Number(value & 127n) | (value > 127n ? 128 : 0))
        value >>= 7n
      } while (value > 0n)
    }
  }
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return deflateSync(Buffer.concat([length, text, Buffer.from(bytes)]))
}

const block = (more: object) => ({ stream: 0, epoch: 0, first: 0, count: 5, at_us: 0, off: 0, ...more })
const lead = (name: string, more: object = {}) => ({ name, mdc: 0, unit: 'uV', scale: 2.5, offset: 0, ...more })
const head = (leads: object[], blocks: object[] = [block({})]): Partial<EcgHead> => ({
  patient: {}, device: {}, interpretation: [], measurements: [], annotations: [], notes: [],
  streams: [{ wave: 'ecg', rate: [500, 1], leads: leads as never }], blocks: blocks as never,
})

test('samples come back as they were, whatever their size, and gaps as gaps', async () => {
  const samples = [0, -1, 2147483647, -2147483647, 5]
  const { blocks } = await unpack(pack(head([lead('I'), lead('II')]), [samples, [7, null, null, -9, 0]]))
  assert.deepEqual([...blocks[0]!.samples[0]!], samples)
  assert.deepEqual([...blocks[0]!.samples[1]!], [7, NaN, NaN, -9, 0])
})

test('bytes that end early are no ECG', async () => {
  await assert.rejects(unpack(pack(head([lead('I'), lead('II')]), [[1, 2, 3, 4, 5]])), RangeError)
  await assert.rejects(unpack(new Uint8Array([1, 2, 3])))
})

test('leads are in millivolts, the missing limb leads from I and II', async () => {
  const ecg = await unpack(pack(head([lead('II'), lead('I'), lead('V1')]), [[400, 0, 0, 0, 0], [200, 0, 0, 0, 0], [1, 1, 1, 1, 1]]))
  const leads = leadsOf(ecg)
  assert.deepEqual(leads.map(({ name }) => name), ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1'])
  const first = leads.map(({ pieces }) => pieces[0]!.values[0]!)
  assert.deepEqual(first, [0.5, 1, 0.5, -0.75, 0, 0.75, 0.0025])
  assert.deepEqual(leads.map(({ derived }) => derived), [false, false, true, true, true, true, false])
})

test('without a scale in volts nothing is derived, and it is known', async () => {
  const ecg = await unpack(pack(head([lead('I', { unit: null, scale: 0 }), lead('II')]), [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]]))
  const leads = leadsOf(ecg)
  assert.deepEqual(leads.map(({ name, calibrated }) => [name, calibrated]), [['I', false], ['II', true]])
})

test('a lead that is off has nothing measured', async () => {
  const ecg = await unpack(pack(head([lead('I')], [block({ off: 1 })]), [[1, 2, 3, 4, 5]]))
  assert.equal(spanOf(leadsOf(ecg)[0]!, 0, 0.01), 'gap')
})

const made = (values: number[], startS = 0): Lead =>
  ({ name: 'II', derived: false, calibrated: true, pieces: [{ startS, periodS: 0.002, values: Float64Array.from(values) }] })

test('no peak is lost in a column of many samples', () => {
  const values = Array.from({ length: 1000 }, (_, i) => (i === 517 ? 3 : i === 518 ? -2 : 0))
  assert.deepEqual(spanOf(made(values), 1, 1.1), { low: -2, high: 3 })
  // Between two samples lies the line that joins them.
  assert.deepEqual(spanOf(made([0, 1]), 0.0005, 0.001), { low: 0.25, high: 0.5 })
})

test('a gap is a gap; before and behind there is nothing', () => {
  const lead: Lead = { ...made([1, 1, NaN, NaN, NaN, 1]), pieces: [...made([1, 1, NaN, NaN, NaN, 1]).pieces, ...made([2, 2], 0.1).pieces] }
  assert.equal(spanOf(lead, 0.0045, 0.0055), 'gap')
  assert.equal(spanOf(lead, 0.03, 0.04), 'gap') // between two pieces
  assert.deepEqual(spanOf(lead, 0.1, 0.101), { low: 2, high: 2 })
  assert.equal(spanOf(lead, 0.2, 0.3), 'empty')
  assert.equal(spanOf(lead, -1, -0.5), 'empty')
  assert.ok(Math.abs(secondsOf([lead]) - 0.104) < 1e-9)
})

test('twelve leads stand in four columns over a rhythm strip', () => {
  const names = ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6']
  const leads = names.map((name) => ({ ...made([0, 0]), name }))
  const sheet = layOut(leads, { layout: '3x4', speed: 25, gain: 10 }, 10)
  assert.deepEqual(sheet.strips.map(({ cells }) => cells.map((cell) => cell.lead.name)),
    [['I', 'aVR', 'V1', 'V4'], ['II', 'aVL', 'V2', 'V5'], ['III', 'aVF', 'V3', 'V6'], ['II']])
  const [cell] = sheet.strips[1]!.cells.slice(2)
  assert.deepEqual([cell!.x, cell!.width, cell!.fromS, cell!.toS], [10 + 125, 62.5, 15, 17.5])
  assert.deepEqual([sheet.width, sheet.height, sheetSeconds(50)], [260, 160, 5])
  assert.equal(layOut(leads, { layout: '6x2', speed: 25, gain: 10 }, 0).strips.length, 6)
  assert.equal(layOut(leads, { layout: '12x1', speed: 25, gain: 10 }, 0).strips.length, 12)
  // Fewer than twelve stand below one another.
  assert.deepEqual(layOut(leads.slice(0, 2), { layout: '3x4', speed: 25, gain: 10 }, 0).strips.map(({ cells }) => cells.length), [1, 1])
})

test('an ECG is fetched piece by piece, once; what failed is asked for again', async () => {
  const packed = pack(head([lead('I')]), [[1, 2, 3, 4, 5]])
  const asked: number[] = []
  let fail = true
  const shelf = new EcgShelf(async (_, from) => {
    asked.push(from)
    if (from > 0 && fail) throw new Error('lost')
    return { size: packed.length, data: Buffer.from(packed.subarray(from, from + 100)).toString('base64') }
  })
  await assert.rejects(shelf.get('a'))
  fail = false
  asked.length = 0
  assert.deepEqual([...(await shelf.get('a')).blocks[0]!.samples[0]!], [1, 2, 3, 4, 5])
  const before = asked.length
  await shelf.get('a')
  assert.equal(asked.length, before)
  assert.deepEqual(asked, Array.from({ length: Math.ceil(packed.length / 100) }, (_, i) => i * 100))
})

test('answers of the data channel find who asked', async () => {
  const sent: unknown[] = []
  const pieces = new ChannelPieces((message) => sent.push(message) > 0)
  const [one, two] = [pieces.ask('a', 0), pieces.ask('b', 5)]
  assert.deepEqual(sent, [{ type: 'ecg.get', ecg: 'a', from: 0 }, { type: 'ecg.get', ecg: 'b', from: 5 }])
  pieces.receive({ ecg: 'b', from: 5, size: 9, data: 'eA==' })
  pieces.receive({ ecg: 'a', data: null })
  assert.deepEqual(await two, { size: 9, data: 'eA==' })
  await assert.rejects(one)
})
