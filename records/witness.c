#include "records/witness.h"
#include "records/store_private.h"
#include <glib/gstdio.h>
#include <string.h>

/* ---- The log at some size ----------------------------------------------------------------- */

/* Begins at the newest checkpoint that is not behind size. */
static gboolean
load_before (sqlite3 *db, guint64 size, Merkle *ret_merkle, GError **error)
{
  g_autoptr (sqlite3_stmt) row = store_db_prepare (
      db, "SELECT size, peaks FROM checkpoint WHERE size <= ? ORDER BY size DESC LIMIT 1", error);
  if (row == NULL)
    return FALSE;
  *ret_merkle = (Merkle){ 0 };
  sqlite3_bind_int64 (row, 1, (gint64)MIN (size, (guint64)G_MAXINT64));
  if (sqlite3_step (row) == SQLITE_ROW
      && !merkle_load (ret_merkle, (guint64)sqlite3_column_int64 (row, 0),
                       sqlite3_column_blob (row, 1), (gsize)sqlite3_column_bytes (row, 1)))
    *ret_merkle = (Merkle){ 0 };
  return TRUE;
}

/* size: at most; ret_merkle->size is less where the log is shorter. */
static gboolean
log_at (sqlite3 *db, guint64 size, Merkle *ret_merkle, GError **error)
{
  if (!load_before (db, size, ret_merkle, error))
    return FALSE;
  g_autoptr (sqlite3_stmt) row = store_db_prepare (
      db, "SELECT leaf_hash FROM audit WHERE idx >= ? AND idx < ? ORDER BY idx", error);
  int rc = SQLITE_ERROR;
  if (row == NULL)
    return FALSE;
  sqlite3_bind_int64 (row, 1, (gint64)ret_merkle->size);
  sqlite3_bind_int64 (row, 2, (gint64)MIN (size, (guint64)G_MAXINT64));
  while ((rc = sqlite3_step (row)) == SQLITE_ROW)
    if (sqlite3_column_bytes (row, 0) == MERKLE_HASH)
      merkle_push (ret_merkle, sqlite3_column_blob (row, 0));
  return rc == SQLITE_DONE || store_db_fail (db, "read the log", error);
}

gboolean
witness_point (Store *store, WitnessPoint *ret_point, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  guint8 root[MERKLE_HASH];
  Merkle merkle;

  if (!log_at (store->reader, G_MAXINT64, &merkle, error))
    return FALSE;
  merkle_root (&merkle, root);
  ret_point->size = merkle.size;
  store_hex (root, ret_point->root);
  return TRUE;
}

/* ---- Telling ------------------------------------------------------------------------------ */

static gboolean
run_fork (StoreWrite *write, gpointer words, GError **error)
{
  g_autoptr (sqlite3_stmt) find = store_db_prepare (
      write->db, "SELECT 1 FROM audit WHERE substr(what, 1, 4) <> 'rec ' AND what = ?", error);
  if (find == NULL)
    return FALSE;
  store_db_bind_text (find, 1, words);
  return sqlite3_step (find) == SQLITE_ROW
         || store_log_append (&write->log, error, "%s", (const char *)words);
}

static gboolean
tell_fork (Store *store, const char *source, guint64 size, const char *root, GError **error)
{
  g_autofree char *words = g_strdup_printf ("fork %s %" G_GUINT64_FORMAT " %s", source, size, root);
  return store->writer == NULL || store_writer_call (store->writer, run_fork, words, error);
}

static gboolean
hex_valid (const char *hex, GError **error)
{
  if (strlen (hex) == 64 && strspn (hex, "0123456789abcdef") == 64)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "a hash has 64 digits, 0-9 and a-f, this one is something else");
  return FALSE;
}

gboolean
witness_check (Store *store, const char *source, guint64 size, const char *root,
               gboolean *ret_known, GError **error)
{
  guint8 hash[MERKLE_HASH];
  char found[STORE_HEX];
  Merkle merkle;

  if (!hex_valid (root, error))
    return FALSE;
  g_mutex_lock (&store->reader_lock);
  gboolean ok = log_at (store->reader, size, &merkle, error);
  g_mutex_unlock (&store->reader_lock);
  if (!ok)
    return FALSE;
  merkle_root (&merkle, hash);
  store_hex (hash, found);
  *ret_known = merkle.size == size && g_str_equal (found, root);
  return *ret_known || tell_fork (store, source, size, root, error);
}

/* ---- Papers ------------------------------------------------------------------------------- */

static gboolean
has_signature (Store *store, const char *consult, const char *sha256, gboolean *ret_locked)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = store_read (store, consult, "signature", 0, &error);

  if (rows == NULL) {
    *ret_locked |= g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
    return FALSE;
  }
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    const char *said = json_string_value (json_object_get (row->body, "sha256"));
    if (g_strcmp0 (said, sha256) == 0)
      return TRUE;
  }
  return FALSE;
}

gboolean
witness_check_paper (Store *store, const char *sha256, gboolean *ret_known, gboolean *ret_locked,
                     GError **error)
{
  *ret_known = *ret_locked = FALSE;
  if (!hex_valid (sha256, error))
    return FALSE;
  g_autoptr (GPtrArray) consults = store_list_consults (store, error);
  if (consults == NULL)
    return FALSE;
  for (guint i = 0; i < consults->len && !*ret_known; i++)
    *ret_known = has_signature (store, consults->pdata[i], sha256, ret_locked);
  return *ret_known || *ret_locked || tell_fork (store, "paper", 0, sha256, error);
}

/* ---- Left by others ----------------------------------------------------------------------- */

#define LINES_MAX 1000

gboolean
witness_leave (const char *state_dir, const char *source, guint64 size, const char *root,
               GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, WITNESS_TOLD, NULL), *text = NULL;

  if (!hex_valid (root, error))
    return FALSE;
  g_file_get_contents (path, &text, NULL, NULL);
  g_autofree char *all = g_strdup_printf ("%s%s %" G_GUINT64_FORMAT " %s\n",
                                          text != NULL ? text : "", source, size, root);
  return g_file_set_contents_full (
      path, all, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

/* FALSE: it has to wait. */
static gboolean
take_line (Store *store, const char *line, guint *ret_unknown)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 4);
  g_autoptr (GError) error = NULL;
  gboolean known = TRUE, locked = FALSE;
  guint64 size = 0;

  if (g_strv_length (words) != 3 || strspn (words[0], "abcdefghijklmnopqrstuvwxyz-") > 24
      || words[0][strspn (words[0], "abcdefghijklmnopqrstuvwxyz-")] != '\0'
      || !g_ascii_string_to_unsigned (words[1], 10, 0, G_MAXINT64, &size, NULL))
    return TRUE;
  if (size == 0 ? !witness_check_paper (store, words[2], &known, &locked, &error)
                : !witness_check (store, words[0], size, words[2], &known, &error))
    g_warning ("witness: %s", error->message);
  *ret_unknown += error == NULL && !known && !locked;
  return known || !locked;
}

gboolean
witness_take (Store *store, guint *ret_unknown, GError **error)
{
  g_autofree char *path = g_build_filename (store->state_dir, WITNESS_TOLD, NULL), *text = NULL;
  g_autoptr (GString) left = g_string_new (NULL);

  *ret_unknown = 0;
  if (!g_file_get_contents (path, &text, NULL, NULL))
    return TRUE;
  g_auto (GStrv) lines = g_strsplit (text, "\n", LINES_MAX);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0' && !take_line (store, lines[i], ret_unknown))
      g_string_append_printf (left, "%s\n", lines[i]);
  if (left->len > 0)
    return g_file_set_contents (path, left->str, (gssize)left->len, error);
  g_unlink (path);
  return TRUE;
}

GPtrArray *
witness_forks (Store *store, GError **error)
{
  g_autoptr (GPtrArray) forks = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) row = store_db_prepare (
      store->reader,
      "SELECT what FROM audit WHERE substr(what, 1, 4) <> 'rec ' AND what >= 'fork ' "
      "AND what < 'fork!' ORDER BY idx",
      error);
  int rc = SQLITE_ERROR;

  while (row != NULL && (rc = sqlite3_step (row)) == SQLITE_ROW)
    g_ptr_array_add (forks, g_strdup (store_db_text (row, 0) + strlen ("fork ")));
  if (row == NULL || rc != SQLITE_DONE) {
    if (row != NULL)
      store_db_fail (store->reader, "read the log", error);
    return NULL;
  }
  return g_steal_pointer (&forks);
}
