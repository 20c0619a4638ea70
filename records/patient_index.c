#include "records/patient_index.h"
#include "records/draft.h"
#include "records/sealing.h"

#include <openssl/crypto.h>
#include <string.h>

#define KEY_INFO "nhipcau/1/patient-index"
#define TAG_INFO "nhipcau/1/patient-index-tag"

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

void
patient_index_tag (DataKey *key, const guint8 bidx[PATIENT_INDEX_SIZE],
                   char ret_hex[2 * PATIENT_INDEX_TAG + 1])
{
  guint8 tag_key[32], mac[32];
  char hex[STORE_HEX];
  data_key_derive (key, TAG_INFO, tag_key);
  sealing_mac (tag_key, bidx, PATIENT_INDEX_SIZE, mac);
  OPENSSL_cleanse (tag_key, sizeof tag_key);
  store_hex (mac, hex);
  g_strlcpy (ret_hex, hex, 2 * PATIENT_INDEX_TAG + 1);
}

typedef struct {
  Vault *vault;
  GArray *entries;
} Putting;

/* NULL without error: it was shredded, and nothing of it is missed any more. */
static DataKey *
tag_key (Vault *vault, const char *consult, GError **error)
{
  g_autoptr (GError) local = NULL;
  DataKey *key = store_row_key (vault, consult, &local);
  if (key == NULL && !g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return key;
}

/* Entries of one consultation from `from` on; what is new is told in the log. ret_next: where the
 * next one's begin. */
static gboolean
put_consult (StoreWrite *write, const Putting *putting, sqlite3_stmt *put, guint from,
             guint *ret_next, GError **error)
{
  const char *consult = g_array_index (putting->entries, Entry, from).consult;
  g_autoptr (GString) tags = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  g_autoptr (DataKey) key = tag_key (putting->vault, consult, &local);
  guint i = from;

  for (; local == NULL && i < putting->entries->len; i++) {
    const Entry *entry = &g_array_index (putting->entries, Entry, i);
    char tag[2 * PATIENT_INDEX_TAG + 1];
    if (!g_str_equal (entry->consult, consult))
      break;
    if (!put_entry (put, entry, &local) || key == NULL || sqlite3_changes (write->db) == 0)
      continue;
    patient_index_tag (key, entry->bidx, tag);
    g_string_append_printf (tags, "%s%s", tags->len > 0 ? "," : "", tag);
  }
  *ret_next = i;
  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return tags->len == 0 || store_log_append (&write->log, error, "index %s %s", consult, tags->str);
}

static gboolean
run_put (StoreWrite *write, gpointer data, GError **error)
{
  const Putting *putting = data;
  g_autoptr (sqlite3_stmt) put = store_db_prepare (
      write->db, "INSERT OR IGNORE INTO patient_bidx(bidx, consult, sum) VALUES(?, ?, ?)", error);
  if (put == NULL)
    return FALSE;
  for (guint i = 0; i < putting->entries->len;)
    if (!put_consult (write, putting, put, i, &i, error))
      return FALSE;
  return TRUE;
}

static void
put_done (gpointer data, const GError *error)
{
  Putting *putting = data;
  if (error != NULL)
    g_warning ("patient index: an entry was not written: %s", error->message);
  g_array_unref (putting->entries);
  g_free (putting);
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
  Putting *putting = g_new0 (Putting, 1);
  putting->vault = store->vault;
  putting->entries = entries_new ();
  add_entries (putting->entries, key, consult, identifiers);
  OPENSSL_cleanse (key, sizeof key);
  store_writer_push (store->writer, run_put, put_done, putting, FALSE);
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
  Putting putting = { store->vault, entries };
  return store_writer_call (store->writer, run_put, &putting, error);
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

typedef struct {
  gint64 idx;
  char *consult;
} Hit;

static void
hit_clear (void *data)
{
  g_free (((Hit *)data)->consult);
}

static gint
newest_first (gconstpointer a, gconstpointer b)
{
  gint64 one = ((const Hit *)a)->idx, other = ((const Hit *)b)->idx;
  return (one < other) - (one > other);
}

static gboolean
add_hits (sqlite3_stmt *find, const guint8 bidx[PATIENT_INDEX_SIZE], GArray *hits, GError **error)
{
  int rc;
  store_db_bind_blob (find, 1, bidx, PATIENT_INDEX_SIZE);
  while ((rc = sqlite3_step (find)) == SQLITE_ROW) {
    Hit hit = { sqlite3_column_int64 (find, 0), g_strdup (store_db_text (find, 1)) };
    g_array_append_val (hits, hit);
  }
  sqlite3_reset (find);
  return rc == SQLITE_DONE
         || store_db_fail (sqlite3_db_handle (find), "read the patient index", error);
}

GPtrArray *
patient_index_find (Store *store, const char *const *identifiers, GError **error)
{
  guint8 key[32], bidx[PATIENT_INDEX_SIZE];
  g_autoptr (GArray) hits = g_array_new (FALSE, FALSE, sizeof (Hit));
  g_array_set_clear_func (hits, hit_clear);
  if (!derive (store, key, error))
    return NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) find
      = store_db_prepare (store->reader,
                          "SELECT idx, id FROM patient_bidx CROSS JOIN consult "
                          "ON id = patient_bidx.consult WHERE bidx = ?",
                          error);
  gboolean good = find != NULL;
  for (guint i = 0; good && identifiers[i] != NULL; i++) {
    blind (key, identifiers[i], bidx);
    good = add_hits (find, bidx, hits, error);
  }
  OPENSSL_cleanse (key, sizeof key);
  if (!good)
    return NULL;
  g_array_sort (hits, newest_first);
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < hits->len; i++) {
    const Hit *hit = &g_array_index (hits, Hit, i);
    if (i == 0 || hit->idx != g_array_index (hits, Hit, i - 1).idx)
      g_ptr_array_add (ids, g_strdup (hit->consult));
  }
  return ids;
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
