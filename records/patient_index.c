#include "records/patient_index.h"
#include "records/draft.h"
#include "records/sealing.h"

#include <openssl/crypto.h>
#include <string.h>

#define KEY_INFO "nhipcau/1/patient-index"

typedef struct {
  guint8 bidx[PATIENT_INDEX_SIZE];
  char *consult;
} Entry;

static void
entry_clear (void *data)
{
  g_free (((Entry *)data)->consult);
}

static void
blind (const guint8 key[32], const char *identifier, guint8 ret_bidx[PATIENT_INDEX_SIZE])
{
  guint8 mac[32];
  sealing_mac (key, (const guint8 *)identifier, strlen (identifier), mac);
  memcpy (ret_bidx, mac, PATIENT_INDEX_SIZE);
}

static gboolean
derive (Store *store, guint8 ret_key[32], GError **error)
{
  g_autoptr (DataKey) key = store_row_key (store->vault, STORE_STATION, error);
  if (key == NULL)
    return FALSE;
  data_key_derive (key, KEY_INFO, ret_key);
  return TRUE;
}

/* ---- Writing ------------------------------------------------------------------------------ */

static void
add_entry (GArray *entries, const guint8 key[32], const char *consult, const char *identifier)
{
  Entry entry = { .consult = g_strdup (consult) };
  blind (key, identifier, entry.bidx);
  g_array_append_val (entries, entry);
}

static void
add_entries (GArray *entries, const guint8 key[32], const char *consult,
             const char *const *identifiers)
{
  g_autofree char *seen = g_strconcat ("c:", consult, NULL);
  add_entry (entries, key, consult, seen);
  for (guint i = 0; identifiers != NULL && identifiers[i] != NULL; i++)
    add_entry (entries, key, consult, identifiers[i]);
}

static gboolean
put_entry (sqlite3_stmt *put, const Entry *entry, GError **error)
{
  g_autoptr (GByteArray) parts = g_byte_array_new ();
  guint8 sum[32];
  sealing_add_part (parts, "patient_bidx", strlen ("patient_bidx"));
  sealing_add_part (parts, entry->bidx, sizeof entry->bidx);
  sealing_add_part (parts, entry->consult, strlen (entry->consult));
  store_sha256 (parts->data, parts->len, sum);
  store_db_bind_blob (put, 1, entry->bidx, sizeof entry->bidx);
  store_db_bind_text (put, 2, entry->consult);
  store_db_bind_blob (put, 3, sum, sizeof sum);
  return store_db_run (put, error);
}

static gboolean
run_put (StoreWrite *write, gpointer data, GError **error)
{
  const GArray *entries = data;
  g_autoptr (sqlite3_stmt) put = store_db_prepare (
      write->db, "INSERT OR IGNORE INTO patient_bidx(bidx, consult, sum) VALUES(?, ?, ?)", error);
  if (put == NULL)
    return FALSE;
  for (guint i = 0; i < entries->len; i++)
    if (!put_entry (put, &g_array_index (entries, Entry, i), error))
      return FALSE;
  return TRUE;
}

static void
put_done (gpointer data, const GError *error)
{
  if (error != NULL)
    g_warning ("patient index: an entry was not written: %s", error->message);
  g_array_unref (data);
}

static GArray *
entries_new (void)
{
  GArray *entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (entries, entry_clear);
  return entries;
}

gboolean
patient_index_put (Store *store, const char *consult, const char *const *identifiers,
                   GError **error)
{
  guint8 key[32];
  if (!store_writable (store, error) || !derive (store, key, error))
    return FALSE;
  GArray *entries = entries_new ();
  add_entries (entries, key, consult, identifiers);
  OPENSSL_cleanse (key, sizeof key);
  store_writer_push (store->writer, run_put, put_done, entries, FALSE);
  return TRUE;
}

gboolean
patient_index_put_all (Store *store, const GPtrArray *consults, const GPtrArray *lists,
                       GError **error)
{
  guint8 key[32];
  if (!store_writable (store, error) || !derive (store, key, error))
    return FALSE;
  g_autoptr (GArray) entries = entries_new ();
  for (guint i = 0; i < consults->len; i++)
    add_entries (entries, key, consults->pdata[i], lists->pdata[i]);
  OPENSSL_cleanse (key, sizeof key);
  return store_writer_call (store->writer, run_put, entries, error);
}

gboolean
patient_index_forget (StoreWrite *write, const char *consult, GError **error)
{
  g_autoptr (sqlite3_stmt) drop
      = store_db_prepare (write->db, "DELETE FROM patient_bidx WHERE consult = ?", error);
  if (drop == NULL)
    return FALSE;
  store_db_bind_text (drop, 1, consult);
  return store_db_run (drop, error);
}

/* ---- Reading ------------------------------------------------------------------------------ */

static GPtrArray *
collect (sqlite3 *db, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  int rc;
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (ids, g_strdup (store_db_text (statement, 0)));
  if (rc == SQLITE_DONE)
    return g_steal_pointer (&ids);
  store_db_fail (db, "read the patient index", error);
  return NULL;
}

GPtrArray *
patient_index_find (Store *store, const char *identifier, GError **error)
{
  guint8 key[32], bidx[PATIENT_INDEX_SIZE];
  if (!derive (store, key, error))
    return NULL;
  blind (key, identifier, bidx);
  OPENSSL_cleanse (key, sizeof key);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (store->reader, "SELECT consult FROM patient_bidx WHERE bidx = ?", error);
  if (statement == NULL)
    return NULL;
  store_db_bind_blob (statement, 1, bidx, sizeof bidx);
  return collect (store->reader, statement, error);
}

GPtrArray *
patient_index_missing (Store *store, guint limit, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      store->reader,
      "SELECT id FROM consult WHERE id NOT IN (SELECT consult FROM patient_bidx) LIMIT ?", error);
  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, limit);
  return collect (store->reader, statement, error);
}
