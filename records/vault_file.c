#include "records/vault_file.h"
#include "records/wal_check.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_TRIES 50
#define QUIET_S 1

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

typedef struct {
  struct stat database, log; /* all zero: not there */
} Moment;

static gboolean
same_file (const struct stat *a, const struct stat *b)
{
  return a->st_ino == b->st_ino && a->st_size == b->st_size
         && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec
         && a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static Moment
moment_of (const char *path, const char *log_path)
{
  Moment moment;
  if (stat (path, &moment.database) != 0)
    memset (&moment.database, 0, sizeof moment.database);
  if (stat (log_path, &moment.log) != 0)
    memset (&moment.log, 0, sizeof moment.log);
  return moment;
}

/* Nobody wrote since: the clock of the file system has ticks, so what was written just before the
 * first look may be written again without a sign. */
static gboolean
nobody_wrote (const Moment *before, const char *path, const char *log_path, gint64 before_us)
{
  const Moment after = moment_of (path, log_path);
  gint64 newest = MAX (MAX (before->database.st_ctim.tv_sec, before->log.st_ctim.tv_sec), 0);
  return newest + QUIET_S < before_us / G_USEC_PER_SEC
         && same_file (&before->database, &after.database) && same_file (&before->log, &after.log);
}

/* A writer may be at work. Nobody is when the files have been alone for a while, as they mostly
 * have; else two readings in a row that are the same, log between database and database, cannot be
 * of different transactions. */
static gboolean
read_steady (KeyFile *file, const char *path, GBytes **ret_database, GBytes **ret_log)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  g_autoptr (GBytes) last_database = NULL, last_log = NULL;

  for (int i = 0; i < READ_TRIES; i++) {
    g_autoptr (GError) error = NULL;
    gint64 before_us = g_get_real_time ();
    const Moment before = moment_of (path, log_path);
    char *data = NULL;
    gsize size = 0;
    if (!g_file_get_contents (path, &data, &size, &error)) {
      file->missing = g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
      key_file_problem (file, "%s", file->missing ? "the file is missing" : error->message);
      return FALSE;
    }
    g_autoptr (GBytes) database = g_bytes_new_take (data, size);
    data = NULL;
    size = 0;
    g_file_get_contents (log_path, &data, &size, NULL);
    g_autoptr (GBytes) log = g_bytes_new_take (data, size);
    if (nobody_wrote (&before, path, log_path, before_us)
        || (last_database != NULL && g_bytes_equal (database, last_database)
            && g_bytes_equal (log, last_log))) {
      *ret_database = g_steal_pointer (&database);
      *ret_log = g_steal_pointer (&log);
      return TRUE;
    }
    g_clear_pointer (&last_database, g_bytes_unref);
    g_clear_pointer (&last_log, g_bytes_unref);
    last_database = g_steal_pointer (&database);
    last_log = g_steal_pointer (&log);
  }
  key_file_problem (file, "it changes faster than it can be read");
  return FALSE;
}

/* database is used up. */
static GBytes *
apply_log (KeyFile *file, GBytes *database, GBytes *log)
{
  gsize log_size;
  const guint8 *wal = g_bytes_get_data (log, &log_size);
  g_autoptr (GByteArray) image = g_bytes_unref_to_array (database);
  WalReport report;

  wal_check (wal, log_size, &report);
  file->torn_log = report.tail == WAL_TAIL_BAD;
  if (file->torn_log)
    key_file_problem (file, "its log is damaged behind frame %" G_GUINT64_FORMAT, report.committed);
  if (!wal_apply (wal, &report, image))
    key_file_problem (file, "its log does not fit");
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
  file->image = apply_log (file, g_steal_pointer (&database), log);
  guint8 *data = (guint8 *)g_bytes_get_data (file->image, &size);
  /* Flag READONLY: sqlite leaves the memory, which file->image owns, alone. */
  if (size < 512
      || sqlite3_open_v2 (":memory:", &file->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK
      || sqlite3_deserialize (file->db, "main", data, (sqlite3_int64)size, (sqlite3_int64)size,
                              SQLITE_DESERIALIZE_READONLY)
             != SQLITE_OK) {
    key_file_problem (file, "it is no database");
    g_clear_pointer (&file->db, sqlite3_close);
    return file;
  }
  harden (file->db);
  if (!key_file_check (file))
    g_clear_pointer (&file->db, sqlite3_close);
  return file;
}

sqlite3 *
key_file_new (GError **error)
{
  sqlite3 *db = NULL;
  g_autofree char *mark = g_strdup_printf ("PRAGMA application_id=%u; PRAGMA user_version=%d",
                                           KEY_FILE_APPLICATION, KEYS_SCHEMA_VERSION);
  gboolean good = sqlite3_open (":memory:", &db) == SQLITE_OK && table_exec (db, mark, error);

  for (guint i = 0; good && key_file_statement (i) != NULL; i++)
    good = table_exec (db, key_file_statement (i), error);
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

/* What a file of version 1 lacks. It works without, so a full disk keeps nobody out. */
static void
upgrade (sqlite3 *db)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *sql
      = g_strdup_printf ("BEGIN IMMEDIATE; %s; PRAGMA user_version=2; COMMIT", KEY_FILE_BOOT_INDEX);
  if (key_file_pragma (db, "PRAGMA user_version") != 1 || table_exec (db, sql, &error))
    return;
  g_message ("vault: the index of unfinished consultations is made another time: %s",
             error->message);
  sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
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
                   error)) {
    sqlite3_close (db);
    return NULL;
  }
  upgrade (db);
  if (!key_file_checkpoint (db, error))
    g_clear_pointer (&db, sqlite3_close);
  return db;
}
