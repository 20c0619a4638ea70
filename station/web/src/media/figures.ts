import type { StreamFigures } from '../protocol'
import { streamNames, type Peer } from './peer'

const EVERY_MS = 5000
/** Of Opus and of what Chromium counts samples in. */
const SAMPLES_PER_MS = 48

type Inbound = RTCInboundRtpStreamStats & {
  mid?: string
  freezeCount?: number
  totalFreezesDuration?: number
  concealedSamples?: number
  silentConcealedSamples?: number
  totalSamplesReceived?: number
}

const whole = (value: number | undefined): number => Math.max(0, Math.round(value ?? 0))

/** How the streams arrive at this browser, as sums since its connection began. Silence that is made up
 * (nobody spoke) is not counted as concealed. */
export async function figuresOf(pc: RTCPeerConnection): Promise<StreamFigures[]> {
  const names = streamNames(pc.remoteDescription?.sdp ?? '')
  const figures: StreamFigures[] = []
  for (const stat of (await pc.getStats()).values() as Iterable<Inbound>) {
    const stream = stat.type === 'inbound-rtp' && stat.mid !== undefined ? names.get(stat.mid) : undefined
    if (stream === undefined || (stat.packetsReceived ?? 0) === 0) continue
    const both = { stream, lost: whole(stat.packetsLost), packets: whole(stat.packetsReceived) }
    if (stat.kind === 'video')
      figures.push({
        ...both, kind: 'video', frames: whole(stat.framesDecoded), freezes: whole(stat.freezeCount),
        frozen_ms: whole((stat.totalFreezesDuration ?? 0) * 1000),
      })
    else
      figures.push({
        ...both, kind: 'audio', sound_ms: whole((stat.totalSamplesReceived ?? 0) / SAMPLES_PER_MS),
        concealed_ms: whole(((stat.concealedSamples ?? 0) - (stat.silentConcealedSamples ?? 0)) / SAMPLES_PER_MS),
      })
  }
  return figures.slice(0, 24)
}

/** Tells the station every few seconds how its streams arrive. */
export function reportFigures(peer: Peer): void {
  setInterval(() => {
    const pc = peer.pc.get()
    if (!pc || peer.phase.get() !== 'connected') return
    void figuresOf(pc).then((streams) => peer.send({ type: 'figures', streams })).catch(() => {})
  }, EVERY_MS)
}
