#include "records/draft.h"
#include "records/sealing.h"

#include <string.h>
#include <sys/uio.h>

static void
sum_of (const char *table, const struct iovec *columns, guint n, guint8 ret_sum[32])
{
  g_autoptr (GByteArray) parts = g_byte_array_new ();
  sealing_add_part (parts, table, strlen (table));
  for (guint i = 0; i < n; i++)
    sealing_add_part (parts, columns[i].iov_base, columns[i].iov_len);
  store_sha256 (parts->data, parts->len, ret_sum);
}

void
draft_sum (const char *table, sqlite3_stmt *row, guint columns, guint8 ret_sum[32])
{
  struct iovec values[8];
  g_assert (columns <= G_N_ELEMENTS (values));
  for (guint i = 0; i < columns; i++) {
    const void *data = sqlite3_column_blob (row, (int)i);
    values[i] = (struct iovec){ (void *)data, (gsize)sqlite3_column_bytes (row, (int)i) };
  }
  sum_of (table, values, columns, ret_sum);
}

/* ---- Sealing ------------------------------------------------------------------------------ */

static RowBinding
binding_of (const char *consult, const char *note)
{
  return (RowBinding){ .table = "draft", .consult = consult, .kind = note, .schema = 1 };
}

static GBytes *
seal (DataKey *key, const char *consult, const char *note, json_t *content, GError **error)
{
  const RowBinding binding = binding_of (consult, note);
  char *text = json_dumps (content, JSON_COMPACT);
  if (text == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "a draft cannot be written as JSON");
    return NULL;
  }
  g_autoptr (GBytes) plain = g_bytes_new_with_free_func (text, strlen (text), free, text);
  return data_key_seal_row (key, &binding, plain, error);
}

StoreDraft *
draft_open (DataKey *key, const char *consult, const char *note, GBytes *sealed, GError **error)
{
  const RowBinding binding = binding_of (consult, note);
  g_autoptr (GBytes) plain = data_key_open_row (key, &binding, sealed, error);
  if (plain == NULL)
    return NULL;
  gsize size;
  const char *text = g_bytes_get_data (plain, &size);
  json_t *content = json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL);
  json_t *body = json_object_get (content, "body");
  StoreDraft *draft = NULL;
  if (json_is_object (body)) {
    draft = g_new0 (StoreDraft, 1);
    draft->note = g_strdup (note);
    draft->user = g_strdup (json_string_value (json_object_get (content, "user")));
    draft->utc_us = json_integer_value (json_object_get (content, "utc_us"));
    draft->body = json_incref (body);
  } else
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "a draft of consultation %s was written by another program", consult);
  json_decref (content);
  return draft;
}

void
draft_free (StoreDraft *draft)
{
  g_free (draft->note);
  g_free (draft->user);
  json_decref (draft->body);
  g_free (draft);
}

/* ---- Writing ------------------------------------------------------------------------------ */

gboolean
draft_write (StoreWrite *write, Vault *vault, const char *consult, const char *note,
             const char *user, gint64 utc_us, json_t *body, GError **error)
{
  g_autoptr (DataKey) key = store_row_key (vault, consult, error);
  json_auto_t *content
      = json_pack ("{s:O, s:s?, s:I}", "body", body, "user", user, "utc_us", (json_int_t)utc_us);
  g_autoptr (GBytes) sealed = key != NULL ? seal (key, consult, note, content, error) : NULL;
  if (sealed == NULL)
    return FALSE;
  gsize size;
  gconstpointer data = g_bytes_get_data (sealed, &size);
  const struct iovec columns[] = { { (void *)consult, strlen (consult) },
                                   { (void *)note, strlen (note) },
                                   { (void *)data, size } };
  guint8 sum[32];
  sum_of ("draft", columns, G_N_ELEMENTS (columns), sum);
  g_autoptr (sqlite3_stmt) put = store_db_prepare (
      write->db, "INSERT OR REPLACE INTO draft(consult, note, sealed, sum) VALUES(?, ?, ?, ?)",
      error);
  if (put == NULL)
    return FALSE;
  store_db_bind_text (put, 1, consult);
  store_db_bind_text (put, 2, note);
  store_db_bind_blob (put, 3, data, size);
  store_db_bind_blob (put, 4, sum, sizeof sum);
  return store_db_run (put, error);
}

gboolean
draft_drop_all (StoreWrite *write, const char *consult, GError **error)
{
  g_autoptr (sqlite3_stmt) drop
      = store_db_prepare (write->db, "DELETE FROM draft WHERE consult = ?", error);
  if (drop == NULL)
    return FALSE;
  store_db_bind_text (drop, 1, consult);
  return store_db_run (drop, error);
}

gboolean
draft_drop (StoreWrite *write, const char *consult, const char *note, GError **error)
{
  g_autoptr (sqlite3_stmt) drop
      = store_db_prepare (write->db, "DELETE FROM draft WHERE consult = ? AND note = ?", error);
  if (drop == NULL)
    return FALSE;
  store_db_bind_text (drop, 1, consult);
  store_db_bind_text (drop, 2, note);
  return store_db_run (drop, error);
}

/* ---- Reading ------------------------------------------------------------------------------ */

static GPtrArray *
read_all (sqlite3 *db, DataKey *key, const char *consult, GError **error)
{
  g_autoptr (GPtrArray) drafts = g_ptr_array_new_with_free_func ((GDestroyNotify)draft_free);
  g_autoptr (sqlite3_stmt) select = store_db_prepare (
      db, "SELECT note, sealed FROM draft WHERE consult = ? ORDER BY note", error);
  int rc;
  if (select == NULL)
    return NULL;
  store_db_bind_text (select, 1, consult);
  while ((rc = sqlite3_step (select)) == SQLITE_ROW) {
    g_autoptr (GBytes) sealed = store_db_blob (select, 1);
    g_autoptr (GError) damaged = NULL;
    StoreDraft *draft = draft_open (key, consult, store_db_text (select, 0), sealed, &damaged);
    if (draft != NULL)
      g_ptr_array_add (drafts, draft);
    else
      g_message ("store: a draft is left out: %s", damaged->message);
  }
  if (rc != SQLITE_DONE) {
    store_db_fail (db, "read drafts", error);
    return NULL;
  }
  return g_steal_pointer (&drafts);
}

GPtrArray *
store_read_drafts (Store *store, const char *consult, GError **error)
{
  g_autoptr (DataKey) key = store_row_key (store->vault, consult, error);
  if (key == NULL)
    return NULL;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  return read_all (store->reader, key, consult, error);
}

typedef struct {
  Vault *vault;
  const char *consult, *trust;
} SaveAll;

static gboolean
run_save_all (StoreWrite *write, gpointer data, GError **error)
{
  const SaveAll *save = data;
  g_autoptr (DataKey) key = store_row_key (save->vault, save->consult, error);
  g_autoptr (GPtrArray) drafts
      = key != NULL ? read_all (write->db, key, save->consult, error) : NULL;
  if (drafts == NULL)
    return FALSE;
  for (guint i = 0; i < drafts->len; i++) {
    const StoreDraft *draft = drafts->pdata[i];
    const StoreRowContent row = { .consult = save->consult,
                                  .kind = "note",
                                  .at = store_time_now (save->trust),
                                  .user = draft->user };
    json_auto_t *bodies = json_pack ("[O]", draft->body);
    gint64 seq;
    if (!store_write_rows (write, save->vault, &row, bodies, &seq, error)
        || !draft_drop (write, save->consult, draft->note, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
store_save_drafts (Store *store, const char *consult, GError **error)
{
  SaveAll save = { store->vault, consult, g_atomic_pointer_get (&store->trust) };
  return store_writable (store, error)
         && store_writer_call (store->writer, run_save_all, &save, error);
}
