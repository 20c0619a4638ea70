import { RECORD_INIT, RECORD_KEY, type TrackIndex, type TrackSegment } from '../protocol'

/* What to fetch for playback: pure arithmetic over the index of a recording. All times are seconds
 * of the consultation: media time 0 is its start (docs/protocol.md). */

export interface Piece {
  segment: string
  seq: number
  start: number
  end: number
  key: boolean
  /** The init record that must have been appended before it. */
  init: number
  /** To be added to media times of this piece: segments of one track may differ in their epoch. */
  offset: number
}

export interface Track { stream: string; label: string; mime: string; pieces: Piece[] }

/** A piece lasts until the next one; what lies further apart than this is a gap. */
const LONGEST_PIECE = 2.5
const USUAL_PIECE = 0.5

/** Where the timeline begins, and how media times of different boots of the station fit on it. */
export interface Timeline {
  /** UTC of second 0, ms. */
  zero: number
  /** Second of the timeline at which media time 0 of an epoch lies. */
  offset: (epochUs: number) => number
  /** UTC, µs, on the clock of the timeline of a moment that was known in both times: tracks follow the
   * monotonic one, which UTC may have been set away from. */
  place: (monoUs: number | undefined, utcUs: number) => number
}

/** The two times of a moment belong to the same boot of the station when they lie so close. */
const SAME_BOOT_US = 30e6

/** Segments of one boot share their epoch; after a restart UTC says how two epochs lie. */
export function timeline(tracks: readonly TrackIndex[], started: number): Timeline {
  const known = new Map<number, number>()
  for (const track of tracks)
    for (const segment of track.segments) {
      const epochUs = segment.epoch_us ?? track.epoch_us
      const utc = Date.parse(segment.epoch ?? '')
      if (!known.has(epochUs)) known.set(epochUs, Number.isNaN(utc) ? started : utc)
    }
  const zero = known.size ? Math.min(...known.values()) : started
  const place = (monoUs: number | undefined, utcUs: number): number => {
    for (const [epochUs, utc] of monoUs === undefined ? [] : known) {
      const us = utc * 1000 + monoUs! - epochUs
      if (Math.abs(us - utcUs) < SAME_BOOT_US) return us
    }
    return utcUs
  }
  return { zero, place, offset: (epochUs) => ((known.get(epochUs) ?? zero) - zero) / 1000 }
}

function pieces(segment: TrackSegment, track: TrackIndex, line: Timeline): Piece[] {
  const list: Piece[] = []
  const epochUs = segment.epoch_us ?? track.epoch_us
  const offset = line.offset(epochUs)
  let init: number | null = null
  for (const record of segment.records) {
    if (record.flags & RECORD_INIT) {
      init = record.seq
      continue
    }
    if (init === null || record.size === 0) continue
    const start = offset + (record.pts_us - epochUs) / 1e6
    const before = list[list.length - 1]
    if (before) before.end = Math.min(start, before.start + LONGEST_PIECE)
    list.push({
      segment: segment.id, seq: record.seq, start, end: start + USUAL_PIECE, init, offset,
      key: (record.flags & RECORD_KEY) !== 0,
    })
  }
  return list
}

export function readTrack(track: TrackIndex, line: Timeline): Track {
  const list = track.segments.flatMap((segment) => pieces(segment, track, line))
  list.sort((a, b) => a.start - b.start || a.seq - b.seq)
  return {
    stream: track.stream,
    label: track.label ?? '',
    mime: track.mime || track.segments.find((segment) => segment.mime)?.mime || '',
    pieces: list,
  }
}

export function duration(tracks: readonly Track[]): number {
  return Math.max(0, ...tracks.map((track) => track.pieces[track.pieces.length - 1]?.end ?? 0))
}

/** Index of the last piece that starts at or before `at`; -1 before the first. */
export function pieceAt(list: readonly Piece[], at: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (list[middle]!.start <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Is there something to show at this moment, or is it a gap of the recording? */
export function covered(list: readonly Piece[], at: number): boolean {
  const piece = list[pieceAt(list, at)]
  return piece !== undefined && at < piece.end + 0.05
}

/** Where decoding must begin to show `at`: the nearest key piece before it, without a change of init
 * or a gap in between; the first key piece after it when there is none. -1: nothing at all. */
export function entry(list: readonly Piece[], at: number): number {
  const here = pieceAt(list, at)
  for (let i = here; i >= 0; i--) if (list[i]!.key) return i
  for (let i = Math.max(0, here); i < list.length; i++) if (list[i]!.key) return i
  return -1
}

/** Which piece to append next so that playback at `at` is fed `ahead` seconds, given the last one
 * appended (-1: none, begin at the entry). Null: enough for now, or the end. */
export function next(list: readonly Piece[], last: number, at: number, ahead: number): number | null {
  const from = entry(list, at)
  if (from < 0) return null
  const fed = last >= 0 && last >= from && list[last]!.end >= list[from]!.start
  const index = fed ? last + 1 : from
  const piece = list[index]
  return piece && piece.start <= at + ahead ? index : null
}

/** Stretches of recording without a gap, for the timeline. */
export function stretches(list: readonly Piece[]): { start: number; end: number }[] {
  const all: { start: number; end: number }[] = []
  for (const piece of list) {
    const last = all[all.length - 1]
    if (last && piece.start - last.end < 1) last.end = Math.max(last.end, piece.end)
    else all.push({ start: piece.start, end: piece.end })
  }
  return all
}
