import { base64url } from '../bytes'

async function hash(lines: string[]): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(lines.join('\n')))))
}

/** What this browser's sign-in is bound to: docs/protocol.md, Sign-in. */
export function bindingNonce(invite: string, key: string, fingerprint: string): Promise<string> {
  return hash(['nhipcau-identity-1', invite, key, fingerprint.toUpperCase()])
}

/** What a passkey signs: the same, for this socket alone. */
export function passkeyChallenge(socketNonce: string, binding: string): Promise<string> {
  return hash(['nhipcau-passkey-1', socketNonce, binding])
}
