/* Voice and picture stay together: what the sender reports of the station say of packets that were
 * captured at the same moment, for its own sources and for what it sends on from a browser with
 * another clock, over a link with jitter and loss. */
#include "media/rtp/rtp_session.h"
#include "rtp_link.h"

#include <string.h>

enum {
  START_US = 50000000,
  BROWSER_US = 300000000, /* its clock less ours */
  STEP_US = 1000,
  SECONDS = 30,
  SETTLED_S = 4,
  N_FRAMES = 4000,
  HEADER = 12, /* bytes of a made-up frame before its number */
};

static const RtpExtIds ext = { .mid = 1, .twcc = 2 };

/* One kind of media at the viewer. */
typedef struct {
  gboolean reported;
  gint64 report_us; /* NTP time of the last report */
  guint32 report_timestamp;
  gboolean known;
  double error_us; /* what the reports say of the newest packet's capture, less the truth */
} Seen;

typedef struct {
  gint64 now_us;
  gboolean own; /* the station's own sources */
  RtpSession *browser, *in, *out;
  SendStream *sent[2], *onward[2];
  Link up, back;
  gint64 captured_us[2][N_FRAMES]; /* truth, on our clock; by MediaKind */
  guint n[2];
  Seen seen[2];
  double worst_us, sum_us;
  guint compared;
} World;

static void
to_station (RtpSession *session, const RtpPacket *packet, void *arg)
{
  World *w = arg;
  link_send (&w->up, packet->data, packet->size, FALSE, w->now_us);
}

static void
reports_to_station (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  World *w = arg;
  link_send (&w->up, data, size, TRUE, w->now_us);
}

static void
back_to_browser (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  World *w = arg;
  link_send (&w->back, data, size, TRUE, w->now_us);
}

static void
on_packet (RtpSession *session, RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  World *w = arg;
  MediaKind kind = recv_stream_kind (stream);
  if (!rtp_session_forward (w->out, w->onward[kind], 1, packet, w->now_us))
    rtp_session_want_keyframe (session, stream, w->now_us);
}

static void
compare (World *w)
{
  const Seen *sound = &w->seen[MEDIA_AUDIO], *picture = &w->seen[MEDIA_VIDEO];
  if (!sound->known || !picture->known || w->now_us < START_US + SETTLED_S * G_USEC_PER_SEC)
    return;
  double apart = ABS (sound->error_us - picture->error_us);
  w->worst_us = MAX (w->worst_us, apart);
  w->sum_us += apart;
  w->compared++;
}

static void
at_viewer (RtpSession *session, const RtpPacket *packet, void *arg)
{
  World *w = arg;
  RtpView view;
  g_assert_true (rtp_parse (packet->data, packet->size, &ext, &view));
  MediaKind kind = view.ssrc == 100 ? MEDIA_AUDIO : MEDIA_VIDEO;
  Seen *seen = &w->seen[kind];
  gsize skip = kind == MEDIA_AUDIO ? HEADER : HEADER + 4; /* VP8's descriptor */
  g_assert_cmpuint (view.payload_size, >=, skip + 4);
  guint number = rtp_get32 (view.payload + skip);
  g_assert_cmpuint (number, <, w->n[kind]);
  if (!seen->reported)
    return;
  gint32 ticks = (gint32)(view.timestamp - seen->report_timestamp);
  double said_us = (double)seen->report_us + ticks * 1e6 / (kind == MEDIA_AUDIO ? 48000 : 90000);
  seen->error_us = said_us - (double)w->captured_us[kind][number];
  seen->known = TRUE;
  compare (w);
}

static void
reports_at_viewer (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  World *w = arg;
  RtcpReader reader;
  RtcpPacket packet;
  rtcp_reader_init (&reader, data, size);
  while (rtcp_reader_next (&reader, &packet)) {
    if (packet.type != RTCP_SR)
      continue;
    Seen *seen = &w->seen[packet.ssrc == 100 ? MEDIA_AUDIO : MEDIA_VIDEO];
    seen->reported = TRUE;
    seen->report_us = rtcp_us_from_ntp (packet.report.sender.ntp);
    seen->report_timestamp = packet.report.sender.timestamp;
  }
}

static SendStream *
add_send (RtpSession *session, MediaKind kind)
{
  SendStreamConfig config = { .kind = kind,
                              .ssrc = kind == MEDIA_AUDIO ? 100 : 200,
                              .payload_types = { { MEDIA_OPUS, 111 } },
                              .n_payload_types = 1,
                              .mid = kind == MEDIA_AUDIO ? "mic" : "cam",
                              .first_seq = 7,
                              .first_timestamp = kind == MEDIA_AUDIO ? 0xfffffff0 : 12345 };
  if (kind == MEDIA_VIDEO)
    config.payload_types[0] = (RtpPayloadType){ MEDIA_VP8, 96 };
  return rtp_session_add_send (session, &config);
}

static RtpSession *
new_session (World *w, const RtpSessionEvents *events)
{
  RtpSessionConfig config = { .cname = "c", .ssrc = 1, .ext = ext, .reduced_size = TRUE };
  return rtp_session_new (&config, events, w);
}

static void
world_init (World *w, gboolean own)
{
  static const RtpSessionEvents browser
      = { .send_rtp = to_station, .send_rtcp = reports_to_station },
      in = { .send_rtcp = back_to_browser, .packet = on_packet },
      out = { .send_rtp = at_viewer, .send_rtcp = reports_at_viewer };
  w->now_us = START_US;
  w->own = own;
  w->browser = new_session (w, &browser);
  w->in = new_session (w, &in);
  w->out = new_session (w, &out);
  link_init (&w->up, 3);
  link_init (&w->back, 4);
  w->up.delay_us = w->back.delay_us = 60000;
  w->up.jitter_us = 30000;
  w->up.loss = 0.02;
  for (MediaKind kind = MEDIA_AUDIO; kind <= MEDIA_VIDEO; kind++) {
    w->sent[kind] = add_send (w->browser, kind);
    w->onward[kind] = add_send (w->out, kind);
    RecvStreamConfig config = {
      .kind = kind, .payload_types = { { MEDIA_OPUS, 111 } }, .n_payload_types = 1, .nack = TRUE
    };
    if (kind == MEDIA_VIDEO)
      config.payload_types[0] = (RtpPayloadType){ MEDIA_VP8, 96 };
    rtp_session_add_recv (w->in, &config, kind == MEDIA_AUDIO ? "mic" : "cam", 0, 0);
  }
}

static void
world_clear (World *w)
{
  rtp_session_free (w->browser);
  rtp_session_free (w->in);
  rtp_session_free (w->out);
  link_clear (&w->up);
  link_clear (&w->back);
}

/* A frame with its number in it. */
static Frame *
numbered (World *w, MediaKind kind, gboolean key, gint64 capture_us)
{
  guint8 bytes[HEADER + 64] = { key ? 0x10 : 0x11, 0, 0, 0x9d, 1, 0x2a, 64, 1, 64, 1 };
  if (kind == MEDIA_AUDIO)
    bytes[0] = 0x78;
  rtp_put32 (bytes + HEADER, w->n[kind]);
  g_autoptr (GBytes) data = g_bytes_new (bytes, sizeof bytes);
  return frame_new (kind == MEDIA_AUDIO ? MEDIA_OPUS : MEDIA_VP8, key, capture_us, 0, data);
}

/* What was captured at capture_us leaves now; sound soon, the picture later. */
static void
send (World *w, MediaKind kind, gint64 capture_us, gint64 told_us)
{
  g_assert_cmpuint (w->n[kind], <, N_FRAMES);
  gint64 clock_us = w->own ? 0 : BROWSER_US;
  RtpSession *session = w->own ? w->out : w->browser;
  g_autoptr (Frame) frame = numbered (w, kind, w->n[kind] % 60 == 0, told_us + clock_us);
  w->captured_us[kind][w->n[kind]++] = capture_us;
  rtp_session_send_frame (session, w->own ? w->onward[kind] : w->sent[kind], frame,
                          w->now_us + clock_us);
}

static void
deliver (World *w)
{
  LinkItem item;
  gsize size;
  while (link_take (&w->up, w->now_us, &item)) {
    const guint8 *data = g_bytes_get_data (item.data, &size);
    (item.rtcp ? rtp_session_receive_rtcp : rtp_session_receive_rtp) (w->in, data, size, w->now_us);
    g_bytes_unref (item.data);
  }
  while (link_take (&w->back, w->now_us, &item)) {
    const guint8 *data = g_bytes_get_data (item.data, &size);
    rtp_session_receive_rtcp (w->browser, data, size, w->now_us + BROWSER_US);
    g_bytes_unref (item.data);
  }
}

static void
run (World *w, gint64 time_jitter_us)
{
  enum { SOUND_LATE_US = 25000, PICTURE_LATE_US = 80000 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  gint64 next[2] = { START_US, START_US };
  for (; w->now_us < START_US + SECONDS * G_USEC_PER_SEC; w->now_us += STEP_US) {
    for (MediaKind kind = MEDIA_AUDIO; kind <= MEDIA_VIDEO; kind++) {
      gint64 late_us = kind == MEDIA_AUDIO ? SOUND_LATE_US : PICTURE_LATE_US;
      if (w->now_us < next[kind] + late_us)
        continue;
      gint64 jitter = time_jitter_us ? g_rand_int_range (rand, 0, (gint32)time_jitter_us) : 0;
      send (w, kind, next[kind], next[kind] + jitter);
      next[kind] += kind == MEDIA_AUDIO ? 20000 : 33333;
    }
    deliver (w);
    rtp_session_poll (w->browser, w->now_us + BROWSER_US);
    rtp_session_poll (w->in, w->now_us);
    rtp_session_poll (w->out, w->now_us);
  }
}

static void
test_together (gconstpointer data)
{
  gboolean own = GPOINTER_TO_INT (data);
  g_autofree World *w = g_new0 (World, 1);
  world_init (w, own);
  run (w, own ? 8000 : 0);
  g_test_message ("%s: voice and picture apart by %.1f ms in the mean, %.1f ms at most, %u times",
                  own ? "own sources" : "sent on", w->sum_us / MAX (w->compared, 1) / 1000,
                  w->worst_us / 1000, w->compared);
  g_assert_cmpuint (w->compared, >, 1500);
  g_assert_cmpfloat (w->worst_us, <, 20000);
  world_clear (w);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/lip-sync/own", GINT_TO_POINTER (TRUE), test_together);
  g_test_add_data_func ("/lip-sync/sent-on", GINT_TO_POINTER (FALSE), test_together);
  return g_test_run ();
}
