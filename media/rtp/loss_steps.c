#include "media/rtp/loss_steps.h"

enum { PATIENCE_US = 10 * G_USEC_PER_SEC };

guint
loss_steps_follow (LossSteps *s, const double *from, guint n, double loss, gint64 now_us)
{
  guint wanted = n - 1;
  while (wanted > 0 && loss < from[wanted])
    wanted--;
  gboolean lower = wanted < s->step && loss < from[s->step] / 2;
  if (!lower)
    s->low_us = 0;
  else if (s->low_us == 0)
    s->low_us = now_us;
  if (wanted > s->step) {
    s->step = wanted;
  } else if (lower && now_us - s->low_us >= PATIENCE_US) {
    s->step--;
    s->low_us = 0;
  }
  return s->step;
}
