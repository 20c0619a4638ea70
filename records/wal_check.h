/* SQLite's write-ahead log, frame by frame (SQLite file format §4.1-4.3): salts and cumulative
 * checksums. SQLite itself stops silently at the first frame that does not check out, so a
 * flipped byte would drop committed rows without a word; this tells.
 */
#pragma once
#include <glib.h>

typedef enum {
  WAL_TAIL_NONE, /* the file ends with the last good frame */
  WAL_TAIL_OLD,  /* what follows are frames of an earlier use of the file: never read, harmless */
  WAL_TAIL_TORN, /* the file ends inside a frame: a write was cut short, harmless */
  WAL_TAIL_BAD,  /* a whole frame, or the header, does not check out */
} WalTail;

typedef struct {
  guint32 page_size; /* 0: no header, the log is empty */
  guint64 frames;    /* good ones */
  guint64 committed; /* of these, up to the last commit: what a reader sees */
  guint32 db_pages;  /* size of the database after the last commit; 0 when none */
  WalTail tail;
  guint64 tail_offset; /* where the good part ends */
} WalReport;

/* A log in memory. Never fails; bounded by size. */
void wal_check (const guint8 *wal, gsize size, WalReport *ret_report);

/* The same for a file, read without locks or writes. A file that is not there is an empty log.
 * While the station runs it can change under the reader: check again when tail is WAL_TAIL_BAD.
 * FALSE with G_FILE_ERROR when it cannot be read. */
gboolean wal_check_file (const char *path, WalReport *ret_report, GError **error);

/* Puts the committed pages into the image of a database (all its bytes): what a reader would
 * see. report as wal_check() gave it for the same log. FALSE when the page sizes do not fit. */
gboolean wal_apply (const guint8 *wal, const WalReport *report, GByteArray *database);
