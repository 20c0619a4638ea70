/* The store: every row of every consultation, sealed, append-only, in STATE/records.db, with a
 * Merkle log (RFC 6962 §2.1) over everything. docs/records.md has schema and encodings.
 *
 * One writer thread owns the only read-write connection (WAL, synchronous=FULL,
 * secure_delete=ON); rows that wait for an acknowledgement are committed at once, others within
 * 100 ms; a row and its audit leaf are one transaction. Reads use a read-only connection and
 * may come from any thread (a mutex inside).
 *
 *   consult(id, created_day)               plain: that there was one, and the day
 *   rec(id, consult, kind, seq, sealed)    versions, never updates; latest seq of a kind rules
 *   segment(id, consult, stream, idx, state, bytes, sha256)
 *   audit(idx, leaf_hash, what)            one leaf for each of these, and for keys and files
 *   checkpoint(size, root, sig)            signed by the station (certs/identity.h)
 *
 * Sealed inside a row: {"at": {boot, mono_us, utc_us, trust}, "user", "body", "log"}.
 */
#pragma once
#include "certs/identity.h"
#include "records/vault.h"
#include <jansson.h>

typedef struct Store Store;

typedef enum { STORE_READ_ONLY, STORE_READ_WRITE } StoreMode;

/* signer NULL: no checkpoints. Read-write takes a lock file; a second station on the same folder
 * gets RECORDS_ERROR_EXISTS with the other's pid. Repairs after a kill: WAL is checkpointed and
 * truncated, open segments are cut to their valid prefix and marked. */
Store *store_open (const char *state_dir, Vault *vault, Identity *signer, StoreMode mode,
                   GError **error);
void
store_free (Store *store); /* waits for the queue, signs a checkpoint; tracks are closed before */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Store, store_free)

Vault *store_vault (Store *store);
/* Whether somebody, this process included, has the folder open for writing. */
gboolean store_is_running (const char *state_dir);

/* Finishes what a kill left behind and could not be finished at opening for want of a key: cuts
 * torn segments, writes the station's "recovered" row. To be called after vault_unlock() and
 * vault_unlock_boot(); track_open() and recording_index() do it for their consultation. */
gboolean store_repair (Store *store, GError **error);

/* How far the clock is trusted, kept with each row from now on: "none" (a lower bound only),
 * "ntp", "hospital". */
void store_set_clock_trust (Store *store, const char *trust);

/* A new consultation: id (UUID, transfer full), its clinical key, its first "consultation" row. */
char *store_create_consult (Store *store, const char *user, json_t *body, GError **error);

/* done comes in the caller's thread-default GMainContext when the row is durable, or not (error).
 * done may be NULL. body is not kept. Every row is sealed under the consultation's clinical key;
 * consult "station" means the station's own rows and key. kind: [a-z0-9-]{1,48}, plain on disk.
 * user NULL: the station itself. */
typedef void (*StoreDone) (gint64 seq, const GError *error, void *arg);
void store_put (Store *store, const char *consult, const char *kind, const char *user, json_t *body,
                StoreDone done, void *arg);
/* Several rows of one kind in one transaction (an HL7 message's observations): bodies is an
 * array, seq in done that of the last. */
void store_put_many (Store *store, const char *consult, const char *kind, const char *user,
                     json_t *bodies, StoreDone done, void *arg);
/* The same, waiting. */
gboolean store_put_sync (Store *store, const char *consult, const char *kind, const char *user,
                         json_t *body, gint64 *ret_seq, GError **error);

/* Drafts: what is being typed, one per note, overwritten each time and outside of the log. Sealed
 * under the consultation's clinical key. note: [A-Za-z0-9_-]{1,64}. done as of store_put(), seq 0.
 */
void store_put_draft (Store *store, const char *consult, const char *note, const char *user,
                      json_t *body, StoreDone done, void *arg);
/* As store_put(); in the same transaction the draft of `note` goes. */
void store_put_saved (Store *store, const char *consult, const char *kind, const char *user,
                      json_t *body, const char *note, StoreDone done, void *arg);
typedef struct {
  char *note, *user;
  gint64 utc_us;
  gint64 log; /* leaves that there were when it was written; 0 of an older program */
  json_t *body;
} StoreDraft;
/* All drafts of a consultation: array of StoreDraft* (transfer full). One that was damaged is left
 * out, so that the rest can be worked with; verify names it. */
GPtrArray *store_read_drafts (Store *store, const char *consult, GError **error);
/* Makes a row of kind "note" of each draft of a consultation, under its own user, and waits. Not in
 * the writer's thread. */
gboolean store_save_drafts (Store *store, const char *consult, GError **error);

typedef struct {
  char *consult, *kind, *user;
  gint64 seq;
  gint64 utc_us, mono_us;
  char *boot; /* boot id of the machine, UUID */
  char *trust;
  json_t *body;
} StoreRow;
void store_row_free (StoreRow *row);

/* Rows of one kind (NULL: all) with seq > after, in order of writing. Array of StoreRow*. */
GPtrArray *store_read (Store *store, const char *consult, const char *kind, gint64 after,
                       GError **error);
/* The first `limit` of them at most; kind is wanted. */
GPtrArray *store_read_some (Store *store, const char *consult, const char *kind, gint64 after,
                            guint limit, GError **error);
/* All rows but those of one kind, in order of writing: waves are many, and read piece by piece. */
GPtrArray *store_read_without (Store *store, const char *consult, const char *kind, GError **error);
/* Newest row of a kind; NULL with error NOT_FOUND when there is none. */
StoreRow *store_latest (Store *store, const char *consult, const char *kind, GError **error);
/* All consultations, newest first: array of char* ids. */
GPtrArray *store_list_consults (Store *store, GError **error);
/* The newest `limit` of them at most, or of those before the consultation `before` (NULL: none),
 * without reading the others. Empty when there is no such consultation. */
GPtrArray *store_list_some (Store *store, const char *before, guint limit, GError **error);
/* The day on which one was created, "2026-11-20" UTC; readable without a key (transfer full). */
char *store_consult_day (Store *store, const char *consult, GError **error);

/* Signed checkpoint of the log now. One is made every five minutes and at the end in any case. */
gboolean store_checkpoint (Store *store, GError **error);
/* Destroys a key for good (vault_destroy_key()), said in the log before. */
gboolean store_destroy_key (Store *store, const char *consult, Purpose purpose, GError **error);
/* Manifest of one consultation: {version, consult, size, root, records:[{kind, seq, sha256}],
 * segments:[{id, sha256}], cms_sha256:[…]} as canonical JSON: what a person signs. sha256 is null
 * for a segment that is still open. */
GBytes *store_manifest (Store *store, const char *consult, GError **error);

/* Files of the state folder that never change on their own (certificates …) are listed with
 * their hash in the log, so that a changed byte in them is found. To be called again after each
 * intended change. relative_path: [A-Za-z0-9._/-]. */
gboolean store_register_file (Store *store, const char *relative_path, GError **error);
/* After vault_set_recovery(): the log tells of each key's new escrow. Also done when a store is
 * opened, for a kill may come between: of the newest keys, as far back as one was not told of. */
gboolean store_log_escrows (Store *store, GError **error);
/* What opening does of the newest keys only, of all: those that the log does not tell of are told,
 * and those are destroyed that it says are to go. Seconds at 50,000 consultations; any thread. */
gboolean store_check_keys (Store *store, GError **error);
