import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useCell } from '../observable'
import type { Player } from '../playback/player'
import type { ReadRecord } from '../playback/record'
import { WaveView } from '../waves/panel'
import type { RecordedWaves } from '../waves/recorded'

const FOLLOW_MS = 500

/** Waves of the record, drawn up to the playhead. Nothing where there are none. */
export function RecordedWavePanel(props: { player: Player; record: ReadRecord; waves: RecordedWaves }): JSX.Element | null {
  const { player, record, waves } = props
  const streams = useCell(waves.streams)
  const head = (): number => record.started * 1000 + player.at.get() * 1e6
  useEffect(() => {
    const follow = (): void => void waves.follow(head())
    follow()
    const timer = setInterval(follow, FOLLOW_MS)
    return () => clearInterval(timer)
  }, [waves])
  if (streams.length === 0) return null
  return <WaveView streams={streams} head={head} still={null} level="all" />
}
