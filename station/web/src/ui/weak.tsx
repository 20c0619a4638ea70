import type { JSX } from 'preact'
import type { Peer } from '../media/peer'
import { now, useCell } from '../observable'
import { t } from '../text'
import { Notice } from './parts'

/** Why pictures are fewer or smaller than they could be, in plain words. */
export function WeakNotice({ peer }: { peer: Peer }): JSX.Element | null {
  const { sight, machine } = useCell(peer.sight)
  const phase = useCell(peer.phase)
  if (phase !== 'connected') return null
  if (sight === 'stills') return <Notice look="warn" testid="weak-network">{t('weak.stills')}</Notice>
  return machine ? <Notice look="warn" testid="weak-machine">{t('weak.machine')}</Notice> : null
}

/** A still in the place of the video, and how old it is. */
export function StillPicture(props: { url: string; taken: number; testid: string; label: string }): JSX.Element {
  useCell(now)
  const seconds = Math.max(0, Math.round((performance.now() - props.taken) / 1000))
  return (
    <>
      <img class="still" src={props.url} alt={props.label} data-testid={props.testid} data-taken={Math.round(props.taken)} />
      <span class="still-age" data-testid={`${props.testid}-age`}>{t('still.age', { n: seconds })}</span>
    </>
  )
}
