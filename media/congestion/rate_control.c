#include "media/congestion/rate_control.h"

#include <math.h>

enum {
  HOLD_US = 200000, /* no growth so long after a decrease */
  RESPONSE_US = 100000,
  STEP_MAX_US = 200000,
  CALM_US = 2000000,
  RTT_MIN_US = 10000,
  RTT_MAX_US = 300000,
  QUEUE_LOW_US = 40000,   /* does not keep from growing */
  QUEUE_GONE_US = 25000,  /* drained */
  QUEUE_SOME_US = 12000,  /* below, what grows is noise, */
  QUEUE_LEAST_US = 4000,  /* and when it was gone meanwhile */
  QUEUE_HIGH_US = 120000, /* over-use though it does not grow */
  DRAIN_US = 700000,      /* in which a queue is to be gone */
  DRAIN_LONG_US = 1000000,
  COMPETE_US = 3 * G_USEC_PER_SEC, /* the first time, then doubled */
  COMPETE_MOST_US = 15 * G_USEC_PER_SEC,
  COMPETE_GROWN = 2, /* times the queue that it began with: whose it is is asked again */
  COMPETE_PAUSE_US = 2000000,
  COMPETE_ALONE_US = 1000000, /* no queue for so long: nobody competes */
  ROUTE_MOST_US = 300000,     /* more is no route, */
  ROUTE_FLAT_US = 400000,     /* nor what has not been the same for so long, */
  ROUTE_SAME_US = 10000,      /* give or take so much */
  ROUTE_GONE_US = 60000,      /* so much of a queue would have gone */
  DRAIN_MARK_US = 500000,
  OTHERS_US = 300000,
  ACKED_LAG_US = 500000, /* what is measured of us is over so long */
};

static const double BETA = 0.92; /* 5.5 has 0.85: ours drains apart from it */
static const double DRAIN_LEAST = 0.35, DRAIN_HARDER = 0.8, DRAIN_HARDEST = 0.3;
static const double DRAIN_OVERSENT = 1.15;
/* per second: before anything is known, well below what is known, elsewhere */
static const double GROWTH_STARTUP = 1.0, GROWTH_FAST = 0.35, GROWTH = 0.08;
static const double NEAR = 0.85; /* of the capacity: from there on additive */
static const double PACKET_BITS = 1200 * 8, SLOW_SHARE = 0.14, SLOW_BPS = 10000;
static const double CALM_MOST = 2, AGREES = 0.12;
static const double ABOVE = 1.12;
static const double BUSY = 0.6;
static const double PROVEN = 0.85; /* of the rate, sent */

gint64
rate_control_packet_us (const RateControl *r)
{
  return (gint64)(PACKET_BITS * G_USEC_PER_SEC / r->bps);
}

void
rate_control_init (RateControl *r, double start_bps, double min_bps, double max_bps)
{
  *r = (RateControl){ .min_bps = min_bps, .max_bps = max_bps };
  rate_control_restart (r, start_bps);
}

void
rate_control_restart (RateControl *r, double bps)
{
  r->bps = CLAMP (bps, r->min_bps, r->max_bps);
  r->drain.bps = 0;
  r->startup = TRUE;
  r->capacity_bps = r->capacity_variance = 0;
  r->before_bps = 0;
  r->shrunk_us = r->grown_us = r->compete_until_us = r->compete_us = 0;
}

static void
set (RateControl *r, double bps)
{
  r->bps = CLAMP (bps, r->min_bps, r->max_bps);
}

double
rate_control_bps (const RateControl *r)
{
  return r->drain.bps > 0 ? CLAMP (r->drain.bps, r->min_bps, r->bps) : r->bps;
}

gboolean
rate_control_above_capacity (const RateControl *r)
{
  return r->capacity_bps > 0 && r->drain.bps == 0 && r->bps > ABOVE * r->capacity_bps;
}

/* 5.5: R_hat when over-use is found is a sample of the capacity; one that is off by more than three
 * deviations begins it anew. */
static void
learn_capacity (RateControl *r, double bps, double weight)
{
  double error = bps - r->capacity_bps;
  double deviation = sqrt (r->capacity_variance * r->capacity_bps);
  if (r->capacity_bps <= 0 || fabs (error) > 3 * MAX (deviation, 0.03 * r->capacity_bps)) {
    r->capacity_bps = bps;
    r->capacity_variance = 0.0025 * bps;
    return;
  }
  r->capacity_bps += weight * error;
  double variance = error * error / r->capacity_bps;
  r->capacity_variance = (1 - weight) * r->capacity_variance + weight * variance;
}

static void
shrink (RateControl *r, double bps, gint64 now_us)
{
  if (r->before_bps < r->bps || now_us - r->shrunk_us > 5 * G_USEC_PER_SEC)
    r->before_bps = r->bps;
  set (r, MIN (bps, r->bps));
  r->startup = FALSE;
  r->shrunk_us = r->grown_us = now_us;
}

void
rate_control_limit (RateControl *r, double bps, gint64 now_us)
{
  shrink (r, bps, now_us);
}

void
rate_control_return (RateControl *r, double bps)
{
  set (r, MAX (bps, r->bps));
}

void
rate_control_probed (RateControl *r, double bps, gboolean saturated, gint64 now_us)
{
  if (saturated) {
    learn_capacity (r, bps, 0.5);
    bps *= 0.95;
    r->startup = FALSE;
  }
  if (bps > r->bps)
    set (r, bps);
}

void
rate_control_rested (RateControl *r)
{
  r->drain.bps = 0;
}

/* The decrease is seen a round trip later; sooner only when much less arrives than is sent. */
static gboolean
may_shrink (const RateControl *r, const RateInput *in, gint64 now_us)
{
  gint64 pause = CLAMP (in->rtt_us, RTT_MIN_US, RTT_MAX_US) + RESPONSE_US;
  return now_us - r->shrunk_us >= pause
         || (in->newest_bps > 0 && in->newest_bps < rate_control_bps (r) / 2
             && now_us - r->shrunk_us >= RESPONSE_US);
}

/* A short measure is unsure by a packet or two; what it agrees with is the better word. */
static double
settled (const RateControl *r, double arrived_bps)
{
  gboolean agrees = fabs (arrived_bps - r->capacity_bps) < AGREES * r->capacity_bps;
  return agrees ? r->capacity_bps : arrived_bps;
}

static void
decrease (RateControl *r, const RateInput *in, gint64 now_us)
{
  /* The shorter measure only where the longer one still has the time before in it. */
  double arrived = in->use == LINK_STEEP ? in->newest_bps : MAX (in->newest_bps, in->acked_bps);
  if (arrived <= 0)
    arrived = r->bps;
  gboolean busy = in->sent_bps > BUSY * rate_control_bps (r);
  if (busy)
    learn_capacity (r, arrived, 0.3);
  /* What we sent before we knew still comes out, at the link's rate: no reason to fall again, nor
   * is a queue that becomes shorter. */
  gboolean known = r->drain.bps > 0 && BETA * arrived > 0.95 * r->bps
                   && (now_us - r->drain.since_us < DRAIN_LONG_US
                       || in->newest_queue_us < r->drain.cut_queue_us);
  if (!known)
    shrink (r, BETA * MIN (settled (r, arrived), r->bps), now_us);
  if (r->drain.bps == 0) {
    r->drain.since_us = now_us;
    r->drain.mark_us = r->drain.flat_since_us = 0;
    r->drain.scale = 1;
  }
  r->drain.bps = r->bps;
  r->drain.cut_queue_us = in->newest_queue_us;
}

/* The queue has not become shorter for a while, and more leaves than was told: tells still less. */
static void
drain_harder (RateControl *r, const RateInput *in, gint64 now_us)
{
  if (now_us - r->drain.mark_us < DRAIN_MARK_US)
    return;
  gboolean stays = r->drain.mark_us != 0 && in->newest_queue_us > r->drain.mark_queue_us * 4 / 5;
  if (stays && in->sent_bps > DRAIN_OVERSENT * r->drain.bps)
    r->drain.scale = MAX (r->drain.scale * DRAIN_HARDER, DRAIN_HARDEST);
  r->drain.mark_us = now_us;
  r->drain.mark_queue_us = in->newest_queue_us;
}

typedef enum { QUEUE_OURS, QUEUE_OTHERS, QUEUE_ROUTE } QueueOwner;

static gboolean
is_route (RateControl *r, const RateInput *in, gint64 gone_us, gint64 now_us)
{
  RateDrain *d = &r->drain;
  gint64 same_us = MAX (ROUTE_SAME_US, rate_control_packet_us (r) / 4);
  d->flat_low_us = MIN (d->flat_low_us, in->queue_us);
  d->flat_high_us = MAX (d->flat_high_us, in->queue_us);
  d->flat_expected_us += gone_us;
  if (d->flat_since_us == 0 || d->flat_high_us - d->flat_low_us > same_us) {
    d->flat_since_us = now_us;
    d->flat_low_us = d->flat_high_us = in->queue_us;
    d->flat_expected_us = 0;
  }
  return in->queue_us < ROUTE_MOST_US && now_us - d->flat_since_us > ROUTE_FLAT_US
         && d->flat_expected_us > MAX (ROUTE_GONE_US, 3 * same_us);
}

/* What arrives now left before the drain began: it stood in the queue for as long as that is now,
 * which may be much more than when we noticed. */
static gboolean
not_seen_yet (const RateControl *r, const RateInput *in, gint64 now_us)
{
  gint64 under_way_us = in->newest_queue_us + CLAMP (in->rtt_us, RTT_MIN_US, RTT_MAX_US);
  return now_us - r->drain.since_us < under_way_us + ACKED_LAG_US;
}

/* What we send less should come off the queue, if it were ours; but what is seen of it is as old as
 * it is long. What others put in moves; a route does not. */
static QueueOwner
owner_of_queue (RateControl *r, const RateInput *in, gint64 now_us)
{
  if (not_seen_yet (r, in, now_us)) {
    r->drain.begin_queue_us = in->newest_queue_us;
    r->drain.expected_us = 0;
    r->drain.seen_us = now_us;
    return QUEUE_OURS;
  }
  double less = CLAMP (1 - (in->sent_bps + in->beside_bps) * BETA / r->bps, 0, 1);
  gint64 gone_us = (gint64)(less * (double)(now_us - r->drain.seen_us));
  r->drain.expected_us += gone_us;
  r->drain.seen_us = now_us;
  if (is_route (r, in, gone_us, now_us))
    return QUEUE_ROUTE;
  gboolean others = r->drain.expected_us > OTHERS_US
                    && r->drain.begin_queue_us - in->newest_queue_us < r->drain.expected_us / 4;
  return others ? QUEUE_OTHERS : QUEUE_OURS;
}

/* It may have been ours all the same, behind a link that became slower meanwhile: looked at again
 * soon, and the less often the more often it was not. */
static void
begin_to_compete (RateControl *r, const RateInput *in, gint64 now_us)
{
  r->compete_queue_us = in->queue_us;
  r->compete_us = CLAMP (2 * r->compete_us, COMPETE_US, COMPETE_MOST_US);
  r->compete_until_us = now_us + r->compete_us;
  r->empty_since_us = 0;
}

/* While a queue stands we send as much less as empties it in DRAIN_US. FALSE: it is none, but a
 * longer route. */
static gboolean
drain (RateControl *r, const RateInput *in, gint64 now_us)
{
  gint64 gone_us = MAX (QUEUE_GONE_US, rate_control_packet_us (r));
  if (MIN (in->queue_us, in->newest_queue_us) < gone_us) {
    r->drain.bps = 0;
    r->grown_us = now_us;
    r->compete_us = 0;
    return TRUE;
  }
  QueueOwner owner = owner_of_queue (r, in, now_us);
  if (owner != QUEUE_OURS) {
    r->drain.bps = 0;
    if (owner == QUEUE_OTHERS)
      begin_to_compete (r, in, now_us);
    return owner == QUEUE_OTHERS;
  }
  drain_harder (r, in, now_us);
  double share = 1 - (double)in->newest_queue_us / DRAIN_US;
  r->drain.bps = r->bps / BETA * CLAMP (share, DRAIN_LEAST, BETA) * r->drain.scale;
  return TRUE;
}

/* 5.5: multiplicative far from the capacity, additive near it: a packet per response time, and the
 * more the longer nothing speaks against it (as CUBIC, RFC 9438, leaves its plateau). */
static double
growth (const RateControl *r, gint64 rtt_us, double seconds, gint64 now_us)
{
  if (r->startup)
    return r->bps * GROWTH_STARTUP * seconds;
  if (r->capacity_bps <= 0)
    return r->bps * GROWTH * seconds;
  if (r->bps < NEAR * r->capacity_bps)
    return r->bps * GROWTH_FAST * seconds;
  if (r->bps > ABOVE * r->capacity_bps)
    return r->bps * GROWTH * seconds;
  double response = (double)(CLAMP (rtt_us, 0, RTT_MAX_US) + RESPONSE_US) / G_USEC_PER_SEC;
  double additive = MIN (PACKET_BITS / response, MAX (SLOW_SHARE * r->bps, SLOW_BPS));
  double calm = (double)(now_us - r->shrunk_us - CALM_US) / CALM_US;
  return additive * CLAMP (calm, 1, CALM_MOST) * seconds;
}

static void
increase (RateControl *r, const RateInput *in, gint64 now_us)
{
  gint64 elapsed = r->grown_us ? CLAMP (now_us - r->grown_us, 0, STEP_MAX_US) : 0;
  r->grown_us = now_us;
  if (!in->may_grow || in->queue_us > MAX (QUEUE_LOW_US, rate_control_packet_us (r))
      || (r->shrunk_us != 0 && now_us - r->shrunk_us < HOLD_US))
    return;
  double grown = r->bps + growth (r, in->rtt_us, (double)elapsed / G_USEC_PER_SEC, now_us);
  /* More than was ever found there is believed in only while it is sent; else probes tell. */
  if (r->capacity_bps > 0 && grown > r->capacity_bps && in->sent_bps < PROVEN * r->bps)
    return;
  /* 5.5: never beyond 1.5 R_hat: sending little proves little. */
  if (grown <= 1.5 * in->acked_bps + 10000)
    set (r, grown);
}

/* Others keep the queue full whatever we do: it is no word on what we send any more. We take our
 * part by AIMD alone, and look again after a while. Copa's competitive mode is the model (Arun,
 * Balakrishnan, "Copa: Practical Delay-Based Congestion Control for the Internet", NSDI 2018, 2.2).
 */
static void
compete (RateControl *r, const RateInput *in, gboolean over, gint64 now_us)
{
  if (over && now_us - r->shrunk_us >= COMPETE_PAUSE_US) {
    shrink (r, BETA * r->bps, now_us);
  } else {
    RateInput blind = *in;
    blind.queue_us = 0;
    increase (r, &blind, now_us);
  }
  if (in->queue_us > COMPETE_GROWN * r->compete_queue_us + QUEUE_HIGH_US)
    r->compete_until_us = 0;
  if (in->queue_us > MAX (QUEUE_GONE_US, rate_control_packet_us (r)))
    r->empty_since_us = 0;
  else if (r->empty_since_us == 0)
    r->empty_since_us = now_us;
  else if (now_us - r->empty_since_us > COMPETE_ALONE_US)
    r->compete_until_us = r->compete_us = 0;
}

static gboolean
is_over (const RateControl *r, const RateInput *in)
{
  if (in->newest_queue_us <= MAX (QUEUE_SOME_US, rate_control_packet_us (r)))
    return FALSE;
  return in->use == LINK_STEEP || (in->use == LINK_OVER && in->queue_us > QUEUE_LEAST_US);
}

gboolean
rate_control_update (RateControl *r, const RateInput *in, gint64 now_us)
{
  gint64 high_us = MAX (QUEUE_HIGH_US, 2 * rate_control_packet_us (r));
  gboolean standing = in->queue_us > high_us && r->drain.bps == 0;
  gboolean over = is_over (r, in);
  if (now_us < r->compete_until_us) {
    compete (r, in, over, now_us);
    return TRUE;
  }
  if ((over || standing) && may_shrink (r, in, now_us))
    decrease (r, in, now_us);
  if (r->drain.bps > 0 && !drain (r, in, now_us))
    return FALSE;
  if (r->drain.bps == 0 && in->use == LINK_NORMAL)
    increase (r, in, now_us);
  else
    r->grown_us = now_us;
  return TRUE;
}
