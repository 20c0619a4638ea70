#include "records/backup_private.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define LIST_SUFFIX ".json"

/* ---- Lists -------------------------------------------------------------------------------- */

/* "12-<sha256>.json" */
static gboolean
parse_name (const char *name, guint64 *ret_number, char ret_hex[STORE_HEX])
{
  char *end;
  *ret_number = g_ascii_strtoull (name, &end, 10);
  if (*ret_number == 0 || *end != '-' || strlen (end + 1) != 64 + strlen (LIST_SUFFIX)
      || !g_str_has_suffix (end, LIST_SUFFIX))
    return FALSE;
  g_strlcpy (ret_hex, end + 1, STORE_HEX);
  return strspn (ret_hex, "0123456789abcdef") == 64;
}

static GDir *
open_lists (BackupFolder *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder->path, "lists", NULL);
  GDir *dir = g_dir_open (path, 0, NULL);
  if (dir == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s cannot be read", path);
  return dir;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;
  return x < y ? -1 : x > y;
}

GArray *
backup_lists (BackupFolder *folder, GError **error)
{
  g_autoptr (GDir) dir = open_lists (folder, error);
  const char *name;
  guint64 number;
  char hex[STORE_HEX];

  if (dir == NULL)
    return NULL;
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  while ((name = g_dir_read_name (dir)) != NULL)
    if (parse_name (name, &number, hex))
      g_array_append_val (numbers, number);
  g_array_sort (numbers, compare_numbers);
  return numbers;
}

/* (transfer full); NULL: none. */
static char *
find_list (BackupFolder *folder, guint64 wanted, char ret_hex[STORE_HEX], GError **error)
{
  g_autoptr (GDir) dir = open_lists (folder, error);
  const char *name;
  guint64 number;

  if (dir == NULL)
    return NULL;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (parse_name (name, &number, ret_hex) && number == wanted)
      return g_build_filename (folder->path, "lists", name, NULL);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND, "%s has no backup %" G_GUINT64_FORMAT,
               folder->path, wanted);
  return NULL;
}

json_t *
backup_list_get (BackupFolder *folder, guint64 number, GError **error)
{
  char wanted[STORE_HEX], found[STORE_HEX];
  g_autofree char *path = find_list (folder, number, wanted, error), *text = NULL;
  guint8 hash[32];
  gsize size;

  if (path == NULL)
    return NULL;
  if (!g_file_get_contents (path, &text, &size, NULL)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s cannot be read", path);
    return NULL;
  }
  store_sha256 (text, size, hash);
  store_hex (hash, found);
  json_t *list
      = g_str_equal (found, wanted) ? json_loadb (text, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
  if (list == NULL)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED, "%s was damaged", path);
  return list;
}

gboolean
backup_list_put (BackupFolder *folder, json_t *list, GError **error)
{
  char *text = json_dumps (list, JSON_COMPACT | JSON_SORT_KEYS);
  guint8 hash[32];
  char hex[STORE_HEX];

  store_sha256 (text, strlen (text), hash);
  store_hex (hash, hex);
  g_autofree char *path
      = g_strdup_printf ("%s/lists/%06" JSON_INTEGER_FORMAT "-%s" LIST_SUFFIX, folder->path,
                         json_integer_value (json_object_get (list, "number")), hex);
  gboolean ok = backup_file_put (path, text, strlen (text), error);
  free (text);
  return ok;
}

/* ---- Pruning ------------------------------------------------------------------------------ */

static void
add_pieces (GHashTable *names, const json_t *list)
{
  gsize i, j;
  json_t *file, *piece;
  json_array_foreach (json_object_get (list, "files"), i, file)
  {
    json_array_foreach (json_object_get (file, "pieces"), j, piece)
    {
      g_hash_table_add (names, g_strdup (json_string_value (piece)));
    }
  }
}

static void
prune_pieces (BackupFolder *folder, GHashTable *named)
{
  for (guint i = 0; i < 256; i++) {
    g_autofree char *path = g_strdup_printf ("%s/pieces/%02x", folder->path, i);
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *piece = g_build_filename (path, name, NULL);
      if (!g_hash_table_contains (named, name))
        g_unlink (piece);
    }
  }
}

gboolean
backup_prune (BackupFolder *folder, guint keep, GError **error)
{
  g_autoptr (GArray) numbers = backup_lists (folder, error);
  g_autoptr (GHashTable) named = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (numbers == NULL)
    return FALSE;
  guint first = numbers->len > keep ? numbers->len - keep : 0;
  for (guint i = first; i < numbers->len; i++) {
    g_autoptr (GError) local = NULL;
    json_auto_t *list = backup_list_get (folder, g_array_index (numbers, guint64, i), &local);
    /* Whose list cannot be read, of that nothing is known: all pieces stay. */
    if (list == NULL)
      return TRUE;
    add_pieces (named, list);
  }
  for (guint i = 0; i < first; i++) {
    char hex[STORE_HEX];
    g_autofree char *path = find_list (folder, g_array_index (numbers, guint64, i), hex, error);
    if (path == NULL)
      return FALSE;
    if (g_unlink (path) != 0)
      return backup_disk_error (path, errno, error);
  }
  prune_pieces (folder, named);
  return TRUE;
}

/* ---- Keys --------------------------------------------------------------------------------- */

static int
compare_descending (gconstpointer a, gconstpointer b)
{
  return compare_numbers (b, a);
}

/* Numbers of the key files, descending. */
static GArray *
key_numbers (BackupFolder *folder)
{
  g_autofree char *path = g_build_filename (folder->path, "keys", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    char *end;
    guint64 number = g_ascii_strtoull (name, &end, 10);
    if (number > 0 && g_str_equal (end, ".db"))
      g_array_append_val (numbers, number);
  }
  g_array_sort (numbers, compare_descending);
  return numbers;
}

static char *
keys_name (guint64 number)
{
  return g_strdup_printf ("%06" G_GUINT64_FORMAT ".db", number);
}

/* Every key of small is in large or in erased. */
static gboolean
covers (const KeyFile *large, const KeyFile *small, GHashTable *erased)
{
  if (small->db == NULL)
    return FALSE;
  g_autoptr (sqlite3_stmt) row
      = table_prepare (small->db, "SELECT consult, purpose FROM consult_key", NULL);
  g_autoptr (sqlite3_stmt) find = table_prepare (
      large->db, "SELECT 1 FROM consult_key WHERE consult = ? AND purpose = ?", NULL);
  while (row != NULL && find != NULL && sqlite3_step (row) == SQLITE_ROW) {
    g_autofree char *name = g_strdup_printf ("%s %s", table_text (row, 0), table_text (row, 1));
    sqlite3_bind_text (find, 1, table_text (row, 0), -1, SQLITE_TRANSIENT);
    sqlite3_bind_text (find, 2, table_text (row, 1), -1, SQLITE_TRANSIENT);
    gboolean there = sqlite3_step (find) == SQLITE_ROW;
    sqlite3_reset (find);
    if (!there && !g_hash_table_contains (erased, name))
      return FALSE;
  }
  return row != NULL && find != NULL;
}

/* Overwritten before it goes; what a flash disk keeps behind that, nobody reaches (docs). */
static void
wipe (const char *path)
{
  g_autofree char *text = NULL;
  gsize size;
  if (g_file_get_contents (path, &text, &size, NULL)) {
    FILE *file = g_fopen (path, "r+b");
    memset (text, 0, size);
    if (file != NULL) {
      if (fwrite (text, 1, size, file) == size && fflush (file) == 0)
        fsync (fileno (file));
      fclose (file);
    }
  }
  g_unlink (path);
}

gboolean
backup_keys_put (BackupFolder *folder, guint64 number, KeyFile *keys, GHashTable *erased,
                 GError **error)
{
  g_autofree char *place = g_build_filename (folder->path, "keys", NULL);
  g_autofree char *name = keys_name (number);
  g_autofree char *path = g_build_filename (place, name, NULL);
  g_autoptr (GArray) older = key_numbers (folder);

  if (!backup_file_put (path, g_bytes_get_data (keys->image, NULL), g_bytes_get_size (keys->image),
                        error))
    return FALSE;
  for (guint i = 0; i < older->len; i++) {
    guint64 n = g_array_index (older, guint64, i);
    g_autofree char *other = keys_name (n);
    if (n >= number)
      continue;
    g_autoptr (KeyFile) before = key_file_read (place, other);
    g_autofree char *old = g_build_filename (place, other, NULL);
    if (covers (keys, before, erased))
      wipe (old);
  }
  return TRUE;
}

GBytes *
backup_keys_get (BackupFolder *folder, guint64 number, GError **error)
{
  g_autofree char *place = g_build_filename (folder->path, "keys", NULL);
  g_autoptr (GArray) numbers = key_numbers (folder);
  g_autoptr (KeyFile) best = NULL;

  for (guint i = 0; i < numbers->len && g_array_index (numbers, guint64, i) >= number; i++) {
    g_autofree char *name = keys_name (g_array_index (numbers, guint64, i));
    KeyFile *keys = key_file_read (place, name);
    if (key_file_sound (keys)) {
      g_clear_pointer (&best, key_file_free);
      best = keys;
    } else {
      key_file_free (keys);
    }
  }
  if (best != NULL)
    return g_bytes_ref (best->image);
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_TAMPERED,
               "%s: the keys of backup %" G_GUINT64_FORMAT " are missing or damaged", place,
               number);
  return NULL;
}

/* ---- Erasures ----------------------------------------------------------------------------- */

GHashTable *
backup_erased_get (BackupFolder *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder->path, "erased", NULL), *text = NULL;
  g_autoptr (GHashTable) erased = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GError) local = NULL;

  if (!g_file_get_contents (path, &text, NULL, &local)) {
    if (g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      return g_steal_pointer (&erased);
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s cannot be read", path);
    return NULL;
  }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      g_hash_table_add (erased, g_strdup (lines[i]));
  return g_steal_pointer (&erased);
}

gboolean
backup_erased_put (BackupFolder *folder, GHashTable *erased, GError **error)
{
  g_autofree char *path = g_build_filename (folder->path, "erased", NULL);
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (erased), (GCompareFunc)strcmp);
  g_autoptr (GString) text = g_string_new (NULL);

  for (GList *one = names; one != NULL; one = one->next)
    g_string_append_printf (text, "%s\n", (const char *)one->data);
  return backup_file_put (path, text->str, text->len, error);
}
