#include "virtual_call.h"
#include "media/congestion/rate_meter.h"

#include <string.h>

enum {
  BEGIN_US = 5000000,
  GRID_US = 5000,
  FRAME_US = 33333,
  SOUND_US = 20000,
  SOUND_BYTES = 80,
  SOUND_BPS = 60000, /* with headers */
  VIDEO_MIN_BPS = 50000,
  RAISE_US = 300000, /* between two raises of the encoder, as the hub spares it */
  KEY_FRAMES = 5,    /* a key frame is as large as so many others */
  SENT_STEPS = 20,
  SENT_STEP_US = 10000,
  NEIGHBOUR = 99,
  NEIGHBOUR_BYTES = 1200,
};

static const RtpExtIds ext = { .mid = 4, .twcc = 3 };

typedef struct {
  VirtualCall *call;
  guint number;
  FlowConfig config;
  RtpSession *sender, *receiver;
  SendStream *video, *audio;
  gint64 sender_at_us, receiver_at_us; /* timers, on the grid */
  gint64 video_us, audio_us, stalled_us;
  gint64 raised_us;
  double target_bps, need;
  gboolean key;
  guint sent[SENT_STEPS];
  gint64 sent_step;
  RateMeter arrived;
  gint64 audio_came_us;
  FlowFigures figures;
  double estimate_sum;
  guint estimate_samples;
} Flow;

struct VirtualCall {
  gint64 now_us;
  VirtualLink *up, *down;
  Flow flows[CALL_MAX_FLOWS];
  guint n_flows;
  GRand *rand;
  gboolean neighbour;
  double window; /* of the neighbour, packets */
  guint flying;
  gint64 halved_us;
  RateMeter neighbour_rate;
};

/* ---- sessions ---- */

static void
count_sent (Flow *flow, guint wire)
{
  gint64 step = flow->call->now_us / SENT_STEP_US;
  if (step - flow->sent_step > SENT_STEPS)
    memset (flow->sent, 0, sizeof flow->sent);
  for (; flow->sent_step < step; flow->sent_step++)
    flow->sent[(flow->sent_step + 1) % SENT_STEPS] = 0;
  flow->sent[step % SENT_STEPS] += wire;
  flow->figures.sent_bytes += wire;
}

static void
on_rtp (RtpSession *session, const RtpPacket *packet, void *arg)
{
  Flow *flow = arg;
  VirtualCall *call = flow->call;
  count_sent (flow, packet->size + CALL_OVERHEAD);
  virtual_link_send (call->up, flow->number, packet->data, packet->size, CALL_OVERHEAD,
                     call->now_us);
}

static void
on_rtcp (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  Flow *flow = arg;
  VirtualLink *link = session == flow->sender ? flow->call->up : flow->call->down;
  virtual_link_send (link, flow->number, data, size, CALL_OVERHEAD, flow->call->now_us);
}

static void
on_key_wanted (RtpSession *session, SendStream *stream, void *arg)
{
  Flow *flow = arg;
  flow->key = TRUE;
}

static void
on_packet (RtpSession *session, RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  Flow *flow = arg;
  flow->figures.media_bytes += packet->view.size + CALL_OVERHEAD;
  if (recv_stream_kind (stream) != MEDIA_AUDIO)
    return;
  gint64 now_us = flow->call->now_us;
  if (flow->audio_came_us != 0)
    flow->figures.audio_gap_us = MAX (flow->figures.audio_gap_us, now_us - flow->audio_came_us);
  flow->audio_came_us = now_us;
}

static void
on_frame (RtpSession *session, RecvStream *stream, Frame *frame, void *arg)
{
  Flow *flow = arg;
  *(frame->codec == MEDIA_OPUS ? &flow->figures.audio_frames : &flow->figures.video_frames) += 1;
}

static void
add_streams (Flow *flow)
{
  SendStreamConfig video = { .kind = MEDIA_VIDEO,
                             .ssrc = 0x1000,
                             .rtx_ssrc = 0x1001,
                             .payload_types = { { MEDIA_H264, 102, 103 } },
                             .n_payload_types = 1,
                             .mid = "v",
                             .first_seq = 100 };
  SendStreamConfig audio = { .kind = MEDIA_AUDIO,
                             .ssrc = 0x2000,
                             .payload_types = { { MEDIA_OPUS, 111, 0 } },
                             .n_payload_types = 1,
                             .mid = "a",
                             .first_seq = 100 };
  flow->video = rtp_session_add_send (flow->sender, &video);
  flow->audio = rtp_session_add_send (flow->sender, &audio);
  if (flow->config.untold_audio)
    send_stream_set_ext (flow->audio, &(RtpExtIds){ .mid = ext.mid });
  RecvStreamConfig in = { .kind = MEDIA_VIDEO,
                          .payload_types = { { MEDIA_H264, 102, 103 } },
                          .n_payload_types = 1,
                          .nack = TRUE,
                          .frames = TRUE };
  rtp_session_add_recv (flow->receiver, &in, "v", 0, 0);
  in = (RecvStreamConfig){ .kind = MEDIA_AUDIO,
                           .payload_types = { { MEDIA_OPUS, 111, 0 } },
                           .n_payload_types = 1,
                           .frames = TRUE };
  rtp_session_add_recv (flow->receiver, &in, "a", 0, 0);
}

static void
flow_init (Flow *flow, VirtualCall *call, guint number, const FlowConfig *config)
{
  static const RtpSessionEvents send_events
      = { .send_rtp = on_rtp, .send_rtcp = on_rtcp, .keyframe_wanted = on_key_wanted };
  static const RtpSessionEvents receive_events
      = { .send_rtcp = on_rtcp, .packet = on_packet, .frame = on_frame };
  *flow = (Flow){ .call = call, .number = number, .config = *config, .key = TRUE, .need = 1 };
  if (flow->config.video_min_bps == 0)
    flow->config.video_min_bps = VIDEO_MIN_BPS;
  if (flow->config.video_max_bps == 0)
    flow->config.video_max_bps = G_MAXUINT32;
  RtpExtIds ids = ext;
  if (config->no_feedback)
    ids.twcc = 0;
  RtpSessionConfig session = { .cname = "sender",
                               .ssrc = 11,
                               .ext = ids,
                               .reduced_size = TRUE,
                               .start_bps = config->start_bps,
                               .min_bps = config->min_bps,
                               .max_bps = config->max_bps,
                               .overhead = CALL_OVERHEAD };
  flow->sender = rtp_session_new (&session, &send_events, flow);
  session.cname = "receiver";
  session.ssrc = 22;
  flow->receiver = rtp_session_new (&session, &receive_events, flow);
  add_streams (flow);
  gint64 begin_us = BEGIN_US + config->start_us;
  flow->video_us = config->no_video ? G_MAXINT64 : begin_us;
  flow->audio_us = config->no_audio ? G_MAXINT64 : begin_us;
  flow->sender_at_us = flow->receiver_at_us = G_MAXINT64;
  flow->figures.estimate_min = G_MAXUINT;
}

VirtualCall *
virtual_call_new (const VirtualLinkConfig *up, const VirtualLinkConfig *down,
                  const FlowConfig *flows, guint n_flows, guint32 seed)
{
  VirtualCall *call = g_new0 (VirtualCall, 1);
  call->now_us = BEGIN_US;
  call->up = virtual_link_new (up, seed * 3 + 1);
  call->down = virtual_link_new (down, seed * 3 + 2);
  call->rand = g_rand_new_with_seed (seed * 3 + 3);
  call->n_flows = MIN (n_flows, CALL_MAX_FLOWS);
  for (guint i = 0; i < call->n_flows; i++)
    flow_init (&call->flows[i], call, i, &flows[i]);
  return call;
}

void
virtual_call_free (VirtualCall *call)
{
  for (guint i = 0; i < call->n_flows; i++) {
    rtp_session_free (call->flows[i].sender);
    rtp_session_free (call->flows[i].receiver);
  }
  virtual_link_free (call->up);
  virtual_link_free (call->down);
  g_rand_free (call->rand);
  g_free (call);
}

/* ---- media ---- */

static Frame *
new_frame (VirtualCall *call, MediaCodec codec, gboolean key, guint size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  /* SPS and PPS of a 640x360 stream, as x264 writes them, before the IDR. */
  static const guint8 slice[] = { 0, 0, 0, 1, 0x41 };
  static const guint8 idr[]
      = { 0,    0,    0,    1,    0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0,
          0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x58, 0xba,
          0x80, 0,    0,    0,    1,    0x68, 0xce, 0x3c, 0x80, 0,    0,    0,    1,    0x65 };
  static const guint8 sound[] = { 31 << 3 };
  if (codec == MEDIA_OPUS)
    g_byte_array_append (bytes, sound, sizeof sound);
  else
    g_byte_array_append (bytes, key ? idr : slice, key ? sizeof idr : sizeof slice);
  guint at = bytes->len;
  g_byte_array_set_size (bytes, MAX (size, at + 1));
  memset (bytes->data + at, 0x55, bytes->len - at);
  g_autoptr (GBytes) data = g_bytes_new (bytes->data, bytes->len);
  return frame_new (codec, key || codec == MEDIA_OPUS, call->now_us, 0, data);
}

/* Lowers at once, raises now and then. */
static double
aim (Flow *flow)
{
  double estimate = virtual_call_estimate (flow->call, flow->number);
  double sound = flow->config.no_audio ? 0 : SOUND_BPS;
  double bps
      = CLAMP (estimate * 0.96 - sound, flow->config.video_min_bps, flow->config.video_max_bps);
  if (bps > flow->target_bps && flow->call->now_us - flow->raised_us < RAISE_US)
    return flow->target_bps;
  if (bps > flow->target_bps)
    flow->raised_us = flow->call->now_us;
  return flow->target_bps = bps;
}

static void
capture_video (Flow *flow)
{
  VirtualCall *call = flow->call;
  /* No two cameras have the same clock: else one frame is always behind the other's. */
  flow->video_us += FRAME_US + 97 * flow->number;
  if (flow->need <= 0)
    return;
  double size = aim (flow) * flow->need / 8 * FRAME_US / G_USEC_PER_SEC * 0.95;
  size *= g_rand_double_range (call->rand, 0.7, 1.3);
  gboolean key = flow->key;
  g_autoptr (Frame) frame
      = new_frame (call, MEDIA_H264, key, (guint)(key ? size * KEY_FRAMES : size));
  if (rtp_session_send_frame (flow->sender, flow->video, frame, call->now_us) && key)
    flow->key = FALSE;
}

static void
capture_audio (Flow *flow)
{
  g_autoptr (Frame) frame = new_frame (flow->call, MEDIA_OPUS, TRUE, SOUND_BYTES);
  rtp_session_send_frame (flow->sender, flow->audio, frame, flow->call->now_us);
  flow->audio_us += SOUND_US;
}

/* ---- the neighbour ---- */

static void
neighbour_send (VirtualCall *call)
{
  static const guint8 nothing[NEIGHBOUR_BYTES];
  VirtualLinkStats before, after;
  while (call->neighbour && call->flying < (guint)MAX (call->window, 1)) {
    virtual_link_stats (call->up, &before);
    virtual_link_send (call->up, NEIGHBOUR, nothing, sizeof nothing, 40, call->now_us);
    virtual_link_stats (call->up, &after);
    if (after.full > before.full || after.cut > before.cut) {
      if (call->now_us - call->halved_us > 200000)
        call->window = MAX (call->window / 2, 2);
      call->halved_us = call->now_us;
      return;
    }
    call->flying++;
  }
}

static void
neighbour_arrived (VirtualCall *call, guint wire)
{
  rate_meter_add (&call->neighbour_rate, wire, call->now_us);
  call->flying -= call->flying > 0;
  call->window += 1 / MAX (call->window, 1);
}

/* ---- the loop ---- */

static gint64
grid (gint64 us)
{
  return us == G_MAXINT64 ? us : (MAX (us, 0) + GRID_US - 1) / GRID_US * GRID_US;
}

static void
arm (Flow *flow)
{
  flow->sender_at_us = grid (rtp_session_next_us (flow->sender));
  flow->receiver_at_us = grid (rtp_session_next_us (flow->receiver));
}

static gint64
awake (const Flow *flow, gint64 us)
{
  return us == G_MAXINT64 ? us : MAX (us, flow->stalled_us);
}

static void
deliver_up (VirtualCall *call)
{
  VirtualPacket packet;
  while (virtual_link_take (call->up, call->now_us, &packet)) {
    if (packet.flow == NEIGHBOUR) {
      neighbour_arrived (call, packet.wire);
      g_free (packet.data);
      continue;
    }
    Flow *flow = &call->flows[packet.flow];
    if (rtp_is_rtcp (packet.data, packet.size)) {
      rtp_session_receive_rtcp (flow->receiver, packet.data, packet.size, call->now_us);
    } else {
      flow->figures.arrived_bytes += packet.wire;
      rate_meter_add (&flow->arrived, packet.wire, call->now_us);
      if ((packet.data[1] & 127) == 111)
        flow->figures.audio_delay_us
            = MAX (flow->figures.audio_delay_us, call->now_us - packet.sent_us);
      rtp_session_receive_rtp (flow->receiver, packet.data, packet.size, call->now_us);
    }
    arm (flow);
    g_free (packet.data);
  }
}

static void
deliver_down (VirtualCall *call)
{
  VirtualPacket packet;
  while (virtual_link_take (call->down, call->now_us, &packet)) {
    Flow *flow = &call->flows[packet.flow];
    rtp_session_receive_rtcp (flow->sender, packet.data, packet.size, call->now_us);
    arm (flow);
    g_free (packet.data);
  }
}

static void
turn (Flow *flow)
{
  gint64 now_us = flow->call->now_us;
  if (awake (flow, flow->video_us) <= now_us)
    capture_video (flow);
  if (awake (flow, flow->audio_us) <= now_us)
    capture_audio (flow);
  if (awake (flow, flow->sender_at_us) <= now_us)
    rtp_session_poll (flow->sender, now_us);
  if (flow->receiver_at_us <= now_us)
    rtp_session_poll (flow->receiver, now_us);
  arm (flow);
}

static gint64
next_us (VirtualCall *call)
{
  gint64 next = MIN (virtual_link_next_us (call->up), virtual_link_next_us (call->down));
  for (guint i = 0; i < call->n_flows; i++) {
    const Flow *flow = &call->flows[i];
    next = MIN (next, awake (flow, MIN (flow->video_us, flow->audio_us)));
    next = MIN (next, MIN (awake (flow, flow->sender_at_us), flow->receiver_at_us));
  }
  return next;
}

static void
sample (VirtualCall *call)
{
  for (guint i = 0; i < call->n_flows; i++) {
    Flow *flow = &call->flows[i];
    guint bps = virtual_call_estimate (call, i);
    flow->figures.estimate_min = MIN (flow->figures.estimate_min, bps);
    flow->figures.estimate_max = MAX (flow->figures.estimate_max, bps);
    flow->estimate_sum += bps;
    flow->estimate_samples++;
  }
}

static void
run_until (VirtualCall *call, gint64 end_us)
{
  while (call->now_us < end_us) {
    call->now_us = MIN (end_us, MAX (next_us (call), call->now_us));
    deliver_up (call);
    deliver_down (call);
    for (guint i = 0; i < call->n_flows; i++)
      turn (&call->flows[i]);
    neighbour_send (call);
  }
}

void
virtual_call_run (VirtualCall *call, gint64 us)
{
  gint64 end_us = call->now_us + us;
  while (call->now_us < end_us) {
    run_until (call, MIN (end_us, call->now_us + 50000));
    sample (call);
  }
}

gint64
virtual_call_now (const VirtualCall *call)
{
  return call->now_us - BEGIN_US;
}

VirtualLink *
virtual_call_up (VirtualCall *call)
{
  return call->up;
}

VirtualLink *
virtual_call_down (VirtualCall *call)
{
  return call->down;
}

void
virtual_call_set_capacity (VirtualCall *call, guint bps)
{
  VirtualLinkConfig config = *virtual_link_config (call->up);
  config.bps = bps;
  virtual_link_set (call->up, &config, call->now_us);
}

void
virtual_call_set_up (VirtualCall *call, const VirtualLinkConfig *up)
{
  virtual_link_set (call->up, up, call->now_us);
}

gint64
virtual_call_queue_us (VirtualCall *call)
{
  return virtual_link_queue_us (call->up, call->now_us);
}

void
virtual_call_hold (VirtualCall *call, gboolean receivers, gint64 us)
{
  virtual_link_hold (receivers ? call->up : call->down, call->now_us + us);
}

void
virtual_call_remb (VirtualCall *call, guint flow, guint bps)
{
  static const guint32 ssrcs[] = { 0x1000 };
  RtcpWriter writer;
  rtcp_writer_init (&writer);
  rtcp_write_remb (&writer, 22, bps, ssrcs, 1);
  virtual_link_send (call->down, flow, writer.data, writer.size, CALL_OVERHEAD, call->now_us);
}

void
virtual_call_cut (VirtualCall *call, gint64 us)
{
  virtual_link_cut (call->up, call->now_us + us, call->now_us);
  virtual_link_cut (call->down, call->now_us + us, call->now_us);
}

void
virtual_call_stall (VirtualCall *call, guint flow, gint64 us)
{
  call->flows[flow].stalled_us = call->now_us + us;
  virtual_link_hold (call->down, call->now_us + us);
}

void
virtual_call_set_need (VirtualCall *call, guint flow, double scale)
{
  call->flows[flow].need = scale;
}

void
virtual_call_set_neighbour (VirtualCall *call, gboolean on)
{
  call->neighbour = on;
  call->window = 2;
  call->flying = 0;
}

double
virtual_call_neighbour_bps (VirtualCall *call)
{
  return rate_meter_bps (&call->neighbour_rate, 9, call->now_us);
}

guint
virtual_call_estimate (VirtualCall *call, guint flow)
{
  RtpSessionStats stats;
  rtp_session_stats (call->flows[flow].sender, call->now_us, &stats);
  return stats.estimate_bps;
}

RtpSession *
virtual_call_session (VirtualCall *call, guint flow)
{
  return call->flows[flow].sender;
}

guint
virtual_call_sent_bps (VirtualCall *call, guint number)
{
  Flow *flow = &call->flows[number];
  guint64 bytes = 0;
  count_sent (flow, 0);
  for (guint i = 0; i < SENT_STEPS; i++)
    bytes += flow->sent[i];
  return (guint)(bytes * 8 * G_USEC_PER_SEC / (SENT_STEPS * SENT_STEP_US));
}

guint
virtual_call_arrived_bps (VirtualCall *call, guint flow)
{
  return rate_meter_bps (&call->flows[flow].arrived, 9, call->now_us);
}

void
virtual_call_reset (VirtualCall *call)
{
  for (guint i = 0; i < call->n_flows; i++) {
    Flow *flow = &call->flows[i];
    flow->figures = (FlowFigures){ .estimate_min = G_MAXUINT };
    flow->estimate_sum = 0;
    flow->estimate_samples = 0;
  }
}

void
virtual_call_figures (VirtualCall *call, guint number, FlowFigures *ret_figures)
{
  const Flow *flow = &call->flows[number];
  *ret_figures = flow->figures;
  if (flow->estimate_samples > 0)
    ret_figures->estimate_mean = flow->estimate_sum / flow->estimate_samples;
}
