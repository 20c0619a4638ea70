#include "media/rtp/reception.h"
#include "media/rtp/rtp.h"

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 1024 };

void
reception_init (Reception *r, guint rate)
{
  *r = (Reception){ .rate = rate, .confirm = -1 };
}

static guint64 *
seen_word (Reception *r, gint64 seq)
{
  return &r->seen[(seq % RECEPTION_WINDOW) / 64];
}

static gboolean
test_and_set (Reception *r, gint64 seq)
{
  guint64 bit = 1ull << (seq % 64), *word = seen_word (r, seq);
  gboolean was = (*word & bit) != 0;
  *word |= bit;
  return was;
}

/* Moves the window's head; numbers that come into it were not seen. */
static void
advance (Reception *r, gint64 seq)
{
  if (seq - r->highest >= RECEPTION_WINDOW) {
    for (guint i = 0; i < G_N_ELEMENTS (r->seen); i++)
      r->seen[i] = 0;
    r->highest = seq;
    return;
  }
  while (r->highest < seq) {
    r->highest++;
    *seen_word (r, r->highest) &= ~(1ull << (r->highest % 64));
  }
}

ReceptionVerdict
reception_take (Reception *r, guint16 seq16, gint64 *ret_seq)
{
  if (!r->started) {
    r->started = TRUE;
    /* Room below, so that packets from before the first stay positive. */
    r->first = r->highest = (gint64)0x10000 + seq16;
    test_and_set (r, r->first);
    *ret_seq = r->first;
    return RECEPTION_NEW;
  }
  gint64 seq = rtp_extend_seq (r->highest, seq16);
  if (seq > r->highest + MAX_DROPOUT || seq < r->highest - MAX_MISORDER) {
    if (r->confirm == seq16)
      return RECEPTION_RESTART;
    r->confirm = (guint16)(seq16 + 1);
    return seq < r->highest ? RECEPTION_LATE : RECEPTION_DOUBT;
  }
  r->confirm = -1;
  if (seq > r->highest)
    advance (r, seq);
  if (test_and_set (r, seq))
    return RECEPTION_DUPLICATE;
  *ret_seq = seq;
  return RECEPTION_NEW;
}

gboolean
reception_misses (const Reception *r, gint64 seq)
{
  if (!r->started || seq < r->first || seq <= r->highest - RECEPTION_WINDOW)
    return FALSE;
  if (seq > r->highest)
    return seq <= r->highest + MAX_DROPOUT;
  return (r->seen[(seq % RECEPTION_WINDOW) / 64] & 1ull << (seq % 64)) == 0;
}

/* Packets of one frame share a timestamp and leave in a burst: only the first of each counts, as
 * the pacing of a burst is no jitter of the network. */
static void
count_jitter (Reception *r, guint32 timestamp, gint64 now_us)
{
  if (r->last_arrival_us != 0) {
    gint32 difference = (gint32)(timestamp - r->last_timestamp);
    if (difference <= 0)
      return;
    double arrived = (double)(now_us - r->last_arrival_us) * r->rate / G_USEC_PER_SEC;
    double d = ABS (arrived - difference);
    if (d < 10.0 * r->rate) /* else a pause or a new time base */
      r->jitter += (d - r->jitter) / 16;
  }
  r->last_timestamp = timestamp;
  r->last_arrival_us = now_us;
}

void
reception_count (Reception *r, gint64 seq, guint32 timestamp, gboolean recovered, gint64 now_us)
{
  if (recovered)
    return;
  r->received++;
  r->first = MIN (r->first, seq);
  if (seq == r->highest)
    count_jitter (r, timestamp, now_us);
}

void
reception_sender_report (Reception *r, guint64 ntp, gint64 now_us)
{
  r->lsr = rtcp_ntp_middle (ntp);
  r->lsr_us = now_us;
}

static gint64
expected (const Reception *r)
{
  return r->started ? r->highest - r->first + 1 : 0;
}

gint64
reception_lost (const Reception *r)
{
  return expected (r) - r->received;
}

void
reception_block (Reception *r, guint32 ssrc, gint64 now_us, RtcpBlock *ret_block)
{
  gint64 expected_now = expected (r);
  gint64 interval = expected_now - r->prior_expected;
  gint64 lost = interval - (r->received - r->prior_received);
  r->prior_expected = expected_now;
  r->prior_received = r->received;
  gint64 since = CLAMP (now_us - r->lsr_us, 0, 60000 * (gint64)G_USEC_PER_SEC);
  *ret_block = (RtcpBlock){
    .ssrc = ssrc,
    .fraction_lost = interval > 0 && lost > 0 ? (guint8)MIN (255, lost * 256 / interval) : 0,
    .lost = (gint32)CLAMP (reception_lost (r), -0x800000, 0x7fffff),
    .highest_seq = (guint32)(r->highest - 0x10000), /* cycles count from 0 */
    .jitter = (guint32)r->jitter,
    .lsr = r->lsr,
    .dlsr = r->lsr ? (guint32)(since * 65536 / G_USEC_PER_SEC) : 0,
  };
}
