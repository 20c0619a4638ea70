/* records.db as sqlite sees it: opening it in each way, its schema, its errors, and the lock
 * that says who writes.
 *
 * Exactly one connection writes and checkpoints (a station's writer thread). Everybody else opens
 * read-only, and without leaving a trace in a folder whose station does not run.
 */
#pragma once
#include "records/data_key.h"
#include "records/statement.h"

#define STORE_DB_NAME "records.db"
#define STORE_DB_APPLICATION 0x4e435243 /* "NCRC" */
#define STORE_DB_VERSION                                                                           \
  3 /* 1: without draft and patient_bidx, 2: without outbox; a writer adds them */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3, sqlite3_close_v2)

/* Sets error from the connection's last error; "doing" completes "records.db: cannot …". Returns
 * FALSE for the caller to return. */
gboolean store_db_fail (sqlite3 *db, const char *doing, GError **error);
gboolean store_db_exec (sqlite3 *db, const char *sql, GError **error);
/* NULL with error. */
sqlite3_stmt *store_db_prepare (sqlite3 *db, const char *sql, GError **error);
/* Steps a statement that gives no rows, then resets it. */
gboolean store_db_run (sqlite3_stmt *statement, GError **error);

void store_db_bind_text (sqlite3_stmt *statement, int at, const char *text);
void store_db_bind_blob (sqlite3_stmt *statement, int at, gconstpointer data, gsize size);
/* Column as text that is valid as long as the row; "" for NULL. */
const char *store_db_text (sqlite3_stmt *statement, int column);
/* (transfer full) */
GBytes *store_db_blob (sqlite3_stmt *statement, int column);

/* Creates the database when it is missing. WAL, synchronous=FULL, secure_delete. What a killed
 * station left in the WAL is checkpointed and the WAL truncated; ret_wal_bytes tells how much it
 * was. Only who holds the lock may call it. */
sqlite3 *store_db_open_writer (const char *state_dir, guint64 *ret_wal_bytes, GError **error);
/* live: a station has the folder open (store_lock_held()). */
sqlite3 *store_db_open_reader (const char *state_dir, gboolean live, GError **error);
/* Application id, version and schema are ours. */
gboolean store_db_check_schema (sqlite3 *db, GError **error);
/* FALSE: of version 1, which no writer has opened since. */
gboolean store_db_has_outbox (sqlite3 *db);

/* STATE/lock: an open-file-description lock, gone with its process. Returns a descriptor, or -1
 * with RECORDS_ERROR_EXISTS that names the other's pid. */
int store_lock_take (const char *state_dir, GError **error);
/* Whether anybody, this process included, holds it. Takes nothing and writes nothing. */
gboolean store_lock_held (const char *state_dir);
