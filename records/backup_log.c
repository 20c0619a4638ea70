#include "records/backup_private.h"
#include <string.h>

static void
note (BackupLog *log, const char *what)
{
  g_auto (GStrv) words = g_strsplit (what, " ", 8);
  guint n = g_strv_length (words);
  const char *kind = words[0];

  if (n == 6 && g_str_equal (kind, "key")) {
    g_hash_table_add (log->keys, g_strdup_printf ("%s %s", words[1], words[2]));
  } else if (n == 3 && g_str_equal (kind, "shred")) {
    char *name = g_strdup_printf ("%s %s", words[1], words[2]);
    g_hash_table_remove (log->keys, name);
    g_hash_table_add (log->erased, name);
  } else if (n == 3 && g_str_equal (kind, "file")) {
    if (g_str_equal (words[2], "gone"))
      g_hash_table_remove (log->files, words[1]);
    else
      g_hash_table_insert (log->files, g_strdup (words[1]), g_strdup (words[2]));
  }
}

static gboolean
read_leaf (BackupLog *log, Merkle *merkle, sqlite3_stmt *row, GError **error)
{
  const char *what = store_db_text (row, 2);
  guint8 hash[MERKLE_HASH];

  merkle_leaf (what, (gsize)sqlite3_column_bytes (row, 2), hash);
  if (sqlite3_column_int64 (row, 0) != (gint64)merkle->size
      || sqlite3_column_bytes (row, 1) != MERKLE_HASH
      || memcmp (hash, sqlite3_column_blob (row, 1), MERKLE_HASH) != 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 STORE_DB_NAME ": leaf %" G_GUINT64_FORMAT " of the log is missing or damaged: run "
                               "nhipcau record verify",
                 merkle->size);
    return FALSE;
  }
  if (!g_str_has_prefix (what, "rec "))
    note (log, what);
  merkle_push (merkle, hash);
  return TRUE;
}

/* What the recording's table says of segments that have ended. */
static gboolean
read_segments (BackupLog *log, sqlite3 *db, GError **error)
{
  g_autoptr (sqlite3_stmt) row = store_db_prepare (
      db, "SELECT consult, id, sha256 FROM segment WHERE state <> 'open'", error);
  int rc = SQLITE_ERROR;

  while (row != NULL && (rc = sqlite3_step (row)) == SQLITE_ROW) {
    char hex[STORE_HEX];
    if (sqlite3_column_bytes (row, 2) != 32)
      continue;
    store_hex (sqlite3_column_blob (row, 2), hex);
    g_hash_table_insert (
        log->files,
        g_strdup_printf ("media/%s/%s.seg", store_db_text (row, 0), store_db_text (row, 1)),
        g_strdup (hex));
  }
  return row != NULL && (rc == SQLITE_DONE || store_db_fail (db, "read the segments", error));
}

static gboolean
read_leaves (BackupLog *log, sqlite3 *db, guint64 known_size, GError **error)
{
  g_autoptr (sqlite3_stmt) row
      = store_db_prepare (db, "SELECT idx, leaf_hash, what FROM audit ORDER BY idx", error);
  Merkle merkle = { 0 };
  guint8 root[MERKLE_HASH];
  int rc = SQLITE_ERROR;

  while (row != NULL && (rc = sqlite3_step (row)) == SQLITE_ROW) {
    if (!read_leaf (log, &merkle, row, error))
      return FALSE;
    if (merkle.size == known_size) {
      merkle_root (&merkle, root);
      store_hex (root, log->known_root);
    }
  }
  if (row == NULL || rc != SQLITE_DONE)
    return row != NULL && store_db_fail (db, "read the log", error);
  merkle_root (&merkle, root);
  store_hex (root, log->root);
  log->size = merkle.size;
  return TRUE;
}

BackupLog *
backup_log_read (sqlite3 *db, guint64 known_size, GError **error)
{
  g_autoptr (BackupLog) log = g_new0 (BackupLog, 1);

  log->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  log->erased = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  log->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return read_leaves (log, db, known_size, error) && read_segments (log, db, error)
             ? g_steal_pointer (&log)
             : NULL;
}

void
backup_log_free (BackupLog *log)
{
  if (log == NULL)
    return;
  g_clear_pointer (&log->keys, g_hash_table_unref);
  g_clear_pointer (&log->erased, g_hash_table_unref);
  g_clear_pointer (&log->files, g_hash_table_unref);
  g_free (log);
}
