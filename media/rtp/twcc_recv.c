/* Transport-wide feedback, the side that receives media. */
#include "media/rtp/rtcp_types.h"
#include "media/rtp/rtp.h"
#include "media/rtp/twcc.h"
#include "media/rtp/twcc_format.h"

#include <string.h>

enum {
  WINDOW = 8192,
  INTERVAL_MIN_US = 50000,
  INTERVAL_MAX_US = 250000,
  FEEDBACK_BITS = 140 * 8, /* of a usual one, on the wire */
  SHARE_PERCENT = 5,
  REREPORT = 500, /* packets that late are still told to the sender */
  STATUSES_MAX = 1000,
};

#define NEVER G_MININT64

struct TwccReceiver {
  gboolean started;
  gint64 next;     /* first number not reported yet */
  gint64 highest;  /* newest that arrived */
  gint64 since_us; /* arrival of the first unreported packet; NEVER: none */
  gint64 interval_us;
  guint32 ssrc;
  guint8 count;
  gint64 arrived_us[WINDOW]; /* NEVER: did not */
};

TwccReceiver *
twcc_receiver_new (void)
{
  TwccReceiver *r = g_new0 (TwccReceiver, 1);
  r->since_us = NEVER;
  r->interval_us = INTERVAL_MIN_US;
  return r;
}

void
twcc_receiver_free (TwccReceiver *r)
{
  g_free (r);
}

static void
restart (TwccReceiver *r, gint64 seq)
{
  for (guint i = 0; i < WINDOW; i++)
    r->arrived_us[i] = NEVER;
  r->started = TRUE;
  r->next = r->highest = seq;
}

void
twcc_receiver_arrived (TwccReceiver *r, guint16 seq16, guint32 ssrc, gint64 now_us)
{
  gint64 seq = r->started ? rtp_extend_seq (r->highest, seq16) : (gint64)0x10000 + seq16;
  if (!r->started || ABS (seq - r->highest) >= WINDOW / 2)
    restart (r, seq);
  while (r->highest < seq)
    r->arrived_us[++r->highest % WINDOW] = NEVER;
  if (r->highest - r->next >= WINDOW / 2) /* nobody fetches reports */
    r->next = r->highest - WINDOW / 2 + 1;
  if (seq < r->highest - REREPORT || r->arrived_us[seq % WINDOW] != NEVER)
    return;
  r->arrived_us[seq % WINDOW] = now_us;
  r->next = MIN (r->next, seq);
  r->ssrc = ssrc;
  if (r->since_us == NEVER)
    r->since_us = now_us;
}

void
twcc_receiver_pace (TwccReceiver *r, guint bps)
{
  gint64 share_bps = MAX ((gint64)bps * SHARE_PERCENT / 100, 1);
  r->interval_us
      = CLAMP (FEEDBACK_BITS * G_USEC_PER_SEC / share_bps, INTERVAL_MIN_US, INTERVAL_MAX_US);
}

gint64
twcc_receiver_next_us (TwccReceiver *r)
{
  return r->since_us == NEVER ? G_MAXINT64 : r->since_us + r->interval_us;
}

/* Statuses of the packets from r->next on, as many as fit, with their deltas. */
typedef struct {
  guint8 statuses[STATUSES_MAX];
  guint n;
  guint8 deltas[2 * STATUSES_MAX];
  gsize deltas_size;
  gint64 time; /* of the last one, ticks */
} Batch;

/* FALSE: the delta does not fit in 16 bits, the batch ends before this packet. */
static gboolean
batch_add (Batch *batch, gint64 arrived_us)
{
  if (arrived_us == NEVER) {
    batch->statuses[batch->n++] = TWCC_LOST;
    return TRUE;
  }
  gint64 time = arrived_us / TWCC_TICK_US, delta = time - batch->time;
  if (delta < G_MININT16 || delta > G_MAXINT16)
    return FALSE;
  batch->time = time;
  if (delta >= 0 && delta <= 255) {
    batch->statuses[batch->n++] = TWCC_SMALL;
    batch->deltas[batch->deltas_size++] = (guint8)delta;
  } else {
    batch->statuses[batch->n++] = TWCC_LARGE;
    rtp_put16 (batch->deltas + batch->deltas_size, (guint32)(gint32)delta);
    batch->deltas_size += 2;
  }
  return TRUE;
}

static gint64
first_arrival (TwccReceiver *r)
{
  for (gint64 seq = r->next; seq <= r->highest; seq++)
    if (r->arrived_us[seq % WINDOW] != NEVER)
      return r->arrived_us[seq % WINDOW];
  return NEVER;
}

static void
batch_fill (Batch *batch, TwccReceiver *r, gsize room)
{
  for (gint64 seq = r->next; seq <= r->highest && batch->n < STATUSES_MAX; seq++) {
    /* A chunk for every seven statuses is the worst case. */
    gsize size = TWCC_HEAD_SIZE + 2 * (batch->n / 7 + 1u) + batch->deltas_size + 2 + 3;
    if (size > room || !batch_add (batch, r->arrived_us[seq % WINDOW]))
      return;
  }
}

/* The chunk for statuses from i on; returns how many it covers. */
static guint
encode_chunk (const Batch *batch, guint i, guint16 *ret_chunk)
{
  const guint8 *s = batch->statuses + i;
  guint left = batch->n - i, run = 1;
  while (run < left && s[run] == s[0])
    run++;
  if (run > TWCC_VECTOR_BITS || run == left) {
    *ret_chunk = (guint16)(s[0] << 13 | run);
    return run;
  }
  guint width = 1;
  for (guint j = 0; j < MIN (left, TWCC_VECTOR_BITS); j++)
    if (s[j] == TWCC_LARGE)
      width = 2;
  if (width == 2 && run >= TWCC_VECTOR_BITS / 2) {
    *ret_chunk = (guint16)(s[0] << 13 | run);
    return run;
  }
  guint n = MIN (left, TWCC_VECTOR_BITS / width);
  guint chunk = TWCC_VECTOR | (width == 2 ? TWCC_VECTOR_2BIT : 0);
  for (guint j = 0; j < n; j++)
    chunk |= (guint)s[j] << (TWCC_VECTOR_BITS - width * (j + 1));
  *ret_chunk = (guint16)chunk;
  return n;
}

static gsize
encode (TwccReceiver *r, const Batch *batch, gint64 reference, guint8 *out)
{
  gsize size = TWCC_HEAD_SIZE;
  rtp_put16 (out, (guint16)r->next);
  rtp_put16 (out + 2, batch->n);
  rtp_put24 (out + 4, (guint32)reference & 0xffffff);
  out[7] = r->count;
  for (guint i = 0; i < batch->n; size += 2) {
    guint16 chunk;
    i += encode_chunk (batch, i, &chunk);
    rtp_put16 (out + size, chunk);
  }
  memcpy (out + size, batch->deltas, batch->deltas_size);
  size += batch->deltas_size;
  while (size % 4)
    out[size++] = 0;
  return size;
}

gboolean
twcc_receiver_write (TwccReceiver *r, RtcpWriter *writer, guint32 ssrc)
{
  enum { FEEDBACK_HEAD = 12, SMALLEST = 64 };
  gsize room = RTCP_MAX_SIZE - writer->size;
  gint64 first = r->since_us == NEVER ? NEVER : first_arrival (r);
  if (first == NEVER || room < FEEDBACK_HEAD + SMALLEST)
    return FALSE;
  gint64 reference = first / (TWCC_REFERENCE_TICKS * TWCC_TICK_US);
  Batch batch = { .time = reference * TWCC_REFERENCE_TICKS };
  batch_fill (&batch, r, room - FEEDBACK_HEAD);
  guint8 fci[RTCP_MAX_SIZE];
  gsize size = encode (r, &batch, reference, fci);
  if (!rtcp_write_feedback (writer, RTCP_RTPFB, RTPFB_TWCC, ssrc, r->ssrc, fci, size))
    return FALSE;
  r->count++;
  r->next += batch.n;
  if (r->next > r->highest)
    r->since_us = NEVER;
  return TRUE;
}
