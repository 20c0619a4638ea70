/* Over how many packets of pictures a parity packet (FlexFEC) goes towards one peer: decided by
 * what the link loses and how long it takes to send again. Sans-IO.
 *
 *   loss over some seconds   below 1 %   none
 *                            from 1 %    eight
 *                            from 4 %    four
 *
 * and none where a round trip is shorter than 250 ms (200 once it was longer): there a
 * retransmission is as quick. Figures behind the steps: docs/transport.md. More is given at once,
 * less after 10 s below half of what asked for it.
 */
#pragma once
#include <glib.h>

typedef struct {
  guint step;    /* in use */
  gboolean far;  /* the round trip is long */
  gint64 low_us; /* since when the loss asks for less; 0: it does not */
} Parity;

/* Packets to a parity packet for now; 0: none. loss: 0..1; rtt_us: -1 while it is not known. */
guint parity_decide (Parity *parity, double loss, gint64 rtt_us, gint64 now_us);
