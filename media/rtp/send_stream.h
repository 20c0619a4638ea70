/* One outgoing RTP stream of one peer: frames in, packets out, retransmission on NACK.
 *
 * Sans-IO; one thread (the hub's loop). rtp_session.h drives it inside a peer; alone:
 *
 *   SendStream *s = send_stream_new (pool, &config, emit, arg);
 *   send_stream_frame (s, frame, now_us);           emit() once per packet, into the pacer
 *   ... as the pacer lets a packet go:
 *   seq = twcc_sender_next (twcc);
 *   if (rtp_packet_stamp (packet, seq, now_us))     transport-wide number written
 *     twcc_sender_sent (twcc, size_on_wire, now_us);
 *   memcpy (scratch, packet->data, packet->size);   the history keeps the plaintext
 *   srtp_protect (…, scratch, …); send (…);
 *   rtp_packet_unref (packet);
 *   ... an RTCP NACK came:   send_stream_nack (s, seqs, n, now_us);   emit() for what is resent
 *   ... every second:        send_stream_sender_info (s, now_us, &info); rtcp_write_sr (…)
 *
 * Note for SRTP: without RTX (audio) a packet is sent again under its own number, byte for byte
 * the same: libsrtp wants allow_repeat_tx.
 */
#pragma once
#include "media/frame.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/recv_stream.h"
#include "media/rtp/rtp_packet.h"

typedef struct SendStream SendStream;

typedef struct {
  MediaKind kind;
  guint32 ssrc, rtx_ssrc;                              /* rtx_ssrc 0: no RTX */
  guint32 fec_ssrc;                                    /* of FlexFEC; 0: none */
  RtpPayloadType payload_types[RTP_MAX_PAYLOAD_TYPES]; /* as the other side accepts them */
  guint n_payload_types;
  const char *mid; /* copied; NULL: no mid extension */
  RtpExtIds ext;
  gsize max_size;    /* of an RTP packet; 0: 1200 */
  guint history;     /* packets kept; 0: 1024 for video, 256 for audio */
  guint16 first_seq; /* random, chosen by the caller (RFC 3550 5.1) */
  guint32 first_timestamp;
} SendStreamConfig;

typedef struct {
  guint64 frames, frames_refused; /* refused: codec not negotiated, too large, malformed */
  guint64 packets, bytes;         /* RTP without retransmissions; bytes are payload */
  guint64 nacks;                  /* sequence numbers asked for */
  guint64 retransmitted;          /* packets resent */
  guint64 padding;                /* packets that filled probes */
  guint64 redundant;              /* older packets that went along with new ones (RED) */
  guint64 parity;                 /* packets of FlexFEC */
  guint64 not_resent;             /* too old, too soon again, over the limit */
  guint64 forward_dropped;        /* before the first key frame, before a switch, no such codec */
} SendStreamStats;

/* A packet to be sent, transfer full. Called within send_stream_frame, _forward and _nack. */
typedef void (*SendStreamEmit) (SendStream *stream, RtpPacket *packet, void *arg);

/* The pool must outlive the stream. */
SendStream *send_stream_new (RtpPacketPool *pool, const SendStreamConfig *config,
                             SendStreamEmit emit, void *arg);
void send_stream_free (SendStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SendStream, send_stream_free)

guint32 send_stream_ssrc (SendStream *stream);
guint32 send_stream_rtx_ssrc (SendStream *stream);
MediaKind send_stream_kind (SendStream *stream);
/* After a renegotiation: other payload types, other header extensions, the same SSRCs and numbers
 * (a new stream under an old SSRC would repeat SRTP's nonces). */
void send_stream_set_payload_types (SendStream *stream, const RtpPayloadType *types, guint n);
void send_stream_set_ext (SendStream *stream, const RtpExtIds *ext);
/* TRUE when the other side takes the codec. */
gboolean send_stream_accepts (SendStream *stream, MediaCodec codec);

/* Packetizes a frame. FALSE: refused, counted. RTP time follows capture_us; for Opus it advances
 * by whole packets as long as capture_us agrees within 40 ms, since receivers conceal a gap of even
 * one sample. */
gboolean send_stream_frame (SendStream *stream, const Frame *frame, gint64 now_us);

/* Forwards a packet of another peer's stream: own SSRC, payload type, extensions; sequence numbers
 * and timestamps continue without a jump. `source` names the incoming stream; when it changes (or
 * the packet's epoch does), forwarding begins with the new source's next key frame (audio: next
 * packet), and until then FALSE is returned: the caller asks the source for a key frame. TRUE:
 * sent or rightly dropped (duplicate, older than the switch). */
gboolean send_stream_forward (SendStream *stream, guint32 source, const RtpIncoming *packet,
                              gint64 now_us);

/* Forwarding begins anew with the next key frame: packets were left out. */
void send_stream_break (SendStream *stream);

/* What left so far is not sent again: a key frame will make it useless. */
void send_stream_forget (SendStream *stream);

/* Answers a NACK with RTX, or with the packet itself when there is no RTX. Each number at most
 * once per round trip, in all at most the rate of send_stream_set_limit(). */
void send_stream_nack (SendStream *stream, const guint16 *seqs, gsize n, gint64 now_us);
/* Round trip time, and bits per second that retransmissions may take; before: 100 ms, 1 Mbit/s. */
void send_stream_set_rtt (SendStream *stream, gint64 rtt_us);
void send_stream_set_limit (SendStream *stream, guint bps);

/* A packet that fills a probe: one sent lately, again by RTX, which serves where the first was
 * lost; else one of nothing but padding. FALSE: there is no RTX, or nothing was sent yet. emit() is
 * called with its class set to padding. */
gboolean send_stream_pad (SendStream *stream, gint64 now_us);
gboolean send_stream_can_pad (SendStream *stream);

/* Sound: so many packets sent before go along with each new one (RED, RFC 2198), at most
 * REDUNDANCY_MAX, where the other side takes RED. */
void send_stream_set_redundancy (SendStream *stream, guint depth);
/* What the sound takes without it, bits per second of payload, smoothed; 0: nothing sent yet, or
 * the other side does not take RED. */
guint send_stream_red_bps (SendStream *stream);

/* Pictures that are packetized here: the payload type of FlexFEC that the other side takes, 0:
 * none. */
void send_stream_set_fec (SendStream *stream, guint8 payload_type);
/* A parity packet (flexfec.h) goes behind so many packets, at most FLEXFEC_SPAN, or behind half as
 * many where the next picture would come a round trip after the first of them. 0: none. */
void send_stream_set_parity (SendStream *stream, guint packets);

/* For a sender report at now_us. FALSE: nothing was sent yet. */
gboolean send_stream_sender_info (SendStream *stream, gint64 now_us, RtcpSenderInfo *ret_info);

void send_stream_stats (SendStream *stream, SendStreamStats *ret_stats);
