/* One segment being written: file, hash, and its place in the log. The media thread only.
 *
 * The file with its header is durable before the log tells of it, and the log before the first
 * record, so that no record can ever be in a file that the log does not know.
 */
#pragma once
#include "records/segment_file.h"

typedef struct SegmentOutput SegmentOutput;

typedef struct {
  const char *consult, *stream, *mime;
  gint64 epoch_us;
  DataKey *key; /* recording key of the consultation */
} SegmentPlan;

SegmentOutput *segment_output_open (Store *store, const SegmentPlan *plan, GError **error);
/* Whether so many bytes more would make the segment too long. */
gboolean segment_output_full (SegmentOutput *output, gsize more);
/* What failed to be written is cut off again; the segment stays good up to there. */
gboolean segment_output_append (SegmentOutput *output, GBytes *fragment, SegmentFlags flags,
                                gint64 pts_us, GError **error);
/* fdatasync; every ten seconds the log is told how far the segment is durable. Once it failed the
 * segment ends where it was durable before. */
gboolean segment_output_sync (SegmentOutput *output, GError **error);
/* Writes the final record and says so in the log; the segment counts as torn when that is not
 * possible, and stays open for the next start when the disk does not even take that. Frees output.
 */
gboolean segment_output_close (SegmentOutput *output, GError **error);

/* The state of a segment in table and log; also for cutting (segment_index.c). */
typedef struct {
  const char *id;
  const char *state; /* "closed", "torn" */
  guint64 bytes, tail;
  const guint8 *sha256;
} SegmentVerdict;
gboolean segment_write_verdict (StoreWrite *write, gpointer verdict, GError **error);
