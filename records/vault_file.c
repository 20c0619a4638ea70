#include "records/vault_file.h"
#include "records/wal_check.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 0x4e43766bu /* "NCvk" */
#define READ_TRIES 50

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

static void G_GNUC_PRINTF (2, 3) problem (KeyFile *file, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (file->problems, g_strdup_printf ("%s: %s", file->name, text));
}

void
key_file_free (KeyFile *file)
{
  if (file == NULL)
    return;
  sqlite3_close (file->db);
  g_clear_pointer (&file->image, g_bytes_unref);
  g_ptr_array_unref (file->problems);
  g_free (file->name);
  g_free (file);
}

gboolean
key_file_sound (const KeyFile *file)
{
  return !file->missing && file->db != NULL && file->problems->len == 0;
}

/* A writer may be at work: two readings in a row that are the same, log between database and
 * database, cannot be of different transactions. */
static gboolean
read_steady (KeyFile *file, const char *path, GBytes **ret_database, GBytes **ret_log)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  g_autoptr (GBytes) last_database = NULL, last_log = NULL;

  for (int i = 0; i < READ_TRIES; i++) {
    g_autoptr (GError) error = NULL;
    char *data = NULL;
    gsize size = 0;
    if (!g_file_get_contents (path, &data, &size, &error)) {
      file->missing = g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
      problem (file, "%s", file->missing ? "the file is missing" : error->message);
      return FALSE;
    }
    g_autoptr (GBytes) database = g_bytes_new_take (data, size);
    data = NULL;
    size = 0;
    g_file_get_contents (log_path, &data, &size, NULL);
    g_autoptr (GBytes) log = g_bytes_new_take (data, size);
    if (last_database != NULL && g_bytes_equal (database, last_database)
        && g_bytes_equal (log, last_log)) {
      *ret_database = g_steal_pointer (&database);
      *ret_log = g_steal_pointer (&log);
      return TRUE;
    }
    g_clear_pointer (&last_database, g_bytes_unref);
    g_clear_pointer (&last_log, g_bytes_unref);
    last_database = g_steal_pointer (&database);
    last_log = g_steal_pointer (&log);
  }
  problem (file, "it changes faster than it can be read");
  return FALSE;
}

static GBytes *
apply_log (KeyFile *file, GBytes *database, GBytes *log)
{
  gsize size, log_size;
  const guint8 *data = g_bytes_get_data (database, &size);
  const guint8 *wal = g_bytes_get_data (log, &log_size);
  g_autoptr (GByteArray) image = g_byte_array_new ();
  WalReport report;

  g_byte_array_append (image, data, (guint)size);
  wal_check (wal, log_size, &report);
  if (report.tail == WAL_TAIL_BAD)
    problem (file, "its log is damaged behind frame %" G_GUINT64_FORMAT, report.committed);
  if (!wal_apply (wal, &report, image))
    problem (file, "its log does not fit");
  /* Bytes 18 and 19 of the header, 2 for WAL: this image has none any more. */
  if (image->len >= 100 && image->data[18] == 2 && image->data[19] == 2)
    image->data[18] = image->data[19] = 1;
  return g_byte_array_free_to_bytes (g_steal_pointer (&image));
}

/* For files that somebody may have prepared. */
static void
harden (sqlite3 *db)
{
  sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  sqlite3_exec (db, "PRAGMA cell_size_check=ON", NULL, NULL, NULL);
}

static gint64
pragma (sqlite3 *db, const char *sql)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (db, sql, NULL);
  return row != NULL && sqlite3_step (row) == SQLITE_ROW ? sqlite3_column_int64 (row, 0) : -1;
}

static gboolean
check_schema (KeyFile *file)
{
  gint64 version = pragma (file->db, "PRAGMA user_version");
  guint found = 0, rows = 0;

  if (pragma (file->db, "PRAGMA application_id") != APPLICATION_ID) {
    problem (file, "it is no key file of this program");
    return FALSE;
  }
  if (version != KEYS_SCHEMA_VERSION) {
    file->newer = version > KEYS_SCHEMA_VERSION;
    problem (file, "it has version %" G_GINT64_FORMAT ", this program reads %d", version,
             KEYS_SCHEMA_VERSION);
    return FALSE;
  }
  g_autoptr (sqlite3_stmt) row
      = table_prepare (file->db, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL", NULL);
  while (row != NULL && sqlite3_step (row) == SQLITE_ROW) {
    rows++;
    for (gsize i = 0; i < G_N_ELEMENTS (TABLES); i++)
      found += g_str_equal (table_text (row, 0), TABLES[i].name)
               && g_str_equal (table_text (row, 1), TABLES[i].sql);
  }
  if (found == G_N_ELEMENTS (TABLES) && rows == found)
    return TRUE;
  problem (file, "its tables are not those of this program");
  return FALSE;
}

static void
check_integrity (KeyFile *file)
{
  g_autoptr (sqlite3_stmt) row = table_prepare (file->db, "PRAGMA integrity_check(20)", NULL);
  int step = SQLITE_ERROR;

  while (row != NULL && (step = sqlite3_step (row)) == SQLITE_ROW)
    if (!g_str_equal (table_text (row, 0), "ok"))
      problem (file, "sqlite finds: %s", table_text (row, 0));
  if (step != SQLITE_DONE)
    problem (file, "sqlite cannot check it: %s", sqlite3_errmsg (file->db));
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
    problem (file, "%s was changed: its checksum does not fit", valid);
  }
  if (step != SQLITE_DONE)
    problem (file, "table %s cannot be read to its end: %s", table, sqlite3_errmsg (file->db));
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
    problem (file, "it has %" G_GSIZE_FORMAT " bytes where its header tells of %u pages", size,
             pages);
}

KeyFile *
key_file_read (const char *state_dir, const char *name)
{
  KeyFile *file = g_new0 (KeyFile, 1);
  g_autofree char *path = g_build_filename (state_dir, name, NULL);
  g_autoptr (GBytes) database = NULL, log = NULL;
  gsize size;

  file->name = g_strdup (name);
  file->problems = g_ptr_array_new_with_free_func (g_free);
  if (!read_steady (file, path, &database, &log))
    return file;
  file->image = apply_log (file, database, log);
  guint8 *data = (guint8 *)g_bytes_get_data (file->image, &size);
  /* Flag READONLY: sqlite leaves the memory, which file->image owns, alone. */
  if (size < 512
      || sqlite3_open_v2 (":memory:", &file->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK
      || sqlite3_deserialize (file->db, "main", data, (sqlite3_int64)size, (sqlite3_int64)size,
                              SQLITE_DESERIALIZE_READONLY)
             != SQLITE_OK) {
    problem (file, "it is no database");
    g_clear_pointer (&file->db, sqlite3_close);
    return file;
  }
  harden (file->db);
  if (!check_schema (file)) {
    g_clear_pointer (&file->db, sqlite3_close);
    return file;
  }
  check_size (file);
  check_integrity (file);
  for (gsize i = 0; i < G_N_ELEMENTS (TABLES); i++)
    check_rows (file, TABLES[i].name);
  file->generation = read_generation (file->db);
  if (file->generation == 0)
    problem (file, "its generation is missing");
  return file;
}

gboolean
key_file_equal (const KeyFile *a, const KeyFile *b)
{
  for (gsize i = 0; i < G_N_ELEMENTS (TABLES); i++) {
    g_autofree char *sql = g_strdup_printf ("SELECT sum FROM %s ORDER BY 1", TABLES[i].name);
    g_autoptr (sqlite3_stmt) left = table_prepare (a->db, sql, NULL);
    g_autoptr (sqlite3_stmt) right = table_prepare (b->db, sql, NULL);
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

sqlite3 *
key_file_new (GError **error)
{
  sqlite3 *db = NULL;
  g_autofree char *mark = g_strdup_printf ("PRAGMA application_id=%u; PRAGMA user_version=%d",
                                           APPLICATION_ID, KEYS_SCHEMA_VERSION);
  gboolean good = sqlite3_open (":memory:", &db) == SQLITE_OK && table_exec (db, mark, error);

  for (gsize i = 0; good && i < G_N_ELEMENTS (TABLES); i++)
    good = table_exec (db, TABLES[i].sql, error);
  if (!good)
    g_clear_pointer (&db, sqlite3_close);
  return db;
}

GBytes *
key_file_serialize (sqlite3 *db, GError **error)
{
  sqlite3_int64 size = 0;
  unsigned char *data = sqlite3_serialize (db, "main", &size, 0);

  if (data != NULL)
    return g_bytes_new_with_free_func (data, (gsize)size, sqlite3_free, data);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_FAILED, "no memory for the key file");
  return NULL;
}

gboolean
key_file_replace (const char *state_dir, const char *name, GBytes *image, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, name, NULL);
  gsize size;
  const char *data = g_bytes_get_data (image, &size);

  /* A log left beside a new database would be applied to it: it goes first. */
  static const char *const BESIDE[] = { "-wal", "-shm", "-journal" };
  for (gsize i = 0; i < G_N_ELEMENTS (BESIDE); i++) {
    g_autofree char *beside = g_strconcat (path, BESIDE[i], NULL);
    if (g_unlink (beside) != 0 && errno != ENOENT) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s cannot be removed: %s", beside,
                   g_strerror (errno));
      return FALSE;
    }
  }
  g_autoptr (GError) local = NULL;
  if (!disk_sync_folder (state_dir, NULL)
      || !g_file_set_contents_full (path, data, (gssize)size,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, &local)
      || !disk_sync_folder (state_dir, NULL)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s cannot be written: %s", path,
                 local != NULL ? local->message : g_strerror (errno));
    return FALSE;
  }
  return TRUE;
}

gboolean
key_file_checkpoint (sqlite3 *db, GError **error)
{
  if (sqlite3_wal_checkpoint_v2 (db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
    return TRUE;
  table_set_error (db, "the log of the keys cannot be moved into its file", error);
  return FALSE;
}

sqlite3 *
key_file_open (const char *state_dir, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, name, NULL);
  sqlite3 *db = NULL;

  if (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    table_set_error (db, path, error);
    sqlite3_close (db);
    return NULL;
  }
  harden (db);
  sqlite3_busy_timeout (db, 2000);
  /* Exclusive: no shared-memory file beside the database, and no second writer. */
  if (!table_exec (db,
                   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; "
                   "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; "
                   "PRAGMA temp_store=MEMORY; BEGIN IMMEDIATE; COMMIT",
                   error)
      || !key_file_checkpoint (db, error))
    g_clear_pointer (&db, sqlite3_close);
  return db;
}
