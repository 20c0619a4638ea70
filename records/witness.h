/* Rollback: a state folder of last week is soundly signed. Whoever outside knows a later log, or a
 * document of it, is a witness: a backup, the hospital's receipt, a specialist's browser, the hash
 * on a printed page. What a witness knows and this log does not go on from is told in the log once,
 *
 *   fork SOURCE SIZE ROOT
 *
 * and work continues. Any thread; waits for the disk.
 */
#pragma once
#include "records/store.h"

typedef struct {
  guint64 size; /* leaves; of a checkpoint or any other moment */
  char root[65];
} WitnessPoint;

/* The log as it is now: for a witness to keep. */
gboolean witness_point (Store *store, WitnessPoint *ret_point, GError **error);
/* root: 64 hex digits; size > 0. Reads the leaves behind the newest checkpoint before size.
 * ret_known: this log goes on from there. When it does not, the leaf is written (not again), if the
 * store can be written. source: [a-z-]{1,24}. */
gboolean witness_check (Store *store, const char *source, guint64 size, const char *root,
                        gboolean *ret_known, GError **error);
/* The log as it is now, signed as a checkpoint is: {"root", "signature": base64 of the CMS,
 * "size"}, for a witness who need not be believed: what it tells later counts by this signature. */
json_t *witness_head (Store *store, Identity *signer, GError **error);
/* The same back from the witness, hostile until checked. TAMPERED: it is no head, or of no key of
 * this station (signer, which may be NULL, or one that has signed this log); then nothing is
 * concluded. Else as witness_check(). */
gboolean witness_check_head (Store *store, Identity *signer, const char *source, const json_t *head,
                             gboolean *ret_known, GError **error);
/* The SHA-256 on a signed paper: of a manifest that was signed here. Needs the keys of the
 * consultations; one that is locked counts as not known unless *ret_locked, in which case nothing
 * is written. */
gboolean witness_check_paper (Store *store, const char *sha256, gboolean *ret_known,
                              gboolean *ret_locked, GError **error);
/* Forks that the log tells of: array of char*, "SOURCE SIZE ROOT". */
GPtrArray *witness_forks (Store *store, GError **error);

/* For a store that another process has open: left in STATE/witness-told, one line "SOURCE SIZE
 * ROOT" each (SOURCE "paper", SIZE 0: the hash of a paper), to be taken by it. */
#define WITNESS_TOLD "witness-told"
gboolean witness_leave (const char *state_dir, const char *source, guint64 size, const char *root,
                        GError **error);
/* Checks what was left, 1000 lines at most, and takes it away; ret_unknown: how many of them this
 * log does not go on from. A paper waits while a record is locked. */
gboolean witness_take (Store *store, guint *ret_unknown, GError **error);
