/* The station's named users and their PINs, kept in the station's own sealed rows.
 *
 * A PIN is checked as tries.h tells: five wrong ones lock the user out. Main thread.
 */
#pragma once
#include "records/store.h"
#include "station/tries.h"

typedef struct Users Users;

typedef struct {
  char *id, *name, *role; /* role: one of user_roles (roles.h) */
  char *pin_hash;         /* vault_hash_pin(), or USERS_PIN_IN_TPM */
} User;

/* Nothing on the disk tells such a PIN: the TPM checks and counts it, and gives for it what opens
 * the vault: way USERS_TPM_WAY, whose note is what the TPM sealed (certs/tpm_seal.h). */
#define USERS_PIN_IN_TPM "$tpm$"
#define USERS_TPM_WAY "tpm"

extern const char *const user_roles[]; /* NULL-terminated */

Users *users_load (Store *store, GError **error);
void users_free (Users *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Users, users_free)

const User *users_find (Users *users, const char *id); /* NULL: no such user */
/* What people call the author of a row; the id itself when unknown. */
const char *users_name (Users *users, const char *id);
json_t *user_to_json (const User *user, Vault *vault); /* {id, name, role, passphrase} */
/* Those of the console. */
json_t *users_to_json (Users *users, Vault *vault);
/* [{id, name}] of those of a role (transfer full). */
json_t *users_of_role (Users *users, const char *role);
/* A specialist sits at a desk (calls/desk.h) and never at the console. */
gboolean user_is_of_console (const User *user);

/* The TPM that PINs of that kind are asked of; tcti NULL: none, they cannot be checked. Both must
 * outlive users. */
void users_use_tpm (Users *users, Vault *vault, const char *tcti);
gboolean user_pin_is_in_tpm (const User *user);

/* A new version of a user that is there; counts when it is durable. */
void users_put (Users *users, const User *user, const char *by, StoreDone done, void *arg);
/* A new user, or a new version of one. Waits for the disk. */
gboolean users_save (Users *users, const User *user, const char *by, GError **error);

/* What is wrong with a PIN for people to choose (transfer none), NULL when it will do. */
const char *user_pin_weakness (const char *pin);
/* The same of a passphrase. */
const char *user_passphrase_weakness (const char *passphrase);
/* [a-z][a-z0-9-]{0,31} */
gboolean user_id_is_valid (const char *id);

/* Users must outlive the answer; done comes once, never before this returns. */
void users_check_pin (Users *users, const char *id, const char *pin, PinDone done, void *arg);
/* Within that done, after PIN_GOOD: what the TPM gave for the PIN (transfer full); NULL: it is no
 * PIN of a TPM. */
GBytes *users_take_secret (Users *users);
/* The passphrase in place of the PIN, counted with it. Opens the vault: who wants it closed closes
 * it. */
void users_check_passphrase (Users *users, const char *id, const char *passphrase, PinDone done,
                             void *arg);
/* Checks under way; users_free() must wait until there are none. */
guint users_checks_pending (Users *users);
