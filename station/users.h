/* The station's named users and their PINs, kept in the station's own sealed rows.
 *
 * A PIN is checked in a worker thread (scrypt). Each try is counted on disk before it is
 * checked, so that a restart gives nobody a fresh start: five wrong ones lock the user out for
 * 30 s, doubling with every further one up to an hour. Main thread.
 */
#pragma once
#include "records/store.h"

typedef struct Users Users;

typedef struct {
  char *id, *name, *role; /* role: doctor nurse secretary administrator */
  char *pin_hash;         /* vault_hash_pin() */
} User;

extern const char *const user_roles[]; /* NULL-terminated */

Users *users_load (Store *store, GError **error);
void users_free (Users *users);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Users, users_free)

const User *users_find (Users *users, const char *id); /* NULL: no such user */
/* What people call the author of a row; the id itself when unknown. */
const char *users_name (Users *users, const char *id);
json_t *user_to_json (const User *user, Vault *vault); /* {id, name, role, passphrase} */
json_t *users_to_json (Users *users, Vault *vault);

/* A new user, or a new version of one. Waits for the disk. */
gboolean users_save (Users *users, const User *user, const char *by, GError **error);

/* What is wrong with a PIN for people to choose (transfer none), NULL when it will do. */
const char *user_pin_weakness (const char *pin);
/* The same of a passphrase. */
const char *user_passphrase_weakness (const char *passphrase);
/* [a-z][a-z0-9-]{0,31} */
gboolean user_id_is_valid (const char *id);

typedef enum { PIN_GOOD, PIN_WRONG, PIN_LOCKED_OUT, PIN_BUSY, PIN_FAILED } PinVerdict;
/* tries_left of PIN_WRONG, seconds of PIN_LOCKED_OUT. */
typedef void (*PinDone) (PinVerdict verdict, guint tries_left, guint seconds, void *arg);
/* Users must outlive the answer; done comes once, never before this returns. */
void users_check_pin (Users *users, const char *id, const char *pin, PinDone done, void *arg);
/* Checks under way; users_free() must wait until there are none. */
guint users_checks_pending (Users *users);
