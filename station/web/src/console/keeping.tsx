import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { StationState } from '../protocol'
import { t, type Key } from '../text'
import { Icon } from '../ui/icons'
import { Button, Notice } from '../ui/parts'
import { Erasures } from './erasures'
import { OutboxTab } from './outbox'
import { RecoveryTab } from './recovery-keys'
import { Retention } from './retention'
import { useDuty, type Duty } from './roles'

type Tab = 'outbox' | 'retention' | 'erasures' | 'recovery'
const TABS = [['outbox', 'signal'], ['retention', 'clock'], ['erasures', 'erase'], ['recovery', 'shield']] as const
/** What the station would refuse is not offered. */
const HIDDEN: Record<Duty, readonly Tab[]> = { doctor: [], helper: ['recovery'], administrator: ['retention'] }

/** What becomes of finished records: where they are sent, how long they are kept, what was destroyed,
 * and who could still open them. */
export function Keeping({ state, onClose }: { state: StationState; onClose: () => void }): JSX.Element {
  const [tab, setTab] = useState<Tab>('outbox')
  const duty = useDuty()
  return (
    <div class="console keeping" data-testid="keeping">
      <header class="top">
        <Button icon="back" testid="keeping-close" onClick={onClose}>{t('record.back')}</Button>
        <div class="top-middle"><h1>{t('keeping.title')}</h1></div>
      </header>
      <div class="tabs" role="tablist" aria-label={t('keeping.title')}>
        {TABS.filter(([name]) => !HIDDEN[duty].includes(name)).map(([name, icon]) => (
          <button type="button" role="tab" key={name} id={`tab-${name}`} aria-controls="keeping-panel"
            aria-selected={tab === name} data-testid={`keeping-${name}`} onClick={() => setTab(name)}>
            <Icon name={icon} />
            <span>{t(`keeping.${name}` as Key)}</span>
          </button>
        ))}
      </div>
      <main class="keeping-main" role="tabpanel" id="keeping-panel" aria-labelledby={`tab-${tab}`}>
        {state.vault === 'closed' && duty !== 'administrator' && (tab === 'outbox' || tab === 'retention') && <Notice look="info">{t('keeping.closed')}</Notice>}
        {tab === 'outbox' && <OutboxTab state={state} />}
        {tab === 'retention' && <Retention vault={state.vault} />}
        {tab === 'erasures' && <Erasures />}
        {tab === 'recovery' && <RecoveryTab />}
      </main>
    </div>
  )
}
