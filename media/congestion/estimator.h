/* What the link to one peer carries, in bits per second, from transport-wide feedback; from REMB
 * and receiver reports where a peer has nothing better.
 *
 *   estimator_sent ─► probe, ALR                     what left
 *   estimator_feedback ─► arrival_group ─► trendline ─► rate_control ─► estimator_bps
 *                     │              └──► queue_delay ──┘     ▲   ▲
 *                     ├─► acked_rate ─────────────────────────┘   │
 *                     ├─► loss_estimator ─────────────────────────┤
 *                     └─► probe ──────────────────────────────────┘
 *
 * After draft-ietf-rmcat-gcc-02 and Carlucci et al. 2016; each part says where it follows them and
 * where not. All decisions use the departure by our clock and the arrival by the receiver's, none
 * the time at which feedback came: a pause of our process or of the feedback changes nothing, until
 * feedback stays out for a second while packets leave (the rate then falls, and half of it comes
 * back at once when feedback does).
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

/* A packet of that size left, that feedback will tell of; one that carries no transport-wide
 * number. */
void estimator_sent (Estimator *estimator, guint size, gint64 now_us);
void estimator_sent_untold (Estimator *estimator, guint size, gint64 now_us);
/* Something else of ours left by the same way (the channels): no part of the rate, but where a
 * queue does not go it is not for others' sake. */
void estimator_sent_beside (Estimator *estimator, guint size, gint64 now_us);
/* Results of one feedback packet, ascending. */
void estimator_feedback (Estimator *estimator, const TwccResult *results, gsize n, gint64 now_us);
/* Loss in a receiver report (0..1); decides only while there is no transport-wide feedback. */
void estimator_report (Estimator *estimator, double loss, gint64 now_us);
void estimator_rtt (Estimator *estimator, gint64 rtt_us);
/* The receiver's own limit (draft-alvestrand-rmcat-remb-03); forgotten after 10 s without another.
 * Where there is no transport-wide feedback, it is the estimate. */
void estimator_remb (Estimator *estimator, guint64 bps, gint64 now_us);
/* Time passes: backs off when feedback stays out. Call about every 100 ms while sending. */
void estimator_poll (Estimator *estimator, gint64 now_us);
/* Of a path of which only its round trip is known: bounds what is sent until there is feedback. */
void estimator_begin (Estimator *estimator, gint64 rtt_us, gint64 now_us);
/* Packets go again after a pause, by the same way: what was known of delay is void, and most of the
 * old rate is tried. */
void estimator_returned (Estimator *estimator, gint64 now_us);
/* Packets go another way from now on: what was known of delay and capacity is void, and half the
 * old rate is tried. */
void estimator_path_changed (Estimator *estimator, gint64 now_us);

/* Target for all that is sent, within min and max. */
guint estimator_bps (Estimator *estimator);
/* Rate for the pacer. */
guint estimator_pacing_bps (Estimator *estimator);
/* So many bytes may be on their way unanswered (twcc.h: outstanding) before video waits;
 * G_MAXUINT64: any, since feedback does not come. */
guint64 estimator_window (Estimator *estimator, gint64 now_us);
/* Packets leave, and for a second or more nothing tells what became of them. */
gboolean estimator_silent (Estimator *estimator);

/* A cluster of packets at a rate of its own is wanted: see probe.h. TRUE: send `bytes` at `bps`
 * from now on, padded where there is no media, then call estimator_probe_end(); what is told to
 * estimator_sent() in between is the cluster. */
typedef struct {
  guint bps, bytes;
} EstimatorProbe;
gboolean estimator_wants_probe (Estimator *estimator);
gboolean estimator_probe (Estimator *estimator, EstimatorProbe *ret_probe, gint64 now_us);
void estimator_probe_end (Estimator *estimator, gint64 now_us);

/* For figures and tests. */
typedef struct {
  double queue_ms;     /* standing in the network */
  double loss;         /* of the last window, 0..1 */
  double own_loss;     /* of the link itself, learned */
  double capacity_bps; /* 0: unknown */
  double acked_bps;    /* what arrives */
  gboolean over, draining, alr, probing;
  guint over_uses, probes; /* counted */
} EstimatorState;
void estimator_state (Estimator *estimator, EstimatorState *ret_state);
