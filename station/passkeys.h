/* Passkeys of the console's users: they sign in beside the PIN, and open the vault where the
 * authenticator has the PRF extension (WebAuthn Level 3 §10.1.4, CTAP's hmac-secret): what it gives
 * for this station's salt is a way into the vault (records/vault_way.h, "passkey-" and the SHA-256
 * of the credential's id). The station keeps nothing of that secret.
 *
 * A user's keys are a sealed row of the station's (kind "user-passkeys", versions; the newest of a
 * user counts):
 *
 *   {user, passkeys: [{id, algorithm, key, count, rp, label, at}]}
 *
 * rp: host name of the page where it was made; it works on that page only. A challenge belongs to
 * one socket and is used once. Main thread.
 */
#pragma once
#include "certs/passkey.h"
#include "station/request.h"

#define PASSKEYS_MOST 10 /* of one user */

typedef struct Passkeys Passkeys;

Passkeys *passkeys_load (Store *store, GError **error);
void passkeys_free (Passkeys *passkeys);
/* Can anybody sign in by one? */
gboolean passkeys_any (const Passkeys *passkeys);

/* The console's messages (docs/protocol.md). */
void passkeys_begin (Request *request);
void passkeys_sign_in (Request *request);
void passkeys_unlock (Request *request);
void passkeys_list (Request *request);
void passkeys_add (Request *request);
void passkeys_remove (Request *request);
