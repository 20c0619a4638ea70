#include "records/disk.h"
#include "records/data_key.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

gboolean
disk_error (const char *path, GError **error)
{
  g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

gboolean
disk_sync_folder (const char *folder, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean good = fd >= 0 && fsync (fd) == 0;
  int code = errno;

  if (fd >= 0)
    close (fd);
  errno = code;
  return good || disk_error (folder, error);
}

gboolean
disk_sync_parent (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  return disk_sync_folder (folder, error);
}
