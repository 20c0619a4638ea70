#include "media/devices/udp_feed.h"

#include <gio/gio.h>

#define TICK_MS 100
#define SILENT_US (10 * G_USEC_PER_SEC)
#define DATAGRAM_MAX 65536

struct UdpFeed {
  const FeedSink *sink;
  char *name;
  const LineKind *kind;
  void *device;
  GSocket *socket; /* NULL: the network has no way to the address */
  GSocketAddress *address;
  GSource *readable, *timer;
  guint64 frames;
  gint64 frame_us;
  FeedState state;
};

static const char WHY_VI[]
    = "Máy theo dõi không trả lời: kiểm tra máy đã bật, dây mạng và địa chỉ trong "
      "station.conf.";
static const char WHY_EN[]
    = "The monitor does not answer: is it on, is its network cable in, is the "
      "address in station.conf its own?";

static LineTime
time_now (void)
{
  return (LineTime){ .monotonic_us = g_get_monotonic_time (), .utc_us = g_get_real_time () };
}

static void
say (UdpFeed *feed, FeedState state)
{
  if (state == feed->state)
    return;
  feed->state = state;
  feed_state (feed->sink, state, state == FEED_LIVE ? NULL : WHY_VI,
              state == FEED_LIVE ? NULL : WHY_EN, -1);
}

static void
send_datagram (const guint8 *data, gsize length, void *arg)
{
  UdpFeed *feed = arg;
  /* A datagram that does not go is as one that is lost: the device's tick asks again. */
  if (feed->socket != NULL
      && g_socket_send_with_blocking (feed->socket, (const char *)data, length, FALSE, NULL, NULL)
             > 0)
    feed_raw (feed->sink, FEED_TO_DEVICE, data, length);
}

static gboolean
on_readable (GSocket *socket, GIOCondition condition, void *data)
{
  static guint8 datagram[DATAGRAM_MAX];
  UdpFeed *feed = data;
  LineTime now = time_now ();
  gssize got = g_socket_receive_with_blocking (socket, (char *)datagram, sizeof datagram, FALSE,
                                               NULL, NULL);
  if (got <= 0) /* an ICMP error of an earlier datagram, or nothing */
    return G_SOURCE_CONTINUE;
  feed_raw (feed->sink, FEED_FROM_DEVICE, datagram, (gsize)got);
  feed->kind->feed (feed->device, datagram, (gsize)got, now);
  guint64 frames = feed->kind->frames (feed->device);
  if (frames > feed->frames) {
    feed->frames = frames;
    feed->frame_us = now.monotonic_us;
    say (feed, FEED_LIVE);
  }
  return G_SOURCE_CONTINUE;
}

/* Connected, so that nobody else's datagrams come in. */
static void
open_socket (UdpFeed *feed)
{
  GSocketFamily family = g_socket_address_get_family (feed->address);
  feed->socket = g_socket_new (family, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  if (feed->socket == NULL || !g_socket_connect (feed->socket, feed->address, NULL, NULL)) {
    g_clear_object (&feed->socket);
    return;
  }
  feed->readable = g_socket_create_source (feed->socket, G_IO_IN, NULL);
  g_source_set_callback (feed->readable, G_SOURCE_FUNC (on_readable), feed, NULL);
  g_source_attach (feed->readable, g_main_context_get_thread_default ());
}

static gboolean
on_timer (void *data)
{
  UdpFeed *feed = data;
  LineTime now = time_now ();
  gboolean silent = now.monotonic_us - feed->frame_us >= SILENT_US;
  if (feed->socket == NULL && silent) {
    feed->frame_us = now.monotonic_us;
    open_socket (feed);
  }
  if (silent)
    say (feed, feed->frames > 0 ? FEED_LOST : FEED_SEARCHING);
  feed->kind->tick (feed->device, now);
  return G_SOURCE_CONTINUE;
}

UdpFeed *
udp_feed_new (const char *host, guint16 port, const LineKind *kind, const char *device,
              const FeedSink *sink)
{
  UdpFeed *feed = g_new0 (UdpFeed, 1);
  feed->name = g_strdup (device);
  const LineOutput output
      = { .sink = sink, .device = feed->name, .send = send_datagram, .arg = feed };
  feed->sink = sink;
  feed->kind = kind;
  feed->device = kind->make (&output);
  feed->address = g_inet_socket_address_new_from_string (host, port);
  feed->frame_us = g_get_monotonic_time ();
  feed->state = FEED_FAILED; /* so that the first is said */
  open_socket (feed);
  say (feed, FEED_SEARCHING);
  feed->timer = g_timeout_source_new (TICK_MS);
  g_source_set_callback (feed->timer, on_timer, feed, NULL);
  g_source_attach (feed->timer, g_main_context_get_thread_default ());
  kind->open (feed->device, time_now ());
  return feed;
}

static void
end_source (GSource *source)
{
  if (source == NULL)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

void
udp_feed_free (UdpFeed *feed)
{
  if (feed == NULL)
    return;
  feed->kind->close (feed->device, time_now (), LINE_LEFT);
  feed->kind->free (feed->device);
  end_source (feed->readable);
  end_source (feed->timer);
  g_clear_object (&feed->socket);
  g_object_unref (feed->address);
  g_free (feed->name);
  g_free (feed);
}
