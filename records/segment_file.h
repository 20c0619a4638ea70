/* Reading segment files: where they lie, and walking through one from its header to its end. */
#pragma once
#include "records/segment_format.h"
#include "records/store_private.h"

/* A row of table segment. */
typedef struct {
  gint64 leaf;
  char *id, *consult, *stream, *state;
  gint64 idx, bytes, tail;
  guint8 sha256[32]; /* zero while open */
} SegmentRow;
void segment_row_free (SegmentRow *row);
/* Of one consultation, or all (NULL); NULL with error. In order of opening. */
GPtrArray *segment_rows (sqlite3 *db, const char *consult, GError **error);
/* Those that nobody has closed. */
GPtrArray *segment_rows_open (sqlite3 *db, GError **error);

/* STATE/media/CONSULT/SEGMENT.seg, or without state_dir (NULL) its name for people. */
char *segment_path (const char *state_dir, const char *consult, const char *segment);

/* A descriptor, -1 with error NOT_FOUND or DISK. ret_header: SEGMENT_HEADER bytes; TAMPERED when
 * the file is too short for them or they do not name this segment. */
int segment_file_open (const char *state_dir, const SegmentRow *row, guint8 *ret_header,
                       SegmentHeader *ret_parsed, GError **error);

typedef enum {
  SCAN_END,    /* every byte belongs to a record */
  SCAN_CUT,    /* the file ends inside a record */
  SCAN_BROKEN, /* what follows cannot be a record */
  SCAN_FORGED, /* a record that does not authenticate */
  SCAN_DISK,   /* the disk does not give the bytes */
} SegmentScanEnd;

typedef struct {
  SegmentScanEnd end;
  guint64 size;           /* of the file */
  guint64 valid;          /* bytes up to where all is well */
  guint64 records;        /* in these */
  guint64 tail;           /* offset of the last of them, 0: none */
  gboolean is_final;      /* that one is SEGMENT_FINAL */
  guint8 sha256[32];      /* of the valid bytes */
  guint8 mark_sha256[32]; /* of the first mark bytes, when valid reaches there */
  gboolean has_mark;
} SegmentScan;

/* plain: NULL without a cipher. Returns FALSE to stop. */
typedef gboolean (*SegmentRecordFunc) (const SegmentRecord *record, guint64 offset,
                                       const guint8 *plain, void *arg);
/* A record that was changed, whose place and size are still known; the walk goes on behind it. */
typedef void (*SegmentForgedFunc) (guint64 seq, guint64 offset, void *arg);

typedef struct {
  SegmentCipher *cipher;    /* NULL: only the structure is checked */
  guint64 mark;             /* 0: none */
  SegmentRecordFunc record; /* may be NULL */
  SegmentForgedFunc forged; /* NULL: a forged record ends the walk */
  void *arg;
} SegmentScanner;

void segment_scan (int fd, const guint8 *header, const SegmentScanner *scanner,
                   SegmentScan *ret_scan);
