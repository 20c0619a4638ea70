import { Cell } from '../observable'
import type { Carrier } from '../link/carrier'
import type { FromStation, Hello, Provider } from '../protocol'
import { Socket } from '../link/socket'
import type { DeskCalls } from '../calls/protocol'
import { DirectoryError, readDesk, readStations, type DirectoryFault } from './directory'

export interface StationSeen { station: string; name: string; state: 'here' | 'gone' }

export type FromDesk = FromStation | DeskCalls
export type Receive = (message: FromDesk) => void

/** The ways from a desk to stations, whatever carries them: the page does not care. */
export interface DeskNetwork {
  /** How people sign in: with a PIN at the one station, or as the hospital knows them. */
  readonly signIn: 'station' | 'hospital'
  /** Entries of the hospital's list that are left out. */
  readonly faults: readonly DirectoryFault[]
  readonly stations: Cell<readonly StationSeen[]>
  /** The hospital's own sign-in, said by the pages' origin; what stations say of it comes besides. */
  readonly providers: readonly Provider[]
  /** Stations where a call waits for this desk, as far as they are there; the desk opens a way to each of them. */
  readonly ringing: Cell<ReadonlySet<string>>
  /** A way that comes back by itself; the station greets after each return. */
  open(station: string, receive: Receive): Carrier
}

type Name = DirectoryError['file']

/** null: there is no such file. */
async function read(name: Name): Promise<unknown> {
  const answer = await fetch(`/${name}`, { cache: 'no-store' })
  if (answer.status === 404) return null
  if (!answer.ok) throw new DirectoryError(name, 'unread')
  return answer.json().catch(() => {
    throw new DirectoryError(name, 'unread')
  })
}

/** What the pages' own origin says of itself: a hospital's has `desk.json`, a station's has none. Rejects with a
 * DirectoryError where somebody has to mend a file. */
export async function network(): Promise<DeskNetwork> {
  const settings = await read('desk.json')
  if (settings === null) return new OwnStation()
  const { desk, providers } = readDesk(settings)
  const { stations, faults } = readStations(await read('stations.json'))
  const { ThroughBroker } = await import('./broker')
  return new ThroughBroker({ desk, providers, stations, faults })
}

/** The station whose own page this is: one station, its own WebSocket. */
export class OwnStation implements DeskNetwork {
  readonly signIn = 'station'
  readonly faults = []
  readonly providers = []
  readonly stations = new Cell<readonly StationSeen[]>([{ station: '', name: '', state: 'gone' }])
  readonly ringing = new Cell<ReadonlySet<string>>(new Set(['']))

  open(_station: string, receive: Receive): Carrier {
    let name = ''
    const socket = new Socket('/ws/desk', (message) => {
      if (message.type === 'hello') {
        name = (message as Hello).station.name
        show()
      }
      receive(message)
    })
    const show = (): void =>
      this.stations.set([{ station: '', name, state: socket.state.get() === 'open' ? 'here' : 'gone' }])
    socket.state.subscribe(show)
    return socket
  }
}
