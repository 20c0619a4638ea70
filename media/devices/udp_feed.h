/* A device that is polled by UDP: the LAN port of a Philips IntelliVue monitor. On the GMainContext
 * that is the thread default at udp_feed_new(); nothing blocks. */
#pragma once
#include "media/devices/line_device.h"

#define UDP_FEED_INTELLIVUE_PORT 24105

typedef struct UdpFeed UdpFeed;

/* host: an IPv4 or IPv6 address: a name would have to be looked up, which blocks. device: how its
 * waves name it. sink outlives the feed; its raw() hears each datagram. */
UdpFeed *udp_feed_new (const char *host, guint16 port, const LineKind *kind, const char *device,
                       const FeedSink *sink);
/* Takes leave of the device. */
void udp_feed_free (UdpFeed *feed);
