/* A restore obeys certificates of destruction that its backup does not know of: those of a newer
 * copy of the folder, or kept elsewhere. */
#include "records/backup_private.h"
#include "records/disk.h"
#include "records/erasure_private.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* Whether the log tells of this key with this commitment. */
static gboolean
log_has_key (sqlite3 *db, const char *consult, const char *purpose, const char *commit)
{
  g_autofree char *pattern = g_strdup_printf ("key %s %s %% %s %%", consult, purpose, commit);
  g_autoptr (sqlite3_stmt) find = store_db_prepare (
      db, "SELECT 1 FROM audit WHERE substr(what, 1, 4) = 'key ' AND what LIKE ?", NULL);
  if (find == NULL)
    return FALSE;
  store_db_bind_text (find, 1, pattern);
  return sqlite3_step (find) == SQLITE_ROW;
}

/* TRUE: it tells of a key that this log has. */
static gboolean
take_keys (const ErasurePaper *paper, sqlite3 *db, GHashTable *erased)
{
  const char *consult = json_string_value (json_object_get (paper->said, "consultation"));
  const char *purpose;
  json_t *commit;
  gboolean taken = FALSE;
  json_object_foreach (json_object_get (paper->said, "commitments"), purpose, commit)
  {
    const char *hex = json_string_value (commit);
    if (hex == NULL || strlen (hex) != STORE_HEX - 1
        || strspn (hex, "0123456789abcdef") != STORE_HEX - 1
        || !log_has_key (db, consult, purpose, hex))
      continue;
    g_hash_table_add (erased, g_strdup_printf ("%s %s", consult, purpose));
    taken = TRUE;
  }
  return taken;
}

static gboolean
keep_paper (const ErasurePaper *paper, const char *place, sqlite3 *db, StoreLog *log,
            GError **error)
{
  g_autofree char *folder = g_build_filename (place, ERASURE_FOLDER, NULL);
  g_autofree char *name = erasure_paper_name (paper);
  g_autofree char *path = g_build_filename (place, name, NULL);
  gsize size;
  const char *data = g_bytes_get_data (paper->file, &size);
  guint8 hash[32];
  char hex[STORE_HEX];

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  store_sha256 (data, size, hash);
  store_hex (hash, hex);
  if (g_mkdir (folder, 0700) != 0 && errno != EEXIST)
    return disk_error (folder, error);
  return g_file_set_contents_full (path, data, (gssize)size,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                   0600, error)
         && store_log_append (log, error, "file %s %s", name, hex);
}

gboolean
backup_take_certificates (const char *from, const char *place, sqlite3 *db, StoreLog *log,
                          GHashTable *erased, GError **error)
{
  if (!g_file_test (from, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND,
                 "%s: there is no folder of certificates here", from);
    return FALSE;
  }
  g_autoptr (GPtrArray) papers = erasure_papers_in (from);
  for (guint i = 0; i < papers->len; i++) {
    const ErasurePaper *paper = papers->pdata[i];
    if (!erasure_paper_is_signed_in (db, paper))
      g_warning ("restore: %s/%s.json is not signed by this station: not obeyed", from, paper->id);
    else if (take_keys (paper, db, erased) && !keep_paper (paper, place, db, log, error))
      return FALSE;
  }
  return TRUE;
}
