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
    draft->log = json_integer_value (json_object_get (content, "log"));
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

/* ---- Names -------------------------------------------------------------------------------- */

/* [A-Za-z0-9_-]{1,64}: a word of the log. */
static gboolean
note_valid (const char *note)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  gsize size = strlen (note);
  return size > 0 && size <= 64 && strspn (note, allowed) == size;
}

static gboolean
is_there (sqlite3 *db, const char *consult, const char *note, gboolean *ret_there, GError **error)
{
  g_autoptr (sqlite3_stmt) find
      = store_db_prepare (db, "SELECT 1 FROM draft WHERE consult = ? AND note = ?", error);
  if (find == NULL)
    return FALSE;
  store_db_bind_text (find, 1, consult);
  store_db_bind_text (find, 2, note);
  int rc = sqlite3_step (find);
  *ret_there = rc == SQLITE_ROW;
  return rc == SQLITE_ROW || rc == SQLITE_DONE || store_db_fail (db, "find a draft", error);
}

/* ---- In the log --------------------------------------------------------------------------- */

/* A leaf for each time that somebody pauses would swell the log, so one tells of what was typed at
 * most so often; what was written last is told with the next checkpoint. A draft says itself how
 * long the log was when it was written, so one of before its newest leaf is known. */
#define TELL_US (5 * G_USEC_PER_SEC)

typedef struct {
  gint64 told_us;
  gboolean is_newer; /* than what was told */
} Told;

static gboolean
append_leaf (StoreWrite *write, const char *name, GBytes *sealed, GError **error)
{
  guint8 hash[32];
  char hex[STORE_HEX];
  store_sha256 (g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed), hash);
  store_hex (hash, hex);
  return store_log_append (&write->log, error, "draft %s %s", name, hex);
}

static gboolean
tell (StoreWrite *write, const char *consult, const char *note, GBytes *sealed, gboolean is_first,
      GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s %s", consult, note);
  gint64 now_us = g_get_monotonic_time ();
  if (write->drafts == NULL)
    write->drafts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Told *told = g_hash_table_lookup (write->drafts, name);
  if (told != NULL && !is_first && now_us - told->told_us < TELL_US) {
    told->is_newer = TRUE;
    return TRUE;
  }
  if (!append_leaf (write, name, sealed, error))
    return FALSE;
  told = g_new0 (Told, 1);
  told->told_us = now_us;
  g_hash_table_insert (write->drafts, g_steal_pointer (&name), told);
  return TRUE;
}

static gboolean
tell_newest (StoreWrite *write, const char *name, GError **error)
{
  g_auto (GStrv) words = g_strsplit (name, " ", 2);
  g_autoptr (sqlite3_stmt) find = store_db_prepare (
      write->db, "SELECT sealed FROM draft WHERE consult = ? AND note = ?", error);
  if (find == NULL)
    return FALSE;
  store_db_bind_text (find, 1, words[0]);
  store_db_bind_text (find, 2, words[1]);
  int rc = sqlite3_step (find);
  if (rc == SQLITE_DONE)
    return TRUE; /* it went with its consultation */
  if (rc != SQLITE_ROW)
    return store_db_fail (write->db, "read a draft", error);
  g_autoptr (GBytes) sealed = store_db_blob (find, 0);
  return append_leaf (write, name, sealed, error);
}

gboolean
draft_tell_all (StoreWrite *write, GError **error)
{
  GHashTableIter iter;
  gpointer name, value;
  if (write->drafts == NULL)
    return TRUE;
  g_hash_table_iter_init (&iter, write->drafts);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    if (((Told *)value)->is_newer && !tell_newest (write, name, error))
      return FALSE;
    g_hash_table_iter_remove (&iter);
  }
  return TRUE;
}

/* ---- Writing ------------------------------------------------------------------------------ */

gboolean
draft_write (StoreWrite *write, Vault *vault, const char *consult, const char *note,
             const char *user, gint64 utc_us, json_t *body, GError **error)
{
  if (!store_consult_valid (consult) || !note_valid (note)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "no draft can be kept under consultation \"%s\" and note \"%s\"", consult, note);
    return FALSE;
  }
  g_autoptr (DataKey) key = store_row_key (vault, consult, error);
  json_auto_t *content
      = json_pack ("{s:O, s:s?, s:I, s:I}", "body", body, "user", user, "utc_us",
                   (json_int_t)utc_us, "log", (json_int_t)store_log_next (&write->log));
  g_autoptr (GBytes) sealed = key != NULL ? seal (key, consult, note, content, error) : NULL;
  if (sealed == NULL)
    return FALSE;
  gsize size;
  gconstpointer data = g_bytes_get_data (sealed, &size);
  const struct iovec columns[] = { { (void *)consult, strlen (consult) },
                                   { (void *)note, strlen (note) },
                                   { (void *)data, size } };
  guint8 sum[32];
  gboolean there;
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
  return is_there (write->db, consult, note, &there, error) && store_db_run (put, error)
         && tell (write, consult, note, sealed, !there, error);
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
  g_autofree char *name = g_strdup_printf ("%s %s", consult, note);
  if (write->drafts != NULL)
    g_hash_table_remove (write->drafts, name);
  return store_db_run (drop, error)
         && (sqlite3_changes (write->db) == 0
             || store_log_append (&write->log, error, "undraft %s %s", consult, note));
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
