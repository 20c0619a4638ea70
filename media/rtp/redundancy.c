#include "media/rtp/redundancy.h"

#include <math.h>

enum { FEW = 50, PATIENCE_US = 10 * G_USEC_PER_SEC, SHARE = 4 };
static const double HALF_LIFE_US = 3.0 * G_USEC_PER_SEC;
/* Loss from which a depth is worth its bits. */
static const double STEPS[REDUNDANCY_MAX + 1] = { 0, 0.01, 0.05 };

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

static guint
depth_for (double loss)
{
  guint depth = REDUNDANCY_MAX;
  while (depth > 0 && loss < STEPS[depth])
    depth--;
  return depth;
}

guint
redundancy_decide (Redundancy *r, guint audio_bps, guint estimate_bps, gint64 now_us)
{
  double loss = redundancy_loss (r);
  guint wanted = depth_for (loss);
  gboolean lower = wanted < r->depth && loss < STEPS[r->depth] / 2;
  if (!lower)
    r->low_us = 0;
  else if (r->low_us == 0)
    r->low_us = now_us;
  if (wanted > r->depth)
    r->depth = wanted;
  else if (lower && now_us - r->low_us >= PATIENCE_US) {
    r->depth--;
    r->low_us = 0;
  }
  guint depth = r->depth;
  while (depth > 0 && (guint64)depth * audio_bps * SHARE > estimate_bps)
    depth--;
  return depth;
}
