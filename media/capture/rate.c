#include "media/capture/rate.h"

#include <math.h>

/* Pictures over which the distance between them is averaged. */
enum { MEMORY = 16 };
#define COSTLY_GAP_US (2 * G_USEC_PER_SEC)

void
rate_init (Rate *rate, gboolean counts_frames, gboolean costs_key, double frames_per_second)
{
  double step_us = G_USEC_PER_SEC / frames_per_second;
  *rate = (Rate){ .counts_frames = counts_frames,
                  .costs_key = costs_key,
                  .announced_us = step_us,
                  .step_us = step_us };
}

void
rate_picture (Rate *rate, gint64 capture_us)
{
  if (rate->last_us && capture_us > rate->last_us) {
    double step_us = (double)(capture_us - rate->last_us);
    rate->step_us += (MIN (step_us, G_USEC_PER_SEC) - rate->step_us) / MEMORY;
  }
  rate->last_us = capture_us;
}

guint
rate_due (Rate *rate, gint64 now_us)
{
  double scale = rate->counts_frames ? rate->step_us / rate->announced_us : 1;
  guint tell = (guint)MAX (rate->wanted * scale, 1);
  double change = rate->told ? (double)tell / rate->told : G_MAXDOUBLE;
  gboolean small = fabs (change - 1) < 0.1;
  if (rate->costs_key && rate->told
      && (small || (change > 0.7 && now_us - rate->told_us < COSTLY_GAP_US)))
    return 0;
  if (fabs (change - 1) < 0.01)
    return 0;
  rate->told = tell;
  rate->told_us = now_us;
  return tell;
}
