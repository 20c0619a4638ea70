/* Keys that come from a backup, before they become a state folder's: what was erased since goes,
 * and with a recovery key a new user takes the place of all that had a passphrase. One thread. */
#pragma once
#include "records/vault_private.h"

typedef struct {
  EVP_PKEY *key;                 /* a recovery recipient's; NULL: none */
  X509 *certificate;             /* of key */
  const char *user, *passphrase; /* NULL: VK, passphrases and boot wraps stay */
  GHashTable *erased;            /* set of "CONSULT PURPOSE" */
} VaultRestore;

/* image: keys.db. With a key every escrow that is not erased is opened and compared with its
 * commitment and every mac is checked (TAMPERED; CREDENTIAL: no recipient); the erased keys are not
 * in what comes out. Without one image comes back as it is, and whoever opens the store destroys
 * what the log tells of. With user, VK is another one, passphrase opens it, and no boot credential
 * does. ret_keys: how many were opened. (transfer full) */
GBytes *vault_restore_keys (GBytes *image, const VaultRestore *restore, guint64 *ret_keys,
                            GError **error);
