#include "records/attachment_recover.h"
#include "records/draft.h"
#include "records/erasure_private.h"
#include "records/segment_file.h"
#include "records/verify.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* What can be had is written; what cannot is listed, and told at the end. */
typedef struct {
  const char *state_dir, *out_dir;
  EVP_PKEY *key;
  X509 *certificate;
  GPtrArray *keys; /* VaultKeyRow* */
  sqlite3 *db;
  guint damaged;
} Recover;

typedef struct {
  Recover *recover;
  const char *consult;
  char *folder;
  json_t *rows, *drafts, *tracks, *attachments, *damaged;
} Record;

static void
note_damage (Record *record, const char *where, const char *what)
{
  record->recover->damaged++;
  json_array_append_new (record->damaged, json_pack ("{s:s, s:s}", "where", where, "what", what));
}

/* ---- Keys --------------------------------------------------------------------------------- */

static DataKey *
unwrap (Recover *recover, const VaultKeyRow *row, GError **error)
{
  guint8 commit[32];
  g_autoptr (DataKey) key = vault_recover_key (
      row->recovery_cms, recover->key, recover->certificate, row->consult, row->purpose, error);
  if (key == NULL)
    return NULL;
  data_key_commitment (key, commit);
  if (g_bytes_get_size (row->commit) == 32
      && memcmp (commit, g_bytes_get_data (row->commit, NULL), 32) == 0)
    return g_steal_pointer (&key);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "the escrow of %s (%s) holds another key than the one in use", row->consult,
               purpose_name (row->purpose));
  return NULL;
}

static DataKey *
recover_key (Recover *recover, const char *consult, Purpose purpose, GError **error)
{
  for (guint i = 0; i < recover->keys->len; i++) {
    const VaultKeyRow *row = recover->keys->pdata[i];
    if (row->purpose == purpose && g_str_equal (row->consult, consult))
      return unwrap (recover, row, error);
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "there is no %s key of %s",
               purpose_name (purpose), consult);
  return NULL;
}

/* ---- Rows --------------------------------------------------------------------------------- */

static json_t *
json_of_row (const StoreRow *row)
{
  return json_pack ("{s:s, s:I, s:s?, s:{s:s, s:I, s:s, s:I}, s:O}", "kind", row->kind, "seq",
                    (json_int_t)row->seq, "user", row->user, "at", "boot", row->boot, "mono_us",
                    (json_int_t)row->mono_us, "trust", row->trust, "utc_us",
                    (json_int_t)row->utc_us, "body", row->body);
}

/* One that was taken away again, being claimed by a consultation, is none. */
static void
take_attachment (Record *record, const StoreRow *row, DataKey *key)
{
  g_autoptr (GError) error = NULL;
  json_t *entry = attachment_recover (record->recover->db, record->recover->state_dir, row, key,
                                      record->folder, &error);
  if (entry != NULL)
    json_array_append_new (record->attachments, entry);
  else if (error != NULL)
    note_damage (record, error->message, "this attachment could not be recovered");
}

/* Columns: kind, seq, schema, sealed. */
static void
take_row (Record *record, sqlite3_stmt *statement, DataKey *key)
{
  const char *kind = store_db_text (statement, 0);
  gint64 seq = sqlite3_column_int64 (statement, 1);
  g_autoptr (GBytes) sealed = store_db_blob (statement, 3);
  g_autoptr (GError) error = NULL;
  StoreRow *row
      = store_row_open (key, record->consult, kind, seq, (guint)sqlite3_column_int64 (statement, 2),
                        sealed, NULL, NULL, &error);

  if (row == NULL) {
    g_autofree char *where = g_strdup_printf ("rec %s/%" G_GINT64_FORMAT, kind, seq);
    note_damage (record, where, error->message);
    return;
  }
  json_array_append_new (record->rows, json_of_row (row));
  if (g_str_equal (kind, ATTACHMENT_KIND))
    take_attachment (record, row, key);
  store_row_free (row);
}

static gboolean
take_rows (Record *record, DataKey *key, GError **error)
{
  sqlite3 *db = record->recover->db;
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      db, "SELECT kind, seq, schema, sealed FROM rec WHERE consult = ? ORDER BY id", error);
  int rc;

  if (statement == NULL)
    return FALSE;
  store_db_bind_text (statement, 1, record->consult);
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    take_row (record, statement, key);
  if (rc != SQLITE_DONE)
    note_damage (record, STORE_DB_NAME, sqlite3_errmsg (db));
  return TRUE;
}

/* What was being typed when the folder was left; a database of before there were drafts has none.
 */
static void
take_drafts (Record *record, DataKey *key)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (
      record->recover->db, "SELECT note, sealed FROM draft WHERE consult = ? ORDER BY note", NULL);

  if (statement == NULL)
    return;
  store_db_bind_text (statement, 1, record->consult);
  while (sqlite3_step (statement) == SQLITE_ROW) {
    const char *note = store_db_text (statement, 0);
    g_autoptr (GBytes) sealed = store_db_blob (statement, 1);
    g_autoptr (GError) error = NULL;
    g_autoptr (StoreDraft) draft = draft_open (key, record->consult, note, sealed, &error);
    if (draft != NULL) {
      json_array_append_new (record->drafts,
                             json_pack ("{s:s, s:s?, s:I, s:O}", "note", note, "user", draft->user,
                                        "utc_us", (json_int_t)draft->utc_us, "body", draft->body));
      continue;
    }
    g_autofree char *where = g_strdup_printf ("draft %s", note);
    note_damage (record, where, error->message);
  }
}

/* ---- Recording ---------------------------------------------------------------------------- */

/* A file goes on as long as what follows would play behind it: same init, same clock. */
typedef struct {
  Record *record;
  char *stream, *name;
  guint n;          /* files of this stream so far */
  int fd;           /* -1: none */
  GByteArray *init; /* of the file */
  gint64 epoch_us;
  char *mime;
  /* of the segment at hand */
  const SegmentHeader *header;
  GByteArray *segment_init;
  gboolean init_done;
  GError *error;
} Output;

static void
output_end (Output *output)
{
  if (output->fd >= 0 && close (output->fd) != 0 && output->error == NULL)
    disk_error (output->name, &output->error);
  output->fd = -1;
  g_clear_pointer (&output->name, g_free);
  g_clear_pointer (&output->mime, g_free);
}

static gboolean
output_write (Output *output, const guint8 *bytes, gsize size)
{
  while (size > 0) {
    gssize put = write (output->fd, bytes, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return disk_error (output->name, &output->error);
    bytes += put;
    size -= (gsize)put;
  }
  return TRUE;
}

static const char *
extension_of (const char *mime)
{
  if (strstr (mime, "/mp4") != NULL)
    return "mp4";
  return strstr (mime, "/webm") != NULL ? "webm" : "bin";
}

static gboolean
output_begin (Output *output)
{
  Record *record = output->record;
  const SegmentHeader *header = output->header;

  output_end (output);
  output->name
      = g_strdup_printf ("%s-%u.%s", header->stream, ++output->n, extension_of (header->mime));
  g_autofree char *path = g_build_filename (record->folder, output->name, NULL);
  output->fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (output->fd < 0)
    return disk_error (path, &output->error);
  output->epoch_us = header->epoch_us;
  output->mime = g_strdup (header->mime);
  g_byte_array_set_size (output->init, 0);
  g_byte_array_append (output->init, output->segment_init->data, output->segment_init->len);
  json_array_append_new (record->tracks, json_pack ("{s:s, s:s, s:s, s:I}", "file", output->name,
                                                    "stream", header->stream, "mime", header->mime,
                                                    "epoch_us", (json_int_t)header->epoch_us));
  return output_write (output, output->init->data, output->init->len);
}

static gboolean
goes_on (const Output *output)
{
  return output->fd >= 0 && output->epoch_us == output->header->epoch_us
         && g_str_equal (output->mime, output->header->mime)
         && output->init->len == output->segment_init->len
         && memcmp (output->init->data, output->segment_init->data, output->init->len) == 0;
}

static gboolean
take_record (const SegmentRecord *record, guint64 offset, const guint8 *plain, void *arg)
{
  Output *output = arg;

  if (record->flags & SEGMENT_FINAL)
    return TRUE;
  if (record->flags & SEGMENT_INIT) {
    g_byte_array_append (output->segment_init, plain, record->size);
    return TRUE;
  }
  if (!output->init_done && !goes_on (output) && !output_begin (output))
    return FALSE;
  output->init_done = TRUE;
  return output_write (output, plain, record->size);
}

static gboolean
take_segment (Output *output, const SegmentRow *row, DataKey *key)
{
  Record *record = output->record;
  g_autofree char *where = segment_path (NULL, row->consult, row->id);
  g_autoptr (GError) error = NULL;
  guint8 header[SEGMENT_HEADER];
  SegmentHeader parsed;
  SegmentScan scan;
  int fd = segment_file_open (record->recover->state_dir, row, header, &parsed, &error);

  if (fd < 0) {
    note_damage (record, where, error->message);
    return TRUE;
  }
  g_autoptr (SegmentCipher) cipher = segment_cipher_new (key, parsed.id, header);
  const SegmentScanner scanner = { .cipher = cipher, .record = take_record, .arg = output };
  output->header = &parsed;
  output->init_done = FALSE;
  g_byte_array_set_size (output->segment_init, 0);
  segment_scan (fd, header, &scanner, &scan);
  close (fd);
  output->header = NULL;
  gboolean open = g_str_equal (row->state, "open");
  if (output->error == NULL && scan.valid < (open ? scan.size : (guint64)row->bytes)
      && !(open && scan.end == SCAN_CUT)) {
    g_autofree char *what
        = g_strdup_printf ("damaged at byte %" G_GUINT64_FORMAT ", good before", scan.valid);
    note_damage (record, where, what);
  }
  return output->error == NULL;
}

static gboolean
take_stream (Record *record, const char *stream, GPtrArray *rows, DataKey *key, GError **error)
{
  Output output = {
    .record = record, .fd = -1, .init = g_byte_array_new (), .segment_init = g_byte_array_new ()
  };

  for (guint i = 0; i < rows->len; i++) {
    const SegmentRow *row = rows->pdata[i];
    if (g_str_equal (row->stream, stream) && !take_segment (&output, row, key))
      break;
  }
  output_end (&output);
  g_byte_array_unref (output.init);
  g_byte_array_unref (output.segment_init);
  if (output.error == NULL)
    return TRUE;
  g_propagate_error (error, output.error);
  return FALSE;
}

static gboolean
take_recording (Record *record, GError **error)
{
  Recover *recover = record->recover;
  g_autoptr (GPtrArray) rows = segment_rows (recover->db, record->consult, error);
  g_autoptr (GHashTable) done = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) local = NULL;

  if (rows == NULL)
    return FALSE;
  if (rows->len == 0)
    return TRUE;
  g_autoptr (DataKey) key = recover_key (recover, record->consult, PURPOSE_RECORDING, &local);
  if (key == NULL && erasure_db_done (recover->db, record->consult, PURPOSE_RECORDING))
    return TRUE;
  if (key == NULL) {
    note_damage (record, "media", local->message);
    return TRUE;
  }
  for (guint i = 0; i < rows->len; i++) {
    const SegmentRow *row = rows->pdata[i];
    if (g_hash_table_add (done, row->stream)
        && !take_stream (record, row->stream, rows, key, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- One consultation --------------------------------------------------------------------- */

static gboolean
write_json (const char *folder, json_t *whole, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "record.json", NULL);
  char *text = json_dumps (whole, JSON_INDENT (1) | JSON_SORT_KEYS);
  gboolean ok
      = g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
  free (text);
  return ok;
}

static gboolean
take_record_of (Record *record, GError **error)
{
  gboolean station = g_str_equal (record->consult, STORE_STATION);
  g_autoptr (GError) local = NULL;
  g_autoptr (DataKey) key = recover_key (record->recover, record->consult,
                                         station ? PURPOSE_STATION : PURPOSE_CLINICAL, &local);

  if (g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (key == NULL && erasure_db_done (record->recover->db, record->consult, PURPOSE_CLINICAL))
    return take_recording (record, error);
  if (key == NULL)
    note_damage (record, "keys.db", local->message);
  else if (!take_rows (record, key, error))
    return FALSE;
  else
    take_drafts (record, key);
  return take_recording (record, error);
}

static gboolean
recover_one (Recover *recover, const char *consult, GError **error)
{
  if (!store_consult_valid (consult)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "\"%s\" is not the id of a consultation", consult);
    return FALSE;
  }
  Record record = { .recover = recover,
                    .consult = consult,
                    .folder = g_build_filename (recover->out_dir, consult, NULL),
                    .rows = json_array (),
                    .drafts = json_array (),
                    .tracks = json_array (),
                    .attachments = json_array (),
                    .damaged = json_array () };
  gboolean ok
      = g_mkdir_with_parents (record.folder, 0700) == 0 || disk_error (record.folder, error);
  ok = ok && take_record_of (&record, error);
  json_t *whole = json_pack ("{s:s, s:o, s:o, s:o, s:o, s:o}", "consult", consult, "rows",
                             record.rows, "drafts", record.drafts, "tracks", record.tracks,
                             "attachments", record.attachments, "damaged", record.damaged);
  ok = ok && write_json (record.folder, whole, error);
  json_decref (whole);
  g_free (record.folder);
  return ok;
}

static GPtrArray *
consults_of (sqlite3 *db, const char *consult, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  int rc;

  if (consult != NULL) {
    g_ptr_array_add (all, g_strdup (consult));
    return g_steal_pointer (&all);
  }
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (db, "SELECT DISTINCT consult FROM rec", error);
  if (statement == NULL)
    return NULL;
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (all, g_strdup (store_db_text (statement, 0)));
  if (rc == SQLITE_DONE)
    return g_steal_pointer (&all);
  store_db_fail (db, "list consultations", error);
  return NULL;
}

static gboolean
recover_all (Recover *recover, const char *consult, GError **error)
{
  g_autoptr (GPtrArray) consults = consults_of (recover->db, consult, error);

  if (consults == NULL)
    return FALSE;
  for (guint i = 0; i < consults->len; i++)
    if (!recover_one (recover, consults->pdata[i], error))
      return FALSE;
  if (recover->damaged == 0)
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "%u things could not be recovered: each record.json lists them under \"damaged\"; "
               "everything else was written",
               recover->damaged);
  return FALSE;
}

gboolean
recover_records (const char *state_dir, EVP_PKEY *key, X509 *certificate, const char *consult,
                 const char *out_dir, GError **error)
{
  Recover recover
      = { .state_dir = state_dir, .out_dir = out_dir, .key = key, .certificate = certificate };
  g_autoptr (Vault) vault = vault_open_read_only (state_dir, error);
  gboolean ok = FALSE;

  if (vault == NULL)
    return FALSE;
  recover.keys = vault_list_keys (vault, error);
  if (recover.keys != NULL)
    recover.db = store_db_open_reader (state_dir, store_lock_held (state_dir), error);
  if (recover.db != NULL)
    ok = recover_all (&recover, consult, error);
  g_clear_pointer (&recover.db, sqlite3_close_v2);
  g_clear_pointer (&recover.keys, g_ptr_array_unref);
  return ok;
}
