#include "media/rtp/packet_ring.h"

#include <string.h>

void
packet_ring_init (PacketRing *ring, RtpPacketPool *pool, gint64 size)
{
  *ring = (PacketRing){ .pool = pool, .slots = g_new0 (RingSlot, (gsize)size), .size = size };
}

void
packet_ring_clear (PacketRing *ring)
{
  packet_ring_restart (ring, 0);
  g_clear_pointer (&ring->slots, g_free);
}

void
packet_ring_restart (PacketRing *ring, gint64 seq)
{
  packet_ring_advance (ring, ring->end);
  ring->next = ring->end = seq;
}

void
packet_ring_advance (PacketRing *ring, gint64 seq)
{
  for (gint64 i = ring->next; i < MIN (seq, ring->end); i++)
    g_clear_pointer (&packet_ring_slot (ring, i)->packet, rtp_packet_unref);
  ring->next = MAX (ring->next, seq);
  ring->end = MAX (ring->end, ring->next);
}

gboolean
packet_ring_put (PacketRing *ring, const RtpIncoming *incoming)
{
  gint64 seq = incoming->seq;
  if (seq < ring->next || seq >= ring->next + ring->size || packet_ring_has (ring, seq)
      || incoming->view.payload_size > RTP_PACKET_CAPACITY)
    return FALSE;
  RtpPacket *packet = rtp_packet_new (ring->pool);
  packet->size = (guint16)incoming->view.payload_size;
  if (packet->size > 0)
    memcpy (packet->data, incoming->view.payload, packet->size);
  *packet_ring_slot (ring, seq) = (RingSlot){
    .packet = packet,
    .codec = incoming->codec,
    .marker = incoming->view.marker,
    .key_start = incoming->key_start,
    .timestamp = incoming->view.timestamp,
    .capture_us = incoming->capture_us,
    .arrived_us = incoming->arrived_us,
  };
  ring->end = MAX (ring->end, seq + 1);
  return TRUE;
}
