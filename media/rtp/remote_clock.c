#include "media/rtp/remote_clock.h"
#include "media/rtp/rtcp.h"

enum {
  CREEP_US = 200,           /* per report, about one a second: more than two clocks drift apart */
  STEP_US = G_USEC_PER_SEC, /* a larger difference is a clock that was set */
};

struct RemoteClock {
  gboolean known;
  gint64 offset_us; /* ours - theirs, with the smallest network delay in it */
};

RemoteClock *
remote_clock_new (void)
{
  return g_new0 (RemoteClock, 1);
}

void
remote_clock_free (RemoteClock *clock)
{
  g_free (clock);
}

void
remote_clock_update (RemoteClock *clock, guint64 ntp, gint64 now_us)
{
  gint64 offset = now_us - rtcp_us_from_ntp (ntp);
  gint64 difference = offset - clock->offset_us;
  if (!clock->known || difference < 0 || difference > STEP_US)
    clock->offset_us = offset;
  else
    clock->offset_us += MIN (difference, CREEP_US);
  clock->known = TRUE;
}

gboolean
remote_clock_map (RemoteClock *clock, guint64 ntp, gint64 *ret_us)
{
  if (!clock->known)
    return FALSE;
  *ret_us = rtcp_us_from_ntp (ntp) + clock->offset_us;
  return TRUE;
}
