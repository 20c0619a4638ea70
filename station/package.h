/* What goes to a hospital beside the record itself: its files (pictures, ECG and DICOM objects,
 * waves) or its recording, as a list of pieces that are sent one by one, so that a broken link
 * costs one piece. The same record gives the same pieces, names and bytes at every try.
 *
 *   files      attachment-SEQ.EXT, in pieces of PACKAGE_PIECE bytes, and waves.ndjson: a line for
 *              each row of kind "wave", {"at", "body"}
 *   recording  STREAM-N.EXT, cut before key frames: a piece has a head, the init of its file. Head
 *              and body are a file that players take; the head of the first and all bodies joined
 *              are the whole file, as `record recover` writes it
 *
 * Any thread.
 */
#pragma once
#include "records/store.h"

#define PACKAGE_PIECE (4u * 1024 * 1024) /* bytes: 90 s at 384 kbit/s */

typedef enum { PACKAGE_FILES, PACKAGE_RECORDING } PackageKind;
/* "files", "recording": names of these items in the outbox. FALSE: another item. */
gboolean package_kind_parse (const char *item, PackageKind *ret_kind);

typedef struct {
  char *file;    /* name: [A-Za-z0-9.-]{1,80} */
  char *mime;    /* with codecs */
  char *title;   /* for people; NULL: none */
  char *sort;    /* "still", "dicom", "video", "sound", "waves" …: what it is */
  char *created; /* UTC of its beginning, ISO 8601; NULL: not known */
  char *sha256;  /* of the whole file where the record tells it; NULL */
  guint nth, of; /* piece of its file, from 0 */
  guint64 size;  /* bytes of the body, about those of waves */
  /* Where it is read. */
  PackageKind kind;
  char *source; /* attachment or segment; NULL: waves */
  guint64 from, count, inits;
} PackagePiece;

/* In order of sending; empty: there is nothing of this kind (any more). Array of PackagePiece*;
 * NULL with error (LOCKED, …). */
GPtrArray *package_plan (Store *store, const char *consult, PackageKind kind, GError **error);
/* The body; ret_head: the init, NULL where there is none (both transfer full). */
GBytes *package_read (Store *store, const char *consult, const PackagePiece *piece,
                      GBytes **ret_head, GError **error);
/* Whether a record has anything of this kind; for the recording no key is wanted. */
gboolean package_exists (Store *store, const char *consult, PackageKind kind);
