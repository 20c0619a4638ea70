#include "media/rtp/parity.h"

enum { PATIENCE_US = 10 * G_USEC_PER_SEC, FAR_US = 250 * 1000, NEAR_US = 200 * 1000 };

static const struct {
  double loss; /* from which it is worth its bits */
  guint group;
} STEPS[] = { { 0, 0 }, { 0.01, 8 }, { 0.04, 4 } };

static guint
step_for (double loss)
{
  guint step = G_N_ELEMENTS (STEPS) - 1;
  while (step > 0 && loss < STEPS[step].loss)
    step--;
  return step;
}

guint
parity_decide (Parity *p, double loss, gint64 rtt_us, gint64 now_us)
{
  guint wanted = step_for (loss);
  gboolean lower = wanted < p->step && loss < STEPS[p->step].loss / 2;
  if (!lower)
    p->low_us = 0;
  else if (p->low_us == 0)
    p->low_us = now_us;
  if (wanted > p->step) {
    p->step = wanted;
  } else if (lower && now_us - p->low_us >= PATIENCE_US) {
    p->step--;
    p->low_us = 0;
  }
  p->far = rtt_us >= (p->far ? NEAR_US : FAR_US);
  return p->far ? STEPS[p->step].group : 0;
}
