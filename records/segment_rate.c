/* How fast recordings grow, told by their files. */
#include "records/segment_format.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Shorter ones tell little: an encoder's first seconds, a fragment that waits for its end. */
#define LEAST_US (10 * G_USEC_PER_SEC)
/* Newest consultations that are looked at: the last one may have been only a few seconds. */
#define CONSULTATIONS 4

typedef struct {
  char *path;
  gint64 changed_us;
} Folder;

static void
folder_free (void *data)
{
  Folder *folder = data;
  g_free (folder->path);
  g_free (folder);
}

static gint64
time_us (const struct statx_timestamp *time)
{
  return (gint64)time->tv_sec * G_USEC_PER_SEC + time->tv_nsec / 1000;
}

static int
newest_first (const void *a, const void *b)
{
  const Folder *x = *(Folder *const *)a, *y = *(Folder *const *)b;
  return (x->changed_us < y->changed_us) - (x->changed_us > y->changed_us);
}

static GPtrArray *
folders_of (const char *media)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (folder_free);
  g_autoptr (GDir) dir = g_dir_open (media, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (media, name, NULL);
    struct statx status;
    if (statx (AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MTIME | STATX_TYPE, &status) != 0
        || !S_ISDIR (status.stx_mode))
      continue;
    Folder *folder = g_new0 (Folder, 1);
    folder->path = g_steal_pointer (&path);
    folder->changed_us = time_us (&status.stx_mtime);
    g_ptr_array_add (folders, folder);
  }
  g_ptr_array_sort (folders, newest_first);
  return folders;
}

/* FALSE when the file is no segment or tells nothing. */
static gboolean
rate_of_file (const char *path, char *ret_stream, guint64 *ret_rate)
{
  guint8 bytes[SEGMENT_HEADER];
  struct statx status;
  SegmentHeader header;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return FALSE;
  gboolean ok = statx (fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME | STATX_SIZE, &status) == 0
                && (status.stx_mask & STATX_BTIME) != 0
                && pread (fd, bytes, sizeof bytes, 0) == sizeof bytes
                && segment_header_read (bytes, &header, NULL);
  close (fd);
  if (!ok)
    return FALSE;
  gint64 span = time_us (&status.stx_mtime) - time_us (&status.stx_btime);
  if (span < (gint64)LEAST_US)
    return FALSE;
  memcpy (ret_stream, header.stream, sizeof header.stream);
  *ret_rate = (guint64)((double)status.stx_size * G_USEC_PER_SEC / (double)span);
  return TRUE;
}

/* A torn segment was cut when the station came back, long after its last byte: its rate is too
 * small, which the greatest of its stream's forgives. */
static guint64
rate_of_folder (const char *path)
{
  g_autoptr (GHashTable) streams = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  guint64 all = 0;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    char stream[SEGMENT_STREAM + 1];
    guint64 rate;
    if (!rate_of_file (file, stream, &rate))
      continue;
    guint64 *known = g_hash_table_lookup (streams, stream);
    if (known != NULL) {
      *known = MAX (*known, rate);
      continue;
    }
    known = g_new (guint64, 1);
    *known = rate;
    g_hash_table_insert (streams, g_strdup (stream), known);
  }
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    all += *(guint64 *)value;
  return all;
}

guint64
recording_measured_rate (const char *state_dir)
{
  g_autofree char *media = g_build_filename (state_dir, "media", NULL);
  g_autoptr (GPtrArray) folders = folders_of (media);
  for (guint i = 0; i < MIN (folders->len, CONSULTATIONS); i++) {
    guint64 rate = rate_of_folder (((Folder *)folders->pdata[i])->path);
    if (rate > 0)
      return rate;
  }
  return 0;
}
