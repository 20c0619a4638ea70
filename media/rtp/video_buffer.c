#include "media/rtp/video_buffer.h"

enum {
  WINDOW = 1024,
  KEY_WAIT_US = 250000, /* a gap that long is not waited for when a whole key frame is there */
};

void
video_buffer_init (VideoBuffer *b, RtpPacketPool *pool, gint64 max_wait_us, FrameOut out, void *arg)
{
  *b = (VideoBuffer){ .max_wait_us = max_wait_us, .out = out, .arg = arg, .need_key = TRUE };
  packet_ring_init (&b->ring, pool, WINDOW);
}

void
video_buffer_clear (VideoBuffer *b)
{
  packet_ring_clear (&b->ring);
  g_clear_pointer (&b->depacketizer, depacketizer_free);
}

void
video_buffer_restart (VideoBuffer *b)
{
  packet_ring_restart (&b->ring, 0);
  b->started = FALSE;
  b->need_key = TRUE;
  b->blocked_us = 0;
}

/* A key frame begins at seq: what is before it is not needed. */
static void
start_at (VideoBuffer *b, gint64 seq)
{
  packet_ring_advance (&b->ring, seq);
  b->scan = seq;
  b->need_key = FALSE;
  b->blocked_us = 0;
}

static void
wait_for_key (VideoBuffer *b)
{
  b->need_key = TRUE;
  b->blocked_us = 0;
  b->frames_lost++;
}

static void
skip (VideoBuffer *b)
{
  b->frames_lost++;
  for (gint64 seq = b->scan + 1; seq < b->ring.end; seq++)
    if (packet_ring_has (&b->ring, seq) && packet_ring_slot (&b->ring, seq)->key_start) {
      start_at (b, seq);
      return;
    }
  b->need_key = TRUE;
  b->blocked_us = 0;
}

static Depacketizer *
depacketizer_for (VideoBuffer *b, MediaCodec codec)
{
  if (!b->depacketizer || b->codec != codec) {
    g_clear_pointer (&b->depacketizer, depacketizer_free);
    b->depacketizer = depacketizer_new (codec);
    b->codec = codec;
  }
  return b->depacketizer;
}

/* Packets next .. end-1 are one frame. */
static void
assemble (VideoBuffer *b, gint64 end)
{
  const RingSlot *first = packet_ring_slot (&b->ring, b->ring.next);
  Depacketizer *d = depacketizer_for (b, first->codec);
  gint64 capture_us = first->capture_us;
  gboolean any = FALSE, good = TRUE;
  for (gint64 seq = b->ring.next; seq < end && good; seq++) {
    const RingSlot *slot = packet_ring_slot (&b->ring, seq);
    if (slot->packet->size == 0) /* padding */
      continue;
    any = TRUE;
    good = slot->codec == b->codec && depacketizer_add (d, slot->packet->data, slot->packet->size);
  }
  packet_ring_advance (&b->ring, end);
  if (!any)
    return;
  capture_us = MAX (capture_us, b->last_capture_us + 1);
  g_autoptr (Frame) frame = depacketizer_finish (d, capture_us);
  if (!frame || !good) {
    wait_for_key (b);
    return;
  }
  b->last_capture_us = capture_us;
  b->frames++;
  b->out (frame, b->arg);
}

/* Whether the frame in work ends at b->scan, which is the number after its last packet so far. */
static gboolean
frame_is_whole (VideoBuffer *b)
{
  const RingSlot *first = packet_ring_slot (&b->ring, b->ring.next);
  while (packet_ring_has (&b->ring, b->scan)) {
    const RingSlot *slot = packet_ring_slot (&b->ring, b->scan);
    if (slot->timestamp != first->timestamp)
      return TRUE; /* the last packet had no marker */
    b->scan++;
    if (slot->marker)
      return TRUE;
  }
  return FALSE;
}

static void
drain (VideoBuffer *b, gint64 now_us)
{
  while (!b->need_key && packet_ring_has (&b->ring, b->ring.next) && frame_is_whole (b)) {
    b->blocked_us = 0;
    assemble (b, b->scan);
  }
  if (!b->need_key && b->ring.end > b->scan && b->blocked_us == 0)
    b->blocked_us = now_us;
  else if (b->ring.end <= b->scan)
    b->blocked_us = 0;
}

/* A whole key frame behind the gap; -1: none. */
static gint64
whole_key (VideoBuffer *b)
{
  gint64 begin = -1;
  for (gint64 seq = b->scan + 1; seq < b->ring.end; seq++) {
    if (!packet_ring_has (&b->ring, seq)) {
      begin = -1;
      continue;
    }
    const RingSlot *slot = packet_ring_slot (&b->ring, seq);
    if (begin < 0 && slot->key_start)
      begin = seq;
    if (begin >= 0 && slot->marker)
      return begin;
  }
  return -1;
}

/* After a blackout what came before it is no longer worth waiting for. */
static void
jump_to_key (VideoBuffer *b, gint64 now_us)
{
  gint64 key = b->blocked_us != 0 && now_us - b->blocked_us > KEY_WAIT_US ? whole_key (b) : -1;
  if (key < 0)
    return;
  b->frames_lost++;
  start_at (b, key);
  drain (b, now_us);
}

void
video_buffer_put (VideoBuffer *b, const RtpIncoming *incoming)
{
  gint64 seq = incoming->seq;
  if (!b->started) {
    b->started = TRUE;
    /* Some room below: the first packet may have overtaken others. */
    packet_ring_restart (&b->ring, seq - WINDOW / 4);
    b->scan = b->ring.next;
  }
  if (seq >= b->ring.next + WINDOW) {
    if (!b->need_key)
      wait_for_key (b);
    packet_ring_advance (&b->ring, seq - WINDOW + 1);
    b->scan = b->ring.next;
  }
  if (!packet_ring_put (&b->ring, incoming)) {
    b->late++;
    return;
  }
  if (b->need_key && incoming->key_start)
    start_at (b, seq);
  drain (b, incoming->arrived_us);
  if (incoming->view.marker || incoming->recovered)
    jump_to_key (b, incoming->arrived_us);
}

void
video_buffer_poll (VideoBuffer *b, gint64 now_us)
{
  if (b->blocked_us != 0 && now_us - b->blocked_us >= b->max_wait_us)
    video_buffer_give_up (b, now_us);
}

void
video_buffer_give_up (VideoBuffer *b, gint64 now_us)
{
  if (b->need_key || b->ring.end <= b->scan)
    return;
  skip (b);
  drain (b, now_us);
}

gint64
video_buffer_next_us (const VideoBuffer *b)
{
  return b->blocked_us == 0 ? G_MAXINT64 : b->blocked_us + b->max_wait_us;
}
