/* RTCP, the writing half. */
#include "media/rtp/rtcp.h"
#include "media/rtp/rtcp_types.h"
#include "media/rtp/rtp.h"

#include <string.h>

void
rtcp_writer_init (RtcpWriter *writer)
{
  writer->size = 0;
}

/* Header of a packet with `size` bytes behind it (a multiple of 4); returns where they belong,
 * NULL when there is no room. */
static guint8 *
begin (RtcpWriter *writer, guint8 packet_type, guint count, gsize size)
{
  if (count > 31 || size > RTCP_MAX_SIZE || writer->size + 4 + size > RTCP_MAX_SIZE)
    return NULL;
  guint8 *p = writer->data + writer->size;
  p[0] = (guint8)(0x80 | count);
  p[1] = packet_type;
  rtp_put16 (p + 2, (guint32)size / 4);
  writer->size += 4 + size;
  return p + 4;
}

static void
write_blocks (guint8 *p, const RtcpBlock *blocks, guint n)
{
  for (guint i = 0; i < n; i++, p += 24) {
    const RtcpBlock *block = &blocks[i];
    rtp_put32 (p, block->ssrc);
    p[4] = block->fraction_lost;
    rtp_put24 (p + 5, (guint32)CLAMP (block->lost, -0x800000, 0x7fffff));
    rtp_put32 (p + 8, block->highest_seq);
    rtp_put32 (p + 12, block->jitter);
    rtp_put32 (p + 16, block->lsr);
    rtp_put32 (p + 20, block->dlsr);
  }
}

gboolean
rtcp_write_sr (RtcpWriter *writer, guint32 ssrc, const RtcpSenderInfo *info,
               const RtcpBlock *blocks, guint n_blocks)
{
  guint8 *p = begin (writer, RTCP_PT_SR, n_blocks, 24 + 24u * n_blocks);
  if (!p)
    return FALSE;
  rtp_put32 (p, ssrc);
  rtp_put32 (p + 4, (guint32)(info->ntp >> 32));
  rtp_put32 (p + 8, (guint32)info->ntp);
  rtp_put32 (p + 12, info->timestamp);
  rtp_put32 (p + 16, info->packets);
  rtp_put32 (p + 20, info->octets);
  write_blocks (p + 24, blocks, n_blocks);
  return TRUE;
}

gboolean
rtcp_write_rr (RtcpWriter *writer, guint32 ssrc, const RtcpBlock *blocks, guint n_blocks)
{
  guint8 *p = begin (writer, RTCP_PT_RR, n_blocks, 4 + 24u * n_blocks);
  if (!p)
    return FALSE;
  rtp_put32 (p, ssrc);
  write_blocks (p + 4, blocks, n_blocks);
  return TRUE;
}

gboolean
rtcp_write_sdes (RtcpWriter *writer, guint32 ssrc, const char *cname)
{
  gsize length = MIN (strlen (cname), RTCP_CNAME_MAX);
  /* SSRC, type, length, text, and one to four zeros that end the chunk on a word */
  gsize size = (4 + 2 + length + 4) / 4 * 4;
  guint8 *p = begin (writer, RTCP_PT_SDES, 1, size);
  if (!p)
    return FALSE;
  memset (p, 0, size);
  rtp_put32 (p, ssrc);
  p[4] = SDES_CNAME;
  p[5] = (guint8)length;
  memcpy (p + 6, cname, length);
  return TRUE;
}

gboolean
rtcp_write_bye (RtcpWriter *writer, const guint32 *ssrcs, guint n)
{
  guint8 *p = begin (writer, RTCP_PT_BYE, n, 4u * n);
  if (!p)
    return FALSE;
  for (guint i = 0; i < n; i++)
    rtp_put32 (p + 4u * i, ssrcs[i]);
  return TRUE;
}

gboolean
rtcp_write_feedback (RtcpWriter *writer, guint8 packet_type, guint8 format, guint32 ssrc,
                     guint32 media_ssrc, const guint8 *fci, gsize size)
{
  guint8 *p = size % 4 == 0 ? begin (writer, packet_type, format, 8 + size) : NULL;
  if (!p)
    return FALSE;
  rtp_put32 (p, ssrc);
  rtp_put32 (p + 4, media_ssrc);
  if (size > 0)
    memcpy (p + 8, fci, size);
  return TRUE;
}

gsize
rtcp_write_nack (RtcpWriter *writer, guint32 ssrc, guint32 media_ssrc, const guint16 *seqs, gsize n)
{
  guint8 fci[RTCP_MAX_SIZE];
  gsize left = RTCP_MAX_SIZE - writer->size;
  gsize room = left > 12 ? (left - 12) / 4 * 4 : 0;
  gsize size = 0, done = 0;
  while (done < n && size < room) {
    guint16 first = seqs[done++], mask = 0;
    while (done < n && (guint16)(seqs[done] - first) >= 1 && (guint16)(seqs[done] - first) <= 16)
      mask |= (guint16)(1u << ((guint16)(seqs[done++] - first) - 1));
    rtp_put16 (fci + size, first);
    rtp_put16 (fci + size + 2, mask);
    size += 4;
  }
  if (size > 0)
    rtcp_write_feedback (writer, RTCP_RTPFB, RTPFB_NACK, ssrc, media_ssrc, fci, size);
  return done;
}

gboolean
rtcp_write_pli (RtcpWriter *writer, guint32 ssrc, guint32 media_ssrc)
{
  return rtcp_write_feedback (writer, RTCP_PSFB, PSFB_PLI, ssrc, media_ssrc, NULL, 0);
}

gboolean
rtcp_write_fir (RtcpWriter *writer, guint32 ssrc, guint32 media_ssrc, guint8 seq)
{
  guint8 fci[8] = { 0 };
  rtp_put32 (fci, media_ssrc);
  fci[4] = seq;
  /* RFC 5104 4.3.1: the media source is in the entry, the common field is 0. */
  return rtcp_write_feedback (writer, RTCP_PSFB, PSFB_FIR, ssrc, 0, fci, sizeof fci);
}

gboolean
rtcp_write_remb (RtcpWriter *writer, guint32 ssrc, guint64 bps, const guint32 *ssrcs, guint n)
{
  guint8 fci[8 + 4 * 32] = { 'R', 'E', 'M', 'B' };
  guint exponent = 0;
  if (n > 32)
    return FALSE;
  while (bps >> exponent > 0x3ffff)
    exponent++;
  fci[4] = (guint8)n;
  rtp_put24 (fci + 5, exponent << 18 | (guint32)(bps >> exponent));
  for (guint i = 0; i < n; i++)
    rtp_put32 (fci + 8 + 4 * i, ssrcs[i]);
  return rtcp_write_feedback (writer, RTCP_PSFB, PSFB_AFB, ssrc, 0, fci, 8 + 4u * n);
}
