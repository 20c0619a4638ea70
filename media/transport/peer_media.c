/* Lines, RTP and SRTP of a peer. rtp_session.h does the work; here it meets keys, path and loop. */
#include "media/transport/peer_private.h"
#include <openssl/rand.h>
#include <string.h>

enum {
  SILENT_US = 2 * G_USEC_PER_SEC, /* without a packet: the track is off */
  MIN_BPS = 50000,                /* sound on the slowest link */
  LAYER_GONE_US = G_USEC_PER_SEC,
  GRID_US = 5000, /* timers of all peers fire together, to wake the loop once */
};

static gint
next_source (void)
{
  static gint last;
  return g_atomic_int_add (&last, 1) + 1;
}

static guint32
random_number (void)
{
  guint32 number = 0;
  while (number == 0)
    RAND_bytes ((unsigned char *)&number, sizeof number);
  return number;
}

static void
remove_encodings (PeerLine *line)
{
  for (guint i = 0; i < line->n_encodings; i++)
    rtp_session_remove_recv (line->peer->rtp, line->encodings[i].stream);
  line->n_encodings = line->told = 0;
}

static void
line_free (gpointer data)
{
  PeerLine *line = data;
  if (line->send)
    rtp_session_remove_send (line->peer->rtp, line->send);
  remove_encodings (line);
  g_free (line->mid);
  g_free (line);
}

static PeerLine *
find_line (Peer *peer, const char *mid)
{
  for (guint i = 0; i < peer->lines->len; i++) {
    PeerLine *line = g_ptr_array_index (peer->lines, i);
    if (strcmp (line->mid, mid) == 0)
      return line;
  }
  return NULL;
}

static PeerLine *
add_line (Peer *peer, const char *mid, MediaKind kind, gboolean ours)
{
  if (peer->closed || peer->lines->len >= PEER_MAX_LINES || find_line (peer, mid))
    return NULL;
  PeerLine *line = g_new0 (PeerLine, 1);
  line->peer = peer;
  line->mid = g_strdup (mid);
  line->kind = kind;
  line->ours = ours;
  g_ptr_array_add (peer->lines, line);
  return line;
}

/* ---- timer ---- */

static void
arm (Peer *peer)
{
  gint64 next_us = rtp_session_next_us (peer->rtp);
  if (next_us == G_MAXINT64 || peer->closed)
    return;
  /* Only ever earlier: setting a timer wakes the loop, firing in vain costs less. */
  next_us = (MAX (next_us, 0) + GRID_US - 1) / GRID_US * GRID_US;
  if (next_us >= peer->rtp_armed_us)
    return;
  peer->rtp_armed_us = next_us;
  timer_at (peer->rtp_timer, next_us);
}

static void
on_rtp_timer (void *arg)
{
  Peer *peer = arg;
  peer->rtp_armed_us = G_MAXINT64;
  if (!peer->rtp || peer->closed)
    return;
  rtp_session_poll (peer->rtp, g_get_monotonic_time ());
  arm (peer);
}

static void
set_on (PeerLine *line, gboolean on)
{
  if (line->on == on)
    return;
  line->on = on;
  peer_defer (line->peer, DEFERRED_TRACK, line->mid, (guint)on);
}

static void
on_track_timer (void *arg)
{
  Peer *peer = arg;
  gint64 now_us = g_get_monotonic_time ();
  gboolean any = FALSE;
  for (guint i = 0; i < peer->lines->len; i++) {
    PeerLine *line = g_ptr_array_index (peer->lines, i);
    if (line->on && now_us - line->last_packet_us >= SILENT_US)
      set_on (line, FALSE);
    any |= line->on;
  }
  if (any)
    timer_at (peer->track_timer, now_us + SILENT_US / 4);
}

/* ---- events of the RTP session ---- */

static void
on_flush (RtpSession *session, void *arg)
{
  Peer *peer = arg;
  if (peer->n_batched > 0)
    peer_path_send (peer, peer->batched, peer->n_batched);
  peer->n_batched = 0;
}

static void
on_send_rtp (RtpSession *session, const RtpPacket *packet, void *arg)
{
  Peer *peer = arg;
  gsize size = packet->size;
  if (!peer->srtp || size > RTP_PACKET_CAPACITY)
    return;
  guint8 *place = peer->batch + (gsize)peer->n_batched * PEER_BATCH_ROOM;
  memcpy (place, packet->data, size);
  if (!srtp_session_protect_rtp (peer->srtp, place, &size))
    return;
  peer->batched[peer->n_batched++] = (UdpDatagram){ place, size };
  if (peer->n_batched == PEER_BATCH)
    on_flush (session, peer);
}

static void
on_send_rtcp (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  Peer *peer = arg;
  guint8 scratch[RTCP_MAX_SIZE + SRTP_SESSION_OVERHEAD];
  if (!peer->srtp || size > RTCP_MAX_SIZE)
    return;
  memcpy (scratch, data, size);
  if (srtp_session_protect_rtcp (peer->srtp, scratch, &size))
    peer_path_send (peer, &(UdpDatagram){ scratch, size }, 1);
}

static void
on_keyframe_wanted (RtpSession *session, SendStream *stream, void *arg)
{
  PeerLine *line = rtp_session_get_send_data (session, stream);
  if (line)
    peer_defer (arg, DEFERRED_KEYFRAME, line->mid, 0);
}

static void
on_estimate (RtpSession *session, guint bps, void *arg)
{
  peer_defer (arg, DEFERRED_ESTIMATE, NULL, bps);
}

static void
note_packet (PeerLine *line, gint64 now_us)
{
  line->last_packet_us = now_us;
  if (line->on)
    return;
  set_on (line, TRUE);
  timer_at (line->peer->track_timer, now_us + SILENT_US);
}

static void
on_packet (RtpSession *session, RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  Peer *peer = arg;
  PeerEncoding *encoding = rtp_session_get_recv_data (session, stream);
  if (!encoding || !encoding->line->active)
    return;
  note_packet (encoding->line, packet->arrived_us);
  encoding->last_packet_us = packet->arrived_us;
  RtpIncoming told = *packet;
  told.layer = encoding->layer;
  if (peer->events.packet)
    peer->events.packet (peer, encoding->line->mid, encoding->source, &told, peer->arg);
}

/* Frames of one encoding are told: of the best that comes, changed at its key frames. */
static gboolean
is_told (PeerEncoding *encoding, const Frame *frame, gint64 now_us)
{
  PeerLine *line = encoding->line;
  encoding->last_frame_us = now_us;
  gint64 silent_us = now_us - line->encodings[line->told].last_frame_us;
  gboolean better
      = encoding->layer < line->told || (encoding->layer > line->told && silent_us > LAYER_GONE_US);
  if (better && frame->key)
    line->told = encoding->layer;
  return encoding->layer == line->told;
}

static void
on_frame (RtpSession *session, RecvStream *stream, Frame *frame, void *arg)
{
  Peer *peer = arg;
  PeerEncoding *encoding = rtp_session_get_recv_data (session, stream);
  if (encoding && encoding->line->active && is_told (encoding, frame, g_get_monotonic_time ())
      && peer->events.frame)
    peer->events.frame (peer, encoding->line->mid, frame, peer->arg);
}

static void
on_bye (RtpSession *session, RecvStream *stream, void *arg)
{
  PeerEncoding *encoding = rtp_session_get_recv_data (session, stream);
  if (encoding && encoding->line->n_encodings == 1)
    set_on (encoding->line, FALSE);
}

static const RtpSessionEvents rtp_events = { .send_rtp = on_send_rtp,
                                             .send_rtcp = on_send_rtcp,
                                             .flush = on_flush,
                                             .keyframe_wanted = on_keyframe_wanted,
                                             .estimate = on_estimate,
                                             .packet = on_packet,
                                             .frame = on_frame,
                                             .bye = on_bye };

/* ---- for peer.c ---- */

void
peer_media_init (Peer *peer)
{
  peer->lines = g_ptr_array_new_with_free_func (line_free);
  peer->batch = g_malloc ((gsize)PEER_BATCH * PEER_BATCH_ROOM);
  peer->rtp_armed_us = G_MAXINT64;
  peer->rtp_timer = timer_new (peer->context, on_rtp_timer, peer);
  peer->track_timer = timer_new (peer->context, on_track_timer, peer);
}

void
peer_media_clear (Peer *peer)
{
  g_clear_pointer (&peer->lines, g_ptr_array_unref);
  g_clear_pointer (&peer->rtp, rtp_session_free);
  g_clear_pointer (&peer->srtp, srtp_session_free);
  g_clear_pointer (&peer->rtp_timer, timer_free);
  g_clear_pointer (&peer->track_timer, timer_free);
  g_clear_pointer (&peer->batch, g_free);
}

gboolean
peer_media_keys (Peer *peer, GError **error)
{
  peer->srtp = srtp_session_new (peer->dtls, error);
  if (!peer->srtp)
    return FALSE;
  peer_log (peer, "keys", srtp_session_profile_name (peer->srtp));
  return TRUE;
}

void
peer_media_set_flowing (Peer *peer, gboolean flowing)
{
  if (!peer->rtp)
    return;
  if (flowing)
    rtp_session_begin (peer->rtp, dtls_rtt_us (peer->dtls), g_get_monotonic_time ());
  rtp_session_pause (peer->rtp, !flowing, g_get_monotonic_time ());
  arm (peer);
}

void
peer_media_path_changed (Peer *peer)
{
  if (!peer->rtp)
    return;
  rtp_session_path_changed (peer->rtp, g_get_monotonic_time ());
  arm (peer);
}

void
peer_media_receive (Peer *peer, guint8 *datagram, gsize size)
{
  if (!peer->srtp || !peer->rtp)
    return;
  gint64 now_us = g_get_monotonic_time ();
  gboolean rtcp = rtp_is_rtcp (datagram, size);
  if (!(rtcp ? srtp_session_unprotect_rtcp (peer->srtp, datagram, &size)
             : srtp_session_unprotect_rtp (peer->srtp, datagram, &size)))
    return;
  peer_path_heard (peer);
  if (rtcp)
    rtp_session_receive_rtcp (peer->rtp, datagram, size, now_us);
  else
    rtp_session_receive_rtp (peer->rtp, datagram, size, now_us);
  arm (peer);
}

void
peer_media_bye (Peer *peer)
{
  if (peer->rtp && peer->srtp)
    rtp_session_bye (peer->rtp, g_get_monotonic_time ());
}

/* ---- lines ---- */

static void
make_session (Peer *peer)
{
  if (peer->rtp)
    return;
  /* Whoever offers chooses the ids, the same on all lines; a stream uses those its line agreed on.
   */
  RtpSessionConfig config = { .cname = peer->cname,
                              .ssrc = random_number (),
                              .ext = { .mid = SDP_EXT_MID,
                                       .twcc = SDP_EXT_TWCC,
                                       .abs_send_time = SDP_EXT_ABS_SEND_TIME,
                                       .rid = SDP_EXT_RID,
                                       .repaired_rid = SDP_EXT_REPAIRED_RID },
                              .start_bps = peer->start_bps,
                              .min_bps = MIN_BPS };
  const RtpExtIds *theirs = &peer->ice_config.ext;
  if (theirs->mid != 0 || theirs->twcc != 0 || theirs->abs_send_time != 0)
    config.ext = *theirs;
  peer->rtp = rtp_session_new (&config, &rtp_events, peer);
  rtp_session_pause (peer->rtp, peer->state != PEER_CONNECTED, g_get_monotonic_time ());
}

static gboolean
set_send_line (PeerLine *line, const SdpAgreedLine *agreed, GError **error)
{
  Peer *peer = line->peer;
  line->active = !agreed->rejected && (agreed->direction & SDP_SENDONLY);
  if (!line->active)
    return TRUE;
  RtpExtIds ext = { .mid = agreed->ext_mid,
                    .twcc = agreed->ext_twcc,
                    .abs_send_time = agreed->ext_twcc == 0 ? agreed->ext_abs_send_time : 0,
                    .playout_delay = agreed->ext_playout_delay };
  RtpPayloadType type
      = { agreed->codec.codec, agreed->codec.pt, agreed->codec.rtx_pt, agreed->codec.red_pt };
  line->codec = agreed->codec;
  line->takes_fec = agreed->fec_pt != 0;
  if (line->send) {
    send_stream_set_payload_types (line->send, &type, 1);
    send_stream_set_fec (line->send, agreed->fec_pt);
    send_stream_set_ext (line->send, &ext);
    return TRUE;
  }
  guint32 number = random_number ();
  SendStreamConfig config = {
    .kind = line->kind,
    .ssrc = line->stream.ssrc,
    .rtx_ssrc = agreed->codec.rtx_pt ? line->stream.rtx_ssrc : 0,
    .fec_ssrc = line->stream.fec_ssrc,
    .payload_types = { type },
    .n_payload_types = 1,
    .mid = line->mid,
    .first_seq
    = number & 0x7fff, /* half the range free, so that SRTP's roll-over is never guessed */
    .first_timestamp = random_number (),
  };
  line->send = rtp_session_add_send (peer->rtp, &config);
  if (!line->send) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_FAILED, "line \"%s\": too many streams", line->mid);
    return FALSE;
  }
  send_stream_set_fec (line->send, agreed->fec_pt);
  send_stream_set_ext (line->send, &ext); /* audio may do without what video agreed on */
  rtp_session_set_send_data (peer->rtp, line->send, line);
  return TRUE;
}

static RecvStreamConfig
receive_config (PeerLine *line, const SdpAgreedLine *agreed)
{
  RecvStreamConfig config = { .kind = line->kind, .frames = TRUE };
  for (guint i = 0; i < agreed->receive->len && i < RTP_MAX_PAYLOAD_TYPES; i++) {
    const SdpCodec *codec = &g_array_index (agreed->receive, SdpCodec, i);
    config.payload_types[config.n_payload_types++]
        = (RtpPayloadType){ codec->codec, codec->pt, codec->rtx_pt, codec->red_pt };
    config.nack |= codec->nack;
    line->red |= codec->red_pt != 0;
  }
  return config;
}

/* rid NULL: the line's only encoding. */
static gboolean
add_encoding (PeerLine *line, const RecvStreamConfig *config, const char *rid)
{
  RtpSession *rtp = line->peer->rtp;
  RecvStream *stream = rid ? rtp_session_add_layer (rtp, config, line->mid, rid)
                           : rtp_session_add_recv (rtp, config, line->mid, line->stream.ssrc,
                                                   line->stream.rtx_ssrc);
  if (!stream)
    return FALSE;
  PeerEncoding *encoding = &line->encodings[line->n_encodings];
  *encoding = (PeerEncoding){
    .line = line, .stream = stream, .layer = line->n_encodings++, .source = (guint32)next_source ()
  };
  rtp_session_set_recv_data (rtp, stream, encoding);
  return TRUE;
}

static gboolean
set_receive_line (PeerLine *line, const SdpAgreedLine *agreed, GError **error)
{
  line->active = !agreed->rejected && (agreed->direction & SDP_RECVONLY);
  SdpStream stream = { 0 };
  if (agreed->n_rids == 0 && agreed->streams && agreed->streams->len > 0)
    stream = g_array_index (agreed->streams, SdpStream, 0);
  gboolean same
      = line->n_encodings == MAX (agreed->n_rids, 1)
        && (stream.ssrc == 0
            || (stream.ssrc == line->stream.ssrc && stream.rtx_ssrc == line->stream.rtx_ssrc));
  if (!line->active || same)
    return TRUE;
  remove_encodings (line);
  line->stream = stream;
  RecvStreamConfig config = receive_config (line, agreed);
  gboolean ok = TRUE;
  if (agreed->n_rids == 0)
    ok = add_encoding (line, &config, NULL);
  for (guint i = 0; ok && i < agreed->n_rids; i++)
    ok = add_encoding (line, &config, agreed->rids[i].text);
  if (!ok)
    g_set_error (error, PEER_ERROR, PEER_ERROR_FAILED, "line \"%s\": too many streams", line->mid);
  return ok;
}

gboolean
peer_add_send_line (Peer *peer, const char *mid, MediaKind kind, SdpStream *ret_stream)
{
  PeerLine *line = add_line (peer, mid, kind, TRUE);
  if (!line)
    return FALSE;
  line->stream.ssrc = random_number ();
  if (kind == MEDIA_VIDEO) {
    line->stream.rtx_ssrc = random_number ();
    line->stream.fec_ssrc = random_number ();
  }
  *ret_stream = line->stream;
  return TRUE;
}

void
peer_remove_line (Peer *peer, const char *mid)
{
  PeerLine *line = find_line (peer, mid);
  if (!line)
    return;
  set_on (line, FALSE);
  g_ptr_array_remove (peer->lines, line);
}

static MediaKind
kind_of (const SdpAgreedLine *agreed)
{
  if (agreed->receive && agreed->receive->len > 0)
    return media_codec_kind (g_array_index (agreed->receive, SdpCodec, 0).codec);
  return media_codec_kind (agreed->codec.codec);
}

gboolean
peer_set_line (Peer *peer, const char *mid, const SdpAgreedLine *agreed, GError **error)
{
  PeerLine *line = find_line (peer, mid);
  gboolean wanted = !agreed->rejected && (agreed->direction & SDP_RECVONLY);
  if (!line && !wanted)
    return TRUE;
  if (!line && !(line = add_line (peer, mid, kind_of (agreed), FALSE))) {
    g_set_error (error, PEER_ERROR, PEER_ERROR_REMOTE, "line \"%s\": too many lines", mid);
    return FALSE;
  }
  make_session (peer);
  gboolean ok
      = line->ours ? set_send_line (line, agreed, error) : set_receive_line (line, agreed, error);
  if (!line->active)
    set_on (line, FALSE);
  arm (peer);
  return ok;
}

/* ---- media ---- */

static PeerLine *
sending_line (Peer *peer, const char *mid)
{
  if (peer->state != PEER_CONNECTED || peer->closed)
    return NULL;
  PeerLine *line = find_line (peer, mid);
  return line && line->active ? line : NULL;
}

void
peer_send_frame (Peer *peer, const char *mid, Frame *frame)
{
  PeerLine *line = sending_line (peer, mid);
  if (!line || !line->send || frame->codec != line->codec.codec)
    return;
  rtp_session_send_frame (peer->rtp, line->send, frame, g_get_monotonic_time ());
  arm (peer);
}

gboolean
peer_frame_clock (Peer *peer, const char *mid, guint32 *ret_timestamp, gint64 *ret_us)
{
  const PeerLine *line = find_line (peer, mid);
  gint64 now_us = g_get_monotonic_time ();
  RtcpSenderInfo info;
  if (!line || !line->send || !send_stream_sender_info (line->send, now_us, &info))
    return FALSE;
  *ret_timestamp = info.timestamp;
  *ret_us = now_us;
  return TRUE;
}

gboolean
peer_takes_parity (Peer *peer, const char *mid)
{
  const PeerLine *line = find_line (peer, mid);
  return line && line->send && line->takes_fec;
}

void
peer_set_parity (Peer *peer, const char *mid, guint packets)
{
  if (peer_takes_parity (peer, mid))
    send_stream_set_parity (find_line (peer, mid)->send, packets);
}

gboolean
peer_forward (Peer *peer, const char *mid, guint32 source, const RtpIncoming *packet)
{
  PeerLine *line = sending_line (peer, mid);
  if (!line || !line->send || packet->codec != line->codec.codec)
    return TRUE;
  gboolean on
      = rtp_session_forward (peer->rtp, line->send, source, packet, g_get_monotonic_time ());
  arm (peer);
  return on;
}

void
peer_break_forward (Peer *peer, const char *mid)
{
  PeerLine *line = find_line (peer, mid);
  if (line && line->send)
    send_stream_break (line->send);
}

gboolean
peer_receives_red (Peer *peer, const char *mid)
{
  PeerLine *line = find_line (peer, mid);
  return line && line->n_encodings > 0 && line->active && line->red;
}

MediaCodec
peer_send_codec (Peer *peer, const char *mid)
{
  PeerLine *line = find_line (peer, mid);
  return line && line->ours && line->active ? line->codec.codec : MEDIA_CODEC_NONE;
}

static void
ask_for_key (Peer *peer, const char *mid, void (*ask) (RtpSession *, RecvStream *, gint64))
{
  PeerLine *line = find_line (peer, mid);
  if (!line || !line->active || peer->closed)
    return;
  gint64 now_us = g_get_monotonic_time ();
  for (guint i = 0; i < line->n_encodings; i++) {
    const PeerEncoding *encoding = &line->encodings[i];
    /* Of a layer that rests none is to be had, and it would be asked for again and again. */
    if (line->n_encodings == 1 || now_us - encoding->last_packet_us < SILENT_US)
      ask (peer->rtp, encoding->stream, now_us);
  }
  arm (peer);
}

void
peer_request_keyframe (Peer *peer, const char *mid)
{
  ask_for_key (peer, mid, rtp_session_want_keyframe);
}

void
peer_pass_keyframe_request (Peer *peer, const char *mid)
{
  ask_for_key (peer, mid, rtp_session_pass_keyframe);
}

gboolean
peer_is_silent (const Peer *peer)
{
  return peer->rtp != NULL && rtp_session_is_silent (peer->rtp);
}

void
peer_stats (Peer *peer, PeerStats *ret_stats)
{
  RtpSessionStats rtp = { .rtt_us = -1 };
  IceRoute route = { 0 };
  gboolean has_path = ice_route (peer->ice, &route);
  if (peer->rtp)
    rtp_session_stats (peer->rtp, g_get_monotonic_time (), &rtp);
  *ret_stats = (PeerStats){
    .rtt_ms = rtp.rtt_us < 0 ? -1 : (double)rtp.rtt_us / 1000,
    .loss = rtp.loss,
    .recent_loss = rtp.recent_loss,
    .heard_loss = rtp.heard_loss,
    .redundant = rtp.redundant,
    .parity_packets = rtp.parity_packets,
    .parity = rtp.parity,
    .estimate_bps = rtp.estimate_bps,
    .sent_bps = rtp.sent_bps,
    .received_bps = rtp.received_bps,
    .relayed = route.local == CANDIDATE_RELAYED || route.remote == CANDIDATE_RELAYED,
    .has_path = has_path,
    .local = route.local,
    .remote = route.remote,
    .ipv6 = route.ipv6,
    .nacks = rtp.nacks,
    .retransmitted = rtp.retransmitted,
    .plis = rtp.plis,
    .packets_sent = peer->packets_sent,
    .packets_received = peer->packets_received,
    .srtp_errors = peer->srtp ? srtp_session_errors (peer->srtp) : 0,
  };
}
