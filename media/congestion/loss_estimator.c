#include "media/congestion/loss_estimator.h"

#include <math.h>

enum { WINDOW_US = 500000, WINDOW_PACKETS = 30 };

static const double OWN_MAX = 0.10; /* draft-ietf-rmcat-gcc-02 6: above, the rate falls */
static const double MARGIN = 0.02, DEVIATIONS = 2, LEARN = 0.15, LEARN_TRIED = 0.5,
                    LEARN_VARIANCE = 0.1, ERROR_MOST = 0.05;
static const double SURE = 0.2;
static const double TRIAL_LEAST = 0.8; /* of the rate */

void
loss_estimator_reset (LossEstimator *l)
{
  *l = (LossEstimator){ .own = l->own, .variance = l->variance, .loss = l->loss };
}

void
loss_estimator_add (LossEstimator *l, gint64 sent_us, gboolean lost)
{
  if (sent_us < l->trial_us)
    return;
  l->packets++;
  l->lost += lost;
}

static gboolean
excess (const LossEstimator *l, double expected, guint packets)
{
  double p = MAX (expected, MARGIN);
  double variance = MAX (p * (1 - p) / packets, l->variance);
  return l->loss > expected + MARGIN + DEVIATIONS * sqrt (variance);
}

static void
learn (LossEstimator *l, double weight)
{
  double error = CLAMP (l->loss - l->own, -ERROR_MOST, ERROR_MOST);
  l->variance += LEARN_VARIANCE * (error * error - l->variance);
  l->own += weight * (MIN (l->loss, OWN_MAX) - l->own);
}

/* What exceeds the most that a link may lose by itself. */
static LossVerdict
lower (const LossEstimator *l, double bps, double *ret_bps)
{
  *ret_bps = bps * (1 - (l->loss - OWN_MAX / 2) / 2);
  return LOSS_LOWER;
}

static LossVerdict
end_trial (LossEstimator *l, double bps, guint packets, double *ret_bps)
{
  double halfway = l->own + (l->trial_loss - l->own) / 2;
  double before = l->trial_bps;
  l->trial_bps = 0;
  if (l->loss < halfway)
    return LOSS_HOLD; /* it was ours */
  learn (l, LEARN_TRIED);
  if (excess (l, OWN_MAX, packets))
    return lower (l, bps, ret_bps);
  *ret_bps = before;
  return LOSS_RETURN;
}

static LossVerdict
judge_window (LossEstimator *l, double bps, double link_bps, guint packets, double *ret_bps)
{
  if (l->trial_bps > 0)
    return end_trial (l, bps, packets, ret_bps);
  if (!excess (l, l->own, packets)) {
    l->suspect = FALSE;
    learn (l, LEARN);
    return LOSS_FINE;
  }
  if (excess (l, OWN_MAX, packets) && l->own >= OWN_MAX * 0.9)
    return lower (l, bps, ret_bps);
  if (!l->suspect && l->loss < SURE) { /* once may be chance */
    l->suspect = TRUE;
    return LOSS_HOLD;
  }
  l->suspect = FALSE;
  l->trial_loss = l->loss;
  l->trial_bps = bps;
  *ret_bps = CLAMP (link_bps * 0.97, TRIAL_LEAST * bps, bps * 0.9);
  return LOSS_LOWER;
}

LossVerdict
loss_estimator_judge (LossEstimator *l, double bps, double link_bps, gint64 rtt_us, gint64 now_us,
                      double *ret_bps)
{
  if (l->since_us == 0) {
    l->since_us = now_us;
    l->fine = TRUE;
  }
  if (now_us - l->since_us < WINDOW_US || l->packets < WINDOW_PACKETS)
    return l->fine ? LOSS_FINE : LOSS_HOLD;
  guint packets = l->packets;
  l->loss = (double)l->lost / packets;
  l->packets = l->lost = 0;
  l->since_us = now_us;
  LossVerdict verdict = judge_window (l, bps, link_bps, packets, ret_bps);
  l->fine = verdict == LOSS_FINE || verdict == LOSS_RETURN;
  if (verdict == LOSS_LOWER) { /* what is under way does not tell of the new rate */
    l->trial_us = now_us;
    l->since_us = now_us + rtt_us;
  }
  return verdict;
}
