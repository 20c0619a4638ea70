#include "records/vault_restore.h"
#include "records/secure_memory.h"
#include "records/sealing.h"
#include "records/vault_cms.h"
#include <openssl/crypto.h>
#include <string.h>

typedef struct {
  const VaultRestore *restore;
  sqlite3 *from, *to;
  GPtrArray *rows; /* KeyRow*, those that stay */
  GBytes *id, *label;
  guint8 *mac_key; /* secure */
  EVP_PKEY *vk;    /* the new one; NULL: it stays */
  X509 *certificate;
  GBytes *station_commit;
} Restoring;

static void
restoring_clear (Restoring *restoring)
{
  sqlite3_close (restoring->from);
  sqlite3_close (restoring->to);
  g_clear_pointer (&restoring->rows, g_ptr_array_unref);
  g_clear_pointer (&restoring->id, g_bytes_unref);
  g_clear_pointer (&restoring->label, g_bytes_unref);
  g_clear_pointer (&restoring->station_commit, g_bytes_unref);
  secure_free (restoring->mac_key, SEALING_KEY);
  EVP_PKEY_free (restoring->vk);
  X509_free (restoring->certificate);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Restoring, restoring_clear)

static gboolean
damaged (const char *what, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "the keys of this backup were changed: %s", what);
  return FALSE;
}

static sqlite3 *
open_image (GBytes *image, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (image, &size);
  sqlite3 *db = NULL;

  if (sqlite3_open (":memory:", &db) == SQLITE_OK
      && sqlite3_deserialize (db, "main", (guint8 *)data, (sqlite3_int64)size, (sqlite3_int64)size,
                              SQLITE_DESERIALIZE_READONLY)
             == SQLITE_OK)
    return db;
  sqlite3_close (db);
  damaged ("it is no database", error);
  return NULL;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static gboolean
read_rows (Restoring *restoring, GError **error)
{
  g_autoptr (sqlite3_stmt) statement
      = table_prepare (restoring->from, "SELECT * FROM consult_key", error);
  int step = SQLITE_ERROR;

  while (statement != NULL && (step = sqlite3_step (statement)) == SQLITE_ROW) {
    g_autoptr (KeyRow) row = key_row_read (statement);
    if (row == NULL)
      return damaged ("a row is none", error);
    g_autofree char *name = g_strdup_printf ("%s %s", row->consult, purpose_name (row->purpose));
    if (!g_hash_table_contains (restoring->restore->erased, name))
      g_ptr_array_add (restoring->rows, g_steal_pointer (&row));
  }
  return step == SQLITE_DONE || damaged ("its rows cannot be read", error);
}

/* In secure memory, for secure_free (dek, CMS_DEK_ROOM). */
static guint8 *
open_row (const VaultRestore *restore, const KeyRow *row, DataKey **ret_key, GError **error)
{
  guint16 epoch;
  guint8 commit[32];
  guint8 *dek = cms_open_dek (row->recovery_cms, restore->key, restore->certificate, row->consult,
                              row->purpose, &epoch, error);
  if (dek == NULL)
    return NULL;
  g_autoptr (DataKey) key = data_key_new (dek, epoch);
  data_key_commitment (key, commit);
  if (epoch == row->epoch
      && CRYPTO_memcmp (commit, g_bytes_get_data (row->commit, NULL), sizeof commit) == 0) {
    *ret_key = g_steal_pointer (&key);
    return dek;
  }
  secure_free (dek, CMS_DEK_ROOM);
  damaged ("an escrow holds another key than the one in use", error);
  return NULL;
}

/* The station's own key authenticates all others. */
static gboolean
open_station (Restoring *restoring, GError **error)
{
  for (guint i = 0; i < restoring->rows->len; i++) {
    const KeyRow *row = restoring->rows->pdata[i];
    g_autoptr (DataKey) key = NULL;
    if (row->purpose != PURPOSE_STATION)
      continue;
    guint8 *dek = open_row (restoring->restore, row, &key, error);
    if (dek == NULL)
      return FALSE;
    secure_free (dek, CMS_DEK_ROOM);
    restoring->mac_key = secure_alloc (SEALING_KEY);
    data_key_derive (key, "nhipcau/1/keys-mac", restoring->mac_key);
    restoring->station_commit = g_bytes_ref (row->commit);
    g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
    keys_check_macs (restoring->from, restoring->mac_key, TRUE, problems);
    return problems->len == 0 || damaged (problems->pdata[0], error);
  }
  return damaged ("the station's own key is missing", error);
}

/* ---- Another VK --------------------------------------------------------------------------- */

static gboolean
wrap_for_vk (Restoring *restoring, KeyRow *row, const guint8 *dek, GError **error)
{
  g_autofree char *label
      = g_strndup (g_bytes_get_data (restoring->label, NULL), g_bytes_get_size (restoring->label));
  const Escrow escrow = { label, row->consult, row->purpose, row->epoch };
  g_autoptr (GPtrArray) vk = g_ptr_array_new ();

  g_ptr_array_add (vk, restoring->certificate);
  g_clear_pointer (&row->vk_cms, g_bytes_unref);
  g_clear_pointer (&row->boot, g_bytes_unref);
  row->vk_cms = cms_seal_key (vk, &escrow, dek, error);
  return row->vk_cms != NULL;
}

static gboolean
open_all (Restoring *restoring, GError **error)
{
  for (guint i = 0; i < restoring->rows->len; i++) {
    KeyRow *row = restoring->rows->pdata[i];
    g_autoptr (DataKey) key = NULL;
    guint8 *dek = open_row (restoring->restore, row, &key, error);
    if (dek == NULL)
      return FALSE;
    gboolean ok = restoring->vk == NULL || wrap_for_vk (restoring, row, dek, error);
    secure_free (dek, CMS_DEK_ROOM);
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_user (Restoring *restoring, GError **error)
{
  const VaultRestore *restore = restoring->restore;
  g_autoptr (GBytes) pkcs8 = user_wrap (restoring->vk, restore->passphrase, error);
  const Value values[] = { VALUE_OF_TEXT (restore->user), VALUE_OF_BLOB (pkcs8) };
  return pkcs8 != NULL
         && table_write (restoring->to, "passphrase", values, G_N_ELEMENTS (values),
                         restoring->mac_key, error);
}

static gboolean
set_meta (Restoring *restoring, const char *name, GBytes *value, GError **error)
{
  return meta_set (restoring->to, name, g_bytes_get_data (value, NULL), g_bytes_get_size (value),
                   restoring->mac_key, error);
}

static gboolean
write_vk (Restoring *restoring, GError **error)
{
  g_autofree char *label
      = g_strndup (g_bytes_get_data (restoring->label, NULL), g_bytes_get_size (restoring->label));
  g_autoptr (GBytes) der = certificate_der (restoring->certificate);
  g_autoptr (GBytes) anchor
      = anchor_sign (restoring->vk, restoring->id, label, restoring->certificate,
                     restoring->station_commit, error);
  return anchor != NULL && set_meta (restoring, "vk_certificate", der, error)
         && set_meta (restoring, "anchor", anchor, error) && write_user (restoring, error);
}

/* ---- The new file ------------------------------------------------------------------------- */

static gboolean
copy_table (Restoring *restoring, const char *table, gboolean with_mac, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT * FROM %s", table);
  g_autoptr (sqlite3_stmt) row = table_prepare (restoring->from, sql, error);
  int step = SQLITE_ERROR;

  while (row != NULL && (step = sqlite3_step (row)) == SQLITE_ROW) {
    Value values[4] = { 0 };
    GBytes *blobs[4] = { NULL };
    guint n = (guint)sqlite3_column_count (row) - 2; /* less mac and sum */
    for (guint i = 0; i < MIN (n, 4); i++) {
      if (sqlite3_column_type (row, (int)i) == SQLITE_INTEGER)
        values[i] = (Value)VALUE_OF_INTEGER (sqlite3_column_int64 (row, (int)i));
      else if (sqlite3_column_type (row, (int)i) == SQLITE_TEXT)
        values[i] = (Value)VALUE_OF_TEXT (table_text (row, (int)i));
      else
        values[i] = (Value)VALUE_OF_BLOB (blobs[i] = table_blob (row, (int)i));
    }
    gboolean ok = table_write (restoring->to, table, values, n,
                               with_mac ? restoring->mac_key : NULL, error);
    for (guint i = 0; i < 4; i++)
      g_clear_pointer (&blobs[i], g_bytes_unref);
    if (!ok)
      return FALSE;
  }
  return step == SQLITE_DONE || damaged (table, error);
}

static gboolean
copy_meta (Restoring *restoring, GError **error)
{
  static const char *const names[] = { "vault", "label", "vk_certificate", "anchor" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (GBytes) value = meta_get (restoring->from, names[i]);
    if (value == NULL || !set_meta (restoring, names[i], value, error))
      return damaged (names[i], NULL);
  }
  return TRUE;
}

static gboolean
write_numbers (Restoring *restoring, GError **error)
{
  Counts counts;
  g_autoptr (GBytes) generation = meta_get (restoring->from, "generation");
  guint64 big = 0;

  if (generation != NULL && g_bytes_get_size (generation) == sizeof big)
    memcpy (&big, g_bytes_get_data (generation, NULL), sizeof big);
  return table_counts (restoring->to, &counts, error)
         && meta_set_counts (restoring->to, &counts, restoring->mac_key, error)
         && meta_set_generation (restoring->to, GUINT64_FROM_BE (big) + 1, error);
}

static gboolean
write_all (Restoring *restoring, GError **error)
{
  if (!copy_meta (restoring, error) || !copy_table (restoring, "recipient", TRUE, error)
      || !copy_table (restoring, "answer", FALSE, error))
    return FALSE;
  if (restoring->vk != NULL ? !write_vk (restoring, error)
                            : !copy_table (restoring, "passphrase", TRUE, error))
    return FALSE;
  for (guint i = 0; i < restoring->rows->len; i++)
    if (!key_row_write (restoring->to, restoring->rows->pdata[i], restoring->mac_key, error))
      return FALSE;
  return write_numbers (restoring, error);
}

static gboolean
begin (Restoring *restoring, GBytes *image, GError **error)
{
  const VaultRestore *restore = restoring->restore;

  restoring->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)key_row_free);
  restoring->from = open_image (image, error);
  if (restoring->from == NULL || !read_rows (restoring, error) || !open_station (restoring, error))
    return FALSE;
  restoring->id = meta_get (restoring->from, "vault");
  restoring->label = meta_get (restoring->from, "label");
  if (restoring->id == NULL || restoring->label == NULL)
    return damaged ("its settings are missing", error);
  if (restore->user == NULL)
    return TRUE;
  g_autofree char *label
      = g_strndup (g_bytes_get_data (restoring->label, NULL), g_bytes_get_size (restoring->label));
  return user_check_passphrase (restore->user, restore->passphrase, error)
         && vault_make_vk (label, &restoring->vk, &restoring->certificate, error);
}

GBytes *
vault_restore_keys (GBytes *image, const VaultRestore *restore, guint64 *ret_keys, GError **error)
{
  g_auto (Restoring) restoring = { .restore = restore };

  *ret_keys = 0;
  if (restore->key == NULL)
    return g_bytes_ref (image);
  if (!begin (&restoring, image, error) || !open_all (&restoring, error))
    return NULL;
  restoring.to = key_file_new (error);
  if (restoring.to == NULL || !write_all (&restoring, error))
    return NULL;
  *ret_keys = restoring.rows->len;
  return key_file_serialize (restoring.to, error);
}
