import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table, Trends } from '../clinical/trend'
import type { Observation, WaveStreamView } from '../protocol'
import { WaveTime } from '../waves/clock'
import { MISSING, readWaves, type WavePacket } from '../waves/codec'
import { ABSENT, StreamHistory, tracesOf } from '../waves/history'
import { PictureHold } from '../waves/hold'
import { layRows, twinName, usualTraces } from '../waves/rows'
import { spanOf } from '../waves/sweep'

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'))
/** Written by media/devices/wave_codec.c: three leads with gaps and extremes, then one sample of one. */
const THREE_LEADS = bytes('AZwBrAIHgOSX0BIeBwKHQoW6cAOKkZij9St2x5NlevXOr8yj8DZ0vz4TCCTy1ceIpMIAvhqD////+////////0AAAAAAAREAABXgAADEAAA0AAAU8AAA+gAAHAAAB5gAADIAAB8gAAGQAABHgAAWcAAAlAAAFUAABsgAAUEAADGgAALAAABOAAAKQAABkAAAWUAACEgAAJEAAABAAALIDQEHiuSX0BIBBAIAI8w=')
const LIMITS = bytes('ARwB/////w//////////DwGAgICACP////8PABJA')

const view = (leads: string[], rate: [number, number] = [500, 1]): WaveStreamView => ({
  stream: 1, device: 'd', wave: 'ecg', rate, test: false, sent: leads.map((_, i) => i), epoch: 1, next: 0,
  leads: leads.map((name) => ({ name, unit: 'mV', scale: 0.01, offset: 0 })),
})

function packet(first: number, leads: number[][], epoch = 1, leadOff = 0): WavePacket {
  return {
    stream: 1, epoch, first, count: leads[0]!.length, leads: (1 << leads.length) - 1, leadOff,
    samples: leads.map((list) => Int32Array.from(list)),
  }
}

test('a message of the station is read, sample by sample', () => {
  const [all, one] = readWaves(THREE_LEADS)!
  assert.deepEqual([all!.stream, all!.epoch, all!.first, all!.count, all!.leads, all!.leadOff], [300, 7, 5e9, 30, 7, 2])
  const wanted = [0, 1, 2].map((lead) => Array.from({ length: 30 }, (_, i) => (i * i * 7) % 311 - 100 * lead))
  wanted[0]![5] = wanted[0]![6] = MISSING
  wanted[1]!.fill(MISSING)
  wanted[2]!.splice(0, 3, 2147483647, -2147483647, 0)
  all!.samples.forEach((samples, lead) => assert.deepEqual([...samples], wanted[lead]))
  assert.deepEqual([one!.first, one!.count, one!.leads], [5e9 + 10, 1, 4])
  assert.equal(one!.samples[0]![0], wanted[2]![10])
  const [limit] = readWaves(LIMITS)!
  assert.deepEqual([limit!.epoch, limit!.first, limit!.leads >>> 0, [...limit!.samples[0]!]],
    [4294967295, Number.MAX_SAFE_INTEGER, 0x80000000, [-5]])
})

test('what is no message is refused', () => {
  for (let size = 0; size < THREE_LEADS.length; size++)
    if (size !== 1 && size !== 159) assert.equal(readWaves(THREE_LEADS.subarray(0, size)), null, String(size))
  assert.equal(readWaves(Uint8Array.from([2, 1, 1])), null)
  // A few bytes that ask for a hundred million samples.
  const bomb = [0, 0, 0, 0x80, 0x20, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]
  assert.equal(readWaves(Uint8Array.from([1, ...Array.from({ length: 999 }, () => [bomb.length, ...bomb]).flat()])), null)
  for (let bit = 0; bit < THREE_LEADS.length * 8; bit++) {
    const damaged = THREE_LEADS.slice()
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    readWaves(damaged)
  }
})

test('samples find their place in whatever order they come; holes stay holes', () => {
  const history = new StreamHistory(view(['II']), 2)
  const epoch = history.put(packet(100, [[1, 2, 3]]))
  history.put(packet(110, [[7, 8]]))
  assert.equal(epoch.at(0, 101), 2)
  assert.equal(epoch.at(0, 105), ABSENT)
  assert.deepEqual(epoch.holes(0, 0), [[103, 110]])
  history.put(packet(103, [[4, 5, 6]]))
  assert.deepEqual(epoch.holes(0, 0), [[106, 110]])
  // Two seconds are kept, and no older sample shows up in the place of a newer one.
  history.put(packet(1200, [[9]]))
  assert.equal(epoch.at(0, 101), ABSENT)
  assert.equal(epoch.at(0, 1101), ABSENT)
  assert.equal(epoch.at(0, 1200), 9)
  history.put(packet(150, [[5]]))
  assert.equal(epoch.at(0, 1150), ABSENT)
})

test('every sample of a column counts; nothing is drawn over a gap', () => {
  const history = new StreamHistory(view(['II']))
  const epoch = history.put(packet(0, [[0, 0, 100, 0, 0, -50, 0, 0]]))
  history.put(packet(12, [[10, 10, MISSING, MISSING, MISSING, 10]]))
  epoch.zeroUs = 1_000_000
  const [trace] = tracesOf(history)
  const at = (from: number, to: number) => spanOf(trace!, 1_000_000 + from * 2000, 1_000_000 + to * 2000)
  assert.deepEqual(at(0, 4), { low: 0, high: 1 })
  assert.deepEqual(at(3, 7), { low: -0.5, high: 0 })
  // Between two samples: the line that joins them.
  assert.deepEqual(at(1.25, 1.75), { low: 0.25, high: 0.75 })
  assert.equal(at(8, 11), 'gap')
  assert.equal(at(9.2, 9.6), 'gap')
  assert.equal(at(14, 17), 'gap')
  assert.equal(at(30, 34), 'gap')
  assert.equal(at(-90, -80), 'empty')
})

test('leads that two others imply', () => {
  const history = new StreamHistory(view(['I', 'II', 'V1']))
  const epoch = history.put(packet(0, [[100, MISSING], [150, 1], [7, 7]]))
  epoch.zeroUs = 0
  const traces = tracesOf(history)
  assert.deepEqual(traces.map(({ label }) => label), ['I', 'II', 'III', 'aVR', 'aVL', 'aVF', 'V1'])
  const value = (label: string, index: number) => traces.find((one) => one.label === label)!.value(epoch, index)
  assert.deepEqual(['III', 'aVR', 'aVL', 'aVF'].map((label) => value(label, 0)!.toFixed(3)), ['0.500', '-1.250', '0.250', '1.000'])
  assert.ok(Number.isNaN(value('III', 1)))
  assert.equal(value('aVF', 2), undefined)
  assert.deepEqual(usualTraces([history]), ['d/ecg/1'])
})

test('a millivolt is as many millimetres as chosen, in either unit', () => {
  const micro = view(['II'])
  micro.leads[0]!.unit = 'uV'
  const traces = [...tracesOf(new StreamHistory(view(['II']))), ...tracesOf(new StreamHistory(micro))]
  const { rows } = layRows(traces, { speed: 25, gain: 20 }, 4)
  assert.deepEqual(rows.map(({ gain, pulse }) => [gain, pulse]), [[20, 20], [0.02, 20]])
  assert.ok(rows[1]!.top >= rows[0]!.height)
})

test('rows of the same name say whose they are', () => {
  const trace = (device: string, lead: string) => tracesOf(new StreamHistory({ ...view([lead]), device }))[0]!
  const names = (list: ReturnType<typeof trace>[]) => {
    const { rows } = layRows(list, { speed: 25, gain: 10 }, 4)
    return rows.map((row) => twinName(row, rows))
  }
  assert.deepEqual(names([trace('0004A3FFFE5D0001', 'pleth'), trace('oximeter', 'pleth'), trace('oximeter', 'resp')]),
    ['…0001', 'oximeter', null])
})

test('waves are drawn up to the picture when they come in time, else as late as they are', () => {
  const time = new WaveTime()
  assert.ok(Number.isNaN(time.head(0)))
  // Packets of 40 ms that are here when their last sample is 5 ms old; the station's clock is 90 s ahead.
  const station = (ms: number): number => 90e6 + ms * 1000
  let last = NaN
  for (let now = 0; now < 8000; now += 40) {
    time.arrived(station(now - 45), station(now - 5), now)
    time.shown({ takenUs: station(now - 120), shownMs: now })
    const head = time.head(now)
    assert.ok(!(head < last), 'it never goes back')
    last = head
  }
  assert.ok(Math.abs(last - station(7960 - 120 - 20)) < 10_000, 'the picture is 120 ms old, and on screen for 40')
  assert.ok(Math.abs(time.behind(7960)) < 10_000)
  // A picture that is newer than any sample.
  for (let now = 8000; now < 16_000; now += 40) {
    time.arrived(station(now - 45), station(now - 5), now)
    time.shown({ takenUs: station(now - 10), shownMs: now })
    last = time.head(now)
  }
  assert.ok(Math.abs(last - station(15_960 - 45)) < 10_000)
  assert.ok(Math.abs(time.behind(15_960) - 15_000) < 10_000)
})

test('waves stay with the picture on screen though pictures come late, and go on when none comes', () => {
  const time = new WaveTime()
  // 15 pictures a second, each shown 100 ms after it was taken; waves are drawn 60 times a second.
  const every = 1000 / 15
  let shownAt = 0, off = 0, now = 0
  const draw = (until: number, pictures: boolean): void => {
    for (; now < until; now += 1000 / 60) {
      time.arrived((now - 45) * 1000, (now - 5) * 1000, now)
      if (pictures && now - shownAt >= every) {
        shownAt = now
        time.shown({ takenUs: (now - 100) * 1000, shownMs: now })
      }
      off = Math.max(off, Math.abs(time.head(now) / 1000 - (shownAt - 100)))
    }
  }
  draw(3000, true)
  off = 0
  draw(6000, true)
  assert.ok(off < 45, `${off} ms from a picture that comes in time`)
  const stood = shownAt
  draw(stood + 350, false)
  assert.ok(off < 60, `${off} ms from a picture that is late`)
  draw(stood + 3000, false)
  const head = time.head(now)
  assert.ok(Math.abs(now - 5 - head / 1000 - 400) < 10, 'without pictures waves go on, as old as packets may be late')
  draw(now + 3000, true)
  off = 0
  draw(now + 1000, true)
  assert.ok(off < 45, `${off} ms from a picture that is back`)
})

test('pictures wait as long as samples take, no longer than a talk bears', () => {
  const hold = new PictureHold()
  // Samples that come when they are so old, pictures that come sooner by themselves.
  const looks = (n: number, samplesMs: number, pictureMs: number): number => {
    for (let i = 0; i < n; i++) hold.look(Math.max(0, samplesMs - Math.max(pictureMs, hold.ms)) * 1000)
    return hold.ms
  }
  assert.equal(looks(60, 60, 40), 80)
  assert.equal(looks(10, 180, 40), 180)
  assert.equal(looks(10, 900, 40), 300)
  for (let i = 0; i < 20; i++) hold.look(NaN)
  assert.equal(hold.ms, 300, 'without pictures nothing is known')
  assert.ok(looks(40, 60, 40) >= 280, 'one calm minute is no reason to hurry')
  assert.equal(looks(1200, 60, 40), 80)
})

test('trends keep what was measured, in order, and thin themselves out', () => {
  const trends = new Trends()
  const at = (second: number, vital: string, value: number | undefined, more: Partial<Observation> = {}): Observation => ({
    vital, ...(value === undefined ? {} : { value }), time: new Date(second * 1000).toISOString(), flags: [], test: false, ...more,
  })
  trends.add([at(20, 'hr', 80), at(10, 'hr', 70), at(20, 'hr', 81), at(30, 'hr', undefined, { absent: 'not-measured' }),
    at(40, 'hr', 90, { test: true }), at(10, 'spo2', 97), at(5, 'weight', 50)])
  assert.deepEqual(trends.get().get('hr'), [[10, 70], [20, 81]])
  assert.equal(trends.get().has('weight'), false)
  assert.deepEqual(table(trends.get(), ['hr', 'spo2']), [[10, 20], [70, 81], [97, null]])
  trends.add(Array.from({ length: 5000 }, (_, i) => at(100 + i, 'hr', i)))
  const list = trends.get().get('hr')!
  assert.ok(list.length <= 1200 && list.length >= 600)
  assert.deepEqual(list.at(-1), [5099, 4999])
})
