/* How many older packets of sound go along with each new one (RED) towards one peer: decided by
 * what the link loses and by what it carries beyond the sound. Sans-IO.
 *
 *   loss over some seconds   below 1 %   none: retransmission and the codec's own FEC do
 *                            from 1 %    one
 *                            from 5 %    two
 *
 * and each only as long as what it adds stays within a quarter of the estimate. Figures behind the
 * steps: docs/transport.md.
 */
#pragma once
#include "media/rtp/loss_steps.h"

#define REDUNDANCY_MAX 2

typedef struct {
  LossSteps steps;   /* depths */
  double lost, sent; /* packets, decaying */
  gint64 counted_us;
} Redundancy;

/* What became of packets, as feedback tells; decays by half in 3 s. */
void redundancy_count (Redundancy *redundancy, double lost, double sent, gint64 now_us);
/* Share lost, 0..1; 0 while too few packets are known of. */
double redundancy_loss (const Redundancy *redundancy);
/* The depth for now. audio_bps: of one copy of the sound; estimate_bps: what the link carries. */
guint redundancy_decide (Redundancy *redundancy, guint audio_bps, guint estimate_bps,
                         gint64 now_us);
