import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Peer } from '../media/peer'
import type { Still } from '../media/still'
import { useCell } from '../observable'
import { t } from '../text'
import { Button, Pill } from './parts'
import { Icon } from './icons'
import { LiveVideo } from './video'
import { StillPicture } from './weak'

export interface Tile {
  id: string
  title: string
  stream: MediaStream | null
  /** Why there is no picture, in plain words; null: there should be one. */
  absent: string | null
  /** A participant, who may have no camera on; else a camera of the station. */
  person?: boolean
  mirrored?: boolean
  recording?: boolean
}

/** All pictures: one large, the others small below it, or all alike. */
export function Stage(props: {
  tiles: Tile[]; main: string | null; onMain: (id: string) => void; empty: string; peer: Peer
}): JSX.Element {
  const [even, setEven] = useState(false)
  const stage = useRef<HTMLElement>(null)
  const { tiles } = props
  const main = tiles.find((tile) => tile.id === props.main)?.id ?? tiles[0]?.id
  const looks = even ? tiles.map(({ id }) => id) : main === undefined ? [] : [main]
  const still = useCell(props.peer.stills.latest)
  const { sight } = useCell(props.peer.sight)
  useEffect(() => {
    if (looks.length > 0) props.peer.look(looks)
  }, [looks.join()])
  const columns = even ? Math.ceil(Math.sqrt(tiles.length)) : Math.max(3, tiles.length - 1)
  return (
    <section class={`stage${even && tiles.length > 1 ? ' even' : ''}${tiles.length < 2 ? ' single' : ''}`}
      ref={stage} aria-label={t('stage')} data-testid="stage" style={{ '--columns': Math.min(columns, 6) }}>
      {tiles.length === 0 && <p class="stage-empty">{props.empty}</p>}
      {tiles.map((tile) => (
        <Picture key={tile.id} tile={tile} main={tile.id === main && !even}
          onPicture={tile.id === main && !even ? (seen) => props.peer.waves.picture(tile.id, seen) : undefined}
          still={sight === 'stills' && still?.stream === tile.id ? still : null}
          onChoose={() => {
            setEven(false)
            props.onMain(tile.id)
          }} />
      ))}
      {tiles.length > 0 && (
        <div class="stage-tools">
          {tiles.length > 1 && (
            <Button look="quiet" icon={even ? 'big' : 'grid'} label={t(even ? 'stage.one' : 'stage.even')}
              pressed={even} testid="layout" onClick={() => setEven(!even)} />
          )}
          <Button look="quiet" icon="expand" label={t('stage.fullscreen')} testid="fullscreen"
            onClick={() => void (document.fullscreenElement
              ? document.exitFullscreen()
              : stage.current?.requestFullscreen?.().catch(() => {}))} />
        </div>
      )}
    </section>
  )
}

function Picture(props: {
  tile: Tile; main: boolean; still: Still | null; onChoose: () => void
  onPicture: ((seen: VideoFrameCallbackMetadata) => void) | undefined
}): JSX.Element {
  const { tile, main, still, onChoose } = props
  return (
    <figure class={`picture${main ? ' main' : ''}`} data-testid={`tile-${tile.id}`}>
      <LiveVideo stream={tile.stream} testid={`video-${tile.id}`} label={tile.title}
        mirrored={tile.mirrored ?? false} onPicture={props.onPicture}>
        {(stalled) => {
          const why = tile.absent ??
            (!tile.stream || stalled ? t(tile.person ? 'picture.none' : 'picture.waiting') : null)
          return why && (
            <div class="no-picture" data-testid={`no-picture-${tile.id}`}>
              <Icon name={tile.person ? 'person' : tile.absent ? 'cameraOff' : 'clock'} size={main ? 40 : 24} />
              <p>{why}</p>
            </div>
          )
        }}
      </LiveVideo>
      {still && <StillPicture url={still.url} taken={still.taken} testid={`still-${tile.id}`} label={tile.title} />}
      <figcaption>
        <span>{tile.title}</span>
        {tile.recording && <Pill look="record">{t('recording.short')}</Pill>}
      </figcaption>
      {!main && (
        <button type="button" class="choose" aria-label={t('stage.choose', { name: tile.title })} onClick={onChoose} />
      )}
    </figure>
  )
}
