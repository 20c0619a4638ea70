/* The bytes of a segment (segment.h, docs/records.md). Sans-IO.
 *
 *     0  magic "NHIPSEG1"        76  segment id 16
 *     8  version u16 = 1         92  SHA-256 of the previous segment's file 32, zero for the first
 *    10  alg u16 = 1            124  mime type 128, NUL-padded
 *    12  consultation id 16     252  epoch_us i64
 *    28  stream 48, NUL-padded  260  zero up to 4096                       all integers BE
 *
 * The last record of a segment that was closed in good order has SEGMENT_FINAL, and holds the
 * index: for each record before it size u32 | flags u32 | pts u64.
 */
#pragma once
#include "records/segment.h"

#define SEGMENT_HEADER 4096
#define SEGMENT_RECORD_HEAD 24
#define SEGMENT_TAG 16
#define SEGMENT_RECORD_MAX (1024 * 1024) /* plain bytes; larger fragments are split */
#define SEGMENT_BYTES (64 * 1024 * 1024) /* a segment ends before it would grow beyond */
#define SEGMENT_INDEX_ENTRY 16
#define SEGMENT_RECORDS (SEGMENT_RECORD_MAX / SEGMENT_INDEX_ENTRY)
#define SEGMENT_FLAGS (SEGMENT_FINAL | SEGMENT_INIT | SEGMENT_KEY)
#define SEGMENT_STREAM 48
#define SEGMENT_MIME 128

typedef struct {
  guint8 consult[16], id[16], previous[32];
  char stream[SEGMENT_STREAM + 1], mime[SEGMENT_MIME + 1];
  gint64 epoch_us;
} SegmentHeader;

typedef struct {
  guint32 size, flags;
  guint64 seq;
  gint64 pts_us;
} SegmentRecord;

void segment_header_write (const SegmentHeader *header, guint8 out[SEGMENT_HEADER]);
/* TAMPERED or VERSION when the bytes are not a header. */
gboolean segment_header_read (const guint8 bytes[SEGMENT_HEADER], SegmentHeader *ret_header,
                              GError **error);

void segment_record_write (const SegmentRecord *record, guint8 out[SEGMENT_RECORD_HEAD]);
/* FALSE when no record can begin so: too large, unknown flags, or not number seq. */
gboolean segment_record_read (const guint8 bytes[SEGMENT_RECORD_HEAD], guint64 seq,
                              SegmentRecord *ret_record);
/* Bytes of the whole record in the file. */
gsize segment_record_span (guint32 size);

/* AES-256-GCM of one segment's records. One thread at a time. */
typedef struct SegmentCipher SegmentCipher;
SegmentCipher *segment_cipher_new (DataKey *key, const guint8 segment_id[16],
                                   const guint8 header[SEGMENT_HEADER]);
void segment_cipher_free (SegmentCipher *cipher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegmentCipher, segment_cipher_free)
/* out: segment_record_span() bytes, the whole record. */
gboolean segment_cipher_seal (SegmentCipher *cipher, const SegmentRecord *record,
                              const guint8 *plain, guint8 *out, GError **error);
/* whole: the record as in the file; out: record->size bytes, may be NULL to check only. FALSE
 * when it does not authenticate or its padding is not zero. */
gboolean segment_cipher_open (SegmentCipher *cipher, const SegmentRecord *record,
                              const guint8 *whole, guint8 *out);
