#include "media/capture/timeline.h"

#include <math.h>

enum { JUMP_US = 100000, SETTLE_S = 2 };
/* Hz: wide while it settles, then narrow enough to take away the jitter of threads. */
static const double FAST = 0.5, SLOW = 0.03;

void
timeline_init (Timeline *t, guint rate)
{
  *t = (Timeline){ .period_us = (double)G_USEC_PER_SEC / rate };
}

gboolean
timeline_add (Timeline *t, guint n, gint64 at_us)
{
  double error = (double)at_us - t->at_us;
  gboolean anew = !t->started || fabs (error) > JUMP_US;
  if (anew) {
    t->started = TRUE;
    t->begun = t->samples;
    t->at_us = (double)at_us;
    error = 0;
  }
  double block_us = n * t->period_us;
  gboolean settling = (double)(t->samples - t->begun) * t->period_us < SETTLE_S * G_USEC_PER_SEC;
  double omega = 2 * G_PI * (settling ? FAST : SLOW) * block_us / G_USEC_PER_SEC;
  t->at_us += M_SQRT2 * omega * error + block_us;
  t->period_us += omega * omega * error / n;
  t->samples += n;
  return anew;
}

double
timeline_sample (const Timeline *t, double at_us)
{
  return (double)t->samples + (at_us - t->at_us) / t->period_us;
}
