#include "records/backup_private.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 3
#define DEPTH_MAX 8

typedef struct {
  const char *state_dir;
  BackupFolder *folder;
  BackupReport *report;
  BackupLog *log;
  KeyFile *keys;
  GHashTable *before; /* path → json_t*, of the list before (borrowed) */
  json_t *files;      /* of the new list */
  GHashTable *copied; /* path → SHA-256 */
} Making;

void
backup_report_clear (BackupReport *report)
{
  g_clear_pointer (&report->problems, g_ptr_array_unref);
}

static void G_GNUC_PRINTF (2, 3) problem (Making *making, const char *format, ...)
{
  va_list words;
  va_start (words, format);
  g_ptr_array_add (making->report->problems, g_strdup_vprintf (format, words));
  va_end (words);
}

/* ---- The database ------------------------------------------------------------------------- */

static sqlite3 *
open_copy (const char *path, GError **error)
{
  sqlite3 *db = NULL;
  if (sqlite3_open (path, &db) != SQLITE_OK
      || sqlite3_exec (db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL)
             != SQLITE_OK) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", path, sqlite3_errmsg (db));
    g_clear_pointer (&db, sqlite3_close);
  }
  return db;
}

/* In one reading transaction of a connection that can neither write nor checkpoint. */
static gboolean
copy_pages (sqlite3 *from, sqlite3 *to, const char *path, GError **error)
{
  sqlite3_backup *backup = sqlite3_backup_init (to, "main", from, "main");
  int rc = backup != NULL ? sqlite3_backup_step (backup, -1) : sqlite3_errcode (to);

  for (guint i = 0; i < 50 && (rc == SQLITE_BUSY || rc == SQLITE_LOCKED); i++) {
    sqlite3_sleep (100);
    rc = sqlite3_backup_step (backup, -1);
  }
  if (backup != NULL)
    sqlite3_backup_finish (backup);
  if (rc == SQLITE_DONE)
    return TRUE;
  g_set_error (error, RECORDS_ERROR,
               (rc & 0xff) == SQLITE_CORRUPT ? RECORDS_ERROR_TAMPERED : RECORDS_ERROR_DISK,
               "%s: %s", path, sqlite3_errstr (rc));
  return FALSE;
}

static gboolean
check_copy (sqlite3 *db, GError **error)
{
  g_autoptr (sqlite3_stmt) row = store_db_prepare (db, "PRAGMA integrity_check(1)", error);
  if (row == NULL)
    return FALSE;
  if (sqlite3_step (row) == SQLITE_ROW && g_str_equal (store_db_text (row, 0), "ok"))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               STORE_DB_NAME ": %s: run nhipcau record verify; earlier backups are whole",
               store_db_text (row, 0));
  return FALSE;
}

static gboolean
copy_database (Making *making, GError **error)
{
  g_autofree char *part = g_build_filename (making->folder->path, "part", NULL);
  g_autofree char *path = g_build_filename (part, STORE_DB_NAME, NULL);
  gboolean live = store_lock_held (making->state_dir);
  g_autoptr (sqlite3) from = store_db_open_reader (making->state_dir, live, error);

  if (from == NULL)
    return FALSE;
  if (g_mkdir (part, 0700) != 0 && errno != EEXIST)
    return backup_disk_error (part, errno, error);
  g_unlink (path);
  sqlite3 *to = open_copy (path, error);
  gboolean ok = to != NULL && copy_pages (from, to, path, error);
  sqlite3_close (to);
  if (!ok)
    return FALSE;
  g_autoptr (sqlite3) copy = store_db_open_reader (part, FALSE, error);
  if (copy == NULL || !check_copy (copy, error))
    return FALSE;
  g_clear_pointer (&making->log, backup_log_free);
  making->log = backup_log_read (copy, making->report->known_size, error);
  return making->log != NULL;
}

/* ---- Keys --------------------------------------------------------------------------------- */

static KeyFile *
read_keys (const char *state_dir, GError **error)
{
  g_autoptr (KeyFile) main = key_file_read (state_dir, KEYS_MAIN);
  g_autoptr (KeyFile) copy = key_file_read (state_dir, KEYS_COPY);
  gboolean use_copy
      = key_file_sound (copy) && (!key_file_sound (main) || copy->generation > main->generation);
  KeyFile *chosen = use_copy ? copy : main;

  if (!key_file_sound (chosen)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
                 "%s: run nhipcau record verify; earlier backups are whole",
                 chosen->problems->len > 0 ? (char *)chosen->problems->pdata[0] : KEYS_MAIN);
    return NULL;
  }
  return use_copy ? g_steal_pointer (&copy) : g_steal_pointer (&main);
}

/* (transfer full) hex; NULL with error. */
static char *
vault_of (KeyFile *keys, GError **error)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (keys->db, "SELECT value FROM meta WHERE name = 'vault'", error);
  if (row == NULL)
    return NULL;
  if (sqlite3_step (row) == SQLITE_ROW && sqlite3_column_bytes (row, 0) == 16) {
    g_autoptr (GBytes) id = g_bytes_new (sqlite3_column_blob (row, 0), 16);
    return store_hex_of (id);
  }
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "keys.db: the vault's id is missing");
  return NULL;
}

static void
check_keys (Making *making)
{
  g_autoptr (sqlite3_stmt) row
      = table_prepare (making->keys->db, "SELECT consult, purpose FROM consult_key", NULL);
  g_autoptr (GHashTable) there = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name;

  while (row != NULL && sqlite3_step (row) == SQLITE_ROW)
    g_hash_table_add (there, g_strdup_printf ("%s %s", table_text (row, 0), table_text (row, 1)));
  g_hash_table_iter_init (&iter, making->log->keys);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (there, name))
      problem (making, "the key of %s is gone, though the log does not tell of an erasure",
               (char *)name);
}

/* ---- Files -------------------------------------------------------------------------------- */

typedef struct {
  EVP_MD_CTX *hash;
  json_t *pieces;
  guint64 bytes;
  guint8 *buffer;
} Reading;

static gboolean
read_pieces (Making *making, int fd, gsize piece, const char *path, Reading *reading,
             GError **error)
{
  for (;;) {
    gsize filled = 0;
    gssize got;
    while (filled < piece && (got = read (fd, reading->buffer + filled, piece - filled)) != 0) {
      if (got < 0 && errno != EINTR)
        return backup_disk_error (path, errno, error);
      filled += got > 0 ? (gsize)got : 0;
    }
    if (filled == 0)
      return TRUE;
    char hex[STORE_HEX];
    EVP_DigestUpdate (reading->hash, reading->buffer, filled);
    if (!backup_piece_put (making->folder, reading->buffer, filled, hex, error))
      return FALSE;
    json_array_append_new (reading->pieces, json_string (hex));
    reading->bytes += filled;
    if (filled < piece)
      return TRUE;
  }
}

static void
add_file (Making *making, const char *name, guint64 bytes, const char *sha256, json_t *pieces)
{
  json_array_append_new (making->files,
                         json_pack ("{s:I, s:s, s:O, s:s}", "bytes", (json_int_t)bytes, "path",
                                    name, "pieces", pieces, "sha256", sha256));
  g_hash_table_insert (making->copied, g_strdup (name), g_strdup (sha256));
  making->report->files++;
  making->report->bytes += bytes;
}

static gboolean
copy_file (Making *making, const char *path, const char *name, gsize piece, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  guint8 hash[32];
  char hex[STORE_HEX];

  if (fd < 0) /* gone meanwhile, or a damaged disk: what the log misses is told at the end */
    return TRUE;
  Reading reading = { EVP_MD_CTX_new (), json_array (), 0, g_malloc (piece) };
  EVP_DigestInit_ex (reading.hash, EVP_sha256 (), NULL);
  gboolean ok = read_pieces (making, fd, piece, path, &reading, error);
  EVP_DigestFinal_ex (reading.hash, hash, NULL);
  store_hex (hash, hex);
  if (ok)
    add_file (making, name, reading.bytes, hex, reading.pieces);
  EVP_MD_CTX_free (reading.hash);
  json_decref (reading.pieces);
  g_free (reading.buffer);
  close (fd);
  return ok;
}

/* A file that the log knows by its hash, and the backup before had with the same one, is there. */
static gboolean
reuse (Making *making, const char *name)
{
  const char *said = g_hash_table_lookup (making->log->files, name);
  json_t *before = g_hash_table_lookup (making->before, name), *piece;
  json_t *pieces = json_object_get (before, "pieces");
  gsize i;

  if (said == NULL || before == NULL
      || g_strcmp0 (said, json_string_value (json_object_get (before, "sha256"))) != 0)
    return FALSE;
  json_array_foreach (pieces, i, piece)
  {
    if (!backup_piece_there (making->folder, json_string_value (piece)))
      return FALSE;
  }
  add_file (making, name, (guint64)json_integer_value (json_object_get (before, "bytes")), said,
            pieces);
  return TRUE;
}

/* Not what comes by other ways, belongs to the process that runs, or is no part of the record. */
static gboolean
is_left_out (const char *name)
{
  static const char *const left[]
      = { "lock", "reserve", "local.sock", "witness-told", "keys-checked" };
  for (guint i = 0; i < G_N_ELEMENTS (left); i++)
    if (g_str_equal (name, left[i]))
      return TRUE;
  return g_str_has_prefix (name, STORE_DB_NAME) || g_str_has_prefix (name, "keys.db")
         || g_str_has_prefix (name, "keys-copy.db") || g_str_has_prefix (name, "captures/")
         || g_str_has_suffix (name, ".part");
}

static gboolean
walk (Making *making, const char *path, const char *prefix, guint depth, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *entry;
  gboolean ok = TRUE;

  while (ok && dir != NULL && depth > 0 && (entry = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (path, entry, NULL);
    g_autofree char *name
        = prefix[0] != '\0' ? g_strconcat (prefix, "/", entry, NULL) : g_strdup (entry);
    GStatBuf status;
    if (g_lstat (inner, &status) != 0 || is_left_out (name))
      continue;
    if (S_ISDIR (status.st_mode))
      ok = walk (making, inner, name, depth - 1, error);
    else if (S_ISREG (status.st_mode) && !reuse (making, name))
      ok = copy_file (making, inner, name, BACKUP_PIECE, error);
  }
  return ok;
}

static void
check_files (Making *making)
{
  GHashTableIter iter;
  gpointer name, said;

  g_hash_table_iter_init (&iter, making->log->files);
  while (g_hash_table_iter_next (&iter, &name, &said)) {
    const char *found = g_hash_table_lookup (making->copied, name);
    g_auto (GStrv) parts = g_strsplit (name, "/", 3);
    g_autofree char *key
        = g_strdup_printf ("%s %s", parts[1] != NULL ? parts[1] : "",
                           g_str_equal (parts[0], "media") ? "recording" : "clinical");
    if (found == NULL && g_hash_table_contains (making->log->erased, key))
      continue;
    if (found == NULL)
      problem (making, "%s is missing, though the log tells of it", (char *)name);
    else if (!g_str_equal (found, said))
      problem (making, "%s: its bytes are not those that the log tells of", (char *)name);
  }
}

/* ---- One backup --------------------------------------------------------------------------- */

static gboolean
gather (Making *making, GError **error)
{
  g_autofree char *part = g_build_filename (making->folder->path, "part", STORE_DB_NAME, NULL);

  json_array_clear (making->files);
  g_hash_table_remove_all (making->copied);
  g_ptr_array_set_size (making->report->problems, 0);
  making->report->files = making->report->bytes = 0;
  g_clear_pointer (&making->keys, key_file_free);
  if (!copy_database (making, error))
    return FALSE;
  making->keys = read_keys (making->state_dir, error);
  if (making->keys == NULL || !copy_file (making, part, STORE_DB_NAME, BACKUP_PIECE_DB, error)
      || !walk (making, making->state_dir, "", DEPTH_MAX, error))
    return FALSE;
  check_keys (making);
  check_files (making);
  return TRUE;
}

/* What the station did between database, keys and files shows as problems; then the log has moved,
 * and a second look finds none. What stays is damage. */
static gboolean
gather_steady (Making *making, GError **error)
{
  guint64 last = G_MAXUINT64;
  for (guint i = 0; i < TRIES; i++) {
    if (!gather (making, error))
      return FALSE;
    if (making->report->problems->len == 0 || making->log->size == last)
      break;
    last = making->log->size;
  }
  return TRUE;
}

static json_t *
list_of (Making *making, GHashTable *erased)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *made = g_date_time_format_iso8601 (now);
  json_t *names = json_array ();
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, erased);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    json_array_append_new (names, json_string (name));
  return json_pack ("{s:o, s:O, s:{s:s, s:I}, s:s, s:I, s:i}", "erased", names, "files",
                    making->files, "log", "root", making->log->root, "size",
                    (json_int_t)making->log->size, "made", made, "number",
                    (json_int_t)making->report->number, "version", 1);
}

static gboolean
publish (Making *making, guint keep, GError **error)
{
  g_autoptr (GHashTable) erased = backup_erased_get (making->folder, error);
  GHashTableIter iter;
  gpointer name;

  if (erased == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, making->log->erased);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (erased, g_strdup (name));
  json_auto_t *list = list_of (making, erased);
  return backup_folder_settle (making->folder, error)
         && backup_erased_put (making->folder, erased, error)
         && backup_keys_put (making->folder, making->report->number, making->keys, erased, error)
         && backup_list_put (making->folder, list, error)
         && backup_prune (making->folder, keep, error);
}

/* What the newest whole list knows. Of a damaged one its number is used up. */
static gboolean
read_before (Making *making, json_t **ret_list, GError **error)
{
  g_autoptr (GArray) numbers = backup_lists (making->folder, error);
  gsize i, j;
  json_t *file, *piece;

  if (numbers == NULL)
    return FALSE;
  for (guint n = numbers->len; n > 0 && *ret_list == NULL; n--)
    *ret_list = backup_list_get (making->folder, g_array_index (numbers, guint64, n - 1), NULL);
  making->report->number
      = numbers->len > 0 ? g_array_index (numbers, guint64, numbers->len - 1) + 1 : 1;
  json_t *log = json_object_get (*ret_list, "log");
  making->report->known_size = (guint64)json_integer_value (json_object_get (log, "size"));
  const char *root = json_string_value (json_object_get (log, "root"));
  g_strlcpy (making->report->known_root, root != NULL ? root : "", STORE_HEX);
  json_array_foreach (json_object_get (*ret_list, "files"), i, file)
  {
    const char *path = json_string_value (json_object_get (file, "path"));
    if (path != NULL)
      g_hash_table_insert (making->before, g_strdup (path), file);
    json_array_foreach (json_object_get (file, "pieces"), j, piece)
    {
      g_hash_table_add (making->folder->trusted, g_strdup (json_string_value (piece)));
    }
  }
  return TRUE;
}

static gboolean
make (Making *making, guint keep, GError **error)
{
  json_auto_t *before = NULL;
  BackupReport *report = making->report;
  g_autofree char *part = g_build_filename (making->folder->path, "part", STORE_DB_NAME, NULL);

  gboolean ok = read_before (making, &before, error) && gather_steady (making, error)
                && publish (making, keep, error);
  g_unlink (part);
  if (!ok)
    return FALSE;
  report->new_bytes = making->folder->new_bytes;
  report->log_size = making->log->size;
  g_strlcpy (report->root, making->log->root, STORE_HEX);
  report->behind
      = report->known_size > 0 && !g_str_equal (making->log->known_root, report->known_root);
  return TRUE;
}

gboolean
backup_make (const char *state_dir, const char *dir, guint keep, gboolean whole,
             BackupReport *ret_report, GError **error)
{
  *ret_report = (BackupReport){ .problems = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (KeyFile) keys = read_keys (state_dir, error);
  g_autofree char *vault = keys != NULL ? vault_of (keys, error) : NULL;
  if (vault == NULL)
    return FALSE;
  g_autoptr (BackupFolder) folder = backup_folder_open (dir, vault, TRUE, error);
  if (folder == NULL)
    return FALSE;
  folder->whole = whole;
  Making making = { .state_dir = state_dir, .folder = folder, .report = ret_report };
  making.before = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  making.copied = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  making.files = json_array ();
  gboolean ok = make (&making, MAX (keep, 1), error);
  g_hash_table_unref (making.before);
  g_hash_table_unref (making.copied);
  json_decref (making.files);
  g_clear_pointer (&making.log, backup_log_free);
  g_clear_pointer (&making.keys, key_file_free);
  return ok;
}
