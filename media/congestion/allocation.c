#include "media/congestion/allocation.h"

enum {
  CONTROL_BPS = 16000,
  WAVES_CREDIT_BPS = 8000, /* of those, for the least that waves can do with */
  UNKNOWN_BPS = 500000,
  MARGIN_PERCENT = 15,
  FALL_PERCENT = 5,
  LEAN_PERCENT = 60,
  LAST_LEAN_PERCENT = 40,
};
#define LEAN_US (1 * G_USEC_PER_SEC)
#define LAST_LEAN_US (3 * G_USEC_PER_SEC)
#define FIRST_HOLD_US (G_USEC_PER_SEC / 2)
#define RETURNED_US (5 * G_USEC_PER_SEC)
#define HOLD_US (3 * G_USEC_PER_SEC)
#define RETURN_HOLD_US (5 * G_USEC_PER_SEC)
#define HOLD_MAX_US (60 * G_USEC_PER_SEC)
#define RETURN_HOLD_MAX_US (15 * G_USEC_PER_SEC)
#define TRIAL_US (15 * G_USEC_PER_SEC)
#define TOGETHER_US (1 * G_USEC_PER_SEC)
#define BOUND_REST_US (5 * G_USEC_PER_SEC)
#define BOUND_GROWTH 0.04 /* a second */

struct AllocationStream {
  AllocationClass class;
  AllocationStep steps[ALLOCATION_STEPS];
  guint n, best;
  int step;   /* as decided */
  int wanted; /* under way: what the budgets allow */
  guint bps;
  gint64 lean_us;    /* since when its step gets less than it wants; 0: not */
  guint lean_bps;    /* what it gets; 0: enough */
  gboolean begun;    /* it was decided about once */
  gboolean at_once;  /* the next rise does not wait */
  gint64 surplus_us; /* since when more was to be had; 0: not */
  gint64 hold_us;    /* how long that must last */
  gint64 raised_us;  /* the last rise, till it has lasted; 0: none on trial */
};

struct AllocationPeer {
  gboolean uplink, silent;
  GPtrArray *streams;
  guint estimate_bps;
  gint64 fell_us;     /* the estimate did; 0: never */
  gint64 returned_us; /* its link, from silence; 0: never */
  gint64 left;        /* under way; bits that nobody has */
};

struct Allocation {
  GPtrArray *peers;
  double uplink_bps; /* 0: no bound */
  gint64 bound_us;   /* when it was found */
  gint64 run_us;
  gint64 left; /* under way, of the uplink */
};

static void
peer_free (gpointer data)
{
  AllocationPeer *peer = data;
  g_ptr_array_unref (peer->streams);
  g_free (peer);
}

Allocation *
allocation_new (void)
{
  Allocation *a = g_new0 (Allocation, 1);
  a->peers = g_ptr_array_new_with_free_func (peer_free);
  return a;
}

void
allocation_free (Allocation *a)
{
  g_ptr_array_unref (a->peers);
  g_free (a);
}

AllocationPeer *
allocation_add_peer (Allocation *a, gboolean uplink)
{
  AllocationPeer *peer = g_new0 (AllocationPeer, 1);
  peer->uplink = uplink;
  peer->streams = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (a->peers, peer);
  return peer;
}

void
allocation_remove_peer (Allocation *a, AllocationPeer *peer)
{
  g_ptr_array_remove (a->peers, peer);
}

void
allocation_set_estimate (AllocationPeer *peer, guint bps, gint64 now_us)
{
  if (peer->estimate_bps != 0 && bps < peer->estimate_bps / 100 * (100 - FALL_PERCENT))
    peer->fell_us = now_us;
  peer->estimate_bps = bps;
}

void
allocation_set_silent (AllocationPeer *peer, gboolean silent, gint64 now_us)
{
  if (peer->silent && !silent)
    peer->returned_us = now_us;
  peer->silent = silent;
}

AllocationStream *
allocation_add_stream (AllocationPeer *peer, AllocationClass class)
{
  AllocationStream *stream = g_new0 (AllocationStream, 1);
  stream->class = class;
  stream->step = ALLOCATION_NONE;
  stream->hold_us = FIRST_HOLD_US;
  g_ptr_array_add (peer->streams, stream);
  return stream;
}

void
allocation_remove_stream (AllocationPeer *peer, AllocationStream *stream)
{
  g_ptr_array_remove (peer->streams, stream);
}

void
allocation_set_class (AllocationStream *stream, AllocationClass class)
{
  if (stream->class == class)
    return;
  stream->class = class;
  stream->at_once = TRUE;
}

void
allocation_set_steps (AllocationStream *stream, const AllocationStep *steps, guint n)
{
  stream->n = MIN (n, ALLOCATION_STEPS);
  for (guint i = 0; i < stream->n; i++)
    stream->steps[i] = steps[i];
  if (stream->step >= (int)stream->n)
    stream->step = (int)stream->n - 1;
  if (n == 0)
    stream->begun = FALSE;
}

void
allocation_set_best (AllocationStream *stream, guint step)
{
  stream->best = step;
}

/* ---- the uplink's bound ---- */

static guint
spent (const AllocationPeer *peer)
{
  guint sum = 0;
  for (guint i = 0; i < peer->streams->len; i++)
    sum += ((AllocationStream *)peer->streams->pdata[i])->bps;
  return sum;
}

static guint
carried (const AllocationPeer *peer)
{
  return peer->estimate_bps != 0 ? peer->estimate_bps : UNKNOWN_BPS;
}

static gboolean
fell_lately (const AllocationPeer *peer, gint64 now_us)
{
  return peer->uplink && peer->fell_us != 0 && now_us - peer->fell_us < TOGETHER_US;
}

static void
look_for_bound (Allocation *a, gint64 now_us)
{
  guint fell = 0, sharing = 0;
  double sum = 0, whole = 0;
  for (guint i = 0; i < a->peers->len; i++) {
    const AllocationPeer *peer = a->peers->pdata[i];
    if (!peer->uplink)
      continue;
    gboolean falls = fell_lately (peer, now_us);
    sharing++;
    fell += falls;
    sum += falls ? carried (peer) : MIN (carried (peer), spent (peer) + CONTROL_BPS);
    whole += carried (peer);
  }
  if (fell >= 2 && (a->uplink_bps == 0 || sum < a->uplink_bps)) {
    a->uplink_bps = sum;
    a->bound_us = now_us;
  } else if (a->uplink_bps > 0 && now_us - a->bound_us > BOUND_REST_US) {
    double seconds = (double)CLAMP (now_us - a->run_us, 0, G_USEC_PER_SEC) / G_USEC_PER_SEC;
    a->uplink_bps *= 1 + BOUND_GROWTH * seconds;
  }
  if (sharing < 2 || a->uplink_bps > whole * 1.2)
    a->uplink_bps = 0;
}

/* ---- steps ---- */

/* Worse than every step: 0; the best step: n. */
static guint
height (const AllocationStream *stream, int step)
{
  return step == ALLOCATION_NONE ? 0 : stream->n - (guint)step;
}

static gboolean
takes (Allocation *a, AllocationPeer *peer, gint64 more, gint64 margin)
{
  return peer->left >= more + margin && (!peer->uplink || a->left >= more + margin);
}

static void
spend (Allocation *a, AllocationPeer *peer, gint64 bps)
{
  peer->left -= bps;
  if (peer->uplink)
    a->left -= bps;
}

static gboolean
is_least_of_waves (const AllocationStream *stream, int step)
{
  return stream->class == ALLOCATION_WAVES && step == (int)stream->n - 1;
}

/* One step up. What it has already is kept on what it takes; anything better wants a margin. */
static void
climb (Allocation *a, AllocationPeer *peer, AllocationStream *stream, gboolean forced)
{
  int next = stream->wanted == ALLOCATION_NONE ? (int)stream->n - 1 : stream->wanted - 1;
  if (next < (int)MIN (stream->best, stream->n - 1))
    return;
  gint64 has = stream->wanted == ALLOCATION_NONE ? 0 : stream->steps[stream->wanted].min_bps;
  gint64 needs = stream->steps[next].min_bps;
  gboolean better = height (stream, next) > height (stream, stream->step) && stream->begun;
  gint64 margin = better ? needs * MARGIN_PERCENT / 100 : 0;
  if (is_least_of_waves (stream, next))
    margin = -WAVES_CREDIT_BPS;
  if (!forced && !takes (a, peer, needs - has, margin))
    return;
  spend (a, peer, needs - has);
  stream->wanted = next;
}

/* Before that, what is left goes into stills. */
static gboolean
sees_what_it_looks_at (const AllocationPeer *peer)
{
  for (guint i = 0; i < peer->streams->len; i++) {
    const AllocationStream *stream = peer->streams->pdata[i];
    if (stream->class == ALLOCATION_LOOKED_AT && stream->n > 0 && stream->wanted == ALLOCATION_NONE)
      return FALSE;
  }
  return TRUE;
}

/* All streams of some classes that stand at `from` get the chance of one step more. */
static void
raise_all (Allocation *a, AllocationClass first, AllocationClass last, guint from)
{
  for (guint i = 0; i < a->peers->len; i++) {
    AllocationPeer *peer = a->peers->pdata[i];
    gboolean may = from == 0 || sees_what_it_looks_at (peer);
    for (guint j = 0; may && j < peer->streams->len; j++) {
      AllocationStream *stream = peer->streams->pdata[j];
      if (stream->class >= first && stream->class <= last && from < stream->n
          && height (stream, stream->wanted) == from)
        climb (a, peer, stream, stream->class == ALLOCATION_SOUND && from == 0);
    }
  }
}

static void
want_steps (Allocation *a)
{
  raise_all (a, ALLOCATION_SOUND, ALLOCATION_SOUND, 0);
  raise_all (a, ALLOCATION_WAVES, ALLOCATION_WAVES, 0);
  raise_all (a, ALLOCATION_STETHOSCOPE, ALLOCATION_STETHOSCOPE, 0);
  raise_all (a, ALLOCATION_LOOKED_AT, ALLOCATION_LOOKED_AT, 0);
  for (guint from = 1; from < ALLOCATION_STEPS; from++)
    raise_all (a, ALLOCATION_SOUND, ALLOCATION_STETHOSCOPE, from);
  for (guint from = 1; from < ALLOCATION_STEPS; from++)
    raise_all (a, ALLOCATION_LOOKED_AT, ALLOCATION_LOOKED_AT, from);
  raise_all (a, ALLOCATION_REST, ALLOCATION_REST, 0);
}

/* First the bits, then the picture: for a second the step is kept on less than it wants, if that is
 * not much less. A change costs a key frame, and comes at the worst time for one. Before there is
 * no picture at all, for longer and on still less: a queue that is let go costs as much, and is
 * gone in two seconds, stills stay for many. */
static gboolean
bears (Allocation *a, AllocationPeer *peer, AllocationStream *stream, gint64 now_us)
{
  gboolean last = stream->wanted == ALLOCATION_NONE && stream->class == ALLOCATION_LOOKED_AT;
  if (stream->lean_us == 0)
    stream->lean_us = now_us;
  if (stream->step < (int)stream->best
      || now_us - stream->lean_us >= (last ? LAST_LEAN_US : LEAN_US))
    return FALSE;
  gint64 taken = stream->wanted == ALLOCATION_NONE ? 0 : stream->steps[stream->wanted].min_bps;
  gint64 more = peer->uplink ? MIN (peer->left, a->left) : peer->left;
  gint64 needs = stream->steps[stream->step].min_bps;
  if (taken + more < needs * (last ? LAST_LEAN_PERCENT : LEAN_PERCENT) / 100)
    return FALSE;
  stream->lean_bps = (guint)CLAMP (taken + more, 1, needs);
  spend (a, peer, stream->lean_bps - taken);
  return TRUE;
}

static void
fall (AllocationStream *stream, gint64 now_us)
{
  gboolean failed = stream->raised_us != 0 && now_us - stream->raised_us < TRIAL_US;
  if (failed)
    stream->hold_us = MIN (2 * stream->hold_us, HOLD_MAX_US);
  stream->hold_us = MAX (stream->hold_us, HOLD_US);
  stream->raised_us = 0;
  stream->surplus_us = 0;
  stream->step = stream->wanted;
}

/* A link that has just come back is found out anew, which says nothing about what it can keep. */
static gboolean
has_returned (const AllocationPeer *peer, gint64 now_us)
{
  return peer->returned_us != 0 && now_us - peer->returned_us < RETURNED_US;
}

static void
rise (const AllocationPeer *peer, AllocationStream *stream, gint64 now_us)
{
  if (stream->surplus_us == 0)
    stream->surplus_us = now_us;
  if (stream->step == ALLOCATION_NONE && stream->class != ALLOCATION_REST
      && has_returned (peer, now_us))
    stream->at_once = TRUE;
  /* From stills to a picture and back again is what people notice most; a minute of stills on a
   * link that would carry a picture is worse. */
  gint64 hold_us = stream->step == ALLOCATION_NONE && stream->hold_us >= HOLD_US
                       ? CLAMP (stream->hold_us, RETURN_HOLD_US, RETURN_HOLD_MAX_US)
                       : stream->hold_us;
  /* No key frame, no more bits than were kept for it. */
  if (is_least_of_waves (stream, stream->wanted))
    hold_us = FIRST_HOLD_US;
  if (!stream->at_once && now_us - stream->surplus_us < hold_us)
    return;
  stream->raised_us = stream->at_once ? 0 : now_us;
  stream->surplus_us = 0;
  stream->step = stream->wanted;
}

static void
decide (Allocation *a, AllocationPeer *peer, AllocationStream *stream, gint64 now_us)
{
  guint wanted = height (stream, stream->wanted), has = height (stream, stream->step);
  stream->lean_bps = 0;
  if (stream->raised_us != 0 && now_us - stream->raised_us >= TRIAL_US) {
    stream->raised_us = 0;
    stream->hold_us = MAX (stream->hold_us / 2, HOLD_US);
  }
  if (!stream->begun)
    stream->step = stream->wanted;
  else if (stream->at_once && wanted < has)
    stream->step = stream->wanted; /* not for want of bits */
  else if (wanted < has && bears (a, peer, stream, now_us))
    return;
  else if (wanted < has)
    fall (stream, now_us);
  else if (wanted > has)
    rise (peer, stream, now_us);
  else
    stream->surplus_us = 0;
  stream->begun |= stream->n > 0;
  stream->at_once = FALSE;
  stream->lean_us = 0;
}

/* ---- bits ---- */

static void
set_budgets (Allocation *a)
{
  a->left = a->uplink_bps > 0 ? (gint64)a->uplink_bps : G_MAXINT64 / 2;
  for (guint i = 0; i < a->peers->len; i++) {
    AllocationPeer *peer = a->peers->pdata[i];
    peer->left = carried (peer);
    spend (a, peer, CONTROL_BPS);
  }
}

static guint
count_on_uplink (const Allocation *a, AllocationClass class)
{
  guint n = 0;
  for (guint i = 0; i < a->peers->len; i++) {
    const AllocationPeer *peer = a->peers->pdata[i];
    for (guint j = 0; peer->uplink && j < peer->streams->len; j++)
      n += ((AllocationStream *)peer->streams->pdata[j])->class == class;
  }
  return n;
}

/* An equal share of what is left to all of the class that are not yet passed. */
static void
fill_class (Allocation *a, AllocationClass class)
{
  guint in_all = count_on_uplink (a, class);
  for (guint i = 0; i < a->peers->len; i++) {
    AllocationPeer *peer = a->peers->pdata[i];
    guint here = 0;
    for (guint j = 0; j < peer->streams->len; j++)
      here += ((AllocationStream *)peer->streams->pdata[j])->class == class;
    for (guint j = 0; j < peer->streams->len; j++) {
      AllocationStream *stream = peer->streams->pdata[j];
      if (stream->class != class)
        continue;
      gint64 share = peer->left / here--;
      if (peer->uplink) {
        share = MIN (share, a->left / in_all);
        in_all--;
      }
      if (stream->step == ALLOCATION_NONE || stream->lean_bps != 0)
        continue;
      const AllocationStep *step = &stream->steps[stream->step];
      guint more = (guint)CLAMP (share, 0, (gint64)step->max_bps - step->min_bps);
      stream->bps += more;
      spend (a, peer, more);
    }
  }
}

static void
share_bits (Allocation *a)
{
  set_budgets (a);
  for (guint i = 0; i < a->peers->len; i++) {
    AllocationPeer *peer = a->peers->pdata[i];
    for (guint j = 0; j < peer->streams->len; j++) {
      AllocationStream *stream = peer->streams->pdata[j];
      guint least = stream->step == ALLOCATION_NONE ? 0 : stream->steps[stream->step].min_bps;
      stream->bps = stream->lean_bps != 0 ? stream->lean_bps : least;
      spend (a, peer, stream->bps);
    }
  }
  for (AllocationClass class = ALLOCATION_SOUND; class <= ALLOCATION_REST; class ++)
    fill_class (a, class);
}

void
allocation_run (Allocation *a, gint64 now_us)
{
  look_for_bound (a, now_us);
  set_budgets (a);
  for (guint i = 0; i < a->peers->len; i++) {
    AllocationPeer *peer = a->peers->pdata[i];
    for (guint j = 0; j < peer->streams->len; j++)
      ((AllocationStream *)peer->streams->pdata[j])->wanted = ALLOCATION_NONE;
  }
  want_steps (a);
  for (guint i = 0; i < a->peers->len; i++) {
    AllocationPeer *peer = a->peers->pdata[i];
    for (guint j = 0; j < peer->streams->len; j++) {
      AllocationStream *stream = peer->streams->pdata[j];
      if (!peer->silent || !stream->begun)
        decide (a, peer, stream, now_us);
    }
  }
  share_bits (a);
  a->run_us = now_us;
}

int
allocation_step (const AllocationStream *stream)
{
  return stream->step;
}

guint
allocation_bps (const AllocationStream *stream)
{
  return stream->bps;
}

guint
allocation_left_bps (const AllocationPeer *peer)
{
  return (guint)MAX (peer->left, 0);
}

guint
allocation_uplink_bps (const Allocation *a)
{
  return (guint)a->uplink_bps;
}
