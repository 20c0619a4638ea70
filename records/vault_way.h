/* Ways into the vault beside a passphrase: something that a user has (an authenticator's PRF, a
 * TPM) gives a secret of at least 32 random bytes, and VK stands once more in the key files under
 * it: an encrypted PKCS#8 as for a passphrase, whose passphrase is the base64 of
 * HKDF-SHA256(secret, salt = the vault's id, info = "nhipcau/1/way/USER/WAY"). The secret itself is
 * never written.
 *
 * way: [a-z0-9-], at most 80 characters; one row per user and way. Any thread; 0.23 s of scrypt.
 */
#pragma once
#include "records/vault.h"

#define VAULT_WAY_SECRET_LEAST 32

/* VK must be open (LOCKED). note: what is needed to get at the secret again, no secret itself, at
 * most 8 KiB; NULL: nothing. Replaces the way of that name. */
gboolean vault_way_set (Vault *vault, const char *user, const char *way, GBytes *secret,
                        GBytes *note, GError **error);
/* Opens VK. CREDENTIAL: there is no such way, or the secret is another one. */
gboolean vault_way_unlock (Vault *vault, const char *user, const char *way, GBytes *secret,
                           GError **error);
gboolean vault_way_exists (Vault *vault, const char *user, const char *way);
/* NULL: there is none (transfer full). */
GBytes *vault_way_note (Vault *vault, const char *user, const char *way);
/* Erases it in both files, where there is one; BOOT or VK must be open (LOCKED). */
gboolean vault_way_remove (Vault *vault, const char *user, const char *way, GError **error);
