#include "records/attachment_recover.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *
extension_of (const char *mime)
{
  static const struct {
    const char *mime, *extension;
  } KNOWN[] = { { "application/dicom", "dcm" },
                { "image/png", "png" },
                { "image/jpeg", "jpg" },
                { "application/xml", "xml" },
                { "audio/flac", "flac" } };
  for (guint i = 0; i < G_N_ELEMENTS (KNOWN); i++)
    if (g_str_equal (mime, KNOWN[i].mime))
      return KNOWN[i].extension;
  return "bin";
}

static gboolean
is_gone (sqlite3 *db, const char *consult, const char *id)
{
  g_autofree char *name = attachment_path (NULL, consult, id);
  g_autofree char *word = g_strconcat ("file ", name, NULL);
  g_autofree char *said = store_log_find (db, word, NULL);
  return said != NULL && g_str_has_suffix (said, " gone");
}

static gboolean
write_content (const char *state_dir, const StoreRow *row, const char *id, DataKey *key,
               const char *out, GError **error)
{
  g_autofree char *path = attachment_path (state_dir, row->consult, id);
  g_autoptr (AttachmentFile) file = attachment_file_open (path, key, id, error);
  guint8 sha256[32];

  if (file == NULL)
    return FALSE;
  int fd = open (out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", out, g_strerror (errno));
    return FALSE;
  }
  gboolean ok = attachment_file_check (file, key, fd, sha256, error);
  close (fd);
  return ok;
}

json_t *
attachment_recover (sqlite3 *db, const char *state_dir, const StoreRow *row, DataKey *key,
                    const char *folder, GError **error)
{
  const char *id, *kind, *name, *mime, *sha256;
  json_int_t size;

  if (json_unpack (row->body, "{s:s, s:s, s:s, s:s, s:I, s:s}", "id", &id, "kind", &kind, "name",
                   &name, "mime", &mime, "size", &size, "sha256", &sha256)
          != 0
      || !attachment_id_valid (id)) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_VERSION,
                 "row attachment/%" G_GINT64_FORMAT " is not one that this program knows",
                 row->seq);
    return NULL;
  }
  if (is_gone (db, row->consult, id))
    return NULL;
  g_autofree char *file
      = g_strdup_printf ("attachment-%" G_GINT64_FORMAT ".%s", row->seq, extension_of (mime));
  g_autofree char *out = g_build_filename (folder, file, NULL);
  if (!write_content (state_dir, row, id, key, out, error))
    return NULL;
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "file", file, "id", id, "kind", kind,
                    "name", name, "mime", mime, "size", size, "sha256", sha256);
}
