#include "media/rtp/rtp_packet.h"

#include <stddef.h>
#include <string.h>

struct RtpPacketPool {
  RtpPacket *free;
  guint n_free, max_free;
  guint out; /* packets that somebody holds */
};

RtpPacketPool *
rtp_packet_pool_new (guint max_free)
{
  RtpPacketPool *pool = g_new0 (RtpPacketPool, 1);
  pool->max_free = max_free;
  return pool;
}

void
rtp_packet_pool_free (RtpPacketPool *pool)
{
  g_return_if_fail (pool->out == 0);
  while (pool->free) {
    RtpPacket *packet = pool->free;
    pool->free = packet->next;
    g_free (packet);
  }
  g_free (pool);
}

RtpPacket *
rtp_packet_new (RtpPacketPool *pool)
{
  RtpPacket *packet = pool->free;
  if (packet) {
    pool->free = packet->next;
    pool->n_free--;
  } else {
    packet = g_new (RtpPacket, 1);
  }
  memset (packet, 0, offsetof (RtpPacket, data));
  packet->refs = 1;
  packet->pool = pool;
  pool->out++;
  return packet;
}

RtpPacket *
rtp_packet_ref (RtpPacket *packet)
{
  packet->refs++;
  return packet;
}

void
rtp_packet_unref (RtpPacket *packet)
{
  if (--packet->refs > 0)
    return;
  RtpPacketPool *pool = packet->pool;
  pool->out--;
  if (pool->n_free >= pool->max_free) {
    g_free (packet);
    return;
  }
  packet->next = pool->free;
  pool->free = packet;
  pool->n_free++;
}

gboolean
rtp_packet_stamp (RtpPacket *packet, guint16 transport_seq, gint64 now_us)
{
  packet->sent_us = now_us;
  if (packet->stamped)
    return FALSE;
  packet->stamped = TRUE;
  if (packet->slots.twcc)
    rtp_put16 (packet->data + packet->slots.twcc, transport_seq);
  if (packet->slots.abs_send_time) {
    /* 6.18 fixed point seconds, modulo 64 s */
    guint64 time = ((guint64)(now_us % (64 * G_USEC_PER_SEC)) << 18) / G_USEC_PER_SEC;
    rtp_put24 (packet->data + packet->slots.abs_send_time, (guint32)time);
  }
  return packet->slots.twcc != 0;
}
