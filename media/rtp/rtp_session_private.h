/* The inside of RtpSession, shared by rtp_session.c (streams, packets),
 * rtp_session_pace.c, rtp_session_rtcp_in.c and rtp_session_rtcp_out.c. */
#pragma once
#include "media/congestion/estimator.h"
#include "media/congestion/pacer.h"
#include "media/congestion/rate_meter.h"
#include "media/rtp/parity.h"
#include "media/rtp/redundancy.h"
#include "media/rtp/rtp_session.h"
#include "media/rtp/twcc.h"

enum { RTP_SESSION_MAX_STREAMS = 32 }; /* in each direction */

typedef struct {
  RtpSession *session;
  SendStream *stream;
  void *data;
  gboolean need_key;    /* video: frames are refused until a key frame */
  gint64 key_wanted_us; /* when one was asked for last */
  gboolean reported;    /* an SR of it was sent */
  guint32 reported_seq; /* highest number in the other side's last block */
} SendLine;

typedef struct {
  RtpSession *session;
  RecvStream *stream;
  void *data;
  char mid[RTP_MID_MAX + 1], rid[RTP_MID_MAX + 1];
  guint32 ssrc, rtx_ssrc;         /* 0: not known yet */
  guint64 told_frames, told_lost; /* sound, at our last report */
} RecvLine;

struct RtpSession {
  RtpSessionConfig config; /* its cname is the copy below */
  char *cname;
  RtpSessionEvents events;
  void *arg;
  gint64 now_us; /* of the entry under way */
  gboolean paused;
  gboolean silent; /* estimator_silent(): video rests */
  gint64 told_us;  /* last packet that feedback will tell of */

  RtpPacketPool *pool;
  GPtrArray *send_lines, *recv_lines; /* of SendLine, RecvLine; own them */
  RecvLine *last_line;                /* the packet before was for it */
  RemoteClock *clock;
  Pacer *pacer;
  gint64 key_drained_us; /* when the last key frame will have left: a queue until then is its own */
  Estimator *estimator;
  guint told_bps;      /* the estimate that was told last */
  gint64 estimator_us; /* estimator_poll() was called last */
  TwccSender *twcc_sender;
  TwccReceiver *twcc_receiver;
  TwccResult *results; /* TWCC_MAX_RESULTS, for one feedback */
  gboolean told_fates; /* there was transport-wide feedback */
  Redundancy redundancy;
  Parity parity;
  guint parity_packets; /* of pictures to a parity packet that would be worth its bits; 0: none */
  Redundancy heard;     /* only its count: what of the other side's sound was not there in time */

  gint64 report_us; /* next SR or RR */
  guint32 random;   /* spreads reports, RFC 3550 6.3.1 */
  gint64 rtt_us;    /* smoothed; -1 unknown */
  double loss;
  RateMeter sent, received;
  guint64 plis, malformed, unknown;
};

SendLine *rtp_session_find_send (RtpSession *session, guint32 ssrc);
RecvLine *rtp_session_find_recv (RtpSession *session, guint32 ssrc);
/* Follows what the link loses: how much older sound goes along with new sound. */
void rtp_session_set_redundancy (RtpSession *session);
/* The same of pictures; whether there is room for it the caller knows. */
void rtp_session_weigh_parity (RtpSession *session);
/* After anything that may have moved the estimate. */
void rtp_session_apply_estimate (RtpSession *session);

/* rtp_session_pace.c: what may leave now; a probe's packets evenly, then the others. */
void rtp_session_pump (RtpSession *session);
/* Without sound nothing leaves in a blackout that could be answered at its end: about each 100 ms.
 */
void rtp_session_knock (RtpSession *session);

/* rtp_session_rtcp_out.c: sends what is due. */
void rtp_session_send_due_rtcp (RtpSession *session);
gint64 rtp_session_rtcp_next_us (RtpSession *session);
