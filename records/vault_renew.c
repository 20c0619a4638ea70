/* Wrapping all keys anew: to other recovery recipients, under another boot credential. What is to
 * be written is made before anything is changed; then it is one change of both files. */
#include "records/secure_memory.h"
#include "records/sealing.h"
#include "records/vault_private.h"

typedef struct {
  GPtrArray *rows;         /* KeyRow* with their new wraps */
  GPtrArray *certificates; /* X509*, the new recipients; NULL: they stay */
  GArray *places;          /* of each certificate */
} Renewal;

static void
renewal_clear (Renewal *renewal)
{
  g_clear_pointer (&renewal->rows, g_ptr_array_unref);
  g_clear_pointer (&renewal->places, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Renewal, renewal_clear)

static gboolean
vk_open (Vault *vault, GError **error)
{
  if (!vault_may_change (vault, error))
    return FALSE;
  if (vault->vk != NULL)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED,
               "only a passphrase opens every key: sign in first");
  return FALSE;
}

static gboolean
row_good (Vault *vault, sqlite3_stmt *statement, KeyRow *row, GError **error)
{
  if (row != NULL && table_sum_good ("consult_key", statement)
      && table_mac_good ("consult_key", statement, vault->mac_key))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "the row of key %s/%s was changed: put keys.db and keys-copy.db back from a backup",
               table_text (statement, 0), table_text (statement, 1));
  return FALSE;
}

/* Every key with one of its wraps made anew. */
static GPtrArray *
rewrap_all (Vault *vault, const KeyMaking *making, KeyWrap which, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)key_row_free);
  g_autoptr (sqlite3_stmt) statement
      = table_prepare (vault->db, "SELECT * FROM consult_key", error);
  int step = SQLITE_ERROR;

  while (statement != NULL && (step = sqlite3_step (statement)) == SQLITE_ROW) {
    g_autoptr (KeyRow) row = key_row_read (statement);
    if (!row_good (vault, statement, row, error))
      return NULL;
    KeyMaking wanted = *making;
    if (row->finished)
      wanted.boot_key = NULL; /* opens by sign-in and recovery only */
    if (!key_rewrap (&wanted, row, vault->vk, which, error))
      return NULL;
    g_ptr_array_add (rows, g_steal_pointer (&row));
  }
  if (step == SQLITE_DONE)
    return g_steal_pointer (&rows);
  if (statement != NULL)
    table_set_error (vault->db, "keys.db", error);
  return NULL;
}

static gboolean
write_rows (Vault *vault, sqlite3 *db, const Renewal *renewal, GError **error)
{
  for (guint i = 0; i < renewal->rows->len; i++)
    if (!key_row_write (db, renewal->rows->pdata[i], vault->mac_key, error))
      return FALSE;
  return TRUE;
}

/* ---- Recovery recipients ------------------------------------------------------------------- */

/* A recipient that stays keeps its place; a new one gets one behind all others. */
static GArray *
choose_places (Vault *vault, GPtrArray *certificates)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (guint));
  guint next = 0;

  for (guint i = 0; i < vault->places->len; i++)
    next = MAX (next, g_array_index (vault->places, guint, i) + 1);
  for (guint i = 0; i < certificates->len; i++) {
    guint at, place;
    if (recovery_is_among (certificates->pdata[i], vault->recipients, &at))
      place = g_array_index (vault->places, guint, at);
    else
      place = next++;
    g_array_append_val (places, place);
  }
  return places;
}

static gboolean
one_stays_confirmed (Vault *vault, const Renewal *renewal, GError **error)
{
  for (guint i = 0; i < renewal->places->len; i++)
    if (recovery_confirmed (vault->db, vault->id, g_array_index (renewal->places, guint, i)))
      return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL,
               "none of these recovery keys has been confirmed: add the new certificate, let its "
               "holder open the challenge, type the code, and only then remove the old one");
  return FALSE;
}

static gboolean
is_place_of (const Renewal *renewal, guint place)
{
  for (guint i = 0; i < renewal->places->len; i++)
    if (g_array_index (renewal->places, guint, i) == place)
      return TRUE;
  return FALSE;
}

static gboolean
delete_place (sqlite3 *db, guint place, GError **error)
{
  static const char *const STATEMENTS[]
      = { "DELETE FROM recipient WHERE idx = ?", "DELETE FROM answer WHERE idx = ?" };

  for (gsize i = 0; i < G_N_ELEMENTS (STATEMENTS); i++) {
    g_autoptr (sqlite3_stmt) statement = table_prepare (db, STATEMENTS[i], error);
    if (statement == NULL)
      return FALSE;
    sqlite3_bind_int64 (statement, 1, place);
    if (sqlite3_step (statement) != SQLITE_DONE) {
      table_set_error (db, "the recovery recipient cannot be removed", error);
      return FALSE;
    }
  }
  return TRUE;
}

/* The challenge of a new recipient, made once for both files. */
static gboolean
copy_recipient (Vault *vault, sqlite3 *from, sqlite3 *to, guint place, GError **error)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (from, "SELECT * FROM recipient WHERE idx = ?", error);
  if (row == NULL)
    return FALSE;
  sqlite3_bind_int64 (row, 1, place);
  if (sqlite3_step (row) != SQLITE_ROW) {
    table_set_error (from, "keys.db", error);
    return FALSE;
  }
  g_autoptr (GBytes) certificate = table_blob (row, 1), challenge = table_blob (row, 2),
                     code = table_blob (row, 3);
  const Value values[] = { VALUE_OF_INTEGER (place), VALUE_OF_BLOB (certificate),
                           VALUE_OF_BLOB (challenge), VALUE_OF_BLOB (code) };
  return table_write (to, "recipient", values, G_N_ELEMENTS (values), vault->mac_key, error);
}

static gboolean
write_recipients (Vault *vault, sqlite3 *db, const Renewal *renewal, GError **error)
{
  for (guint i = 0; i < vault->places->len; i++) {
    guint place = g_array_index (vault->places, guint, i);
    if (!is_place_of (renewal, place) && !delete_place (db, place, error))
      return FALSE;
  }
  for (guint i = 0; i < renewal->places->len; i++) {
    X509 *certificate = renewal->certificates->pdata[i];
    guint place = g_array_index (renewal->places, guint, i);
    if (recovery_is_among (certificate, vault->recipients, NULL))
      continue;
    if (db == vault->main ? !recovery_write (db, place, certificate, vault->label, vault->id,
                                             vault->mac_key, error)
                          : !copy_recipient (vault, vault->main, db, place, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_renewal (Vault *vault, sqlite3 *db, gpointer arg, int *ret_keys, GError **error)
{
  const Renewal *renewal = arg;
  return (renewal->certificates == NULL || write_recipients (vault, db, renewal, error))
         && write_rows (vault, db, renewal, error);
}

gboolean
vault_set_recovery (Vault *vault, GPtrArray *certificates, gboolean allow_single, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_auto (Renewal) renewal = { .certificates = certificates };

  if (!vk_open (vault, error)
      || !recovery_check (certificates, vault->recipients, allow_single, error))
    return FALSE;
  renewal.places = choose_places (vault, certificates);
  if (!one_stays_confirmed (vault, &renewal, error))
    return FALSE;
  const KeyMaking making = { vault->label, vault->id, vault->certificate, certificates, NULL };
  renewal.rows = rewrap_all (vault, &making, WRAP_RECOVERY, error);
  if (renewal.rows == NULL)
    return FALSE;
  /* Read back in any case: a failure may have come between the two files. */
  gboolean changed = vault_change (vault, write_renewal, &renewal, error);
  if (vault_load_recipients (vault) || !changed)
    return changed;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "keys.db: its recovery recipients cannot be read back");
  return FALSE;
}

/* ---- The boot credential --------------------------------------------------------------------- */

gboolean
vault_set_boot (Vault *vault, GBytes *boot, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vault->lock);
  g_auto (Renewal) renewal = { 0 };

  if (!vk_open (vault, error))
    return FALSE;
  guint8 *boot_key = boot != NULL ? vault_boot_key (vault->id, boot, error) : NULL;
  if (boot != NULL && boot_key == NULL)
    return FALSE;
  const KeyMaking making = { vault->label, vault->id, vault->certificate, NULL, boot_key };
  renewal.rows = rewrap_all (vault, &making, WRAP_BOOT, error);
  if (renewal.rows == NULL || !vault_change (vault, write_renewal, &renewal, error)) {
    secure_free (boot_key, SEALING_KEY);
    return FALSE;
  }
  secure_free (vault->boot_key, SEALING_KEY);
  vault->boot_key = boot_key;
  return TRUE;
}
