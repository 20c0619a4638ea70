import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack, unpack } from '../media/keep'
import { Parts } from '../media/parts'
import { Phonogram } from '../media/phonogram'

test('bytes count once, whatever order they come in', () => {
  const parts = new Parts()
  assert.equal(parts.add(1000, 2000), 1000)
  assert.equal(parts.add(3000, 3500), 500)
  assert.equal(parts.add(1500, 3200), 1000)
  assert.equal(parts.add(1000, 3500), 0)
  assert.equal(parts.add(7, 7), 0)
  assert.equal(parts.bytes, 2500)
  assert.deepEqual(parts.missing(4000, 60), [[0, 1000], [3500, 4000]])
  assert.deepEqual(parts.missing(4000, 1), [[0, 1000]])
  assert.equal(parts.add(0, 4000), 1500)
  assert.deepEqual(parts.missing(4000, 60), [])
})

test('parts at random: what is missing and what came make the whole', () => {
  let seed = 7
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
  for (let round = 0; round < 50; round++) {
    const parts = new Parts()
    const seen = new Set<number>()
    for (let i = 0; i < 20; i++) {
      const from = random(300)
      const to = from + random(40)
      const before = seen.size
      for (let at = from; at < to; at++) seen.add(at)
      assert.equal(parts.add(from, to), seen.size - before)
    }
    for (const [from, to] of parts.missing(400, 400)) for (let at = from; at < to; at++) assert.ok(!seen.has(at) && seen.add(at))
    assert.equal([...seen].filter((at) => at < 400).length, 400)
  }
})

test('parts that are kept come back as they were', () => {
  const parts = [{ offset: 0, bytes: new Uint8Array([1, 2, 3]) }, { offset: 4_000_000_000, bytes: new Uint8Array([9]) }]
  assert.deepEqual(unpack(pack(parts)), parts)
  assert.deepEqual(unpack(pack([])), [])
})

test('a phonocardiogram keeps each beat, and shows gaps as gaps', () => {
  const wave = new Phonogram(10, 4)
  wave.push(new Float32Array([0, 0.5, -0.2, 0, 0.1, 0.1, 0.1, 0.1]))
  assert.equal(wave.columns, 2)
  assert.equal(wave.high[0], 0.5)
  assert.ok(Math.abs(wave.low[0]! + 0.2) < 1e-6)
  assert.equal(wave.low[1], wave.high[1], 'a column begins with its own samples')
  wave.skip(8)
  assert.equal(wave.columns, 4)
  assert.equal(wave.state[wave.newest], 0)
  wave.push(new Float32Array([0.3]))
  wave.conceal(4)
  assert.equal(wave.state[wave.newest], 2)
  assert.equal(wave.state[3], 0, 'nothing was heard there: nothing was made up')
  assert.equal(wave.peak(), 0.5)
  wave.push(new Float32Array(60))
  assert.ok(wave.peak() < 0.5, 'the beat has moved out of sight')
})
