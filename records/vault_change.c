#include "records/vault_private.h"
#include <string.h>

GBytes *
meta_get (sqlite3 *db, const char *name)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (db, "SELECT value FROM meta WHERE name = ?", NULL);
  if (row == NULL)
    return NULL;
  sqlite3_bind_text (row, 1, name, -1, SQLITE_TRANSIENT);
  return sqlite3_step (row) == SQLITE_ROW ? table_blob (row, 0) : NULL;
}

gboolean
meta_set (sqlite3 *db, const char *name, gconstpointer data, gsize size, const guint8 *mac_key,
          GError **error)
{
  g_autoptr (GBytes) value = g_bytes_new (data, size);
  const Value values[] = { VALUE_OF_TEXT (name), VALUE_OF_BLOB (value) };
  return table_write (db, "meta", values, G_N_ELEMENTS (values), mac_key, error);
}

gboolean
meta_get_counts (sqlite3 *db, Counts *ret_counts)
{
  g_autoptr (GBytes) value = meta_get (db, "counts");
  guint64 big[3];

  if (value == NULL || g_bytes_get_size (value) != sizeof big)
    return FALSE;
  memcpy (big, g_bytes_get_data (value, NULL), sizeof big);
  ret_counts->recipients = GUINT64_FROM_BE (big[0]);
  ret_counts->passphrases = GUINT64_FROM_BE (big[1]);
  ret_counts->keys = GUINT64_FROM_BE (big[2]);
  return TRUE;
}

gboolean
meta_set_counts (sqlite3 *db, const Counts *counts, const guint8 *mac_key, GError **error)
{
  const guint64 big[3] = { GUINT64_TO_BE (counts->recipients), GUINT64_TO_BE (counts->passphrases),
                           GUINT64_TO_BE (counts->keys) };
  return meta_set (db, "counts", big, sizeof big, mac_key, error);
}

/* Without a mac: it only says which file is the newer one, and whoever can forge it can as well
 * put older files back. */
gboolean
meta_set_generation (sqlite3 *db, guint64 generation, GError **error)
{
  guint64 big = GUINT64_TO_BE (generation);
  return meta_set (db, "generation", &big, sizeof big, NULL, error);
}

gboolean
table_count (sqlite3 *db, const char *table, guint64 *ret_count, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT count(*) FROM %s", table);
  g_autoptr (sqlite3_stmt) row = table_prepare (db, sql, error);
  if (row == NULL)
    return FALSE;
  if (sqlite3_step (row) != SQLITE_ROW) {
    table_set_error (db, table, error);
    return FALSE;
  }
  *ret_count = (guint64)sqlite3_column_int64 (row, 0);
  return TRUE;
}

gboolean
table_counts (sqlite3 *db, Counts *ret_counts, GError **error)
{
  return table_count (db, "recipient", &ret_counts->recipients, error)
         && table_count (db, "passphrase", &ret_counts->passphrases, error)
         && table_count (db, "consult_key", &ret_counts->keys, error);
}

/* Passphrases and recipients are few and counted; keys are many, so their number is carried on. */
static gboolean
carry_counts (Vault *vault, sqlite3 *db, int keys, GError **error)
{
  Counts counts;

  if (vault->mac_key == NULL)
    return TRUE; /* confirming a recipient changes no number */
  if (!meta_get_counts (db, &counts)) {
    if (!table_failed (db, KEYS_MAIN, error))
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "keys.db: its counts are missing");
    return FALSE;
  }
  if (!table_count (db, "recipient", &counts.recipients, error)
      || !table_count (db, "passphrase", &counts.passphrases, error))
    return FALSE;
  counts.keys += (guint64)(gint64)keys;
  return meta_set_counts (db, &counts, vault->mac_key, error);
}

static gboolean
next_generation (sqlite3 *db, GError **error)
{
  g_autoptr (GBytes) value = meta_get (db, "generation");
  guint64 big = 0;

  if (value == NULL && table_failed (db, KEYS_MAIN, error))
    return FALSE;
  if (value != NULL && g_bytes_get_size (value) == sizeof big)
    memcpy (&big, g_bytes_get_data (value, NULL), sizeof big);
  return meta_set_generation (db, GUINT64_FROM_BE (big) + 1, error);
}

static gboolean
change_one (Vault *vault, sqlite3 *db, VaultChange change, gpointer arg, GError **error)
{
  int keys = 0;

  if (!table_exec (db, "BEGIN IMMEDIATE", error))
    return FALSE;
  if (change (vault, db, arg, &keys, error) && carry_counts (vault, db, keys, error)
      && next_generation (db, error) && table_exec (db, "COMMIT", error))
    return TRUE;
  if (!sqlite3_get_autocommit (db))
    sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

gboolean
vault_writable (Vault *vault, GError **error)
{
  if (vault->read_only)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the vault is open for reading only");
  else if (vault->refused != NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "%s", vault->refused);
  return !vault->read_only && vault->refused == NULL;
}

gboolean
vault_mend_copy (Vault *vault, GError **error)
{
  vault_seal_when_due (vault);
  if (!vault->copy_behind || vault->refused != NULL)
    return TRUE;
  sqlite3_backup *backup = sqlite3_backup_init (vault->copy, "main", vault->main, "main");
  if (backup != NULL) {
    sqlite3_backup_step (backup, -1);
    if (sqlite3_backup_finish (backup) == SQLITE_OK && key_file_checkpoint (vault->copy, NULL)) {
      vault->copy_behind = FALSE;
      return TRUE;
    }
  }
  table_set_error (vault->copy, KEYS_COPY " cannot be written", error);
  return FALSE;
}

gboolean
vault_change (Vault *vault, VaultChange change, gpointer arg, GError **error)
{
  if (!vault_writable (vault, error) || !vault_mend_copy (vault, error)
      || !change_one (vault, vault->main, change, arg, error))
    return FALSE;
  /* From here on main holds it. Whatever fails below leaves a copy that is one behind, which is
   * mended before any key is given out, or at the next start. */
  vault->copy_behind = TRUE;
  if (!key_file_checkpoint (vault->main, error)
      || !change_one (vault, vault->copy, change, arg, error)
      || !key_file_checkpoint (vault->copy, error))
    return FALSE;
  vault->copy_behind = FALSE;
  vault_seal_later (vault);
  return TRUE;
}
