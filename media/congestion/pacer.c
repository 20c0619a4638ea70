#include "media/congestion/pacer.h"

enum {
  DEFAULT_BURST = 96 * 1024,
  QUEUE_MAX = 2048,
  BUCKET_US = 40000,
  BUCKET_MIN = 12000,
  WAKE_US = 5000, /* sleeps are at least that long: a wake-up costs more than a packet */
  DEFAULT_BPS = 2500000,
};

typedef struct {
  RtpPacket *head, *tail;
} Queue;

struct Pacer {
  Queue queues[RTP_N_CLASSES];
  guint n;
  gint64 bytes; /* waiting */
  guint bps;
  gint64 budget; /* bytes that may leave now; below 0: wait */
  gint64 filled_us;
  gint64 burst; /* left of the one-time allowance */
};

Pacer *
pacer_new (guint burst)
{
  Pacer *pacer = g_new0 (Pacer, 1);
  pacer->bps = DEFAULT_BPS;
  pacer->burst = burst ? burst : DEFAULT_BURST;
  pacer->budget = BUCKET_MIN;
  return pacer;
}

void
pacer_free (Pacer *pacer)
{
  pacer_clear (pacer);
  g_free (pacer);
}

void
pacer_set_rate (Pacer *pacer, guint bps)
{
  pacer->bps = MAX (bps, 10000);
}

gboolean
pacer_push (Pacer *pacer, RtpPacket *packet, gint64 now_us)
{
  if (packet->queued || pacer->n >= QUEUE_MAX) {
    rtp_packet_unref (packet);
    return FALSE;
  }
  Queue *queue = &pacer->queues[packet->class];
  packet->queued = TRUE;
  packet->queued_us = now_us;
  packet->next = NULL;
  if (queue->tail)
    queue->tail->next = packet;
  else
    queue->head = packet;
  queue->tail = packet;
  pacer->n++;
  pacer->bytes += packet->size;
  return TRUE;
}

static RtpPacket *
take (Pacer *pacer, RtpClass class)
{
  Queue *queue = &pacer->queues[class];
  RtpPacket *packet = queue->head;
  queue->head = packet->next;
  if (!queue->head)
    queue->tail = NULL;
  packet->next = NULL;
  packet->queued = FALSE;
  pacer->n--;
  pacer->bytes -= packet->size;
  return packet;
}

static void
fill (Pacer *pacer, gint64 now_us)
{
  gint64 most = MAX ((gint64)pacer->bps / 8 * BUCKET_US / G_USEC_PER_SEC, BUCKET_MIN);
  gint64 elapsed = CLAMP (now_us - pacer->filled_us, 0, G_USEC_PER_SEC);
  gint64 bytes = elapsed * pacer->bps / 8 / G_USEC_PER_SEC;
  if (bytes == 0 && elapsed < G_USEC_PER_SEC) /* keep the fraction for later */
    return;
  pacer->budget = MIN (most, pacer->budget + bytes);
  pacer->filled_us = now_us;
}

/* Takes bytes off the bucket, and what it lacks off the one-time allowance. */
static void
spend (Pacer *pacer, gint64 bytes)
{
  pacer->budget -= bytes;
  if (pacer->budget < 0 && pacer->burst > 0) {
    gint64 part = MIN (-pacer->budget, pacer->burst);
    pacer->budget += part;
    pacer->burst -= part;
  }
}

RtpPacket *
pacer_pop (Pacer *pacer, guint overhead, gint64 now_us)
{
  if (pacer->n == 0)
    return NULL;
  fill (pacer, now_us);
  for (RtpClass class = RTP_CLASS_AUDIO; class < RTP_N_CLASSES; class ++) {
    if (!pacer->queues[class].head)
      continue;
    if (class != RTP_CLASS_AUDIO && pacer->budget <= 0 && pacer->burst <= 0)
      return NULL;
    RtpPacket *packet = take (pacer, class);
    spend (pacer, (gint64)packet->size + overhead);
    return packet;
  }
  return NULL;
}

gint64
pacer_next_us (Pacer *pacer)
{
  if (pacer->n == 0)
    return G_MAXINT64;
  if (pacer->queues[RTP_CLASS_AUDIO].head || pacer->budget > 0 || pacer->burst > 0)
    return pacer->filled_us;
  gint64 wait = (1 - pacer->budget) * 8 * G_USEC_PER_SEC / pacer->bps + 1;
  return pacer->filled_us + MAX (wait, WAKE_US);
}

gint64
pacer_delay_us (Pacer *pacer)
{
  return pacer->bytes * 8 * G_USEC_PER_SEC / pacer->bps;
}

guint
pacer_queued (Pacer *pacer)
{
  return pacer->n;
}

void
pacer_clear (Pacer *pacer)
{
  for (RtpClass class = RTP_CLASS_AUDIO; class < RTP_N_CLASSES; class ++)
    while (pacer->queues[class].head)
      rtp_packet_unref (take (pacer, class));
}
