#include "records/store_private.h"
#include <string.h>

/* ---- At opening --------------------------------------------------------------------------- */

/* What of a key the log tells: that it is there at all; and its escrow of now, as it was made or
 * made anew. */
typedef struct {
  gboolean key, escrow;
} Logged;

static gboolean
look_up (sqlite3 *db, const VaultKeyRow *key, Logged *ret_logged, GError **error)
{
  char cms[STORE_HEX];
  g_autoptr (GError) local = NULL;
  store_hex (g_bytes_get_data (key->recovery_sha256, NULL), cms);
  g_autofree char *name = g_strdup_printf ("key %s %s", key->consult, purpose_name (key->purpose));
  g_autofree char *anew
      = g_strdup_printf ("escrow %s %s %s", key->consult, purpose_name (key->purpose), cms);
  g_autofree char *leaf = store_log_find (db, name, &local);

  ret_logged->key = leaf != NULL;
  ret_logged->escrow = leaf != NULL && g_str_has_suffix (leaf, cms);
  if (leaf != NULL && !ret_logged->escrow)
    ret_logged->escrow = store_log_has (db, anew, &local);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* keys.db is durable first, so a kill can leave a key, or its escrow, without a leaf. An escrow
 * that is new to the log and authentic was made by vault_set_recovery(). One that the log knew
 * before came back with an older keys.db, and one that does not authenticate was put there: both
 * are left as they are, and verify tells. */
static gboolean
log_key (StoreWrite *write, const VaultKeyRow *key, gboolean *ret_in_order, GError **error)
{
  char cms[STORE_HEX];
  Logged logged;

  if (!look_up (write->db, key, &logged, error))
    return FALSE;
  *ret_in_order = logged.escrow;
  if (!logged.key)
    return store_write_key (write, key, error);
  if (logged.escrow || !key->authentic)
    return TRUE;
  store_hex (g_bytes_get_data (key->recovery_sha256, NULL), cms);
  return store_log_append (&write->log, error, "escrow %s %s %s", key->consult,
                           purpose_name (key->purpose), cms);
}

/* A start looks at what was written last: whatever a kill cut off is there. So many in a row that
 * are in order say that those before them are, too; all of them are looked at later
 * (store_check_keys), for a folder may have been put together from several backups. */
#define IN_ORDER 32

typedef struct {
  Vault *vault;
  gint64 before, next;
  guint keys, in_order; /* of this page */
} Page;

static gboolean
run_log_page (StoreWrite *write, gpointer data, GError **error)
{
  Page *page = data;
  gint64 before = page->before; /* a job may run again */
  g_autoptr (GPtrArray) keys = vault_newest_keys (page->vault, &before, IN_ORDER, error);

  page->in_order = 0;
  for (guint i = 0; keys != NULL && i < keys->len; i++) {
    gboolean in_order;
    if (!log_key (write, keys->pdata[i], &in_order, error))
      return FALSE;
    page->in_order += in_order;
  }
  if (keys == NULL)
    return FALSE;
  page->keys = keys->len;
  page->next = before;
  return TRUE;
}

static gboolean
log_keys (Store *store, gboolean all, GError **error)
{
  Page page = { .vault = store->vault, .next = G_MAXINT64 };
  do {
    page.before = page.next;
    if (!store_writer_call (store->writer, run_log_page, &page, error))
      return FALSE;
  } while (page.next > 0 && (all || page.in_order < page.keys));
  return TRUE;
}

gboolean
store_log_escrows (Store *store, GError **error)
{
  return store_writable (store, error) && log_keys (store, TRUE, error);
}

/* ---- Keys that are to go ------------------------------------------------------------------ */

/* Some that are there though the log says that they are to go, "CONSULT PURPOSE" (transfer full):
 * from the end of the log back. all: of the whole log. */
static GPtrArray *
shredded_keys (Store *store, gboolean all, GError **error)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) words
      = store_db_prepare (store->reader,
                          "SELECT substr(what, 7) FROM audit WHERE substr(what, 1, 4) <> 'rec ' "
                          "AND what >= 'shred ' AND what < 'shred!' ORDER BY idx DESC",
                          error);
  guint gone = 0;
  int rc = SQLITE_ERROR;

  if (words == NULL)
    return NULL;
  while ((all || gone < IN_ORDER) && (rc = sqlite3_step (words)) == SQLITE_ROW) {
    g_auto (GStrv) key = g_strsplit (store_db_text (words, 0), " ", 2);
    Purpose purpose;
    if (g_strv_length (key) != 2 || !purpose_parse (key[1], &purpose)
        || !vault_has_key (store->vault, key[0], purpose)) {
      gone++;
      continue;
    }
    gone = 0;
    g_ptr_array_add (found, g_strdup (store_db_text (words, 0)));
  }
  if (rc == SQLITE_DONE || rc == SQLITE_ROW)
    return g_steal_pointer (&found);
  store_db_fail (store->reader, "read the log", error);
  return NULL;
}

/* A kill can come between the word in the log and the deed in keys.db. */
static gboolean
finish_shredding (Store *store, gboolean all, GError **error)
{
  g_autoptr (GPtrArray) shredded = shredded_keys (store, all, error);

  for (guint i = 0; shredded != NULL && i < shredded->len; i++) {
    g_auto (GStrv) key = g_strsplit (shredded->pdata[i], " ", 2);
    Purpose purpose;
    if (purpose_parse (key[1], &purpose)
        && vault_has_key (store->vault, key[0], purpose) /* told twice */
        && !vault_destroy_key (store->vault, key[0], purpose, error))
      return FALSE;
  }
  return shredded != NULL;
}

gboolean
store_check_keys (Store *store, GError **error)
{
  return store_log_escrows (store, error) && finish_shredding (store, TRUE, error);
}

gboolean
store_repair_prepare (Store *store, const char *killed_pid, guint64 wal_bytes, GError **error)
{
  if (!log_keys (store, FALSE, error) || !finish_shredding (store, FALSE, error)
      || !erasure_remove_files (store, error))
    return FALSE;
  store->torn = segment_list_torn (store, error);
  if (store->torn == NULL)
    return FALSE;
  if (killed_pid == NULL && wal_bytes == 0 && store->torn->len == 0)
    return TRUE;
  attachment_remove_strays (store);
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
