/* OpenID providers of station.conf: their keys, and tokens checked with them.
 *
 * Keys are fetched at start, every six hours and when a token names one that is not known (a
 * provider changes its keys when it likes); a worker thread waits for the network, ten seconds at
 * most. What was fetched last stands in the station's sealed rows (kind "provider-NAME": {issuer,
 * keys, origins, fetched_us}), so that tokens are checked without a link, for KEYS_LAST_S at most.
 * Main thread.
 */
#pragma once
#include "certs/id_token.h"
#include "station/station.h"

#define PROVIDERS_KEYS_LAST_S (30 * 24 * 3600)

Providers *providers_new (Station *station, GError **error);
/* Ends what waits for the network; to be called before the station waits for its pending work. */
void providers_stop (Providers *providers);
void providers_free (Providers *providers);

/* verdict GOOD: token and provider are there, for the time of the call. KEY: the provider could not
 * be reached, or does not know this key. */
typedef void (*ProvidersDone) (IdTokenVerdict verdict, const IdToken *token,
                               const ConfigProvider *provider, void *arg);
/* done comes once, perhaps before this returns. nonce: what the token must be bound to. */
void providers_check (Providers *providers, const char *token, const char *nonce,
                      ProvidersDone done, void *arg);

/* For pages: [{provider, title, issuer, client_id, scope}] (transfer full). */
json_t *providers_json (const Providers *providers);
/* " https://id.example.vn …": where pages may ask for tokens (Content-Security-Policy,
 * connect-src),
 * "" when there is none. Owned by providers, until the next call. */
const char *providers_origins (Providers *providers);
