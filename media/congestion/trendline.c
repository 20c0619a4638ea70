#include "media/congestion/trendline.h"

#include <math.h>

enum {
  RESTART_US = 2 * G_USEC_PER_SEC,
  SEEN_MAX = 60,
  INTERVAL_US = 33000, /* 30 frames per second */
};

static const double SMOOTHING = 0.9, GAIN = 4;
static const double OVER_TIME_MS = 10;
/* Carlucci et al. 2016, table 1 gives k_u = 0.01, k_d = 0.00018 for the unscaled gradient; these
 * are for the gradient times samples and gain. */
static const double RISE_PER_MS = 0.0087, FALL_PER_MS = 0.039;
static const double THRESHOLD_MS = 12.5, THRESHOLD_MIN_MS = 6, THRESHOLD_MAX_MS = 600;
static const double STEEP_MS = 20, STEEP_NOISE = 3, STEEP_STEPS = 8, NOISE_WEIGHT = 0.05;
static const double OUTLIER_MS = 15, STEP_MAX_MS = 100;

void
trendline_reset (Trendline *t)
{
  *t = (Trendline){ .threshold_ms = THRESHOLD_MS };
}

/* Least squares over the window. */
static double
fit (const Trendline *t)
{
  double at = 0, delay = 0, above = 0, below = 0;
  for (guint i = 0; i < t->n; i++) {
    at += t->at_ms[i];
    delay += t->delay_ms[i];
  }
  at /= t->n;
  delay /= t->n;
  for (guint i = 0; i < t->n; i++) {
    above += (t->at_ms[i] - at) * (t->delay_ms[i] - delay);
    below += (t->at_ms[i] - at) * (t->at_ms[i] - at);
  }
  return below > 0 ? above / below : 0;
}

/* draft-ietf-rmcat-gcc-02 5.4: del_var_th follows the gradient, up faster than down (Carlucci et
 * al. 3.4), so that neither a competing TCP flow starves us nor noise counts as over-use; what is
 * far outside is left out. */
static void
adapt (Trendline *t, double value_ms, double elapsed_ms)
{
  double size = fabs (value_ms);
  if (size > t->threshold_ms + OUTLIER_MS)
    return;
  double k = size < t->threshold_ms ? FALL_PER_MS : RISE_PER_MS;
  t->threshold_ms += k * (size - t->threshold_ms) * MIN (elapsed_ms, STEP_MAX_MS);
  t->threshold_ms = CLAMP (t->threshold_ms, THRESHOLD_MIN_MS, THRESHOLD_MAX_MS);
}

/* Over-use is signalled when the gradient has been above the threshold for a while and does not
 * fall, 5.4; and not when the newest delay is already below the mean: then the queue drains. */
static LinkUse
detect (Trendline *t, double value_ms, double elapsed_ms, gboolean falling)
{
  LinkUse use = LINK_NORMAL;
  if (value_ms > t->threshold_ms) {
    t->over_ms += t->over_count == 0 ? elapsed_ms / 2 : elapsed_ms;
    t->over_count++;
    if ((t->use == LINK_OVER || t->use == LINK_STEEP) && !falling)
      use = LINK_OVER;
    if (t->over_ms > OVER_TIME_MS && t->over_count > 1 && t->slope >= t->last_slope && !falling)
      use = LINK_OVER;
  } else {
    t->over_ms = 0;
    t->over_count = 0;
    if (value_ms < -t->threshold_ms)
      use = LINK_UNDER;
  }
  t->last_slope = t->slope;
  adapt (t, value_ms, elapsed_ms);
  return use;
}

static void
end_interval (Trendline *t)
{
  double change = fabs (t->interval_ms - t->least_ms[TRENDLINE_STEEP - 1]);
  if (t->intervals > 0)
    t->noise_ms += NOISE_WEIGHT * (MIN (change, 3 * t->noise_ms + 2) - t->noise_ms);
  for (guint i = 0; i + 1 < TRENDLINE_STEEP; i++)
    t->least_ms[i] = t->least_ms[i + 1];
  t->least_ms[TRENDLINE_STEEP - 1] = t->interval_ms;
  t->intervals++;
}

/* The link lost much of its capacity: each of the last frame intervals waited longer than the one
 * before, even its luckiest group, and in all much longer. A pause of ours or of the link makes one
 * step, and what follows it falls. */
static gboolean
climbs_steeply (Trendline *t, double delay_ms, gint64 sent_us)
{
  if (sent_us - t->interval_us < INTERVAL_US) {
    t->interval_ms = MIN (t->interval_ms, delay_ms);
    return FALSE;
  }
  end_interval (t);
  t->interval_us = sent_us;
  t->interval_ms = delay_ms;
  if (t->intervals <= TRENDLINE_STEEP)
    return FALSE;
  double rise = delay_ms - t->least_ms[0];
  for (guint i = 1; i < TRENDLINE_STEEP; i++)
    if (t->least_ms[i] - t->least_ms[i - 1] < MAX (rise / STEEP_STEPS, 1))
      return FALSE;
  return delay_ms >= t->least_ms[TRENDLINE_STEEP - 1]
         && rise > STEEP_MS + STEEP_NOISE * t->noise_ms;
}

LinkUse
trendline_update (Trendline *t, gint64 sent_us, gint64 arrived_us, gint64 delay_us)
{
  if (t->seen > 0 && ABS (arrived_us - t->last_arrived_us) > RESTART_US)
    trendline_reset (t);
  if (t->seen == 0) {
    t->zero_us = arrived_us;
    t->zero_delay_us = delay_us;
    t->last_sent_us = sent_us;
  }
  double delay_ms = (double)(delay_us - t->zero_delay_us) / 1000;
  t->smoothed_ms = SMOOTHING * t->smoothed_ms + (1 - SMOOTHING) * delay_ms;
  t->at_ms[t->next] = (double)(arrived_us - t->zero_us) / 1000;
  t->delay_ms[t->next] = t->smoothed_ms;
  t->next = (t->next + 1) % TRENDLINE_WINDOW;
  t->n = MIN (t->n + 1, TRENDLINE_WINDOW);
  t->seen = MIN (t->seen + 1, SEEN_MAX);
  double elapsed_ms = (double)(sent_us - t->last_sent_us) / 1000;
  t->last_sent_us = sent_us;
  t->last_arrived_us = arrived_us;
  gboolean steep = climbs_steeply (t, delay_ms, sent_us);
  if (t->n < TRENDLINE_WINDOW / 2)
    return t->use = steep ? LINK_STEEP : LINK_NORMAL;
  t->slope = fit (t);
  t->use = detect (t, t->seen * t->slope * GAIN, elapsed_ms, delay_ms < t->smoothed_ms);
  if (steep)
    t->use = LINK_STEEP;
  return t->use;
}
