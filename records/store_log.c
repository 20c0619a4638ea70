#include "records/store_log.h"
#include <openssl/evp.h>
#include <string.h>

void
store_hex (const guint8 hash[32], char ret_text[STORE_HEX])
{
  for (guint i = 0; i < 32; i++) {
    ret_text[2 * i] = "0123456789abcdef"[hash[i] >> 4];
    ret_text[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
  }
  ret_text[64] = '\0';
}

char *
store_hex_of (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  GString *hex = g_string_sized_new (2 * size);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (hex, "%02x", data[i]);
  return g_string_free (hex, FALSE);
}

void
store_sha256 (gconstpointer data, gsize size, guint8 ret_hash[32])
{
  if (EVP_Digest (data, size, ret_hash, NULL, EVP_sha256 (), NULL) != 1)
    g_error ("SHA-256 is not available: libcrypto has no working provider");
}

/* ---- Loading ------------------------------------------------------------------------------ */

/* Peaks are as good as the root they give, since that is what the checkpoint was signed over. */
static gboolean
load_checkpoint (StoreLog *log, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      log->db, "SELECT size, root, peaks FROM checkpoint ORDER BY size DESC LIMIT 1", error);
  Merkle merkle;
  guint8 root[MERKLE_HASH];

  if (statement == NULL)
    return FALSE;
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_DONE)
    return TRUE;
  if (rc != SQLITE_ROW)
    return store_db_fail (log->db, "read the newest checkpoint", error);
  if (sqlite3_column_bytes (statement, 1) != MERKLE_HASH
      || !merkle_load (&merkle, (guint64)sqlite3_column_int64 (statement, 0),
                       sqlite3_column_blob (statement, 2),
                       (gsize)sqlite3_column_bytes (statement, 2)))
    return TRUE;
  merkle_root (&merkle, root);
  if (memcmp (root, sqlite3_column_blob (statement, 1), MERKLE_HASH) == 0)
    log->merkle = merkle;
  return TRUE;
}

static gboolean
load_leaves (StoreLog *log, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      log->db, "SELECT idx, leaf_hash FROM audit WHERE idx >= ? ORDER BY idx", error);
  int rc;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64)log->merkle.size);
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
    if (sqlite3_column_int64 (statement, 0) != (gint64)log->merkle.size
        || sqlite3_column_bytes (statement, 1) != MERKLE_HASH) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                   STORE_DB_NAME ": leaf %" G_GUINT64_FORMAT " of the log is missing or damaged: "
                                 "run nhipcau record verify",
                   log->merkle.size);
      return FALSE;
    }
    merkle_push (&log->merkle, sqlite3_column_blob (statement, 1));
  }
  return rc == SQLITE_DONE || store_db_fail (log->db, "read the log", error);
}

gboolean
store_log_load (StoreLog *log, sqlite3 *db, GError **error)
{
  *log = (StoreLog){ .db = db };
  if (!load_checkpoint (log, error) || !load_leaves (log, error))
    return FALSE;
  if (sqlite3_db_readonly (db, "main"))
    return TRUE;
  log->insert
      = store_db_prepare (db, "INSERT INTO audit(idx, leaf_hash, what) VALUES(?, ?, ?)", error);
  return log->insert != NULL;
}

void
store_log_clear (StoreLog *log)
{
  g_clear_pointer (&log->insert, sqlite3_finalize);
}

/* ---- Leaves ------------------------------------------------------------------------------- */

guint64
store_log_next (StoreLog *log)
{
  return log->merkle.size;
}

gboolean
store_log_append (StoreLog *log, GError **error, const char *format, ...)
{
  guint8 hash[MERKLE_HASH];
  va_list words;

  va_start (words, format);
  g_autofree char *what = g_strdup_vprintf (format, words);
  va_end (words);
  merkle_leaf (what, strlen (what), hash);
  sqlite3_bind_int64 (log->insert, 1, (gint64)log->merkle.size);
  store_db_bind_blob (log->insert, 2, hash, sizeof hash);
  store_db_bind_text (log->insert, 3, what);
  if (!store_db_run (log->insert, error))
    return FALSE;
  merkle_push (&log->merkle, hash);
  return TRUE;
}

char *
store_log_find (sqlite3 *db, const char *words, GError **error)
{
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (db,
                          "SELECT what FROM audit WHERE substr(what, 1, 4) <> 'rec ' "
                          "AND what >= ?1 || ' ' AND what < ?1 || '!' ORDER BY idx DESC LIMIT 1",
                          error);
  if (statement == NULL)
    return NULL;
  store_db_bind_text (statement, 1, words);
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    return g_strdup (store_db_text (statement, 0));
  if (rc != SQLITE_DONE)
    store_db_fail (db, "search the log", error);
  return NULL;
}

gboolean
store_log_has (sqlite3 *db, const char *leaf, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      db, "SELECT 1 FROM audit WHERE substr(what, 1, 4) <> 'rec ' AND what = ? LIMIT 1", error);
  if (statement == NULL)
    return FALSE;
  store_db_bind_text (statement, 1, leaf);
  int rc = sqlite3_step (statement);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE)
    store_db_fail (db, "search the log", error);
  return rc == SQLITE_ROW;
}

/* ---- Checkpoints -------------------------------------------------------------------------- */

GBytes *
store_log_statement (guint64 size, const guint8 root[MERKLE_HASH])
{
  char hex[STORE_HEX];
  store_hex (root, hex);
  char *text = g_strdup_printf ("nhipcau checkpoint 1\n%" G_GUINT64_FORMAT "\n%s\n", size, hex);
  return g_bytes_new_take (text, strlen (text));
}

/* The certificate stays with the log: it may be renewed or replaced on disk. */
static gboolean
keep_signer (StoreLog *log, Identity *signer, guint8 ret_sha256[32], GError **error)
{
  guint8 *der = NULL;
  char hex[STORE_HEX];
  int size = i2d_X509 (identity_certificate (signer), &der);

  if (size < 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "the station's certificate cannot be encoded");
    return FALSE;
  }
  g_autoptr (GBytes) certificate = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  store_sha256 (g_bytes_get_data (certificate, NULL), (gsize)size, ret_sha256);
  store_hex (ret_sha256, hex);
  g_autoptr (sqlite3_stmt) insert = store_db_prepare (
      log->db, "INSERT OR IGNORE INTO signer(sha256, certificate) VALUES(?, ?)", error);
  if (insert == NULL)
    return FALSE;
  store_db_bind_blob (insert, 1, ret_sha256, 32);
  store_db_bind_blob (insert, 2, g_bytes_get_data (certificate, NULL), (gsize)size);
  if (!store_db_run (insert, error))
    return FALSE;
  return sqlite3_changes (log->db) == 0 || store_log_append (log, error, "signer %s", hex);
}

static gboolean
ends_with_checkpoint (StoreLog *log, gboolean *ret_ends, GError **error)
{
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (log->db, "SELECT what FROM audit WHERE idx = ?", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64)log->merkle.size - 1);
  int rc = sqlite3_step (statement);
  *ret_ends = rc == SQLITE_ROW && g_str_has_prefix (store_db_text (statement, 0), "checkpoint ");
  return rc == SQLITE_ROW || rc == SQLITE_DONE || store_db_fail (log->db, "read the log", error);
}

static gboolean
insert_checkpoint (StoreLog *log, const guint8 root[MERKLE_HASH], const guint8 signer[32],
                   GBytes *signature, GError **error)
{
  g_autoptr (GBytes) peaks = merkle_save (&log->merkle);
  g_autoptr (sqlite3_stmt) insert = store_db_prepare (
      log->db, "INSERT INTO checkpoint(size, root, peaks, signer, sig) VALUES(?, ?, ?, ?, ?)",
      error);
  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)log->merkle.size);
  store_db_bind_blob (insert, 2, root, MERKLE_HASH);
  store_db_bind_blob (insert, 3, g_bytes_get_data (peaks, NULL), g_bytes_get_size (peaks));
  store_db_bind_blob (insert, 4, signer, 32);
  store_db_bind_blob (insert, 5, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature));
  return store_db_run (insert, error);
}

gboolean
store_log_checkpoint (StoreLog *log, Identity *signer, GError **error)
{
  guint8 root[MERKLE_HASH], certificate[32], sig_sha256[32];
  char root_hex[STORE_HEX], sig_hex[STORE_HEX];
  gboolean ends;

  if (!ends_with_checkpoint (log, &ends, error))
    return FALSE;
  if (ends)
    return TRUE;
  if (!keep_signer (log, signer, certificate, error))
    return FALSE;
  guint64 size = log->merkle.size;
  merkle_root (&log->merkle, root);
  g_autoptr (GBytes) statement = store_log_statement (size, root);
  g_autoptr (GBytes) signature = identity_sign (signer, statement, error);
  if (signature == NULL || !insert_checkpoint (log, root, certificate, signature, error))
    return FALSE;
  store_sha256 (g_bytes_get_data (signature, NULL), g_bytes_get_size (signature), sig_sha256);
  store_hex (root, root_hex);
  store_hex (sig_sha256, sig_hex);
  return store_log_append (log, error, "checkpoint %" G_GUINT64_FORMAT " %s %s", size, root_hex,
                           sig_hex);
}
