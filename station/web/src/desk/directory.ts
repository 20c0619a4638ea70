/* Whose desk this is, and whom the hospital knows: `desk.json` and `stations.json` beside the pages, written by people. */

import type { Provider } from '../protocol'

/** `desk`: the name that stations ring; `providers`: how the hospital's people sign in. */
export interface DeskSettings { desk: string; providers: readonly Provider[] }
/** `key`: the thumbprint of the station's key (docs/rendezvous.md). */
export interface KnownStation { station: string; name: string; key: string }

/** An entry that is left out. `at`: its place, from 1; `what`: of the text files, `desk.directory.…`. */
export interface DirectoryFault { at: number; station: string; what: 'form' | 'station' | 'name' | 'key' | 'twice' }
export interface Directory extends DeskSettings { stations: readonly KnownStation[]; faults: readonly DirectoryFault[] }

/** A file as a whole does not do. */
export class DirectoryError extends Error {
  constructor(readonly file: 'desk.json' | 'stations.json', readonly what: 'desk' | 'providers' | 'list' | 'many' | 'unread') {
    super(`${file}: ${what}`)
  }
}

export const STATIONS_MAX = 20_000
const DESK = /^[a-z][a-z0-9-]{0,31}$/
const STATION = /^[a-z][a-z0-9-]{0,31}$/
/** SHA-256 in base64url: the last character carries four bits. */
const KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const NAME_MAX = 200
const PROVIDERS_MAX = 8

const fields = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null

const words = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= NAME_MAX

function readProvider(value: unknown): Provider {
  const { provider, title, issuer, client_id, scope } = fields(value) ?? {}
  if (![provider, title, client_id, scope].every(words) || !words(issuer) || !issuer.startsWith('https://'))
    throw new DirectoryError('desk.json', 'providers')
  return { provider, title, issuer, client_id, scope } as Provider
}

export function readDesk(value: unknown): DeskSettings {
  const { desk, providers = [] } = fields(value) ?? {}
  if (typeof desk !== 'string' || !DESK.test(desk)) throw new DirectoryError('desk.json', 'desk')
  if (!Array.isArray(providers) || providers.length > PROVIDERS_MAX) throw new DirectoryError('desk.json', 'providers')
  return { desk, providers: providers.map(readProvider) }
}

function faultOf({ station, name, key }: Record<string, unknown>, known: ReadonlyMap<string, KnownStation>): DirectoryFault['what'] | null {
  if (typeof station !== 'string' || !STATION.test(station)) return 'station'
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_MAX) return 'name'
  if (typeof key !== 'string' || !KEY.test(key)) return 'key'
  return known.has(station) ? 'twice' : null
}

/** A wrong entry costs that station alone; it is named, so that somebody mends it. */
export function readStations(value: unknown): Pick<Directory, 'stations' | 'faults'> {
  if (!Array.isArray(value)) throw new DirectoryError('stations.json', 'list')
  if (value.length > STATIONS_MAX) throw new DirectoryError('stations.json', 'many')
  const known = new Map<string, KnownStation>()
  const faults: DirectoryFault[] = []
  value.forEach((entry: unknown, i) => {
    const one = fields(entry)
    const what = one ? faultOf(one, known) : 'form'
    const { station, name, key } = (one ?? {}) as Record<string, string>
    if (what) faults.push({ at: i + 1, station: typeof station === 'string' ? station.slice(0, 40) : '', what })
    else known.set(station!, { station: station!, name: name!, key: key! })
  })
  return { stations: [...known.values()], faults }
}
