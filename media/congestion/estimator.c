#include "media/congestion/estimator.h"
#include "media/congestion/rate_meter.h"

enum {
  START_BPS = 1000000,
  MIN_BPS = 100000,
  MAX_BPS = 4000000,
  QUEUE_LOW_US = 30000,  /* below: the link has room */
  QUEUE_HIGH_US = 80000, /* above: we send too much */
  QUEUE_LONG_US = 300000,
  DECISION_US = 150000,          /* between two decisions on delay, beside the round trip */
  BASE_US = 10 * G_USEC_PER_SEC, /* the base delay is the least of the last 10 to 20 s */
  LOSS_WINDOW_US = 500000,
  LOSS_WINDOW_PACKETS = 20,
  HOLD_US = 300000, /* no growth so long after a decrease */
  SILENCE_US = 1000000,
  SILENCE_STEP_US = 500000,
  TWCC_ALIVE_US = 2 * G_USEC_PER_SEC,
  REMB_US = 10 * G_USEC_PER_SEC,
  DEFAULT_RTT_US = 100000,
};

static const double LOSS_LOW = 0.02, LOSS_HIGH = 0.10;
static const double GROWTH_FAST = 1.0, GROWTH = 0.08; /* per second */

struct Estimator {
  EstimatorConfig config;
  double bps;
  gboolean startup; /* until the first decrease */
  gint64 rtt_us;
  RateMeter sent, acked;
  gint64 last_sent_us, first_unanswered_us; /* 0: none */

  /* delay: arrival - departure in the receiver's clock, so only differences mean something */
  gint64 base_us, next_base_us, base_since_us; /* least of this period and the one before */
  gboolean has_base;
  gint64 queue_us;      /* least queueing delay in the newest feedback */
  gint64 queue_seen_us; /* at the last decision: it must have become shorter by the next */
  gint64 decided_us;
  double link_bps; /* what arrived while the queue stood: the link's rate; 0: unknown */

  guint window_packets, window_lost;
  gint64 window_since_us;
  double loss; /* of the last whole window */

  gint64 grown_us, shrunk_us, feedback_us;
  gint64 silence_us; /* last decrease for want of feedback; 0: there is feedback */
  double before_silence_bps;
  gint64 answered_from_us; /* losses of what was sent before do not count: it was the silence */
  guint64 remb_bps;
  gint64 remb_us;
};

Estimator *
estimator_new (const EstimatorConfig *config)
{
  Estimator *e = g_new0 (Estimator, 1);
  e->config.start_bps = config->start_bps ? config->start_bps : START_BPS;
  e->config.min_bps = config->min_bps ? config->min_bps : MIN_BPS;
  e->config.max_bps = config->max_bps ? config->max_bps : MAX_BPS;
  e->bps = CLAMP (e->config.start_bps, e->config.min_bps, e->config.max_bps);
  e->startup = TRUE;
  e->rtt_us = DEFAULT_RTT_US;
  return e;
}

void
estimator_free (Estimator *e)
{
  g_free (e);
}

static void
set (Estimator *e, double bps)
{
  e->bps = CLAMP (bps, e->config.min_bps, e->config.max_bps);
}

static void
shrink (Estimator *e, double bps, gint64 now_us)
{
  set (e, MIN (e->bps, bps));
  e->startup = FALSE;
  e->shrunk_us = e->grown_us = now_us;
}

/* Multiplies by the growth since the last call, as long as what is sent gives evidence. */
static void
grow (Estimator *e, gint64 now_us)
{
  gint64 elapsed = e->grown_us ? CLAMP (now_us - e->grown_us, 0, 200000) : 0;
  e->grown_us = now_us;
  if (e->shrunk_us != 0 && now_us - e->shrunk_us < HOLD_US)
    return;
  gboolean far = e->startup || e->bps < 0.9 * e->link_bps;
  double per_second = far ? GROWTH_FAST : GROWTH;
  double grown = e->bps * (1 + per_second * (double)elapsed / G_USEC_PER_SEC);
  double evidence = 1.5 * rate_meter_bps (&e->acked, 5, now_us) + 10000;
  if (grown <= evidence)
    set (e, grown);
}

static void
measure_delay (Estimator *e, const TwccResult *results, gsize n, gint64 now_us)
{
  gint64 least = G_MAXINT64;
  for (gsize i = 0; i < n; i++)
    if (results[i].arrived_us >= 0)
      least = MIN (least, results[i].arrived_us - results[i].sent_us);
  if (least == G_MAXINT64)
    return;
  if (!e->has_base || now_us - e->base_since_us > BASE_US) {
    e->base_us = e->has_base ? e->next_base_us : least;
    e->next_base_us = least;
    e->base_since_us = now_us;
    e->has_base = TRUE;
  }
  e->next_base_us = MIN (e->next_base_us, least);
  e->base_us = MIN (e->base_us, least);
  e->queue_us = least - e->base_us;
}

/* Least of a feedback's delays, so that a burst of ours (a key frame) does not count as a queue
 * that stands. */
static void
react_to_delay (Estimator *e, gint64 now_us)
{
  if (e->queue_us < QUEUE_HIGH_US) {
    e->queue_seen_us = 0;
    if (e->queue_us < QUEUE_LOW_US && e->loss < LOSS_LOW)
      grow (e, now_us);
    return;
  }
  /* The effect of a decrease is seen a round trip later. */
  if (now_us - e->decided_us < e->rtt_us + DECISION_US)
    return;
  gboolean draining = e->queue_seen_us > 0 && e->queue_us < e->queue_seen_us * 9 / 10;
  e->decided_us = now_us;
  e->queue_seen_us = e->queue_us;
  if (draining)
    return;
  double acked = rate_meter_bps (&e->acked, 3, now_us);
  double factor = 0.85 - 0.2 * MIN (1.0, (double)e->queue_us / QUEUE_LONG_US);
  gboolean busy = rate_meter_bps (&e->sent, 3, now_us) > e->bps / 2;
  if (busy && acked > 0)
    e->link_bps = acked;
  shrink (e, factor * (busy && acked > 0 ? MIN (acked, e->bps) : e->bps), now_us);
}

static void
count_loss (Estimator *e, const TwccResult *results, gsize n, gint64 now_us)
{
  for (gsize i = 0; i < n; i++) {
    if (results[i].sent_us < e->answered_from_us)
      continue;
    e->window_lost += results[i].arrived_us < 0;
    e->window_packets++;
  }
  if (e->window_since_us == 0)
    e->window_since_us = now_us;
  if (now_us - e->window_since_us < LOSS_WINDOW_US || e->window_packets < LOSS_WINDOW_PACKETS)
    return;
  e->loss = (double)e->window_lost / e->window_packets;
  e->window_lost = e->window_packets = 0;
  e->window_since_us = now_us;
  if (e->loss > LOSS_HIGH)
    shrink (e, e->bps * (1 - e->loss / 2), now_us);
}

void
estimator_sent (Estimator *e, guint size, gint64 now_us)
{
  rate_meter_add (&e->sent, size, now_us);
  e->last_sent_us = now_us;
  if (e->first_unanswered_us == 0)
    e->first_unanswered_us = now_us;
}

/* The path is back, perhaps another one: what was known of its delay is void, half the old rate is
 * tried, and found wanting soon enough if it is too much. */
static void
end_silence (Estimator *e, gint64 now_us)
{
  e->silence_us = 0;
  e->answered_from_us = now_us - e->rtt_us / 2;
  e->has_base = FALSE;
  e->startup = TRUE;
  e->shrunk_us = 0;
  e->window_packets = e->window_lost = 0;
  e->loss = 0;
  set (e, MAX (e->bps, e->before_silence_bps / 2));
}

void
estimator_feedback (Estimator *e, const TwccResult *results, gsize n, gint64 now_us)
{
  if (n == 0)
    return;
  if (e->silence_us != 0)
    end_silence (e, now_us);
  e->feedback_us = now_us;
  e->first_unanswered_us = 0;
  for (gsize i = 0; i < n; i++)
    if (results[i].arrived_us >= 0)
      rate_meter_add (&e->acked, results[i].size, now_us);
  measure_delay (e, results, n, now_us);
  count_loss (e, results, n, now_us);
  react_to_delay (e, now_us);
}

void
estimator_report (Estimator *e, double loss, gint64 now_us)
{
  if (e->feedback_us != 0 && now_us - e->feedback_us < TWCC_ALIVE_US)
    return;
  if (loss > LOSS_HIGH)
    shrink (e, e->bps * (1 - loss / 2), now_us);
  else if (loss < LOSS_LOW && rate_meter_bps (&e->sent, 9, now_us) > e->bps * 2 / 3)
    set (e, e->bps * 1.08);
}

void
estimator_rtt (Estimator *e, gint64 rtt_us)
{
  e->rtt_us = rtt_us;
}

void
estimator_remb (Estimator *e, guint64 bps, gint64 now_us)
{
  e->remb_bps = bps;
  e->remb_us = now_us;
}

void
estimator_poll (Estimator *e, gint64 now_us)
{
  if (e->remb_bps != 0 && now_us - e->remb_us > REMB_US)
    e->remb_bps = 0;
  if (e->feedback_us == 0 || e->first_unanswered_us == 0)
    return;
  gint64 patience = MAX (SILENCE_US, 3 * e->rtt_us);
  if (now_us - e->first_unanswered_us < patience || now_us - e->silence_us < SILENCE_STEP_US)
    return;
  if (e->silence_us == 0)
    e->before_silence_bps = e->bps;
  e->silence_us = now_us;
  shrink (e, e->bps * 0.7, now_us);
}

guint
estimator_bps (Estimator *e)
{
  double bps = e->remb_bps ? MIN (e->bps, (double)e->remb_bps) : e->bps;
  return (guint)MAX (bps, e->config.min_bps);
}

guint
estimator_pacing_bps (Estimator *e)
{
  double bps = 2.5 * estimator_bps (e);
  return (guint)MIN (bps, G_MAXUINT32);
}
