import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { webcrypto } from 'node:crypto'
import { readFragment } from '../join/key'
import { isNewer, PresenceReader, RingReader } from '../rendezvous/presence'
import { bytesOf, isStrict, readDir, sha256, encode, type PublicKey } from '../rendezvous/seal'
import { Tunnel, type Ends } from '../rendezvous/tunnel'
import { ThroughBroker } from '../desk/broker'
import { DirectoryError, readDesk, readStations } from '../desk/directory'
import type { Broker } from '../rendezvous/broker'

declare const SOURCE_FOLDER: string
;(globalThis as { crypto?: unknown }).crypto ??= webcrypto

type Jwk = PublicKey & { d: string }
interface Vectors {
  station: string; key_hash: string; presence: string; will: string; ring: string; desk: string
  ends: Ends; secret: string; epoch_key: Jwk; page_key: Jwk; r: string
  open: string; answer: string; refusal: string
  to_page: { frame: string; message: string }[]
  bad_to_page: { what: string; frame: string }[]
  open_by_page?: string[]
  to_station?: { frame: string; message?: string }[]
}
const file = `${SOURCE_FOLDER}/../../../tests/unit/rendezvous-vectors.json`
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

async function pair(jwk: Jwk): Promise<CryptoKeyPair> {
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
  const { kty, crv, x, y, d } = jwk
  return {
    privateKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, ecdh, false, ['deriveBits']),
    publicKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ecdh, true, []),
  }
}

async function begin(): Promise<{ tunnel: Tunnel; said: string[]; heard: string[] }> {
  const said: string[] = [], heard: string[] = []
  const { tunnel, open } = await Tunnel.dial(vectors.ends, vectors.secret, vectors.epoch_key, 0, (text) => said.push(text),
    (text) => heard.push(text), { r: bytesOf(vectors.r, 32)!, pair: await pair(vectors.page_key), open: vectors.open })
  assert.equal(open, vectors.open)
  return { tunnel, said, heard }
}

// The pages' part of the file: what the station's test then reads.
if (process.env['NHIPCAU_WRITE_VECTORS']) {
  const { tunnel, said } = await begin()
  await tunnel.receive(vectors.answer, 0)
  const messages = ['{"type":"ping","id":1}', '{"type":"join","name":"BS. Trần Văn Minh"}', '{"type":"leave","id":2}']
  for (const message of messages) tunnel.send(message, 0)
  tunnel.tick(1000) // all once more, as when nothing is acknowledged
  await tunnel.settled()
  const keys = { r: bytesOf(vectors.r, 32)!, pair: await pair(vectors.page_key) }
  const { open } = await Tunnel.dial(vectors.ends, vectors.secret, vectors.epoch_key, 0, () => {}, () => {}, keys)
  vectors.open_by_page = [open]
  vectors.to_station = said.map((frame, i) => (messages[i - 1] ? { frame, message: messages[i - 1]! } : { frame }))
  writeFileSync(file, `${JSON.stringify(vectors, null, 1)}\n`)
}

test('presence, its end, and rings of the station are read, once and in order', async () => {
  const reader = new PresenceReader(vectors.station, vectors.key_hash)
  const here = await reader.read(vectors.presence)
  assert.equal(here?.state, 'here')
  assert.equal(await reader.read(vectors.presence), null)
  assert.equal((await reader.read(vectors.will))?.state, 'gone')
  assert.equal(await reader.read(vectors.presence), null)
  assert.equal(await new PresenceReader('ta-van', vectors.key_hash).read(vectors.presence), null)
  assert.equal(await new PresenceReader(vectors.station, encode(await sha256('another'))).read(vectors.presence), null)
  const ring = await new RingReader(vectors.station, vectors.key_hash, vectors.desk).read(vectors.ring)
  assert.equal(ring?.calls.length, 1)
  assert.equal(await new RingReader(vectors.station, vectors.key_hash, 'other').read(vectors.ring), null)
  assert.equal(await new PresenceReader(vectors.station, vectors.key_hash).read(vectors.ring), null)
  assert.ok(isNewer({ epoch: 2, link: 0, seq: 0 }, { epoch: 1, link: 9, seq: 9 }))
})

test('every letter of a presence changed: nobody reads it', async () => {
  for (let i = 0; i < vectors.presence.length; i += 3) {
    const letter = vectors.presence[i] === 'A' ? 'B' : 'A'
    const changed = vectors.presence.slice(0, i) + letter + vectors.presence.slice(i + 1)
    assert.equal(await new PresenceReader(vectors.station, vectors.key_hash).read(changed), null, `letter ${i}`)
  }
})

test('the station’s answer opens a tunnel, its frames are taken once and in order', async () => {
  const { tunnel, heard, said } = await begin()
  assert.equal(await tunnel.receive(vectors.answer.replace(/.$/, (c) => (c === 'A' ? 'Q' : 'A')), 0), false)
  assert.equal(await tunnel.receive(vectors.answer, 0), true)
  assert.equal(tunnel.state, 'open')
  const backwards = [...vectors.to_page].reverse()
  for (const { frame } of backwards) assert.equal(await tunnel.receive(frame, 1), true)
  for (const { frame } of backwards) assert.equal(await tunnel.receive(frame, 2), false)
  assert.deepEqual(heard, vectors.to_page.map(({ message }) => message))
  tunnel.tick(200)
  await tunnel.settled()
  assert.equal(readDir(said.at(-1)!, undefined)?.header['a'], vectors.to_page.length)
})

test('a refusal is understood', async () => {
  const { tunnel } = await begin()
  assert.equal(await tunnel.receive(vectors.refusal, 0), true)
  assert.equal(tunnel.state, 'refused')
  assert.equal(tunnel.why, 'no-such')
})

test('what is not the station’s is not taken', async () => {
  const { tunnel, heard } = await begin()
  await tunnel.receive(vectors.answer, 0)
  assert.ok(vectors.bad_to_page.length > 10)
  for (const { what, frame } of vectors.bad_to_page) assert.equal(await tunnel.receive(frame, 1), false, what)
  assert.deepEqual(heard, [])
})

test('a silent tunnel is given up, one that is not acknowledged repeats', async () => {
  const { tunnel, said } = await begin()
  await tunnel.receive(vectors.answer, 0)
  assert.equal(tunnel.send('{"type":"ping"}', 0), true)
  await tunnel.settled()
  const before = said.length
  tunnel.tick(1000)
  await tunnel.settled()
  assert.equal(said.length, before + 1)
  assert.deepEqual([readDir(said[before]!, undefined)?.header['n'], readDir(said[before]!, undefined)?.header['f']], [1, 3])
  tunnel.tick(20_000)
  assert.equal(tunnel.state, 'lost')
  assert.equal(tunnel.send('{}', 20_000), false)
})

test('base64url has one text for the same bytes', () => {
  for (const good of ['', 'AA', 'AAA', 'AAAA', '-_8']) assert.ok(isStrict(good), good)
  for (const bad of ['A', 'AB', 'AAB', 'AA==', 'A A', 'AA\n', '+/8', 'é']) assert.ok(!isStrict(bad), bad)
})

test('links of both kinds are read, broken ones are not', () => {
  const secret = 'a'.repeat(32), hash = 'h'.repeat(43)
  assert.deepEqual(readFragment(`#v1.inv.${secret}`), { invite: 'inv', secret })
  assert.deepEqual(readFragment(`#v2.muong-mau.inv.${secret}.${hash}`), { invite: 'inv', secret, via: { station: 'muong-mau', keyHash: hash } })
  for (const bad of [`#v2.Muong.inv.${secret}.${hash}`, `#v2.a+b.inv.${secret}.${hash}`, `#v2.m/x.inv.${secret}.${hash}`,
    `#v2.muong-mau.inv.${secret}`, `#v2.muong-mau.inv.${secret}.${hash}x`, `#v3.inv.${secret}`])
    assert.equal(readFragment(bad), null, bad)
})

test('a desk sees who is there and where it rings, by signed words alone; who is gone rings nowhere', async () => {
  const heard = new Map<string, (topic: string, text: string) => void>()
  const broker = { listen: (topic: string, _: number, what: (topic: string, text: string) => void) => heard.set(topic, what) }
  const { stations } = readStations([{ station: vectors.station, name: 'Mường Mẫu', key: vectors.key_hash },
    ...Array.from({ length: 60 }, (_, i) => ({ station: `tram-${i}`, name: 'Trạm', key: vectors.key_hash }))])
  const desk = new ThroughBroker({ desk: vectors.desk, providers: [], stations, faults: [] }, broker as unknown as Broker)
  assert.equal(heard.size, 2 * 61)
  assert.ok([...heard.keys()].every((topic) => !/[+#]/.test(topic)))
  const say = async (kind: string, text: string, fits: () => boolean): Promise<void> => {
    const topic = `nhipcau/1/${vectors.station}/${kind}`
    heard.get(topic)!(topic, text)
    for (const end = Date.now() + 5000; !fits() && Date.now() < end;) await new Promise((done) => setTimeout(done, 5))
    assert.ok(fits(), kind)
  }
  const state = (): string => desk.stations.get()[0]!.state
  const rings = (): boolean => desk.ringing.get().has(vectors.station)
  await say('presence', vectors.presence, () => state() === 'here')
  assert.ok(!rings())
  await say(`ring/${vectors.desk}`, vectors.ring, rings)
  await say('presence', vectors.will, () => state() === 'gone' && !rings())
  assert.equal(desk.ringing.get().size, 0)
})

test('with few stations a desk keeps a way to each that is there, and to none that is gone', async () => {
  const heard = new Map<string, (topic: string, text: string) => void>()
  const broker = { listen: (topic: string, _: number, what: (topic: string, text: string) => void) => heard.set(topic, what) }
  const { stations } = readStations([{ station: vectors.station, name: 'Mường Mẫu', key: vectors.key_hash }])
  const desk = new ThroughBroker({ desk: vectors.desk, providers: [], stations, faults: [] }, broker as unknown as Broker)
  const topic = `nhipcau/1/${vectors.station}/presence`
  const say = async (text: string, open: boolean): Promise<void> => {
    heard.get(topic)!(topic, text)
    for (const end = Date.now() + 5000; desk.ringing.get().has(vectors.station) !== open && Date.now() < end;) await new Promise((done) => setTimeout(done, 5))
    assert.equal(desk.ringing.get().has(vectors.station), open)
  }
  assert.equal(desk.ringing.get().size, 0)
  await say(vectors.presence, true)
  await say(vectors.will, false)
})

test('the hospital\'s files are read strictly: a wrong entry costs that station alone, and is named', () => {
  const good = { station: 'muong-mau', name: 'Mường Mẫu', key: vectors.key_hash }
  const { stations, faults } = readStations([good, null, { ...good, station: 'Mường' }, { ...good, station: 'a/b' }, { ...good, station: 'b', name: ' ' },
    { ...good, station: 'c', key: `${vectors.key_hash}=` }, { ...good, station: 'd', key: 7 }, good, { ...good, station: 'e', more: 1 }])
  assert.deepEqual(stations.map(({ station }) => station), ['muong-mau', 'e'])
  assert.deepEqual(Object.keys(stations[1]!), ['station', 'name', 'key'])
  assert.deepEqual(faults.map(({ at, what }) => `${at} ${what}`), ['2 form', '3 station', '4 station', '5 name', '6 key', '7 key', '8 twice'])
  for (const [value, what] of [[null, 'list'], [{}, 'list'], ['x', 'list'], [Array(20_001).fill(good), 'many']] as const)
    assert.throws(() => readStations(value), (error: unknown) => error instanceof DirectoryError && error.what === what)
  assert.deepEqual(readDesk({ desk: 'bv-tinh', more: 1 }), { desk: 'bv-tinh', providers: [] })
  const provider = { provider: 'hospital', title: 'Bệnh viện', issuer: 'https://id.example.vn', client_id: 'x', scope: 'openid' }
  assert.deepEqual(readDesk({ desk: 'bv-tinh', providers: [{ ...provider, more: 1 }] }).providers, [provider])
  for (const bad of ['x', [null], [{ ...provider, issuer: 'http://id.example.vn' }], [{ ...provider, scope: 1 }], Array(9).fill(provider)])
    assert.throws(() => readDesk({ desk: 'bv-tinh', providers: bad }), (error: unknown) => error instanceof DirectoryError && error.what === 'providers')
  for (const bad of [{}, [], 'bv-tinh', { desk: 'bv/tinh' }, { desk: '+' }, { desk: '' }, { desk: 1 }])
    assert.throws(() => readDesk(bad), (error: unknown) => error instanceof DirectoryError && error.file === 'desk.json')
})
