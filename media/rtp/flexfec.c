#include "media/rtp/flexfec.h"
#include "media/rtp/rtp.h"

#include <string.h>

static void
xor_into (guint8 *to, const guint8 *bytes, gsize size)
{
  for (gsize i = 0; i < size; i++)
    to[i] ^= bytes[i];
}

gboolean
flexfec_add (FlexFec *fec, const guint8 *packet, gsize size)
{
  if (size < RTP_HEADER_SIZE || size > FLEXFEC_PACKET_MAX)
    return FALSE;
  guint16 seq = rtp_get16 (packet + 2);
  guint16 distance = fec->n > 0 ? (guint16)(seq - fec->base) : 0;
  if (distance >= FLEXFEC_SPAN || fec->mask & 1u << (FLEXFEC_SPAN - 1 - distance))
    return FALSE;
  if (fec->n == 0)
    fec->base = seq;
  fec->n++;
  fec->mask |= (guint16)(1u << (FLEXFEC_SPAN - 1 - distance));
  gsize rest = size - RTP_HEADER_SIZE;
  fec->length ^= (guint16)rest;
  fec->longest = MAX (fec->longest, rest);
  xor_into (fec->fixed, packet, sizeof fec->fixed);
  xor_into (fec->rest, packet + RTP_HEADER_SIZE, rest);
  return TRUE;
}

/* Draft 03, 4.2: R and F are 0 (no retransmission, flexible mask); one stream; K is 1 where the
 * mask ends. */
gsize
flexfec_write (const FlexFec *fec, guint32 ssrc, guint8 *out, gsize room)
{
  gsize size = FLEXFEC_HEADER_SIZE + fec->longest;
  if (size > room)
    return 0;
  out[0] = fec->fixed[0] & 0x3f; /* padding, extension, CSRC count */
  out[1] = fec->fixed[1];        /* marker, payload type */
  rtp_put16 (out + 2, fec->length);
  memcpy (out + 4, fec->fixed + 4, 4); /* timestamp */
  rtp_put32 (out + 8, 1u << 24);       /* one SSRC; reserved */
  rtp_put32 (out + 12, ssrc);
  rtp_put16 (out + 16, fec->base);
  rtp_put16 (out + 18, 0x8000u | fec->mask);
  memcpy (out + FLEXFEC_HEADER_SIZE, fec->rest, fec->longest);
  return size;
}
