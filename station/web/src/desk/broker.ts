import { Rendezvous } from '../link/rendezvous'
import type { Carrier } from '../link/carrier'
import { Cell } from '../observable'
import { sharedBroker, type Broker } from '../rendezvous/broker'
import { PresenceReader, RingReader } from '../rendezvous/presence'
import type { FromStation, Provider } from '../protocol'
import type { Directory, DirectoryFault, KnownStation } from './directory'
import type { DeskNetwork, Receive, StationSeen } from './network'

/** With so many or fewer, a desk keeps a way to each of them that is there: the stations see who is on duty. With more,
 * only to those that ring. */
const STAY_WITH = 50
const SHOW_MS = 30

interface Seen extends KnownStation { presence: PresenceReader; ring: RingReader; here: boolean; rings: boolean }

/** The stations of a hospital, through its broker (docs/rendezvous.md): told by what they publish, signed. */
export class ThroughBroker implements DeskNetwork {
  readonly signIn = 'hospital'
  readonly providers: readonly Provider[]
  readonly faults: readonly DirectoryFault[]
  readonly stations = new Cell<readonly StationSeen[]>([])
  readonly ringing = new Cell<ReadonlySet<string>>(new Set())
  #seen = new Map<string, Seen>()
  #showing = false

  /** It listens to each of its own stations by name: a `+` would bring it every presence of a whole country. */
  constructor({ desk, providers, stations, faults }: Directory, broker: Broker = sharedBroker()) {
    this.providers = providers
    this.faults = faults
    for (const known of stations) {
      const { station, key } = known
      const one: Seen = {
        ...known, presence: new PresenceReader(station, key), ring: new RingReader(station, key, desk), here: false, rings: false,
      }
      this.#seen.set(station, one)
      broker.listen(`nhipcau/1/${station}/presence`, 0, (_, text) => void this.#present(one, text))
      broker.listen(`nhipcau/1/${station}/ring/${desk}`, 0, (_, text) => void this.#rung(one, text))
    }
    this.#show()
  }

  open(station: string, receive: Receive): Carrier {
    const { key } = this.#seen.get(station)!
    return new Rendezvous({ station, keyHash: key, box: 'desk', secret: '' }, receive as (message: FromStation) => void)
  }

  async #present(one: Seen, text: string): Promise<void> {
    const presence = await one.presence.read(text)
    if (!presence) return
    one.here = presence.state === 'here'
    this.#showSoon()
  }

  async #rung(one: Seen, text: string): Promise<void> {
    const ring = await one.ring.read(text)
    if (!ring) return
    one.rings = ring.calls.length > 0
    this.#showSoon()
  }

  /** Thousands that come together are shown at once. */
  #showSoon(): void {
    if (this.#showing) return
    this.#showing = true
    setTimeout(() => {
      this.#showing = false
      this.#show()
    }, SHOW_MS)
  }

  /** A station that is gone rings nowhere: nobody could take its call. */
  #show(): void {
    const all = [...this.#seen.values()]
    const here = all.filter((one) => one.here)
    this.stations.set(all.map(({ station, name, here }) => ({ station, name, state: here ? 'here' : 'gone' })))
    this.ringing.set(new Set(here.filter(({ rings }) => rings || all.length <= STAY_WITH).map(({ station }) => station)))
  }
}
