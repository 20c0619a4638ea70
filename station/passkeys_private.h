/* Between passkeys.c (the rows) and passkeys_console.c (the messages). */
#pragma once
#include "station/passkeys.h"

/* The user with this key; ret_key: its object (transfer none, till the next version). NULL: nobody.
 */
const char *passkeys_find (const Passkeys *passkeys, const char *id, const json_t **ret_key);
/* Array of a user's keys (transfer full). */
json_t *passkeys_of (const Passkeys *passkeys, const char *user);
/* Ids of all users who have some (transfer full). */
GStrv passkeys_users (const Passkeys *passkeys);
/* keys (transfer full) are all that the user has from now on; done when that is durable and counts.
 * One change at a time: passkeys_busy() before. */
void passkeys_put (Passkeys *passkeys, const char *user, json_t *keys, const char *by,
                   StoreDone done, void *arg);
gboolean passkeys_busy (const Passkeys *passkeys);
/* Its way into the vault (transfer full). */
char *passkeys_way (const char *id);
