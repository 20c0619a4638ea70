/* Verification and recovery: what holds of a state folder and what does not.
 *
 * Every file of the folder is walked: both databases (sqlite's own integrity, schema, WAL frames,
 * each sealed row, each leaf and root of the log, checkpoint signatures), each segment (header,
 * each record, chain and hash), registered files. A file nobody knows is named.
 */
#pragma once
#include "records/store.h"

typedef enum { VERIFY_GOOD, VERIFY_NOTE, VERIFY_BAD } VerifyVerdict;

/* where: "records.db rec 4f…/note/3", "media/….seg record 17"; what: plain words, English.
 * code: stable machine word ("row-tampered", "segment-torn", "needs-key", ...). */
typedef void (*VerifyFinding) (VerifyVerdict verdict, const char *code, const char *where,
                               const char *what, void *arg);

typedef struct {
  guint64 rows, segments, media_records, attachments, files, bytes; /* checked */
  guint bad, notes;
} VerifySummary;

/* consult NULL: everything. vault may be closed: then what only a key can tell is reported once
 * per consultation as VERIFY_NOTE "needs-key", the hashes are checked all the same.
 * vault NULL: the key files cannot be read at all, which is a finding, too.
 * FALSE with error only when the folder cannot be read, or consult is not in it (NOT_FOUND). */
gboolean verify_state (const char *state_dir, Vault *vault, const char *consult,
                       VerifyFinding finding, void *arg, VerifySummary *ret_summary,
                       GError **error);

/* Opens everything of one consultation (NULL: all) with a recovery key and writes it to out_dir:
 * ID/record.json (rows in order), ID/<stream>-<n>.mp4|webm (init and fragments joined).
 * Works without any passphrase and without the boot credential. */
gboolean recover_records (const char *state_dir, EVP_PKEY *key, X509 *certificate,
                          const char *consult, const char *out_dir, GError **error);
