import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { consented } from '../consent'
import { readFragment, wantsPin } from '../join/key'
import { loudness } from '../media/level'
import { streamNames, streamPlace } from '../media/peer'
import { Draft } from '../notes/draft'
import type { Consent } from '../protocol'
import en from '../text/en.json'
import vi from '../text/vi.json'

declare const SOURCE_FOLDER: string
Object.assign(globalThis, { window: globalThis })

test('both languages have the same keys, and no text is empty', () => {
  assert.deepEqual(Object.keys(vi), Object.keys(en))
  for (const [key, text] of [...Object.entries(vi), ...Object.entries(en)]) assert.notEqual(text.trim(), '', key)
  const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()
  for (const key of Object.keys(vi) as (keyof typeof vi)[]) assert.deepEqual(holes(vi[key]), holes(en[key]), key)
  for (const text of Object.values(vi)) {
    assert.doesNotMatch(text, /bệnh nhân|chuyển tuyến/i)
    assert.equal(text, text.normalize('NFC'))
  }
})

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? sources(join(folder, one.name)) : /\.tsx?$/.test(one.name) ? [join(folder, one.name)] : [])
}

test('every text that the pages ask for is there, and none is left over', () => {
  const code = sources(SOURCE_FOLDER).filter((path) => !path.includes('/test/')).map((path) => readFileSync(path, 'utf8')).join('\n')
  const asked = new Set([...code.matchAll(/'([a-z][\w-]*(?:\.[\w/[\]-]+)*)'/g)].map((match) => match[1]!))
  const families = new Set([
    ...[...code.matchAll(/`([a-z][\w.-]*)\.\$\{/g)].map((match) => match[1]!),
    ...[...code.matchAll(/word\('([\w.-]+)'/g)].map((match) => match[1]!),
  ])
  for (const key of Object.keys(vi)) {
    const family = [...families].some((name) => key.startsWith(`${name}.`))
    assert.ok(asked.has(key) || family, `nobody asks for ${key}`)
  }
})

test('a link is whole or it is none', () => {
  assert.deepEqual(readFragment('#v1.abcd1234.c2VjcmV0c2VjcmV0'), { invite: 'abcd1234', secret: 'c2VjcmV0c2VjcmV0' })
  assert.deepEqual(['pin-abcd1234', 'abcd1234'].map(wantsPin), [true, false])
  for (const bad of ['', '#', '#v1.abcd', '#v2.abcd1234.c2VjcmV0c2VjcmV0', '#v1.ab/cd.c2VjcmV0c2VjcmV0', '#v1.a.short'])
    assert.equal(readFragment(bad), null, bad)
})

test('tracks are placed by the stream of their line', () => {
  const sdp = ['v=0', 'o=- 7 1 IN IP4 0.0.0.0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:s0', 'a=msid:source-room t0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:mic', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:s1',
    'a=msid:source-room t2', 'a=msid:source-microphone t2', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=msid:peer-7f3a t1', 'a=mid:f0', ''].join('\r\n')
  assert.deepEqual([...streamNames(sdp)], [['s0', 'source-room'], ['s1', 'source-microphone'], ['f0', 'peer-7f3a']])
  assert.deepEqual(streamPlace('peer-7f3a'), { kind: 'peer', name: '7f3a' })
  assert.equal(streamPlace('stream_0'), null)
})

test('the level bar is empty in silence and full when somebody shouts', () => {
  assert.equal(loudness(0), 0)
  assert.equal(loudness(0.0005), 0)
  assert.equal(loudness(0.5), 1)
  assert.ok(loudness(0.03) > 0.4 && loudness(0.03) < 0.8)
})

test('consent: what was given last holds, by purpose', () => {
  const list: Consent[] = [
    { kind: 'given', purposes: ['treatment', 'recording'] },
    { kind: 'withdrawn', purposes: ['recording'] },
  ]
  assert.deepEqual([...consented(list)], ['treatment'])
  assert.deepEqual([...consented([...list, { kind: 'representative', purposes: ['recording'] }])], ['treatment', 'recording'])
})

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !what(); i++) await later(10)
  assert.ok(what())
}

test('while somebody types a draft is kept, at most once a second; leaving the field makes a version', async () => {
  const sent: { how: 'keep' | 'save'; text: string; at: number; done: () => void }[] = []
  const send = (how: 'keep' | 'save') => (_note: string, _kind: string, text: string) =>
    new Promise<void>((resolve) => sent.push({ how, text, at: performance.now(), done: resolve }))
  const draft = new Draft('n', 'question', '', send('save'), send('keep'))
  for (const text of ['a', 'ab', 'abc']) draft.edit(text)
  await until(() => sent.length === 1)
  assert.equal(draft.state.get(), 'saving')
  draft.edit('abcd')
  sent[0]!.done()
  await until(() => sent.length === 2)
  assert.ok(sent[1]!.at - sent[0]!.at >= 950)
  assert.deepEqual([sent[1]!.how, sent[1]!.text], ['keep', 'abcd'])
  assert.notEqual(draft.state.get(), 'kept')
  sent[1]!.done()
  await until(() => draft.state.get() === 'kept')
  draft.flush()
  await until(() => sent.length === 3)
  assert.deepEqual([sent[2]!.how, sent[2]!.text], ['save', 'abcd'])
  sent[2]!.done()
  await until(() => draft.state.get() === 'saved')
  draft.flush()
  await later(50)
  assert.equal(sent.length, 3)
  draft.end()
})

test('a field that is left while a draft is under way becomes a version behind it', async () => {
  const sent: { how: string; done: () => void }[] = []
  const send = (how: string) => () => new Promise<void>((done) => sent.push({ how, done }))
  const draft = new Draft('n', 'note', '', send('save'), send('keep'))
  draft.edit('x')
  await until(() => sent.length === 1)
  draft.flush()
  sent[0]!.done()
  await until(() => sent.length === 2)
  assert.deepEqual(sent.map(({ how }) => how), ['keep', 'save'])
  sent[1]!.done()
  await until(() => draft.state.get() === 'saved')
  draft.end()
})

test('what a reload finds as a draft becomes a version when it is left', async () => {
  const sent: string[] = []
  const draft = new Draft('n', 'note', 'x', async (_note, _kind, text) => void sent.push(text), async () => {}, true)
  assert.equal(draft.state.get(), 'kept')
  draft.flush()
  await until(() => draft.state.get() === 'saved')
  assert.deepEqual(sent, ['x'])
})

test('a draft that could not be kept says so and is tried again', async () => {
  let fails = 1
  const draft = new Draft('n', 'opinion', '', async () => {}, async () => {
    if (fails-- > 0) throw new Error('no link')
  })
  draft.edit('x')
  await until(() => draft.state.get() === 'failed')
  await until(() => draft.state.get() === 'kept')
  draft.end()
})
