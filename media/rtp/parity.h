/* Over how many packets of pictures a parity packet (FlexFEC) goes towards one peer: decided by
 * what the link loses and how long it takes to send again. Sans-IO.
 *
 *   loss over some seconds   below 1 %   none
 *                            from 1 %    eight
 *                            from 4 %    four
 *
 * and none where a round trip is shorter than 250 ms (200 once it was longer): there a
 * retransmission is as quick. Figures behind the steps: docs/transport.md.
 */
#pragma once
#include "media/rtp/loss_steps.h"

typedef struct {
  LossSteps steps;
  gboolean far; /* the round trip is long */
} Parity;

/* Packets to a parity packet for now; 0: none. loss: 0..1; rtt_us: -1 while it is not known. */
guint parity_decide (Parity *parity, double loss, gint64 rtt_us, gint64 now_us);
