#include "media/devices/serial_feed.h"
#include "media/devices/serial_port.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SEARCH_MS 1000
#define TICK_MS 100
/* A device that gave frames and gives none any more. */
#define SILENT_US (5 * G_USEC_PER_SEC)
#define READ_MAX 4096

/* One way in which a device may talk. */
typedef struct {
  const LineKind *kind;
  LineSettings settings;
} Way;

struct SerialFeed {
  char *port, *name;
  const FeedSink *sink;
  GArray *ways; /* Way */
  guint way;    /* the one being tried, or that worked */
  const LineKind *understood;

  int fd; /* -1: closed */
  const LineKind *kind;
  void *device; /* of kind, while open */
  guint64 frames;
  gint64 frame_us, opened_us;
  FeedState state;
  gboolean said; /* state was told */
  const char *why;

  GSource *readable, *timer;
  SerialHotplug *hotplug;
};

typedef struct {
  const char *vi, *en;
} Why;

static const Why WHY_ABSENT = { "Chưa thấy thiết bị: hãy cắm dây và bật máy.",
                                "The device is not there: plug its cable in and switch it on." };
static const Why WHY_FORBIDDEN
    = { "Trạm không được phép mở cổng này: thêm người dùng chạy trạm vào nhóm dialout (sudo "
        "usermod -aG dialout TÊN), rồi khởi động lại trạm.",
        "The station may not open this port: add the user who runs it to the group dialout (sudo "
        "usermod -aG dialout NAME), then restart the station." };
static const Why WHY_BUSY = { "Một chương trình khác đang dùng cổng này: hãy đóng chương trình đó.",
                              "Another program uses this port: close that program." };
static const Why WHY_NO_LINE
    = { "Đây không phải cổng nối tiếp dùng được: kiểm tra khóa port trong station.conf.",
        "This is no serial port that can be used: check the key port of station.conf." };
static const Why WHY_SILENT
    = { "Cổng mở được nhưng thiết bị không nói gì: kiểm tra máy đã bật, đúng dây và đúng loại "
        "(kind) chưa.",
        "The port is open but the device says nothing: is it on, is the cable right, is it of this "
        "kind?" };

static void
say (SerialFeed *feed, FeedState state, const Why *why)
{
  if (feed->said && feed->state == state && feed->why == (why != NULL ? why->en : NULL))
    return;
  feed->said = TRUE;
  feed->state = state;
  feed->why = why != NULL ? why->en : NULL;
  feed_state (feed->sink, state, why != NULL ? why->vi : NULL, feed->why, -1);
}

/* Searching for what was never there, waiting for what is gone. */
static void
say_away (SerialFeed *feed, const Why *why)
{
  say (feed, feed->understood != NULL ? FEED_LOST : FEED_SEARCHING, why);
}

static LineTime
time_now (void)
{
  return (LineTime){ .monotonic_us = g_get_monotonic_time (), .utc_us = g_get_real_time () };
}

static void
end_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
close_port (SerialFeed *feed, LineClosing how)
{
  if (feed->fd < 0)
    return;
  end_source (&feed->readable);
  feed->kind->close (feed->device, time_now (), how);
  feed->kind->free (feed->device);
  feed->device = NULL;
  if (how == LINE_LOST) /* or closing would wait for a device that does not listen */
    tcflush (feed->fd, TCIOFLUSH);
  close (feed->fd);
  feed->fd = -1;
}

/* ---- Bytes -------------------------------------------------------------------------------------
 */

static void
send_bytes (const guint8 *data, gsize length, void *arg)
{
  SerialFeed *feed = arg;
  gssize put = feed->fd >= 0 ? write (feed->fd, data, length) : -1;
  /* What the line does not take now is said again by the device's next tick. */
  if (put > 0)
    feed_raw (feed->sink, FEED_TO_DEVICE, data, (gsize)put);
}

static void
look_for_frames (SerialFeed *feed, gint64 now_us)
{
  guint64 frames = feed->kind->frames (feed->device);
  if (frames == feed->frames)
    return;
  feed->frames = frames;
  if (frames < feed->kind->convincing)
    return;
  feed->frame_us = now_us;
  feed->understood = feed->kind;
  say (feed, FEED_LIVE, NULL);
}

static gboolean
on_readable (int fd, GIOCondition condition, void *data)
{
  SerialFeed *feed = data;
  guint8 bytes[READ_MAX];
  gssize got = read (fd, bytes, sizeof bytes);
  if (got < 0 && (errno == EAGAIN || errno == EINTR) && !(condition & (G_IO_HUP | G_IO_ERR)))
    return G_SOURCE_CONTINUE;
  if (got <= 0) {
    close_port (feed, LINE_LOST);
    say_away (feed, &WHY_ABSENT);
    return G_SOURCE_CONTINUE; /* destroyed above */
  }
  LineTime now = time_now ();
  feed_raw (feed->sink, FEED_FROM_DEVICE, bytes, (gsize)got);
  feed->kind->feed (feed->device, bytes, (gsize)got, now);
  look_for_frames (feed, now.monotonic_us);
  return G_SOURCE_CONTINUE;
}

/* ---- Opening -----------------------------------------------------------------------------------
 */

static void
begin (SerialFeed *feed, const Way *way)
{
  const LineOutput output
      = { .sink = feed->sink, .device = feed->name, .send = send_bytes, .arg = feed };
  LineTime now = time_now ();
  feed->kind = way->kind;
  feed->device = way->kind->make (&output);
  feed->frames = 0;
  feed->opened_us = feed->frame_us = now.monotonic_us;
  feed->readable = g_unix_fd_source_new (feed->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_source_set_callback (feed->readable, G_SOURCE_FUNC (on_readable), feed, NULL);
  g_source_attach (feed->readable, g_main_context_get_thread_default ());
  feed->kind->open (feed->device, now);
  if (feed->kind->spot) {
    feed->understood = feed->kind;
    say (feed, FEED_LIVE, NULL);
  }
}

static void
say_problem (SerialFeed *feed, SerialProblem problem)
{
  if (problem == SERIAL_FORBIDDEN)
    say (feed, FEED_FAILED, &WHY_FORBIDDEN);
  else if (problem == SERIAL_BUSY)
    say (feed, FEED_FAILED, &WHY_BUSY);
  else if (problem == SERIAL_NO_LINE)
    say (feed, FEED_FAILED, &WHY_NO_LINE);
  else
    say_away (feed, &WHY_ABSENT);
}

static void
search (SerialFeed *feed)
{
  const Way *way = &g_array_index (feed->ways, Way, feed->way);
  g_autofree char *path = serial_port_find (feed->port);
  SerialProblem problem = SERIAL_ABSENT;
  if (path != NULL)
    feed->fd = serial_port_open (path, &way->settings, &problem);
  if (feed->fd >= 0)
    begin (feed, way);
  else
    say_problem (feed, problem);
}

/* Nothing understood: another kind or speed, if there is one. */
static void
try_next_way (SerialFeed *feed)
{
  if (feed->ways->len < 2)
    return;
  close_port (feed, LINE_LOST);
  feed->way = (feed->way + 1) % feed->ways->len;
  search (feed);
}

static void
judge_silence (SerialFeed *feed, gint64 now_us)
{
  if (feed->kind->spot)
    return;
  gboolean heard = feed->frames >= feed->kind->convincing;
  gint64 patience = heard ? SILENT_US : (gint64)feed->kind->patience_s * G_USEC_PER_SEC;
  if (now_us - feed->frame_us < patience)
    return;
  say_away (feed, &WHY_SILENT);
  if (!heard) {
    try_next_way (feed);
  } else { /* its values are none any more; ask it anew */
    close_port (feed, LINE_LOST);
    search (feed);
  }
}

static gboolean
on_timer (void *data)
{
  SerialFeed *feed = data;
  gint64 now_us = g_get_monotonic_time ();
  if (feed->fd >= 0) {
    feed->kind->tick (feed->device, time_now ());
    judge_silence (feed, now_us);
  } else if (now_us - feed->opened_us >= SEARCH_MS * 1000) {
    feed->opened_us = now_us;
    search (feed);
  }
  return G_SOURCE_CONTINUE;
}

static void
on_hotplug (void *arg)
{
  SerialFeed *feed = arg;
  if (feed->fd < 0)
    search (feed);
}

static void
add_ways (SerialFeed *feed, const LineKind *kind, guint baud)
{
  for (const LineSettings *settings = kind->settings; settings->baud != 0; settings++)
    if (baud == 0 || settings->baud == baud)
      g_array_append_vals (feed->ways, &(const Way){ kind, *settings }, 1);
}

SerialFeed *
serial_feed_new (const char *port, const LineKind *kind, guint baud, const char *device,
                 const FeedSink *sink)
{
  SerialFeed *feed = g_new0 (SerialFeed, 1);
  feed->port = g_strdup (port);
  feed->name = g_strdup (device);
  feed->sink = sink;
  feed->fd = -1;
  feed->ways = g_array_new (FALSE, FALSE, sizeof (Way));
  for (const LineKind *const *any = line_kinds (); *any != NULL; any++)
    if (kind == NULL ? !(*any)->spot : kind == *any)
      add_ways (feed, *any, baud);
  if (feed->ways->len == 0) { /* a speed that only this adapter knows of */
    const LineKind *only = kind != NULL ? kind : line_kinds ()[0];
    g_array_append_vals (feed->ways, &(const Way){ only, { baud, only->settings->parity } }, 1);
  }
  feed->timer = g_timeout_source_new (TICK_MS);
  g_source_set_callback (feed->timer, on_timer, feed, NULL);
  g_source_attach (feed->timer, g_main_context_get_thread_default ());
  feed->hotplug = serial_hotplug_new (on_hotplug, feed);
  search (feed);
  return feed;
}

void
serial_feed_free (SerialFeed *feed)
{
  if (feed == NULL)
    return;
  close_port (feed, LINE_LEFT);
  end_source (&feed->timer);
  serial_hotplug_free (feed->hotplug);
  g_array_unref (feed->ways);
  g_free (feed->port);
  g_free (feed->name);
  g_free (feed);
}

const LineKind *
serial_feed_kind (const SerialFeed *feed)
{
  return feed->understood;
}
