/* A specialist's sign-in with the hospital's OpenID provider: authorization code and PKCE, no secret
 * (OpenID Connect Core 1.0, RFC 7636). Loaded only when somebody signs in. */

import * as oauth from 'oauth4webapi'
import type { Provider } from '../protocol'
import { keepPending, type Pending, type Returned } from './return'

function redirect(page: Pending['page']): string {
  return `${location.origin}${page}`
}

async function discover(provider: Provider): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(provider.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc' }))
}

/** The address to go to; what comes back is read by finish(). */
export async function begin(provider: Provider, nonce: string, kept: Pick<Pending, 'page' | 'fragment' | 'facility'>): Promise<string> {
  const server = await discover(provider)
  if (!server.authorization_endpoint) throw new Error('no authorization_endpoint')
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    client_id: provider.client_id, redirect_uri: redirect(kept.page), response_type: 'code', scope: provider.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', state, nonce,
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  keepPending({ ...kept, state, verifier, nonce, provider })
  return url.href
}

/** The ID token, checked as a browser can; the station checks it again, with keys of its own. */
export async function finish({ pending, url }: Returned): Promise<string> {
  const server = await discover(pending.provider)
  const client: oauth.Client = { client_id: pending.provider.client_id }
  const answer = oauth.validateAuthResponse(server, client, new URL(url), pending.state)
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), answer, redirect(pending.page), pending.verifier)
  const tokens = await oauth.processAuthorizationCodeResponse(
    server, client, response, { expectedNonce: pending.nonce, requireIdToken: true })
  if (!tokens.id_token) throw new Error('no id_token')
  return tokens.id_token
}

/** What a provider said when it let nobody in (RFC 6749 §4.1.2.1): a person's refusal is none of a fault. */
export function wasDeclined(error: unknown): boolean {
  return error instanceof oauth.AuthorizationResponseError && error.error === 'access_denied'
}
