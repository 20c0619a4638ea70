import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { commitmentHolds, comparisonCode, fingerprints } from '../link/comparison'
import { CodeExchange } from '../link/exchange'

if (!globalThis.crypto) Object.defineProperty(globalThis, 'crypto', { value: webcrypto })

const NONCE = 'c3RhdGlvbi1ub25jZS1vbmU'
const COMMITMENT = '2ca78e29ad6e4e7235ae45675ed360cbe61f0c577c273538515d832d240215ac'
const sdp = (fingerprint: string): string => `v=0\r\na=fingerprint:sha-256 ${fingerprint}\r\nm=audio 9\r\n`

test('the page computes the code that the station computes', async () => {
  assert.equal(await comparisonCode({
    stationNonce: NONCE, pageNonce: 'cGFnZS1ub25jZS1vbmU', stationFingerprints: 'SHA-256 AA:BB',
    pageFingerprints: 'SHA-256 CC:DD', station: 'muong-mau', page: '0'.repeat(64),
  }), '729575')
  assert.equal(await commitmentHolds(COMMITMENT, NONCE), true)
  assert.equal(await commitmentHolds(COMMITMENT, 'another-nonce-than-that'), false)
  assert.equal(fingerprints(sdp('aa:bb')), 'SHA-256 AA:BB')
  assert.equal(fingerprints('v=0'), null)
})

test('a nonce that was not promised, or another certificate, is told', async () => {
  const identities = (): { station: string; page: string } => ({ station: 's', page: 'p' })
  const good = new CodeExchange(identities)
  good.offered('1', sdp('AA'), COMMITMENT)
  assert.ok(good.answering(sdp('CC')).nonce)
  await good.revealed(NONCE)
  assert.match((good.state.get() as { code: string }).code, /^\d{6}$/)
  good.offered('1', sdp('EE'), COMMITMENT)
  assert.deepEqual(good.state.get(), { broken: true })

  const bad = new CodeExchange(identities)
  bad.offered('1', sdp('AA'), COMMITMENT)
  bad.answering(sdp('CC'))
  await bad.revealed('another-nonce-than-that')
  assert.deepEqual(bad.state.get(), { broken: true })

  const old = new CodeExchange(identities)
  old.offered('1', sdp('AA'), undefined)
  assert.deepEqual(old.answering(sdp('CC')), {})
  assert.equal(old.state.get(), null)
})
