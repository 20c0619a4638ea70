#include "records/sealing.h"
#include "records/secure_memory.h"
#include "records/vault_cms.h"
#include "records/vault_private.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#define CONSULT_LONGEST 64
/* Boot wrap: version u8 = 1 | alg u8 = 1 (AES-256-GCM) | epoch u16 BE | nonce 12 | ct 32 | tag 16
 */
#define BOOT_HEAD 4
#define BOOT_VERSION 1
#define BOOT_ALG 1

static const char *const PURPOSES[] = { "clinical", "recording", "teaching", "station" };

const char *
purpose_name (Purpose purpose)
{
  return PURPOSES[purpose];
}

gboolean
purpose_parse (const char *name, Purpose *ret_purpose)
{
  for (guint i = 0; i < G_N_ELEMENTS (PURPOSES); i++)
    if (g_str_equal (PURPOSES[i], name)) {
      *ret_purpose = i;
      return TRUE;
    }
  return FALSE;
}

void
key_row_free (KeyRow *row)
{
  if (row == NULL)
    return;
  g_free (row->consult);
  g_clear_pointer (&row->commit, g_bytes_unref);
  g_clear_pointer (&row->vk_cms, g_bytes_unref);
  g_clear_pointer (&row->boot, g_bytes_unref);
  g_clear_pointer (&row->recovery_cms, g_bytes_unref);
  g_free (row);
}

KeyRow *
key_row_read (sqlite3_stmt *statement)
{
  g_autoptr (KeyRow) row = g_new0 (KeyRow, 1);
  gint64 epoch = sqlite3_column_int64 (statement, 2);

  row->consult = g_strdup (table_text (statement, 0));
  row->commit = table_blob (statement, 3);
  row->finished = sqlite3_column_int (statement, 4) != 0;
  row->vk_cms = table_blob (statement, 5);
  row->boot = table_blob (statement, 6);
  row->recovery_cms = table_blob (statement, 7);
  if (!purpose_parse (table_text (statement, 1), &row->purpose) || epoch < 0 || epoch > G_MAXUINT16
      || row->commit == NULL || g_bytes_get_size (row->commit) != 32 || row->vk_cms == NULL
      || row->recovery_cms == NULL)
    return NULL;
  row->epoch = (guint16)epoch;
  return g_steal_pointer (&row);
}

gboolean
key_row_write (sqlite3 *db, const KeyRow *row, const guint8 *mac_key, GError **error)
{
  const Value values[] = {
    VALUE_OF_TEXT (row->consult),     VALUE_OF_TEXT (purpose_name (row->purpose)),
    VALUE_OF_INTEGER (row->epoch),    VALUE_OF_BLOB (row->commit),
    VALUE_OF_INTEGER (row->finished), VALUE_OF_BLOB (row->vk_cms),
    VALUE_OF_BLOB (row->boot),        VALUE_OF_BLOB (row->recovery_cms),
  };
  return table_write (db, "consult_key", values, G_N_ELEMENTS (values), mac_key, error);
}

/* ---- Wraps -------------------------------------------------------------------------------- */

static GBytes *
boot_aad (const guint8 head[BOOT_HEAD], GBytes *vault_id, const char *consult, Purpose purpose,
          GBytes *commit)
{
  g_autoptr (GByteArray) aad = g_byte_array_new ();
  const char *name = purpose_name (purpose);

  sealing_add_part (aad, head, BOOT_HEAD);
  sealing_add_part (aad, "boot", 4);
  sealing_add_part (aad, g_bytes_get_data (vault_id, NULL), g_bytes_get_size (vault_id));
  sealing_add_part (aad, consult, strlen (consult));
  sealing_add_part (aad, name, strlen (name));
  sealing_add_part (aad, g_bytes_get_data (commit, NULL), g_bytes_get_size (commit));
  return g_byte_array_free_to_bytes (g_steal_pointer (&aad));
}

static GBytes *
boot_wrap (const KeyMaking *making, const KeyRow *row, const guint8 *dek, GError **error)
{
  const guint8 head[BOOT_HEAD] = { BOOT_VERSION, BOOT_ALG, row->epoch >> 8, row->epoch & 0xff };
  g_autoptr (GBytes) aad
      = boot_aad (head, making->vault_id, row->consult, row->purpose, row->commit);
  g_autoptr (GBytes) plain = secure_bytes_new (dek, DATA_KEY_SIZE);
  return sealing_seal (making->boot_key, head, sizeof head, aad, plain, error);
}

static DataKey *
boot_unwrap (const KeyRow *row, GBytes *vault_id, const guint8 *boot_key, GError **error)
{
  gsize size;
  const guint8 *head = g_bytes_get_data (row->boot, &size);

  if (size >= BOOT_HEAD && (head[0] != BOOT_VERSION || head[1] != BOOT_ALG)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "the boot wrap has format %u.%u, this program reads %d.%d", head[0], head[1],
                 BOOT_VERSION, BOOT_ALG);
    return NULL;
  }
  if (size != BOOT_HEAD + SEALING_OVERHEAD + DATA_KEY_SIZE) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the boot wrap has a wrong size");
    return NULL;
  }
  g_autoptr (GBytes) aad = boot_aad (head, vault_id, row->consult, row->purpose, row->commit);
  g_autoptr (GBytes) plain = sealing_open (boot_key, BOOT_HEAD, aad, row->boot, error);
  if (plain == NULL)
    return NULL;
  return data_key_new (g_bytes_get_data (plain, NULL), (guint16)(head[2] << 8 | head[3]));
}

static gboolean
wrap_for_recovery (const KeyMaking *making, KeyRow *row, const guint8 *dek, GError **error)
{
  const Escrow escrow = { making->label, row->consult, row->purpose, row->epoch };

  g_clear_pointer (&row->recovery_cms, g_bytes_unref);
  row->recovery_cms = cms_seal_key (making->recipients, &escrow, dek, error);
  return row->recovery_cms != NULL;
}

static gboolean
wrap_for_boot (const KeyMaking *making, KeyRow *row, const guint8 *dek, GError **error)
{
  g_clear_pointer (&row->boot, g_bytes_unref);
  if (making->boot_key == NULL)
    return TRUE;
  row->boot = boot_wrap (making, row, dek, error);
  return row->boot != NULL;
}

/* Every wrap of the key's bytes. */
static gboolean
wrap_all (const KeyMaking *making, KeyRow *row, const guint8 *dek, GError **error)
{
  const Escrow escrow = { making->label, row->consult, row->purpose, row->epoch };
  g_autoptr (GPtrArray) vk = g_ptr_array_new ();

  g_ptr_array_add (vk, making->vk_certificate);
  row->vk_cms = cms_seal_key (vk, &escrow, dek, error);
  return row->vk_cms != NULL && wrap_for_recovery (making, row, dek, error)
         && wrap_for_boot (making, row, dek, error);
}

KeyRow *
key_make (const KeyMaking *making, const char *consult, Purpose purpose, DataKey **ret_key,
          GError **error)
{
  g_autoptr (KeyRow) row = g_new0 (KeyRow, 1);
  guint8 *dek = secure_alloc (DATA_KEY_SIZE), commit[32];
  g_autoptr (DataKey) key = NULL;
  gboolean good = RAND_priv_bytes (dek, DATA_KEY_SIZE) == 1;

  row->consult = g_strdup (consult);
  row->purpose = purpose;
  row->epoch = KEY_EPOCH;
  if (good) {
    key = data_key_new (dek, row->epoch);
    data_key_commitment (key, commit);
    row->commit = g_bytes_new (commit, sizeof commit);
    good = wrap_all (making, row, dek, error);
  } else {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "no random numbers");
  }
  secure_free (dek, DATA_KEY_SIZE);
  if (!good)
    return NULL;
  *ret_key = g_steal_pointer (&key);
  return g_steal_pointer (&row);
}

/* GCM commits to no key: only the commitment says that this is the one. */
static gboolean
commitment_good (const KeyRow *row, DataKey *key)
{
  guint8 commit[32];
  data_key_commitment (key, commit);
  return data_key_epoch (key) == row->epoch
         && CRYPTO_memcmp (commit, g_bytes_get_data (row->commit, NULL), sizeof commit) == 0;
}

DataKey *
key_unwrap (const KeyRow *row, GBytes *vault_id, const guint8 *boot_key, EVP_PKEY *vk,
            X509 *vk_certificate, GError **error)
{
  g_autoptr (DataKey) key = NULL;
  g_autoptr (GError) local = NULL;

  if (boot_key != NULL && row->boot != NULL)
    key = boot_unwrap (row, vault_id, boot_key, &local);
  if (key == NULL && vk != NULL) {
    g_clear_error (&local);
    key = cms_open_key (row->vk_cms, vk, vk_certificate, row->consult, row->purpose, &local);
  }
  if (key == NULL && local == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED, "key %s/%s is locked: sign in",
                 row->consult, purpose_name (row->purpose));
    return NULL;
  }
  if (key == NULL || !commitment_good (row, key)) {
    gint code = local != NULL && local->code == RECORDS_ERROR_VERSION ? RECORDS_ERROR_VERSION
                                                                      : RECORDS_ERROR_TAMPERED;
    g_set_error (error, RECORDS_ERROR, code, "key %s/%s was changed: %s", row->consult,
                 purpose_name (row->purpose),
                 local != NULL ? local->message : "it does not fit its commitment");
    return NULL;
  }
  return g_steal_pointer (&key);
}

gboolean
key_rewrap (const KeyMaking *making, KeyRow *row, EVP_PKEY *vk, KeyWrap which, GError **error)
{
  g_autoptr (DataKey) key
      = key_unwrap (row, making->vault_id, NULL, vk, making->vk_certificate, error);
  guint16 epoch;
  guint8 *dek = key != NULL ? cms_open_dek (row->vk_cms, vk, making->vk_certificate, row->consult,
                                            row->purpose, &epoch, error)
                            : NULL;
  if (dek == NULL)
    return FALSE;
  gboolean good = which == WRAP_BOOT ? wrap_for_boot (making, row, dek, error)
                                     : wrap_for_recovery (making, row, dek, error);
  secure_free (dek, CMS_DEK_ROOM);
  return good;
}

/* ---- The cache ---------------------------------------------------------------------------- */

static char *
cache_name (const char *consult, Purpose purpose)
{
  return g_strdup_printf ("%s/%s", consult, purpose_name (purpose));
}

static void
cache_put (Vault *vault, const KeyRow *row, DataKey *key)
{
  CachedKey *cached = g_new (CachedKey, 1);
  cached->key = data_key_ref (key);
  cached->finished = row->finished;
  g_hash_table_replace (vault->cache, cache_name (row->consult, row->purpose), cached);
}

/* ---- Public ------------------------------------------------------------------------------- */

static gboolean
name_good (const char *consult, Purpose purpose, GError **error)
{
  gsize length = strlen (consult);
  gboolean good = length > 0 && length <= CONSULT_LONGEST && purpose <= PURPOSE_STATION
                  && g_str_equal (consult, STATION_CONSULT) == (purpose == PURPOSE_STATION);

  for (gsize i = 0; good && i < length; i++)
    good = g_ascii_isalnum (consult[i]) || consult[i] == '-';
  if (!good)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "“%s” with purpose %u names no key: letters, digits and dashes, at most %d",
                 consult, purpose, CONSULT_LONGEST);
  return good;
}

KeyRow *
vault_find_key (Vault *vault, const char *consult, Purpose purpose, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = table_prepare (
      vault->db, "SELECT * FROM consult_key WHERE consult = ? AND purpose = ?", error);
  if (statement == NULL)
    return NULL;
  sqlite3_bind_text (statement, 1, consult, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 2, purpose_name (purpose), -1, SQLITE_TRANSIENT);
  int step = sqlite3_step (statement);
  if (step == SQLITE_DONE) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no key %s/%s", consult,
                 purpose_name (purpose));
    return NULL;
  }
  if (step != SQLITE_ROW) {
    table_set_error (vault->db, "keys.db", error);
    return NULL;
  }
  KeyRow *row = NULL;
  if (table_sum_good ("consult_key", statement)
      && (vault->mac_key == NULL || table_mac_good ("consult_key", statement, vault->mac_key)))
    row = key_row_read (statement);
  if (row == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the row of key %s/%s was changed",
                 consult, purpose_name (purpose));
  return row;
}

DataKey *
vault_get_key (Vault *vault, const char *consult, Purpose purpose, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);

  if (!name_good (consult, purpose, error) || !vault_mend_copy (vault, error))
    return NULL;
  g_autofree char *name = cache_name (consult, purpose);
  CachedKey *cached = g_hash_table_lookup (vault->cache, name);
  if (cached != NULL)
    return data_key_ref (cached->key);
  g_autoptr (KeyRow) row = vault_find_key (vault, consult, purpose, error);
  if (row == NULL)
    return NULL;
  DataKey *key = key_unwrap (row, vault->id, vault->boot_key, vault->vk, vault->certificate, error);
  if (key != NULL)
    cache_put (vault, row, key);
  return key;
}

gboolean
vault_may_change (Vault *vault, GError **error)
{
  if (!vault_writable (vault, error))
    return FALSE;
  if (vault->mac_key != NULL)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED,
               "the vault is locked: sign in, or give the boot credential");
  return FALSE;
}

static gboolean
insert_key (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  *ret_keys = 1;
  return key_row_write (db, arg, vault->mac_key, error);
}

DataKey *
vault_create_key (Vault *vault, const char *consult, Purpose purpose, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  const KeyMaking making
      = { vault->label, vault->id, vault->certificate, vault->recipients, vault->boot_key };
  g_autoptr (GError) local = NULL;

  if (!name_good (consult, purpose, error) || !vault_may_change (vault, error))
    return NULL;
  if (!vault_some_confirmed (vault)) {
    if (!table_failed (vault->db, KEYS_MAIN, error))
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
                   "no recovery key has been confirmed yet: open a challenge and type its code");
    return NULL;
  }
  g_autoptr (KeyRow) there = vault_find_key (vault, consult, purpose, &local);
  if (g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_DISK)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  if (!g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS, "key %s/%s is there already", consult,
                 purpose_name (purpose));
    return NULL;
  }
  g_autoptr (DataKey) key = NULL;
  g_autoptr (KeyRow) row = key_make (&making, consult, purpose, &key, error);
  if (row == NULL || !vault_change (vault, insert_key, row, error))
    return NULL;
  cache_put (vault, row, key);
  return g_steal_pointer (&key);
}

static gboolean
finish_rows (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  const char *consult = arg;

  for (Purpose purpose = PURPOSE_CLINICAL; purpose < PURPOSE_STATION; purpose++) {
    g_autoptr (GError) local = NULL;
    g_autoptr (KeyRow) row = vault_find_key (vault, consult, purpose, &local);
    if (g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
      continue;
    if (row == NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    g_clear_pointer (&row->boot, g_bytes_unref);
    row->finished = TRUE;
    if (!key_row_write (db, row, vault->mac_key, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_key (Vault *vault, const char *consult)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (vault->db, "SELECT 1 FROM consult_key WHERE consult = ? LIMIT 1", NULL);
  if (row == NULL)
    return FALSE;
  sqlite3_bind_text (row, 1, consult, -1, SQLITE_TRANSIENT);
  return sqlite3_step (row) == SQLITE_ROW;
}

gboolean
vault_finish (Vault *vault, const char *consult, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);

  if (!name_good (consult, PURPOSE_CLINICAL, error) || !vault_may_change (vault, error))
    return FALSE;
  if (!has_key (vault, consult)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no key of %s", consult);
    return FALSE;
  }
  if (!vault_change (vault, finish_rows, (gpointer)consult, error))
    return FALSE;
  /* Closed at once when nobody is signed in; else with vault_lock(). */
  for (Purpose purpose = PURPOSE_CLINICAL; purpose < PURPOSE_STATION; purpose++) {
    g_autofree char *name = cache_name (consult, purpose);
    CachedKey *cached = g_hash_table_lookup (vault->cache, name);
    if (cached != NULL && vault->vk == NULL && !g_hash_table_contains (vault->held, name))
      g_hash_table_remove (vault->cache, name);
    else if (cached != NULL)
      cached->finished = TRUE;
  }
  return TRUE;
}

/* What is delivered: the record and its recording. */
static const Purpose held_purposes[] = { PURPOSE_CLINICAL, PURPOSE_RECORDING };

void
vault_hold (Vault *vault, const char *consult)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  for (guint i = 0; i < G_N_ELEMENTS (held_purposes); i++)
    g_hash_table_add (vault->held, cache_name (consult, held_purposes[i]));
}

void
vault_release (Vault *vault, const char *consult)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  for (guint i = 0; i < G_N_ELEMENTS (held_purposes); i++) {
    g_autofree char *name = cache_name (consult, held_purposes[i]);
    const CachedKey *cached = g_hash_table_lookup (vault->cache, name);
    g_hash_table_remove (vault->held, name);
    if (cached != NULL && cached->finished && vault->vk == NULL)
      g_hash_table_remove (vault->cache, name);
  }
}

typedef struct {
  const char *consult;
  Purpose purpose;
} KeyName;

static gboolean
delete_key (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  KeyName *name = arg;
  g_autoptr (sqlite3_stmt) statement
      = table_prepare (db, "DELETE FROM consult_key WHERE consult = ? AND purpose = ?", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_text (statement, 1, name->consult, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 2, purpose_name (name->purpose), -1, SQLITE_TRANSIENT);
  if (sqlite3_step (statement) != SQLITE_DONE) {
    table_set_error (db, "the key cannot be destroyed", error);
    return FALSE;
  }
  *ret_keys = -sqlite3_changes (db);
  return TRUE;
}

gboolean
vault_destroy_key (Vault *vault, const char *consult, Purpose purpose, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  KeyName key = { consult, purpose };
  g_autoptr (GError) local = NULL;

  if (!name_good (consult, purpose, error) || !vault_may_change (vault, error))
    return FALSE;
  if (purpose == PURPOSE_STATION) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "the station's own key cannot be destroyed");
    return FALSE;
  }
  /* A damaged row is destroyed as well; only one that is not there is an error. */
  g_autoptr (KeyRow) row = vault_find_key (vault, consult, purpose, &local);
  if (g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (!vault_change (vault, delete_key, &key, error))
    return FALSE;
  g_autofree char *name = cache_name (consult, purpose);
  g_hash_table_remove (vault->cache, name);
  return TRUE;
}
