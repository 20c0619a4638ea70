#include "media/congestion/queue_delay.h"

enum { BASE_US = 10 * G_USEC_PER_SEC, RECENT_US = 100000 };

void
queue_delay_add (QueueDelay *q, gint64 delay_us, gint64 arrived_us)
{
  if (!q->known || arrived_us < q->base_since_us) {
    *q = (QueueDelay){ .known = TRUE,
                       .base_us = delay_us,
                       .next_base_us = delay_us,
                       .base_since_us = arrived_us,
                       .newest_us = delay_us,
                       .recent_us = delay_us,
                       .before_us = delay_us,
                       .recent_since_us = arrived_us };
    return;
  }
  if (arrived_us - q->base_since_us > BASE_US) {
    q->base_us = q->next_base_us;
    q->next_base_us = delay_us;
    q->base_since_us = arrived_us;
  }
  q->newest_us = delay_us;
  q->next_base_us = MIN (q->next_base_us, delay_us);
  q->base_us = MIN (q->base_us, delay_us);
  if (arrived_us - q->recent_since_us > RECENT_US) {
    q->before_us = q->recent_us;
    q->recent_us = delay_us;
    q->recent_since_us = arrived_us;
  }
  q->recent_us = MIN (q->recent_us, delay_us);
}

gint64
queue_delay_standing_us (const QueueDelay *q)
{
  return MIN (q->recent_us, q->before_us) - q->base_us;
}

gint64
queue_delay_newest_us (const QueueDelay *q)
{
  return q->newest_us - q->base_us;
}

void
queue_delay_adopt (QueueDelay *q)
{
  q->base_us = q->next_base_us = MIN (q->recent_us, q->before_us);
}
