#include "station/capturing.h"
#include "records/capture.h"
#include "records/segment.h"

#include <errno.h>
#include <glib/gstdio.h>

#define FILE_MAX (64u << 20)
#define FILES_MAX 16
/* Nothing more is tried for so long after a failure. */
#define REST_US (60 * G_USEC_PER_SEC)

struct Capturing {
  Station *station;
  char *device, *kind, *folder;
  CaptureWriter *writer; /* NULL: the next bytes open one */
  gint64 rest_until_us;
};

Capturing *
capturing_new (Station *station, const char *device, const char *kind)
{
  Capturing *capturing = g_new0 (Capturing, 1);
  capturing->station = station;
  capturing->device = g_strdup (device);
  capturing->kind = g_strdup (kind);
  capturing->folder = g_build_filename (station->config->state, "captures", NULL);
  return capturing;
}

void
capturing_free (Capturing *capturing)
{
  if (capturing == NULL)
    return;
  capture_close (capturing->writer);
  g_free (capturing->device);
  g_free (capturing->kind);
  g_free (capturing->folder);
  g_free (capturing);
}

static gint64
changed_at (const char *path)
{
  GStatBuf status;
  return g_stat (path, &status) == 0 ? (gint64)status.st_mtime : 0;
}

static int
by_age (gconstpointer a, gconstpointer b)
{
  gint64 first = changed_at (*(char *const *)a), second = changed_at (*(char *const *)b);
  return first < second ? -1 : first > second;
}

static void
drop_oldest (const char *folder)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".cap"))
      g_ptr_array_add (files, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (files, by_age);
  for (guint i = 0; i + FILES_MAX <= files->len; i++)
    g_unlink (files->pdata[i]);
}

static gboolean
open_file (Capturing *capturing, GError **error)
{
  const Config *config = capturing->station->config;
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%SZ");
  g_autofree char *name = g_strdup_printf ("%s-%s-%06d.cap", capturing->device, time,
                                           g_date_time_get_microsecond (now));
  g_autofree char *path = g_build_filename (capturing->folder, name, NULL);
  if (g_mkdir_with_parents (capturing->folder, 0700) != 0) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "%s: %s", capturing->folder,
                 g_strerror (errno));
    return FALSE;
  }
  drop_oldest (capturing->folder);
  if (space_for_recording (config->state, config->keep_free) < FILE_MAX) {
    g_set_error (error, RECORDS_ERROR, RECORDS_ERROR_DISK, "the disk is nearly full");
    return FALSE;
  }
  json_auto_t *about = json_pack ("{s:s, s:s?, s:s}", "device", capturing->device, "kind",
                                  capturing->kind, "station", config->station_id);
  capturing->writer = capture_create (path, capturing->station->vault, about, error);
  return capturing->writer != NULL;
}

void
capturing_take (Capturing *capturing, FeedDirection direction, const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  CaptureKind kind = direction == FEED_TO_DEVICE ? CAPTURE_TO_DEVICE : CAPTURE_FROM_DEVICE;
  if (now < capturing->rest_until_us)
    return;
  if (capturing->writer != NULL && capture_size (capturing->writer) >= FILE_MAX)
    g_clear_pointer (&capturing->writer, capture_close);
  if ((capturing->writer == NULL && !open_file (capturing, &error))
      || !capture_write (capturing->writer, kind, now, g_get_real_time (), data, length, &error)) {
    g_warning ("capture: %s is not captured for a minute: %s", capturing->device, error->message);
    g_clear_pointer (&capturing->writer, capture_close);
    capturing->rest_until_us = now + REST_US;
  }
}
