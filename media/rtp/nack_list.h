/* Missing sequence numbers and when to ask for them. Used by recv_stream.c.
 *
 * A number is asked for 5 ms after it was missed (packets overtake one another), then each round
 * trip and a quarter, at most NACK_TRIES times; after that, or when the caller drops it, it is
 * given up. Bounded: NACK_LIST_MAX numbers.
 */
#pragma once
#include <glib.h>

enum { NACK_LIST_MAX = 500, NACK_TRIES = 10 };

typedef struct {
  gint64 seq;
  gint64 due_us;
  guint tries;
} Missing;

typedef struct {
  Missing missing[NACK_LIST_MAX]; /* ascending */
  guint n;
  guint64 given_up;
} NackList;

void nack_list_clear (NackList *list);
/* from .. to-1 are missing. FALSE: too many at once; the list is then empty, and only a key frame
 * helps. */
gboolean nack_list_add (NackList *list, gint64 from, gint64 to, gint64 now_us);
/* TRUE when it was missing. */
gboolean nack_list_arrived (NackList *list, gint64 seq);
/* Nobody waits for anything below seq any more. */
void nack_list_drop_before (NackList *list, gint64 seq);
gsize nack_list_take (NackList *list, gint64 now_us, gint64 rtt_us, guint16 *seqs, gsize max);
gint64 nack_list_next_us (const NackList *list);
