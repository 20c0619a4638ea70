/* Packets that left together, and how long the first of the queue before them was.
 *
 * Packets are grouped by departure (5 ms) and, when a channel was silent and then delivers what it
 * held, by arrival: draft-ietf-rmcat-gcc-02 5.2 ("pre-filtering"). A group's delay is the least of
 * its packets': what a frame of ours queues behind itself does not count, nor does what a stalled
 * channel, a stalled receiver or a stalled sender held back and then let go at once.
 *
 * Plain data, zeroed to begin with. Times: departure by our clock, arrival by the receiver's, so
 * only differences of delays mean something.
 */
#pragma once
#include "media/rtp/twcc.h"

typedef struct {
  gint64 sent_us, last_sent_us; /* first and last departure */
  gint64 arrived_us, last_arrived_us;
  gint64 delay_us; /* least of arrival - departure */
  guint packets;
  guint64 bytes;
  /* The packets after the first four: how fast they came out of the bottleneck. */
  guint64 tail_bytes;
  gint64 tail_from_us;
} ArrivalGroup;

typedef struct {
  ArrivalGroup open;
} ArrivalGroups;

/* Takes a packet that arrived. TRUE: it began a new group, ret_done is the one before. Packets that
 * left before the open group are ignored. */
gboolean arrival_groups_add (ArrivalGroups *groups, const TwccResult *result,
                             ArrivalGroup *ret_done);
