/* The tables that stand outside of the log: drafts and the blind index. */
#include "records/draft.h"
#include "records/verify_private.h"

#include <string.h>

static gboolean
sum_is_good (const char *table, sqlite3_stmt *row, guint columns)
{
  guint8 sum[32];
  draft_sum (table, row, columns, sum);
  return sqlite3_column_bytes (row, (int)columns) == sizeof sum
         && memcmp (sqlite3_column_blob (row, (int)columns), sum, sizeof sum) == 0;
}

static void
check_draft (Verify *verify, sqlite3_stmt *row)
{
  const char *consult = store_db_text (row, 0), *note = store_db_text (row, 1);
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " draft %s/%s", consult, note);
  g_autoptr (GError) error = NULL;
  if (!verify_wants (verify, consult))
    return;
  if (!sum_is_good ("draft", row, 3)) {
    verify_report (verify, VERIFY_BAD, "draft-damaged", where,
                   "what was being typed is not as it was written");
    return;
  }
  DataKey *key = verify_key (verify, consult, PURPOSE_CLINICAL);
  if (key == NULL)
    return;
  g_autoptr (GBytes) sealed = store_db_blob (row, 2);
  g_autoptr (StoreDraft) draft = draft_open (key, consult, note, sealed, &error);
  if (draft == NULL)
    verify_report (verify, VERIFY_BAD, "draft-unreadable", where, "%s", error->message);
}

static void
check_entry (Verify *verify, sqlite3_stmt *row)
{
  if (!sum_is_good ("patient_bidx", row, 2))
    verify_report (verify, VERIFY_BAD, "index-damaged", STORE_DB_NAME " patient_bidx",
                   "an entry of consultation %s is not as it was written", store_db_text (row, 1));
}

static void
walk (Verify *verify, const char *sql, void (*check) (Verify *verify, sqlite3_stmt *row))
{
  g_autoptr (sqlite3_stmt) rows = store_db_prepare (verify->db, sql, NULL);
  int rc = SQLITE_ERROR;
  while (rows != NULL && (rc = sqlite3_step (rows)) == SQLITE_ROW)
    check (verify, rows);
  if (rc != SQLITE_DONE)
    verify_report (verify, VERIFY_BAD, "database-damaged", STORE_DB_NAME, "%s",
                   sqlite3_errmsg (verify->db));
}

void
verify_drafts (Verify *verify)
{
  g_autoptr (sqlite3_stmt) version = store_db_prepare (verify->db, "PRAGMA user_version", NULL);
  if (version != NULL && sqlite3_step (version) == SQLITE_ROW
      && sqlite3_column_int64 (version, 0) < 2)
    return; /* of a program that had none */
  walk (verify, "SELECT consult, note, sealed, sum FROM draft", check_draft);
  walk (verify, "SELECT bidx, consult, sum FROM patient_bidx", check_entry);
}
