/* RTCP: reading and writing compound packets, also of reduced size (RFC 3550 6, 4585, 5104,
 * 5506; REMB as in draft-alvestrand-rmcat-remb-03; transport-wide feedback in twcc.h).
 *
 * Reading is in place without allocation: rtcp_reader_next() gives one packet after the other and
 * ends at the first malformed one. Work is linear in the datagram's size.
 */
#pragma once
#include <glib.h>

#define RTCP_MAX_BLOCKS 31
#define RTCP_MAX_SIZE 1200 /* of a compound packet that we write */
#define RTCP_MAX_FIR 16    /* FIR entries read of one packet; more are ignored */
#define RTCP_CNAME_MAX 255

typedef enum {
  RTCP_SR,
  RTCP_RR,
  RTCP_SDES,
  RTCP_BYE,
  RTCP_NACK, /* RFC 4585 6.2.1 */
  RTCP_TWCC,
  RTCP_PLI, /* RFC 4585 6.3.1 */
  RTCP_FIR, /* RFC 5104 4.3.1 */
  RTCP_REMB,
  RTCP_OTHER, /* well formed, of no interest */
} RtcpType;

/* RFC 3550 6.4.1 */
typedef struct {
  guint32 ssrc;
  guint8 fraction_lost; /* of 256 */
  gint32 lost;          /* 24 bit signed */
  guint32 highest_seq;  /* extended, low 32 bit */
  guint32 jitter;       /* RTP clock units */
  guint32 lsr, dlsr;    /* middle of NTP; 1/65536 s */
} RtcpBlock;

typedef struct {
  guint64 ntp; /* 32.32 */
  guint32 timestamp, packets, octets;
} RtcpSenderInfo;

/* One RTCP packet; fields beyond ssrc depend on type. Pointers are into the datagram. */
typedef struct {
  RtcpType type;
  guint32 ssrc;       /* of the sender of the packet */
  guint32 media_ssrc; /* NACK, TWCC, PLI: whose stream */
  union {
    struct {
      RtcpSenderInfo sender; /* SR only */
      RtcpBlock blocks[RTCP_MAX_BLOCKS];
      guint n_blocks;
    } report; /* SR, RR */
    struct {
      const guint8 *text;
      gsize size;
    } cname; /* SDES: first chunk's CNAME; size 0 when there is none */
    struct {
      const guint8 *ssrcs; /* big-endian */
      guint n;
    } bye;
    struct {
      const guint8 *fci;
      gsize size;
    } feedback; /* NACK (rtcp_nack_seqs), TWCC (twcc_sender_feedback) */
    struct {
      guint32 ssrcs[RTCP_MAX_FIR];
      guint8 seqs[RTCP_MAX_FIR];
      guint n;
    } fir;
    guint64 remb_bps;
  };
} RtcpPacket;

typedef struct {
  const guint8 *data;
  gsize left;
} RtcpReader;

void rtcp_reader_init (RtcpReader *reader, const guint8 *data, gsize size);
/* FALSE: at the end, or the rest is malformed (then reader->left > 0); ret_packet then says
 * nothing. */
gboolean rtcp_reader_next (RtcpReader *reader, RtcpPacket *ret_packet);

/* Sequence numbers named by a NACK into seqs; returns their number, at most max. */
gsize rtcp_nack_seqs (const RtcpPacket *nack, guint16 *seqs, gsize max);

/* Writes into data; every function returns FALSE and leaves the packet as it was when there is no
 * room. A compound begins with SR or RR and an SDES unless reduced size was negotiated. */
typedef struct {
  gsize size;
  guint8 data[RTCP_MAX_SIZE];
} RtcpWriter;

void rtcp_writer_init (RtcpWriter *writer);
gboolean rtcp_write_sr (RtcpWriter *writer, guint32 ssrc, const RtcpSenderInfo *info,
                        const RtcpBlock *blocks, guint n_blocks);
gboolean rtcp_write_rr (RtcpWriter *writer, guint32 ssrc, const RtcpBlock *blocks, guint n_blocks);
gboolean rtcp_write_sdes (RtcpWriter *writer, guint32 ssrc, const char *cname);
gboolean rtcp_write_bye (RtcpWriter *writer, const guint32 *ssrcs, guint n);
/* seqs ascending (modulo 2^16); neighbours share an entry. Returns how many fitted. */
gsize rtcp_write_nack (RtcpWriter *writer, guint32 ssrc, guint32 media_ssrc, const guint16 *seqs,
                       gsize n);
gboolean rtcp_write_pli (RtcpWriter *writer, guint32 ssrc, guint32 media_ssrc);
gboolean rtcp_write_fir (RtcpWriter *writer, guint32 ssrc, guint32 media_ssrc, guint8 seq);
gboolean rtcp_write_remb (RtcpWriter *writer, guint32 ssrc, guint64 bps, const guint32 *ssrcs,
                          guint n);
/* Any transport or payload feedback packet around fci, whose size is a multiple of 4. */
gboolean rtcp_write_feedback (RtcpWriter *writer, guint8 packet_type, guint8 format, guint32 ssrc,
                              guint32 media_ssrc, const guint8 *fci, gsize size);

/* NTP format (32.32) of our monotonic clock, as RFC 3550 6.4.1 allows for a sender without
 * wall-clock time: seconds since the machine started, so the high bit is 0. */
guint64 rtcp_ntp_from_us (gint64 us);
gint64 rtcp_us_from_ntp (guint64 ntp);
/* Middle 32 bits, as LSR has them. */
guint32 rtcp_ntp_middle (guint64 ntp);
/* Round trip time of a block that answers our SR, µs; -1 when it answers none. */
gint64 rtcp_block_rtt_us (const RtcpBlock *block, gint64 now_us);
