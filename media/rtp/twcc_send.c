/* Transport-wide feedback, the side that sends media. */
#include "media/rtp/rtp.h"
#include "media/rtp/twcc.h"
#include "media/rtp/twcc_format.h"

enum { WINDOW = 8192, FEEDBACK_MAX = 8192, OUTSTANDING_US = 2 * G_USEC_PER_SEC };

typedef enum { NOTHING, IN_FLIGHT, LOST, ARRIVED } Fate;

typedef struct {
  gint64 sent_us;
  guint32 size;
  Fate fate;
} Sent;

struct TwccSender {
  gint64 next;
  guint64 in_flight;
  gint64 told;         /* all below were told of, or left long ago */
  guint64 outstanding; /* bytes from told on */
  gint64 reference;    /* last reference time, extended, 64 ms units */
  Sent sent[WINDOW];
};

TwccSender *
twcc_sender_new (void)
{
  TwccSender *sender = g_new0 (TwccSender, 1);
  sender->next = sender->told = 0x10000;
  return sender;
}

void
twcc_sender_free (TwccSender *sender)
{
  g_free (sender);
}

guint16
twcc_sender_next (TwccSender *sender)
{
  return (guint16)sender->next;
}

static void
tell (TwccSender *sender, gint64 below)
{
  for (; sender->told < below; sender->told++)
    sender->outstanding -= sender->sent[sender->told % WINDOW].size;
}

guint64
twcc_sender_outstanding (TwccSender *sender, gint64 now_us)
{
  while (sender->told < sender->next
         && now_us - sender->sent[sender->told % WINDOW].sent_us > OUTSTANDING_US)
    tell (sender, sender->told + 1);
  return sender->outstanding;
}

void
twcc_sender_sent (TwccSender *sender, guint size, gint64 now_us)
{
  Sent *sent = &sender->sent[sender->next % WINDOW];
  if (sent->fate == IN_FLIGHT)
    sender->in_flight -= sent->size;
  *sent = (Sent){ .sent_us = now_us, .size = size, .fate = IN_FLIGHT };
  sender->in_flight += size;
  sender->outstanding += size;
  sender->next++;
  if (sender->next - sender->told > WINDOW / 2)
    tell (sender, sender->next - WINDOW / 2);
}

guint64
twcc_sender_in_flight (TwccSender *sender)
{
  return sender->in_flight;
}

/* Statuses of one feedback packet, read one after the other. */
typedef struct {
  const guint8 *chunk, *end;
  guint16 bits;
  guint left;  /* statuses left in this chunk */
  guint width; /* bits of a status; 0: run */
} Statuses;

static gboolean
next_status (Statuses *statuses, TwccStatus *ret_status)
{
  if (statuses->left == 0) {
    if (statuses->end - statuses->chunk < 2)
      return FALSE;
    statuses->bits = rtp_get16 (statuses->chunk);
    statuses->chunk += 2;
    if (!(statuses->bits & TWCC_VECTOR)) {
      statuses->width = 0;
      statuses->left = statuses->bits & TWCC_RUN_MAX;
    } else {
      statuses->width = statuses->bits & TWCC_VECTOR_2BIT ? 2 : 1;
      statuses->left = TWCC_VECTOR_BITS / statuses->width;
    }
    if (statuses->left == 0)
      return FALSE;
  }
  statuses->left--;
  if (statuses->width == 0)
    *ret_status = statuses->bits >> 13 & 3;
  else
    *ret_status
        = statuses->bits >> (statuses->left * statuses->width) & ((1u << statuses->width) - 1);
  return TRUE;
}

/* Where the deltas begin; NULL: there are fewer statuses than promised, or a reserved one. */
static const guint8 *
skip_statuses (Statuses statuses, guint n)
{
  for (guint i = 0; i < n; i++) {
    TwccStatus status;
    if (!next_status (&statuses, &status) || status == TWCC_RESERVED)
      return NULL;
  }
  return statuses.chunk;
}

static gboolean
read_delta (const guint8 **p, const guint8 *end, TwccStatus status, gint *ret_delta)
{
  gsize size = status == TWCC_SMALL ? 1 : 2;
  if ((gsize)(end - *p) < size)
    return FALSE;
  *ret_delta = status == TWCC_SMALL ? **p : (gint16)rtp_get16 (*p);
  *p += size;
  return TRUE;
}

/* Books the fate; TRUE when it is news and ret_result is filled in. */
static gboolean
settle (TwccSender *sender, gint64 seq, gint64 arrived_us, TwccResult *ret_result)
{
  if (seq >= sender->next || seq < sender->next - WINDOW || seq < 0)
    return FALSE;
  Sent *sent = &sender->sent[seq % WINDOW];
  gboolean arrived = arrived_us >= 0;
  if (sent->fate == NOTHING || sent->fate == ARRIVED || (sent->fate == LOST && !arrived))
    return FALSE;
  if (sent->fate == IN_FLIGHT)
    sender->in_flight -= sent->size;
  sent->fate = arrived ? ARRIVED : LOST;
  tell (sender, seq + 1);
  *ret_result = (TwccResult){
    .seq = seq, .size = sent->size, .sent_us = sent->sent_us, .arrived_us = arrived_us
  };
  return TRUE;
}

gssize
twcc_sender_feedback (TwccSender *sender, const guint8 *fci, gsize size, TwccResult *results,
                      gsize max)
{
  if (size < TWCC_HEAD_SIZE)
    return -1;
  guint count = rtp_get16 (fci + 2);
  const guint8 *end = fci + size;
  Statuses statuses = { .chunk = fci + TWCC_HEAD_SIZE, .end = end };
  const guint8 *deltas = count <= FEEDBACK_MAX ? skip_statuses (statuses, count) : NULL;
  if (!deltas)
    return -1;
  gint64 seq = rtp_extend_seq (sender->next - 1, rtp_get16 (fci));
  /* 24 bit that wrap around, moved up to 32 so that the ordinary extension serves. */
  gint64 reference = rtp_extend_timestamp (sender->reference * 256, rtp_get24 (fci + 4) << 8) / 256;
  if (reference < 0)
    reference += TWCC_REFERENCE_WRAP;
  sender->reference = reference;
  gint64 time = reference * TWCC_REFERENCE_TICKS;
  gsize n = 0;
  for (guint i = 0; i < count && n < max; i++, seq++) {
    TwccStatus status;
    gint delta = 0;
    next_status (&statuses, &status);
    if (status != TWCC_LOST) {
      if (!read_delta (&deltas, end, status, &delta))
        return -1;
      time += delta;
    }
    gint64 arrived_us = status == TWCC_LOST ? -1 : MAX (time, 0) * TWCC_TICK_US;
    n += settle (sender, seq, arrived_us, &results[n]);
  }
  return (gssize)n;
}
