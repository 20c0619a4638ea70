#include "media/congestion/estimator.h"
#include "media/congestion/acked_rate.h"
#include "media/congestion/arrival_group.h"
#include "media/congestion/loss_estimator.h"
#include "media/congestion/probe.h"
#include "media/congestion/queue_delay.h"
#include "media/congestion/rate_control.h"
#include "media/congestion/rate_meter.h"

enum {
  START_BPS = 1000000,
  MIN_BPS = 100000,
  MAX_BPS = 4000000,
  SILENCE_US = 1000000,
  SILENCE_STEP_US = 500000,
  TWCC_ALIVE_US = 2 * G_USEC_PER_SEC,
  REMB_US = 10 * G_USEC_PER_SEC,
  DEFAULT_RTT_US = 100000,
  ACKED_US = 500000,
  NEWEST_US = 200000,
  NEWEST_BYTES = 8000,
  CALM_US = 60000, /* standing queue up to which a probe may go */
  LOSS_QUEUE_US = 80000,
  TRAIN_PACKETS = 10,
  CAREFUL_US = 1000000,
  TRAIN_SLOW_PACKETS = 6,
  TRAIN_SLOW_US = 80000,
  TRAIN_SENT_US = 10000,
  WINDOW_SLACK_US = 500000,
  WINDOW_LEAST = 8000,
  IDLE_US = 1000000,
  FIRST_WINDOW_LEAST = 12000,
  FIRST_WINDOW = 30000, /* before the first feedback */
  RETURN_WINDOW_LEAST = 6000,
  FIRST_ANSWER_US = 3 * G_USEC_PER_SEC, /* after that none will come */
};

/* draft-ietf-rmcat-gcc-02 6, where there are only reports */
static const double LOSS_LOW = 0.02, LOSS_HIGH = 0.10;
/* Of a link of which only its round trip is known: long ones are slow more often than not, and the
 * first picture is not to stand before one for seconds. In half a second a fast one is found out.
 */
static const double FIRST_BITS = 40000;  /* bit/s times seconds of a round trip */
static const double RETURN_SHARE = 0.8;  /* of the rate before a silence */
static const double RETURN_WINDOW = 0.4; /* seconds: as long as its first key frame takes */
static const double PACING = 2.5, PACING_CAREFUL = 1.15; /* of the rate */
static const double ALR_BELOW = 0.6, ALR_ABOVE = 0.75;
static const double TRAIN_SHARE = 0.85, TRAIN_RAISE = 3;
static const double PROBE_SUCCESS = 1.3;

struct Estimator {
  EstimatorConfig config;
  gint64 rtt_us;
  RateMeter sent, beside;
  AckedRate acked;
  guint64 acked_bytes; /* since the path is this one */
  ArrivalGroups groups;
  Trendline trend;
  QueueDelay queue;
  RateControl rate;
  LossEstimator loss;
  Probe probe;
  gboolean alr;
  gboolean careful; /* a queue goes, or has just gone: our own bursts shall not fill it again */

  gint64 last_sent_us;
  gint64 first_unanswered_us; /* 0: none */
  gint64 feedback_us;
  gint64 silence_us; /* last decrease for want of feedback; 0: there is feedback */
  double before_silence_bps;
  gint64 returned_us;      /* the last silence ended; 0: there was none */
  gint64 answered_from_us; /* losses of what was sent before do not count: it was the silence */
  guint64 remb_bps;
  gint64 remb_us;
  guint over_uses, probes;
};

Estimator *
estimator_new (const EstimatorConfig *config)
{
  Estimator *e = g_new0 (Estimator, 1);
  e->config.start_bps = config->start_bps ? config->start_bps : START_BPS;
  e->config.min_bps = config->min_bps ? config->min_bps : MIN_BPS;
  e->config.max_bps = config->max_bps ? config->max_bps : MAX_BPS;
  rate_control_init (&e->rate, e->config.start_bps, e->config.min_bps, e->config.max_bps);
  trendline_reset (&e->trend);
  e->loss.own = LOSS_LOW;
  e->rtt_us = DEFAULT_RTT_US;
  return e;
}

void
estimator_free (Estimator *e)
{
  g_free (e);
}

/* ---- what left ---- */

/* A second of what is believed in, and never so little that a key frame does not fit. After a
 * silence less: the link may have become another meanwhile (a telephone fell from 4G to 3G), and
 * what it does not carry would stand before it for seconds. */
static guint64
first_window (const Estimator *e)
{
  double bytes = e->rate.bps / 8;
  return e->returned_us == 0
             ? (guint64)CLAMP (bytes, FIRST_WINDOW_LEAST, FIRST_WINDOW)
             : (guint64)CLAMP (bytes * RETURN_WINDOW, RETURN_WINDOW_LEAST, FIRST_WINDOW);
}

/* Until something is known of the link, so much as has come through twice over (as slow start,
 * RFC 5681 3.1). */
guint64
estimator_window (Estimator *e, gint64 now_us)
{
  gboolean unheard
      = e->first_unanswered_us != 0 && now_us - e->first_unanswered_us > FIRST_ANSWER_US;
  if (e->feedback_us == 0)
    return unheard ? G_MAXUINT64 : first_window (e);
  double seconds = (double)(e->rtt_us + WINDOW_SLACK_US) / G_USEC_PER_SEC;
  guint64 window = MAX ((guint64)(e->rate.bps / 8 * seconds), WINDOW_LEAST);
  return e->rate.startup ? MIN (window, first_window (e) + 2 * e->acked_bytes) : window;
}

void
estimator_sent (Estimator *e, guint size, gint64 now_us)
{
  rate_meter_add (&e->sent, size, now_us);
  e->last_sent_us = now_us;
  probe_sent (&e->probe, size, now_us);
  if (e->first_unanswered_us == 0)
    e->first_unanswered_us = now_us;
}

void
estimator_sent_untold (Estimator *e, guint size, gint64 now_us)
{
  rate_meter_add (&e->sent, size, now_us);
}

void
estimator_sent_beside (Estimator *e, guint size, gint64 now_us)
{
  rate_meter_add (&e->beside, size, now_us);
}

/* ---- probes ---- */

static gboolean
is_calm (const Estimator *e, gint64 queue_us)
{
  return e->trend.use == LINK_NORMAL && e->rate.drain.bps == 0
         && queue_us < MAX (CALM_US, rate_control_packet_us (&e->rate)) && e->loss.trial_bps == 0
         && e->queue.known;
}

/* Nothing has left for so long that whatever queue was ours has gone. */
static gboolean
has_rested (const Estimator *e, gint64 now_us)
{
  return e->first_unanswered_us == 0
         && now_us - e->last_sent_us > IDLE_US + queue_delay_newest_us (&e->queue);
}

static void
consider_probe (Estimator *e, gint64 now_us)
{
  double bps = rate_control_bps (&e->rate);
  gint64 queue_us = queue_delay_standing_us (&e->queue);
  double max_bps = e->config.max_bps;
  if (e->remb_bps)
    max_bps = MIN (max_bps, (double)e->remb_bps);
  ProbeInput input = {
    .bps = bps,
    .max_bps = max_bps,
    .calm = e->silence_us == 0 && (has_rested (e, now_us) || is_calm (e, queue_us)),
    .above = rate_control_above_capacity (&e->rate),
    .alr = e->alr,
    .startup = e->rate.startup,
    .shrunk_us = e->rate.shrunk_us,
    .before_bps = e->rate.before_bps,
  };
  probe_consider (&e->probe, &input, now_us);
}

gboolean
estimator_wants_probe (Estimator *e)
{
  return e->probe.state == PROBE_WANTED;
}

gboolean
estimator_probe (Estimator *e, EstimatorProbe *ret_probe, gint64 now_us)
{
  /* Times tell what is of the cluster: nothing else may have left just now. */
  if (!estimator_wants_probe (e) || e->last_sent_us == now_us)
    return FALSE;
  probe_begin (&e->probe, now_us);
  e->probes++;
  *ret_probe = (EstimatorProbe){ .bps = (guint)e->probe.bps, .bytes = e->probe.bytes };
  return TRUE;
}

void
estimator_probe_end (Estimator *e, gint64 now_us)
{
  probe_end (&e->probe, now_us);
}

static void
take_probe (Estimator *e, gint64 now_us)
{
  double arrived, before = e->rate.bps;
  gboolean saturated;
  if (!probe_answered (&e->probe, e->rtt_us, now_us, &arrived, &saturated))
    return;
  rate_control_probed (&e->rate, arrived, saturated, now_us);
  e->probe.go_on = !saturated && e->rate.bps > PROBE_SUCCESS * before;
}

/* The first picture leaves at once: how fast it comes out of the link says what the link carries,
 * before any probe (packet train dispersion, see probe.h). */
static void
take_train (Estimator *e, const ArrivalGroup *group, gboolean whole, gint64 now_us)
{
  gint64 came = group->last_arrived_us - group->tail_from_us;
  gboolean enough = group->packets >= TRAIN_PACKETS
                    || (group->packets >= TRAIN_SLOW_PACKETS && came > TRAIN_SLOW_US);
  if (!e->rate.startup || !enough || group->last_sent_us - group->sent_us > TRAIN_SENT_US)
    return;
  double bps = (double)group->tail_bytes * 8 * G_USEC_PER_SEC / (double)MAX (came, 1000);
  if (bps * TRAIN_SHARE < e->rate.bps)
    rate_control_limit (&e->rate, bps * TRAIN_SHARE, now_us);
  else if (whole)
    rate_control_probed (&e->rate, MIN (bps * TRAIN_SHARE, e->rate.bps * TRAIN_RAISE), FALSE,
                         now_us);
}

/* ---- feedback ---- */

/* What was known of the path's delay is void. */
static void
begin_anew (Estimator *e, double bps, gint64 now_us)
{
  e->answered_from_us = now_us - e->rtt_us / 2;
  e->acked_bytes = 0;
  e->groups = (ArrivalGroups){ 0 };
  e->queue = (QueueDelay){ 0 };
  trendline_reset (&e->trend);
  loss_estimator_reset (&e->loss);
  probe_cancel (&e->probe);
  e->probe.started = FALSE;
  rate_control_restart (&e->rate, bps);
}

/* The same path is back: most of what it carried is tried, and found wanting soon enough if it is
 * too much. The first key frame comes at that rate, without a burst: a queue then would cost more.
 */
static void
end_silence (Estimator *e, gint64 now_us)
{
  e->silence_us = 0;
  e->first_unanswered_us = 0;
  e->returned_us = now_us;
  e->careful = TRUE;
  begin_anew (e, MAX (e->rate.bps, e->before_silence_bps * RETURN_SHARE), now_us);
  e->probe.started = TRUE; /* that it carries what it did is enough to ask at first */
}

void
estimator_begin (Estimator *e, gint64 rtt_us, gint64 now_us)
{
  if (e->feedback_us != 0 || rtt_us <= 0)
    return;
  e->rtt_us = rtt_us;
  double bps = FIRST_BITS * G_USEC_PER_SEC / (double)rtt_us;
  if (bps < e->rate.bps)
    rate_control_restart (&e->rate, bps);
}

void
estimator_returned (Estimator *e, gint64 now_us)
{
  if (e->feedback_us == 0)
    return;
  if (e->silence_us == 0)
    e->before_silence_bps = e->rate.bps;
  end_silence (e, now_us);
  e->answered_from_us = now_us;
}

/* Another one: half of what the old one carried. */
void
estimator_path_changed (Estimator *e, gint64 now_us)
{
  if (e->feedback_us == 0) /* nothing was known */
    return;
  double before = e->silence_us ? e->before_silence_bps : e->rate.bps;
  e->silence_us = 0;
  e->first_unanswered_us = 0;
  begin_anew (e, before / 2, now_us);
  e->answered_from_us = now_us;
}

static void
take_packet (Estimator *e, const TwccResult *result, gint64 now_us)
{
  ArrivalGroup group;
  if (result->sent_us >= e->answered_from_us)
    loss_estimator_add (&e->loss, result->sent_us, result->arrived_us < 0);
  probe_result (&e->probe, result);
  if (result->arrived_us < 0)
    return;
  acked_rate_add (&e->acked, result);
  e->acked_bytes += result->size;
  if (!arrival_groups_add (&e->groups, result, &group))
    return;
  queue_delay_add (&e->queue, group.delay_us, group.arrived_us);
  LinkUse before = e->trend.use;
  trendline_update (&e->trend, group.sent_us, group.arrived_us, group.delay_us);
  gboolean is_over = e->trend.use == LINK_OVER || e->trend.use == LINK_STEEP;
  e->over_uses += is_over && before != LINK_OVER && before != LINK_STEEP;
  take_train (e, &group, TRUE, now_us);
}

/* draft-ietf-rmcat-gcc-02 has no word for it: application-limited, the rate is not what the link
 * allows but what there is to send. */
static void
update_alr (Estimator *e, double sent_bps)
{
  double share = sent_bps / rate_control_bps (&e->rate);
  e->alr = e->alr ? share < ALR_ABOVE : share < ALR_BELOW;
}

static gboolean
take_loss (Estimator *e, double link_bps, gint64 now_us)
{
  double bps = 0;
  /* A queue that is full loses packets; it is dealt with already. */
  gboolean competes = now_us < e->rate.compete_until_us;
  if (!competes && (e->rate.drain.bps > 0 || queue_delay_standing_us (&e->queue) > LOSS_QUEUE_US)) {
    loss_estimator_reset (&e->loss);
    return FALSE;
  }
  switch (loss_estimator_judge (&e->loss, e->rate.bps, link_bps, e->rtt_us, now_us, &bps)) {
  case LOSS_FINE:
    return TRUE;
  case LOSS_LOWER:
    rate_control_limit (&e->rate, bps, now_us);
    return FALSE;
  case LOSS_RETURN:
    rate_control_return (&e->rate, bps);
    return TRUE;
  case LOSS_HOLD:
  default:
    return FALSE;
  }
}

/* What was lost by chance had its time on the link too: rates are of what came out of it. */
static void
control (Estimator *e, gint64 now_us)
{
  RateInput input = {
    .use = e->trend.use,
    .queue_us = queue_delay_standing_us (&e->queue),
    .newest_queue_us = queue_delay_newest_us (&e->queue),
    .acked_bps = acked_rate_bps (&e->acked, ACKED_US, 0) / (1 - e->loss.own),
    .newest_bps = acked_rate_bps (&e->acked, NEWEST_US, NEWEST_BYTES) / (1 - e->loss.own),
    .sent_bps = rate_meter_bps (&e->sent, 5, now_us),
    .beside_bps = rate_meter_bps (&e->beside, 9, now_us),
    .rtt_us = e->rtt_us,
  };
  input.may_grow = take_loss (e, input.acked_bps, now_us) && e->queue.known;
  if (!rate_control_update (&e->rate, &input, now_us))
    queue_delay_adopt (&e->queue);
  update_alr (e, input.sent_bps);
  e->careful = e->rate.drain.bps > 0
               || (e->rate.shrunk_us != 0 && now_us - e->rate.shrunk_us < CAREFUL_US)
               || (e->returned_us != 0 && now_us - e->returned_us < CAREFUL_US);
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
    take_packet (e, &results[i], now_us);
  take_train (e, &e->groups.open, FALSE, now_us); /* on a slow link it takes seconds */
  control (e, now_us);
  take_probe (e, now_us);
  consider_probe (e, now_us);
}

/* ---- without transport-wide feedback ---- */

void
estimator_report (Estimator *e, double loss, gint64 now_us)
{
  if (e->feedback_us != 0 && now_us - e->feedback_us < TWCC_ALIVE_US)
    return;
  if (loss > LOSS_HIGH)
    rate_control_limit (&e->rate, e->rate.bps * (1 - loss / 2), now_us);
  else if (loss < LOSS_LOW && rate_meter_bps (&e->sent, 9, now_us) > e->rate.bps * 2 / 3)
    rate_control_return (&e->rate, e->rate.bps * 1.08);
}

void
estimator_rtt (Estimator *e, gint64 rtt_us)
{
  e->rtt_us = rtt_us;
}

/* The receiver does all the estimating (draft-alvestrand-rmcat-remb-03): then its word is the rate,
 * but for loss. */
void
estimator_remb (Estimator *e, guint64 bps, gint64 now_us)
{
  e->remb_bps = bps;
  e->remb_us = now_us;
  if (e->feedback_us == 0 && bps > e->rate.bps && e->rate.shrunk_us < now_us - SILENCE_US
      && rate_meter_bps (&e->sent, 9, now_us) > e->rate.bps / 2)
    rate_control_return (&e->rate, (double)bps);
}

/* ---- time ---- */

/* While nothing leaves, nothing is learnt: what rests for want of bits would rest for ever. */
static void
look_for_more (Estimator *e, gint64 now_us)
{
  if (!has_rested (e, now_us))
    return;
  rate_control_rested (&e->rate);
  e->alr = TRUE;
  take_probe (e, now_us); /* the end of the last one may have been lost, and no feedback comes */
  consider_probe (e, now_us);
}

void
estimator_poll (Estimator *e, gint64 now_us)
{
  if (e->remb_bps != 0 && now_us - e->remb_us > REMB_US)
    e->remb_bps = 0;
  if (e->feedback_us == 0)
    return;
  if (e->first_unanswered_us == 0) {
    look_for_more (e, now_us);
    return;
  }
  gint64 patience = MAX (SILENCE_US, 3 * e->rtt_us);
  if (now_us - e->first_unanswered_us < patience || now_us - e->silence_us < SILENCE_STEP_US)
    return;
  if (e->silence_us == 0)
    e->before_silence_bps = e->rate.bps;
  e->silence_us = now_us;
  rate_control_limit (&e->rate, e->rate.bps * 0.7, now_us);
}

gboolean
estimator_silent (Estimator *e)
{
  return e->silence_us != 0;
}

guint
estimator_bps (Estimator *e)
{
  double bps = rate_control_bps (&e->rate);
  if (e->remb_bps)
    bps = MIN (bps, (double)e->remb_bps);
  return (guint)MAX (bps, e->config.min_bps);
}

guint
estimator_pacing_bps (Estimator *e)
{
  double bps = (e->careful ? PACING_CAREFUL : PACING) * estimator_bps (e);
  return (guint)MIN (bps, G_MAXUINT32);
}

void
estimator_state (Estimator *e, EstimatorState *ret_state)
{
  *ret_state = (EstimatorState){
    .queue_ms = (double)queue_delay_standing_us (&e->queue) / 1000,
    .loss = e->loss.loss,
    .own_loss = e->loss.own,
    .capacity_bps = e->rate.capacity_bps,
    .acked_bps = acked_rate_bps (&e->acked, ACKED_US, 0),
    .over = e->trend.use == LINK_OVER || e->trend.use == LINK_STEEP,
    .draining = e->rate.drain.bps > 0,
    .alr = e->alr,
    .probing = e->probe.state == PROBE_SENDING || e->probe.state == PROBE_SENT,
    .over_uses = e->over_uses,
    .probes = e->probes,
  };
}
