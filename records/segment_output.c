#include "records/segment_output.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK_US (10 * G_TIME_SPAN_SECOND)

struct SegmentOutput {
  Store *store;
  char *consult, *id, *path;
  int fd;
  SegmentCipher *cipher;
  EVP_MD_CTX *sha256; /* of the first bytes */
  guint64 bytes, seq;
  GByteArray *index;  /* what the final record will hold */
  GByteArray *record; /* room for one */
  gboolean is_dirty;
  guint64 durable_bytes; /* at the last sync, and the hash of these */
  guint8 durable_sha256[32];
  gboolean is_lost; /* the disk did not take what was written since */
  gint64 marked_us;
  guint64 marked_bytes;
};

static gboolean
write_all (int fd, const guint8 *bytes, gsize size, guint64 at)
{
  while (size > 0) {
    gssize put = pwrite (fd, bytes, size, (off_t)at);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return FALSE;
    bytes += put;
    at += (guint64)put;
    size -= (gsize)put;
  }
  return TRUE;
}

static void
digest_now (EVP_MD_CTX *context, guint8 ret_hash[32])
{
  EVP_MD_CTX *copy = EVP_MD_CTX_new ();
  if (EVP_MD_CTX_copy_ex (copy, context) != 1 || EVP_DigestFinal_ex (copy, ret_hash, NULL) != 1)
    g_error ("SHA-256 is not available: libcrypto has no working provider");
  EVP_MD_CTX_free (copy);
}

/* ---- In the log --------------------------------------------------------------------------- */

typedef struct {
  const SegmentPlan *plan;
  const char *id;
  gint64 idx;
  guint8 header_sha256[32];
} Opening;

static gboolean
run_open (StoreWrite *write, gpointer data, GError **error)
{
  const Opening *opening = data;
  const SegmentPlan *plan = opening->plan;
  const guint8 none[32] = { 0 };
  char hex[STORE_HEX];
  g_autoptr (sqlite3_stmt) insert = store_db_prepare (
      write->db,
      "INSERT INTO segment(leaf, id, consult, stream, idx, state, bytes, tail, sha256) "
      "VALUES(?, ?, ?, ?, ?, 'open', 0, 0, ?)",
      error);

  if (insert == NULL)
    return FALSE;
  sqlite3_bind_int64 (insert, 1, (gint64)store_log_next (&write->log));
  store_db_bind_text (insert, 2, opening->id);
  store_db_bind_text (insert, 3, plan->consult);
  store_db_bind_text (insert, 4, plan->stream);
  sqlite3_bind_int64 (insert, 5, opening->idx);
  store_db_bind_blob (insert, 6, none, sizeof none);
  store_hex (opening->header_sha256, hex);
  return store_db_run (insert, error)
         && store_log_append (&write->log, error, "open %s %s %s %" G_GINT64_FORMAT " %s",
                              opening->id, plan->consult, plan->stream, opening->idx, hex);
}

gboolean
segment_write_verdict (StoreWrite *write, gpointer data, GError **error)
{
  const SegmentVerdict *verdict = data;
  char hex[STORE_HEX];
  g_autoptr (sqlite3_stmt) update = store_db_prepare (
      write->db, "UPDATE segment SET state = ?, bytes = ?, tail = ?, sha256 = ? WHERE id = ?",
      error);

  if (update == NULL)
    return FALSE;
  store_db_bind_text (update, 1, verdict->state);
  sqlite3_bind_int64 (update, 2, (gint64)verdict->bytes);
  sqlite3_bind_int64 (update, 3, (gint64)verdict->tail);
  store_db_bind_blob (update, 4, verdict->sha256, 32);
  store_db_bind_text (update, 5, verdict->id);
  if (!store_db_run (update, error))
    return FALSE;
  store_hex (verdict->sha256, hex);
  if (g_str_equal (verdict->state, "closed"))
    return store_log_append (&write->log, error,
                             "closed %s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s",
                             verdict->id, verdict->bytes, verdict->tail, hex);
  return store_log_append (&write->log, error, "%s %s %" G_GUINT64_FORMAT " %s", verdict->state,
                           verdict->id, verdict->bytes, hex);
}

typedef struct {
  char *id;
  guint64 bytes;
  guint8 sha256[32];
} Mark;

static gboolean
run_mark (StoreWrite *write, gpointer data, GError **error)
{
  const Mark *mark = data;
  char hex[STORE_HEX];
  store_hex (mark->sha256, hex);
  return store_log_append (&write->log, error, "mark %s %" G_GUINT64_FORMAT " %s", mark->id,
                           mark->bytes, hex);
}

static void
finish_mark (gpointer data, const GError *error)
{
  Mark *mark = data;
  g_free (mark->id);
  g_free (mark);
}

/* ---- Opening ------------------------------------------------------------------------------ */

/* The chain goes on from the segment before it in the same stream. */
static gboolean
find_previous (Store *store, const SegmentPlan *plan, gint64 *ret_idx, guint8 ret_previous[32],
               GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->reader_lock);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (store->reader,
                          "SELECT idx, sha256, state FROM segment WHERE consult = ? AND stream = ? "
                          "ORDER BY idx DESC LIMIT 1",
                          error);
  if (statement == NULL)
    return FALSE;
  store_db_bind_text (statement, 1, plan->consult);
  store_db_bind_text (statement, 2, plan->stream);
  int rc = sqlite3_step (statement);
  memset (ret_previous, 0, 32);
  *ret_idx = 0;
  if (rc == SQLITE_DONE)
    return TRUE;
  if (rc != SQLITE_ROW)
    return store_db_fail (store->reader, "find the segment before", error);
  *ret_idx = sqlite3_column_int64 (statement, 0) + 1;
  if (sqlite3_column_bytes (statement, 1) == 32)
    memcpy (ret_previous, sqlite3_column_blob (statement, 1), 32);
  if (!g_str_equal (store_db_text (statement, 2), "open"))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED,
               "the segment before in stream %s is not closed yet", plan->stream);
  return FALSE;
}

/* Durable, with the folders above it. */
static int
create_file (Store *store, const char *path, const guint8 *header, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *media = g_path_get_dirname (folder);

  if (g_mkdir_with_parents (folder, 0700) != 0) {
    disk_error (folder, error);
    return -1;
  }
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    disk_error (path, error);
    return -1;
  }
  if (write_all (fd, header, SEGMENT_HEADER, 0) && fdatasync (fd) == 0) {
    if (disk_sync_folder (folder, error) && disk_sync_folder (media, error)
        && disk_sync_folder (store->state_dir, error))
      return fd;
  } else {
    disk_error (path, error);
  }
  close (fd);
  g_unlink (path);
  return -1;
}

static void
output_free (SegmentOutput *output)
{
  if (output->fd >= 0)
    close (output->fd);
  segment_cipher_free (output->cipher);
  EVP_MD_CTX_free (output->sha256);
  g_byte_array_unref (output->index);
  g_byte_array_unref (output->record);
  g_free (output->consult);
  g_free (output->id);
  g_free (output->path);
  g_free (output);
}

static SegmentOutput *
output_new (Store *store, const SegmentPlan *plan, const SegmentHeader *header,
            const guint8 *header_bytes, const char *id)
{
  SegmentOutput *output = g_new0 (SegmentOutput, 1);
  output->store = store;
  output->fd = -1;
  output->consult = g_strdup (plan->consult);
  output->id = g_strdup (id);
  output->path = segment_path (store->state_dir, plan->consult, id);
  output->cipher = segment_cipher_new (plan->key, header->id, header_bytes);
  output->sha256 = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (output->sha256, EVP_sha256 (), NULL);
  EVP_DigestUpdate (output->sha256, header_bytes, SEGMENT_HEADER);
  output->bytes = output->marked_bytes = output->durable_bytes = SEGMENT_HEADER;
  output->index = g_byte_array_new ();
  output->record = g_byte_array_new ();
  output->marked_us = g_get_monotonic_time ();
  return output;
}

SegmentOutput *
segment_output_open (Store *store, const SegmentPlan *plan, GError **error)
{
  g_autofree char *id = store_uuid_new ();
  Opening opening = { .plan = plan, .id = id };
  SegmentHeader header = { .epoch_us = plan->epoch_us };
  guint8 bytes[SEGMENT_HEADER];

  if (!find_previous (store, plan, &opening.idx, header.previous, error))
    return NULL;
  store_uuid_parse (plan->consult, header.consult);
  store_uuid_parse (id, header.id);
  g_strlcpy (header.stream, plan->stream, sizeof header.stream);
  g_strlcpy (header.mime, plan->mime, sizeof header.mime);
  segment_header_write (&header, bytes);
  store_sha256 (bytes, sizeof bytes, opening.header_sha256);
  g_autoptr (GError) local = NULL;
  SegmentOutput *output = output_new (store, plan, &header, bytes, id);
  memcpy (output->durable_sha256, opening.header_sha256, sizeof output->durable_sha256);
  output->fd = create_file (store, output->path, bytes, &local);
  if (output->fd >= 0 && store_writer_call (store->writer, run_open, &opening, &local))
    return output;
  /* When the disk failed the log may tell of it all the same, at the next start: the file stays,
   * and goes then if not (segment_remove_strays). */
  if (output->fd >= 0 && !g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_DISK))
    g_unlink (output->path);
  g_propagate_error (error, g_steal_pointer (&local));
  output_free (output);
  return NULL;
}

/* ---- Writing ------------------------------------------------------------------------------ */

gboolean
segment_output_full (SegmentOutput *output, gsize more)
{
  gsize pieces = more / SEGMENT_RECORD_MAX + 1;
  gsize index = (output->seq + pieces) * SEGMENT_INDEX_ENTRY;
  return output->seq + pieces >= SEGMENT_RECORDS
         || output->bytes + more + pieces * 64 + segment_record_span ((guint32)index)
                > SEGMENT_BYTES;
}

static gboolean
append_record (SegmentOutput *output, const guint8 *plain, guint32 size, SegmentFlags flags,
               gint64 pts_us, GError **error)
{
  const SegmentRecord record
      = { .size = size, .flags = flags, .seq = output->seq, .pts_us = pts_us };
  gsize span = segment_record_span (size);
  guint8 head[SEGMENT_RECORD_HEAD];

  g_byte_array_set_size (output->record, (guint)span);
  guint8 *whole = output->record->data;
  if (!segment_cipher_seal (output->cipher, &record, plain, whole, error))
    return FALSE;
  if (!write_all (output->fd, whole, span, output->bytes)) {
    disk_error (output->path, error);
    if (ftruncate (output->fd, (off_t)output->bytes) != 0)
      g_warning ("segment: a record that was cut short cannot be removed: %s", g_strerror (errno));
    return FALSE;
  }
  EVP_DigestUpdate (output->sha256, whole, span);
  segment_record_write (&record, head);
  g_byte_array_append (output->index, head, 8);
  g_byte_array_append (output->index, head + 16, 8);
  output->bytes += span;
  output->seq++;
  output->is_dirty = TRUE;
  return TRUE;
}

gboolean
segment_output_append (SegmentOutput *output, GBytes *fragment, SegmentFlags flags, gint64 pts_us,
                       GError **error)
{
  gsize size, done = 0;
  const guint8 *bytes = g_bytes_get_data (fragment, &size);

  do {
    guint32 piece = (guint32)MIN (size - done, SEGMENT_RECORD_MAX);
    if (!append_record (output, bytes != NULL ? bytes + done : NULL, piece, flags, pts_us, error))
      return FALSE;
    done += piece;
    flags &= ~SEGMENT_KEY; /* what follows of it does not begin with a key frame */
  } while (done < size);
  return TRUE;
}

/* A disk that failed once may have lost what it took before, and say nothing the second time: from
 * then on only what was durable before counts. */
static gboolean
make_durable (SegmentOutput *output, GError **error)
{
  if (output->is_lost || fdatasync (output->fd) != 0) {
    output->is_lost = TRUE;
    return disk_error (output->path, error);
  }
  output->durable_bytes = output->bytes;
  digest_now (output->sha256, output->durable_sha256);
  output->is_dirty = FALSE;
  return TRUE;
}

gboolean
segment_output_sync (SegmentOutput *output, GError **error)
{
  gint64 now = g_get_monotonic_time ();

  if (output->is_dirty && !make_durable (output, error))
    return FALSE;
  if (now - output->marked_us < MARK_US || output->bytes == output->marked_bytes)
    return TRUE;
  Mark *mark = g_new0 (Mark, 1);
  mark->id = g_strdup (output->id);
  mark->bytes = output->durable_bytes;
  memcpy (mark->sha256, output->durable_sha256, sizeof mark->sha256);
  store_writer_push (output->store->writer, run_mark, finish_mark, mark, FALSE);
  output->marked_us = now;
  output->marked_bytes = output->bytes;
  return TRUE;
}

static gboolean
append_final (SegmentOutput *output, GError **error)
{
  g_autoptr (GBytes) index = g_bytes_new (output->index->data, output->index->len);
  gsize size = g_bytes_get_size (index);
  return append_record (output, g_bytes_get_data (index, NULL), (guint32)size, SEGMENT_FINAL, 0,
                        error);
}

/* The log is told only of what the file durably is. */
static gboolean
cut_to_durable (SegmentOutput *output, GError **error)
{
  return !output->is_lost
         || (ftruncate (output->fd, (off_t)output->durable_bytes) == 0
             && fdatasync (output->fd) == 0)
         || disk_error (output->path, error);
}

gboolean
segment_output_close (SegmentOutput *output, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint64 tail = output->bytes;
  gboolean whole = !output->is_lost && append_final (output, &local);
  gboolean good = make_durable (output, local == NULL ? &local : NULL) && whole;
  SegmentVerdict verdict = { output->id, good ? "closed" : "torn", output->durable_bytes,
                             good ? tail : 0, output->durable_sha256 };
  /* What cannot be told stays open for the next start. */
  gboolean told
      = cut_to_durable (output, error)
        && store_writer_call (output->store->writer, segment_write_verdict, &verdict, error);

  output_free (output);
  if (told && !good)
    g_propagate_error (error, g_steal_pointer (&local));
  return told && good;
}
