#include "media/rtp/redundancy.h"

#include <math.h>

enum { FEW = 50, SHARE = 4 };
static const double HALF_LIFE_US = 3.0 * G_USEC_PER_SEC;
/* Loss from which a depth is worth its bits. */
static const double FROM[REDUNDANCY_MAX + 1] = { 0, 0.01, 0.05 };

void
redundancy_count (Redundancy *r, double lost, double sent, gint64 now_us)
{
  double decay = r->counted_us ? exp2 (-(double)MAX (now_us - r->counted_us, 0) / HALF_LIFE_US) : 0;
  r->lost = r->lost * decay + lost;
  r->sent = r->sent * decay + sent;
  r->counted_us = now_us;
}

double
redundancy_loss (const Redundancy *r)
{
  return r->sent < FEW ? 0 : r->lost / r->sent;
}

guint
redundancy_decide (Redundancy *r, guint audio_bps, guint estimate_bps, gint64 now_us)
{
  guint depth
      = loss_steps_follow (&r->steps, FROM, G_N_ELEMENTS (FROM), redundancy_loss (r), now_us);
  while (depth > 0 && (guint64)depth * audio_bps * SHARE > estimate_bps)
    depth--;
  return depth;
}
