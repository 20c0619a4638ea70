#include "records/backup_private.h"
#include "records/disk.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FORMAT "nhipcau-backup"

gboolean
backup_disk_error (const char *path, int code, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s%s", path, g_strerror (code),
               code == ENOSPC
                   ? ": free some room there, or take a larger disk; earlier backups are "
                     "whole"
                   : "");
  return FALSE;
}

/* ---- Small files -------------------------------------------------------------------------- */

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0) {
    gssize put = write (fd, data, size);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return FALSE;
    data += put;
    size -= (gsize)put;
  }
  return TRUE;
}

/* Under a name of its own first: a file is whole or not there. */
static gboolean
put_file (const char *path, gconstpointer data, gsize size, gboolean durable, GError **error)
{
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  int fd = open (part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean ok = fd >= 0 && write_all (fd, data, size) && (!durable || fsync (fd) == 0);
  int code = errno;

  if (fd >= 0 && close (fd) != 0 && ok) {
    code = errno;
    ok = FALSE;
  }
  if (ok && g_rename (part, path) == 0 && (!durable || disk_sync_parent (path, NULL)))
    return TRUE;
  if (ok)
    code = errno;
  g_unlink (part);
  return backup_disk_error (path, code, error);
}

gboolean
backup_file_put (const char *path, gconstpointer data, gsize size, GError **error)
{
  return put_file (path, data, size, TRUE, error);
}

/* ---- Opening ------------------------------------------------------------------------------ */

static gboolean
is_empty (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (!g_str_equal (name, "lost+found"))
      return FALSE;
  return dir != NULL;
}

static gboolean
check_mark (const char *path, const char *text, gsize size, const char *vault, GError **error)
{
  json_auto_t *mark = json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL);
  const char *format = json_string_value (json_object_get (mark, "format"));
  const char *theirs = json_string_value (json_object_get (mark, "vault"));

  if (g_strcmp0 (format, FORMAT) != 0 || theirs == NULL) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "%s/backup.json is damaged", path);
    return FALSE;
  }
  if (json_integer_value (json_object_get (mark, "version")) != 1) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "%s was written by a newer program: use that one", path);
    return FALSE;
  }
  if (vault == NULL || g_str_equal (theirs, vault))
    return TRUE;
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS,
               "%s has the backups of another station: choose another folder", path);
  return FALSE;
}

/* The mark comes last: a folder that has it has all the others. */
static gboolean
begin (const char *path, const char *vault, GError **error)
{
  static const char *const folders[] = { "pieces", "lists", "keys", "part" };
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = g_build_filename (path, folders[i], NULL);
    if (g_mkdir (folder, 0700) != 0 && errno != EEXIST)
      return backup_disk_error (folder, errno, error);
  }
  for (guint i = 0; i < 256; i++) {
    g_autofree char *folder = g_strdup_printf ("%s/pieces/%02x", path, i);
    if (g_mkdir (folder, 0700) != 0 && errno != EEXIST)
      return backup_disk_error (folder, errno, error);
  }
  g_autofree char *mark = g_build_filename (path, "backup.json", NULL);
  g_autofree char *text
      = g_strdup_printf ("{\"format\":\"" FORMAT "\",\"vault\":\"%s\",\"version\":1}\n", vault);
  return backup_file_put (mark, text, strlen (text), error);
}

static gboolean
know (BackupFolder *folder, const char *vault, gboolean create, GError **error)
{
  g_autofree char *mark = g_build_filename (folder->path, "backup.json", NULL);
  g_autofree char *pieces = g_build_filename (folder->path, "pieces", NULL);
  g_autofree char *text = NULL;
  gsize size;

  if (g_file_get_contents (mark, &text, &size, NULL))
    return check_mark (folder->path, text, size, vault, error);
  /* Killed while it was begun, there are pieces and no mark. */
  if (create && (is_empty (folder->path) || g_file_test (pieces, G_FILE_TEST_IS_DIR)))
    return begin (folder->path, vault, error);
  g_set_error (error, RECORDS_ERROR, create ? RECORDS_ERROR_EXISTS : RECORDS_ERROR_NOT_FOUND,
               create ? "%s is neither empty nor a folder of backups: choose an empty one"
                      : "%s is no folder of backups",
               folder->path);
  return FALSE;
}

BackupFolder *
backup_folder_open (const char *path, const char *vault, gboolean create, GError **error)
{
  g_autoptr (BackupFolder) folder = g_new0 (BackupFolder, 1);

  folder->path = g_canonicalize_filename (path, NULL);
  folder->trusted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  folder->fresh = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  folder->lock = open (folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder->lock < 0) {
    backup_disk_error (folder->path, errno, error);
    return NULL;
  }
  /* A share without locks has none; two writers then do each other no harm but double work. */
  if (create && flock (folder->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_EXISTS,
                 "another backup to %s is being made: wait for its end", folder->path);
    return NULL;
  }
  return know (folder, vault, create, error) ? g_steal_pointer (&folder) : NULL;
}

void
backup_folder_free (BackupFolder *folder)
{
  if (folder == NULL)
    return;
  if (folder->lock >= 0)
    close (folder->lock);
  g_clear_pointer (&folder->trusted, g_hash_table_unref);
  g_clear_pointer (&folder->fresh, g_hash_table_unref);
  g_free (folder->path);
  g_free (folder);
}

/* ---- Pieces ------------------------------------------------------------------------------- */

static char *
piece_path (BackupFolder *folder, const char *hex)
{
  return g_strdup_printf ("%s/pieces/%.2s/%s", folder->path, hex, hex);
}

static gboolean
hex_valid (const char *hex)
{
  return strlen (hex) == 64 && strspn (hex, "0123456789abcdef") == 64;
}

/* drop: what the kernel still holds of it is not taken for the disk's answer. */
static GBytes *
read_piece (BackupFolder *folder, const char *hex, gboolean drop, GError **error)
{
  g_autofree char *path = piece_path (folder, hex);
  g_autoptr (GError) local = NULL;
  char *data = NULL;
  gsize size;
  guint8 hash[32];
  char found[STORE_HEX];

  if (drop) {
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
      close (fd);
    }
  }
  if (!g_file_get_contents (path, &data, &size, &local)) {
    gboolean missing = g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_set_error (error, RECORDS_ERROR, missing ? RECORDS_ERROR_TAMPERED : RECORDS_ERROR_DISK,
                 "%s %s", path, missing ? "is missing" : "cannot be read");
    return NULL;
  }
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, size);
  store_sha256 (data, size, hash);
  store_hex (hash, found);
  if (g_str_equal (found, hex))
    return g_steal_pointer (&bytes);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "%s was damaged", path);
  return NULL;
}

/* A piece that no durable list names may be what a power cut left. */
static gboolean
is_there (BackupFolder *folder, const char *hex, gsize size)
{
  g_autofree char *path = piece_path (folder, hex);
  GStatBuf status;

  if (g_hash_table_contains (folder->fresh, hex))
    return TRUE;
  if (g_stat (path, &status) != 0 || (gsize)status.st_size != size)
    return FALSE;
  if (!folder->whole && g_hash_table_contains (folder->trusted, hex))
    return TRUE;
  g_autoptr (GBytes) bytes = read_piece (folder, hex, FALSE, NULL);
  return bytes != NULL;
}

gboolean
backup_piece_put (BackupFolder *folder, gconstpointer data, gsize size, char ret_hex[STORE_HEX],
                  GError **error)
{
  guint8 hash[32];

  store_sha256 (data, size, hash);
  store_hex (hash, ret_hex);
  if (is_there (folder, ret_hex, size))
    return TRUE;
  g_autofree char *path = piece_path (folder, ret_hex);
  if (!put_file (path, data, size, FALSE, error))
    return FALSE;
  g_hash_table_add (folder->fresh, g_strdup (ret_hex));
  folder->new_bytes += size;
  return TRUE;
}

GBytes *
backup_piece_get (BackupFolder *folder, const char *hex, GError **error)
{
  if (hex_valid (hex))
    return read_piece (folder, hex, FALSE, error);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "a list names a piece \"%.70s\"", hex);
  return NULL;
}

gboolean
backup_piece_there (BackupFolder *folder, const char *hex)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *path = piece_path (folder, hex);

  if (!folder->whole)
    return g_file_test (path, G_FILE_TEST_IS_REGULAR);
  bytes = read_piece (folder, hex, FALSE, NULL);
  return bytes != NULL;
}

gboolean
backup_folder_settle (BackupFolder *folder, GError **error)
{
  GHashTableIter iter;
  gpointer hex;

  if (syncfs (folder->lock) != 0)
    return backup_disk_error (folder->path, errno, error);
  g_hash_table_iter_init (&iter, folder->fresh);
  while (g_hash_table_iter_next (&iter, &hex, NULL)) {
    g_autoptr (GBytes) bytes = read_piece (folder, hex, TRUE, error);
    if (bytes == NULL) {
      g_prefix_error (error, "what was written does not come back from the disk: ");
      return FALSE;
    }
  }
  return TRUE;
}
