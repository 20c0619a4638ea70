/* Tables whose rows are overwritten, or go: drafts and the blind index. */
#include "records/draft.h"
#include "records/patient_index.h"
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

/* What the leaf tells of, or a leaf of a program that did not tell what was typed. */
static gboolean
is_of_leaf (GBytes *sealed, const DraftFacts *facts)
{
  guint8 hash[32];
  char hex[STORE_HEX];
  store_sha256 (g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed), hash);
  store_hex (hash, hex);
  return facts->sha256[0] == '\0' || g_str_equal (facts->sha256, hex);
}

static void
check_draft (Verify *verify, sqlite3_stmt *row)
{
  const char *consult = store_db_text (row, 0), *note = store_db_text (row, 1);
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " draft %s/%s", consult, note);
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("%s %s", consult, note), *told_of = NULL;
  g_autofree DraftFacts *facts = NULL;
  g_hash_table_steal_extended (verify->drafts, name, (gpointer *)&told_of, (gpointer *)&facts);
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
  else if (facts == NULL)
    verify_report (verify, VERIFY_BAD, "draft-old", where,
                   "the log tells that it was saved, or does not tell of it: somebody put it back");
  else if (!is_of_leaf (sealed, facts) && draft->log <= (gint64)facts->leaf)
    verify_report (verify, VERIFY_BAD, "draft-old", where,
                   "the log tells of a newer text: somebody put an older one back");
}

/* Takes an entry's tag from those that the log tells of; without the key any one, so that at least
 * their number is checked. */
static void
meet_entry (Verify *verify, const char *consult, sqlite3_stmt *row)
{
  GHashTable *tags = g_hash_table_lookup (verify->index, consult);
  char tag[2 * PATIENT_INDEX_TAG + 1];
  if (tags == NULL || !verify_wants (verify, consult)
      || sqlite3_column_bytes (row, 0) != PATIENT_INDEX_SIZE)
    return;
  DataKey *key = verify_key (verify, consult, PURPOSE_CLINICAL);
  if (key != NULL) {
    patient_index_tag (key, sqlite3_column_blob (row, 0), tag);
    g_hash_table_remove (tags, tag);
    return;
  }
  GHashTableIter iter;
  g_hash_table_iter_init (&iter, tags);
  if (g_hash_table_iter_next (&iter, NULL, NULL))
    g_hash_table_iter_remove (&iter);
}

static void
check_entry (Verify *verify, sqlite3_stmt *row)
{
  if (!sum_is_good ("patient_bidx", row, 2))
    verify_report (verify, VERIFY_BAD, "index-damaged", STORE_DB_NAME " patient_bidx",
                   "an entry of consultation %s is not as it was written", store_db_text (row, 1));
  else
    meet_entry (verify, store_db_text (row, 1), row);
}

/* What was destroyed with its consultation's key is not missed. */
static gboolean
is_shredded (Verify *verify, const char *consult)
{
  g_autofree char *key = g_strdup_printf ("%s %s", consult, purpose_name (PURPOSE_CLINICAL));
  return g_hash_table_contains (verify->shredded, key);
}

static void
report_missing_entries (Verify *verify)
{
  GHashTableIter iter;
  gpointer consult, tags;
  g_hash_table_iter_init (&iter, verify->index);
  while (g_hash_table_iter_next (&iter, &consult, &tags))
    if (g_hash_table_size (tags) > 0 && verify_wants (verify, consult)
        && !is_shredded (verify, consult))
      verify_report (verify, VERIFY_BAD, "index-deleted", STORE_DB_NAME " patient_bidx",
                     "%u entries of consultation %s are gone: a search by number or name may miss "
                     "it",
                     g_hash_table_size (tags), (const char *)consult);
}

static void
report_missing (Verify *verify)
{
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init (&iter, verify->drafts);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_auto (GStrv) words = g_strsplit (name, " ", 2);
    g_autofree char *where = g_strdup_printf (STORE_DB_NAME " draft %s/%s", words[0], words[1]);
    if (verify_wants (verify, words[0]) && !is_shredded (verify, words[0]))
      verify_report (verify, VERIFY_BAD, "draft-deleted", where,
                     "the log tells that it was being typed, but it is gone");
  }
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
  report_missing (verify);
  walk (verify, "SELECT bidx, consult, sum FROM patient_bidx", check_entry);
  report_missing_entries (verify);
}
