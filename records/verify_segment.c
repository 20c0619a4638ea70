#include "records/verify_private.h"
#include <string.h>
#include <unistd.h>

typedef struct {
  Verify *verify;
  const char *where;
} Place;

/* ---- The bytes ---------------------------------------------------------------------------- */

static gboolean
count_record (const SegmentRecord *record, guint64 offset, const guint8 *plain, void *arg)
{
  Place *place = arg;
  place->verify->summary.media_records++;
  return TRUE;
}

static void
report_forged (guint64 seq, guint64 offset, void *arg)
{
  Place *place = arg;
  g_autofree char *where = g_strdup_printf ("%s record %" G_GUINT64_FORMAT, place->where, seq);
  verify_report (place->verify, VERIFY_BAD, "segment-tampered", where,
                 "changed, at or behind byte %" G_GUINT64_FORMAT, offset);
}

static gboolean
zero_from (int fd, guint64 offset)
{
  guint8 buffer[64 * 1024];
  gssize got;

  while ((got = pread (fd, buffer, sizeof buffer, (off_t)offset)) > 0) {
    for (gssize i = 0; i < got; i++)
      if (buffer[i] != 0)
        return FALSE;
    offset += (guint64)got;
  }
  return got == 0;
}

/* What may stand behind the valid part of a segment that nobody closed: a record cut short, or
 * room that the file system had given and not yet filled. */
static void
check_open_end (Verify *verify, const char *where, int fd, const SegmentScan *scan)
{
  if (scan->end == SCAN_END || scan->end == SCAN_FORGED)
    return;
  if (scan->end == SCAN_CUT || zero_from (fd, scan->valid)) {
    if (!verify->live)
      verify_report (verify, VERIFY_NOTE, "segment-torn", where,
                     "its last record was cut short when the station ended; good up to byte "
                     "%" G_GUINT64_FORMAT,
                     scan->valid);
    return;
  }
  verify_report (verify, VERIFY_BAD, "segment-tampered", where,
                 "what begins at byte %" G_GUINT64_FORMAT " is no record", scan->valid);
}

static void
check_open (Verify *verify, const char *where, int fd, const SegmentFacts *facts,
            const SegmentScan *scan)
{
  check_open_end (verify, where, fd, scan);
  if (facts->mark == 0 || scan->end == SCAN_FORGED)
    return;
  if (!scan->has_mark)
    verify_report (verify, VERIFY_BAD, "segment-cut", where,
                   "%" G_GUINT64_FORMAT " bytes were written and kept, %" G_GUINT64_FORMAT
                   " are there",
                   facts->mark, scan->valid);
  else if (memcmp (scan->mark_sha256, facts->mark_sha256, 32) != 0)
    verify_report (verify, VERIFY_BAD, "segment-tampered", where,
                   "its first %" G_GUINT64_FORMAT " bytes are not those that were written",
                   facts->mark);
}

static void
check_finished (Verify *verify, const char *where, const SegmentFacts *facts,
                const SegmentScan *scan)
{
  gboolean closed = g_str_equal (facts->state, "closed");

  if (scan->size != facts->bytes) {
    verify_report (verify, VERIFY_BAD, scan->size < facts->bytes ? "segment-cut" : "segment-grown",
                   where,
                   "%" G_GUINT64_FORMAT " bytes were written, %" G_GUINT64_FORMAT " are there",
                   facts->bytes, scan->size);
    return;
  }
  if (scan->end == SCAN_FORGED)
    return;
  if (scan->end != SCAN_END)
    verify_report (verify, VERIFY_BAD, "segment-tampered", where,
                   "what begins at byte %" G_GUINT64_FORMAT " is no record", scan->valid);
  else if (memcmp (scan->sha256, facts->sha256, 32) != 0)
    verify_report (verify, VERIFY_BAD, "segment-tampered", where,
                   "its bytes are not those that were written");
  else if (closed != scan->is_final || (closed && scan->tail != facts->tail))
    verify_report (verify, VERIFY_BAD, "segment-tampered", where,
                   "its last record is not where the log says");
}

static void
check_bytes (Verify *verify, const char *where, int fd, const guint8 *header,
             const SegmentHeader *parsed, const SegmentFacts *facts)
{
  DataKey *key = verify_key (verify, facts->consult, PURPOSE_RECORDING);
  g_autoptr (SegmentCipher) cipher
      = key != NULL ? segment_cipher_new (key, parsed->id, header) : NULL;
  Place place = { verify, where };
  gboolean open = g_str_equal (facts->state, "open");
  const SegmentScanner scanner = { .cipher = cipher,
                                   .mark = open ? facts->mark : 0,
                                   .record = count_record,
                                   .forged = report_forged,
                                   .arg = &place };
  SegmentScan scan;

  segment_scan (fd, header, &scanner, &scan);
  verify->summary.bytes += scan.size;
  if (scan.end == SCAN_DISK)
    verify_report (verify, VERIFY_BAD, "segment-unreadable", where,
                   "the disk does not give what stands behind byte %" G_GUINT64_FORMAT, scan.valid);
  else if (open)
    check_open (verify, where, fd, facts, &scan);
  else
    check_finished (verify, where, facts, &scan);
}

/* ---- One segment -------------------------------------------------------------------------- */

/* chain: "CONSULT/STREAM" → facts of the segment before. */
static void
check_chain (Verify *verify, const char *where, const SegmentHeader *header,
             const SegmentFacts *facts, GHashTable *chain)
{
  g_autofree char *name = g_strdup_printf ("%s/%s", facts->consult, facts->stream);
  const SegmentFacts *before = g_hash_table_lookup (chain, name);
  const guint8 none[32] = { 0 };

  if (facts->idx != (before != NULL ? before->idx + 1 : 0))
    verify_report (verify, VERIFY_BAD, "segment-missing", where,
                   "it is number %" G_GINT64_FORMAT " of its stream, the one before is not there",
                   facts->idx);
  else if (memcmp (header->previous, before != NULL ? before->sha256 : none, 32) != 0)
    verify_report (verify, VERIFY_BAD, "chain-broken", where,
                   "it was not written behind the segment that stands before it");
  g_hash_table_insert (chain, g_steal_pointer (&name), (gpointer)facts);
}

/* Its key was destroyed, which the log tells, and the file with it. */
static gboolean
is_shredded (Verify *verify, const char *consult)
{
  g_autofree char *name = g_strdup_printf ("%s %s", consult, purpose_name (PURPOSE_RECORDING));
  return g_hash_table_contains (verify->shredded, name);
}

static void
check_file (Verify *verify, const SegmentRow *row, const SegmentFacts *facts, GHashTable *chain)
{
  g_autofree char *where = segment_path (NULL, row->consult, row->id);
  g_autoptr (GError) error = NULL;
  guint8 header[SEGMENT_HEADER], hash[32];
  SegmentHeader parsed;
  int fd = segment_file_open (verify->state_dir, row, header, &parsed, &error);

  verify->summary.segments++;
  if (fd < 0) {
    gboolean gone = g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND);
    if (gone && is_shredded (verify, row->consult))
      return;
    verify_report (verify, VERIFY_BAD, gone ? "segment-missing" : "segment-tampered", where, "%s",
                   error->message);
    return;
  }
  store_sha256 (header, sizeof header, hash);
  if (memcmp (hash, facts->header_sha256, 32) != 0)
    verify_report (verify, VERIFY_BAD, "segment-tampered", where, "its header was changed");
  else {
    check_chain (verify, where, &parsed, facts, chain);
    check_bytes (verify, where, fd, header, &parsed, facts);
  }
  close (fd);
}

static gboolean
row_fits (const SegmentRow *row, const SegmentFacts *facts)
{
  return row->leaf == (gint64)facts->leaf && g_str_equal (row->consult, facts->consult)
         && g_str_equal (row->stream, facts->stream) && row->idx == facts->idx
         && g_str_equal (row->state, facts->state) && (guint64)row->bytes == facts->bytes
         && (guint64)row->tail == facts->tail && memcmp (row->sha256, facts->sha256, 32) == 0;
}

static void
check_row (Verify *verify, const SegmentRow *row, GHashTable *chain)
{
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " segment %s", row->id);
  SegmentFacts *facts = g_hash_table_lookup (verify->segments, row->id);

  if (facts == NULL) {
    verify_report (verify, VERIFY_BAD, "segment-unlogged", where, "the log does not tell of it");
    return;
  }
  facts->is_met = TRUE;
  if (!row_fits (row, facts))
    verify_report (verify, VERIFY_BAD, "segment-row-tampered", where,
                   "its row says otherwise than the log");
  else if (verify_wants (verify, row->consult))
    check_file (verify, row, facts, chain);
}

void
verify_segments (Verify *verify)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) rows = segment_rows (verify->db, NULL, &error);
  g_autoptr (GHashTable) chain = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer id, facts;

  if (rows == NULL) {
    verify_report (verify, VERIFY_BAD, "database-damaged", STORE_DB_NAME, "%s", error->message);
    return;
  }
  for (guint i = 0; i < rows->len; i++)
    check_row (verify, rows->pdata[i], chain);
  g_hash_table_iter_init (&iter, verify->segments);
  while (g_hash_table_iter_next (&iter, &id, &facts)) {
    g_autofree char *where = g_strdup_printf (STORE_DB_NAME " segment %s", (char *)id);
    if (!((SegmentFacts *)facts)->is_met)
      verify_report (verify, VERIFY_BAD, "segment-deleted", where,
                     "the log tells of it, but its row is gone");
  }
}
