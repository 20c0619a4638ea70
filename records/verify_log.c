#include "records/verify_private.h"
#include <string.h>

/* One leaf, its words apart. rec: the statement's present row, or NULL. */
typedef struct {
  guint64 idx;
  char **words;
  guint n;
  sqlite3_stmt *rec;
} Leaf;

/* Columns of the walk. */
enum { IDX, HASH, WHAT, REC_ID, REC_CONSULT, REC_KIND, REC_SEQ, REC_SCHEMA, REC_SEALED };

static char *
leaf_place (const Leaf *leaf)
{
  return g_strdup_printf (STORE_DB_NAME " audit %" G_GUINT64_FORMAT, leaf->idx);
}

static gboolean
hash_of_hex (const char *hex, guint8 ret_hash[32])
{
  if (strlen (hex) != 64)
    return FALSE;
  for (guint i = 0; i < 32; i++) {
    int high = g_ascii_xdigit_value (hex[2 * i]), low = g_ascii_xdigit_value (hex[2 * i + 1]);
    if (high < 0 || low < 0)
      return FALSE;
    ret_hash[i] = (guint8)(high << 4 | low);
  }
  return TRUE;
}

static gboolean
column_is (sqlite3_stmt *statement, int column, const char *text)
{
  gsize size = strlen (text);
  return (gsize)sqlite3_column_bytes (statement, column) == size
         && memcmp (store_db_text (statement, column), text, size) == 0;
}

static gboolean
blob_has_hash (sqlite3_stmt *statement, int column, const char *hex)
{
  guint8 hash[32];
  char found[STORE_HEX];
  store_sha256 (sqlite3_column_blob (statement, column),
                (gsize)sqlite3_column_bytes (statement, column), hash);
  store_hex (hash, found);
  return g_str_equal (found, hex);
}

/* ---- Rows --------------------------------------------------------------------------------- */

static void
check_opened (Verify *verify, const Leaf *leaf, const char *where, guint64 size,
              const guint8 root[MERKLE_HASH])
{
  guint8 now[MERKLE_HASH];

  if (size != leaf->idx) {
    verify_report (verify, VERIFY_BAD, "row-moved", where,
                   "was written at place %" G_GUINT64_FORMAT
                   " of the log, stands at %" G_GUINT64_FORMAT,
                   size, leaf->idx);
    verify->log_broken = TRUE;
    return;
  }
  if (verify->log_broken)
    return;
  merkle_root (&verify->merkle, now);
  if (memcmp (now, root, MERKLE_HASH) == 0)
    return;
  verify_report (verify, VERIFY_BAD, "log-rewritten", where,
                 "the log before this row is not the one on which it was written: something "
                 "before it was changed, taken away or added");
  verify->log_broken = TRUE;
}

static void
open_row (Verify *verify, const Leaf *leaf, const char *where)
{
  const char *consult = leaf->words[1], *kind = leaf->words[2];
  gboolean station = g_str_equal (consult, STORE_STATION);
  DataKey *key = verify_key (verify, consult, station ? PURPOSE_STATION : PURPOSE_CLINICAL);
  g_autoptr (GError) error = NULL;
  guint8 root[MERKLE_HASH];
  guint64 size;

  if (key == NULL)
    return;
  g_autoptr (GBytes) sealed = store_db_blob (leaf->rec, REC_SEALED);
  StoreRow *row = store_row_open (key, consult, kind, sqlite3_column_int64 (leaf->rec, REC_SEQ),
                                  (guint)sqlite3_column_int64 (leaf->rec, REC_SCHEMA), sealed,
                                  &size, root, &error);
  if (row == NULL)
    verify_report (verify, VERIFY_BAD, "row-unreadable", where, "%s", error->message);
  else
    check_opened (verify, leaf, where, size, root);
  store_row_free (row);
}

static void
check_rec (Verify *verify, const Leaf *leaf)
{
  char **words = leaf->words;
  sqlite3_stmt *rec = leaf->rec;
  g_autofree char *where
      = g_strdup_printf (STORE_DB_NAME " rec %s/%s/%s", words[1], words[2], words[3]);

  verify->recs++;
  if (!verify_wants (verify, words[1]))
    return;
  verify->summary.rows++;
  if (sqlite3_column_type (rec, REC_ID) == SQLITE_NULL) {
    verify_report (verify, VERIFY_BAD, "row-deleted", where, "the log tells of it, but it is gone");
    return;
  }
  verify->summary.bytes += (guint64)sqlite3_column_bytes (rec, REC_SEALED);
  if (!column_is (rec, REC_CONSULT, words[1]) || !column_is (rec, REC_KIND, words[2])
      || !column_is (rec, REC_SEQ, words[3]) || !column_is (rec, REC_SCHEMA, words[4])) {
    verify_report (verify, VERIFY_BAD, "row-moved", where,
                   "consultation, kind, number or schema beside it were changed");
    return;
  }
  if (!blob_has_hash (rec, REC_SEALED, words[5])) {
    verify_report (verify, VERIFY_BAD, "row-tampered", where,
                   "its bytes are not those that were written");
    return;
  }
  open_row (verify, leaf, where);
}

/* ---- Other leaves ------------------------------------------------------------------------- */

static void
check_consult (Verify *verify, const Leaf *leaf)
{
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " consult %s", leaf->words[1]);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (verify->db, "SELECT id, created_day FROM consult WHERE idx = ?", NULL);

  verify->consults++;
  if (statement == NULL || !verify_wants (verify, leaf->words[1]))
    return;
  sqlite3_bind_int64 (statement, 1, (gint64)leaf->idx);
  if (sqlite3_step (statement) != SQLITE_ROW)
    verify_report (verify, VERIFY_BAD, "consult-deleted", where,
                   "the log tells of it, but it is gone");
  else if (!column_is (statement, 0, leaf->words[1]) || !column_is (statement, 1, leaf->words[2]))
    verify_report (verify, VERIFY_BAD, "consult-tampered", where, "its id or day was changed");
}

static char *
two_words (const Leaf *leaf)
{
  return g_strdup_printf ("%s %s", leaf->words[1], leaf->words[2]);
}

static void
note_key (Verify *verify, const Leaf *leaf)
{
  g_hash_table_insert (
      verify->escrows, two_words (leaf),
      g_strdup_printf ("%s %s %s", leaf->words[3], leaf->words[4], leaf->words[5]));
}

/* Another escrow of the same key: recovery recipients have changed. */
static void
note_escrow (Verify *verify, const Leaf *leaf)
{
  g_autofree char *name = two_words (leaf);
  const char *before = g_hash_table_lookup (verify->escrows, name);
  g_auto (GStrv) words = before != NULL ? g_strsplit (before, " ", 3) : NULL;

  if (words == NULL || g_strv_length (words) != 3) {
    g_autofree char *where = leaf_place (leaf);
    verify_report (verify, VERIFY_BAD, "leaf-unknown", where,
                   "it tells of the escrow of a key that the log does not know");
    return;
  }
  char *now = g_strdup_printf ("%s %s %s", words[0], words[1], leaf->words[3]);
  g_hash_table_insert (verify->escrows, g_steal_pointer (&name), now);
}

static void
note_shred (Verify *verify, const Leaf *leaf)
{
  g_hash_table_add (verify->shredded, two_words (leaf));
}

static void
note_file (Verify *verify, const Leaf *leaf)
{
  if (g_str_equal (leaf->words[2], "gone"))
    g_hash_table_remove (verify->files, leaf->words[1]);
  else
    g_hash_table_insert (verify->files, g_strdup (leaf->words[1]), g_strdup (leaf->words[2]));
}

static void
note_open (Verify *verify, const Leaf *leaf)
{
  SegmentFacts *facts = g_new0 (SegmentFacts, 1);
  facts->leaf = leaf->idx;
  facts->consult = g_strdup (leaf->words[2]);
  facts->stream = g_strdup (leaf->words[3]);
  facts->idx = g_ascii_strtoll (leaf->words[4], NULL, 10);
  facts->state = g_strdup ("open");
  hash_of_hex (leaf->words[5], facts->header_sha256);
  g_hash_table_insert (verify->segments, g_strdup (leaf->words[1]), facts);
}

static SegmentFacts *
facts_of (Verify *verify, const Leaf *leaf)
{
  SegmentFacts *facts = g_hash_table_lookup (verify->segments, leaf->words[1]);
  g_autofree char *where = leaf_place (leaf);
  if (facts == NULL)
    verify_report (verify, VERIFY_BAD, "log-rewritten", where,
                   "segment %s is told of before it was opened", leaf->words[1]);
  return facts;
}

static void
note_mark (Verify *verify, const Leaf *leaf)
{
  SegmentFacts *facts = facts_of (verify, leaf);
  if (facts == NULL)
    return;
  facts->mark = g_ascii_strtoull (leaf->words[2], NULL, 10);
  hash_of_hex (leaf->words[3], facts->mark_sha256);
}

static void
note_verdict (Verify *verify, const Leaf *leaf)
{
  SegmentFacts *facts = facts_of (verify, leaf);
  gboolean closed = g_str_equal (leaf->words[0], "closed");
  if (facts == NULL)
    return;
  g_free (facts->state);
  facts->state = g_strdup (leaf->words[0]);
  facts->bytes = g_ascii_strtoull (leaf->words[2], NULL, 10);
  facts->tail = closed ? g_ascii_strtoull (leaf->words[3], NULL, 10) : 0;
  hash_of_hex (leaf->words[closed ? 4 : 3], facts->sha256);
}

/* Somebody outside knows another history than this one: no fault of what is here, but to be told.
 */
static void
note_fork (Verify *verify, const Leaf *leaf)
{
  g_autofree char *where = leaf_place (leaf);
  verify_report (verify, VERIFY_NOTE, "log-fork", where,
                 "the state folder was put back before here: %s knows a log of %s leaves that this "
                 "one does not go on from",
                 leaf->words[1], leaf->words[2]);
}

static void
note_draft (Verify *verify, const Leaf *leaf)
{
  DraftFacts *facts = g_new0 (DraftFacts, 1);
  facts->leaf = leaf->idx;
  if (leaf->n > 3)
    g_strlcpy (facts->sha256, leaf->words[3], sizeof facts->sha256);
  g_hash_table_insert (verify->drafts, two_words (leaf), facts);
}

static void
note_index (Verify *verify, const Leaf *leaf)
{
  const char *consult = leaf->words[1];
  GHashTable *tags = g_hash_table_lookup (verify->index, consult);
  g_auto (GStrv) told = g_strsplit (leaf->words[2], ",", -1);
  if (tags == NULL) {
    tags = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert (verify->index, g_strdup (consult), tags);
  }
  for (guint i = 0; told[i] != NULL; i++)
    g_hash_table_add (tags, g_strdup (told[i]));
}

static void
note_undraft (Verify *verify, const Leaf *leaf)
{
  g_autofree char *name = two_words (leaf);
  g_hash_table_remove (verify->drafts, name);
}

static void
note_queue (Verify *verify, const Leaf *leaf)
{
  g_hash_table_insert (
      verify->outbox, g_strdup (leaf->words[1]),
      g_strdup_printf ("%s %s %s queued", leaf->words[2], leaf->words[3], leaf->words[4]));
}

static void
note_delivery (Verify *verify, const Leaf *leaf)
{
  const char *before = g_hash_table_lookup (verify->outbox, leaf->words[1]);
  const char *last = before != NULL ? strrchr (before, ' ') : NULL;
  if (last == NULL)
    return;
  char *now = g_strdup_printf ("%.*s %s", (int)(last - before), before, leaf->words[2]);
  g_hash_table_insert (verify->outbox, g_strdup (leaf->words[1]), now);
}

/* A row whose state was set forward would never be sent; one that is gone, neither. */
static void
check_outbox (Verify *verify)
{
  if (!store_db_has_outbox (verify->db))
    return;
  g_autoptr (sqlite3_stmt) row = store_db_prepare (
      verify->db, "SELECT uuid, consult, target, item, state FROM outbox", NULL);
  GHashTableIter iter;
  gpointer uuid;
  while (row != NULL && sqlite3_step (row) == SQLITE_ROW) {
    const char *said = g_hash_table_lookup (verify->outbox, store_db_text (row, 0));
    g_autofree char *where = g_strdup_printf (STORE_DB_NAME " outbox %s", store_db_text (row, 0));
    g_autofree char *found
        = g_strdup_printf ("%s %s %s %s", store_db_text (row, 1), store_db_text (row, 2),
                           store_db_text (row, 3), store_db_text (row, 4));
    if (g_strcmp0 (said, found) != 0)
      verify_report (verify, VERIFY_BAD, "outbox-tampered", where,
                     "it is not what the log tells of this delivery");
    g_hash_table_remove (verify->outbox, store_db_text (row, 0));
  }
  g_hash_table_iter_init (&iter, verify->outbox);
  while (g_hash_table_iter_next (&iter, &uuid, NULL)) {
    g_autofree char *where = g_strdup_printf (STORE_DB_NAME " outbox %s", (char *)uuid);
    verify_report (verify, VERIFY_BAD, "outbox-deleted", where,
                   "the log tells of this delivery, but it is gone");
  }
}

static void
check_signer (Verify *verify, const Leaf *leaf)
{
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " signer %s", leaf->words[1]);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (verify->db, "SELECT certificate FROM signer WHERE sha256 = ?", NULL);
  guint8 hash[32];

  verify->signers++;
  if (statement == NULL || !hash_of_hex (leaf->words[1], hash))
    return;
  store_db_bind_blob (statement, 1, hash, sizeof hash);
  if (sqlite3_step (statement) != SQLITE_ROW)
    verify_report (verify, VERIFY_BAD, "signer-deleted", where,
                   "the log tells of it, but it is gone");
  else if (!blob_has_hash (statement, 0, leaf->words[1]))
    verify_report (verify, VERIFY_BAD, "signer-tampered", where, "the certificate was changed");
}

/* ---- Checkpoints -------------------------------------------------------------------------- */

/* Columns: root, peaks, sig, certificate. */
static gboolean
signature_good (guint64 size, sqlite3_stmt *statement, GError **error)
{
  const guint8 *der = sqlite3_column_blob (statement, 3);
  X509 *certificate
      = der != NULL ? d2i_X509 (NULL, &der, sqlite3_column_bytes (statement, 3)) : NULL;
  g_autoptr (GBytes) signature = store_db_blob (statement, 2);
  g_autoptr (GBytes) text = store_log_statement (size, sqlite3_column_blob (statement, 0));

  if (certificate == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "its certificate is not there");
    return FALSE;
  }
  gboolean good = identity_verify (certificate, text, signature, error);
  X509_free (certificate);
  return good;
}

static gboolean
peaks_good (guint64 size, sqlite3_stmt *statement)
{
  Merkle merkle;
  guint8 root[MERKLE_HASH];

  if (!merkle_load (&merkle, size, sqlite3_column_blob (statement, 1),
                    (gsize)sqlite3_column_bytes (statement, 1)))
    return FALSE;
  merkle_root (&merkle, root);
  return memcmp (root, sqlite3_column_blob (statement, 0), MERKLE_HASH) == 0;
}

static void
check_checkpoint_row (Verify *verify, const Leaf *leaf, const char *where, sqlite3_stmt *statement)
{
  g_autoptr (GError) error = NULL;
  guint8 root[MERKLE_HASH], said[MERKLE_HASH];

  if (!hash_of_hex (leaf->words[2], said) || sqlite3_column_bytes (statement, 0) != MERKLE_HASH
      || memcmp (sqlite3_column_blob (statement, 0), said, MERKLE_HASH) != 0
      || !blob_has_hash (statement, 2, leaf->words[3]) || !peaks_good (leaf->idx, statement)) {
    verify_report (verify, VERIFY_BAD, "checkpoint-tampered", where,
                   "root, peaks or signature were changed");
    return;
  }
  merkle_root (&verify->merkle, root);
  if (!verify->log_broken && memcmp (root, said, MERKLE_HASH) != 0) {
    verify_report (verify, VERIFY_BAD, "log-rewritten", where,
                   "the log up to here is not the one that the station signed");
    verify->log_broken = TRUE;
  }
  if (!signature_good (leaf->idx, statement, &error))
    verify_report (verify, VERIFY_BAD, "checkpoint-forged", where,
                   "the station's signature does not hold: %s", error->message);
}

static void
check_checkpoint (Verify *verify, const Leaf *leaf)
{
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " checkpoint %s", leaf->words[1]);
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (verify->db,
                          "SELECT root, peaks, sig, certificate FROM checkpoint "
                          "LEFT JOIN signer ON signer.sha256 = checkpoint.signer WHERE size = ?",
                          NULL);

  verify->checkpoints++;
  if (statement == NULL)
    return;
  sqlite3_bind_int64 (statement, 1, g_ascii_strtoll (leaf->words[1], NULL, 10));
  if (sqlite3_step (statement) != SQLITE_ROW)
    verify_report (verify, VERIFY_BAD, "checkpoint-deleted", where,
                   "the log tells of it, but it is gone");
  else if (g_ascii_strtoull (leaf->words[1], NULL, 10) != leaf->idx)
    verify_report (verify, VERIFY_BAD, "log-rewritten", where,
                   "it stands at place %" G_GUINT64_FORMAT " of the log", leaf->idx);
  else
    check_checkpoint_row (verify, leaf, where, statement);
}

/* ---- The walk ----------------------------------------------------------------------------- */

static const struct {
  const char *word;
  guint n;
  void (*check) (Verify *verify, const Leaf *leaf);
} kinds[] = {
  { "rec", 6, check_rec },       { "consult", 3, check_consult },
  { "key", 6, note_key },        { "escrow", 4, note_escrow },
  { "shred", 3, note_shred },    { "open", 6, note_open },
  { "mark", 4, note_mark },      { "closed", 5, note_verdict },
  { "torn", 4, note_verdict },   { "file", 3, note_file },
  { "signer", 2, check_signer }, { "checkpoint", 4, check_checkpoint },
  { "queue", 5, note_queue },    { "delivery", 4, note_delivery },
  { "fork", 4, note_fork },      { "draft", 3, note_draft },
  { "draft", 4, note_draft },    { "undraft", 3, note_undraft },
  { "index", 3, note_index },
};

static void
check_leaf (Verify *verify, const Leaf *leaf)
{
  g_autofree char *where = leaf_place (leaf);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (leaf->n == kinds[i].n && g_str_equal (leaf->words[0], kinds[i].word)) {
      kinds[i].check (verify, leaf);
      return;
    }
  verify_report (verify, VERIFY_BAD, "leaf-unknown", where,
                 "this program does not know such a leaf");
}

/* The log itself: no gap, and each hash that of its words. */
static void
take_leaf (Verify *verify, sqlite3_stmt *row)
{
  guint64 idx = (guint64)sqlite3_column_int64 (row, IDX);
  const char *what = store_db_text (row, WHAT);
  g_auto (GStrv) words = g_strsplit (what, " ", 8);
  const Leaf leaf = { idx, words, g_strv_length (words), row };
  g_autofree char *where = leaf_place (&leaf);
  guint8 hash[MERKLE_HASH];

  if (idx != verify->merkle.size) {
    verify_report (verify, VERIFY_BAD, "leaf-deleted", where,
                   "leaves %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " before it are gone",
                   verify->merkle.size, idx - 1);
    verify->merkle.size = idx;
    verify->log_broken = TRUE;
  }
  merkle_leaf (what, (gsize)sqlite3_column_bytes (row, WHAT), hash);
  if (sqlite3_column_bytes (row, HASH) != MERKLE_HASH
      || memcmp (sqlite3_column_blob (row, HASH), hash, MERKLE_HASH) != 0) {
    verify_report (verify, VERIFY_BAD, "leaf-tampered", where,
                   "its hash is not that of its words (\"%s\")", what);
    verify->log_broken = TRUE;
  }
  check_leaf (verify, &leaf);
  merkle_push (&verify->merkle, hash);
}

/* A word about destroying a key stands behind what the key sealed. */
static void
collect_shredded (Verify *verify)
{
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (verify->db,
                          "SELECT what FROM audit WHERE substr(what, 1, 4) <> 'rec ' "
                          "AND what >= 'shred ' AND what < 'shred!'",
                          NULL);
  while (statement != NULL && sqlite3_step (statement) == SQLITE_ROW)
    g_hash_table_add (verify->shredded,
                      g_strdup (store_db_text (statement, 0) + strlen ("shred ")));
}

static void
check_count (Verify *verify, const char *table, guint64 leaves, const char *code)
{
  g_autofree char *sql = g_strdup_printf ("SELECT count(*) FROM %s", table);
  g_autofree char *where = g_strdup_printf (STORE_DB_NAME " %s", table);
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (verify->db, sql, NULL);

  if (statement == NULL || sqlite3_step (statement) != SQLITE_ROW)
    return;
  guint64 rows = (guint64)sqlite3_column_int64 (statement, 0);
  if (rows > leaves)
    verify_report (verify, VERIFY_BAD, code, where,
                   "%" G_GUINT64_FORMAT " rows are there of which the log does not tell",
                   rows - leaves);
}

void
verify_log (Verify *verify)
{
  g_autoptr (sqlite3_stmt) walk = store_db_prepare (
      verify->db,
      "SELECT audit.idx, leaf_hash, what, rec.id, rec.consult, kind, seq, schema, sealed "
      "FROM audit LEFT JOIN rec ON rec.id = audit.idx ORDER BY audit.idx",
      NULL);
  int rc = SQLITE_ERROR;

  collect_shredded (verify);
  while (walk != NULL && (rc = sqlite3_step (walk)) == SQLITE_ROW)
    take_leaf (verify, walk);
  if (rc != SQLITE_DONE)
    verify_report (verify, VERIFY_BAD, "database-damaged", STORE_DB_NAME,
                   "the log cannot be read to its end: %s", sqlite3_errmsg (verify->db));
  check_count (verify, "rec", verify->recs, "row-unlogged");
  check_count (verify, "consult", verify->consults, "consult-unlogged");
  check_count (verify, "checkpoint", verify->checkpoints, "checkpoint-unlogged");
  check_count (verify, "signer", verify->signers, "signer-unlogged");
  check_outbox (verify);
}
