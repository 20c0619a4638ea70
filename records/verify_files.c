#include "records/verify_private.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8

/* ---- Keys --------------------------------------------------------------------------------- */

static char *
escrow_of (const VaultKeyRow *key)
{
  char commit[STORE_HEX], cms[STORE_HEX];
  store_hex (g_bytes_get_data (key->commit, NULL), commit);
  store_hex (g_bytes_get_data (key->recovery_sha256, NULL), cms);
  return g_strdup_printf ("%u %s %s", key->epoch, commit, cms);
}

static void
check_key (Verify *verify, const VaultKeyRow *key, GHashTable *met)
{
  g_autofree char *name = g_strdup_printf ("%s %s", key->consult, purpose_name (key->purpose));
  g_autofree char *where = g_strdup_printf ("keys.db %s", name);
  g_autofree char *found = escrow_of (key);
  const char *said = g_hash_table_lookup (verify->escrows, name);

  if (said == NULL)
    verify_report (verify, VERIFY_NOTE, "key-unlogged", where,
                   "the log does not tell of this key yet: the station ended while it was made");
  else if (!g_str_equal (said, found))
    verify_report (verify, VERIFY_BAD, "key-tampered", where,
                   "key or escrow are not those that the log tells of");
  if (g_hash_table_contains (verify->shredded, name))
    verify_report (verify, VERIFY_NOTE, "key-not-shredded", where,
                   "it was to be destroyed, and will be when the station starts");
  g_hash_table_add (met, g_steal_pointer (&name));
}

static void
check_missing_keys (Verify *verify, GHashTable *met)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, verify->escrows);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autofree char *where = g_strdup_printf ("keys.db %s", (char *)name);
    if (!g_hash_table_contains (met, name) && !g_hash_table_contains (verify->shredded, name))
      verify_report (verify, VERIFY_BAD, "key-deleted", where,
                     "the log tells of this key, but it is gone");
  }
}

static void
report_problems (Verify *verify, const GPtrArray *problems)
{
  for (guint i = 0; problems != NULL && i < problems->len; i++)
    verify_report (verify, VERIFY_BAD, "keys-damaged", "keys.db", "%s",
                   (const char *)problems->pdata[i]);
}

void
verify_keys (Verify *verify)
{
  if (verify->vault == NULL) {
    g_autoptr (GPtrArray) told = vault_verify_files (verify->state_dir);
    report_problems (verify, told);
    return;
  }
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) problems = vault_verify (verify->vault, &error);
  g_autoptr (GPtrArray) keys = problems != NULL ? vault_list_keys (verify->vault, &error) : NULL;
  g_autoptr (GHashTable) met = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  report_problems (verify, problems);
  if (keys == NULL) {
    verify_report (verify, VERIFY_BAD, "keys-damaged", "keys.db", "%s", error->message);
    return;
  }
  if (verify->db == NULL)
    return;
  for (guint i = 0; i < keys->len; i++)
    check_key (verify, keys->pdata[i], met);
  check_missing_keys (verify, met);
}

/* ---- Files -------------------------------------------------------------------------------- */

gboolean
verify_hash_file (const char *path, guint64 *ret_bytes, gboolean *ret_zero, char ret_hex[STORE_HEX])
{
  g_autofree guint8 *buffer = g_malloc (1024 * 1024);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  guint8 hash[32], any = 0;
  guint64 bytes = 0;
  gssize got = -1;

  EVP_DigestInit_ex (context, EVP_sha256 (), NULL);
  while (fd >= 0 && (got = read (fd, buffer, 1024 * 1024)) > 0) {
    EVP_DigestUpdate (context, buffer, (gsize)got);
    for (gssize i = 0; i < got; i++)
      any |= buffer[i];
    bytes += (guint64)got;
  }
  EVP_DigestFinal_ex (context, hash, NULL);
  EVP_MD_CTX_free (context);
  if (fd >= 0)
    close (fd);
  store_hex (hash, ret_hex);
  *ret_bytes = bytes;
  *ret_zero = any == 0;
  return got == 0;
}

/* Files that other parts of the walk have looked at, or that carry nothing. */
static gboolean
is_known (const char *name)
{
  static const char *const known[]
      = { "records.db",       "records.db-wal",  "records.db-shm", "keys.db",
          "keys.db-wal",      "keys.db-shm",     "keys-copy.db",   "keys-copy.db-wal",
          "keys-copy.db-shm", "keys-damage.txt", "keys-checked",   "lock",
          "witness-told" };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (name, known[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_segment (Verify *verify, const char *name)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", 4);

  if (g_strv_length (parts) != 3 || !g_str_equal (parts[0], "media")
      || !g_str_has_suffix (parts[2], ".seg"))
    return FALSE;
  parts[2][strlen (parts[2]) - strlen (".seg")] = '\0';
  const SegmentFacts *facts = g_hash_table_lookup (verify->segments, parts[2]);
  return facts != NULL && g_str_equal (facts->consult, parts[1]);
}

static void
check_registered (Verify *verify, const char *path, const char *name, const char *said)
{
  char hex[STORE_HEX];
  guint64 bytes;
  gboolean zero;

  if (!verify_hash_file (path, &bytes, &zero, hex))
    verify_report (verify, VERIFY_BAD, "file-unreadable", name, "the disk does not give it");
  else if (!g_str_equal (hex, said))
    verify_report (verify, VERIFY_BAD, "file-changed", name,
                   "its bytes are not those that the log tells of");
  verify->summary.bytes += bytes;
}

static void
check_reserve (Verify *verify, const char *path, const char *name)
{
  char hex[STORE_HEX];
  guint64 bytes;
  gboolean zero;

  if (!verify_hash_file (path, &bytes, &zero, hex))
    verify_report (verify, VERIFY_BAD, "file-unreadable", name, "the disk does not give it");
  else if (!zero)
    verify_report (verify, VERIFY_BAD, "file-changed", name,
                   "it only keeps room and must be all zero, but is not");
  verify->summary.bytes += bytes;
}

/* Begun by the running station after the log was read. */
static gboolean
is_new (Verify *verify, const char *name)
{
  return verify->live && !g_hash_table_contains (verify->media, name);
}

static void
check_one (Verify *verify, const char *path, const char *name, const GStatBuf *status)
{
  const char *said = g_hash_table_lookup (verify->files, name);

  verify->summary.files++;
  if (said != NULL && verify_attachment_name (name, NULL, NULL))
    return; /* verify_attachments() has looked at it */
  if (S_ISSOCK (status->st_mode) && g_str_equal (name, "local.sock"))
    return; /* the running station's */
  if (!S_ISREG (status->st_mode))
    verify_report (verify, VERIFY_NOTE, "file-unknown", name,
                   "neither a file nor a folder; nothing of the record");
  else if (said != NULL)
    check_registered (verify, path, name, said);
  else if (g_str_equal (name, "reserve"))
    check_reserve (verify, path, name);
  else if (is_segment (verify, name) || is_known (name)
           || g_str_has_prefix (name, "captures/")) /* sealed apart, no part of the record */
    return;
  else if (g_str_has_prefix (name, "media/") && status->st_size <= SEGMENT_HEADER)
    verify_report (verify, VERIFY_NOTE, "segment-unlogged", name,
                   "the station ended while it began this segment; nothing is in it");
  else if (verify_attachment_name (name, NULL, NULL))
    verify_report (verify, VERIFY_NOTE, "attachment-unlogged", name,
                   "the station ended before the log told of it; its sender sends it again");
  else if (g_str_has_prefix (name, "media/") && is_new (verify, name))
    return;
  else if (g_str_has_prefix (name, "media/"))
    verify_report (verify, VERIFY_BAD, "segment-unlogged", name, "the log does not tell of it");
  else
    verify_report (verify, VERIFY_NOTE, "file-unknown", name,
                   "not of this program, or not registered: a change in it would not be found");
}

static void
walk_folder (Verify *verify, const char *folder, const char *prefix, guint depth)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;

  if (dir == NULL || depth == 0) {
    verify_report (verify, VERIFY_BAD, "folder-unreadable", prefix, "it cannot be read");
    return;
  }
  while ((entry = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, entry, NULL);
    g_autofree char *name
        = prefix[0] != '\0' ? g_strconcat (prefix, "/", entry, NULL) : g_strdup (entry);
    GStatBuf status;
    if (g_lstat (path, &status) != 0)
      continue; /* gone meanwhile */
    if (S_ISDIR (status.st_mode))
      walk_folder (verify, path, name, depth - 1);
    else
      check_one (verify, path, name, &status);
  }
}

static void
check_missing_files (Verify *verify)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, verify->files);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autofree char *path = g_build_filename (verify->state_dir, name, NULL);
    if (!verify_attachment_name (name, NULL, NULL) && !g_file_test (path, G_FILE_TEST_EXISTS))
      verify_report (verify, VERIFY_BAD, "file-missing", name,
                     "the log tells of this file, but it is gone");
  }
}

static void
note_folder (Verify *verify, const char *consult)
{
  g_autofree char *folder = g_build_filename (verify->state_dir, "media", consult, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, entry, NULL);
    GStatBuf status;
    if (g_lstat (path, &status) == 0 && status.st_size > SEGMENT_HEADER)
      g_hash_table_add (verify->media, g_strconcat ("media/", consult, "/", entry, NULL));
  }
}

void
verify_note_media (Verify *verify)
{
  g_autofree char *folder = g_build_filename (verify->state_dir, "media", NULL);
  g_autoptr (GDir) dir = verify->live ? g_dir_open (folder, 0, NULL) : NULL;
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    note_folder (verify, entry);
}

void
verify_files (Verify *verify)
{
  if (verify->consult != NULL)
    return;
  walk_folder (verify, verify->state_dir, "", DEPTH_MAX);
  check_missing_files (verify);
}
