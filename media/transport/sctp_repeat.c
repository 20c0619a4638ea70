#include "media/transport/sctp_repeat.h"
#include "media/rtp/rtp.h"

enum {
  REPEATS_MAX = 5,
  AGAIN_LEAST_US = 500000, /* a queue that is full is so for a while */
  AGAIN_MOST_US = 2000000,
  WAITING_MAX = 48,
  SILENCE_US = 5 * G_USEC_PER_SEC,
  SLACK_LEAST_US = 40000,
  RTT_MOST_US = 3 * G_USEC_PER_SEC,
  HEADER = 12,
  CHUNK_HEADER = 4,
  SACK_HEAD = 16,
  /* What may be sent again: so much a second, this share of what was sent, saved up to a packet. */
  FREE_BYTES = 400,
  SHARE_PERCENT = 10,
  SAVED_BYTES = 1500,
};

/* RFC 9260 §3.2, RFC 8260 §2.1 */
enum { CHUNK_DATA = 0, CHUNK_SACK = 3, CHUNK_I_DATA = 64 };

typedef struct {
  GBytes *packet;
  guint32 first, last; /* transmission sequence numbers in it */
  gint64 sent_us;      /* the last time */
  guint repeats;
  gboolean again; /* SCTP itself had sent some of it before: its answer measures nothing */
} Waiting;

struct SctpRepeat {
  GQueue waiting; /* Waiting*, in the order of sending */
  gint64 rtt_us, deviation_us;
  gint64 answered_us; /* something was acknowledged */
  double bytes;       /* that may be sent again */
  gint64 bytes_us;    /* when they were counted last */
};

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;
  g_bytes_unref (waiting->packet);
  g_free (waiting);
}

SctpRepeat *
sctp_repeat_new (void)
{
  SctpRepeat *repeat = g_new0 (SctpRepeat, 1);
  g_queue_init (&repeat->waiting);
  return repeat;
}

void
sctp_repeat_free (SctpRepeat *repeat)
{
  if (repeat == NULL)
    return;
  g_queue_clear_full (&repeat->waiting, waiting_free);
  g_free (repeat);
}

/* Serial number arithmetic, RFC 1982: a is not after b. */
static gboolean
until (guint32 a, guint32 b)
{
  return (gint32)(b - a) >= 0;
}

/* The next chunk of a packet at *offset; FALSE at its end or where it makes no sense. */
static gboolean
next_chunk (const guint8 *packet, gsize size, gsize *offset, const guint8 **ret_chunk,
            gsize *ret_size)
{
  if (size < *offset + CHUNK_HEADER)
    return FALSE;
  *ret_chunk = packet + *offset;
  *ret_size = rtp_get16 (*ret_chunk + 2);
  if (*ret_size < CHUNK_HEADER || *ret_size > size - *offset)
    return FALSE;
  *offset += (*ret_size + 3) & ~(gsize)3;
  return TRUE;
}

/* ---- what leaves ---- */

/* SCTP sends it again itself: the older packet is of no use. FALSE: it was in none. */
static gboolean
forget (SctpRepeat *repeat, guint32 tsn)
{
  gboolean held = FALSE;
  for (GList *l = repeat->waiting.head, *next; l; l = next) {
    Waiting *waiting = l->data;
    next = l->next;
    if (until (waiting->first, tsn) && until (tsn, waiting->last)) {
      held = TRUE;
      g_queue_delete_link (&repeat->waiting, l);
      waiting_free (waiting);
    }
  }
  return held;
}

void
sctp_repeat_sent (SctpRepeat *repeat, GBytes *packet, gint64 now_us)
{
  gsize size, chunk_size, offset = HEADER;
  const guint8 *data = g_bytes_get_data (packet, &size), *chunk;
  guint32 first = 0, last = 0;
  gboolean any = FALSE, again = FALSE;
  while (next_chunk (data, size, &offset, &chunk, &chunk_size)) {
    if ((chunk[0] != CHUNK_DATA && chunk[0] != CHUNK_I_DATA) || chunk_size < 8)
      continue;
    last = rtp_get32 (chunk + 4);
    if (!any)
      first = last;
    any = TRUE;
    again = forget (repeat, last) || again;
  }
  repeat->bytes += (double)size * SHARE_PERCENT / 100;
  if (!any || g_queue_get_length (&repeat->waiting) >= WAITING_MAX)
    return;
  if (g_queue_is_empty (&repeat->waiting))
    repeat->answered_us = now_us;
  Waiting *waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ g_bytes_ref (packet), first, last, now_us, 0, again };
  g_queue_push_tail (&repeat->waiting, waiting);
}

/* ---- what comes ---- */

/* RFC 6298 2, without its least time-out; of packets that left once (Karn). */
static void
measure (SctpRepeat *repeat, gint64 rtt_us)
{
  rtt_us = CLAMP (rtt_us, 0, RTT_MOST_US);
  if (repeat->rtt_us == 0) {
    repeat->rtt_us = MAX (rtt_us, 1);
    repeat->deviation_us = rtt_us / 2;
    return;
  }
  gint64 error = rtt_us - repeat->rtt_us;
  repeat->deviation_us += (ABS (error) - repeat->deviation_us) / 4;
  repeat->rtt_us += error / 8;
}

static gboolean
acknowledged (const guint8 *sack, guint blocks, guint32 first, guint32 last)
{
  guint32 cumulative = rtp_get32 (sack + 4);
  if (until (last, cumulative))
    return TRUE;
  for (guint i = 0; i < blocks; i++) {
    guint32 start = cumulative + rtp_get16 (sack + SACK_HEAD + 4 * i);
    guint32 end = cumulative + rtp_get16 (sack + SACK_HEAD + 4 * i + 2);
    if (until (start, first) && until (last, end))
      return TRUE;
  }
  return FALSE;
}

static void
take_sack (SctpRepeat *repeat, const guint8 *sack, gsize size, gint64 now_us)
{
  if (size < SACK_HEAD)
    return;
  guint blocks = MIN (rtp_get16 (sack + 12), (guint)(size - SACK_HEAD) / 4);
  for (GList *l = repeat->waiting.head, *next; l; l = next) {
    Waiting *waiting = l->data;
    next = l->next;
    if (!acknowledged (sack, blocks, waiting->first, waiting->last))
      continue;
    repeat->answered_us = now_us;
    if (waiting->repeats == 0 && !waiting->again)
      measure (repeat, now_us - waiting->sent_us);
    g_queue_delete_link (&repeat->waiting, l);
    waiting_free (waiting);
  }
}

void
sctp_repeat_received (SctpRepeat *repeat, const guint8 *packet, gsize size, gint64 now_us)
{
  gsize chunk_size, offset = HEADER;
  const guint8 *chunk;
  while (!g_queue_is_empty (&repeat->waiting)
         && next_chunk (packet, size, &offset, &chunk, &chunk_size))
    if (chunk[0] == CHUNK_SACK)
      take_sack (repeat, chunk, chunk_size, now_us);
}

/* ---- again ---- */

static gint64
wait_us (const SctpRepeat *repeat, const Waiting *waiting)
{
  gint64 once = repeat->rtt_us + MAX (2 * repeat->deviation_us, SLACK_LEAST_US);
  return waiting->repeats == 0
             ? once
             : CLAMP (once << waiting->repeats, AGAIN_LEAST_US, MAX (AGAIN_MOST_US, once));
}

static void
count_bytes (SctpRepeat *repeat, gint64 now_us)
{
  double seconds = (double)(now_us - repeat->bytes_us) / G_USEC_PER_SEC;
  repeat->bytes = MIN (repeat->bytes + CLAMP (seconds, 0, 10) * FREE_BYTES, SAVED_BYTES);
  repeat->bytes_us = now_us;
}

GBytes *
sctp_repeat_due (SctpRepeat *repeat, gint64 now_us)
{
  count_bytes (repeat, now_us);
  if (repeat->rtt_us == 0 || now_us - repeat->answered_us > SILENCE_US)
    return NULL;
  for (GList *l = repeat->waiting.head; l; l = l->next) {
    Waiting *waiting = l->data;
    double size = (double)g_bytes_get_size (waiting->packet);
    if (waiting->repeats >= REPEATS_MAX || now_us - waiting->sent_us < wait_us (repeat, waiting)
        || size > repeat->bytes)
      continue;
    repeat->bytes -= size;
    waiting->repeats++;
    waiting->sent_us = now_us;
    return g_bytes_ref (waiting->packet);
  }
  return NULL;
}

void
sctp_repeat_path_back (SctpRepeat *repeat, gint64 now_us)
{
  repeat->answered_us = now_us;
  for (GList *l = repeat->waiting.head; l; l = l->next) {
    Waiting *waiting = l->data;
    waiting->repeats = 0;
    waiting->again = TRUE;
    waiting->sent_us = 0;
  }
}

gboolean
sctp_repeat_waits (SctpRepeat *repeat)
{
  return !g_queue_is_empty (&repeat->waiting);
}

gint64
sctp_repeat_rtt_us (SctpRepeat *repeat)
{
  return repeat->rtt_us;
}
