/* All RTP and RTCP of one peer connection: the layer between peer.c (sockets, DTLS, SRTP) and
 * streams. Demultiplexes (RFC 8843 9.2), schedules RTCP, paces, estimates.
 *
 * Sans-IO; one thread. Every entry takes now_us (CLOCK_MONOTONIC) and may call events. Events must
 * not free the session. After any entry ask rtp_session_next_us() and re-arm the timer that calls
 * rtp_session_poll().
 *
 *   in:   decrypted RTP   -> rtp_session_receive_rtp   -> events.packet, events.frame
 *         decrypted RTCP  -> rtp_session_receive_rtcp  -> events.keyframe_wanted, .estimate
 *   out:  rtp_session_send_frame, _forward -> pacer -> events.send_rtp … events.flush
 *                                            RTCP -> events.send_rtcp
 *
 * Congestion: the estimate starts at start_bps. While the pacer holds more than 400 ms of video,
 * video frames are refused until a key frame comes after the queue is short again; the session
 * asks for that key frame by events.keyframe_wanted. So it is when nothing tells for a second or
 * more what became of packets (a blackout): video rests, sound goes on, and the first answer brings
 * video back with a key frame. Probes of the link are filled up with RTX of what was sent lately.
 */
#pragma once
#include "media/rtp/recv_stream.h"
#include "media/rtp/send_stream.h"

typedef struct RtpSession RtpSession;

typedef struct {
  const char *cname;                 /* one per peer connection, copied */
  guint32 ssrc;                      /* for RTCP while nothing is sent */
  RtpExtIds ext;                     /* as negotiated, for both directions (BUNDLE) */
  gboolean reduced_size;             /* a=rtcp-rsize */
  guint start_bps, min_bps, max_bps; /* 0: 1 Mbit/s, 100 kbit/s, 4 Mbit/s */
  guint overhead;                    /* bytes that SRTP, UDP and IP add to a packet; 0: 44 */
} RtpSessionConfig;

typedef struct {
  /* Protect a copy of data and send it: packet belongs to the session. */
  void (*send_rtp) (RtpSession *session, const RtpPacket *packet, void *arg);
  void (*send_rtcp) (RtpSession *session, const guint8 *data, gsize size, void *arg);
  /* After the last send_rtp of a burst: for transports that send in batches. */
  void (*flush) (RtpSession *session, void *arg);
  /* The other side (PLI, FIR) or the session itself wants a key frame on an outgoing stream. Not
   * throttled here: the hub merges wishes of all viewers. */
  void (*keyframe_wanted) (RtpSession *session, SendStream *stream, void *arg);
  /* What the link carries, all streams together; on changes of 5 % and more. */
  void (*estimate) (RtpSession *session, guint bps, void *arg);
  void (*packet) (RtpSession *session, RecvStream *stream, const RtpIncoming *packet, void *arg);
  void (*frame) (RtpSession *session, RecvStream *stream, Frame *frame, void *arg);
  /* The other side ended a stream (RTCP BYE). */
  void (*bye) (RtpSession *session, RecvStream *stream, void *arg);
} RtpSessionEvents;

typedef struct {
  gint64 rtt_us;      /* -1 unknown */
  double loss;        /* of what we send, last report, 0..1 */
  double recent_loss; /* the same over some seconds; 0 while little is known */
  double heard_loss;  /* of the other side's sound: not there in time, likewise */
  guint estimate_bps;
  guint sent_bps, received_bps; /* over the last second, with overhead */
  guint64 nacks, retransmitted; /* asked by the other side; resent */
  guint64 redundant;            /* older sound that went along with new sound */
  guint64 plis;                 /* PLI and FIR received */
  guint64 malformed, unknown;   /* packets dropped: not RTP/RTCP; of no stream */
  gint64 pacer_us;              /* how long the pacer's queue takes to empty now */
  guint parity_packets;         /* of pictures to one of FlexFEC that would be worth it; 0: none */
  guint64 parity;               /* packets of FlexFEC sent */
} RtpSessionStats;

/* NULL event members are allowed. */
RtpSession *rtp_session_new (const RtpSessionConfig *config, const RtpSessionEvents *events,
                             void *arg);
void rtp_session_free (RtpSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtpSession, rtp_session_free)

/* After an answer: header extensions and a=rtcp-rsize as agreed, also for the streams there are. */
void rtp_session_set_agreed (RtpSession *session, const RtpExtIds *ext, gboolean reduced_size);

/* Streams belong to the session. config.ext of a send stream and config.clock of a receive stream
 * are filled in by the session. */
SendStream *rtp_session_add_send (RtpSession *session, const SendStreamConfig *config);
/* mid: as negotiated, copied. ssrc, rtx_ssrc: from a=ssrc lines, 0 when unknown. At most 32. */
RecvStream *rtp_session_add_recv (RtpSession *session, const RecvStreamConfig *config,
                                  const char *mid, guint32 ssrc, guint32 rtx_ssrc);
/* One encoding of a simulcast: its packets are told by mid and rid until their SSRCs are known. */
RecvStream *rtp_session_add_layer (RtpSession *session, const RecvStreamConfig *config,
                                   const char *mid, const char *rid);
/* Frees the stream; packets of it that wait in the pacer still leave. Not from within events. */
void rtp_session_remove_send (RtpSession *session, SendStream *stream);
void rtp_session_remove_recv (RtpSession *session, RecvStream *stream);

/* Data of the caller's with a stream, not freed: which track it is. */
void rtp_session_set_send_data (RtpSession *session, SendStream *stream, void *data);
void *rtp_session_get_send_data (RtpSession *session, SendStream *stream);
void rtp_session_set_recv_data (RtpSession *session, RecvStream *stream, void *data);
void *rtp_session_get_recv_data (RtpSession *session, RecvStream *stream);

/* FALSE: refused (codec not negotiated, or the link is too slow now). */
gboolean rtp_session_send_frame (RtpSession *session, SendStream *stream, const Frame *frame,
                                 gint64 now_us);
/* As send_stream_forward(). */
gboolean rtp_session_forward (RtpSession *session, SendStream *stream, guint32 source,
                              const RtpIncoming *packet, gint64 now_us);
/* Asks the sender of an incoming stream for a key frame (merged, see recv_stream.h). */
void rtp_session_want_keyframe (RtpSession *session, RecvStream *stream, gint64 now_us);
/* The same, as often as key frames may cost: recv_stream_pass_keyframe(). */
void rtp_session_pass_keyframe (RtpSession *session, RecvStream *stream, gint64 now_us);

void rtp_session_receive_rtp (RtpSession *session, const guint8 *data, gsize size, gint64 now_us);
void rtp_session_receive_rtcp (RtpSession *session, const guint8 *data, gsize size, gint64 now_us);

void rtp_session_poll (RtpSession *session, gint64 now_us);
/* When poll has something to do; G_MAXINT64: nothing until the next packet. May be in the past. */
gint64 rtp_session_next_us (RtpSession *session);

/* While the path is gone (ICE lost consent) nothing is sent: video frames are refused, audio
 * dropped, the queue emptied. Resuming asks for key frames of all video streams. */
void rtp_session_pause (RtpSession *session, gboolean paused, gint64 now_us);
/* Nothing gets through for now: it is paused, or has no answers to what it sends. */
gboolean rtp_session_is_silent (const RtpSession *session);
/* Of the path only its round trip is known yet; 0: not even that. Does nothing once there was
 * feedback. */
void rtp_session_begin (RtpSession *session, gint64 rtt_us, gint64 now_us);
/* A datagram that is not of the session has left by the same way: of the channels. */
void rtp_session_sent_beside (RtpSession *session, gsize size, gint64 now_us);
/* Packets take another way from now on (ICE changed the pair): what was known of the link is void.
 */
void rtp_session_path_changed (RtpSession *session, gint64 now_us);
/* Sends BYE for all streams. */
void rtp_session_bye (RtpSession *session, gint64 now_us);

void rtp_session_stats (RtpSession *session, gint64 now_us, RtpSessionStats *ret_stats);
