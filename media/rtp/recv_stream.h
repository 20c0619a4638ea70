/* One incoming RTP stream of one peer with its RTX: loss, NACK, reports, frames.
 *
 * Sans-IO; one thread (the hub's loop). rtp_session.h drives it inside a peer; alone:
 *
 *   RecvStream *r = recv_stream_new (pool, &config, &events, arg);
 *   recv_stream_receive (r, &view, now_us);          decrypted, parsed, found by SSRC or mid
 *     -> events.packet   each media packet once, as it arrives: for send_stream_forward()
 *     -> events.frame    whole frames in order: for the recorder
 *   recv_stream_poll (r, now_us);                    when recv_stream_next_us() is reached
 *   n = recv_stream_take_nacks (r, now_us, seqs, G_N_ELEMENTS (seqs)); rtcp_write_nack (…)
 *   if (recv_stream_take_pli (r, now_us)) rtcp_write_pli (…)
 *   ... an SR of its SSRC came:  recv_stream_sender_report (r, &info, now_us)
 *   ... every second:            recv_stream_report (r, now_us, &block); rtcp_write_rr (…)
 *
 * Sound that comes as RED (RFC 2198) is taken apart: what was lost and rides along with a later
 * packet is delivered before it under its own number, the rest is left out.
 *
 * Video frames wait for retransmission up to max_wait_us; then the stream skips to the next key
 * frame and wishes a PLI. Audio goes through a jitter buffer whose depth follows the measured
 * jitter between min and max delay; what comes later is dropped. Memory is bounded by the window
 * of packets (1024 for video, 128 for audio).
 */
#pragma once
#include "media/frame.h"
#include "media/rtp/remote_clock.h"
#include "media/rtp/rtcp.h"
#include "media/rtp/rtp_packet.h"

#define RTP_MAX_PAYLOAD_TYPES 4

typedef struct {
  MediaCodec codec;
  guint8 number;
  guint8 rtx; /* payload type with apt=number; 0: none */
  guint8 red; /* sound: payload type of RED (red.h) with blocks of `number`; 0: none */
} RtpPayloadType;

typedef struct RecvStream RecvStream;

typedef struct {
  MediaKind kind;
  RtpPayloadType payload_types[RTP_MAX_PAYLOAD_TYPES];
  guint n_payload_types;
  gboolean nack;                     /* negotiated */
  gboolean frames;                   /* put frames together; FALSE: only events.packet */
  gint64 max_wait_us;                /* video; 0: 1 s */
  gint64 min_delay_us, max_delay_us; /* audio; 0: 20 ms, 120 ms */
  RemoteClock *clock;                /* the sender's clock, one per peer; NULL: one of its own */
} RecvStreamConfig;

/* A media packet as events.packet gives it; valid during the call. */
typedef struct {
  RtpView view; /* RTX and RED already taken off */
  MediaCodec codec;
  gint64 seq;  /* extended sequence number */
  guint epoch; /* one more whenever the sender began its numbers anew (new SSRC, jump) */
  gint64 arrived_us;
  gint64 capture_us;  /* on our monotonic clock */
  gboolean key_start; /* a key frame begins here; every Opus packet */
  gboolean recovered; /* came by RTX, or beside a later packet (RED) */
  guint layer;        /* of a simulcast, 0 the best; by who knows the line */
} RtpIncoming;

typedef struct {
  void (*packet) (RecvStream *stream, const RtpIncoming *packet, void *arg);
  /* Take a reference to keep it. */
  void (*frame) (RecvStream *stream, Frame *frame, void *arg);
} RecvStreamEvents;

typedef struct {
  guint64 packets, bytes;   /* media packets; bytes are payload */
  guint64 duplicates, late; /* late: after its frame was given up */
  guint64 recovered;        /* by RTX or RED */
  guint64 nacked, given_up; /* sequence numbers */
  guint64 frames, frames_lost, plis;
  guint64 malformed;
  gint64 lost; /* cumulative as in RFC 3550 */
  double jitter_ms;
  gint64 audio_delay_us; /* jitter buffer's depth now */
} RecvStreamStats;

/* The pool (and the clock) must outlive the stream. NULL event members are allowed. */
RecvStream *recv_stream_new (RtpPacketPool *pool, const RecvStreamConfig *config,
                             const RecvStreamEvents *events, void *arg);
void recv_stream_free (RecvStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RecvStream, recv_stream_free)

MediaKind recv_stream_kind (RecvStream *stream);
/* SSRC of the media packets seen last; 0 before the first. */
guint32 recv_stream_ssrc (RecvStream *stream);
/* After a renegotiation. */
void recv_stream_set_payload_types (RecvStream *stream, const RtpPayloadType *types, guint n);
/* TRUE when the payload type is one of its own, RTX included (ret_rtx). */
gboolean recv_stream_has_payload_type (RecvStream *stream, guint8 payload_type, gboolean *ret_rtx);

/* A packet of this stream or of its RTX (told apart by payload type). A new media SSRC, or a jump
 * of the numbers confirmed by a second packet, starts a new epoch. */
void recv_stream_receive (RecvStream *stream, const RtpView *view, gint64 now_us);
/* Does what is due: frames given up, audio released. */
void recv_stream_poll (RecvStream *stream, gint64 now_us);
/* When poll, take_nacks or take_pli have something to do; G_MAXINT64: never. */
gint64 recv_stream_next_us (RecvStream *stream);

void recv_stream_set_rtt (RecvStream *stream, gint64 rtt_us);
void recv_stream_sender_report (RecvStream *stream, const RtcpSenderInfo *info, gint64 now_us);

/* Sequence numbers to be asked for now, ascending; each again after about a round trip, at most
 * ten times, at most 500 outstanding. Returns their number. */
gsize recv_stream_take_nacks (RecvStream *stream, gint64 now_us, guint16 *seqs, gsize max);
/* A key frame is wished from outside, e.g. by a viewer of a forwarded stream. Wishes are merged by
 * delay, not dropped: a PLI leaves at once, the next not before 300 ms later. */
void recv_stream_want_keyframe (RecvStream *stream, gint64 now_us);
/* The same for a viewer that lost something, maybe over and over: the next PLI waits until key
 * frames take no more than a third of the stream, 2 s at most. */
void recv_stream_pass_keyframe (RecvStream *stream, gint64 now_us);
/* TRUE: a PLI is to be sent now (and counts as sent). Repeated until a key frame begins. */
gboolean recv_stream_take_pli (RecvStream *stream, gint64 now_us);

/* A reception report; fraction_lost is since the last call. FALSE: no packet yet. */
gboolean recv_stream_report (RecvStream *stream, gint64 now_us, RtcpBlock *ret_block);

void recv_stream_stats (RecvStream *stream, RecvStreamStats *ret_stats);
