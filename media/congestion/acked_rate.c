#include "media/congestion/acked_rate.h"

/* Time in which we sent nothing says nothing about the link. */
#define PAUSE_US 300000

void
acked_rate_add (AckedRate *rate, const TwccResult *result)
{
  gint64 step = result->arrived_us / ACKED_RATE_STEP_US;
  gboolean paused = rate->step != 0 && result->sent_us - rate->sent_us > PAUSE_US;
  /* Backwards by much: the receiver's clock began anew. */
  if (rate->step == 0 || paused || step - rate->step >= ACKED_RATE_STEPS
      || rate->step - step >= ACKED_RATE_STEPS)
    *rate = (AckedRate){
      .step = step, .first_step = step + 1, .sent_us = result->sent_us, .paused = paused
    };
  rate->sent_us = MAX (rate->sent_us, result->sent_us);
  while (rate->step < step)
    rate->bytes[++rate->step % ACKED_RATE_STEPS] = 0;
  rate->bytes[step % ACKED_RATE_STEPS] += result->size;
}

double
acked_rate_bps (const AckedRate *rate, gint64 span_us, guint64 least_bytes)
{
  gint64 steps = 0, least = span_us / ACKED_RATE_STEP_US;
  guint64 bytes = 0;
  for (gint64 step = rate->step - 1; step >= rate->first_step; step--) {
    if (steps >= ACKED_RATE_STEPS - 2 || (steps >= least && bytes >= least_bytes))
      break;
    bytes += rate->bytes[step % ACKED_RATE_STEPS];
    steps++;
  }
  return steps < (rate->paused ? least : MIN (least, 2))
             ? 0
             : (double)bytes * 8 * G_USEC_PER_SEC / ((double)steps * ACKED_RATE_STEP_US);
}
