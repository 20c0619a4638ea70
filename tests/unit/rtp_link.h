/* A seeded simulated link for tests of media/rtp and media/congestion: rate, queue, delay, jitter,
 * loss. Time is the caller's. Included by single test programs. */
#pragma once
#include <glib.h>

typedef struct {
  gint64 at_us;
  gboolean rtcp;
  GBytes *data;
} LinkItem;

typedef struct {
  GRand *rand;
  double loss;                /* 0..1 */
  gint64 delay_us, jitter_us; /* jitter: 0 .. jitter_us more, packets may overtake */
  guint bps;                  /* 0: any */
  gint64 queue_us;            /* of the bottleneck; what would wait longer is dropped */
  gint64 busy_us;             /* the bottleneck sends until then */
  GArray *items;              /* of LinkItem, unordered */
  guint64 dropped, sent;
} Link;

static inline void
link_init (Link *link, guint32 seed)
{
  *link = (Link){ .rand = g_rand_new_with_seed (seed),
                  .items = g_array_new (FALSE, FALSE, sizeof (LinkItem)),
                  .queue_us = 500000 };
}

static inline void
link_clear (Link *link)
{
  for (guint i = 0; i < link->items->len; i++)
    g_bytes_unref (g_array_index (link->items, LinkItem, i).data);
  g_array_unref (link->items);
  g_rand_free (link->rand);
}

static inline void
link_send (Link *link, const guint8 *data, gsize size, gboolean rtcp, gint64 now_us)
{
  gint64 at = now_us;
  link->sent++;
  if (link->bps > 0) {
    gint64 start = MAX (now_us, link->busy_us);
    if (start - now_us > link->queue_us) {
      link->dropped++;
      return;
    }
    link->busy_us = at = start + (gint64)(size + 44) * 8 * G_USEC_PER_SEC / link->bps;
  }
  if (g_rand_double (link->rand) < link->loss) {
    link->dropped++;
    return;
  }
  at += link->delay_us;
  if (link->jitter_us > 0)
    at += g_rand_int_range (link->rand, 0, (gint32)link->jitter_us);
  LinkItem item = { at, rtcp, g_bytes_new (data, size) };
  g_array_append_val (link->items, item);
}

static inline gint64
link_next_us (const Link *link)
{
  gint64 next = G_MAXINT64;
  for (guint i = 0; i < link->items->len; i++)
    next = MIN (next, g_array_index (link->items, LinkItem, i).at_us);
  return next;
}

/* The earliest item that has arrived; its data is the caller's. */
static inline gboolean
link_take (Link *link, gint64 now_us, LinkItem *ret_item)
{
  guint best = G_MAXUINT;
  gint64 at = G_MAXINT64;
  for (guint i = 0; i < link->items->len; i++) {
    const LinkItem *item = &g_array_index (link->items, LinkItem, i);
    if (item->at_us <= now_us && item->at_us < at) {
      at = item->at_us;
      best = i;
    }
  }
  if (best == G_MAXUINT)
    return FALSE;
  *ret_item = g_array_index (link->items, LinkItem, best);
  g_array_remove_index (link->items, best);
  return TRUE;
}
