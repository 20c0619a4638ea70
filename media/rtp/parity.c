#include "media/rtp/parity.h"

enum { FAR_US = 250 * 1000, NEAR_US = 200 * 1000 };
/* Loss from which a step is worth its bits, and its packets to a parity packet. */
static const double FROM[] = { 0, 0.01, 0.04 };
static const guint GROUPS[G_N_ELEMENTS (FROM)] = { 0, 8, 4 };

guint
parity_decide (Parity *p, double loss, gint64 rtt_us, gint64 now_us)
{
  guint step = loss_steps_follow (&p->steps, FROM, G_N_ELEMENTS (FROM), loss, now_us);
  p->far = rtt_us >= (p->far ? NEAR_US : FAR_US);
  return p->far ? GROUPS[step] : 0;
}
