/* A device behind a serial port: opens the port, keeps the device talking, comes back by itself
 * when it was unplugged. On the GMainContext that is the thread default at serial_feed_new();
 * nothing blocks. Port absent, busy, forbidden or silent: said by the sink's state, in both
 * languages. */
#pragma once
#include "media/devices/line_device.h"

typedef struct SerialFeed SerialFeed;

/* port as serial_port_find(). kind NULL: all are tried in turn until one is understood. baud 0: the
 * kind's own speeds. device: how its waves name it. sink outlives the feed; its raw() hears every
 * byte. */
SerialFeed *serial_feed_new (const char *port, const LineKind *kind, guint baud, const char *device,
                             const FeedSink *sink);
/* Takes leave of the device. */
void serial_feed_free (SerialFeed *feed);
/* The kind that was understood last; NULL: none yet. */
const LineKind *serial_feed_kind (const SerialFeed *feed);
