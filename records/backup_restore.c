#include "records/backup_private.h"
#include "records/vault_restore.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const RestoreRequest *request;
  RestoreReport *report;
  BackupFolder *folder;
  json_t *list;
  GHashTable *erased;
  char *place; /* beside the state folder; becomes it at the end */
} Restoring;

static gboolean
bad_list (const char *what, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "the list of this backup: %s", what);
  return FALSE;
}

/* ---- Files -------------------------------------------------------------------------------- */

/* Whoever wrote the list, nothing is written outside of the folder. */
static gboolean
path_valid (const char *path)
{
  if (path == NULL || path[0] == '\0' || path[0] == '/' || strlen (path) > 512)
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (parts[i][0] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
      return FALSE;
  return !g_str_has_prefix (path, "keys.db") && !g_str_has_prefix (path, "keys-copy.db")
         && !g_str_has_prefix (path, STORE_DB_NAME "-");
}

static gboolean
write_pieces (Restoring *restoring, const json_t *file, int fd, EVP_MD_CTX *hash, GError **error)
{
  gsize i;
  json_t *piece;
  json_array_foreach (json_object_get (file, "pieces"), i, piece)
  {
    const char *hex = json_string_value (piece);
    g_autoptr (GBytes) bytes = backup_piece_get (restoring->folder, hex != NULL ? hex : "", error);
    if (bytes == NULL)
      return FALSE;
    gsize size;
    const guint8 *data = g_bytes_get_data (bytes, &size);
    EVP_DigestUpdate (hash, data, size);
    for (gsize at = 0; at < size;) {
      gssize put = write (fd, data + at, size - at);
      if (put < 0 && errno != EINTR)
        return backup_disk_error (restoring->place, errno, error);
      at += put > 0 ? (gsize)put : 0;
    }
    restoring->report->bytes += size;
  }
  return TRUE;
}

static gboolean
write_file (Restoring *restoring, const json_t *file, const char *path, GError **error)
{
  g_autofree char *whole = g_build_filename (restoring->place, path, NULL);
  g_autofree char *parent = g_path_get_dirname (whole);
  const char *said = json_string_value (json_object_get (file, "sha256"));
  guint8 hash[32];
  char hex[STORE_HEX];

  if (g_mkdir_with_parents (parent, 0700) != 0)
    return backup_disk_error (parent, errno, error);
  int fd = open (whole, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return backup_disk_error (whole, errno, error);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  EVP_DigestInit_ex (context, EVP_sha256 (), NULL);
  gboolean ok = write_pieces (restoring, file, fd, context, error);
  EVP_DigestFinal_ex (context, hash, NULL);
  EVP_MD_CTX_free (context);
  if (close (fd) != 0 && ok)
    ok = backup_disk_error (whole, errno, error);
  store_hex (hash, hex);
  if (ok && g_strcmp0 (hex, said) != 0)
    return bad_list ("a file is not that of its hash", error);
  restoring->report->files += ok;
  return ok;
}

static gboolean
write_files (Restoring *restoring, GError **error)
{
  gsize i;
  json_t *file;
  json_array_foreach (json_object_get (restoring->list, "files"), i, file)
  {
    const char *path = json_string_value (json_object_get (file, "path"));
    if (!path_valid (path))
      return bad_list ("it names a file that no backup has", error);
    if (!write_file (restoring, file, path, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Erasures ----------------------------------------------------------------------------- */

/* Newest lists know more than the one that is restored. */
static gboolean
read_erased (Restoring *restoring, GError **error)
{
  gsize i;
  json_t *name;

  restoring->erased = backup_erased_get (restoring->folder, error);
  if (restoring->erased == NULL)
    return FALSE;
  json_array_foreach (json_object_get (restoring->list, "erased"), i, name)
  {
    if (json_is_string (name))
      g_hash_table_add (restoring->erased, g_strdup (json_string_value (name)));
  }
  return TRUE;
}

static gboolean
log_erasures (Restoring *restoring, sqlite3 *db, StoreLog *log, GError **error)
{
  g_autoptr (GList) names
      = g_list_sort (g_hash_table_get_keys (restoring->erased), (GCompareFunc)strcmp);

  for (GList *one = names; one != NULL; one = one->next) {
    g_autoptr (sqlite3_stmt) find = store_db_prepare (
        db,
        "SELECT sum(what = 'shred ' || ?1), sum(what LIKE 'key ' || ?1 || ' %') FROM audit WHERE "
        "substr(what, 1, 4) <> 'rec ' AND (what = 'shred ' || ?1 OR what LIKE 'key ' || ?1 || ' "
        "%')",
        error);
    if (find == NULL)
      return FALSE;
    store_db_bind_text (find, 1, one->data);
    if (sqlite3_step (find) != SQLITE_ROW)
      return store_db_fail (db, "search the log", error);
    if (sqlite3_column_int64 (find, 0) > 0 || sqlite3_column_int64 (find, 1) == 0)
      continue; /* told of, or of a consultation that this backup does not have */
    if (!store_log_append (log, error, "shred %s", (const char *)one->data))
      return FALSE;
    restoring->report->erased++;
  }
  return TRUE;
}

/* Before any key is opened. */
static gboolean
replay_erasures (Restoring *restoring, GError **error)
{
  guint64 wal_bytes;
  StoreLog log;

  sqlite3 *db = store_db_open_writer (restoring->place, &wal_bytes, error);
  if (db == NULL)
    return FALSE;
  const char *more = restoring->request->erasures;
  gboolean ok = store_log_load (&log, db, error) && store_db_exec (db, "BEGIN IMMEDIATE", error)
                && (more == NULL
                    || backup_take_certificates (more, restoring->place, db, &log,
                                                 restoring->erased, error))
                && log_erasures (restoring, db, &log, error) && store_db_exec (db, "COMMIT", error)
                && store_db_exec (db, "PRAGMA wal_checkpoint(TRUNCATE)", error);
  store_log_clear (&log);
  sqlite3_close_v2 (db);
  return ok;
}

static gboolean
write_keys (Restoring *restoring, GError **error)
{
  const RestoreRequest *request = restoring->request;
  const VaultRestore restore = { request->recovery_key, request->certificate, request->user,
                                 request->passphrase, restoring->erased };
  g_autoptr (GBytes) image = backup_keys_get (restoring->folder, restoring->report->number, error);
  g_autoptr (GBytes) keys
      = image != NULL ? vault_restore_keys (image, &restore, &restoring->report->keys, error)
                      : NULL;
  return keys != NULL && key_file_replace (restoring->place, KEYS_COPY, keys, error)
         && key_file_replace (restoring->place, KEYS_MAIN, keys, error);
}

/* ---- The state folder --------------------------------------------------------------------- */

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    if (g_file_test (inner, G_FILE_TEST_IS_DIR) && !g_file_test (inner, G_FILE_TEST_IS_SYMLINK))
      remove_tree (inner);
    else
      g_unlink (inner);
  }
  g_rmdir (path);
}

/* Only what an earlier restore left is taken away. */
static gboolean
make_place (Restoring *restoring, GError **error)
{
  g_autofree char *whole = g_canonicalize_filename (restoring->request->state_dir, NULL);

  restoring->place = g_strconcat (whole, ".restoring", NULL);
  g_autoptr (GDir) dir = g_dir_open (whole, 0, NULL);
  if ((dir != NULL && g_dir_read_name (dir) != NULL)
      || (dir == NULL && g_file_test (whole, G_FILE_TEST_EXISTS))) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS,
                 "%s is there already: restore to a folder that is not, nothing is overwritten",
                 whole);
    return FALSE;
  }
  remove_tree (restoring->place);
  return g_mkdir (restoring->place, 0700) == 0
         || backup_disk_error (restoring->place, errno, error);
}

static gboolean
publish (Restoring *restoring, GError **error)
{
  g_autofree char *whole = g_canonicalize_filename (restoring->request->state_dir, NULL);
  g_autofree char *parent = g_path_get_dirname (whole);
  int fd = open (restoring->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean ok = fd >= 0 && syncfs (fd) == 0 && g_rename (restoring->place, whole) == 0;
  int code = errno;

  if (fd >= 0)
    close (fd);
  if (!ok)
    return backup_disk_error (whole, code, error);
  fd = open (parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync (fd);
    close (fd);
  }
  return TRUE;
}

static gboolean
choose_list (Restoring *restoring, GError **error)
{
  g_autoptr (GArray) numbers = backup_lists (restoring->folder, error);
  if (numbers == NULL)
    return FALSE;
  restoring->report->number = restoring->request->number;
  if (restoring->report->number == 0 && numbers->len == 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "%s has no backup yet",
                 restoring->folder->path);
    return FALSE;
  }
  if (restoring->report->number == 0)
    restoring->report->number = g_array_index (numbers, guint64, numbers->len - 1);
  restoring->list = backup_list_get (restoring->folder, restoring->report->number, error);
  return restoring->list != NULL;
}

static gboolean
restore_all (Restoring *restoring, GError **error)
{
  return choose_list (restoring, error) && read_erased (restoring, error)
         && make_place (restoring, error) && write_files (restoring, error)
         && replay_erasures (restoring, error) && write_keys (restoring, error)
         && publish (restoring, error);
}

gboolean
backup_restore (const RestoreRequest *request, RestoreReport *ret_report, GError **error)
{
  *ret_report = (RestoreReport){ 0 };
  g_autoptr (BackupFolder) folder = backup_folder_open (request->dir, NULL, FALSE, error);
  if (folder == NULL)
    return FALSE;
  Restoring restoring = { .request = request, .report = ret_report, .folder = folder };
  gboolean ok = restore_all (&restoring, error);
  if (!ok && restoring.place != NULL)
    remove_tree (restoring.place);
  json_decref (restoring.list);
  g_clear_pointer (&restoring.erased, g_hash_table_unref);
  g_free (restoring.place);
  return ok;
}
