/* The one thread that writes records.db. Jobs run in the order of pushing, many in one
 * transaction: at once when one of them is awaited, else within 100 ms. A job that fails leaves
 * nothing behind and does not harm its neighbours; when the disk fails, all of the transaction
 * fail, and the queue goes on with the next. A full disk is met by releasing the reserve
 * (space.c) and trying once more.
 */
#pragma once
#include "records/store_log.h"

typedef struct StoreWriter StoreWriter;

typedef struct {
  sqlite3 *db;
  StoreLog log;
  sqlite3_stmt *newest_seq, *insert_rec;
  GHashTable *drafts; /* draft.c: which were told of when; NULL: none */
} StoreWrite;

/* In the writer's thread, inside a transaction. May run again when the first try was rolled
 * back, so it keeps nothing from one to the other but what it set in arg. */
typedef gboolean (*StoreJobRun) (StoreWrite *write, gpointer arg, GError **error);
/* In the writer's thread, after the commit (error NULL) or in vain. Owns arg from here. */
typedef void (*StoreJobDone) (gpointer arg, const GError *error);

/* Takes db. signer may be NULL and must outlive the writer. */
StoreWriter *store_writer_new (const char *state_dir, sqlite3 *db, Identity *signer,
                               GError **error);
/* Finishes the queue, signs a checkpoint, closes the database. */
void store_writer_free (StoreWriter *writer);

/* done may be NULL. Any thread. */
void store_writer_push (StoreWriter *writer, StoreJobRun run, StoreJobDone done, gpointer arg,
                        gboolean awaited);
/* Waits. arg stays the caller's. Any thread but the writer's own. */
gboolean store_writer_call (StoreWriter *writer, StoreJobRun run, gpointer arg, GError **error);
gboolean store_writer_checkpoint (StoreWriter *writer, GError **error);
