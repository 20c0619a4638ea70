import type { JSX } from 'preact'
import type { PeerFigures, StreamFigures } from '../protocol'
import { t, word } from '../text'

type Named = (stream: string) => string

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`
}

function rate(bps: number): string {
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bps / 1e3)} kbit/s`
}

/** Which way the media goes, in words. */
export function pathWords(figures: PeerFigures): string {
  const { path } = figures
  if (!path) return t('figures.path.none')
  return `${t(figures.relayed ? 'figures.path.relay' : 'figures.path.direct')} · IPv${path.ip} · ${path.local} → ${path.remote}`
}

function streamWords(stream: StreamFigures): string {
  const lost = (stream.lost ?? 0) / Math.max(1, (stream.lost ?? 0) + (stream.packets ?? 0))
  const parts = [t('figures.lost', { n: percent(lost) })]
  if (stream.kind === 'video')
    parts.unshift(t('figures.freezes', { n: stream.freezes ?? 0, s: ((stream.frozen_ms ?? 0) / 1000).toFixed(1) }))
  else parts.unshift(t('figures.concealed', { n: percent((stream.concealed_ms ?? 0) / Math.max(1, stream.sound_ms ?? 0)) }))
  return parts.join(' · ')
}

/** The picture that goes to this person. */
function sentWords(sent: NonNullable<PeerFigures['sent']>[number]): string {
  if (sent.rung < 0) return t('figures.rests')
  return [...(sent.width > 0 ? [`${sent.width}×${sent.height}`] : []), rate(sent.bps)].join(' · ')
}

/** Numbers behind the link's word, for who wants to know. */
export function LinkDetails({ figures, name }: { figures: PeerFigures; name: Named }): JSX.Element {
  const rows: [string, string][] = [[t('figures.path'), pathWords(figures)]]
  if ((figures.rtt_ms ?? -1) >= 0) rows.push([t('figures.rtt'), `${Math.round(figures.rtt_ms ?? 0)} ms`])
  if (figures.loss !== undefined) rows.push([t('figures.loss'), percent(figures.loss)])
  if (figures.estimate_bps) rows.push([t('figures.estimate'), rate(figures.estimate_bps)])
  if (figures.sent_bps !== undefined)
    rows.push([t('figures.rates'), `${rate(figures.sent_bps)} ↓ · ${rate(figures.received_bps ?? 0)} ↑`])
  for (const sent of figures.sent ?? [])
    if (sent.kind === 'video') rows.push([`${name(sent.stream)} →`, sentWords(sent)])
  for (const stream of figures.streams ?? [])
    rows.push([`${name(stream.stream)} (${t(stream.kind === 'video' ? 'figures.video' : 'figures.audio')})`, streamWords(stream)])
  return (
    <dl class="figures" data-testid="figures">
      {rows.map(([term, value]) => (
        <div key={term}><dt>{term}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  )
}

/** "source-room" → the camera's name, "peer-x" → the participant's, as far as it is known. */
export function streamName(people: (label: string) => string | undefined): Named {
  return (stream) => {
    const [, kind, rest] = /^(source|peer)-(.+)$/.exec(stream) ?? []
    if (kind === 'source') return word('source', rest ?? '')
    return people(rest ?? '') ?? t('participant')
  }
}
