#include "media/congestion/rate_meter.h"

static void
advance (RateMeter *meter, gint64 now_us)
{
  gint64 step = now_us / RATE_METER_STEP_US;
  if (meter->first_step == 0 || step - meter->step >= RATE_METER_STEPS) {
    *meter
        = (RateMeter){ .step = step, .first_step = meter->first_step ? meter->first_step : step };
    return;
  }
  while (meter->step < step)
    meter->bytes[++meter->step % RATE_METER_STEPS] = 0;
}

void
rate_meter_add (RateMeter *meter, guint64 bytes, gint64 now_us)
{
  advance (meter, now_us);
  meter->bytes[meter->step % RATE_METER_STEPS] += bytes;
}

guint
rate_meter_bps (RateMeter *meter, guint steps, gint64 now_us)
{
  if (meter->first_step == 0)
    return 0;
  advance (meter, now_us);
  steps = CLAMP (steps, 1, RATE_METER_STEPS - 1);
  steps = (guint)MIN ((gint64)steps, meter->step - meter->first_step);
  guint64 bytes = 0;
  for (guint i = 1; i <= steps; i++)
    bytes += meter->bytes[(meter->step - i) % RATE_METER_STEPS];
  guint64 bps = steps ? bytes * 8 * G_USEC_PER_SEC / ((guint64)steps * RATE_METER_STEP_US) : 0;
  return (guint)MIN (bps, G_MAXUINT);
}
