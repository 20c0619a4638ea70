/* Incoming media packets by extended sequence number, a window that moves up. Used by
 * video_buffer.c and audio_buffer.c. Payloads are copied into packets of the pool. */
#pragma once
#include "media/rtp/recv_stream.h"

typedef struct {
  RtpPacket *packet; /* data: the payload, size: its size; NULL: not there */
  MediaCodec codec;
  gboolean marker, key_start;
  guint32 timestamp;
  gint64 capture_us, arrived_us;
} RingSlot;

typedef struct {
  RtpPacketPool *pool;
  RingSlot *slots;
  gint64 size; /* a power of two */
  gint64 next; /* lowest number that is still wanted */
  gint64 end;  /* one above the highest that is in; next when empty */
} PacketRing;

void packet_ring_init (PacketRing *ring, RtpPacketPool *pool, gint64 size);
/* Empties it and frees it. */
void packet_ring_clear (PacketRing *ring);
/* Empties it; the next wanted number is seq. */
void packet_ring_restart (PacketRing *ring, gint64 seq);
/* Drops what is below seq, which becomes next. */
void packet_ring_advance (PacketRing *ring, gint64 seq);
/* FALSE: below next, already in, beyond the window (next + size), or larger than a packet. */
gboolean packet_ring_put (PacketRing *ring, const RtpIncoming *incoming);

static inline RingSlot *
packet_ring_slot (PacketRing *ring, gint64 seq)
{
  return &ring->slots[seq & (ring->size - 1)];
}

static inline gboolean
packet_ring_has (PacketRing *ring, gint64 seq)
{
  return seq >= ring->next && seq < ring->end && packet_ring_slot (ring, seq)->packet != NULL;
}
