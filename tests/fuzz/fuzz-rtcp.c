/* RTCP of a hostile browser: into a session that sends sound and picture and receives them. What
 * it may cause is bounded: retransmissions by the limit, work by the datagram. */
#include "media/rtp/rtp_session.h"
#include "rtp_records.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

enum { START_US = 5000000, FRAME_US = 33333, DATAGRAM_PACKETS = 400 };

static const RtpExtIds ext = { .mid = 1, .twcc = 2 };

typedef struct {
  RtpSession *session;
  SendStream *video, *audio;
  gint64 now_us, frame_us;
  guint sent;
} World;

static void
on_rtp_out (RtpSession *session, const RtpPacket *packet, void *arg)
{
  World *w = arg;
  RtpView view;
  g_assert_true (rtp_parse (packet->data, packet->size, &ext, &view));
  w->sent++;
}

static void
on_rtcp_out (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  g_assert_cmpuint (size, <=, RTCP_MAX_SIZE);
}

static void
on_estimate (RtpSession *session, guint bps, void *arg)
{
  g_assert_cmpuint (bps, >=, 100000);
  g_assert_cmpuint (bps, <=, 4000000);
}

static void
world_init (World *w)
{
  static const RtpSessionEvents events
      = { .send_rtp = on_rtp_out, .send_rtcp = on_rtcp_out, .estimate = on_estimate };
  RtpSessionConfig config = { .cname = "fuzz", .ssrc = 1, .ext = ext };
  *w = (World){ .now_us = START_US, .frame_us = START_US };
  w->session = rtp_session_new (&config, &events, w);
  SendStreamConfig send = { .kind = MEDIA_VIDEO,
                            .ssrc = 10,
                            .rtx_ssrc = 11,
                            .payload_types = { { MEDIA_VP8, 96, 97 } },
                            .n_payload_types = 1,
                            .mid = "s0",
                            .first_seq = 65530 };
  w->video = rtp_session_add_send (w->session, &send);
  send = (SendStreamConfig){ .kind = MEDIA_AUDIO,
                             .ssrc = 20,
                             .payload_types = { { MEDIA_OPUS, 111, 0 } },
                             .n_payload_types = 1,
                             .mid = "s1" };
  w->audio = rtp_session_add_send (w->session, &send);
  RecvStreamConfig recv = { .kind = MEDIA_VIDEO,
                            .payload_types = { { MEDIA_VP8, 96, 97 } },
                            .n_payload_types = 1,
                            .nack = TRUE,
                            .frames = TRUE };
  rtp_session_add_recv (w->session, &recv, "cam", 30, 31);
  static const guint8 packet[] = { 0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 30, 0x10, 1, 2, 3 };
  rtp_session_receive_rtp (w->session, packet, sizeof packet, START_US);
}

static void
send_frames (World *w)
{
  static guint8 bytes[3000] = { 0x10, 0, 0, 0x9d, 1, 0x2a, 128, 2, 104, 1 };
  g_autoptr (GBytes) data = g_bytes_new_static (bytes, sizeof bytes);
  g_autoptr (GBytes) sound = g_bytes_new_static ("\xf8sound", 6);
  g_autoptr (Frame) video = frame_new (MEDIA_VP8, TRUE, w->now_us, 0, data);
  g_autoptr (Frame) audio = frame_new (MEDIA_OPUS, TRUE, w->now_us, 0, sound);
  rtp_session_send_frame (w->session, w->video, video, w->now_us);
  rtp_session_send_frame (w->session, w->audio, audio, w->now_us);
}

static void
run_until (World *w, gint64 until_us)
{
  /* In a long pause no frames: they would only cost time. */
  w->frame_us = MAX (w->frame_us, until_us - 8 * FRAME_US);
  for (;;) {
    gint64 timer = rtp_session_next_us (w->session);
    gint64 next = MIN (timer, w->frame_us);
    if (next > until_us)
      break;
    w->now_us = MAX (w->now_us, next);
    if (w->frame_us <= w->now_us) {
      send_frames (w);
      w->frame_us += FRAME_US;
    } else {
      rtp_session_poll (w->session, w->now_us);
      g_assert_cmpint (rtp_session_next_us (w->session), >, w->now_us);
    }
  }
  w->now_us = until_us;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  World w;
  world_init (&w);
  Records records = { data, size, START_US + 200000 };
  guint8 *datagram;
  for (guint i = 0; i < 200 && records_next (&records, &datagram, &size); i++) {
    run_until (&w, records.now_us);
    w.sent = 0;
    rtp_session_receive_rtcp (w.session, datagram, size, w.now_us);
    g_free (datagram);
    g_assert_cmpuint (w.sent, <, DATAGRAM_PACKETS);
  }
  rtp_session_free (w.session);
  return 0;
}
