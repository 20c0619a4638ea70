/* What takes the place of the C library's functions, for this program and the libraries it uses.
 * Each does what it is asked by a system call of its own, and writes it down. */

/* The symbols below must be those without and with "64", both. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include "fault_disk_private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Libraries must find them. */
#pragma GCC visibility push(default)

static long
failed (int error)
{
  errno = error;
  return -1;
}

static guint
file_of_fd (int fd)
{
  return fault_is_watching (fd) ? fault_fds[fd].file : 0;
}

/* ---- What is replaced: files --------------------------------------------------------------- */

static void
opened (int fd, const char *path, int flags, gboolean was_there)
{
  if (fd < 0 || fd >= FAULT_FDS)
    return;
  g_clear_pointer (&fault_fds[fd].folder, g_free);
  fault_fds[fd].file = 0;
  struct stat status;
  if (fstat (fd, &status) == 0 && S_ISDIR (status.st_mode)) {
    fault_fds[fd].folder = g_strdup (path);
    return;
  }
  guint file = fault_file_of (path);
  if (!was_there || file == 0) {
    file = fault_new_file (path, FALSE);
    fault_add (FAULT_OP_CREATE, file)->path = g_strdup (path);
  } else if ((flags & O_TRUNC) != 0) {
    fault_add (FAULT_OP_TRUNCATE, file);
  }
  fault_fds[fd].file = file;
}

static int
open_one (const char *path, int flags, mode_t mode)
{
  pthread_mutex_lock (&fault_lock);
  const char *name = fault_inside (path);
  gboolean was_there = name != NULL && syscall (SYS_faccessat, AT_FDCWD, path, F_OK, 0) == 0;
  gboolean makes = (flags & O_CREAT) != 0 && !was_there;
  int error = name != NULL ? fault_fails (makes) : 0;
  long fd = error != 0 ? failed (error)
                       : syscall (SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
  int code = errno;
  if (name != NULL && fd >= 0)
    opened ((int)fd, name, flags, was_there);
  pthread_mutex_unlock (&fault_lock);
  errno = code;
  return (int)fd;
}

#define MODE_OF(flags, mode)                                                                       \
  mode_t mode = 0;                                                                                 \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                    \
    va_list rest;                                                                                  \
    va_start (rest, flags);                                                                        \
    mode = va_arg (rest, mode_t);                                                                  \
    va_end (rest);                                                                                 \
  }

int
open (const char *path, int flags, ...)
{
  MODE_OF (flags, mode)
  return open_one (path, flags, mode);
}

int
open64 (const char *path, int flags, ...)
{
  MODE_OF (flags, mode)
  return open_one (path, flags, mode);
}

int __open_2 (const char *path, int flags);
int
__open_2 (const char *path, int flags)
{
  return open_one (path, flags, 0);
}

int __open64_2 (const char *path, int flags);
int
__open64_2 (const char *path, int flags)
{
  return open_one (path, flags, 0);
}

int
close (int fd)
{
  pthread_mutex_lock (&fault_lock);
  if (fault_is_watching (fd)) {
    fault_fds[fd].file = 0;
    g_clear_pointer (&fault_fds[fd].folder, g_free);
  }
  int result = (int)syscall (SYS_close, fd);
  pthread_mutex_unlock (&fault_lock);
  return result;
}

static void
wrote (guint file, const void *bytes, long size, guint64 at)
{
  if (size <= 0)
    return;
  FaultOp *op = fault_add (FAULT_OP_WRITE, file);
  op->at = at;
  op->size = (guint64)size;
  op->bytes = g_memdup2 (bytes, (gsize)size);
}

static ssize_t
write_at (int fd, const void *bytes, size_t size, off64_t at)
{
  pthread_mutex_lock (&fault_lock);
  guint file = file_of_fd (fd);
  int error = file != 0 ? fault_fails (TRUE) : 0;
  long put = error != 0 ? failed (error) : syscall (SYS_pwrite64, fd, bytes, size, at);
  if (file != 0)
    wrote (file, bytes, put, (guint64)at);
  pthread_mutex_unlock (&fault_lock);
  return put;
}

ssize_t
pwrite (int fd, const void *bytes, size_t size, off_t at)
{
  return write_at (fd, bytes, size, at);
}

ssize_t
pwrite64 (int fd, const void *bytes, size_t size, off64_t at)
{
  return write_at (fd, bytes, size, at);
}

ssize_t
write (int fd, const void *bytes, size_t size)
{
  guint file = file_of_fd (fd);
  if (file == 0)
    return syscall (SYS_write, fd, bytes, size);
  pthread_mutex_lock (&fault_lock);
  int error = fault_fails (TRUE);
  struct stat status = { 0 };
  off_t at = (fcntl (fd, F_GETFL) & O_APPEND) != 0 && fstat (fd, &status) == 0
                 ? status.st_size
                 : lseek (fd, 0, SEEK_CUR);
  long put = error != 0 ? failed (error) : syscall (SYS_write, fd, bytes, size);
  wrote (file, bytes, put, (guint64)at);
  pthread_mutex_unlock (&fault_lock);
  return put;
}

static ssize_t
read_at (int fd, void *bytes, size_t size, off64_t at)
{
  if (file_of_fd (fd) == 0)
    return syscall (SYS_pread64, fd, bytes, size, at);
  pthread_mutex_lock (&fault_lock);
  int error = fault_fails (FALSE);
  pthread_mutex_unlock (&fault_lock);
  return error != 0 ? failed (error) : syscall (SYS_pread64, fd, bytes, size, at);
}

ssize_t
pread (int fd, void *bytes, size_t size, off_t at)
{
  return read_at (fd, bytes, size, at);
}

ssize_t
pread64 (int fd, void *bytes, size_t size, off64_t at)
{
  return read_at (fd, bytes, size, at);
}

ssize_t
read (int fd, void *bytes, size_t size)
{
  if (file_of_fd (fd) == 0)
    return syscall (SYS_read, fd, bytes, size);
  pthread_mutex_lock (&fault_lock);
  int error = fault_fails (FALSE);
  pthread_mutex_unlock (&fault_lock);
  return error != 0 ? failed (error) : syscall (SYS_read, fd, bytes, size);
}

static int
set_size (int fd, off64_t size)
{
  pthread_mutex_lock (&fault_lock);
  guint file = file_of_fd (fd);
  int error = file != 0 ? fault_fails (size > 0) : 0;
  long result = error != 0 ? failed (error) : syscall (SYS_ftruncate, fd, size);
  if (file != 0 && result == 0)
    fault_add (FAULT_OP_TRUNCATE, file)->size = (guint64)size;
  pthread_mutex_unlock (&fault_lock);
  return (int)result;
}

int
ftruncate (int fd, off_t size)
{
  return set_size (fd, size);
}

int
ftruncate64 (int fd, off64_t size)
{
  return set_size (fd, size);
}

static int
give_room (int fd, off64_t at, off64_t size)
{
  struct stat status;
  pthread_mutex_lock (&fault_lock);
  guint file = file_of_fd (fd);
  int error = file != 0 ? fault_fails (TRUE) : 0;
  if (error == 0 && syscall (SYS_fallocate, fd, 0, at, size) != 0)
    error = errno;
  if (file != 0 && error == 0 && fstat (fd, &status) == 0)
    fault_add (FAULT_OP_TRUNCATE, file)->size = (guint64)status.st_size;
  pthread_mutex_unlock (&fault_lock);
  return error;
}

int
posix_fallocate (int fd, off_t at, off_t size)
{
  return give_room (fd, at, size);
}

int
posix_fallocate64 (int fd, off64_t at, off64_t size)
{
  return give_room (fd, at, size);
}

static int
sync_one (int fd, long number)
{
  pthread_mutex_lock (&fault_lock);
  guint file = file_of_fd (fd);
  const char *folder = fault_is_watching (fd) ? fault_fds[fd].folder : NULL;
  int error = file != 0 || folder != NULL ? fault_fails (FALSE) : 0;
  long result = error != 0 ? failed (error) : syscall (number, fd);
  if (result == 0 && file != 0)
    fault_add (FAULT_OP_SYNC, file);
  else if (result == 0 && folder != NULL)
    fault_add (FAULT_OP_SYNC_FOLDER, 0)->path = g_strdup (folder);
  pthread_mutex_unlock (&fault_lock);
  return (int)result;
}

int
fsync (int fd)
{
  return sync_one (fd, SYS_fsync);
}

int
fdatasync (int fd)
{
  return sync_one (fd, SYS_fdatasync);
}

/* ---- What is replaced: names --------------------------------------------------------------- */

int
unlink (const char *path)
{
  pthread_mutex_lock (&fault_lock);
  const char *name = fault_inside (path);
  int error = name != NULL ? fault_fails (FALSE) : 0;
  long result = error != 0 ? failed (error) : syscall (SYS_unlinkat, AT_FDCWD, path, 0);
  int code = errno;
  if (name != NULL && result == 0) {
    fault_add (FAULT_OP_UNLINK, fault_file_of (name))->path = g_strdup (name);
    g_hash_table_remove (fault_journal.names, name);
  }
  pthread_mutex_unlock (&fault_lock);
  errno = code;
  return (int)result;
}

int
rename (const char *from, const char *to)
{
  pthread_mutex_lock (&fault_lock);
  const char *old = fault_inside (from), *name = fault_inside (to);
  gboolean ours = old != NULL && name != NULL;
  int error = ours ? fault_fails (TRUE) : 0;
  long result = error != 0 ? failed (error) : syscall (SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
  int code = errno;
  if (ours && result == 0) {
    guint file = fault_file_of (old);
    FaultOp *op = fault_add (FAULT_OP_RENAME, file);
    op->path = g_strdup (old);
    op->to = g_strdup (name);
    g_hash_table_remove (fault_journal.names, old);
    g_hash_table_replace (fault_journal.names, g_strdup (name), GUINT_TO_POINTER (file));
    if (file != 0) {
      g_free (fault_journal.called->pdata[file - 1]);
      fault_journal.called->pdata[file - 1] = g_strdup (name);
    }
  }
  pthread_mutex_unlock (&fault_lock);
  errno = code;
  return (int)result;
}

int
mkdir (const char *path, mode_t mode)
{
  pthread_mutex_lock (&fault_lock);
  const char *name = fault_inside (path);
  int error = name != NULL ? fault_fails (TRUE) : 0;
  long result = error != 0 ? failed (error) : syscall (SYS_mkdirat, AT_FDCWD, path, mode);
  int code = errno;
  if (name != NULL && result == 0)
    fault_add (FAULT_OP_MKDIR, 0)->path = g_strdup (name);
  pthread_mutex_unlock (&fault_lock);
  errno = code;
  return (int)result;
}
