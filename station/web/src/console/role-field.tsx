import type { JSX } from 'preact'
import type { SignerRole } from '../protocol'
import { t, type Key } from '../text'
import { Field } from '../ui/parts'

/** In which role somebody signs. */
export function RoleField(props: { roles: SignerRole[]; role: SignerRole; onRole: (role: SignerRole) => void }): JSX.Element {
  return (
    <Field label={t('signatures.role')}>
      {(attributes) => (
        <select {...attributes} value={props.role} data-testid="sign-role"
          onChange={(event) => props.onRole(event.currentTarget.value as SignerRole)}>
          {props.roles.map((role) => <option key={role} value={role}>{t(`signer.${role}` as Key)}</option>)}
        </select>
      )}
    </Field>
  )
}
