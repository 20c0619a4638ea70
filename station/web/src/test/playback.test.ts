import assert from 'node:assert/strict'
import { test } from 'node:test'
import { covered, duration, entry, next, pieceAt, readTrack, stretches, timeline } from '../playback/schedule'
import { readRecord, readingsAt } from '../playback/record'
import type { ConsultationRecord, TrackIndex, TrackSegment } from '../protocol'

const EPOCH = 5_000_000_000
const START = Date.parse('2026-11-20T02:00:00.000Z')

/** Half-second records from `from` to `to`, a key every two seconds, init first. */
function segment(id: string, from: number, to: number, more: Partial<TrackSegment> = {}): TrackSegment {
  const epochUs = more.epoch_us ?? EPOCH
  const records = [{ seq: 0, flags: 2, pts_us: epochUs + from * 1e6, size: 700 }]
  for (let at = from, seq = 1; at < to; at += 0.5, seq++)
    records.push({ seq, flags: (at - from) % 2 === 0 ? 4 : 0, pts_us: epochUs + at * 1e6, size: 9000 })
  return { id, state: 'closed', epoch_us: EPOCH, epoch: new Date(START).toISOString(), records, ...more }
}
const index = (...segments: TrackSegment[]): TrackIndex =>
  ({ stream: 'room', label: null, mime: 'video/mp4', epoch_us: EPOCH, segments })
const read = (track: TrackIndex) => readTrack(track, timeline([track], START))

test('records become pieces with their init and key', () => {
  const { pieces } = read(index(segment('a', 0, 10)))
  assert.equal(pieces.length, 20)
  assert.deepEqual(pieces[3], { segment: 'a', seq: 4, start: 1.5, end: 2, init: 0, offset: 0, key: false })
  assert.equal(pieces[4]?.key, true)
  assert.equal(duration([read(index(segment('a', 0, 10)))]), 10)
})

test('a change of codec data brings a new init', () => {
  const one = segment('a', 0, 4)
  one.records.splice(5, 0, { seq: 99, flags: 2, pts_us: EPOCH + 2e6, size: 700 })
  const { pieces } = read(index(one))
  assert.equal(pieces[3]?.init, 0)
  assert.equal(pieces[4]?.init, 99)
})

test('decoding begins at the key piece before the playhead', () => {
  const { pieces } = read(index(segment('a', 0, 10)))
  assert.equal(entry(pieces, 3.7), 4)
  assert.equal(entry(pieces, 0), 0)
  assert.equal(pieceAt(pieces, -1), -1)
  assert.equal(entry([], 1), -1)
})

test('only what lies around the playhead is fetched', () => {
  const { pieces } = read(index(segment('a', 0, 600)))
  let last = -1
  let count = 0
  for (let i = next(pieces, last, 300.2, 12); i !== null; i = next(pieces, last, 300.2, 12)) {
    last = i
    count++
  }
  assert.equal(pieces[last]?.start, 312)
  assert.equal(count, 25)
  assert.equal(next(pieces, last, 300.2, 12), null)
  assert.equal(next(pieces, last, 100, 12), last + 1 > 0 ? null : 0, 'a jump back is the caller\'s to notice')
  assert.equal(next(pieces, last, 500.9, 12), 1000, 'a jump ahead begins at the key before it')
})

test('a gap of the recording is a gap, whatever the file says', () => {
  const track = read(index(segment('a', 0, 20), segment('b', 30, 60)))
  assert.equal(covered(track.pieces, 19.9), true)
  assert.equal(covered(track.pieces, 24), false)
  assert.equal(covered(track.pieces, 30), true)
  assert.deepEqual(stretches(track.pieces), [{ start: 0, end: 20 }, { start: 30, end: 60 }])
})

test('after a restart of the machine, UTC says where the second epoch lies', () => {
  const later = new Date(START + 40_000).toISOString()
  const track = index(segment('a', 0, 10), segment('b', 0, 5, { epoch_us: 7_000, epoch: later }))
  const { pieces } = read(track)
  assert.equal(pieces[20]?.start, 40)
  assert.equal(pieces[20]?.offset, 40)
})

test('a torn segment of which only the init is left plays nothing and breaks nothing', () => {
  const { pieces } = read(index({ ...segment('a', 0, 0), state: 'torn' }))
  assert.deepEqual(pieces, [])
})

test('a record: newest versions, names for users, readings at the playhead', () => {
  const at = (seconds: number): string => new Date(START + seconds * 1000).toISOString()
  const record: ConsultationRecord = {
    consultation: 'x', state: 'signed', readings: 2, tracks: [index(segment('a', 0, 60))],
    rows: {
      consultation: [
        { seq: 1, user: 'lan', at: at(0), body: { state: 'live', mode: 3, reason: 'khó thở' } },
        { seq: 2, user: 'lan', at: at(60), body: { state: 'signed' } },
      ],
      patient: [
        { seq: 1, user: 'lan', at: at(0), body: { unknown: true } },
        { seq: 2, user: 'lan', at: at(9), body: { name: 'Lò Văn Pành' } },
      ],
      note: [
        { seq: 1, user: 'lan', at: at(5), body: { note: 'n', kind: 'question', text: 'a' } },
        { seq: 2, user: 'lan', at: at(6), body: { note: 'n', kind: 'question', text: 'ab' } },
      ],
      observation: [4, 20].map((seconds, i) => ({
        seq: i, user: 'station', at: at(seconds),
        body: { vital: 'hr', value: 70 + i, value_text: String(70 + i), time: at(seconds), flags: [], test: false },
      })),
    },
  }
  const read_ = readRecord(record, (user) => (user === 'lan' ? 'BS. Lan' : user))
  assert.equal(read_.patient.name, 'Lò Văn Pành')
  assert.deepEqual(read_.notes.map(({ text, user }) => [text, user]), [['ab', 'BS. Lan']])
  assert.equal(read_.mode, 3)
  assert.equal(read_.moments[0]?.at, 6)
  assert.equal(readingsAt(read_, 3).size, 0)
  assert.equal(readingsAt(read_, 10).get('hr')?.value, 70)
  assert.equal(readingsAt(read_, 30).get('hr')?.value, 71)
})
