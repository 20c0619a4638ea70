#include "media/capture/key_pace.h"

void
key_pace_start (KeyPace *pace, gint64 now_us)
{
  *pace = (KeyPace){ .ordered_us = now_us, .coming = TRUE, .free = TRUE };
}

static gboolean
order (KeyPace *pace, gint64 now_us)
{
  pace->pending = FALSE;
  pace->coming = TRUE;
  pace->ordered_us = now_us;
  return TRUE;
}

gboolean
key_pace_request (KeyPace *pace, gint64 now_us)
{
  if (pace->coming && now_us - pace->ordered_us < KEY_LOST_US)
    return FALSE;
  gboolean is_free = pace->free;
  pace->free = FALSE;
  if (is_free || now_us - pace->ordered_us >= KEY_PACE_US)
    return order (pace, now_us);
  pace->pending = TRUE;
  return FALSE;
}

gboolean
key_pace_tick (KeyPace *pace, gint64 now_us)
{
  return now_us >= key_pace_due (pace) && order (pace, now_us);
}

void
key_pace_out (KeyPace *pace)
{
  pace->coming = FALSE;
}

gint64
key_pace_due (const KeyPace *pace)
{
  return pace->pending ? pace->ordered_us + KEY_PACE_US : G_MAXINT64;
}
