#include "media/congestion/probe.h"

enum {
  CLUSTER_US = 30000,
  CLUSTER_BYTES = 5 * 1200,
  PACKETS_MIN = 4,
  PATIENCE_US = 1000000, /* for the answer, beside the round trip */
  WANTED_US = 500000,    /* nobody sent it */
  AGAIN_US = 400000,     /* between two */
  BACK_FIRST_US = 1500000,
  BACK_MAX_US = 20 * G_USEC_PER_SEC,
  BACK_FOR_US = 120 * G_USEC_PER_SEC,
  ALR_FIRST_US = 5 * G_USEC_PER_SEC,
  ALR_MAX_US = 60 * G_USEC_PER_SEC,
};

static const double STEP = 2.0, ALR_STEP = 1.5;
static const double UNSATURATED = 0.9;
static const double LARGE_DROP = 0.66, BACK = 0.9;

static void
want (Probe *p, double bps, const ProbeInput *in, gint64 now_us)
{
  p->bps = MIN (bps, in->max_bps * 1.05);
  p->bytes = MAX ((guint)(p->bps / 8 * CLUSTER_US / G_USEC_PER_SEC), CLUSTER_BYTES);
  p->state = PROBE_WANTED;
  p->state_us = now_us;
}

static void
note_drop (Probe *p, const ProbeInput *in)
{
  if (in->before_bps <= 0 || in->bps > LARGE_DROP * in->before_bps || in->shrunk_us < p->back_us)
    return;
  if (p->back_bps <= 0) {
    p->back_us = in->shrunk_us;
    p->back_interval_us = BACK_FIRST_US;
  }
  p->back_bps = MAX (p->back_bps, in->before_bps);
}

static gboolean
back_due (Probe *p, const ProbeInput *in, gint64 now_us)
{
  if (p->back_bps > 0 && (in->bps > BACK * p->back_bps || now_us - in->shrunk_us > BACK_FOR_US))
    p->back_bps = 0;
  if (p->back_bps <= 0 || now_us - MAX (p->back_us, in->shrunk_us) < p->back_interval_us)
    return FALSE;
  p->back_us = now_us;
  p->back_interval_us = MIN (2 * p->back_interval_us, BACK_MAX_US);
  return TRUE;
}

static gboolean
alr_due (Probe *p, const ProbeInput *in, gint64 now_us)
{
  if (!in->alr) {
    p->alr_us = now_us;
    p->alr_interval_us = ALR_FIRST_US;
    return FALSE;
  }
  if (now_us - p->alr_us < p->alr_interval_us)
    return FALSE;
  p->alr_us = now_us;
  p->alr_interval_us = MIN (2 * p->alr_interval_us, ALR_MAX_US);
  return TRUE;
}

void
probe_consider (Probe *p, const ProbeInput *in, gint64 now_us)
{
  note_drop (p, in);
  if (p->state == PROBE_WANTED && now_us - p->state_us > WANTED_US)
    probe_cancel (p);
  if (p->state != PROBE_IDLE || !in->calm || in->bps > 0.95 * in->max_bps)
    return;
  if (!p->go_on && now_us - p->state_us < AGAIN_US)
    return;
  gboolean alr = alr_due (p, in, now_us), back = back_due (p, in, now_us);
  if (in->startup && !p->started)
    want (p, STEP * in->bps, in, now_us);
  else if (p->go_on || in->above)
    want (p, STEP * in->bps, in, now_us);
  else if (back)
    want (p, MIN (p->back_bps, 3 * in->bps), in, now_us);
  else if (alr)
    want (p, ALR_STEP * in->bps, in, now_us);
  if (p->state == PROBE_WANTED) {
    p->started = TRUE;
    p->go_on = FALSE;
  }
}

void
probe_begin (Probe *p, gint64 now_us)
{
  p->state = PROBE_SENDING;
  p->state_us = now_us;
  p->from_us = now_us;
  p->to_us = G_MAXINT64;
  p->sent = p->arrived = p->lost = 0;
  p->sent_bytes = p->arrived_bytes = 0;
  p->newer = FALSE;
}

void
probe_sent (Probe *p, guint size, gint64 now_us)
{
  if (p->state != PROBE_SENDING)
    return;
  if (p->sent++ == 0)
    p->from_us = now_us;
  p->sent_bytes += size;
  p->last_size = size;
  p->state_us = now_us;
}

void
probe_end (Probe *p, gint64 now_us)
{
  if (p->state != PROBE_SENDING)
    return;
  p->state = p->sent >= PACKETS_MIN ? PROBE_SENT : PROBE_IDLE;
  p->to_us = p->state_us; /* when its last packet left */
}

void
probe_cancel (Probe *p)
{
  p->state = PROBE_IDLE;
  p->go_on = FALSE;
}

void
probe_result (Probe *p, const TwccResult *result)
{
  if ((p->state != PROBE_SENDING && p->state != PROBE_SENT) || result->sent_us < p->from_us)
    return;
  /* Others may have left in the same microsecond as its last. */
  if (result->sent_us > p->to_us || (p->state == PROBE_SENT && p->arrived + p->lost >= p->sent)) {
    p->newer = TRUE;
    return;
  }
  if (result->arrived_us < 0) {
    p->lost++;
    return;
  }
  if (p->arrived++ == 0) {
    p->first_arrived_us = p->last_arrived_us = result->arrived_us;
    p->first_size = result->size;
  }
  if (result->arrived_us < p->first_arrived_us) {
    p->first_arrived_us = result->arrived_us;
    p->first_size = result->size;
  }
  p->last_arrived_us = MAX (p->last_arrived_us, result->arrived_us);
  p->arrived_bytes += result->size;
}

/* Rates between the first and the last packet: of what left without the last, of what came without
 * the first. */
static gboolean
measure (const Probe *p, double *ret_sent_bps, double *ret_arrived_bps)
{
  gint64 left = p->to_us - p->from_us, came = p->last_arrived_us - p->first_arrived_us;
  if (p->arrived < PACKETS_MIN || p->arrived * 5 < p->sent * 3 || left <= 0)
    return FALSE;
  *ret_sent_bps = (double)(p->sent_bytes - p->last_size) * 8 * G_USEC_PER_SEC / (double)left;
  *ret_arrived_bps = (double)(p->arrived_bytes - p->first_size) * 8 * G_USEC_PER_SEC
                     / (double)MAX (came, left / 4);
  return TRUE;
}

gboolean
probe_answered (Probe *p, gint64 rtt_us, gint64 now_us, double *ret_bps, gboolean *ret_saturated)
{
  if (p->state != PROBE_SENT)
    return FALSE;
  gboolean whole = p->newer || p->arrived + p->lost >= p->sent;
  if (!whole && now_us - p->state_us < rtt_us + PATIENCE_US)
    return FALSE;
  p->state = PROBE_IDLE;
  p->state_us = now_us;
  double sent, arrived;
  if (!measure (p, &sent, &arrived))
    return FALSE;
  /* Some that are lost by chance would have taken their time on the link too. */
  if (p->lost * 5 <= p->sent)
    arrived *= (double)p->sent / MAX (p->arrived, 1);
  *ret_bps = MIN (sent, arrived);
  *ret_saturated = arrived < UNSATURATED * sent;
  return TRUE;
}
