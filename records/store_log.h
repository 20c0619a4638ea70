/* The log over everything in the store: one leaf for each thing written, RFC 6962 (merkle.h).
 *
 * A leaf is one line of ASCII, its words apart by one space, hashes in lower-case hex:
 *
 *   consult ID DAY                                a consultation began
 *   rec CONSULT KIND SEQ SCHEMA SHA256            a sealed row; rec.id is the leaf's index
 *   key CONSULT PURPOSE EPOCH COMMIT CMS_SHA256   a key and its escrow, in keys.db
 *   shred CONSULT PURPOSE                         that key is to be destroyed
 *   open SEGMENT CONSULT STREAM IDX HEADER_SHA256
 *   mark SEGMENT BYTES SHA256                     so much of an open segment is durable
 *   closed SEGMENT BYTES TAIL SHA256              closed in good order; TAIL: its last record
 *   torn SEGMENT BYTES SHA256                     cut to its valid prefix
 *   file PATH SHA256                              a file that does not change on its own
 *   file PATH gone                                it was taken away on purpose
 *   signer SHA256                                 certificate whose key signs checkpoints
 *   checkpoint SIZE ROOT SIG_SHA256
 *
 * One thread, the connection's.
 */
#pragma once
#include "certs/identity.h"
#include "records/merkle.h"
#include "records/store_db.h"

typedef struct {
  sqlite3 *db;
  Merkle merkle;
  sqlite3_stmt *insert; /* NULL: reading only */
} StoreLog;

/* Starts at the newest checkpoint whose peaks give its root, else at the first leaf. */
gboolean store_log_load (StoreLog *log, sqlite3 *db, GError **error);
void store_log_clear (StoreLog *log);

/* Index that the next leaf will have. */
guint64 store_log_next (StoreLog *log);
/* Inside a transaction; when that is rolled back, set log->merkle back to a copy made before. */
gboolean store_log_append (StoreLog *log, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
/* Newest leaf, other than "rec", that begins with these words and a space. NULL without error:
 * there is none. (transfer full) */
char *store_log_find (sqlite3 *db, const char *words, GError **error);
/* Whether the log has exactly this leaf, which is not of a row. FALSE with error when it cannot be
 * read. */
gboolean store_log_has (sqlite3 *db, const char *leaf, GError **error);

/* Signs the log as it stands. Nothing happens when it already ends with a checkpoint. */
gboolean store_log_checkpoint (StoreLog *log, Identity *signer, GError **error);
/* What is signed: "nhipcau checkpoint 1\nSIZE\nROOT\n". (transfer full) */
GBytes *store_log_statement (guint64 size, const guint8 root[MERKLE_HASH]);

/* Lower-case hex, NUL-terminated. */
#define STORE_HEX (2 * 32 + 1)
void store_hex (const guint8 hash[32], char ret_text[STORE_HEX]);
/* Of any bytes (transfer full). */
char *store_hex_of (GBytes *bytes);
void store_sha256 (gconstpointer data, gsize size, guint8 ret_hash[32]);
