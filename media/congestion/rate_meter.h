/* Bits per second over the last second, in ten steps. Plain data, zeroed to begin with. */
#pragma once
#include <glib.h>

enum { RATE_METER_STEPS = 10, RATE_METER_STEP_US = 100000 };

typedef struct {
  guint64 bytes[RATE_METER_STEPS];
  gint64 step; /* number of the newest step: now_us / RATE_METER_STEP_US */
  gint64 first_step;
} RateMeter;

void rate_meter_add (RateMeter *meter, guint64 bytes, gint64 now_us);
/* Over the last `steps` whole steps (1 .. 9) that have been measured; 0 before the first. */
guint rate_meter_bps (RateMeter *meter, guint steps, gint64 now_us);
