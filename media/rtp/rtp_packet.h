/* Buffers of outgoing (and waiting incoming) RTP packets, from a pool: no malloc per packet.
 *
 * A packet is counted (not atomically: one loop thread owns pool and packets) because the
 * history and the pacer's queue hold the same bytes. The bytes are plaintext: SRTP works in
 * place, so the transport protects a copy.
 */
#pragma once
#include "media/rtp/rtp.h"

#define RTP_PACKET_CAPACITY 1500

/* What a packet is for the pacer; order is priority, most urgent first. Retransmissions go before
 * new video: the receiver can show nothing newer before it has them. Padding fills a probe. */
typedef enum {
  RTP_CLASS_AUDIO,
  RTP_CLASS_RETRANSMISSION,
  RTP_CLASS_VIDEO,
  RTP_CLASS_PADDING,
  RTP_N_CLASSES
} RtpClass;

typedef struct RtpPacketPool RtpPacketPool;

typedef struct RtpPacket {
  guint refs;
  RtpPacketPool *pool;
  struct RtpPacket *next; /* of whoever has it in a queue: pool or pacer */
  gboolean queued;        /* in the pacer's queue */
  RtpClass class;
  RtpSlots slots;
  gboolean stamped; /* slots are filled: left at least once */
  gboolean key;     /* belongs to a key frame */
  gboolean parity;  /* of FlexFEC: of no picture by itself */
  gint64 seq;       /* extended sequence number */
  gint64 queued_us; /* when it entered the queue */
  gint64 sent_us;   /* when it left last; 0: not yet */
  guint16 payload_offset;
  guint16 size; /* bytes used in data */
  guint8 data[RTP_PACKET_CAPACITY];
} RtpPacket;

/* A pool that keeps at most max_free unused packets. */
RtpPacketPool *rtp_packet_pool_new (guint max_free);
/* All packets must have come back. */
void rtp_packet_pool_free (RtpPacketPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtpPacketPool, rtp_packet_pool_free)

/* An empty packet with one reference; its data is not cleared. */
RtpPacket *rtp_packet_new (RtpPacketPool *pool);
RtpPacket *rtp_packet_ref (RtpPacket *packet);
void rtp_packet_unref (RtpPacket *packet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtpPacket, rtp_packet_unref)

/* Fills the slots as the packet leaves. Only once: a packet that is sent again under its own
 * sequence number must stay the same byte for byte, since AEAD ciphers (RFC 7714) would otherwise
 * use one nonce for two messages. Returns FALSE in that case: transport_seq was not used. */
gboolean rtp_packet_stamp (RtpPacket *packet, guint16 transport_seq, gint64 now_us);
