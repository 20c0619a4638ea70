/* The browser's passkeys (WebAuthn Level 2; PRF of Level 3, §10.1.4), as the protocol carries them: bytes as base64url. */

import { base64url, fromBase64url } from './bytes'

export interface Created { client_data: string; authenticator_data: string; algorithm: number }
export interface Given { id: string; client_data: string; authenticator_data: string; signature: string }

export const passkeysWork = (): boolean => 'credentials' in navigator && 'PublicKeyCredential' in globalThis

const text = (bytes: ArrayBuffer): string => base64url(new Uint8Array(bytes))

/** ES256, RS256, EdDSA: what the station verifies. */
const ALGORITHMS = [-7, -257, -8]

/** Makes one; rejects with a DOMException when the person declines or the device has none. With a salt it is asked for the
 * PRF extension; `prf` says whether it has it. `id` is the credential's. */
export async function createPasskey(ask: {
  rp: { id: string; name: string }; user: string; name: string; challenge: string; salt?: Uint8Array<ArrayBuffer>
}): Promise<{ created: Created; id: string; prf: boolean }> {
  const made = await navigator.credentials.create({
    publicKey: {
      rp: ask.rp, challenge: fromBase64url(ask.challenge), attestation: 'none', timeout: 120_000,
      user: { id: new TextEncoder().encode(ask.user), name: ask.user, displayName: ask.name },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key' as const, alg })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      ...(ask.salt ? { extensions: { prf: {} } } : {}),
    },
  })
  const { rawId, response, extensions } = parts(made) as Parts<AuthenticatorAttestationResponse>
  return {
    id: text(rawId),
    prf: extensions.prf?.enabled === true,
    created: {
      client_data: text(response.clientDataJSON),
      authenticator_data: text(response.getAuthenticatorData()),
      algorithm: response.getPublicKeyAlgorithm(),
    },
  }
}

interface Parts<Response> { rawId: ArrayBuffer; response: Response; extensions: AuthenticationExtensionsClientOutputs }

function parts(credential: Credential | null): Parts<AuthenticatorResponse> {
  const { rawId, response } = credential as PublicKeyCredential
  return { rawId, response, extensions: (credential as PublicKeyCredential).getClientExtensionResults() }
}

function secretOf(extensions: AuthenticationExtensionsClientOutputs): Uint8Array | null {
  const first = extensions.prf?.results?.first
  if (!first) return null
  return first instanceof ArrayBuffer ? new Uint8Array(first) : new Uint8Array(first.buffer, first.byteOffset, first.byteLength)
}

const prfOf = (salt: Uint8Array<ArrayBuffer>): AuthenticationExtensionsClientInputs => ({ prf: { eval: { first: salt } } })

/** Uses one of this page's host; the person chooses which. With a salt: also what its PRF gives for that, null when it has none. */
export async function usePasskey(rp: string, challenge: string, ask: { salt?: Uint8Array<ArrayBuffer> } = {}): Promise<{ given: Given; secret: Uint8Array | null }> {
  const used = await navigator.credentials.get({
    publicKey: {
      rpId: rp, challenge: fromBase64url(challenge), userVerification: 'required', timeout: 120_000,
      ...(ask.salt ? { extensions: prfOf(ask.salt) } : {}),
    },
  })
  const { rawId, response, extensions } = parts(used) as Parts<AuthenticatorAssertionResponse>
  return {
    given: {
      id: text(rawId),
      client_data: text(response.clientDataJSON),
      authenticator_data: text(response.authenticatorData),
      signature: text(response.signature),
    },
    secret: secretOf(extensions),
  }
}

/** What the PRF of one key gives for a salt; null: nothing. */
export async function passkeySecret(rp: string, id: string, salt: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
  const used = await navigator.credentials.get({
    publicKey: {
      rpId: rp, challenge: crypto.getRandomValues(new Uint8Array(32)), userVerification: 'required', timeout: 120_000,
      allowCredentials: [{ type: 'public-key', id: fromBase64url(id) }], extensions: prfOf(salt),
    },
  })
  return secretOf(parts(used).extensions)
}
