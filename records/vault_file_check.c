/* What is checked of a file of keys, and how two of them compare. */
#include "records/vault_file.h"
#include <string.h>

/* "finished" is 1 once vault_finish() took the boot wrap away. */
static const struct {
  const char *name, *sql;
} TABLES[] = {
  { "meta", "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL, mac BLOB, "
            "sum BLOB NOT NULL) STRICT, WITHOUT ROWID" },
  { "recipient", "CREATE TABLE recipient (idx INTEGER PRIMARY KEY, certificate BLOB NOT NULL, "
                 "challenge BLOB NOT NULL, code_sha256 BLOB NOT NULL, mac BLOB, "
                 "sum BLOB NOT NULL) STRICT, WITHOUT ROWID" },
  { "answer", "CREATE TABLE answer (idx INTEGER PRIMARY KEY, code TEXT NOT NULL, mac BLOB, "
              "sum BLOB NOT NULL) STRICT, WITHOUT ROWID" },
  { "passphrase", "CREATE TABLE passphrase (user TEXT PRIMARY KEY, pkcs8 BLOB NOT NULL, mac BLOB, "
                  "sum BLOB NOT NULL) STRICT, WITHOUT ROWID" },
  /* With a rowid: at about 2 KB a row, the other kind would spend a whole overflow page on each. */
  { "consult_key", "CREATE TABLE consult_key (consult TEXT NOT NULL, purpose TEXT NOT NULL, "
                   "epoch INTEGER NOT NULL, commitment BLOB NOT NULL, finished INTEGER NOT NULL, "
                   "vk_cms BLOB NOT NULL, boot BLOB, recovery_cms BLOB NOT NULL, mac BLOB, "
                   "sum BLOB NOT NULL, PRIMARY KEY (consult, purpose)) STRICT" },
};
/* All but the last. */
#define SMALL_TABLES (G_N_ELEMENTS (TABLES) - 1)

const char *
key_file_statement (guint i)
{
  if (i < G_N_ELEMENTS (TABLES))
    return TABLES[i].sql;
  return i == G_N_ELEMENTS (TABLES) ? KEY_FILE_BOOT_INDEX : NULL;
}

void
key_file_problem (KeyFile *file, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (file->problems, g_strdup_printf ("%s: %s", file->name, text));
}

gint64
key_file_pragma (sqlite3 *db, const char *sql)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (db, sql, NULL);
  return row != NULL && sqlite3_step (row) == SQLITE_ROW ? sqlite3_column_int64 (row, 0) : -1;
}

static gboolean
check_schema (KeyFile *file)
{
  gint64 version = key_file_pragma (file->db, "PRAGMA user_version");
  guint found = 0, rows = 0, wanted = G_N_ELEMENTS (TABLES) + (version > 1);

  if (key_file_pragma (file->db, "PRAGMA application_id") != KEY_FILE_APPLICATION) {
    key_file_problem (file, "it is no key file of this program");
    return FALSE;
  }
  if (version < 1 || version > KEYS_SCHEMA_VERSION) {
    file->newer = version > KEYS_SCHEMA_VERSION;
    key_file_problem (file, "it has version %" G_GINT64_FORMAT ", this program reads 1 to %d",
                      version, KEYS_SCHEMA_VERSION);
    return FALSE;
  }
  g_autoptr (sqlite3_stmt) row
      = table_prepare (file->db, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL", NULL);
  while (row != NULL && sqlite3_step (row) == SQLITE_ROW) {
    rows++;
    found += version > 1 && g_str_equal (table_text (row, 1), KEY_FILE_BOOT_INDEX);
    for (gsize i = 0; i < G_N_ELEMENTS (TABLES); i++)
      found += g_str_equal (table_text (row, 0), TABLES[i].name)
               && g_str_equal (table_text (row, 1), TABLES[i].sql);
  }
  if (found == wanted && rows == found)
    return TRUE;
  key_file_problem (file, "its tables are not those of this program");
  return FALSE;
}

static void
check_integrity (KeyFile *file)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (file->db, "PRAGMA integrity_check(20)", NULL);
  int step = SQLITE_ERROR;

  while (row != NULL && (step = sqlite3_step (row)) == SQLITE_ROW)
    if (!g_str_equal (table_text (row, 0), "ok"))
      key_file_problem (file, "sqlite finds: %s", table_text (row, 0));
  if (step != SQLITE_DONE)
    key_file_problem (file, "sqlite cannot check it: %s", sqlite3_errmsg (file->db));
}

static char *
row_name (const char *table, sqlite3_stmt *row)
{
  if (g_str_equal (table, "consult_key"))
    return g_strdup_printf ("key %s/%s", table_text (row, 0), table_text (row, 1));
  if (g_str_equal (table, "meta"))
    return g_strdup_printf ("setting %s", table_text (row, 0));
  if (g_str_equal (table, "passphrase"))
    return g_strdup_printf ("passphrase of %s", table_text (row, 0));
  return g_strdup_printf ("%s %s", table, table_text (row, 0));
}

static void
check_rows (KeyFile *file, const char *table)
{
  g_autofree char *sql = g_strdup_printf ("SELECT * FROM %s", table);
  g_autoptr (sqlite3_stmt) row = table_prepare (file->db, sql, NULL);
  int step = SQLITE_ERROR;

  while (row != NULL && (step = sqlite3_step (row)) == SQLITE_ROW) {
    if (table_sum_good (table, row))
      continue;
    g_autofree char *name = row_name (table, row);
    g_autofree char *valid = g_utf8_make_valid (name, -1);
    key_file_problem (file, "%s was changed: its checksum does not fit", valid);
  }
  if (step != SQLITE_DONE)
    key_file_problem (file, "table %s cannot be read to its end: %s", table,
                      sqlite3_errmsg (file->db));
}

static guint64
read_generation (sqlite3 *db)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (db, "SELECT value FROM meta WHERE name = 'generation'", NULL);
  guint64 big;

  if (row == NULL || sqlite3_step (row) != SQLITE_ROW || sqlite3_column_bytes (row, 0) != 8)
    return 0;
  memcpy (&big, sqlite3_column_blob (row, 0), 8);
  return GUINT64_FROM_BE (big);
}

/* Page size and number of pages as the header tells (SQLite file format §1.3). A cut that takes
 * only zeros from the last page would go unnoticed otherwise. */
static void
check_size (KeyFile *file)
{
  gsize size;
  const guint8 *head = g_bytes_get_data (file->image, &size);
  guint32 page = (guint32)head[16] << 8 | head[17];
  guint32 pages
      = (guint32)head[28] << 24 | (guint32)head[29] << 16 | (guint32)head[30] << 8 | head[31];

  if (size != (guint64)pages * (page == 1 ? 65536 : page))
    key_file_problem (file, "it has %" G_GSIZE_FORMAT " bytes where its header tells of %u pages",
                      size, pages);
}

gboolean
key_file_check (KeyFile *file)
{
  if (!check_schema (file))
    return FALSE;
  check_size (file);
  check_integrity (file);
  for (gsize i = 0; i < G_N_ELEMENTS (TABLES); i++)
    check_rows (file, TABLES[i].name);
  file->generation = read_generation (file->db);
  if (file->generation == 0)
    key_file_problem (file, "its generation is missing");
  return TRUE;
}

/* Of the first n tables. */
static gboolean
tables_equal (sqlite3 *a, sqlite3 *b, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    g_autofree char *sql = g_strdup_printf ("SELECT sum FROM %s ORDER BY 1", TABLES[i].name);
    g_autoptr (sqlite3_stmt) left = table_prepare (a, sql, NULL);
    g_autoptr (sqlite3_stmt) right = table_prepare (b, sql, NULL);
    if (left == NULL || right == NULL)
      return FALSE;
    for (;;) {
      int step = sqlite3_step (left);
      if (step != sqlite3_step (right))
        return FALSE;
      if (step != SQLITE_ROW)
        break;
      g_autoptr (GBytes) x = table_blob (left, 0), y = table_blob (right, 0);
      if (x == NULL || y == NULL || !g_bytes_equal (x, y))
        return FALSE;
    }
  }
  return TRUE;
}

gboolean
key_file_equal (const KeyFile *a, const KeyFile *b)
{
  return tables_equal (a->db, b->db, G_N_ELEMENTS (TABLES));
}

static gboolean
looks_sound (sqlite3 *db, const char *name, guint64 *ret_generation)
{
  KeyFile file = { .name = (char *)name, .db = db };
  file.problems = g_ptr_array_new_with_free_func (g_free);
  if (check_schema (&file))
    for (gsize i = 0; i < SMALL_TABLES; i++)
      check_rows (&file, TABLES[i].name);
  *ret_generation = read_generation (db);
  gboolean sound = file.problems->len == 0 && *ret_generation != 0;
  g_ptr_array_unref (file.problems);
  return sound;
}

gboolean
key_files_agree (sqlite3 *main, sqlite3 *copy)
{
  guint64 one, other;
  return looks_sound (main, KEYS_MAIN, &one) && looks_sound (copy, KEYS_COPY, &other)
         && one == other && tables_equal (main, copy, SMALL_TABLES);
}

gboolean
key_file_covers (const KeyFile *large, const KeyFile *small)
{
  if (small->db == NULL)
    return TRUE; /* nothing of it can be read */
  g_autoptr (sqlite3_stmt) row = table_prepare (small->db, "SELECT * FROM consult_key", NULL);
  g_autoptr (sqlite3_stmt) find = table_prepare (
      large->db, "SELECT 1 FROM consult_key WHERE consult = ? AND purpose = ?", NULL);
  while (row != NULL && find != NULL && sqlite3_step (row) == SQLITE_ROW) {
    if (!table_sum_good ("consult_key", row))
      continue;
    sqlite3_bind_text (find, 1, table_text (row, 0), -1, SQLITE_TRANSIENT);
    sqlite3_bind_text (find, 2, table_text (row, 1), -1, SQLITE_TRANSIENT);
    gboolean there = sqlite3_step (find) == SQLITE_ROW;
    sqlite3_reset (find);
    if (!there)
      return FALSE;
  }
  return find != NULL;
}
