import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { EcgItem } from '../protocol'
import { t } from '../text'
import { Button, Dialog, Notice, dateOf, timeOf } from '../ui/parts'
import type { EcgShelf } from './fetch'
import type { Ecg } from './pack'
import { EcgView } from './view'

/** The ECGs of a consultation: one of them large, the others by their names. children: how one is
 * added, where that is possible. */
export function EcgDialog(props: {
  items: readonly EcgItem[]; shelf: EcgShelf; onClose: () => void; children?: ComponentChildren
}): JSX.Element {
  const { items, shelf } = props
  const [chosen, setChosen] = useState<string | null>(null)
  const item = items.find(({ ecg }) => ecg === chosen) ?? items[items.length - 1]
  return (
    <Dialog title={t('ecg')} onClose={props.onClose} wide testid="ecg-dialog">
      <div class="dialog-body ecg-body">
        {props.children}
        {items.length === 0 && <p class="quiet">{t('ecg.none')}</p>}
        {items.length > 1 && (
          <div class="ecg-list" role="tablist" aria-label={t('ecg.list')}>
            {items.map((one) => (
              <button type="button" role="tab" key={one.ecg} aria-selected={one === item} data-testid={`ecg-item-${one.ecg}`}
                onClick={() => setChosen(one.ecg)}>
                {one.time ? `${dateOf(one.time)} ${timeOf(one.time)}` : one.name}
              </button>
            ))}
          </div>
        )}
        {item?.confirmed && <Notice look="warn" testid="ecg-confirmed">{t('ecg.confirmed')}</Notice>}
        {item && <FetchedEcg key={item.ecg} item={item} shelf={shelf} />}
      </div>
    </Dialog>
  )
}

function FetchedEcg({ item, shelf }: { item: EcgItem; shelf: EcgShelf }): JSX.Element {
  const [ecg, setEcg] = useState<Ecg | null>(null)
  const [part, setPart] = useState(0)
  const [failed, setFailed] = useState(false)
  const load = (): void => {
    setFailed(false)
    shelf.get(item.ecg, setPart).then(setEcg, () => setFailed(true))
  }
  useEffect(load, [item.ecg])
  if (failed)
    return <Notice look="bad" action={<Button onClick={load}>{t('do.again')}</Button>}>{t('ecg.failed')}</Notice>
  if (!ecg) return <p role="status">{t('ecg.loading', { n: Math.round(part * 100) })}</p>
  return <EcgView ecg={ecg} />
}
