/* Sessions: streams, demultiplexing, admission. */
#include "media/rtp/rtp_session_private.h"

#include <string.h>

enum {
  DEFAULT_OVERHEAD = 44, /* SRTP tag 16, UDP 8, IPv4 20 */
  UDP_IP = 28,
  POOL_FREE = 256,
  QUEUE_LONG_US = 400000,  /* video is refused above, */
  QUEUE_SHORT_US = 100000, /* and taken again, with a key frame, below */
  KEY_PAUSE_US = 500000,
  ESTIMATOR_US = 100000,
  ESTIMATOR_IDLE_US = 500000,
  RETRANSMIT_MIN_BPS = 50000,
  PAUSED_POLL_US = 100000,
};

RtpSession *
rtp_session_new (const RtpSessionConfig *config, const RtpSessionEvents *events, void *arg)
{
  RtpSession *s = g_new0 (RtpSession, 1);
  s->config = *config;
  s->cname = g_strdup (config->cname);
  s->config.cname = s->cname;
  if (s->config.overhead == 0)
    s->config.overhead = DEFAULT_OVERHEAD;
  s->events = *events;
  s->arg = arg;
  s->pool = rtp_packet_pool_new (POOL_FREE);
  s->send_lines = g_ptr_array_new ();
  s->recv_lines = g_ptr_array_new ();
  s->clock = remote_clock_new ();
  s->pacer = pacer_new (0);
  EstimatorConfig limits
      = { .start_bps = config->start_bps, .min_bps = config->min_bps, .max_bps = config->max_bps };
  s->estimator = estimator_new (&limits);
  s->told_bps = estimator_bps (s->estimator);
  pacer_set_rate (s->pacer, estimator_pacing_bps (s->estimator));
  s->twcc_sender = twcc_sender_new ();
  s->twcc_receiver = twcc_receiver_new ();
  s->results = g_new (TwccResult, TWCC_MAX_RESULTS);
  s->report_us = G_MININT64;
  s->random = config->ssrc | 1;
  s->rtt_us = -1;
  return s;
}

void
rtp_session_free (RtpSession *s)
{
  while (s->send_lines->len > 0) {
    SendLine *line = g_ptr_array_index (s->send_lines, s->send_lines->len - 1);
    rtp_session_remove_send (s, line->stream);
  }
  while (s->recv_lines->len > 0) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, s->recv_lines->len - 1);
    rtp_session_remove_recv (s, line->stream);
  }
  g_ptr_array_unref (s->send_lines);
  g_ptr_array_unref (s->recv_lines);
  pacer_free (s->pacer);
  estimator_free (s->estimator);
  twcc_sender_free (s->twcc_sender);
  twcc_receiver_free (s->twcc_receiver);
  remote_clock_free (s->clock);
  rtp_packet_pool_free (s->pool);
  g_free (s->results);
  g_free (s->cname);
  g_free (s);
}

/* --- streams --- */

static SendLine *
send_line (RtpSession *s, SendStream *stream)
{
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    if (line->stream == stream)
      return line;
  }
  return NULL;
}

static RecvLine *
recv_line (RtpSession *s, RecvStream *stream)
{
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    if (line->stream == stream)
      return line;
  }
  return NULL;
}

static void
emit_packet (SendStream *stream, RtpPacket *packet, void *arg)
{
  SendLine *line = arg;
  RtpSession *s = line->session;
  RtpClass class = packet->class;
  /* A retransmission that finds no place will be asked for again. */
  gboolean parity = packet->parity;
  if (!pacer_push (s->pacer, packet, s->now_us) && class == RTP_CLASS_VIDEO && !parity) {
    line->need_key = TRUE;
    send_stream_break (stream);
  }
}

static guint
retransmit_bps (RtpSession *s)
{
  return MAX (s->told_bps / 3, RETRANSMIT_MIN_BPS);
}

SendStream *
rtp_session_add_send (RtpSession *s, const SendStreamConfig *config)
{
  if (s->send_lines->len >= RTP_SESSION_MAX_STREAMS)
    return NULL;
  SendLine *line = g_new0 (SendLine, 1);
  SendStreamConfig own = *config;
  own.ext = s->config.ext;
  line->session = s;
  line->stream = send_stream_new (s->pool, &own, emit_packet, line);
  line->need_key = config->kind == MEDIA_VIDEO;
  line->key_wanted_us = G_MININT64 / 2;
  send_stream_set_limit (line->stream, retransmit_bps (s));
  if (s->rtt_us >= 0)
    send_stream_set_rtt (line->stream, s->rtt_us);
  g_ptr_array_add (s->send_lines, line);
  return line->stream;
}

static void
packet_came (RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  RecvLine *line = arg;
  RtpSession *s = line->session;
  if (s->events.packet)
    s->events.packet (s, stream, packet, s->arg);
}

static void
frame_came (RecvStream *stream, Frame *frame, void *arg)
{
  RecvLine *line = arg;
  RtpSession *s = line->session;
  if (s->events.frame)
    s->events.frame (s, stream, frame, s->arg);
}

RecvStream *
rtp_session_add_recv (RtpSession *s, const RecvStreamConfig *config, const char *mid, guint32 ssrc,
                      guint32 rtx_ssrc)
{
  static const RecvStreamEvents events = { .packet = packet_came, .frame = frame_came };
  if (s->recv_lines->len >= RTP_SESSION_MAX_STREAMS)
    return NULL;
  RecvLine *line = g_new0 (RecvLine, 1);
  RecvStreamConfig own = *config;
  own.clock = s->clock;
  line->session = s;
  line->stream = recv_stream_new (s->pool, &own, &events, line);
  line->ssrc = ssrc;
  line->rtx_ssrc = rtx_ssrc;
  g_strlcpy (line->mid, mid ? mid : "", sizeof line->mid);
  if (s->rtt_us >= 0)
    recv_stream_set_rtt (line->stream, s->rtt_us);
  g_ptr_array_add (s->recv_lines, line);
  return line->stream;
}

RecvStream *
rtp_session_add_layer (RtpSession *s, const RecvStreamConfig *config, const char *mid,
                       const char *rid)
{
  RecvStream *stream = rtp_session_add_recv (s, config, mid, 0, 0);
  if (stream)
    g_strlcpy (recv_line (s, stream)->rid, rid, sizeof ((RecvLine *)NULL)->rid);
  return stream;
}

void
rtp_session_remove_send (RtpSession *s, SendStream *stream)
{
  SendLine *line = send_line (s, stream);
  if (!line)
    return;
  g_ptr_array_remove (s->send_lines, line);
  send_stream_free (line->stream);
  g_free (line);
}

void
rtp_session_remove_recv (RtpSession *s, RecvStream *stream)
{
  RecvLine *line = recv_line (s, stream);
  if (!line)
    return;
  if (s->last_line == line)
    s->last_line = NULL;
  g_ptr_array_remove (s->recv_lines, line);
  recv_stream_free (line->stream);
  g_free (line);
}

void
rtp_session_set_agreed (RtpSession *s, const RtpExtIds *ext, gboolean reduced_size)
{
  s->config.ext = *ext;
  s->config.reduced_size = reduced_size;
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    send_stream_set_ext (line->stream, ext);
  }
}

void
rtp_session_set_send_data (RtpSession *s, SendStream *stream, void *data)
{
  SendLine *line = send_line (s, stream);
  if (line)
    line->data = data;
}

void *
rtp_session_get_send_data (RtpSession *s, SendStream *stream)
{
  SendLine *line = send_line (s, stream);
  return line ? line->data : NULL;
}

void
rtp_session_set_recv_data (RtpSession *s, RecvStream *stream, void *data)
{
  RecvLine *line = recv_line (s, stream);
  if (line)
    line->data = data;
}

void *
rtp_session_get_recv_data (RtpSession *s, RecvStream *stream)
{
  RecvLine *line = recv_line (s, stream);
  return line ? line->data : NULL;
}

SendLine *
rtp_session_find_send (RtpSession *s, guint32 ssrc)
{
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    if (send_stream_ssrc (line->stream) == ssrc)
      return line;
  }
  return NULL;
}

RecvLine *
rtp_session_find_recv (RtpSession *s, guint32 ssrc)
{
  if (s->last_line && ssrc != 0 && s->last_line->ssrc == ssrc)
    return s->last_line;
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    if (ssrc != 0 && (line->ssrc == ssrc || line->rtx_ssrc == ssrc))
      return line;
  }
  return NULL;
}

/* --- out --- */

/* After every entry. */
static void
finish (RtpSession *s)
{
  rtp_session_pump (s);
  rtp_session_send_due_rtcp (s);
}

static void
ask_for_key (SendLine *line)
{
  RtpSession *s = line->session;
  if (s->now_us - line->key_wanted_us < KEY_PAUSE_US)
    return;
  line->key_wanted_us = s->now_us;
  if (s->events.keyframe_wanted)
    s->events.keyframe_wanted (s, line->stream, s->arg);
}

/* Whether a video frame or packet may go; begins: a key frame begins with it. */
static gboolean
admit_video (SendLine *line, gboolean begins)
{
  RtpSession *s = line->session;
  gint64 delay = pacer_delay_us (s->pacer);
  gint64 slack = MAX (0, s->key_drained_us - s->now_us);
  if (s->paused || s->silent || delay > QUEUE_LONG_US + slack)
    line->need_key = TRUE;
  if (!line->need_key)
    return TRUE;
  if (s->paused || s->silent || delay > QUEUE_SHORT_US)
    return FALSE;
  if (!begins) {
    ask_for_key (line);
    return FALSE;
  }
  line->need_key = FALSE;
  return TRUE;
}

static void
report_soon (SendLine *line)
{
  if (line->reported)
    return;
  line->reported = TRUE;
  line->session->report_us = line->session->now_us;
}

gboolean
rtp_session_send_frame (RtpSession *s, SendStream *stream, const Frame *frame, gint64 now_us)
{
  SendLine *line = send_line (s, stream);
  s->now_us = now_us;
  if (!line || !send_stream_accepts (stream, frame->codec))
    return FALSE;
  gboolean video = send_stream_kind (stream) == MEDIA_VIDEO;
  if (video ? !admit_video (line, frame->key) : s->paused)
    return FALSE;
  gboolean sent = send_stream_frame (stream, frame, now_us);
  if (sent)
    report_soon (line);
  finish (s);
  if (video && frame->key)
    s->key_drained_us = now_us + pacer_delay_us (s->pacer);
  return sent;
}

gboolean
rtp_session_forward (RtpSession *s, SendStream *stream, guint32 source, const RtpIncoming *packet,
                     gint64 now_us)
{
  SendLine *line = send_line (s, stream);
  s->now_us = now_us;
  if (!line || !send_stream_accepts (stream, packet->codec))
    return TRUE;
  if (send_stream_kind (stream) == MEDIA_AUDIO) {
    if (s->paused)
      return TRUE;
  } else if (!admit_video (line, packet->key_start)) {
    send_stream_break (stream);
    /* Nothing to be asked for while the link is the trouble. */
    return s->paused || s->silent || pacer_delay_us (s->pacer) > QUEUE_SHORT_US;
  }
  gboolean done = send_stream_forward (stream, source, packet, now_us);
  if (done)
    report_soon (line);
  finish (s);
  return done;
}

void
rtp_session_want_keyframe (RtpSession *s, RecvStream *stream, gint64 now_us)
{
  s->now_us = now_us;
  recv_stream_want_keyframe (stream, now_us);
}

void
rtp_session_pass_keyframe (RtpSession *s, RecvStream *stream, gint64 now_us)
{
  s->now_us = now_us;
  recv_stream_pass_keyframe (stream, now_us);
}

/* Video begins anew with a key frame: now, or when it may go again. */
static void
break_video (RtpSession *s, gboolean now)
{
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    if (send_stream_kind (line->stream) != MEDIA_VIDEO)
      continue;
    line->need_key = TRUE;
    send_stream_break (line->stream);
    if (!now)
      continue;
    send_stream_forget (line->stream);
    if (line->reported)
      ask_for_key (line);
  }
}

void
rtp_session_pause (RtpSession *s, gboolean paused, gint64 now_us)
{
  s->now_us = now_us;
  if (s->paused == paused)
    return;
  s->paused = paused;
  s->silent = FALSE;
  pacer_clear (s->pacer);
  if (!paused)
    estimator_returned (s->estimator, now_us);
  break_video (s, !paused);
  rtp_session_apply_estimate (s);
  finish (s);
}

gboolean
rtp_session_is_silent (const RtpSession *s)
{
  return s->paused || s->silent;
}

void
rtp_session_begin (RtpSession *s, gint64 rtt_us, gint64 now_us)
{
  s->now_us = now_us;
  estimator_begin (s->estimator, rtt_us, now_us);
  rtp_session_apply_estimate (s);
}

void
rtp_session_sent_beside (RtpSession *s, gsize size, gint64 now_us)
{
  estimator_sent_beside (s->estimator, (guint)size + UDP_IP, now_us);
}

void
rtp_session_path_changed (RtpSession *s, gint64 now_us)
{
  s->now_us = now_us;
  estimator_path_changed (s->estimator, now_us);
  rtp_session_apply_estimate (s);
  finish (s);
}

/* In a blackout old pictures would only be the first to come through afterwards, late. Sound goes
 * on, and brings the first answer. */
static void
follow_silence (RtpSession *s)
{
  gboolean silent = estimator_silent (s->estimator);
  if (silent == s->silent)
    return;
  s->silent = silent;
  if (silent)
    pacer_clear_video (s->pacer);
  break_video (s, !silent);
}

void
rtp_session_set_redundancy (RtpSession *s)
{
  guint sound = 0;
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    sound += send_stream_red_bps (line->stream);
  }
  guint depth = redundancy_decide (&s->redundancy, sound, estimator_bps (s->estimator), s->now_us);
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    send_stream_set_redundancy (line->stream, depth);
  }
}

void
rtp_session_weigh_parity (RtpSession *s)
{
  s->parity_packets
      = parity_decide (&s->parity, redundancy_loss (&s->redundancy), s->rtt_us, s->now_us);
}

void
rtp_session_apply_estimate (RtpSession *s)
{
  follow_silence (s);
  guint bps = estimator_bps (s->estimator);
  pacer_set_rate (s->pacer, estimator_pacing_bps (s->estimator));
  if (ABS ((gint64)bps - s->told_bps) * 20 < s->told_bps)
    return;
  s->told_bps = bps;
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    send_stream_set_limit (line->stream, retransmit_bps (s));
  }
  if (s->events.estimate)
    s->events.estimate (s, bps, s->arg);
}

/* --- in --- */

/* The encodings of a simulcast have one mid: the rid tells which, or, once that is not sent any
 * more, the SSRC (RFC 8852 3.3). */
static RecvLine *
line_by_name (RtpSession *s, const RtpView *view)
{
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    if (strcmp (line->mid, view->mid) == 0
        && (line->rid[0] == '\0' || strcmp (line->rid, view->rid) == 0))
      return line;
  }
  return NULL;
}

/* Only when the payload type belongs to a single line. */
static RecvLine *
line_by_payload_type (RtpSession *s, guint8 payload_type)
{
  RecvLine *found = NULL;
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    gboolean rtx;
    if (!recv_stream_has_payload_type (line->stream, payload_type, &rtx))
      continue;
    if (found)
      return NULL;
    found = line;
  }
  return found;
}

static void
bind_ssrc (RtpSession *s, RecvLine *line, guint32 ssrc, gboolean rtx)
{
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *other = g_ptr_array_index (s->recv_lines, i);
    if (other->ssrc == ssrc)
      other->ssrc = 0;
    if (other->rtx_ssrc == ssrc)
      other->rtx_ssrc = 0;
  }
  *(rtx ? &line->rtx_ssrc : &line->ssrc) = ssrc;
}

/* RFC 8843 9.2: the mid decides when there is one, then the SSRC, then the payload type. */
static RecvLine *
route (RtpSession *s, const RtpView *view)
{
  RecvLine *line = view->mid[0] ? line_by_name (s, view) : NULL;
  if (!line)
    line = rtp_session_find_recv (s, view->ssrc);
  if (!line)
    line = line_by_payload_type (s, view->payload_type);
  gboolean rtx;
  if (!line || !recv_stream_has_payload_type (line->stream, view->payload_type, &rtx))
    return NULL;
  if ((rtx ? line->rtx_ssrc : line->ssrc) != view->ssrc)
    bind_ssrc (s, line, view->ssrc, rtx);
  return line;
}

void
rtp_session_receive_rtp (RtpSession *s, const guint8 *data, gsize size, gint64 now_us)
{
  RtpView view;
  s->now_us = now_us;
  if (!rtp_parse (data, size, &s->config.ext, &view)) {
    s->malformed++;
    return;
  }
  rate_meter_add (&s->received, size + s->config.overhead, now_us);
  if (view.has_twcc)
    twcc_receiver_arrived (s->twcc_receiver, view.twcc_seq, view.ssrc, now_us);
  RecvLine *line = route (s, &view);
  if (line) {
    s->last_line = line;
    recv_stream_receive (line->stream, &view, now_us);
  } else {
    s->unknown++;
  }
  finish (s);
}

void
rtp_session_poll (RtpSession *s, gint64 now_us)
{
  s->now_us = now_us;
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    recv_stream_poll (line->stream, now_us);
  }
  if (now_us - s->estimator_us >= ESTIMATOR_US) {
    s->estimator_us = now_us;
    estimator_poll (s->estimator, now_us);
    rtp_session_apply_estimate (s);
    rtp_session_knock (s);
  }
  finish (s);
}

gint64
rtp_session_next_us (RtpSession *s)
{
  gint64 next = G_MAXINT64;
  for (guint i = 0; i < s->recv_lines->len; i++) {
    RecvLine *line = g_ptr_array_index (s->recv_lines, i);
    next = MIN (next, recv_stream_next_us (line->stream));
  }
  if (s->paused) /* feedback that is due cannot leave: only frames are looked after */
    return next == G_MAXINT64 ? next : MAX (next, s->now_us + PAUSED_POLL_US);
  next = MIN (next, pacer_next_us (s->pacer));
  next = MIN (next, rtp_session_rtcp_next_us (s));
  if (twcc_sender_in_flight (s->twcc_sender) > 0)
    next = MIN (next, s->estimator_us + (s->silent ? ESTIMATOR_US : ESTIMATOR_IDLE_US));
  return next;
}

void
rtp_session_stats (RtpSession *s, gint64 now_us, RtpSessionStats *ret_stats)
{
  *ret_stats = (RtpSessionStats){
    .rtt_us = s->rtt_us,
    .loss = s->loss,
    .recent_loss = redundancy_loss (&s->redundancy),
    .heard_loss = redundancy_loss (&s->heard),
    .estimate_bps = estimator_bps (s->estimator),
    .sent_bps = rate_meter_bps (&s->sent, 9, now_us),
    .received_bps = rate_meter_bps (&s->received, 9, now_us),
    .plis = s->plis,
    .malformed = s->malformed,
    .unknown = s->unknown,
    .pacer_us = pacer_delay_us (s->pacer),
    .parity_packets = s->parity_packets,
  };
  for (guint i = 0; i < s->send_lines->len; i++) {
    SendLine *line = g_ptr_array_index (s->send_lines, i);
    SendStreamStats stats;
    send_stream_stats (line->stream, &stats);
    ret_stats->nacks += stats.nacks;
    ret_stats->retransmitted += stats.retransmitted;
    ret_stats->redundant += stats.redundant;
    ret_stats->parity += stats.parity;
  }
}
