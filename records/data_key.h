/* The key of one consultation and purpose (DEK), in locked, non-dumpable memory.
 *
 *   HKDF-SHA256(DEK, info "nhipcau/1/row")             → K_row, seals database rows
 *   HKDF-SHA256(DEK, info "nhipcau/1/commit")          → commit, 32 B, stored in keys.db
 *   HKDF-SHA256(station's DEK, info "nhipcau/1/keys-mac") → authenticates the rows of keys.db
 *   HKDF-SHA256(DEK, salt = segment id, info "nhipcau/1/segment") → K_seg, seals one segment
 *   HKDF-SHA256(DEK, salt = attachment id, info "nhipcau/1/attachment") → seals one attachment
 *   HKDF-SHA256(DEK, info "nhipcau/1/attachment-name") → names attachments
 *
 * Sealed row: version u8 = 1 | alg u8 = 1 (AES-256-GCM) | epoch u16 BE | nonce 12 | ct | tag 16.
 * AAD is canonical: each part as u32 BE length and bytes, in the order given below.
 * Immutable and counted; any thread.
 */
#pragma once
#include <glib.h>

#define RECORDS_ERROR (records_error_quark ())
GQuark records_error_quark (void);
typedef enum {
  RECORDS_ERROR_FAILED,
  RECORDS_ERROR_LOCKED, /* the key is there, but nothing open can unwrap it: sign in */
  RECORDS_ERROR_NOT_FOUND,
  RECORDS_ERROR_TAMPERED,   /* authentication failed, a hash does not fit */
  RECORDS_ERROR_VERSION,    /* written by a newer program */
  RECORDS_ERROR_DISK,       /* I/O error or disk full */
  RECORDS_ERROR_CREDENTIAL, /* wrong passphrase, PIN or boot credential */
  RECORDS_ERROR_EXISTS,
} RecordsError;

#define DATA_KEY_SIZE 32

typedef struct DataKey DataKey;

/* bytes: DATA_KEY_SIZE, copied; the caller wipes its own. */
DataKey *data_key_new (const guint8 *bytes, guint16 epoch);
DataKey *data_key_ref (DataKey *key);
void data_key_unref (DataKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DataKey, data_key_unref)

guint16 data_key_epoch (DataKey *key);
void data_key_commitment (DataKey *key, guint8 ret_commit[32]);
/* K_seg of a segment; wipe after use. */
void data_key_segment (DataKey *key, const guint8 segment_id[16], guint8 ret_key[32]);
/* The key of one attachment; wipe after use. */
void data_key_attachment (DataKey *key, const guint8 attachment_id[32], guint8 ret_key[32]);

/* A key for one more use: HKDF-SHA256(DEK, info), info "nhipcau/1/…" and used for nothing else;
 * wipe after use. */
void data_key_derive (DataKey *key, const char *info, guint8 ret_key[32]);

/* What a row is bound to: all of it authenticated, none of it secret. */
typedef struct {
  const char *table;   /* "rec" */
  const char *consult; /* UUID text; "station" for the station's own rows */
  const char *kind;
  gint64 seq;
  guint schema; /* version of the body's shape */
} RowBinding;

/* (transfer full). Opened bytes are wiped when freed. Anything that does not authenticate is
 * RECORDS_ERROR_TAMPERED, an unknown version or alg RECORDS_ERROR_VERSION. */
GBytes *data_key_seal_row (DataKey *key, const RowBinding *binding, GBytes *plain, GError **error);
GBytes *data_key_open_row (DataKey *key, const RowBinding *binding, GBytes *sealed, GError **error);
