#include "records/erasure_private.h"
#include "records/attachment.h"
#include "records/attachment_file.h"
#include "records/draft.h"
#include "records/patient_index.h"
#include "records/segment_file.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define ROW "erasure"

static const char *const WHY[]
    = { "retention-over", "consent-withdrawn", "disk-full", "never-claimed" };

const char *
erasure_why_name (ErasureWhy why)
{
  return WHY[why];
}

gboolean
erasure_why_parse (const char *name, ErasureWhy *ret_why)
{
  for (guint i = 0; i < G_N_ELEMENTS (WHY); i++)
    if (g_str_equal (WHY[i], name)) {
      *ret_why = i;
      return TRUE;
    }
  return FALSE;
}

/* ---- What the log tells ------------------------------------------------------------------- */

gboolean
erasure_db_done (sqlite3 *db, const char *consult, Purpose purpose)
{
  g_autofree char *leaf = g_strdup_printf ("shred %s %s", consult, purpose_name (purpose));
  g_autoptr (sqlite3_stmt) find = store_db_prepare (
      db, "SELECT 1 FROM audit WHERE substr(what, 1, 4) <> 'rec ' AND what = ?", NULL);
  if (find == NULL)
    return FALSE;
  store_db_bind_text (find, 1, leaf);
  return sqlite3_step (find) == SQLITE_ROW;
}

gboolean
erasure_done (Store *store, const char *consult, Purpose purpose)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  return erasure_db_done (store->reader, consult, purpose);
}

static gboolean
is_being_recorded (Store *store, const char *consult)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) find = store_db_prepare (
      store->reader, "SELECT 1 FROM segment WHERE consult = ? AND state = 'open'", NULL);
  if (find == NULL)
    return TRUE;
  store_db_bind_text (find, 1, consult);
  return sqlite3_step (find) == SQLITE_ROW;
}

/* ---- The deed ----------------------------------------------------------------------------- */

typedef struct {
  Store *store;
  const ErasurePaper *paper;
  GPtrArray *keys;
  StoreRowContent row;
  json_t *bodies;
  gint64 seq;
} Deed;

static gboolean
log_file (StoreWrite *write, const ErasurePaper *paper, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (paper->file, &size);
  g_autofree char *name = erasure_paper_name (paper);
  guint8 hash[32];
  char hex[STORE_HEX];

  store_sha256 (data, size, hash);
  store_hex (hash, hex);
  return store_log_append (&write->log, error, "file %s %s", name, hex);
}

/* What is not under the key alone: whose consultation it was, and what was being typed. */
static gboolean
forget (StoreWrite *write, const VaultKeyRow *key, GError **error)
{
  return key->purpose != PURPOSE_CLINICAL
         || (patient_index_forget (write, key->consult, error)
             && draft_drop_all (write, key->consult, error));
}

static gboolean
run_deed (StoreWrite *write, gpointer data, GError **error)
{
  Deed *deed = data;

  if (!log_file (write, deed->paper, error))
    return FALSE;
  for (guint i = 0; i < deed->keys->len; i++) {
    const VaultKeyRow *key = deed->keys->pdata[i];
    if (!store_log_append (&write->log, error, "shred %s %s", key->consult,
                           purpose_name (key->purpose))
        || !forget (write, key, error))
      return FALSE;
  }
  return store_write_rows (write, deed->store->vault, &deed->row, deed->bodies, &deed->seq, error);
}

gboolean
erasure_deed (Store *store, const ErasurePaper *paper, GPtrArray *keys, const char *user,
              json_t *row, GError **error)
{
  Deed deed = { .store = store,
                .paper = paper,
                .keys = keys,
                .row = { .consult = STORE_STATION,
                         .kind = ROW,
                         .at = store_time_now (g_atomic_pointer_get (&store->trust)),
                         .user = user },
                .bodies = json_array () };
  g_autofree char *name = erasure_paper_name (paper);

  json_object_set_new (row, "certificate", json_string (name));
  json_array_append_new (deed.bodies, json_deep_copy (row));
  gboolean good = store_writer_call (store->writer, run_deed, &deed, error);
  json_decref (deed.bodies);
  for (guint i = 0; good && i < keys->len; i++) {
    const VaultKeyRow *key = keys->pdata[i];
    good = vault_destroy_key (store->vault, key->consult, key->purpose, error);
  }
  return good && erasure_remove_files (store, error)
         && (user == NULL || store_checkpoint (store, error));
}

static GPtrArray *
keys_to_destroy (Store *store, const Erasure *erasure, GError **error)
{
  g_autoptr (GPtrArray) all = vault_keys_of (store->vault, erasure->consult, error);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify)vault_key_row_free);

  for (guint i = all != NULL ? all->len : 0; i > 0; i--) {
    const VaultKeyRow *key = all->pdata[i - 1];
    if (erasure->purposes & 1u << key->purpose)
      g_ptr_array_add (keys, g_ptr_array_steal_index_fast (all, i - 1));
  }
  if (all != NULL && keys->len == 0)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "there is nothing to erase: consultation %s has no such key", erasure->consult);
  return all != NULL && keys->len > 0 ? g_steal_pointer (&keys) : NULL;
}

static gboolean
may_run (Store *store, const Erasure *erasure, GError **error)
{
  if (!store_writable (store, error))
    return FALSE;
  if (!store_consult_valid (erasure->consult) || g_str_equal (erasure->consult, STORE_STATION)
      || (erasure->purposes & 1u << PURPOSE_STATION)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "only consultations can be erased");
    return FALSE;
  }
  if ((erasure->purposes & 1u << PURPOSE_RECORDING)
      && is_being_recorded (store, erasure->consult)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "consultation %s is being recorded: pause the recording first", erasure->consult);
    return FALSE;
  }
  return TRUE;
}

gboolean
erasure_run (Store *store, Identity *signer, const Erasure *erasure, char **ret_certificate,
             GError **error)
{
  if (!may_run (store, erasure, error))
    return FALSE;
  g_autoptr (GPtrArray) keys = keys_to_destroy (store, erasure, error);
  g_autoptr (ErasurePaper) paper
      = keys != NULL ? erasure_paper_new (store, signer, erasure, keys, error) : NULL;
  if (paper == NULL)
    return FALSE;
  json_auto_t *row = json_pack ("{s:s, s:s, s:s*}", "consultation", erasure->consult, "why",
                                erasure_why_name (erasure->why), "reason", erasure->reason);
  if (!erasure_paper_write (store, paper, error)
      || !erasure_deed (store, paper, keys, erasure->user, row, error))
    return FALSE;
  if (ret_certificate != NULL)
    *ret_certificate = erasure_paper_name (paper);
  return TRUE;
}

/* ---- Files -------------------------------------------------------------------------------- */

/* One folder of segments or attachments whose key is gone. Attachments have a leaf of their own. */
static gboolean
remove_folder (Store *store, const char *above, const char *consult, gboolean logged,
               GError **error)
{
  g_autofree char *folder = g_build_filename (above, consult, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autofree char *id = logged && g_str_has_suffix (name, ATTACHMENT_SUFFIX)
                              ? g_strndup (name, strlen (name) - strlen (ATTACHMENT_SUFFIX))
                              : NULL;
    if (id != NULL && attachment_id_valid (id)) {
      if (!attachment_remove (store, consult, id, error))
        return FALSE;
    } else if (g_unlink (path) != 0 && errno != ENOENT) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", path, g_strerror (errno));
      return FALSE;
    }
  }
  g_rmdir (folder);
  return TRUE;
}

/* Ids of all consultations of which the log tells that this key was destroyed, in one reading. */
static GHashTable *
shredded (Store *store, Purpose purpose, GError **error)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *end = g_strdup_printf (" %s", purpose_name (purpose));
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) row
      = store_db_prepare (store->reader,
                          "SELECT substr(what, 7) FROM audit WHERE substr(what, 1, 4) <> 'rec ' "
                          "AND what >= 'shred ' AND what < 'shred!'",
                          error);
  int rc = SQLITE_ERROR;

  while (row != NULL && (rc = sqlite3_step (row)) == SQLITE_ROW) {
    const char *key = store_db_text (row, 0);
    if (g_str_has_suffix (key, end))
      g_hash_table_add (ids, g_strndup (key, strlen (key) - strlen (end)));
  }
  if (row != NULL && rc == SQLITE_DONE)
    return g_steal_pointer (&ids);
  if (row != NULL)
    store_db_fail (store->reader, "read the log", error);
  return NULL;
}

static gboolean
remove_of_purpose (Store *store, const char *name, Purpose purpose, GError **error)
{
  g_autofree char *above = g_build_filename (store->state_dir, name, NULL);
  g_autoptr (GDir) dir = g_dir_open (above, 0, NULL);
  g_autoptr (GHashTable) gone = dir != NULL ? shredded (store, purpose, error) : NULL;
  const char *consult;

  if (dir != NULL && gone == NULL)
    return FALSE;
  while (dir != NULL && (consult = g_dir_read_name (dir)) != NULL)
    if (store_consult_valid (consult) && g_hash_table_contains (gone, consult)
        && !remove_folder (store, above, consult, purpose == PURPOSE_CLINICAL, error))
      return FALSE;
  return TRUE;
}

gboolean
erasure_remove_files (Store *store, GError **error)
{
  return remove_of_purpose (store, "media", PURPOSE_RECORDING, error)
         && remove_of_purpose (store, ATTACHMENT_FOLDER, PURPOSE_CLINICAL, error);
}
