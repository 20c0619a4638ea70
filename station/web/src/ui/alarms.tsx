import type { JSX } from 'preact'
import { now, useCell } from '../observable'
import type { AlarmView } from '../protocol'
import { t, type Key } from '../text'
import { ageText } from './parts'

const RANK = { high: 3, medium: 2, low: 1, none: 0 } as const

/** Alarms that devices say stand, the gravest first. Nothing at all while there are none. */
export function AlarmList({ alarms }: { alarms: readonly AlarmView[] | undefined }): JSX.Element | null {
  const clock = useCell(now)
  if (!alarms || alarms.length === 0) return null
  const rank = (alarm: AlarmView): number => (alarm.priority ? RANK[alarm.priority] : 1)
  return (
    <section class="alarms" aria-label={t('alarms')} data-testid="alarms">
      <ul>
        {[...alarms].sort((a, b) => rank(b) - rank(a)).map((alarm) => (
          <li key={`${alarm.device} ${alarm.alarm} ${alarm.vital} ${alarm.since}`}
            class={`device-alarm ${alarm.priority ?? 'low'}`} data-testid="device-alarm">
            <strong>{alarm.text ?? alarm.alarm ?? t('alarm.unnamed')}</strong>
            <span class="quiet">
              {[alarm.vital && t(`vital.${alarm.vital}` as Key), t(`alarm.priority.${alarm.priority ?? 'unknown'}` as Key),
                ageText(clock - Date.parse(alarm.since))].filter(Boolean).join(' · ')}
            </span>
            {alarm.test && <span class="flag test">{t('flag.TEST')}</span>}
            {alarm.inactivation && alarm.inactivation !== 'enabled' &&
              <span class="flag">{t('alarm.silenced')}</span>}
          </li>
        ))}
      </ul>
      <p class="vitals-note">{t('alarms.not-primary')}</p>
    </section>
  )
}
