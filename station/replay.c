#include "station/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

void
replay_wait (const GPtrArray *records, guint i, gint64 begun_us)
{
  const CaptureRecord *first = records->pdata[0], *record = records->pdata[i];
  gint64 wait = begun_us + record->monotonic_us - first->monotonic_us - g_get_monotonic_time ();
  if (wait > 0)
    g_usleep ((gulong)wait);
}

static gboolean
fail_errno (const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s: %s", what,
               g_strerror (errno));
  return FALSE;
}

static gboolean
write_all (int fd, GBytes *bytes, const char *name, GError **error)
{
  gsize length, done = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  while (done < length) {
    gssize put = write (fd, data + done, length - done);
    if (put < 0 && errno != EINTR)
      return fail_errno (name, error);
    done += put > 0 ? (gsize)put : 0;
  }
  return TRUE;
}

/* A line that the station's [serial NAME] names as its port. */
static int
make_pty (const char *link, GError **error)
{
  struct termios raw;
  int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt (master) != 0 || unlockpt (master) != 0
      || tcgetattr (master, &raw) != 0) {
    fail_errno ("pty", error);
    return -1;
  }
  cfmakeraw (&raw);
  tcsetattr (master, TCSANOW, &raw);
  if (symlink (ptsname (master), link) == 0)
    return master;
  fail_errno (link, error);
  close (master);
  return -1;
}

gboolean
replay_to_pty (const char *link, const GPtrArray *records, GError **error)
{
  gboolean good = TRUE;
  int master = make_pty (link, error);
  if (master < 0)
    return FALSE;
  gint64 begun = g_get_monotonic_time ();
  for (guint i = 0; i < records->len && good; i++) {
    replay_wait (records, i, begun);
    good = write_all (master, ((CaptureRecord *)records->pdata[i])->data, link, error);
  }
  tcdrain (master);
  unlink (link);
  close (master);
  return good;
}

/* Reads answers away, or the station would stop taking messages. */
static void *
drain (void *data)
{
  guint8 bytes[4096];
  while (g_input_stream_read (data, bytes, sizeof bytes, NULL, NULL) > 0)
    ;
  return NULL;
}

gboolean
replay_to_mllp (const char *host_port, gboolean at_own_pace, const GPtrArray *records,
                GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) station
      = g_socket_client_connect_to_host (client, host_port, 2575, NULL, error);
  gboolean good = station != NULL;
  if (!good)
    return FALSE;
  GIOStream *both = G_IO_STREAM (station);
  GThread *drainer = g_thread_new ("replay-answers", drain, g_io_stream_get_input_stream (both));
  gint64 begun = g_get_monotonic_time ();
  for (guint i = 0; i < records->len && good; i++) {
    const CaptureRecord *record = records->pdata[i];
    if (at_own_pace)
      replay_wait (records, i, begun);
    good = g_output_stream_write_all (g_io_stream_get_output_stream (both),
                                      g_bytes_get_data (record->data, NULL),
                                      g_bytes_get_size (record->data), NULL, NULL, error);
  }
  g_socket_shutdown (g_socket_connection_get_socket (station), FALSE, TRUE, NULL);
  g_thread_join (drainer); /* the station closes when all is answered */
  return good;
}
