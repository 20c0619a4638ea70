/* How long the queue in the network is: delay above the least that was seen lately.
 *
 * The base is the least delay of the last 10 to 20 s, so that a clock that drifts, or a new route,
 * is forgotten. The standing queue is the least of the last 100 to 200 ms (Nichols and Jacobson,
 * "Controlling Queue Delay", 2012: a queue that empties now and then is no trouble).
 *
 * Plain data, zeroed to begin with. Times by the receiver's clock.
 */
#pragma once
#include <glib.h>

typedef struct {
  gboolean known;
  gint64 base_us, next_base_us, base_since_us;
  gint64 newest_us, recent_us, before_us, recent_since_us;
} QueueDelay;

void queue_delay_add (QueueDelay *queue, gint64 delay_us, gint64 arrived_us);
/* 0 before the first packet. */
gint64 queue_delay_standing_us (const QueueDelay *queue);
/* What the newest packet had before it. */
gint64 queue_delay_newest_us (const QueueDelay *queue);
/* What stands now is taken for the base: others keep the queue filled, or the route is longer. */
void queue_delay_adopt (QueueDelay *queue);
