/* Somebody who knows SQLite, at every row and every value of records.db: each row deleted, each
 * copied into the other consultation, each value changed and each exchanged with its neighbour's.
 * Found and named, or nothing that can be read back has changed. */
#include "record_dump.h"
#include "records_full.h"
#include <sqlite3.h>

typedef struct {
  Records records;
  char *consult, *other;
  char *path, *content; /* records.db, and what is read of the folder untouched */
  GBytes *database;
  Vault *vault;
  guint tried, found, harmless, impossible;
} Sample;

/* ---- A record in which every table has rows -------------------------------------------------- */

static void
record (Records *records, const char *consult)
{
  const TrackInfo info = { .stream = "room", .mime_type = "video/webm" };
  Track *track = track_open (records->store, consult, &info, NULL);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GBytes) bytes = g_bytes_new_static ("fragment", 8);
    g_assert_true (track_append (track, bytes, i == 0 ? SEGMENT_INIT : SEGMENT_KEY, i * 1000));
  }
  track_close (track);
}

static void
fill (Sample *sample)
{
  Records *records = &sample->records;
  const char *const consults[] = { sample->consult, sample->other };

  for (guint i = 0; i < G_N_ELEMENTS (consults); i++) {
    records_note (records, consults[i], i == 0 ? "đau đầu ba ngày" : "ho khan");
    records_note (records, consults[i], i == 0 ? "đã đỡ" : "còn ho");
    g_assert_true (store_checkpoint (records->store, NULL));
  }
  record (records, sample->consult);
  record (records, sample->consult);
  record (records, sample->other);
  full_fill (records, sample->consult, sample->other);
}

static char *
dump (Sample *sample)
{
  g_autoptr (Vault) vault = vault_open_read_only (sample->records.dir, NULL);
  if (vault == NULL || !vault_unlock_boot (vault, sample->records.place.boot, NULL))
    return NULL;
  return record_dump (sample->records.dir, vault);
}

static void
sample_up (Sample *sample)
{
  memset (sample, 0, sizeof *sample);
  records_up (&sample->records);
  sample->consult = records_consult (&sample->records);
  sample->other = records_consult (&sample->records);
  fill (sample);
  records_close (&sample->records);
  sample->path = g_build_filename (sample->records.dir, "records.db", NULL);
  char *bytes;
  gsize size;
  g_assert_true (g_file_get_contents (sample->path, &bytes, &size, NULL));
  sample->database = g_bytes_new_take (bytes, size);
  sample->vault = vault_open_read_only (sample->records.dir, NULL);
  g_assert_true (vault_unlock_boot (sample->vault, sample->records.place.boot, NULL));
  assert_good (sample->records.dir, sample->vault);
  sample->content = dump (sample);
  g_assert_nonnull (sample->content);
}

static void
sample_down (Sample *sample)
{
  vault_free (sample->vault);
  g_bytes_unref (sample->database);
  records_down (&sample->records);
  g_free (sample->consult);
  g_free (sample->other);
  g_free (sample->path);
  g_free (sample->content);
}

/* ---- One change ------------------------------------------------------------------------------ */

typedef struct {
  gboolean bad, named;
  GString *said;
} Verdicts;

static void
take (VerifyVerdict verdict, const char *code, const char *where, const char *what, void *arg)
{
  Verdicts *verdicts = arg;
  if (verdict != VERIFY_BAD)
    return;
  verdicts->bad = TRUE;
  verdicts->named |= strstr (where, "records.db") != NULL || strstr (where, "attachments/") != NULL
                     || strstr (where, "media/") != NULL || strstr (where, "keys.db") != NULL;
  g_string_append_printf (verdicts->said, "%s %s; ", code, where);
}

static void
put_back (Sample *sample)
{
  gsize size;
  const char *bytes = g_bytes_get_data (sample->database, &size);
  g_assert_true (g_file_set_contents (sample->path, bytes, (gssize)size, NULL));
}

static void
judge (Sample *sample, const char *what)
{
  Verdicts verdicts = { .said = g_string_new (NULL) };
  VerifySummary summary;
  sample->tried++;
  if (!verify_state (sample->records.dir, sample->vault, NULL, take, &verdicts, &summary, NULL))
    verdicts.bad = verdicts.named = TRUE;
  if (verdicts.bad && !verdicts.named)
    g_error ("%s was found, but not named: %s", what, verdicts.said->str);
  g_string_free (verdicts.said, TRUE);
  if (verdicts.bad) {
    sample->found++;
    return;
  }
  g_autofree char *now = dump (sample);
  if (g_strcmp0 (now, sample->content) != 0)
    g_error ("%s was not found, and what is read is another", what);
  sample->harmless++;
}

/* Applies one statement to the untouched database; what SQLite itself refuses is no attack. */
static void
attempt (Sample *sample, const char *what, const char *sql)
{
  sqlite3 *db;
  put_back (sample);
  g_assert_cmpint (sqlite3_open (sample->path, &db), ==, SQLITE_OK);
  sqlite3_exec (db, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", NULL, NULL, NULL);
  int rc = sqlite3_exec (db, sql, NULL, NULL, NULL);
  int changed = sqlite3_total_changes (db);
  sqlite3_exec (db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
  sqlite3_close (db);
  if (rc != SQLITE_OK || changed == 0)
    sample->impossible++;
  else
    judge (sample, what);
}

/* The draft's row as values of SQL (transfer full). */
static char *
draft_row (const char *path)
{
  sqlite3 *db;
  sqlite3_stmt *row;
  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db,
                                       "SELECT quote(consult) || ',' || quote(note) || ',' || "
                                       "quote(sealed) || ',' || quote(sum) FROM draft",
                                       -1, &row, NULL),
                   ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (row), ==, SQLITE_ROW);
  char *values = g_strdup ((const char *)sqlite3_column_text (row, 0));
  sqlite3_finalize (row);
  sqlite3_close (db);
  return values;
}

/* values NULL: none is left. */
static void
put_draft (const char *path, const char *values)
{
  sqlite3 *db;
  g_autofree char *sql = values != NULL
                             ? g_strdup_printf ("INSERT OR REPLACE INTO draft VALUES(%s)", values)
                             : g_strdup ("DELETE FROM draft");
  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

static void
note_code (VerifyVerdict verdict, const char *code, const char *where, const char *what, void *arg)
{
  if (verdict == VERIFY_BAD)
    g_string_append_printf (arg, "%s ", code);
}

static gboolean
tells (const char *dir, Vault *vault, const char *code)
{
  g_autoptr (GString) said = g_string_new (NULL);
  g_autofree char *wanted = g_strconcat (code, " ", NULL);
  g_assert_true (verify_state (dir, vault, NULL, note_code, said, NULL, NULL));
  return g_str_equal (said->str, wanted);
}

/* ---- Every row, every value ------------------------------------------------------------------ */

typedef struct {
  const char *table;
  GPtrArray *columns; /* names, owned */
  GPtrArray *where;   /* of each row: "a IS 1 AND b IS x'00'" */
  GPtrArray *values;  /* of each row: GPtrArray of quoted values */
} Table;

static void
read_table (Sample *sample, Table *table)
{
  sqlite3 *db;
  sqlite3_stmt *rows;
  put_back (sample);
  g_assert_cmpint (sqlite3_open (sample->path, &db), ==, SQLITE_OK);
  g_autofree char *sql = g_strdup_printf ("SELECT * FROM %s", table->table);
  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &rows, NULL), ==, SQLITE_OK);
  for (int i = 0; i < sqlite3_column_count (rows); i++)
    g_ptr_array_add (table->columns, g_strdup (sqlite3_column_name (rows, i)));
  while (sqlite3_step (rows) == SQLITE_ROW) {
    GPtrArray *values = g_ptr_array_new_with_free_func (g_free);
    GString *where = g_string_new (NULL);
    for (guint i = 0; i < table->columns->len; i++) {
      gsize size = (gsize)sqlite3_column_bytes (rows, (int)i);
      const guint8 *data = sqlite3_column_blob (rows, (int)i);
      char *text = NULL;
      if (sqlite3_column_type (rows, (int)i) == SQLITE_BLOB) {
        GString *hex = g_string_new ("x'");
        for (gsize k = 0; k < size; k++)
          g_string_append_printf (hex, "%02x", data[k]);
        g_string_append_c (hex, '\'');
        text = g_string_free (hex, FALSE);
      } else {
        char *quoted
            = sqlite3_mprintf (sqlite3_column_type (rows, (int)i) == SQLITE_TEXT ? "%Q" : "%s",
                               sqlite3_column_text (rows, (int)i));
        text = g_strdup (quoted);
        sqlite3_free (quoted);
      }
      g_string_append_printf (where, "%s%s IS %s", i > 0 ? " AND " : "",
                              (char *)table->columns->pdata[i], text);
      g_ptr_array_add (values, text);
    }
    g_ptr_array_add (table->where, g_string_free (where, FALSE));
    g_ptr_array_add (table->values, values);
  }
  sqlite3_finalize (rows);
  sqlite3_close (db);
}

static const char *
value (const Table *table, guint row, guint column)
{
  return ((GPtrArray *)table->values->pdata[row])->pdata[column];
}

static const char *
where (const Table *table, guint row)
{
  return table->where->pdata[row];
}

static void G_GNUC_PRINTF (5, 6)
    change (Sample *sample, const Table *table, guint row, const char *how, const char *format, ...)
{
  va_list words;
  va_start (words, format);
  g_autofree char *sql = g_strdup_vprintf (format, words);
  va_end (words);
  g_autofree char *what = g_strdup_printf ("%s: row %u %s", table->table, row, how);
  attempt (sample, what, sql);
}

/* The same row for the other consultation; what must be unique is made so. */
static void
copy_across (Sample *sample, const Table *table, guint row)
{
  GString *list = g_string_new (NULL);
  gboolean belongs = FALSE;
  for (guint i = 0; i < table->columns->len; i++) {
    const char *name = table->columns->pdata[i];
    const char *sep = i > 0 ? ", " : "";
    if (g_str_equal (name, "consult")) {
      belongs = TRUE;
      g_string_append_printf (list, "%sCASE consult WHEN '%s' THEN '%s' ELSE '%s' END", sep,
                              sample->consult, sample->other, sample->consult);
    } else if (g_str_equal (name, "leaf")
               || (g_str_equal (name, "id") && g_ascii_isdigit (*value (table, row, i))))
      g_string_append_printf (list, "%s100000", sep);
    else if (g_str_equal (name, "seq") || g_str_equal (name, "idx"))
      g_string_append_printf (list, "%s%s + 50", sep, name);
    else if (g_str_equal (name, "uuid") || g_str_equal (name, "id"))
      g_string_append_printf (list, "%s'00000000-0000-4000-8000-000000000001'", sep);
    else if (g_str_equal (name, "item") || g_str_equal (name, "note"))
      g_string_append_printf (list, "%s%s || 'x'", sep, name);
    else
      g_string_append_printf (list, "%s%s", sep, name);
  }
  if (belongs)
    change (sample, table, row, "copied into the other consultation",
            "INSERT INTO %s SELECT %s FROM %s WHERE %s", table->table, list->str, table->table,
            where (table, row));
  g_string_free (list, TRUE);
}

/* What only people read, and what the program makes good by itself: docs/torture.md. */
static gboolean
is_outside (const Table *table, const char *column)
{
  return g_str_equal (table->table, "outbox")
         && (g_str_equal (column, "tries") || g_str_equal (column, "problem"));
}

static void
change_values (Sample *sample, const Table *table, guint row)
{
  guint next = (row + 1) % table->values->len;
  for (guint i = 0; i < table->columns->len; i++) {
    const char *column = table->columns->pdata[i], *mine = value (table, row, i),
               *theirs = value (table, next, i);
    g_autofree char *swapped = g_strdup_printf ("%s exchanged with the next row's", column);
    g_autofree char *changed = g_strdup_printf ("%s changed", column);
    if (is_outside (table, column))
      continue;
    if (!g_str_equal (mine, theirs))
      change (sample, table, row, swapped,
              "UPDATE %s SET %s = CASE %s WHEN %s THEN %s ELSE %s END WHERE (%s) OR (%s)",
              table->table, column, column, mine, theirs, mine, where (table, row),
              where (table, next));
    change (sample, table, row, changed,
            "UPDATE %s SET %s = CASE typeof(%s) WHEN 'integer' THEN %s + 1 WHEN 'text' THEN %s || "
            "'x' ELSE CAST(substr(%s, 1, length(%s) - 1) || x'00' AS BLOB) END WHERE %s",
            table->table, column, column, column, column, column, column, where (table, row));
  }
}

static void
attack (Sample *sample, const char *name)
{
  Table table = { .table = name,
                  .columns = g_ptr_array_new_with_free_func (g_free),
                  .where = g_ptr_array_new_with_free_func (g_free),
                  .values = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref) };
  guint before = sample->tried, found = sample->found;
  read_table (sample, &table);
  g_assert_cmpuint (table.values->len, >, 0);
  /* Long logs by samples, but for the long form. */
  guint most = g_getenv ("NHIPCAU_LONG") != NULL ? G_MAXUINT : records_slow () ? 1 : 6;
  guint step = MAX (1, table.values->len / most);
  for (guint row = (guint)g_test_rand_int_range (0, (gint32)step); row < table.values->len;
       row += step) {
    change (sample, &table, row, "deleted", "DELETE FROM %s WHERE %s", name, where (&table, row));
    copy_across (sample, &table, row);
    change_values (sample, &table, row);
  }
  g_test_message ("%s: %u rows, %u changes, %u found, the others without effect", name,
                  table.values->len, sample->tried - before, sample->found - found);
  g_ptr_array_unref (table.columns);
  g_ptr_array_unref (table.where);
  g_ptr_array_unref (table.values);
}

/* What was typed a moment ago, put back over what was typed last: sealed by the station itself, its
 * checksum right. Also what was saved since. */
static void
test_old_draft (void)
{
  Records records;
  records_up (&records);
  g_autofree char *consult = records_consult (&records);
  g_autofree char *path = g_build_filename (records.dir, "records.db", NULL);

  for (guint i = 0; i < 2; i++) {
    full_draft (&records, consult, "n", "không dị ứng");
    g_autofree char *before = draft_row (path);
    full_draft (&records, consult, "n", "dị ứng penicillin");
    if (i == 0)
      g_assert_true (store_checkpoint (records.store, NULL));
    else
      g_assert_true (store_save_drafts (records.store, consult, NULL));
    records_close (&records);
    Vault *vault = vault_open_read_only (records.dir, NULL);
    g_assert_true (vault_unlock_boot (vault, records.place.boot, NULL));
    assert_good (records.dir, vault);
    g_autofree char *now = i == 0 ? draft_row (path) : NULL;
    put_draft (path, before);
    g_assert_true (tells (records.dir, vault, "draft-old"));
    put_draft (path, now);
    assert_good (records.dir, vault);
    vault_free (vault);
    records_open (&records);
  }
  records_down (&records);
}

static void
test_every_row (void)
{
  static const char *const tables[] = { "consult",    "rec",   "segment",      "audit", "signer",
                                        "checkpoint", "draft", "patient_bidx", "outbox" };
  Sample sample;
  sample_up (&sample);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    attack (&sample, tables[i]);
  put_back (&sample);
  assert_good (sample.records.dir, sample.vault);
  g_test_message ("%u changes: %u found and named, %u without effect; %u more that SQLite refuses",
                  sample.tried, sample.found, sample.harmless, sample.impossible);
  g_assert_cmpuint (sample.found, >, sample.tried * 9 / 10);
  sample_down (&sample);
}

int
main (int argc, char **argv)
{
  if (g_access ("/dev/shm", W_OK) == 0)
    g_setenv ("TMPDIR", "/dev/shm", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/tamper/every-row", test_every_row);
  g_test_add_func ("/tamper/old-draft", test_old_draft);
  return g_test_run ();
}
