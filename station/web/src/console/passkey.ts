/* A user's own key: signing in by it, opening the records by it, adding one. */

import { hex } from '../bytes'
import type { Answer } from '../protocol'
import { createPasskey, passkeysWork, passkeySecret, usePasskey } from '../webauthn'

type Ask = (type: string, fields?: Record<string, unknown>) => Promise<Answer>

/** Passkeys belong to a host's name: on a page that was opened by its address there are none. */
export const keysWorkHere = (): boolean => passkeysWork() && !/^[\d.]+$|:/.test(location.hostname)

interface Begun { challenge: string; salt: Uint8Array<ArrayBuffer>; name: string }

async function begin(ask: Ask): Promise<Begun> {
  const answer = await ask('passkey.begin')
  return {
    challenge: String(answer['challenge']), salt: new TextEncoder().encode(String(answer['salt'])), name: String(answer['name']),
  }
}

/** What a key of this page answers, as the station takes it: for `sign-in.passkey` and `unlock.passkey`. */
export async function answerByKey(ask: Ask): Promise<Record<string, unknown>> {
  const { challenge, salt } = await begin(ask)
  const rp = location.hostname
  const { secret, given } = await usePasskey(rp, challenge, { salt })
  return { rp, given, ...(secret ? { secret: hex(secret) } : {}) }
}

/** Makes one, and asks it for its secret where it has any; two touches then. `proof`: PIN or passphrase. Whether it opens the records. */
export async function addKey(ask: Ask, user: { id: string; name: string }, label: string, proof: Record<string, string>): Promise<boolean> {
  const { challenge, salt, name } = await begin(ask)
  const rp = location.hostname
  const { prf, id, created } = await createPasskey({ rp: { id: rp, name }, user: user.id, name: user.name, challenge, salt })
  const secret = prf ? await passkeySecret(rp, id, salt) : null
  const answer = await ask('passkey.add', { rp, created, label, ...proof, ...(secret ? { secret: hex(secret) } : {}) })
  return answer['opens'] === true
}
