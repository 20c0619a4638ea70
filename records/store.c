#include "records/store_private.h"
#include "records/draft.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* ---- Opening and closing ------------------------------------------------------------------ */

static Store *
store_new (const char *state_dir, Vault *vault, StoreMode mode)
{
  Store *store = g_new0 (Store, 1);
  store->state_dir = g_strdup (state_dir);
  store->vault = vault;
  store->mode = mode;
  store->lock_fd = -1;
  store->trust = (gpointer) "none";
  g_mutex_init (&store->reader_lock);
  g_mutex_init (&store->repair_lock);
  g_mutex_init (&store->segments_lock);
  g_mutex_init (&store->attachments_lock);
  return store;
}

static void
count_clinical (const char *consult, Purpose purpose, void *arg)
{
  *(guint *)arg += purpose == PURPOSE_CLINICAL;
}

/* A fresh database beside keys of consultations would hide that the old one is gone; SQLite would
 * begin one in an empty file too, and throw away the WAL beside it. */
static gboolean
check_not_lost (Store *store, GError **error)
{
  g_autofree char *path = g_build_filename (store->state_dir, STORE_DB_NAME, NULL);
  guint lost = 0;
  GStatBuf status;

  if (g_stat (path, &status) == 0 && status.st_size > 0)
    return TRUE;
  if (!vault_each_name (store->vault, count_clinical, &lost, error))
    return FALSE;
  if (lost == 0)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "%s is gone or empty, though keys of %u consultations are there: bring it back from "
               "a backup",
               path, lost);
  return FALSE;
}

/* The pid stays in the lock file of a station that was killed. (transfer full), NULL: none */
static char *
killed_pid (const char *state_dir)
{
  g_autofree char *path = g_build_filename (state_dir, "lock", NULL);
  char *pid = NULL;

  if (!g_file_get_contents (path, &pid, NULL, NULL) || pid[0] == '\0')
    g_clear_pointer (&pid, g_free);
  return pid != NULL ? g_strchomp (pid) : NULL;
}

static gboolean
open_writer (Store *store, Identity *signer, GError **error)
{
  g_autofree char *pid = killed_pid (store->state_dir);
  guint64 wal_bytes;

  store->lock_fd = store_lock_take (store->state_dir, error);
  if (store->lock_fd < 0 || !check_not_lost (store, error))
    return FALSE;
  sqlite3 *db = store_db_open_writer (store->state_dir, &wal_bytes, error);
  if (db == NULL)
    return FALSE;
  store->writer = store_writer_new (store->state_dir, db, signer, error);
  if (store->writer == NULL)
    return FALSE;
  store->reader = store_db_open_reader (store->state_dir, TRUE, error);
  return store->reader != NULL && store_repair_prepare (store, pid, wal_bytes, error);
}

Store *
store_open (const char *state_dir, Vault *vault, Identity *signer, StoreMode mode, GError **error)
{
  g_autoptr (Store) store = store_new (state_dir, vault, mode);

  if (mode == STORE_READ_ONLY) {
    store->reader = store_db_open_reader (state_dir, store_lock_held (state_dir), error);
    return store->reader != NULL ? g_steal_pointer (&store) : NULL;
  }
  if (!open_writer (store, signer, error))
    return NULL;
  g_autoptr (GError) later = NULL;
  if (!store_repair (store, &later))
    g_warning ("store: %s", later->message);
  return g_steal_pointer (&store);
}

void
store_free (Store *store)
{
  if (store == NULL)
    return;
  if (store->attachments != NULL)
    g_thread_pool_free (store->attachments, FALSE, TRUE);
  g_clear_pointer (&store->segments, segment_writer_free);
  g_clear_pointer (&store->cache, segment_cache_free);
  /* The reader first: the last connection to close removes the WAL, and must be the writer. */
  g_clear_pointer (&store->reader, sqlite3_close_v2);
  g_clear_pointer (&store->writer, store_writer_free);
  if (store->lock_fd >= 0) {
    if (ftruncate (store->lock_fd, 0) != 0)
      g_warning ("store: the lock file cannot be emptied");
    close (store->lock_fd);
  }
  json_decref (store->recovered);
  g_clear_pointer (&store->torn, g_ptr_array_unref);
  g_mutex_clear (&store->reader_lock);
  g_mutex_clear (&store->repair_lock);
  g_mutex_clear (&store->segments_lock);
  g_mutex_clear (&store->attachments_lock);
  g_free (store->state_dir);
  g_free (store);
}

Vault *
store_vault (Store *store)
{
  return store->vault;
}

gboolean
store_is_running (const char *state_dir)
{
  return store_lock_held (state_dir);
}

void
store_set_clock_trust (Store *store, const char *trust)
{
  g_atomic_pointer_set (&store->trust, (gpointer)g_intern_string (trust));
}

gboolean
store_writable (Store *store, GError **error)
{
  if (store->writer != NULL)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "the store was opened for reading only");
  return FALSE;
}

/* ---- Rows --------------------------------------------------------------------------------- */

static gboolean
newest_seq (StoreWrite *write, const char *consult, const char *kind, gint64 *ret_seq,
            GError **error)
{
  store_db_bind_text (write->newest_seq, 1, consult);
  store_db_bind_text (write->newest_seq, 2, kind);
  gboolean ok = sqlite3_step (write->newest_seq) == SQLITE_ROW;
  if (ok)
    *ret_seq = sqlite3_column_int64 (write->newest_seq, 0);
  else
    store_db_fail (write->db, "find the newest row", error);
  sqlite3_reset (write->newest_seq);
  return ok;
}

static gboolean
insert_row (StoreWrite *write, const StoreRowContent *row, GBytes *sealed, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (sealed, &size);
  guint8 hash[32];
  char hex[STORE_HEX];
  sqlite3_stmt *insert = write->insert_rec;

  sqlite3_bind_int64 (insert, 1, (gint64)store_log_next (&write->log));
  store_db_bind_text (insert, 2, row->consult);
  store_db_bind_text (insert, 3, row->kind);
  sqlite3_bind_int64 (insert, 4, row->seq);
  sqlite3_bind_int64 (insert, 5, STORE_ROW_SCHEMA);
  store_db_bind_blob (insert, 6, data, size);
  if (!store_db_run (insert, error))
    return FALSE;
  store_sha256 (data, size, hash);
  store_hex (hash, hex);
  return store_log_append (&write->log, error, "rec %s %s %" G_GINT64_FORMAT " %d %s", row->consult,
                           row->kind, row->seq, STORE_ROW_SCHEMA, hex);
}

gboolean
store_write_rows (StoreWrite *write, Vault *vault, const StoreRowContent *content, json_t *bodies,
                  gint64 *ret_seq, GError **error)
{
  StoreRowContent row = *content;
  g_autoptr (DataKey) key = store_row_key (vault, row.consult, error);

  if (key == NULL || !newest_seq (write, row.consult, row.kind, &row.seq, error))
    return FALSE;
  row.log = &write->log.merkle;
  for (gsize i = 0; i < json_array_size (bodies); i++) {
    row.seq++;
    row.body = json_array_get (bodies, i);
    g_autoptr (GBytes) sealed = store_row_seal (key, &row, error);
    if (sealed == NULL || !insert_row (write, &row, sealed, error))
      return FALSE;
  }
  *ret_seq = row.seq;
  return TRUE;
}

typedef struct {
  Vault *vault;
  char *consult, *kind, *user;
  char *note; /* whose draft is written, or goes; NULL: none */
  StoreTime at;
  json_t *bodies;
  gint64 seq;
  StoreDone done;
  void *arg;
  GMainContext *context;
  GError *error;
} Put;

static void
put_free (gpointer data)
{
  Put *put = data;
  g_free (put->consult);
  g_free (put->kind);
  g_free (put->user);
  g_free (put->note);
  json_decref (put->bodies);
  g_clear_pointer (&put->context, g_main_context_unref);
  g_clear_error (&put->error);
  g_free (put);
}

/* bodies: taken over; nobody else may hold a reference, since it goes to another thread. */
static Put *
put_new (Store *store, const char *consult, const char *kind, const char *user, json_t *bodies)
{
  Put *put = g_new0 (Put, 1);
  put->vault = store->vault;
  put->consult = g_strdup (consult);
  put->kind = g_strdup (kind);
  put->user = g_strdup (user);
  put->at = store_time_now (g_atomic_pointer_get (&store->trust));
  put->bodies = bodies;
  return put;
}

static json_t *
array_of_copy (json_t *body)
{
  json_t *bodies = json_array ();
  json_array_append_new (bodies, json_deep_copy (body));
  return bodies;
}

static gboolean
run_put (StoreWrite *write, gpointer data, GError **error)
{
  Put *put = data;
  const StoreRowContent row
      = { .consult = put->consult, .kind = put->kind, .at = put->at, .user = put->user };

  if (!store_consult_valid (put->consult) || !store_kind_valid (put->kind)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "no row can be kept under consultation \"%s\" and kind \"%s\"", put->consult,
                 put->kind);
    return FALSE;
  }
  return store_write_rows (write, put->vault, &row, put->bodies, &put->seq, error)
         && (put->note == NULL || draft_drop (write, put->consult, put->note, error));
}

static gboolean
run_draft (StoreWrite *write, gpointer data, GError **error)
{
  const Put *put = data;
  return draft_write (write, put->vault, put->consult, put->note, put->user, put->at.utc_us,
                      json_array_get (put->bodies, 0), error);
}

static gboolean
deliver (gpointer data)
{
  Put *put = data;
  put->done (put->seq, put->error, put->arg);
  return G_SOURCE_REMOVE;
}

static void
finish_put (gpointer data, const GError *error)
{
  Put *put = data;

  if (put->done == NULL) {
    put_free (put);
    return;
  }
  put->error = error != NULL ? g_error_copy (error) : NULL;
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver, put, put_free);
  g_source_attach (source, put->context);
}

static void
push (Store *store, Put *put, StoreJobRun run, StoreDone done, void *arg)
{
  g_autoptr (GError) error = NULL;

  put->done = done;
  put->arg = arg;
  put->context = g_main_context_ref_thread_default ();
  if (store_writable (store, &error))
    store_writer_push (store->writer, run, finish_put, put, done != NULL);
  else
    finish_put (put, error);
}

void
store_put (Store *store, const char *consult, const char *kind, const char *user, json_t *body,
           StoreDone done, void *arg)
{
  push (store, put_new (store, consult, kind, user, array_of_copy (body)), run_put, done, arg);
}

void
store_put_saved (Store *store, const char *consult, const char *kind, const char *user,
                 json_t *body, const char *note, StoreDone done, void *arg)
{
  Put *put = put_new (store, consult, kind, user, array_of_copy (body));
  put->note = g_strdup (note);
  push (store, put, run_put, done, arg);
}

void
store_put_draft (Store *store, const char *consult, const char *note, const char *user,
                 json_t *body, StoreDone done, void *arg)
{
  Put *put = put_new (store, consult, "draft", user, array_of_copy (body));
  put->note = g_strdup (note);
  push (store, put, run_draft, done, arg);
}

void
store_put_many (Store *store, const char *consult, const char *kind, const char *user,
                json_t *bodies, StoreDone done, void *arg)
{
  push (store, put_new (store, consult, kind, user, json_deep_copy (bodies)), run_put, done, arg);
}

gboolean
store_put_sync (Store *store, const char *consult, const char *kind, const char *user, json_t *body,
                gint64 *ret_seq, GError **error)
{
  if (!store_writable (store, error))
    return FALSE;
  Put *put = put_new (store, consult, kind, user, array_of_copy (body));
  gboolean ok = store_writer_call (store->writer, run_put, put, error);
  if (ok && ret_seq != NULL)
    *ret_seq = put->seq;
  put_free (put);
  return ok;
}

/* ---- Consultations and keys --------------------------------------------------------------- */

gboolean
store_write_key (StoreWrite *write, const VaultKeyRow *key, GError **error)
{
  char commit[STORE_HEX], cms[STORE_HEX];
  g_autoptr (GError) local = NULL;
  g_autofree char *words = g_strdup_printf ("key %s %s", key->consult, purpose_name (key->purpose));
  g_autofree char *before = store_log_find (write->db, words, &local);

  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (before != NULL)
    return TRUE;
  store_hex (g_bytes_get_data (key->commit, NULL), commit);
  store_hex (g_bytes_get_data (key->recovery_sha256, NULL), cms);
  return store_log_append (&write->log, error, "%s %u %s %s", words, key->epoch, commit, cms);
}

typedef struct {
  Put *put;
  VaultKeyRow *key;
  char *day;
} Create;

static gboolean
run_create (StoreWrite *write, gpointer data, GError **error)
{
  Create *create = data;
  Put *put = create->put;
  g_autoptr (sqlite3_stmt) insert = store_db_prepare (
      write->db, "INSERT INTO consult(idx, id, created_day) VALUES(?, ?, ?)", error);

  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)store_log_next (&write->log));
  store_db_bind_text (insert, 2, put->consult);
  store_db_bind_text (insert, 3, create->day);
  return store_db_run (insert, error)
         && store_log_append (&write->log, error, "consult %s %s", put->consult, create->day)
         && store_write_key (write, create->key, error) && run_put (write, put, error);
}

char *
store_create_consult (Store *store, const char *user, json_t *body, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *id = store_uuid_new ();

  if (!store_writable (store, error))
    return NULL;
  g_autoptr (DataKey) key = vault_create_key (store->vault, id, PURPOSE_CLINICAL, error);
  if (key == NULL)
    return NULL;
  Create create = { .key = vault_key_row (store->vault, id, PURPOSE_CLINICAL, error) };
  if (create.key == NULL)
    return NULL;
  create.day = g_date_time_format (now, "%Y-%m-%d");
  create.put = put_new (store, id, "consultation", user, array_of_copy (body));
  gboolean ok = store_writer_call (store->writer, run_create, &create, error);
  put_free (create.put);
  vault_key_row_free (create.key);
  g_free (create.day);
  return ok ? g_steal_pointer (&id) : NULL;
}

static gboolean
run_shred (StoreWrite *write, gpointer words, GError **error)
{
  return store_log_append (&write->log, error, "shred %s", (const char *)words);
}

gboolean
store_destroy_key (Store *store, const char *consult, Purpose purpose, GError **error)
{
  g_autofree char *words = g_strdup_printf ("%s %s", consult, purpose_name (purpose));

  return store_writable (store, error) && store_writer_call (store->writer, run_shred, words, error)
         && vault_destroy_key (store->vault, consult, purpose, error);
}

gboolean
store_checkpoint (Store *store, GError **error)
{
  return store_writable (store, error) && store_writer_checkpoint (store->writer, error);
}

/* ---- Registered files --------------------------------------------------------------------- */

static gboolean
path_valid (const char *path)
{
  static const char allowed[]
      = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
  gsize size = strlen (path);
  return size > 0 && size <= 255 && strspn (path, allowed) == size && path[0] != '/'
         && strstr (path, "..") == NULL;
}

static gboolean
run_register (StoreWrite *write, gpointer data, GError **error)
{
  const char *const *words = data; /* "file PATH", "file PATH SHA256" */
  g_autoptr (GError) local = NULL;
  g_autofree char *before = store_log_find (write->db, words[0], &local);

  if (local != NULL) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  return g_strcmp0 (before, words[1]) == 0 || store_log_append (&write->log, error, "%s", words[1]);
}

gboolean
store_register_file (Store *store, const char *relative_path, GError **error)
{
  g_autofree char *path = g_build_filename (store->state_dir, relative_path, NULL);
  g_autofree char *content = NULL;
  gsize size;
  guint8 hash[32];
  char hex[STORE_HEX];

  if (!store_writable (store, error))
    return FALSE;
  if (!path_valid (relative_path)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
                 "\"%s\" cannot be registered: its name may have A-Z a-z 0-9 . _ / - only",
                 relative_path);
    return FALSE;
  }
  if (!g_file_get_contents (path, &content, &size, error))
    return FALSE;
  store_sha256 (content, size, hash);
  store_hex (hash, hex);
  g_autofree char *name = g_strdup_printf ("file %s", relative_path);
  g_autofree char *whole = g_strdup_printf ("%s %s", name, hex);
  const char *words[] = { name, whole };
  return store_writer_call (store->writer, run_register, words, error);
}
