/* The rate to send at, from the state of the link: AIMD of draft-ietf-rmcat-gcc-02 5.5 with an
 * estimate of what the link carries.
 *
 * Grows by a packet per response time near the known capacity, by a third per second well below it,
 * by 8 % per second where the link is not known, doubling per second before anything is known (and
 * no probe has found an end). Falls at once to 92 % of what arrived. Then, as long as a queue
 * stands, the rate that is told is lower still, so that the queue is gone within a second, and
 * afterwards returns. Delay that stays the same although we send less is that of a longer route, no
 * queue. A queue that stays, and moves, is others': for 3 s, or until it has gone, we then take our
 * part by AIMD alone, and try again to empty it; if in vain, for twice as long, up to 15 s.
 *
 * Plain data; one thread.
 */
#pragma once
#include "media/congestion/trendline.h"

/* A queue that we are emptying. */
typedef struct {
  double bps; /* told meanwhile; 0: there is none */
  gint64 since_us;
  gint64 cut_queue_us;           /* how long it was at the last decrease */
  gint64 mark_us, mark_queue_us; /* looked at last, whether it becomes shorter */
  double scale;                  /* below 1: it did not, and more was sent than told */
  /* Whose it is: how long it was when our sending less could first be seen, and by how much it
   * should have become shorter since. */
  gint64 begin_queue_us, seen_us, expected_us;
  /* How long it has been the same, within what bounds, and what should have gone meanwhile. */
  gint64 flat_since_us, flat_low_us, flat_high_us, flat_expected_us;
} RateDrain;

typedef struct {
  double min_bps, max_bps;
  double bps; /* without the draining */
  RateDrain drain;
  gint64 compete_until_us;                /* the queue is others': until then it says nothing */
  gint64 compete_queue_us;                /* how long it was then */
  gint64 compete_us;                      /* for so long the last time; 0: it was ours since */
  gint64 empty_since_us;                  /* and it has been gone since; 0: it has not */
  gboolean startup;                       /* nothing is known of the link yet */
  double capacity_bps, capacity_variance; /* 0: unknown; variance: of it / capacity */
  double before_bps; /* rate before the last decreases: a probe may find it again */
  gint64 grown_us, shrunk_us;
} RateControl;

/* What a feedback says, and what is known beside it. */
typedef struct {
  LinkUse use;
  gint64 queue_us, newest_queue_us; /* standing; before the newest packet */
  double acked_bps;                 /* over half a second; 0: unknown */
  double newest_bps;                /* of the newest packets: what came out of a full queue */
  double sent_bps;
  double beside_bps; /* of ours too, but no part of the rate */
  gint64 rtt_us;
  gboolean may_grow; /* no other reason against it: loss */
} RateInput;

void rate_control_init (RateControl *rate, double start_bps, double min_bps, double max_bps);
/* FALSE: the delay stayed the same though we sent less: it is no queue, and what there is of it is
 * to be taken for none. */
gboolean rate_control_update (RateControl *rate, const RateInput *input, gint64 now_us);
/* Others have a reason to send less. */
void rate_control_limit (RateControl *rate, double bps, gint64 now_us);
/* Nothing has left for longer than any queue of ours can last: it is gone, though nobody saw it go.
 */
void rate_control_rested (RateControl *rate);
/* Nothing speaks against that rate any more. */
void rate_control_return (RateControl *rate, double bps);
/* A probe was answered; saturated: it came out of the link at that rate, which is its capacity. */
void rate_control_probed (RateControl *rate, double bps, gboolean saturated, gint64 now_us);
/* The link may be another one: begins anew at that rate. */
void rate_control_restart (RateControl *rate, double bps);
/* How long a full packet takes to leave at that rate: a queue shorter than that is none. */
gint64 rate_control_packet_us (const RateControl *rate);
/* What to send. */
double rate_control_bps (const RateControl *rate);
/* Over what the link was known to carry, and still no queue: it may carry much more now. */
gboolean rate_control_above_capacity (const RateControl *rate);
