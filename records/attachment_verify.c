#include "records/attachment_file.h"
#include "records/verify_private.h"
#include <glib/gstdio.h>
#include <string.h>

gboolean
verify_attachment_name (const char *name, char **ret_consult, char **ret_id)
{
  g_auto (GStrv) parts = g_strsplit (name, "/", 4);

  if (g_strv_length (parts) != 3 || !g_str_equal (parts[0], ATTACHMENT_FOLDER)
      || !store_consult_valid (parts[1]) || !g_str_has_suffix (parts[2], ATTACHMENT_SUFFIX))
    return FALSE;
  parts[2][strlen (parts[2]) - strlen (ATTACHMENT_SUFFIX)] = '\0';
  if (!attachment_id_valid (parts[2]))
    return FALSE;
  if (ret_consult != NULL)
    *ret_consult = g_strdup (parts[1]);
  if (ret_id != NULL)
    *ret_id = g_strdup (parts[2]);
  return TRUE;
}

/* What only the key tells: that every chunk opens and the content is the one that it names. */
static void
check_content (Verify *verify, const char *path, const char *name, const char *consult,
               const char *id)
{
  gboolean station = g_str_equal (consult, STORE_STATION);
  DataKey *key = verify_key (verify, consult, station ? PURPOSE_STATION : PURPOSE_CLINICAL);
  g_autoptr (GError) error = NULL;
  guint8 sha256[32];

  if (key == NULL)
    return;
  g_autoptr (AttachmentFile) file = attachment_file_open (path, key, id, &error);
  if (file == NULL || !attachment_file_check (file, key, -1, sha256, &error))
    verify_report (verify, VERIFY_BAD, "attachment-tampered", name, "%s", error->message);
}

static void
check_attachment (Verify *verify, const char *name, const char *said)
{
  g_autofree char *consult = NULL, *id = NULL;
  g_autofree char *path = g_build_filename (verify->state_dir, name, NULL);
  char hex[STORE_HEX];
  guint64 bytes;
  gboolean zero;

  if (!verify_attachment_name (name, &consult, &id) || !verify_wants (verify, consult))
    return;
  verify->summary.attachments++;
  if (!g_file_test (path, G_FILE_TEST_EXISTS)) {
    verify_report (verify, VERIFY_BAD, "attachment-missing", name,
                   "the log tells of it, but its file is gone");
    return;
  }
  if (!verify_hash_file (path, &bytes, &zero, hex)) {
    verify_report (verify, VERIFY_BAD, "attachment-unreadable", name, "the disk does not give it");
    return;
  }
  verify->summary.bytes += bytes;
  if (!g_str_equal (hex, said))
    verify_report (verify, VERIFY_BAD, "attachment-tampered", name,
                   "its bytes are not those that were written");
  else
    check_content (verify, path, name, consult, id);
}

void
verify_attachments (Verify *verify)
{
  GHashTableIter iter;
  gpointer name, said;

  g_hash_table_iter_init (&iter, verify->files);
  while (g_hash_table_iter_next (&iter, &name, &said))
    check_attachment (verify, name, said);
}
