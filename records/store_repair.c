#include "records/store_private.h"
#include <string.h>

/* ---- At opening --------------------------------------------------------------------------- */

/* What the log tells of keys: "CONSULT PURPOSE" → its newest escrow; and every escrow that it ever
 * had, as "CONSULT PURPOSE CMS_SHA256" → NULL. */
static GHashTable *
logged_keys (StoreWrite *write, GError **error)
{
  g_autoptr (GHashTable) found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      write->db,
      "SELECT what FROM audit WHERE substr(what, 1, 4) <> 'rec ' "
      "AND ((what >= 'key ' AND what < 'key!') OR (what >= 'escrow ' AND what < 'escrow!')) "
      "ORDER BY idx",
      error);
  int rc;

  if (statement == NULL)
    return NULL;
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
    g_auto (GStrv) words = g_strsplit (store_db_text (statement, 0), " ", 7);
    guint n = g_strv_length (words);
    if (n != 4 && n != 6)
      continue;
    const char *cms = words[n - 1];
    g_hash_table_insert (found, g_strdup_printf ("%s %s", words[1], words[2]), g_strdup (cms));
    g_hash_table_insert (found, g_strdup_printf ("%s %s %s", words[1], words[2], cms), NULL);
  }
  if (rc == SQLITE_DONE)
    return g_steal_pointer (&found);
  store_db_fail (write->db, "read the log", error);
  return NULL;
}

/* An escrow that is new to the log and authentic was made by vault_set_recovery(). One that the log
 * knew before came back with an older keys.db, and one that does not authenticate was put there:
 * both are left as they are, and verify tells. */
static gboolean
log_escrow (StoreWrite *write, const VaultKeyRow *key, const char *name, GHashTable *logged,
            GError **error)
{
  char cms[STORE_HEX];
  store_hex (g_bytes_get_data (key->recovery_sha256, NULL), cms);
  g_autofree char *whole = g_strdup_printf ("%s %s", name, cms);
  if (!key->authentic || g_hash_table_contains (logged, whole))
    return TRUE;
  return store_log_append (&write->log, error, "escrow %s", whole);
}

/* keys.db is durable first, so a kill can leave a key, or its escrow, without a leaf. */
static gboolean
run_log_keys (StoreWrite *write, gpointer data, GError **error)
{
  GPtrArray *keys = data;
  g_autoptr (GHashTable) logged = logged_keys (write, error);

  if (logged == NULL)
    return FALSE;
  for (guint i = 0; i < keys->len; i++) {
    const VaultKeyRow *key = keys->pdata[i];
    g_autofree char *name = g_strdup_printf ("%s %s", key->consult, purpose_name (key->purpose));
    if (g_hash_table_contains (logged, name) ? !log_escrow (write, key, name, logged, error)
                                             : !store_write_key (write, key, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
store_log_escrows (Store *store, GError **error)
{
  if (!store_writable (store, error))
    return FALSE;
  g_autoptr (GPtrArray) keys = vault_list_keys (store->vault, error);
  return keys != NULL && store_writer_call (store->writer, run_log_keys, keys, error);
}

/* A kill can come between the word in the log and the deed in keys.db. */
static gboolean
finish_shredding (Store *store, GPtrArray *keys, GError **error)
{
  for (guint i = 0; i < keys->len; i++) {
    const VaultKeyRow *key = keys->pdata[i];
    g_autofree char *words
        = g_strdup_printf ("shred %s %s", key->consult, purpose_name (key->purpose));
    g_autoptr (sqlite3_stmt) find = store_db_prepare (
        store->reader, "SELECT 1 FROM audit WHERE substr(what, 1, 4) <> 'rec ' AND what = ?",
        error);
    if (find == NULL)
      return FALSE;
    store_db_bind_text (find, 1, words);
    if (sqlite3_step (find) == SQLITE_ROW
        && !vault_destroy_key (store->vault, key->consult, key->purpose, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
store_repair_prepare (Store *store, const char *killed_pid, guint64 wal_bytes, GError **error)
{
  g_autoptr (GPtrArray) keys = vault_list_keys (store->vault, error);

  if (keys == NULL || !store_writer_call (store->writer, run_log_keys, keys, error)
      || !finish_shredding (store, keys, error) || !erasure_remove_files (store, error))
    return FALSE;
  store->torn = segment_list_torn (store, error);
  if (store->torn == NULL)
    return FALSE;
  attachment_remove_strays (store);
  if (killed_pid == NULL && wal_bytes == 0 && store->torn->len == 0)
    return TRUE;
  store->recovered
      = json_pack ("{s:s?, s:I, s:i, s:[]}", "pid", killed_pid, "wal_bytes", (json_int_t)wal_bytes,
                   "open_segments", (int)store->torn->len, "cut");
  return segment_remove_strays (store, error);
}

/* ---- Later -------------------------------------------------------------------------------- */

gboolean
store_repair_consult (Store *store, const char *consult, GError **error)
{
  if (store->writer == NULL)
    return TRUE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->repair_lock);
  return segment_repair (store, consult, error);
}

gboolean
store_repair (Store *store, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (!store_writable (store, error))
    return FALSE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->repair_lock);
  if (!segment_repair (store, NULL, error))
    return FALSE;
  if (store->recovered == NULL)
    return TRUE;
  if (store_put_sync (store, STORE_STATION, "recovered", NULL, store->recovered, NULL, &local)) {
    g_clear_pointer (&store->recovered, json_decref);
    return TRUE;
  }
  if (g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
