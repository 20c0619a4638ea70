/* What the link to one peer carries, in bits per second, from transport-wide feedback, receiver
 * reports and REMB.
 *
 * A plain back-off on loss and on growing delay: doubles per second at the start, then 8 % per
 * second while the link shows neither (faster below what it is known to carry); falls to 65..85 %
 * of what arrived when the queue grows, by half the loss when more than 10 % is lost, and while no
 * feedback comes. It never grows beyond 1.5 times what arrived.
 * The interface is that of a full estimator (GCC), which will replace the inside.
 *
 * Sans-IO; one thread.
 */
#pragma once
#include "media/rtp/twcc.h"

typedef struct Estimator Estimator;

typedef struct {
  guint start_bps, min_bps, max_bps; /* 0: 1 Mbit/s, 100 kbit/s, 4 Mbit/s */
} EstimatorConfig;

Estimator *estimator_new (const EstimatorConfig *config);
void estimator_free (Estimator *estimator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Estimator, estimator_free)

/* A packet of that size left. */
void estimator_sent (Estimator *estimator, guint size, gint64 now_us);
/* Results of one feedback packet, ascending. */
void estimator_feedback (Estimator *estimator, const TwccResult *results, gsize n, gint64 now_us);
/* Loss in a receiver report (0..1); decides only while there is no transport-wide feedback. */
void estimator_report (Estimator *estimator, double loss, gint64 now_us);
void estimator_rtt (Estimator *estimator, gint64 rtt_us);
/* The receiver's own limit; forgotten after 10 s without another. */
void estimator_remb (Estimator *estimator, guint64 bps, gint64 now_us);
/* Time passes: backs off when feedback stays out. Call about every 100 ms while sending. */
void estimator_poll (Estimator *estimator, gint64 now_us);

/* Target for all that is sent, within min and max. */
guint estimator_bps (Estimator *estimator);
/* Rate for the pacer. */
guint estimator_pacing_bps (Estimator *estimator);
