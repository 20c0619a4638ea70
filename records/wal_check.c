#include "records/wal_check.h"
#include <string.h>

#define WAL_HEADER 32
#define WAL_MAGIC 0x377f0682u /* lowest bit: checksums are over big-endian words */
#define WAL_FORMAT 3007000
#define FRAME_HEADER 24

typedef struct {
  guint32 a, b;
  gboolean big_endian;
} Checksum;

static guint32
be32 (const guint8 *p)
{
  return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}

static guint32
le32 (const guint8 *p)
{
  return (guint32)p[3] << 24 | (guint32)p[2] << 16 | (guint32)p[1] << 8 | p[0];
}

/* §4.2; size is a multiple of 8. */
static void
checksum_add (Checksum *sum, const guint8 *data, gsize size)
{
  for (gsize i = 0; i + 8 <= size; i += 8) {
    sum->a += (sum->big_endian ? be32 (data + i) : le32 (data + i)) + sum->b;
    sum->b += (sum->big_endian ? be32 (data + i + 4) : le32 (data + i + 4)) + sum->a;
  }
}

static gboolean
header_good (const guint8 *wal, Checksum *sum, guint32 *ret_page_size)
{
  guint32 magic = be32 (wal), page_size = be32 (wal + 8);

  if ((magic & ~1u) != WAL_MAGIC || be32 (wal + 4) != WAL_FORMAT)
    return FALSE;
  if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)) != 0)
    return FALSE;
  sum->big_endian = magic & 1;
  checksum_add (sum, wal, 24);
  *ret_page_size = page_size;
  return sum->a == be32 (wal + 24) && sum->b == be32 (wal + 28);
}

static gboolean
frame_good (const guint8 *wal, const guint8 *frame, guint32 page_size, Checksum *sum)
{
  Checksum next = *sum;

  if (be32 (frame) == 0 || memcmp (frame + 8, wal + 16, 8) != 0)
    return FALSE;
  checksum_add (&next, frame, 8);
  checksum_add (&next, frame + FRAME_HEADER, page_size);
  if (next.a != be32 (frame + 16) || next.b != be32 (frame + 20))
    return FALSE;
  *sum = next;
  return TRUE;
}

/* Both salts change with every new use of the file, so frames of an earlier one share neither
 * with the header; one salt that fits beside one that does not is damage, and so is a frame of
 * the present use behind one that is not. */
static WalTail
judge_tail (const guint8 *wal, gsize size, gsize offset, gsize stride)
{
  gboolean whole = FALSE;

  for (; offset + stride <= size; offset += stride) {
    whole = TRUE;
    if (memcmp (wal + offset + 8, wal + 16, 4) == 0 || memcmp (wal + offset + 12, wal + 20, 4) == 0)
      return WAL_TAIL_BAD;
  }
  return whole ? WAL_TAIL_OLD : WAL_TAIL_TORN;
}

void
wal_check (const guint8 *wal, gsize size, WalReport *ret_report)
{
  WalReport report = { 0 };
  Checksum sum = { 0 };

  *ret_report = report;
  if (size == 0)
    return;
  if (size < WAL_HEADER) {
    ret_report->tail = WAL_TAIL_TORN;
    return;
  }
  if (!header_good (wal, &sum, &report.page_size)) {
    ret_report->tail = WAL_TAIL_BAD;
    return;
  }
  gsize stride = FRAME_HEADER + report.page_size, offset = WAL_HEADER;
  while (offset + stride <= size && frame_good (wal, wal + offset, report.page_size, &sum)) {
    report.frames++;
    guint32 pages = be32 (wal + offset + 4);
    if (pages != 0) {
      report.committed = report.frames;
      report.db_pages = pages;
    }
    offset += stride;
  }
  report.tail_offset = offset;
  if (offset < size)
    report.tail = judge_tail (wal, size, offset, stride);
  *ret_report = report;
}

gboolean
wal_check_file (const char *path, WalReport *ret_report, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *wal = NULL;
  gsize size = 0;

  if (!g_file_get_contents (path, &wal, &size, &local)
      && !g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  wal_check ((const guint8 *)wal, size, ret_report);
  return TRUE;
}

gboolean
wal_apply (const guint8 *wal, const WalReport *report, GByteArray *database)
{
  if (report->committed == 0)
    return TRUE;
  gsize page = report->page_size, stride = FRAME_HEADER + page;
  guint64 size = (guint64)report->db_pages * page;
  /* A commit can grow the file by no more pages than the log holds; a larger number is hostile. */
  if (size > database->len + report->committed * page || size > G_MAXUINT32)
    return FALSE;
  gsize before = database->len;
  g_byte_array_set_size (database, (guint)size);
  if (size > before)
    memset (database->data + before, 0, size - before);
  for (guint64 i = 0; i < report->committed; i++) {
    const guint8 *frame = wal + WAL_HEADER + i * stride;
    guint64 at = (guint64)(be32 (frame) - 1) * page;
    if (at + page <= size)
      memcpy (database->data + at, frame + FRAME_HEADER, page);
  }
  return TRUE;
}
