import type { JSX } from 'preact'
import type { Encryption } from '../protocol'
import { t, type Key } from '../text'

/** Who can see and hear what is said, in words. */
export function EncryptionWords(props: { encryption: Encryption | undefined; relayed: boolean }): JSX.Element {
  const state = props.encryption === 'sfu' ? 'sfu' : props.relayed ? 'relayed' : 'direct'
  return <p class="small" data-testid="encryption" data-state={state}>{t(`encryption.${state}` as Key)}</p>
}

/** "042 871" */
export function codeWords(code: string): string {
  return `${code.slice(0, 3)} ${code.slice(3)}`
}
