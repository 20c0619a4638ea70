/* RTP of a hostile browser: into a session that receives sound and picture, puts frames together
 * and forwards to another session, whose timers run as a real loop would run them. */
#include "media/rtp/payload.h"
#include "media/rtp/rtp_session.h"
#include "rtp_records.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

enum { START_US = 5000000 };

static const RtpExtIds ext = { .mid = 1, .twcc = 2, .abs_send_time = 3 };

typedef struct {
  RtpSession *in, *out;
  SendStream *forward[2];
  gint64 now_us;
  gint64 last_capture_us[2];
} World;

static void
on_packet (RtpSession *session, RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  World *w = arg;
  MediaKind kind = recv_stream_kind (stream);
  g_assert_cmpint (packet->capture_us, <=, w->now_us);
  if (!rtp_session_forward (w->out, w->forward[kind], 1, packet, w->now_us))
    rtp_session_want_keyframe (session, stream, w->now_us);
}

static void
on_frame (RtpSession *session, RecvStream *stream, Frame *frame, void *arg)
{
  World *w = arg;
  MediaKind kind = recv_stream_kind (stream);
  g_assert_cmpuint (g_bytes_get_size (frame->data), >, 0);
  g_assert_cmpuint (g_bytes_get_size (frame->data), <=, PAYLOAD_FRAME_MAX);
  g_assert_cmpint (frame->capture_us, >, w->last_capture_us[kind]);
  w->last_capture_us[kind] = frame->capture_us;
}

static void
on_rtp_out (RtpSession *session, const RtpPacket *packet, void *arg)
{
  RtpView view;
  g_assert_true (rtp_parse (packet->data, packet->size, &ext, &view));
  g_assert_true (view.has_twcc);
}

static void
on_rtcp_out (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  RtcpReader reader;
  RtcpPacket packet;
  g_assert_cmpuint (size, <=, RTCP_MAX_SIZE);
  rtcp_reader_init (&reader, data, size);
  while (rtcp_reader_next (&reader, &packet))
    ;
  g_assert_cmpuint (reader.left, ==, 0);
}

static RtpSession *
new_session (World *w)
{
  static const RtpSessionEvents events = {
    .packet = on_packet, .frame = on_frame, .send_rtp = on_rtp_out, .send_rtcp = on_rtcp_out
  };
  RtpSessionConfig config = { .cname = "fuzz", .ssrc = 1, .ext = ext, .reduced_size = TRUE };
  return rtp_session_new (&config, &events, w);
}

static void
add_streams (World *w)
{
  RecvStreamConfig video = { .kind = MEDIA_VIDEO,
                             .payload_types = { { MEDIA_VP8, 96, 97 }, { MEDIA_H264, 98, 99 } },
                             .n_payload_types = 2,
                             .nack = TRUE,
                             .frames = TRUE };
  RecvStreamConfig audio = { .kind = MEDIA_AUDIO,
                             .payload_types = { { MEDIA_OPUS, 111, 0, 63 } },
                             .n_payload_types = 1,
                             .nack = TRUE,
                             .frames = TRUE };
  rtp_session_add_recv (w->in, &video, "cam", 0, 0);
  rtp_session_add_recv (w->in, &audio, "mic", 0, 0);
  SendStreamConfig send = { .kind = MEDIA_VIDEO,
                            .ssrc = 10,
                            .rtx_ssrc = 11,
                            .payload_types = { { MEDIA_VP8, 96, 97 }, { MEDIA_H264, 98, 99 } },
                            .n_payload_types = 2,
                            .mid = "f0" };
  w->forward[MEDIA_VIDEO] = rtp_session_add_send (w->out, &send);
  send = (SendStreamConfig){ .kind = MEDIA_AUDIO,
                             .ssrc = 20,
                             .payload_types = { { MEDIA_OPUS, 111, 0, 63 } },
                             .n_payload_types = 1,
                             .mid = "f1" };
  w->forward[MEDIA_AUDIO] = rtp_session_add_send (w->out, &send);
}

/* What a loop would do until the next datagram; a timer that stays due would spin it. */
static void
run_timers (RtpSession *session, World *w, gint64 until_us)
{
  gint64 next;
  for (guint i = 0; (next = rtp_session_next_us (session)) <= until_us; i++) {
    w->now_us = MAX (w->now_us, next);
    rtp_session_poll (session, w->now_us);
    g_assert_cmpint (rtp_session_next_us (session), >, w->now_us);
    g_assert_cmpuint (i, <, 20000);
  }
}

/* The datagram's bytes as a payload of each codec, without a header in the way. */
static void
depacketize (Depacketizer **depacketizers, const guint8 *data, gsize size)
{
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_OPUS; codec++) {
    PayloadInfo info;
    gboolean good = payload_inspect (codec, data, size, &info);
    if (depacketizer_add (depacketizers[codec], data, size)) {
      g_assert_true (good);
      if (codec == MEDIA_H264 && size < 100) /* short ones go on into a frame */
        continue;
    }
    g_autoptr (Frame) frame = depacketizer_finish (depacketizers[codec], 1);
  }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Depacketizer *depacketizers[MEDIA_OPUS + 1] = { NULL };
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_OPUS; codec++)
    depacketizers[codec] = depacketizer_new (codec);
  World w = { .now_us = START_US };
  w.in = new_session (&w);
  w.out = new_session (&w);
  add_streams (&w);
  Records records = { data, size, START_US };
  guint8 *datagram;
  while (records_next (&records, &datagram, &size)) {
    gint64 from = w.now_us;
    run_timers (w.in, &w, records.now_us);
    w.now_us = from;
    run_timers (w.out, &w, records.now_us);
    w.now_us = records.now_us;
    rtp_session_receive_rtp (w.in, datagram, size, w.now_us);
    depacketize (depacketizers, datagram, size);
    g_free (datagram);
  }
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_OPUS; codec++)
    depacketizer_free (depacketizers[codec]);
  rtp_session_free (w.in);
  rtp_session_free (w.out);
  return 0;
}
