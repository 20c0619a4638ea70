/* Which keys there are: for audit, verify, recover, and the start of a station that has had ten
 * years of them. Where a few are asked for, no row of the others is read. */
#include "records/vault_cms.h"
#include "records/vault_private.h"
#include <openssl/evp.h>

void
vault_key_row_free (VaultKeyRow *row)
{
  if (row == NULL)
    return;
  g_free (row->consult);
  g_bytes_unref (row->commit);
  g_bytes_unref (row->recovery_cms);
  g_bytes_unref (row->recovery_sha256);
  g_free (row);
}

static VaultKeyRow *
public_row (KeyRow *row, gboolean authentic)
{
  VaultKeyRow *out = g_new0 (VaultKeyRow, 1);
  guint8 hash[32];
  gsize length;

  EVP_Q_digest (NULL, "SHA256", NULL, g_bytes_get_data (row->recovery_cms, NULL),
                g_bytes_get_size (row->recovery_cms), hash, &length);
  out->consult = g_steal_pointer (&row->consult);
  out->purpose = row->purpose;
  out->epoch = row->epoch;
  out->commit = g_bytes_ref (row->commit);
  out->recovery_cms = g_bytes_ref (row->recovery_cms);
  out->recovery_sha256 = g_bytes_new (hash, sizeof hash);
  out->has_boot = row->boot != NULL;
  out->authentic = authentic;
  return out;
}

/* Of "SELECT * FROM consult_key". A damaged row is left to vault_verify(); its escrow may still
 * open. */
static GPtrArray *
rows_or_error (Vault *vault, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)vault_key_row_free);
  int step;

  while ((step = sqlite3_step (statement)) == SQLITE_ROW) {
    g_autoptr (KeyRow) row = key_row_read (statement);
    gboolean authentic
        = vault->mac_key != NULL && table_mac_good ("consult_key", statement, vault->mac_key);
    if (row != NULL)
      g_ptr_array_add (rows, public_row (row, authentic));
  }
  if (step == SQLITE_DONE || vault->read_only)
    return g_steal_pointer (&rows);
  table_set_error (vault->db, "keys.db", error);
  return NULL;
}

GPtrArray *
vault_list_keys (Vault *vault, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (sqlite3_stmt) statement
      = table_prepare (vault->db, "SELECT * FROM consult_key", error);
  return statement != NULL ? rows_or_error (vault, statement, error) : NULL;
}

GPtrArray *
vault_keys_of (Vault *vault, const char *consult, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (sqlite3_stmt) statement
      = table_prepare (vault->db, "SELECT * FROM consult_key WHERE consult = ?", error);
  if (statement == NULL)
    return NULL;
  sqlite3_bind_text (statement, 1, consult, -1, SQLITE_TRANSIENT);
  return rows_or_error (vault, statement, error);
}

GPtrArray *
vault_newest_keys (Vault *vault, gint64 *before, guint limit, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (sqlite3_stmt) statement = table_prepare (
      vault->db, "SELECT * FROM consult_key WHERE rowid < ? AND rowid >= ? ORDER BY rowid DESC",
      error);
  g_autoptr (sqlite3_stmt) last
      = table_prepare (vault->db,
                       "SELECT min(r) FROM (SELECT rowid AS r FROM consult_key WHERE rowid < ? "
                       "ORDER BY rowid DESC LIMIT ?)",
                       error);
  if (statement == NULL || last == NULL)
    return NULL;
  sqlite3_bind_int64 (last, 1, *before);
  sqlite3_bind_int64 (last, 2, limit);
  gint64 from = sqlite3_step (last) == SQLITE_ROW ? sqlite3_column_int64 (last, 0) : 0;
  sqlite3_bind_int64 (statement, 1, *before);
  sqlite3_bind_int64 (statement, 2, from);
  *before = from;
  return rows_or_error (vault, statement, error);
}

VaultKeyRow *
vault_key_row (Vault *vault, const char *consult, Purpose purpose, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (KeyRow) row = vault_find_key (vault, consult, purpose, error);
  return row != NULL ? public_row (row, vault->mac_key != NULL) : NULL;
}

/* ---- Names only --------------------------------------------------------------------------- */

gboolean
vault_has_key (Vault *vault, const char *consult, Purpose purpose)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (sqlite3_stmt) row = table_prepare (
      vault->db, "SELECT 1 FROM consult_key WHERE consult = ? AND purpose = ?", NULL);
  if (row == NULL)
    return FALSE;
  sqlite3_bind_text (row, 1, consult, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (row, 2, purpose_name (purpose), -1, SQLITE_TRANSIENT);
  return sqlite3_step (row) == SQLITE_ROW;
}

/* Columns: consult, purpose. */
static gboolean
tell_names (Vault *vault, const char *sql, VaultKeyName name, void *arg, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_autoptr (sqlite3_stmt) row = table_prepare (vault->db, sql, error);
  int step = SQLITE_ERROR;
  Purpose purpose;

  if (row == NULL)
    return FALSE;
  while ((step = sqlite3_step (row)) == SQLITE_ROW)
    if (purpose_parse (table_text (row, 1), &purpose))
      name (table_text (row, 0), purpose, arg);
  if (step == SQLITE_DONE || vault->read_only)
    return TRUE;
  table_set_error (vault->db, "keys.db", error);
  return FALSE;
}

gboolean
vault_each_name (Vault *vault, VaultKeyName name, void *arg, GError **error)
{
  return tell_names (vault, "SELECT consult, purpose FROM consult_key", name, arg, error);
}

gboolean
vault_each_with_boot (Vault *vault, VaultKeyName name, void *arg, GError **error)
{
  return tell_names (vault, "SELECT consult, purpose FROM consult_key WHERE boot IS NOT NULL", name,
                     arg, error);
}

DataKey *
vault_recover_key (GBytes *recovery_cms, EVP_PKEY *key, X509 *certificate, const char *consult,
                   Purpose purpose, GError **error)
{
  return cms_open_key (recovery_cms, key, certificate, consult, purpose, error);
}
