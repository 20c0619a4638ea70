/* RTCP, the reading half. */
#include "media/rtp/rtcp.h"
#include "media/rtp/rtcp_types.h"
#include "media/rtp/rtp.h"

#include <string.h>

void
rtcp_reader_init (RtcpReader *reader, const guint8 *data, gsize size)
{
  *reader = (RtcpReader){ .data = data, .left = size };
}

static void
read_block (const guint8 *p, RtcpBlock *block)
{
  guint32 lost = rtp_get24 (p + 5);
  *block = (RtcpBlock){
    .ssrc = rtp_get32 (p),
    .fraction_lost = p[4],
    .lost = lost & 0x800000 ? (gint32)lost - 0x1000000 : (gint32)lost,
    .highest_seq = rtp_get32 (p + 8),
    .jitter = rtp_get32 (p + 12),
    .lsr = rtp_get32 (p + 16),
    .dlsr = rtp_get32 (p + 20),
  };
}

/* p, size: the packet behind its first four bytes, everywhere below. */
static gboolean
read_report (guint count, const guint8 *p, gsize size, RtcpPacket *packet)
{
  gsize head = packet->type == RTCP_SR ? 24 : 4;
  if (size < head + 24u * count)
    return FALSE;
  packet->ssrc = rtp_get32 (p);
  if (packet->type == RTCP_SR)
    packet->report.sender = (RtcpSenderInfo){
      .ntp = (guint64)rtp_get32 (p + 4) << 32 | rtp_get32 (p + 8),
      .timestamp = rtp_get32 (p + 12),
      .packets = rtp_get32 (p + 16),
      .octets = rtp_get32 (p + 20),
    };
  for (guint i = 0; i < count; i++)
    read_block (p + head + 24u * i, &packet->report.blocks[i]);
  packet->report.n_blocks = count;
  return TRUE;
}

/* RFC 3550 6.5: of the first chunk only, since our peers are one source each. */
static gboolean
read_sdes (guint count, const guint8 *p, gsize size, RtcpPacket *packet)
{
  if (count == 0)
    return TRUE;
  if (size < 4)
    return FALSE;
  packet->ssrc = rtp_get32 (p);
  for (gsize i = 4; i < size && p[i] != 0;) {
    if (size - i < 2 || size - i - 2 < p[i + 1])
      return FALSE;
    if (p[i] == SDES_CNAME) {
      packet->cname.text = p + i + 2;
      packet->cname.size = p[i + 1];
      return TRUE;
    }
    i += 2u + p[i + 1];
  }
  return TRUE;
}

static gboolean
read_bye (guint count, const guint8 *p, gsize size, RtcpPacket *packet)
{
  if (size < 4u * count)
    return FALSE;
  if (count > 0)
    packet->ssrc = rtp_get32 (p);
  packet->bye.ssrcs = p;
  packet->bye.n = count;
  return TRUE;
}

static gboolean
read_fir (const guint8 *p, gsize size, RtcpPacket *packet)
{
  for (; size >= 8 && packet->fir.n < RTCP_MAX_FIR; p += 8, size -= 8) {
    packet->fir.ssrcs[packet->fir.n] = rtp_get32 (p);
    packet->fir.seqs[packet->fir.n++] = p[4];
  }
  return packet->fir.n > 0;
}

static gboolean
read_remb (const guint8 *p, gsize size, RtcpPacket *packet)
{
  if (size < 8 || memcmp (p, "REMB", 4) != 0) {
    packet->type = RTCP_OTHER;
    return TRUE;
  }
  guint exponent = p[5] >> 2;
  guint64 mantissa = rtp_get24 (p + 5) & 0x3ffff;
  if (mantissa > G_MAXUINT64 >> exponent)
    return FALSE;
  packet->type = RTCP_REMB;
  packet->remb_bps = mantissa << exponent;
  return TRUE;
}

static gboolean
read_feedback (guint8 packet_type, guint format, const guint8 *p, gsize size, RtcpPacket *packet)
{
  if (size < 8)
    return FALSE;
  packet->ssrc = rtp_get32 (p);
  packet->media_ssrc = rtp_get32 (p + 4);
  p += 8;
  size -= 8;
  if (packet_type == RTCP_PSFB)
    switch (format) {
    case PSFB_PLI:
      packet->type = RTCP_PLI;
      return TRUE;
    case PSFB_FIR:
      packet->type = RTCP_FIR;
      return read_fir (p, size, packet);
    case PSFB_AFB:
      return read_remb (p, size, packet);
    default:
      return TRUE;
    }
  if (format != RTPFB_NACK && format != RTPFB_TWCC)
    return TRUE;
  packet->type = format == RTPFB_NACK ? RTCP_NACK : RTCP_TWCC;
  packet->feedback.fci = p;
  packet->feedback.size = size;
  return TRUE;
}

static gboolean
read_packet (guint8 packet_type, guint count, const guint8 *p, gsize size, RtcpPacket *packet)
{
  switch (packet_type) {
  case RTCP_PT_SR:
    packet->type = RTCP_SR;
    return read_report (count, p, size, packet);
  case RTCP_PT_RR:
    packet->type = RTCP_RR;
    return read_report (count, p, size, packet);
  case RTCP_PT_SDES:
    packet->type = RTCP_SDES;
    return read_sdes (count, p, size, packet);
  case RTCP_PT_BYE:
    packet->type = RTCP_BYE;
    return read_bye (count, p, size, packet);
  case RTCP_RTPFB:
  case RTCP_PSFB:
    return read_feedback (packet_type, count, p, size, packet);
  default:
    return TRUE;
  }
}

gboolean
rtcp_reader_next (RtcpReader *reader, RtcpPacket *ret_packet)
{
  const guint8 *p = reader->data;
  if (reader->left < 4 || p[0] >> 6 != 2)
    return FALSE;
  gsize size = 4u * (rtp_get16 (p + 2) + 1u);
  if (size > reader->left)
    return FALSE;
  gsize padding = p[0] & 0x20 ? p[size - 1] : 0;
  if (padding > size - 4)
    return FALSE;
  /* Not the whole union: a receiver report's 31 blocks are 900 bytes. */
  memset (ret_packet, 0, offsetof (RtcpPacket, report.blocks));
  ret_packet->report.n_blocks = 0;
  ret_packet->fir.n = 0;
  ret_packet->type = RTCP_OTHER;
  if (!read_packet (p[1], p[0] & 31u, p + 4, size - 4 - padding, ret_packet))
    return FALSE;
  reader->data += size;
  reader->left -= size;
  return TRUE;
}

gsize
rtcp_nack_seqs (const RtcpPacket *nack, guint16 *seqs, gsize max)
{
  gsize n = 0;
  for (gsize i = 0; i + 4 <= nack->feedback.size && n < max; i += 4) {
    guint16 first = rtp_get16 (nack->feedback.fci + i);
    guint16 mask = rtp_get16 (nack->feedback.fci + i + 2);
    seqs[n++] = first;
    for (guint bit = 0; bit < 16 && n < max; bit++)
      if (mask >> bit & 1)
        seqs[n++] = (guint16)(first + 1 + bit);
  }
  return n;
}

guint64
rtcp_ntp_from_us (gint64 us)
{
  guint64 seconds = (guint64)us / G_USEC_PER_SEC;
  guint64 rest = (guint64)us % G_USEC_PER_SEC;
  return seconds << 32 | ((rest << 32) + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;
}

gint64
rtcp_us_from_ntp (guint64 ntp)
{
  return (gint64)((ntp >> 32) * G_USEC_PER_SEC
                  + (((ntp & 0xffffffff) * G_USEC_PER_SEC + 0x80000000) >> 32));
}

guint32
rtcp_ntp_middle (guint64 ntp)
{
  return (guint32)(ntp >> 16);
}

gint64
rtcp_block_rtt_us (const RtcpBlock *block, gint64 now_us)
{
  if (block->lsr == 0)
    return -1;
  guint32 now = rtcp_ntp_middle (rtcp_ntp_from_us (now_us));
  guint32 rtt = now - block->lsr - block->dlsr;
  /* Rounding makes a tiny round trip negative; anything large is a lie or a wrap. */
  if ((gint32)rtt < 0)
    return (gint32)rtt > -655 ? 0 : -1;
  return (gint64)rtt * G_USEC_PER_SEC >> 16;
}
