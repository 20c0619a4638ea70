#include "media/rtp/audio_buffer.h"

enum { WINDOW = 128, RATE = 48000, MARGIN_US = 5000 };

/* Per packet: the peak halves in about 7 s of 20 ms packets, the base follows a clock that drifts
 * by up to 1 ms/s. */
static const double PEAK_DECAY = 0.998;
static const double BASE_CREEP_US = 20;

void
audio_buffer_init (AudioBuffer *b, RtpPacketPool *pool, gint64 min_delay_us, gint64 max_delay_us,
                   FrameOut out, void *arg)
{
  *b = (AudioBuffer){
    .min_delay_us = min_delay_us,
    .max_delay_us = MAX (min_delay_us, max_delay_us),
    .delay_us = min_delay_us,
    .out = out,
    .arg = arg,
  };
  packet_ring_init (&b->ring, pool, WINDOW);
  b->depacketizer = depacketizer_new (MEDIA_OPUS);
}

void
audio_buffer_clear (AudioBuffer *b)
{
  packet_ring_clear (&b->ring);
  g_clear_pointer (&b->depacketizer, depacketizer_free);
}

void
audio_buffer_restart (AudioBuffer *b)
{
  packet_ring_restart (&b->ring, 0);
  b->started = FALSE;
}

static double
time_us (AudioBuffer *b, guint32 timestamp)
{
  return (double)rtp_extend_timestamp (b->last_time, timestamp) * G_USEC_PER_SEC / RATE;
}

/* The buffer gets as deep as the latest packets of the last seconds were late. */
static void
measure (AudioBuffer *b, guint32 timestamp, gint64 now_us)
{
  double transit = (double)now_us - time_us (b, timestamp);
  double above = transit - b->base_us;
  if (above < 0 || above > 2.0 * G_USEC_PER_SEC) { /* a lower base, or a new time base */
    b->base_us = transit;
    above = 0;
  }
  b->base_us += MIN (above, BASE_CREEP_US);
  b->peak_us = MAX (above, b->peak_us * PEAK_DECAY);
  b->delay_us = CLAMP ((gint64)b->peak_us + MARGIN_US, b->min_delay_us, b->max_delay_us);
  b->last_time = rtp_extend_timestamp (b->last_time, timestamp);
}

/* When a packet is due; never later than the greatest delay after it came, whatever its timestamp
 * says. */
static gint64
due_us (AudioBuffer *b, const RingSlot *slot)
{
  double due = time_us (b, slot->timestamp) + b->base_us + (double)b->delay_us;
  gint64 latest = slot->arrived_us + b->max_delay_us;
  return due < (double)latest ? (gint64)due : latest;
}

static void
release (AudioBuffer *b, gint64 seq)
{
  const RingSlot *slot = packet_ring_slot (&b->ring, seq);
  guint missed = (guint)(seq - b->ring.next);
  b->frames_lost += missed;
  if (slot->packet->size > 0
      && depacketizer_add (b->depacketizer, slot->packet->data, slot->packet->size)) {
    gint64 capture_us = MAX (slot->capture_us, b->last_capture_us + 1);
    g_autoptr (Frame) frame = depacketizer_finish (b->depacketizer, capture_us);
    if (frame) {
      b->last_capture_us = capture_us;
      b->frames++;
      frame->missed = missed;
      b->out (frame, b->arg);
    }
  }
  depacketizer_reset (b->depacketizer);
  packet_ring_advance (&b->ring, seq + 1);
}

/* The lowest number that is in; -1: empty. */
static gint64
first_in (AudioBuffer *b)
{
  for (gint64 seq = b->ring.next; seq < b->ring.end; seq++)
    if (packet_ring_has (&b->ring, seq))
      return seq;
  return -1;
}

void
audio_buffer_poll (AudioBuffer *b, gint64 now_us)
{
  gint64 seq;
  while ((seq = first_in (b)) >= 0 && due_us (b, packet_ring_slot (&b->ring, seq)) <= now_us)
    release (b, seq);
}

gint64
audio_buffer_next_us (AudioBuffer *b)
{
  gint64 seq = first_in (b);
  return seq < 0 ? G_MAXINT64 : due_us (b, packet_ring_slot (&b->ring, seq));
}

void
audio_buffer_put (AudioBuffer *b, const RtpIncoming *incoming)
{
  if (!b->started) {
    b->started = TRUE;
    b->last_time = incoming->view.timestamp;
    b->base_us = (double)incoming->arrived_us - time_us (b, incoming->view.timestamp);
    b->peak_us = 0;
    packet_ring_restart (&b->ring, incoming->seq);
  }
  gint64 seq;
  while (incoming->seq >= b->ring.next + WINDOW && (seq = first_in (b)) >= 0)
    release (b, seq);
  if (incoming->seq >= b->ring.next + WINDOW) {
    b->frames_lost += (guint64)(incoming->seq - b->ring.next);
    packet_ring_advance (&b->ring, incoming->seq);
  }
  if (!incoming->recovered)
    measure (b, incoming->view.timestamp, incoming->arrived_us);
  if (!packet_ring_put (&b->ring, incoming))
    b->late++;
  audio_buffer_poll (b, incoming->arrived_us);
}
