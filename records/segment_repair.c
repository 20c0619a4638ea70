#include "records/segment_output.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

GPtrArray *
segment_list_torn (Store *store, GError **error)
{
  return segment_rows_open (store->reader, error);
}

/* ---- Cutting ------------------------------------------------------------------------------ */

static gboolean
cut_file (Store *store, const SegmentRow *row, guint64 bytes, GError **error)
{
  g_autofree char *path = segment_path (store->state_dir, row->consult, row->id);
  int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  gboolean ok = fd >= 0 && ftruncate (fd, (off_t)bytes) == 0 && fdatasync (fd) == 0;

  if (!ok)
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return ok;
}

static void
tell_cut (Store *store, const SegmentRow *row, const SegmentScan *scan)
{
  if (store->recovered == NULL)
    return;
  json_array_append_new (json_object_get (store->recovered, "cut"),
                         json_pack ("{s:s, s:s, s:s, s:I, s:I}", "segment", row->id, "consult",
                                    row->consult, "stream", row->stream, "kept",
                                    (json_int_t)scan->valid, "lost",
                                    (json_int_t)(scan->size - scan->valid)));
}

/* Everything was written, and only the word in the log is missing: then it is closed, not torn. */
static gboolean
cut_one (Store *store, const SegmentRow *row, DataKey *key, GError **error)
{
  guint8 header[SEGMENT_HEADER];
  SegmentHeader parsed;
  SegmentScan scan;
  int fd = segment_file_open (store->state_dir, row, header, &parsed, error);

  if (fd < 0)
    return FALSE;
  g_autoptr (SegmentCipher) cipher = segment_cipher_new (key, parsed.id, header);
  segment_scan (fd, header, &(SegmentScanner){ .cipher = cipher }, &scan);
  close (fd);
  if (scan.end == SCAN_DISK) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "segment %s cannot be read to its end",
                 row->id);
    return FALSE;
  }
  if (scan.size > scan.valid && !cut_file (store, row, scan.valid, error))
    return FALSE;
  SegmentVerdict verdict = { row->id, scan.is_final ? "closed" : "torn", scan.valid,
                             scan.is_final ? scan.tail : 0, scan.sha256 };
  if (!store_writer_call (store->writer, segment_write_verdict, &verdict, error))
    return FALSE;
  tell_cut (store, row, &scan);
  return TRUE;
}

/* TRUE when the segment needs nothing more here. What cannot be repaired is left for verify to
 * name: it must keep nobody from working. */
static gboolean
settle (Store *store, const SegmentRow *row, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (DataKey) key = vault_get_key (store->vault, row->consult, PURPOSE_RECORDING, &local);

  if (key == NULL && g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_LOCKED))
    return FALSE;
  if (key != NULL && cut_one (store, row, key, &local))
    return TRUE;
  if (g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_DISK)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_warning ("segment: %s cannot be cut to its valid part: %s", row->id, local->message);
  return TRUE;
}

gboolean
segment_repair (Store *store, const char *consult, GError **error)
{
  for (guint i = 0; i < store->torn->len;) {
    const SegmentRow *row = store->torn->pdata[i];
    g_autoptr (GError) local = NULL;
    if (consult != NULL && !g_str_equal (row->consult, consult)) {
      i++;
    } else if (settle (store, row, &local)) {
      g_ptr_array_remove_index (store->torn, i);
    } else if (local != NULL) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    } else {
      i++;
    }
  }
  return TRUE;
}

/* ---- Strays ------------------------------------------------------------------------------- */

static gboolean
is_known (GHashTable *known, const char *name)
{
  g_autofree char *id = g_strndup (name, strlen (name) - strlen (".seg"));
  return g_hash_table_contains (known, id);
}

static void
remove_strays_of (const char *folder, GHashTable *known)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf status;
    if (!g_str_has_suffix (name, ".seg") || is_known (known, name) || g_lstat (path, &status) != 0
        || !S_ISREG (status.st_mode) || status.st_size > SEGMENT_HEADER)
      continue;
    if (g_unlink (path) != 0)
      g_warning ("segment: %s cannot be removed: %s", name, g_strerror (errno));
  }
}

gboolean
segment_remove_strays (Store *store, GError **error)
{
  g_autoptr (GPtrArray) rows = segment_rows (store->reader, NULL, error);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *media = g_build_filename (store->state_dir, "media", NULL);
  g_autoptr (GDir) dir = g_dir_open (media, 0, NULL);
  const char *name;

  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    g_hash_table_add (known, ((SegmentRow *)rows->pdata[i])->id);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *folder = g_build_filename (media, name, NULL);
    remove_strays_of (folder, known);
  }
  return TRUE;
}
