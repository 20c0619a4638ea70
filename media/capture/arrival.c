#include "media/capture/arrival.h"

#define WINDOW_US (3 * G_USEC_PER_SEC)
#define JUMP_US (3 * G_USEC_PER_SEC)
/* Share of the time passed by which the offset may rise: 4 % is not seen in a moving picture. */
enum { SLEW_SHARE = 25 };

static void
begin (Arrival *arrival, gint64 offset_us, gint64 now_us)
{
  arrival->begun = TRUE;
  arrival->offset_us = arrival->least_us = arrival->least_before_us = offset_us;
  arrival->window_us = arrival->last_now_us = now_us;
}

static void
observe (Arrival *arrival, gint64 offset_us, gint64 now_us)
{
  if (now_us - arrival->window_us >= WINDOW_US) {
    arrival->least_before_us = arrival->least_us;
    arrival->least_us = offset_us;
    arrival->window_us = now_us;
  }
  arrival->least_us = MIN (arrival->least_us, offset_us);
}

static void
follow (Arrival *arrival, gint64 now_us)
{
  gint64 goal_us = MIN (arrival->least_us, arrival->least_before_us);
  gint64 most_us = (now_us - arrival->last_now_us) / SLEW_SHARE;
  arrival->last_now_us = now_us;
  /* Down at once: a time in the future is wrong for certain. */
  arrival->offset_us = MIN (goal_us, arrival->offset_us + MAX (most_us, 0));
}

gint64
arrival_capture_us (Arrival *arrival, gint64 camera_us, gint64 now_us)
{
  gint64 offset_us = now_us - camera_us;
  if (!arrival->begun || ABS (offset_us - arrival->offset_us) > JUMP_US)
    begin (arrival, offset_us, now_us);
  observe (arrival, offset_us, now_us);
  follow (arrival, now_us);
  gint64 out_us = camera_us + arrival->offset_us;
  if (camera_us > arrival->last_in_us) /* else a B-frame: its time is before the last one's */
    out_us = MAX (out_us, arrival->last_out_us + MIN (camera_us - arrival->last_in_us, 1000));
  arrival->last_in_us = camera_us;
  arrival->last_out_us = out_us;
  return out_us;
}
