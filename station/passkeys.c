#include "station/passkeys_private.h"

#include <string.h>

struct Passkeys {
  Store *store;
  GHashTable *keys; /* user → json_t*, an array */
  gboolean busy;    /* a version is being written */
};

static void
array_free (void *data)
{
  json_decref (data);
}

static void
take (Passkeys *passkeys, const char *user, json_t *keys)
{
  if (user != NULL && json_is_array (keys))
    g_hash_table_insert (passkeys->keys, g_strdup (user), json_incref (keys));
}

Passkeys *
passkeys_load (Store *store, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (store, "station", "user-passkeys", 0, error);
  if (rows == NULL)
    return NULL;
  Passkeys *passkeys = g_new0 (Passkeys, 1);
  passkeys->store = store;
  passkeys->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, array_free);
  for (guint i = 0; i < rows->len; i++) {
    const json_t *body = ((StoreRow *)rows->pdata[i])->body;
    take (passkeys, json_string_value (json_object_get (body, "user")),
          json_object_get (body, "passkeys"));
  }
  return passkeys;
}

void
passkeys_free (Passkeys *passkeys)
{
  g_hash_table_unref (passkeys->keys);
  g_free (passkeys);
}

gboolean
passkeys_any (const Passkeys *passkeys)
{
  GHashTableIter iter;
  void *keys;
  g_hash_table_iter_init (&iter, passkeys->keys);
  while (g_hash_table_iter_next (&iter, NULL, &keys))
    if (json_array_size (keys) > 0)
      return TRUE;
  return FALSE;
}

gboolean
passkeys_busy (const Passkeys *passkeys)
{
  return passkeys->busy;
}

const char *
passkeys_find (const Passkeys *passkeys, const char *id, const json_t **ret_key)
{
  GHashTableIter iter;
  void *user, *keys;
  g_hash_table_iter_init (&iter, passkeys->keys);
  while (id != NULL && g_hash_table_iter_next (&iter, &user, &keys)) {
    const json_t *key;
    gsize i;
    json_array_foreach (keys, i, key)
    {
      if (g_strcmp0 (json_string_value (json_object_get (key, "id")), id) != 0)
        continue;
      *ret_key = key;
      return user;
    }
  }
  return NULL;
}

json_t *
passkeys_of (const Passkeys *passkeys, const char *user)
{
  json_t *keys = g_hash_table_lookup (passkeys->keys, user);
  return keys != NULL ? json_deep_copy (keys) : json_array ();
}

GStrv
passkeys_users (const Passkeys *passkeys)
{
  g_autoptr (GStrvBuilder) users = g_strv_builder_new ();
  GHashTableIter iter;
  void *user;
  g_hash_table_iter_init (&iter, passkeys->keys);
  while (g_hash_table_iter_next (&iter, &user, NULL))
    g_strv_builder_add (users, user);
  return g_strv_builder_end (users);
}

char *
passkeys_way (const char *id)
{
  g_autofree char *sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, id, -1);
  return g_strconcat ("passkey-", sha256, NULL);
}

typedef struct {
  Passkeys *passkeys;
  char *user;
  json_t *keys;
  StoreDone done;
  void *arg;
} Put;

static void
put_durable (gint64 seq, const GError *error, void *arg)
{
  Put *put = arg;
  put->passkeys->busy = FALSE;
  if (error == NULL)
    take (put->passkeys, put->user, put->keys);
  put->done (seq, error, put->arg);
  json_decref (put->keys);
  g_free (put->user);
  g_free (put);
}

void
passkeys_put (Passkeys *passkeys, const char *user, json_t *keys, const char *by, StoreDone done,
              void *arg)
{
  Put *put = g_new0 (Put, 1);
  *put = (Put){ passkeys, g_strdup (user), keys, done, arg };
  passkeys->busy = TRUE;
  json_t *body = json_pack ("{s:s, s:O}", "user", user, "passkeys", keys);
  store_put (passkeys->store, "station", "user-passkeys", by, body, put_durable, put);
  json_decref (body);
}
