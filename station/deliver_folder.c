/* To a folder: a removable disk, a share. */
#include "station/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static gboolean
fail (DeliverError code, const char *path, GError **error)
{
  g_set_error (error, DELIVER_ERROR, code, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0) {
    gssize put = write (fd, data, size);
    if (put < 0 && errno != EINTR)
      return FALSE;
    data += MAX (put, 0);
    size -= (gsize)MAX (put, 0);
  }
  return fsync (fd) == 0;
}

static gboolean
write_part (const char *part, GBytes *bytes, GError **error)
{
  int fd = open (part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  gboolean ok = fd >= 0 && write_all (fd, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  int code = errno;
  if (fd >= 0 && close (fd) != 0 && ok) {
    code = errno;
    ok = FALSE;
  }
  errno = code;
  return ok || fail (DELIVER_ERROR_DISK, part, error);
}

/* From the disk, not from memory. */
static gboolean
read_back (const char *path, GBytes *bytes, GError **error)
{
  g_autofree char *text = NULL;
  gsize size;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
    close (fd);
  }
  if (!g_file_get_contents (path, &text, &size, NULL)) {
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_LOST, "%s is not there any more", path);
    return FALSE;
  }
  if (size == g_bytes_get_size (bytes) && memcmp (text, g_bytes_get_data (bytes, NULL), size) == 0)
    return TRUE;
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_DIFFERENT, "%s does not read back as written",
               path);
  return FALSE;
}

gboolean
deliver_folder (const Delivery *delivery, GError **error)
{
  const char *folder = delivery->to->to;
  g_autofree char *path = g_strdup_printf ("%s/%s.json", folder, delivery->id);
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return fail (DELIVER_ERROR_ABSENT, folder, error);
  gboolean ok = write_part (part, delivery->bytes, error);
  if (ok && (g_rename (part, path) != 0 || fsync (fd) != 0))
    ok = fail (DELIVER_ERROR_DISK, path, error);
  close (fd);
  if (!ok) {
    g_unlink (part);
    return FALSE;
  }
  return delivery->advance (OUTBOX_SENT, delivery->arg, error)
         && read_back (path, delivery->bytes, error)
         && delivery->advance (OUTBOX_CONFIRMED, delivery->arg, error);
}
