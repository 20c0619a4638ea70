/* RTP packets on the wire: RFC 3550 5.1, one-byte header extensions of RFC 8285 4.2.
 *
 * Parsing reads in place, allocates nothing and accepts any bytes. Two-byte extensions
 * (RFC 8285 4.3) are skipped, since no browser sends them unless they were negotiated.
 */
#pragma once
#include <glib.h>

#define RTP_HEADER_SIZE 12
#define RTP_MID_MAX 16 /* longest mid or rid that a one-byte extension carries */

/* Extension numbers as negotiated (a=extmap), 1..14; 0: not negotiated. */
typedef struct {
  guint8 mid;           /* urn:ietf:params:rtp-hdrext:sdes:mid, RFC 8843 */
  guint8 twcc;          /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
  guint8 abs_send_time; /* webrtc.org/experiments/rtp-hdrext/abs-send-time, optional */
  guint8 rid;           /* urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id, RFC 8852; read only */
  guint8 repaired_rid;  /* the same of RTX */
  guint8 playout_delay; /* webrtc.org/experiments/rtp-hdrext/playout-delay; written only */
} RtpExtIds;

/* A parsed packet; payload points into the bytes that were parsed. */
typedef struct {
  gboolean marker;
  guint8 payload_type;
  guint16 seq;
  guint32 timestamp, ssrc;
  const guint8 *payload; /* behind header and extensions, without padding */
  gsize payload_size;    /* 0: padding or keep-alive only */
  gsize size;            /* whole packet */
  gboolean has_twcc, has_abs_send_time;
  guint16 twcc_seq;
  guint32 abs_send_time;     /* 24 bit, 6.18 fixed point seconds */
  char mid[RTP_MID_MAX + 1]; /* "" when absent */
  char rid[RTP_MID_MAX + 1]; /* of the encoding, also when RTX repairs it; "" when absent */
} RtpView;

/* TRUE when a packet on the shared port is RTCP and not RTP (RFC 5761 4). */
gboolean rtp_is_rtcp (const guint8 *data, gsize size);

/* FALSE when the bytes are no whole RTP packet; ret_view is then untouched. */
gboolean rtp_parse (const guint8 *data, gsize size, const RtpExtIds *ids, RtpView *ret_view);

/* Fields of a header to be written. */
typedef struct {
  gboolean marker;
  guint8 payload_type;
  guint16 seq;
  guint32 timestamp, ssrc;
  const char *mid; /* NULL or "": no mid extension */
} RtpHeader;

/* Where the header has room for what is known only when the packet leaves; 0: no room. */
typedef struct {
  guint16 twcc, abs_send_time; /* offsets from the packet's first byte */
} RtpSlots;

/* Largest header that rtp_write_header writes. */
#define RTP_HEADER_ROOM (RTP_HEADER_SIZE + 4 + 1 + RTP_MID_MAX + 3 + 4 + 4 + 3)

/* What a receiver is asked to let a picture wait at most, ms: with 0 at least and no more than 500
 * at most it shows each one when it has come, and smooths no jitter at the price of delay. It may
 * wait for a reason of its own: for the sound that belongs to it, or because the page asks. */
#define RTP_PLAYOUT_MOST_MS 500

/* Writes header and extensions to out (at least RTP_HEADER_ROOM bytes); returns their size, which
 * is where the payload belongs. Slots are zero until they are filled. */
gsize rtp_write_header (guint8 *out, const RtpHeader *header, const RtpExtIds *ids,
                        RtpSlots *ret_slots);

/* Takes an RTX packet (RFC 4588 4) apart: rtx is the parsed RTX packet, ret_view becomes the
 * original packet with the given payload type and SSRC. FALSE: padding only, or too short. */
gboolean rtp_unwrap_rtx (const RtpView *rtx, guint8 payload_type, guint32 ssrc, RtpView *ret_view);

/* The 64-bit number nearest to `reference` whose low 16 bits are seq: the extended sequence
 * number of RFC 3550 A.1. Numbers stay right as long as jumps are below 32768. */
static inline gint64
rtp_extend_seq (gint64 reference, guint16 seq)
{
  return reference + (gint16)(guint16)(seq - (guint16)reference);
}

/* The same for 32-bit timestamps. */
static inline gint64
rtp_extend_timestamp (gint64 reference, guint32 timestamp)
{
  return reference + (gint32)(guint32)(timestamp - (guint32)reference);
}

/* Big-endian access; p must have the bytes. */
static inline guint16
rtp_get16 (const guint8 *p)
{
  return (guint16)(p[0] << 8 | p[1]);
}
static inline guint32
rtp_get24 (const guint8 *p)
{
  return (guint32)p[0] << 16 | (guint32)p[1] << 8 | p[2];
}
static inline guint32
rtp_get32 (const guint8 *p)
{
  return (guint32)p[0] << 24 | rtp_get24 (p + 1);
}
static inline void
rtp_put16 (guint8 *p, guint32 v)
{
  p[0] = (guint8)(v >> 8);
  p[1] = (guint8)v;
}
static inline void
rtp_put24 (guint8 *p, guint32 v)
{
  p[0] = (guint8)(v >> 16);
  rtp_put16 (p + 1, v);
}
static inline void
rtp_put32 (guint8 *p, guint32 v)
{
  p[0] = (guint8)(v >> 24);
  rtp_put24 (p + 1, v);
}
