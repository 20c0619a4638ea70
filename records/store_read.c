#include "records/store_private.h"
#include <string.h>

/* ---- Rows --------------------------------------------------------------------------------- */

/* Columns: kind, seq, schema, sealed. */
static StoreRow *
open_row (sqlite3_stmt *statement, DataKey *key, const char *consult, GError **error)
{
  g_autoptr (GBytes) sealed = store_db_blob (statement, 3);
  return store_row_open (key, consult, store_db_text (statement, 0),
                         sqlite3_column_int64 (statement, 1),
                         (guint)sqlite3_column_int64 (statement, 2), sealed, NULL, NULL, error);
}

/* Which rows: those of a kind, all but those of a kind, or all. */
typedef struct {
  const char *kind, *but;
  gint64 after;
  gint64 limit; /* -1: none */
} Selection;

static sqlite3_stmt *
select_rows (sqlite3 *db, const char *consult, const Selection *selection, GError **error)
{
  const char *sql = selection->kind != NULL ? "SELECT kind, seq, schema, sealed FROM rec "
                                              "WHERE consult = ?1 AND seq > ?2 AND kind = ?3 "
                                              "ORDER BY seq LIMIT ?4"
                                            : "SELECT kind, seq, schema, sealed FROM rec "
                                              "WHERE consult = ?1 AND seq > ?2 AND kind IS NOT ?3 "
                                              "ORDER BY id LIMIT ?4";
  sqlite3_stmt *statement = store_db_prepare (db, sql, error);
  if (statement == NULL)
    return NULL;
  store_db_bind_text (statement, 1, consult);
  sqlite3_bind_int64 (statement, 2, selection->after);
  const char *word = selection->kind != NULL ? selection->kind : selection->but;
  if (word != NULL)
    store_db_bind_text (statement, 3, word);
  sqlite3_bind_int64 (statement, 4, selection->limit);
  return statement;
}

static GPtrArray *
read_rows (Store *store, const char *consult, const Selection *selection, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)store_row_free);
  g_autoptr (DataKey) key = store_row_key (store->vault, consult, error);
  int rc;

  if (key == NULL)
    return NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement = select_rows (store->reader, consult, selection, error);
  if (statement == NULL)
    return NULL;
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
    StoreRow *row = open_row (statement, key, consult, error);
    if (row == NULL)
      return NULL;
    g_ptr_array_add (rows, row);
  }
  if (rc != SQLITE_DONE) {
    store_db_fail (store->reader, "read rows", error);
    return NULL;
  }
  return g_steal_pointer (&rows);
}

GPtrArray *
store_read (Store *store, const char *consult, const char *kind, gint64 after, GError **error)
{
  const Selection selection = { .kind = kind, .after = after, .limit = -1 };
  return read_rows (store, consult, &selection, error);
}

GPtrArray *
store_read_some (Store *store, const char *consult, const char *kind, gint64 after, guint limit,
                 GError **error)
{
  const Selection selection = { .kind = kind, .after = after, .limit = limit };
  return read_rows (store, consult, &selection, error);
}

GPtrArray *
store_read_without (Store *store, const char *consult, const char *kind, GError **error)
{
  const Selection selection = { .but = kind, .limit = -1 };
  return read_rows (store, consult, &selection, error);
}

StoreRow *
store_latest (Store *store, const char *consult, const char *kind, GError **error)
{
  g_autoptr (DataKey) key = store_row_key (store->vault, consult, error);

  if (key == NULL)
    return NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (store->reader,
                          "SELECT kind, seq, schema, sealed FROM rec "
                          "WHERE consult = ? AND kind = ? ORDER BY seq DESC LIMIT 1",
                          error);
  if (statement == NULL)
    return NULL;
  store_db_bind_text (statement, 1, consult);
  store_db_bind_text (statement, 2, kind);
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    return open_row (statement, key, consult, error);
  if (rc == SQLITE_DONE)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "consultation %s has no row of kind %s", consult, kind);
  else
    store_db_fail (store->reader, "read the newest row", error);
  return NULL;
}

/* ---- Consultations ------------------------------------------------------------------------ */

GPtrArray *
store_list_consults (Store *store, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (store->reader, "SELECT id FROM consult ORDER BY idx DESC", error);
  int rc;

  if (statement == NULL)
    return NULL;
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (ids, g_strdup (store_db_text (statement, 0)));
  if (rc == SQLITE_DONE)
    return g_steal_pointer (&ids);
  store_db_fail (store->reader, "list consultations", error);
  return NULL;
}

GPtrArray *
store_list_some (Store *store, const char *before, guint limit, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      store->reader,
      before != NULL ? "SELECT id FROM consult WHERE idx < (SELECT idx FROM consult WHERE id = ?2) "
                       "ORDER BY idx DESC LIMIT ?1"
                     : "SELECT id FROM consult ORDER BY idx DESC LIMIT ?1",
      error);
  int rc;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, limit);
  if (before != NULL)
    store_db_bind_text (statement, 2, before);
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (ids, g_strdup (store_db_text (statement, 0)));
  if (rc == SQLITE_DONE)
    return g_steal_pointer (&ids);
  store_db_fail (store->reader, "list consultations", error);
  return NULL;
}

char *
store_consult_day (Store *store, const char *consult, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (store->reader, "SELECT created_day FROM consult WHERE id = ?", error);

  if (statement == NULL)
    return NULL;
  store_db_bind_text (statement, 1, consult);
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    return g_strdup (store_db_text (statement, 0));
  if (rc == SQLITE_DONE)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no consultation %s",
                 consult);
  else
    store_db_fail (store->reader, "find a consultation", error);
  return NULL;
}

/* ---- Manifest ----------------------------------------------------------------------------- */

static gboolean
add_records (sqlite3 *db, const char *consult, json_t *records, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      db, "SELECT kind, seq, sealed FROM rec WHERE consult = ? ORDER BY id", error);
  int rc;

  if (statement == NULL)
    return FALSE;
  store_db_bind_text (statement, 1, consult);
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
    guint8 hash[32];
    char hex[STORE_HEX];
    store_sha256 (sqlite3_column_blob (statement, 2), (gsize)sqlite3_column_bytes (statement, 2),
                  hash);
    store_hex (hash, hex);
    json_array_append_new (
        records, json_pack ("{s:s, s:I, s:s}", "kind", store_db_text (statement, 0), "seq",
                            (json_int_t)sqlite3_column_int64 (statement, 1), "sha256", hex));
  }
  return rc == SQLITE_DONE || store_db_fail (db, "read rows", error);
}

static gboolean
add_segments (sqlite3 *db, const char *consult, json_t *segments, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      db, "SELECT id, state, sha256 FROM segment WHERE consult = ? ORDER BY leaf", error);
  int rc;

  if (statement == NULL)
    return FALSE;
  store_db_bind_text (statement, 1, consult);
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
    char hex[STORE_HEX];
    gboolean done = !g_str_equal (store_db_text (statement, 1), "open")
                    && sqlite3_column_bytes (statement, 2) == 32;
    if (done)
      store_hex (sqlite3_column_blob (statement, 2), hex);
    json_array_append_new (segments, json_pack ("{s:s, s:s?}", "id", store_db_text (statement, 0),
                                                "sha256", done ? hex : NULL));
  }
  return rc == SQLITE_DONE || store_db_fail (db, "read segments", error);
}

/* In the order of purposes, which is that of their making. */
static gboolean
add_escrows (Vault *vault, const char *consult, json_t *escrows, GError **error)
{
  for (Purpose purpose = PURPOSE_CLINICAL; purpose <= PURPOSE_STATION; purpose++) {
    g_autoptr (GError) local = NULL;
    VaultKeyRow *key = vault_key_row (vault, consult, purpose, &local);
    char hex[STORE_HEX];
    if (key == NULL && !g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    if (key == NULL)
      continue;
    store_hex (g_bytes_get_data (key->recovery_sha256, NULL), hex);
    json_array_append_new (escrows, json_string (hex));
    vault_key_row_free (key);
  }
  return TRUE;
}

/* All of one moment: inside one reading transaction. */
static json_t *
manifest (Store *store, const char *consult, GError **error)
{
  sqlite3 *db = store->reader;
  json_t *records = json_array (), *segments = json_array (), *escrows = json_array ();
  guint8 root[MERKLE_HASH];
  char hex[STORE_HEX];
  StoreLog log;
  json_t *whole = NULL;

  if (add_records (db, consult, records, error) && add_segments (db, consult, segments, error)
      && add_escrows (store->vault, consult, escrows, error) && store_log_load (&log, db, error)) {
    merkle_root (&log.merkle, root);
    store_hex (root, hex);
    whole = json_pack ("{s:O, s:s, s:O, s:s, s:O, s:I, s:i}", "cms_sha256", escrows, "consult",
                       consult, "records", records, "root", hex, "segments", segments, "size",
                       (json_int_t)log.merkle.size, "version", 1);
    store_log_clear (&log);
  }
  json_decref (records);
  json_decref (segments);
  json_decref (escrows);
  return whole;
}

GBytes *
store_manifest (Store *store, const char *consult, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);

  if (!store_db_exec (store->reader, "BEGIN", error))
    return NULL;
  json_t *whole = manifest (store, consult, error);
  sqlite3_exec (store->reader, "COMMIT", NULL, NULL, NULL);
  if (whole == NULL)
    return NULL;
  char *text = json_dumps (whole, JSON_COMPACT | JSON_SORT_KEYS);
  json_decref (whole);
  return g_bytes_new_with_free_func (text, strlen (text), free, text);
}
