/* To a folder: each file under its name when whole, durable and read back; what a broken-off try
 * has left is compared and kept. */
#include "station/parcel.h"
#include "records/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (DeliverError code, const char *path, GError **error)
{
  g_set_error (error, DELIVER_ERROR, code, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

/* From the disk, not from memory: whoever has it open has let it go (POSIX_FADV_DONTNEED). */
static gboolean
same_at (int fd, guint64 offset, GBytes *bytes)
{
  gsize size, done = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_autofree guint8 *found = g_malloc (MAX (size, 1));
  while (done < size) {
    gssize got = pread (fd, found + done, size - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return FALSE;
    done += (gsize)got;
  }
  return memcmp (found, data, size) == 0;
}

static gboolean
write_at (int fd, guint64 offset, GBytes *bytes)
{
  gsize size, done = 0;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  while (done < size) {
    gssize put = pwrite (fd, data + done, size - done, (off_t)(offset + done));
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return FALSE;
    done += (gsize)put;
  }
  return TRUE;
}

/* As it stands in the file: the head goes before the first piece alone. */
static GBytes *
content (const Parcel *parcel, const PackagePiece *piece, GError **error)
{
  g_autoptr (GBytes) head = NULL;
  g_autoptr (GBytes) body = parcel_read (parcel, piece, &head, error);
  return body != NULL ? parcel_join (piece->nth == 0 ? head : NULL, body) : NULL;
}

/* Pieces first … first->of - 1 of the plan. */
static gboolean
write_pieces (const Parcel *parcel, guint first, int fd, const char *path, GArray *sent,
              GError **error)
{
  const guint of = ((PackagePiece *)parcel->plan->pdata[first])->of;
  guint64 offset = 0;
  for (guint i = first; i < first + of; i++) {
    g_autoptr (GBytes) bytes
        = parcel_stopped (parcel, error) ? NULL : content (parcel, parcel->plan->pdata[i], error);
    if (bytes == NULL)
      return FALSE;
    if (!same_at (fd, offset, bytes) && !write_at (fd, offset, bytes))
      return fail (DELIVER_ERROR_DISK, path, error);
    ParcelPiece piece;
    parcel_hash (bytes, &piece);
    g_array_append_val (sent, piece);
    offset += piece.size;
  }
  return (ftruncate (fd, (off_t)offset) == 0 && fsync (fd) == 0)
         || fail (DELIVER_ERROR_DISK, path, error);
}

static gboolean
read_back (const char *path, const GArray *sent, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  gboolean same = fd >= 0;
  guint64 offset = 0;

  if (fd >= 0)
    posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  for (guint i = 0; same && i < sent->len; i++) {
    const ParcelPiece *piece = &g_array_index (sent, ParcelPiece, i);
    g_autofree guint8 *data = g_malloc (MAX (piece->size, 1));
    gsize done = 0;
    gssize got = 1;
    while (done < piece->size && got > 0) {
      got = pread (fd, data + done, piece->size - done, (off_t)(offset + done));
      done += (gsize)MAX (got, 0);
    }
    g_autofree char *hex = g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, done);
    same = done == piece->size && g_str_equal (hex, piece->sha256);
    offset += piece->size;
  }
  if (fd >= 0)
    close (fd);
  if (same)
    return TRUE;
  g_set_error (error, DELIVER_ERROR, fd >= 0 ? DELIVER_ERROR_DIFFERENT : DELIVER_ERROR_LOST,
               "%s does not read back as written", path);
  return FALSE;
}

/* An earlier try has brought it, and it is still there: a disk may have been changed for another.
 */
static gboolean
is_there (const Parcel *parcel, const char *folder, guint first)
{
  const PackagePiece *piece = parcel->plan->pdata[first];
  g_autofree char *path = g_build_filename (folder, piece->file, NULL);
  guint64 size = 0;
  GStatBuf status;
  for (guint i = first; i < first + piece->of; i++) {
    const ParcelPiece *sent = parcel_there (parcel, parcel->plan->pdata[i]);
    if (sent == NULL)
      return FALSE;
    size += sent->size;
  }
  return g_lstat (path, &status) == 0 && S_ISREG (status.st_mode)
         && (guint64)status.st_size == size;
}

static gboolean
put_file (Parcel *parcel, const char *folder, int folder_fd, guint first, GError **error)
{
  const PackagePiece *piece = parcel->plan->pdata[first];
  g_autofree char *path = g_build_filename (folder, piece->file, NULL);
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  g_autoptr (GArray) sent = g_array_new (FALSE, FALSE, sizeof (ParcelPiece));
  int fd = open (part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    return fail (DELIVER_ERROR_DISK, part, error);
  gboolean good = write_pieces (parcel, first, fd, part, sent, error);
  close (fd);
  if (good && (g_rename (part, path) != 0 || fsync (folder_fd) != 0))
    good = fail (DELIVER_ERROR_DISK, path, error);
  good = good && read_back (path, sent, error);
  for (guint i = 0; good && i < sent->len; i++)
    good = parcel_arrived (parcel, parcel->plan->pdata[first + i],
                           &g_array_index (sent, ParcelPiece, i), error);
  return good;
}

/* {"consult", "files": [{"name", "mime", "title", "kind", "created", "pieces": [{"sha256",
 * "size"}]}], "format", "of", "version"} */
static json_t *
index_of (const Parcel *parcel)
{
  json_t *files = json_array (), *pieces = NULL;
  for (guint i = 0; i < parcel->plan->len; i++) {
    const PackagePiece *piece = parcel->plan->pdata[i];
    const ParcelPiece *sent = parcel_there (parcel, piece);
    if (piece->nth == 0) {
      pieces = json_array ();
      json_array_append_new (files,
                             json_pack ("{s:s, s:s, s:s*, s:s*, s:s*, s:o}", "name", piece->file,
                                        "mime", piece->mime, "title", piece->title, "kind",
                                        piece->sort, "created", piece->created, "pieces", pieces));
    }
    json_array_append_new (
        pieces, json_pack ("{s:s, s:I}", "sha256", sent->sha256, "size", (json_int_t)sent->size));
  }
  return json_pack ("{s:s, s:s, s:s, s:i, s:o}", "consult", parcel->consult, "format",
                    "nhipcau-package", "of", parcel->kind, "version", 1, "files", files);
}

static gboolean
put_index (Parcel *parcel, const char *folder, GError **error)
{
  json_auto_t *index = index_of (parcel);
  char *text = json_dumps (index, JSON_INDENT (1) | JSON_SORT_KEYS);
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (text, strlen (text), free, text);
  g_autofree char *name = g_strdup_printf ("%s.json", parcel->kind);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GArray) sent = g_array_new (FALSE, FALSE, sizeof (ParcelPiece));
  g_autoptr (GError) local = NULL;
  ParcelPiece piece;

  parcel_hash (bytes, &piece);
  g_array_append_val (sent, piece);
  if (!g_file_set_contents_full (path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                 &local)) {
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_DISK, "%s", local->message);
    return FALSE;
  }
  return parcel->advance (OUTBOX_SENT, bytes, parcel->arg, error) && read_back (path, sent, error)
         && parcel->advance (OUTBOX_CONFIRMED, bytes, parcel->arg, error);
}

gboolean
parcel_folder (Parcel *parcel, GError **error)
{
  g_autofree char *folder = g_build_filename (parcel->to->to, parcel->id, NULL);

  if (!g_file_test (parcel->to->to, G_FILE_TEST_IS_DIR)) {
    errno = ENOENT;
    return fail (DELIVER_ERROR_ABSENT, parcel->to->to, error);
  }
  if (g_mkdir (folder, 0700) == 0 ? !disk_sync_folder (parcel->to->to, NULL) : errno != EEXIST)
    return fail (DELIVER_ERROR_DISK, folder, error);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return fail (DELIVER_ERROR_DISK, folder, error);
  gboolean good = TRUE;
  for (guint i = 0; good && i < parcel->plan->len;
       i += ((PackagePiece *)parcel->plan->pdata[i])->of)
    good = is_there (parcel, folder, i) || put_file (parcel, folder, fd, i, error);
  close (fd);
  return good && put_index (parcel, folder, error);
}
