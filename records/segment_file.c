#include "records/segment_file.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (4 * 1024 * 1024)
G_STATIC_ASSERT (BUFFER > SEGMENT_RECORD_MAX + 4096);

/* ---- Rows and paths ----------------------------------------------------------------------- */

void
segment_row_free (SegmentRow *row)
{
  if (row == NULL)
    return;
  g_free (row->id);
  g_free (row->consult);
  g_free (row->stream);
  g_free (row->state);
  g_free (row);
}

static SegmentRow *
row_of (sqlite3_stmt *statement)
{
  SegmentRow *row = g_new0 (SegmentRow, 1);
  row->leaf = sqlite3_column_int64 (statement, 0);
  row->id = g_strdup (store_db_text (statement, 1));
  row->consult = g_strdup (store_db_text (statement, 2));
  row->stream = g_strdup (store_db_text (statement, 3));
  row->idx = sqlite3_column_int64 (statement, 4);
  row->state = g_strdup (store_db_text (statement, 5));
  row->bytes = sqlite3_column_int64 (statement, 6);
  row->tail = sqlite3_column_int64 (statement, 7);
  if (sqlite3_column_bytes (statement, 8) == 32)
    memcpy (row->sha256, sqlite3_column_blob (statement, 8), 32);
  return row;
}

#define COLUMNS "SELECT leaf, id, consult, stream, idx, state, bytes, tail, sha256 FROM segment "

static GPtrArray *
rows_where (sqlite3 *db, const char *sql, const char *word, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)segment_row_free);
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (db, sql, error);
  int rc;

  if (statement == NULL)
    return NULL;
  if (word != NULL)
    store_db_bind_text (statement, 1, word);
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (rows, row_of (statement));
  if (rc == SQLITE_DONE)
    return g_steal_pointer (&rows);
  store_db_fail (db, "list segments", error);
  return NULL;
}

GPtrArray *
segment_rows (sqlite3 *db, const char *consult, GError **error)
{
  return rows_where (
      db, consult != NULL ? COLUMNS "WHERE consult = ? ORDER BY leaf" : COLUMNS "ORDER BY leaf",
      consult, error);
}

GPtrArray *
segment_rows_open (sqlite3 *db, GError **error)
{
  return rows_where (db, COLUMNS "WHERE state = ? ORDER BY leaf", "open", error);
}

char *
segment_path (const char *state_dir, const char *consult, const char *segment)
{
  g_autofree char *name = g_strconcat (segment, ".seg", NULL);
  return state_dir != NULL ? g_build_filename (state_dir, "media", consult, name, NULL)
                           : g_build_filename ("media", consult, name, NULL);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static gboolean
names_row (const SegmentHeader *header, const SegmentRow *row)
{
  guint8 consult[16], id[16];
  return store_uuid_parse (row->consult, consult) && store_uuid_parse (row->id, id)
         && memcmp (consult, header->consult, 16) == 0 && memcmp (id, header->id, 16) == 0
         && g_str_equal (row->stream, header->stream);
}

static gboolean
read_header (int fd, const char *path, const SegmentRow *row, guint8 *ret_header,
             SegmentHeader *ret_parsed, GError **error)
{
  gssize got = pread (fd, ret_header, SEGMENT_HEADER, 0);

  if (got != SEGMENT_HEADER) {
    g_set_error (error, RECORDS_ERROR, got < 0 ? RECORDS_ERROR_DISK : RECORDS_ERROR_TAMPERED,
                 "%s: %s", path, got < 0 ? g_strerror (errno) : "too short for a segment");
    return FALSE;
  }
  if (!segment_header_read (ret_header, ret_parsed, error)) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  if (names_row (ret_parsed, row))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "%s: its header names another consultation, stream or segment", path);
  return FALSE;
}

int
segment_file_open (const char *state_dir, const SegmentRow *row, guint8 *ret_header,
                   SegmentHeader *ret_parsed, GError **error)
{
  g_autofree char *path = segment_path (state_dir, row->consult, row->id);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0) {
    g_set_error (error, RECORDS_ERROR,
                 errno == ENOENT ? RECORDS_ERROR_NOT_FOUND : RECORDS_ERROR_DISK, "%s: %s", path,
                 g_strerror (errno));
    return -1;
  }
  if (read_header (fd, path, row, ret_header, ret_parsed, error))
    return fd;
  close (fd);
  return -1;
}

/* ---- Walking ------------------------------------------------------------------------------ */

typedef struct {
  int fd;
  const SegmentScanner *scanner;
  SegmentScan *scan;
  EVP_MD_CTX *sha256;
  guint8 *buffer, *plain;
  gsize begin, end;   /* of the bytes in the buffer not yet consumed */
  guint64 read;       /* offset in the file of buffer[end] */
  gboolean is_forged; /* something before was: valid stays where it is */
} Walk;

/* At least size bytes in the buffer; FALSE at the end of the file or on a disk error. */
static gboolean
fill (Walk *walk, gsize size)
{
  if (walk->end - walk->begin >= size)
    return TRUE;
  memmove (walk->buffer, walk->buffer + walk->begin, walk->end - walk->begin);
  walk->end -= walk->begin;
  walk->begin = 0;
  while (walk->end < BUFFER) {
    gssize got = pread (walk->fd, walk->buffer + walk->end, BUFFER - walk->end, (off_t)walk->read);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      walk->scan->end = SCAN_DISK;
    if (got <= 0)
      break;
    walk->end += (gsize)got;
    walk->read += (guint64)got;
  }
  return walk->end - walk->begin >= size;
}

static void
digest_now (EVP_MD_CTX *context, guint8 ret_hash[32])
{
  EVP_MD_CTX *copy = EVP_MD_CTX_new ();
  if (EVP_MD_CTX_copy_ex (copy, context) != 1 || EVP_DigestFinal_ex (copy, ret_hash, NULL) != 1)
    g_error ("SHA-256 is not available: libcrypto has no working provider");
  EVP_MD_CTX_free (copy);
}

static void
accept_bytes (Walk *walk, const guint8 *bytes, gsize size)
{
  SegmentScan *scan = walk->scan;
  if (walk->is_forged)
    return;
  EVP_DigestUpdate (walk->sha256, bytes, size);
  scan->valid += size;
  if (walk->scanner->mark > 0 && scan->valid == walk->scanner->mark) {
    digest_now (walk->sha256, scan->mark_sha256);
    scan->has_mark = TRUE;
  }
}

/* FALSE: the walk ends here. */
static gboolean
walk_record (Walk *walk, guint64 seq)
{
  const SegmentScanner *scanner = walk->scanner;
  SegmentScan *scan = walk->scan;
  guint64 offset = walk->read - (walk->end - walk->begin);
  SegmentRecord record;

  if (!fill (walk, SEGMENT_RECORD_HEAD)) {
    if (scan->end != SCAN_DISK)
      scan->end = walk->end == walk->begin ? SCAN_END : SCAN_CUT;
    return FALSE;
  }
  if (scan->is_final || !segment_record_read (walk->buffer + walk->begin, seq, &record)) {
    scan->end = SCAN_BROKEN;
    return FALSE;
  }
  gsize span = segment_record_span (record.size);
  if (!fill (walk, span)) {
    if (scan->end != SCAN_DISK)
      scan->end = SCAN_CUT;
    return FALSE;
  }
  const guint8 *whole = walk->buffer + walk->begin;
  walk->begin += span;
  if (scanner->cipher != NULL
      && !segment_cipher_open (scanner->cipher, &record, whole, walk->plain)) {
    scan->end = SCAN_FORGED;
    walk->is_forged = TRUE;
    if (scanner->forged == NULL)
      return FALSE;
    scanner->forged (seq, offset, scanner->arg);
    return TRUE;
  }
  accept_bytes (walk, whole, span);
  if (!walk->is_forged) {
    scan->records++;
    scan->tail = offset;
  }
  scan->is_final = (record.flags & SEGMENT_FINAL) != 0;
  return scanner->record == NULL
         || scanner->record (&record, offset, scanner->cipher != NULL ? walk->plain : NULL,
                             scanner->arg);
}

void
segment_scan (int fd, const guint8 *header, const SegmentScanner *scanner, SegmentScan *ret_scan)
{
  g_autofree guint8 *buffer = g_malloc (BUFFER);
  g_autofree guint8 *plain = g_malloc (SEGMENT_RECORD_MAX);
  SegmentScan scan = { .end = SCAN_END };
  Walk walk = { .fd = fd,
                .scanner = scanner,
                .scan = &scan,
                .buffer = buffer,
                .plain = plain,
                .read = SEGMENT_HEADER };
  struct stat status;

  if (fstat (fd, &status) == 0)
    scan.size = (guint64)status.st_size;
  posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  walk.sha256 = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (walk.sha256, EVP_sha256 (), NULL);
  accept_bytes (&walk, header, SEGMENT_HEADER);
  for (guint64 seq = 0; walk_record (&walk, seq); seq++)
    ;
  if (walk.is_forged && scan.end == SCAN_END)
    scan.end = SCAN_FORGED;
  digest_now (walk.sha256, scan.sha256);
  EVP_MD_CTX_free (walk.sha256);
  OPENSSL_cleanse (plain, SEGMENT_RECORD_MAX);
  *ret_scan = scan;
}
