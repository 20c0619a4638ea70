/* Which parts of a file a page still wants, cut into chunks: each byte once, in order. Sans-IO.
 *
 * A chunk on the channel "file": id of the file (16 bytes), offset of its first byte (32 bits,
 * network order), bytes of the file.
 */
#pragma once
#include <glib.h>

enum { FILE_ID_BYTES = 16, FILE_CHUNK_BYTES = 1000, FILE_CHUNK_HEADER = 20, FILE_PARTS_MAX = 64 };

typedef struct {
  guint32 from, to; /* bytes [from, to) */
} FilePart;

typedef struct FileParts FileParts;

/* Of a file of that size: what lies beyond it, is empty or was named twice is left out. n ≤
 * FILE_PARTS_MAX, the rest is ignored. */
FileParts *file_parts_new (guint32 size, const FilePart *wanted, guint n);
void file_parts_free (FileParts *parts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FileParts, file_parts_free)

/* The next FILE_CHUNK_BYTES or fewer; FALSE: that was all. */
gboolean file_parts_next (FileParts *parts, FilePart *ret_part);
/* Bytes that are still to come. */
guint32 file_parts_left (const FileParts *parts);

/* The chunk as it goes on the wire (transfer full). */
GBytes *file_chunk_write (const guint8 id[FILE_ID_BYTES], GBytes *file, const FilePart *part);
