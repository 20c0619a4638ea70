/* Tells loss that we cause from loss that the link has anyway.
 *
 * draft-ietf-rmcat-gcc-02 6 lowers the rate above 10 % of loss and holds it above 2 %: on a radio
 * link with 5 % it never comes up. Here the link's own loss is learned: loss that stays below it,
 * within what chance explains, means nothing. More than that is tried out: the rate falls to what
 * arrived, and if the loss then stays it was the link's (learned, up to 10 %, the rate returns),
 * and if it goes it was ours. What exceeds 10 % lowers the rate in any case, as the draft has it.
 *
 * Plain data, zeroed to begin with.
 */
#pragma once
#include <glib.h>

typedef struct {
  guint packets, lost; /* of the window under way */
  gint64 since_us;
  double loss;                  /* of the last whole window */
  double own;                   /* of the link, learned */
  double variance;              /* of a window's loss around it, learned: losses come in runs */
  double trial_loss, trial_bps; /* loss that made us try, rate before; 0: no trial */
  gint64 trial_us;              /* packets from then on tell */
  gboolean suspect;             /* too much in the last window */
  gboolean fine;                /* after the last whole window */
} LossEstimator;

typedef enum { LOSS_FINE, LOSS_HOLD, LOSS_LOWER, LOSS_RETURN } LossVerdict;

void loss_estimator_reset (LossEstimator *loss);
/* A packet's fate. */
void loss_estimator_add (LossEstimator *loss, gint64 sent_us, gboolean lost);
/* After each feedback. bps: rate now; link_bps: what came out of the link, lost or not. Sets
 * ret_bps for LOWER and RETURN.
 */
LossVerdict loss_estimator_judge (LossEstimator *loss, double bps, double link_bps, gint64 rtt_us,
                                  gint64 now_us, double *ret_bps);
