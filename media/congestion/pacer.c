#include "media/congestion/pacer.h"

enum {
  DEFAULT_BURST = 96 * 1024,
  QUEUE_MAX = 2048,
  BUCKET_US = 40000,
  BUCKET_MIN = 2400,
  PROBE_WAKE_US = 1000,
  HELD_US = 200000,
  BURST_US = 200000, /* the allowance is for the first picture, not for the next */
  WAKE_US = 5000,    /* sleeps are at least that long: a wake-up costs more than a packet */
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
  gint64 first_video_us;
  guint first_bps;
  gint64 probe_bytes; /* left of a probe; 0: none */
  guint probe_bps;
  gboolean held;
  gint64 popped_us; /* when a packet left last */
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
  if (pacer->first_bps == 0)
    pacer->first_bps = pacer->bps;
  else if (pacer->bps < pacer->first_bps)
    pacer->burst = 0;
}

void
pacer_set_held (Pacer *pacer, gboolean held)
{
  pacer->held = held;
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
  if (packet->class != RTP_CLASS_PADDING)
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
  if (class != RTP_CLASS_PADDING)
    pacer->bytes -= packet->size;
  return packet;
}

static guint
rate (const Pacer *pacer)
{
  return pacer->probe_bytes > 0 ? pacer->probe_bps : pacer->bps;
}

static void
fill (Pacer *pacer, gint64 now_us)
{
  gint64 most = MAX ((gint64)pacer->bps / 8 * BUCKET_US / G_USEC_PER_SEC, BUCKET_MIN);
  gint64 elapsed = CLAMP (now_us - pacer->filled_us, 0, G_USEC_PER_SEC);
  gint64 bytes = elapsed * rate (pacer) / 8 / G_USEC_PER_SEC;
  if (bytes == 0 && elapsed < G_USEC_PER_SEC) /* keep the fraction for later */
    return;
  pacer->budget = MIN (most, pacer->budget + bytes);
  pacer->filled_us = now_us;
  if (pacer->first_video_us != 0 && now_us - pacer->first_video_us > BURST_US)
    pacer->burst = 0;
}

/* Takes bytes off the bucket, and what it lacks off the one-time allowance. */
static void
spend (Pacer *pacer, gint64 bytes)
{
  pacer->budget -= bytes;
  if (pacer->probe_bytes > 0) {
    pacer->probe_bytes = MAX (0, pacer->probe_bytes - bytes);
  } else if (pacer->budget < 0 && pacer->burst > 0) {
    gint64 part = MIN (-pacer->budget, pacer->burst);
    pacer->budget += part;
    pacer->burst -= part;
  }
}

/* The allowance serves what is next; while held, only a key frame. */
static gboolean
has_burst (const Pacer *pacer)
{
  if (pacer->burst <= 0 || pacer->probe_bytes > 0)
    return FALSE;
  const RtpPacket *next = pacer->queues[RTP_CLASS_VIDEO].head;
  return !pacer->held || (next && next->key && !pacer->queues[RTP_CLASS_RETRANSMISSION].head);
}

static gboolean
may_leave (const Pacer *pacer, gint64 now_us)
{
  if (has_burst (pacer))
    return TRUE;
  if (pacer->held && now_us - pacer->popped_us < HELD_US)
    return FALSE;
  return pacer->budget > 0;
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
    if (class != RTP_CLASS_AUDIO && !may_leave (pacer, now_us))
      return NULL;
    pacer->popped_us = now_us;
    if (class == RTP_CLASS_VIDEO && pacer->first_video_us == 0)
      pacer->first_video_us = now_us;
    RtpPacket *packet = take (pacer, class);
    spend (pacer, (gint64)packet->size + overhead);
    return packet;
  }
  return NULL;
}

gint64
pacer_next_us (Pacer *pacer)
{
  if (pacer->n == 0 && pacer->probe_bytes == 0)
    return G_MAXINT64;
  if (pacer->queues[RTP_CLASS_AUDIO].head)
    return pacer->filled_us;
  gint64 next = pacer->filled_us;
  if (has_burst (pacer))
    return next;
  if (pacer->budget <= 0) {
    gint64 wait = (1 - pacer->budget) * 8 * G_USEC_PER_SEC / rate (pacer) + 1;
    next += MAX (wait, pacer->probe_bytes > 0 ? PROBE_WAKE_US : WAKE_US);
  }
  return pacer->held ? MAX (next, pacer->popped_us + HELD_US) : next;
}

gboolean
pacer_has_begun (Pacer *pacer)
{
  return pacer->first_video_us != 0;
}

void
pacer_probe (Pacer *pacer, guint bps, guint bytes, gint64 now_us)
{
  fill (pacer, now_us);
  pacer->probe_bps = MAX (bps, 10000);
  pacer->probe_bytes = bytes;
  pacer->burst = 0;
  pacer->budget = MIN (pacer->budget, 1);
  pacer->filled_us = now_us;
}

gboolean
pacer_probing (Pacer *pacer)
{
  return pacer->probe_bytes > 0;
}

void
pacer_end_probe (Pacer *pacer)
{
  pacer->probe_bytes = 0;
}

gboolean
pacer_wants_padding (Pacer *pacer, gint64 now_us)
{
  if (pacer->probe_bytes == 0 || pacer->n > 0)
    return FALSE;
  fill (pacer, now_us);
  return may_leave (pacer, now_us);
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

static void
clear (Pacer *pacer, RtpClass from)
{
  for (RtpClass class = from; class < RTP_N_CLASSES; class ++)
    while (pacer->queues[class].head)
      rtp_packet_unref (take (pacer, class));
  pacer->probe_bytes = 0;
}

void
pacer_clear (Pacer *pacer)
{
  clear (pacer, RTP_CLASS_AUDIO);
}

void
pacer_clear_video (Pacer *pacer)
{
  clear (pacer, RTP_CLASS_RETRANSMISSION);
}
