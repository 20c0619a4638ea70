#include "records/segment.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char *
reserve_path (const char *state_dir)
{
  return g_build_filename (state_dir, "reserve", NULL);
}

static gboolean
disk_error (const char *path, int code, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", path, g_strerror (code));
  return FALSE;
}

gboolean
reserve_ensure (const char *state_dir, guint64 bytes, GError **error)
{
  g_autofree char *path = reserve_path (state_dir);
  struct stat status;
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    return disk_error (path, errno, error);
  int code = fstat (fd, &status) != 0 ? errno : 0;
  if (code == 0 && (guint64)status.st_size > bytes && ftruncate (fd, (off_t)bytes) != 0)
    code = errno;
  if (code == 0 && bytes > 0)
    code = posix_fallocate (fd, 0, (off_t)bytes);
  if (code == 0 && fdatasync (fd) != 0)
    code = errno;
  close (fd);
  if (code == 0)
    return TRUE;
  /* Half a reserve would keep from others what it does not give. */
  g_unlink (path);
  return disk_error (path, code, error);
}

void
reserve_release (const char *state_dir)
{
  g_autofree char *path = reserve_path (state_dir);
  if (g_unlink (path) != 0 && errno != ENOENT)
    g_warning ("store: the reserve cannot be released: %s", g_strerror (errno));
}

guint64
space_for_recording (const char *state_dir, guint64 keep)
{
  struct statvfs status;

  if (statvfs (state_dir, &status) != 0)
    return 0;
  guint64 free_bytes = (guint64)status.f_bavail * status.f_frsize;
  return free_bytes > keep ? free_bytes - keep : 0;
}
