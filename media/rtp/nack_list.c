#include "media/rtp/nack_list.h"

#include <string.h>

enum { REORDER_US = 5000, RETRY_MIN_US = 20000, RETRY_MAX_US = 500000 };

void
nack_list_clear (NackList *list)
{
  list->n = 0;
}

static void
remove_range (NackList *list, guint from, guint to)
{
  memmove (&list->missing[from], &list->missing[to], (list->n - to) * sizeof (Missing));
  list->n -= to - from;
}

/* Index of the first entry not below seq. */
static guint
find (const NackList *list, gint64 seq)
{
  guint low = 0, high = list->n;
  while (low < high) {
    guint middle = (low + high) / 2;
    if (list->missing[middle].seq < seq)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

gboolean
nack_list_add (NackList *list, gint64 from, gint64 to, gint64 now_us)
{
  if (to - from > NACK_LIST_MAX - (gint64)list->n) {
    list->given_up += list->n + (guint64)(to - from);
    list->n = 0;
    return FALSE;
  }
  for (gint64 seq = from; seq < to; seq++)
    list->missing[list->n++] = (Missing){ .seq = seq, .due_us = now_us + REORDER_US };
  return TRUE;
}

gboolean
nack_list_arrived (NackList *list, gint64 seq)
{
  guint i = find (list, seq);
  if (i == list->n || list->missing[i].seq != seq)
    return FALSE;
  remove_range (list, i, i + 1);
  return TRUE;
}

void
nack_list_drop_before (NackList *list, gint64 seq)
{
  guint i = find (list, seq);
  list->given_up += i;
  remove_range (list, 0, i);
}

gsize
nack_list_take (NackList *list, gint64 now_us, gint64 rtt_us, guint16 *seqs, gsize max)
{
  gint64 retry = CLAMP (rtt_us + rtt_us / 4, RETRY_MIN_US, RETRY_MAX_US);
  gsize n = 0;
  guint kept = 0;
  for (guint i = 0; i < list->n; i++) {
    Missing missing = list->missing[i];
    if (missing.due_us <= now_us && missing.tries >= NACK_TRIES) {
      list->given_up++;
      continue;
    }
    if (missing.due_us <= now_us && n < max) {
      seqs[n++] = (guint16)missing.seq;
      missing.tries++;
      missing.due_us = now_us + retry;
    }
    list->missing[kept++] = missing;
  }
  list->n = kept;
  return n;
}

gint64
nack_list_next_us (const NackList *list)
{
  gint64 next = G_MAXINT64;
  for (guint i = 0; i < list->n; i++)
    next = MIN (next, list->missing[i].due_us);
  return next;
}
