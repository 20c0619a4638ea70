#include "records/store_db.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A row's id, a consultation's and a segment's idx are the place of their leaf in the log. */
static const char *const schema[] = {
  "CREATE TABLE consult(idx INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "
  "created_day TEXT NOT NULL) STRICT",
  "CREATE TABLE rec(id INTEGER PRIMARY KEY, consult TEXT NOT NULL, kind TEXT NOT NULL, "
  "seq INTEGER NOT NULL, schema INTEGER NOT NULL, sealed BLOB NOT NULL, "
  "UNIQUE(consult, kind, seq)) STRICT",
  "CREATE TABLE segment(leaf INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, consult TEXT NOT NULL, "
  "stream TEXT NOT NULL, idx INTEGER NOT NULL, state TEXT NOT NULL, bytes INTEGER NOT NULL, "
  "tail INTEGER NOT NULL, sha256 BLOB NOT NULL, UNIQUE(consult, stream, idx)) STRICT",
  "CREATE TABLE audit(idx INTEGER PRIMARY KEY, leaf_hash BLOB NOT NULL, what TEXT NOT NULL) STRICT",
  "CREATE INDEX audit_other ON audit(what) WHERE substr(what, 1, 4) <> 'rec '",
  "CREATE TABLE signer(sha256 BLOB PRIMARY KEY, certificate BLOB NOT NULL) STRICT, WITHOUT ROWID",
  "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, root BLOB NOT NULL, peaks BLOB NOT NULL, "
  "signer BLOB NOT NULL, sig BLOB NOT NULL) STRICT",
  /* Version 2: tables outside of the log. */
  "CREATE TABLE draft(consult TEXT NOT NULL, note TEXT NOT NULL, sealed BLOB NOT NULL, "
  "sum BLOB NOT NULL, PRIMARY KEY(consult, note)) STRICT, WITHOUT ROWID",
  "CREATE TABLE patient_bidx(bidx BLOB NOT NULL, consult TEXT NOT NULL, sum BLOB NOT NULL, "
  "PRIMARY KEY(bidx, consult)) STRICT, WITHOUT ROWID",
  /* Version 3. */
  "CREATE TABLE outbox(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, consult TEXT NOT NULL, "
  "target TEXT NOT NULL, item TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, "
  "problem TEXT NOT NULL, UNIQUE(consult, target, item)) STRICT",
  "CREATE INDEX outbox_open ON outbox(id) WHERE state <> 'confirmed'",
};
/* Statements of each version. */
static const guint statements_of[] = { 0, 7, 9, G_N_ELEMENTS (schema) };

/* ---- Errors and statements ---------------------------------------------------------------- */

static RecordsError
error_code (int rc)
{
  switch (rc & 0xff) {
  case SQLITE_FULL:
  case SQLITE_IOERR:
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    return RECORDS_ERROR_DISK;
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
    return RECORDS_ERROR_TAMPERED;
  default:
    return RECORDS_ERROR_FAILED;
  }
}

static const char *
advice (RecordsError code, int rc)
{
  if ((rc & 0xff) == SQLITE_FULL)
    return "; make room on the disk";
  /* SQLite calls a disk that does not give its bytes a damaged file. */
  return code == RECORDS_ERROR_DISK       ? "; check the disk"
         : code == RECORDS_ERROR_TAMPERED ? "; check the disk, then run nhipcau record verify"
                                          : "";
}

gboolean
store_db_fail (sqlite3 *db, const char *doing, GError **error)
{
  int rc = sqlite3_errcode (db);
  RecordsError code = error_code (rc);
  g_set_error (error, RECORDS_ERROR, code, STORE_DB_NAME ": cannot %s: %s%s", doing,
               sqlite3_errmsg (db), advice (code, rc));
  return FALSE;
}

gboolean
store_db_exec (sqlite3 *db, const char *sql, GError **error)
{
  if (sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  return store_db_fail (db, sql, error);
}

sqlite3_stmt *
store_db_prepare (sqlite3 *db, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK)
    store_db_fail (db, sql, error);
  return statement;
}

gboolean
store_db_run (sqlite3_stmt *statement, GError **error)
{
  gboolean ok = sqlite3_step (statement) == SQLITE_DONE;
  if (!ok)
    store_db_fail (sqlite3_db_handle (statement), sqlite3_sql (statement), error);
  sqlite3_reset (statement);
  return ok;
}

void
store_db_bind_text (sqlite3_stmt *statement, int at, const char *text)
{
  sqlite3_bind_text (statement, at, text, -1, SQLITE_TRANSIENT);
}

void
store_db_bind_blob (sqlite3_stmt *statement, int at, gconstpointer data, gsize size)
{
  sqlite3_bind_blob64 (statement, at, size > 0 ? data : "", size, SQLITE_TRANSIENT);
}

const char *
store_db_text (sqlite3_stmt *statement, int column)
{
  const char *text = (const char *)sqlite3_column_text (statement, column);
  return text != NULL ? text : "";
}

GBytes *
store_db_blob (sqlite3_stmt *statement, int column)
{
  gconstpointer data = sqlite3_column_blob (statement, column);
  return g_bytes_new (data, (gsize)sqlite3_column_bytes (statement, column));
}

/* ---- Schema ------------------------------------------------------------------------------- */

static gboolean
pragma_value (sqlite3 *db, const char *sql, gint64 *ret_value, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_db_prepare (db, sql, error);
  if (statement == NULL)
    return FALSE;
  if (sqlite3_step (statement) != SQLITE_ROW)
    return store_db_fail (db, sql, error);
  *ret_value = sqlite3_column_int64 (statement, 0);
  return TRUE;
}

static gboolean
create_schema (sqlite3 *db, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("BEGIN IMMEDIATE;");
  for (guint i = 0; i < G_N_ELEMENTS (schema); i++)
    g_string_append_printf (sql, "%s;", schema[i]);
  g_string_append_printf (sql, "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                          STORE_DB_APPLICATION, STORE_DB_VERSION);
  return sqlite3_exec (db, sql->str, NULL, NULL, NULL) == SQLITE_OK
         || store_db_fail (db, "make its tables", error);
}

/* A database of an earlier version gets what it lacks, in one transaction. */
static gboolean
upgrade_schema (sqlite3 *db, GError **error)
{
  gint64 version;
  if (!pragma_value (db, "PRAGMA user_version", &version, error))
    return FALSE;
  if (version < 1 || version >= STORE_DB_VERSION)
    return TRUE;
  g_autoptr (GString) sql = g_string_new ("BEGIN IMMEDIATE;");
  for (guint i = statements_of[version]; i < G_N_ELEMENTS (schema); i++)
    g_string_append_printf (sql, "%s;", schema[i]);
  g_string_append_printf (sql, "PRAGMA user_version=%d; COMMIT", STORE_DB_VERSION);
  return sqlite3_exec (db, sql->str, NULL, NULL, NULL) == SQLITE_OK
         || store_db_fail (db, "add the tables of this version", error);
}

gboolean
store_db_has_outbox (sqlite3 *db)
{
  gint64 version;
  return pragma_value (db, "PRAGMA user_version", &version, NULL) && version > 2;
}

static gboolean
has_statement (const char *sql, guint statements)
{
  for (guint i = 0; i < statements; i++)
    if (g_str_equal (sql, schema[i]))
      return TRUE;
  return FALSE;
}

gboolean
store_db_check_schema (sqlite3 *db, GError **error)
{
  gint64 application, version;
  guint found = 0;
  int rc;

  if (!pragma_value (db, "PRAGMA application_id", &application, error)
      || !pragma_value (db, "PRAGMA user_version", &version, error))
    return FALSE;
  if (application != STORE_DB_APPLICATION) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 STORE_DB_NAME " is not a database of this program");
    return FALSE;
  }
  if (version < 1 || version > STORE_DB_VERSION) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 STORE_DB_NAME " has version %" G_GINT64_FORMAT ", this program reads 1 to %d",
                 version, STORE_DB_VERSION);
    return FALSE;
  }
  guint statements = statements_of[version];
  g_autoptr (sqlite3_stmt) statement
      = store_db_prepare (db, "SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL", error);
  if (statement == NULL)
    return FALSE;
  while ((rc = sqlite3_step (statement)) == SQLITE_ROW) {
    if (!has_statement (store_db_text (statement, 0), statements)) {
      g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                   STORE_DB_NAME ": the definition of %s was changed",
                   store_db_text (statement, 1));
      return FALSE;
    }
    found++;
  }
  if (rc != SQLITE_DONE)
    return store_db_fail (db, "read the schema", error);
  if (found != statements) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 STORE_DB_NAME ": %u of %u tables and indexes are there", found, statements);
    return FALSE;
  }
  return TRUE;
}

/* ---- Opening ------------------------------------------------------------------------------ */

static guint64
file_size (const char *path)
{
  GStatBuf status;
  return g_stat (path, &status) == 0 ? (guint64)status.st_size : 0;
}

static gboolean
set_defensive (sqlite3 *db, GError **error)
{
  sqlite3_extended_result_codes (db, 1);
  sqlite3_db_config (db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_busy_timeout (db, 5000);
  return store_db_exec (db, "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY", error);
}

static gboolean
is_empty (sqlite3 *db, gboolean *ret_empty, GError **error)
{
  gint64 tables;
  if (!pragma_value (db, "SELECT count(*) FROM sqlite_schema", &tables, error))
    return FALSE;
  *ret_empty = tables == 0;
  return TRUE;
}

sqlite3 *
store_db_open_writer (const char *state_dir, guint64 *ret_wal_bytes, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, STORE_DB_NAME, NULL);
  g_autofree char *wal = g_strconcat (path, "-wal", NULL);
  guint64 wal_bytes = file_size (wal);
  g_autoptr (sqlite3) db = NULL;
  gboolean empty;

  if (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                       NULL)
      != SQLITE_OK) {
    store_db_fail (db, "open", error);
    return NULL;
  }
  if (!set_defensive (db, error)
      || !store_db_exec (db,
                         "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                         "PRAGMA secure_delete=ON; PRAGMA journal_size_limit=0",
                         error)
      || !is_empty (db, &empty, error) || (empty && !create_schema (db, error))
      || !store_db_check_schema (db, error) || !upgrade_schema (db, error)
      || !store_db_check_schema (db, error)
      || !store_db_exec (db, "PRAGMA wal_checkpoint(TRUNCATE)", error)
      || !disk_sync_folder (state_dir, error))
    return NULL;
  chmod (path, 0600);
  *ret_wal_bytes = wal_bytes;
  return g_steal_pointer (&db);
}

/* A WAL needs shared memory in a file beside it, which a reader would have to create. Nobody else
 * is there when the station does not run, so the index of the WAL can be in this process alone
 * (exclusive mode), and no lock is needed (unix-none). Without a WAL nothing moves (immutable). */
static char *
reader_uri (const char *state_dir, gboolean live, gboolean *ret_private_wal)
{
  g_autofree char *absolute = g_canonicalize_filename (state_dir, NULL);
  g_autofree char *path = g_build_filename (absolute, STORE_DB_NAME, NULL);
  g_autofree char *wal = g_strconcat (path, "-wal", NULL);
  g_autofree char *uri = g_filename_to_uri (path, NULL, NULL);
  const char *how = live ? "" : file_size (wal) == 0 ? "&immutable=1" : "&vfs=unix-none";

  *ret_private_wal = g_str_equal (how, "&vfs=unix-none");
  return g_strdup_printf ("%s?mode=ro%s", uri, how);
}

sqlite3 *
store_db_open_reader (const char *state_dir, gboolean live, GError **error)
{
  gboolean private_wal;
  g_autofree char *uri = reader_uri (state_dir, live, &private_wal);
  g_autofree char *path = g_build_filename (state_dir, STORE_DB_NAME, NULL);
  g_autoptr (sqlite3) db = NULL;

  /* SQLite takes the WAL beside an empty file for stale and removes it, even when reading. */
  if (file_size (path) == 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "%s is empty or missing", path);
    return NULL;
  }
  if (sqlite3_open_v2 (uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL)
      != SQLITE_OK) {
    store_db_fail (db, "open", error);
    return NULL;
  }
  sqlite3_db_config (db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if ((private_wal && !store_db_exec (db, "PRAGMA locking_mode=EXCLUSIVE", error))
      || !set_defensive (db, error) || !store_db_check_schema (db, error))
    return NULL;
  return g_steal_pointer (&db);
}

/* ---- Lock --------------------------------------------------------------------------------- */

static int
lock_command (int fd, int command, struct flock *lock)
{
  *lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
  return fcntl (fd, command, lock);
}

static void
write_pid (int fd)
{
  g_autofree char *pid = g_strdup_printf ("%d\n", (int)getpid ());
  /* Durable, so that the start after a power cut knows that it was one. */
  if (ftruncate (fd, 0) != 0 || pwrite (fd, pid, strlen (pid), 0) < 0 || fdatasync (fd) != 0)
    g_warning ("lock: the process id cannot be written: %s", g_strerror (errno));
}

int
store_lock_take (const char *state_dir, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, "lock", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct flock lock;
  char pid[24] = "";

  if (fd < 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", path, g_strerror (errno));
    return -1;
  }
  if (lock_command (fd, F_OFD_SETLK, &lock) == 0) {
    write_pid (fd);
    return fd;
  }
  if (pread (fd, pid, sizeof pid - 1, 0) < 0)
    pid[0] = '\0';
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS,
               "%s is in use by another station, process %s: end that one first", state_dir,
               pid[0] != '\0' ? g_strchomp (pid) : "unknown");
  close (fd);
  return -1;
}

gboolean
store_lock_held (const char *state_dir)
{
  g_autofree char *path = g_build_filename (state_dir, "lock", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct flock lock;

  if (fd < 0)
    return FALSE;
  gboolean held = lock_command (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  close (fd);
  return held;
}
