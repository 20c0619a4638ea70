import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../text'
import { Button, Dialog } from '../ui/parts'
import { CARD_MM, keepScale, NOMINAL_PX_PER_MM, screenScale } from './calibration'

/** A card held against the screen tells how large a millimetre is on it. */
export function CalibrateDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [scale, setScale] = useState(screenScale.get() ?? NOMINAL_PX_PER_MM)
  return (
    <Dialog title={t('ecg.calibrate')} onClose={onClose} wide testid="ecg-calibrate-dialog">
      <div class="dialog-body">
        <p>{t('ecg.calibrate.more')}</p>
        <div class="ecg-card" data-testid="ecg-card" style={{ width: `${CARD_MM * scale}px`, height: `${53.98 * scale}px` }} />
        <input type="range" min="2" max="9" step="0.01" value={scale} data-testid="ecg-card-size"
          aria-label={t('ecg.calibrate.size')} onInput={(event) => setScale(Number(event.currentTarget.value))} />
      </div>
      <footer>
        <Button onClick={onClose}>{t('do.cancel')}</Button>
        <Button look="primary" testid="ecg-calibrate-keep"
          onClick={() => {
            keepScale(scale)
            onClose()
          }}>
          {t('do.save')}
        </Button>
      </footer>
    </Dialog>
  )
}
