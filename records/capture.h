/* Raw captures: every byte of a device's line, sealed, in a file of its own that can be brought
 * home.
 *
 *     0  magic "NHIPCAP1"      12  file id 16
 *     8  version u16 = 1       28  length of A u32 | A: file key, sealed under the station's own
 * key 10  alg u16 = 1               length of B u32 | B: file key, CMS for the recovery recipients
 *
 *   then records: length u32 | seq u64 | nonce 12 | ct | tag 16                all integers BE
 *     AAD: SHA-256 of all before the records | length | seq
 *     plain: kind u8 | CLOCK_MONOTONIC i64 µs | UTC i64 µs | bytes
 *
 * The first record is CAPTURE_ABOUT, JSON; the last of a capture that ended in good order is
 * CAPTURE_END. A kill leaves whole records; at most the one being written is cut, and left out.
 * Only the file's place and size are plain. One thread at a time.
 */
#pragma once
#include "records/vault.h"
#include <jansson.h>

#define CAPTURE_BYTES_MAX (64 * 1024) /* of one record */

typedef enum { CAPTURE_FROM_DEVICE, CAPTURE_TO_DEVICE, CAPTURE_ABOUT, CAPTURE_END } CaptureKind;

typedef struct CaptureWriter CaptureWriter;

/* A new file, 0600; EXISTS when there is one. The station's own key must be open (LOCKED). about is
 * kept in the file: what device, what it speaks. */
CaptureWriter *capture_create (const char *path, Vault *vault, json_t *about, GError **error);
/* In the file when this returns; on the disk within a second of writing. Longer data becomes
 * several records. */
gboolean capture_write (CaptureWriter *writer, CaptureKind kind, gint64 monotonic_us, gint64 utc_us,
                        const guint8 *data, gsize length, GError **error);
guint64 capture_size (const CaptureWriter *writer); /* bytes of the file */
/* Ends it in good order. */
void capture_close (CaptureWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CaptureWriter, capture_close)

typedef struct CaptureReader CaptureReader;

typedef struct {
  CaptureKind kind;
  gint64 monotonic_us, utc_us;
  GBytes *data;
} CaptureRecord;

/* With the station's own key. */
CaptureReader *capture_open (const char *path, Vault *vault, GError **error);
/* With a recovery key, on any machine. */
CaptureReader *capture_open_recovery (const char *path, EVP_PKEY *key, X509 *certificate,
                                      GError **error);
void capture_reader_free (CaptureReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CaptureReader, capture_reader_free)
const json_t *capture_about (const CaptureReader *reader);

typedef enum {
  CAPTURE_GOT,
  CAPTURE_WHOLE,  /* the end that was written in good order */
  CAPTURE_CUT,    /* the end of what there is */
  CAPTURE_BROKEN, /* error: changed, or the disk does not give the bytes */
} CaptureRead;
/* The next record (ret_record->data: transfer full, wiped when freed). */
CaptureRead capture_read (CaptureReader *reader, CaptureRecord *ret_record, GError **error);
