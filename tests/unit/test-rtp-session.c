/* Two sessions over a seeded simulated link: what media/rtp and media/congestion do together. */
#include "media/rtp/rtp_session.h"
#include "rtp_frames.h"
#include "rtp_link.h"

enum { START_US = 5000000, VIDEO_SSRC = 0x1000, RTX_SSRC = 0x1001, AUDIO_SSRC = 0x2000 };

static const RtpExtIds ext = { .mid = 4, .twcc = 3 };

typedef struct Side {
  RtpSession *session;
  Link *out; /* what it sends */
  gint64 *now;
  guint keyframes_wanted, estimates, byes;
  GPtrArray *frames[2]; /* received, by MediaKind */
  GArray *frames_us;    /* arrival of video frames */
  RtpSession *forward_to;
  SendStream *forward_stream[2];
  RecvStream *recv[2];
  guint forward_refused;
} Side;

typedef struct {
  gint64 now;
  GRand *rand;
  Link there, back;
  Side a, b;
  SendStream *video, *audio;
  gint64 video_at, audio_at, stop_video_us;
  MediaCodec codec;
  guint video_bps, target_bps; /* target 0: constant video_bps */
  gboolean key;
  GPtrArray *sent[2];
} World;

static void
on_rtp (RtpSession *session, const RtpPacket *packet, void *arg)
{
  Side *side = arg;
  link_send (side->out, packet->data, packet->size, FALSE, *side->now);
}

static void
on_rtcp (RtpSession *session, const guint8 *data, gsize size, void *arg)
{
  Side *side = arg;
  link_send (side->out, data, size, TRUE, *side->now);
}

static void
on_keyframe (RtpSession *session, SendStream *stream, void *arg)
{
  Side *side = arg;
  side->keyframes_wanted++;
}

static void
on_estimate (RtpSession *session, guint bps, void *arg)
{
  Side *side = arg;
  side->estimates++;
}

static void
on_frame (RtpSession *session, RecvStream *stream, Frame *frame, void *arg)
{
  Side *side = arg;
  MediaKind kind = recv_stream_kind (stream);
  g_ptr_array_add (side->frames[kind], frame_ref (frame));
  if (kind == MEDIA_VIDEO)
    g_array_append_val (side->frames_us, *side->now);
}

static void
on_packet (RtpSession *session, RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  Side *side = arg;
  MediaKind kind = recv_stream_kind (stream);
  if (!side->forward_to)
    return;
  if (!rtp_session_forward (side->forward_to, side->forward_stream[kind], 1, packet, *side->now)) {
    side->forward_refused++;
    rtp_session_want_keyframe (session, stream, *side->now);
  }
}

static void
on_bye (RtpSession *session, RecvStream *stream, void *arg)
{
  Side *side = arg;
  side->byes++;
}

static void
side_init (Side *side, World *world, Link *out, guint32 ssrc)
{
  static const RtpSessionEvents events = { .send_rtp = on_rtp,
                                           .send_rtcp = on_rtcp,
                                           .keyframe_wanted = on_keyframe,
                                           .estimate = on_estimate,
                                           .packet = on_packet,
                                           .frame = on_frame,
                                           .bye = on_bye };
  RtpSessionConfig config = { .cname = "test", .ssrc = ssrc, .ext = ext, .reduced_size = TRUE };
  side->session = rtp_session_new (&config, &events, side);
  side->out = out;
  side->now = &world->now;
  side->frames[0] = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  side->frames[1] = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  side->frames_us = g_array_new (FALSE, FALSE, sizeof (gint64));
}

static void
side_clear (Side *side)
{
  rtp_session_free (side->session);
  g_ptr_array_unref (side->frames[0]);
  g_ptr_array_unref (side->frames[1]);
  g_array_unref (side->frames_us);
}

static SendStream *
add_send (RtpSession *session, MediaKind kind)
{
  static const RtpPayloadType types[][2]
      = { [MEDIA_AUDIO] = { { MEDIA_OPUS, 111, 0 } },
          [MEDIA_VIDEO] = { { MEDIA_H264, 102, 103 }, { MEDIA_VP8, 96, 97 } } };
  SendStreamConfig config = {
    .kind = kind,
    .ssrc = kind == MEDIA_VIDEO ? VIDEO_SSRC : AUDIO_SSRC,
    .rtx_ssrc = kind == MEDIA_VIDEO ? RTX_SSRC : 0,
    .n_payload_types = kind == MEDIA_VIDEO ? 2 : 1,
    .mid = kind == MEDIA_VIDEO ? "v" : "a",
    .first_seq = 65500, /* wraps around soon */
    .first_timestamp = 0xffffff00,
  };
  memcpy (config.payload_types, types[kind], sizeof types[kind]);
  return rtp_session_add_send (session, &config);
}

static RecvStream *
add_recv (RtpSession *session, MediaKind kind)
{
  RecvStreamConfig config = { .kind = kind, .nack = TRUE, .frames = TRUE };
  if (kind == MEDIA_VIDEO) {
    config.payload_types[0] = (RtpPayloadType){ MEDIA_H264, 102, 103 };
    config.payload_types[1] = (RtpPayloadType){ MEDIA_VP8, 96, 97 };
    config.n_payload_types = 2;
  } else {
    config.payload_types[0] = (RtpPayloadType){ MEDIA_OPUS, 111, 0 };
    config.n_payload_types = 1;
  }
  return rtp_session_add_recv (session, &config, kind == MEDIA_VIDEO ? "v" : "a", 0, 0);
}

static void
world_init (World *w, guint32 seed, MediaCodec codec)
{
  *w = (World){ .now = START_US,
                .rand = g_rand_new_with_seed (seed),
                .codec = codec,
                .video_bps = 800000,
                .key = TRUE,
                .stop_video_us = G_MAXINT64 };
  link_init (&w->there, seed + 1);
  link_init (&w->back, seed + 2);
  w->there.delay_us = w->back.delay_us = 20000;
  side_init (&w->a, w, &w->there, 11);
  side_init (&w->b, w, &w->back, 22);
  w->video = add_send (w->a.session, MEDIA_VIDEO);
  w->audio = add_send (w->a.session, MEDIA_AUDIO);
  w->b.recv[MEDIA_VIDEO] = add_recv (w->b.session, MEDIA_VIDEO);
  w->b.recv[MEDIA_AUDIO] = add_recv (w->b.session, MEDIA_AUDIO);
  w->video_at = w->audio_at = START_US;
  w->sent[0] = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
  w->sent[1] = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref);
}

static void
world_clear (World *w)
{
  side_clear (&w->a);
  side_clear (&w->b);
  link_clear (&w->there);
  link_clear (&w->back);
  g_rand_free (w->rand);
  g_ptr_array_unref (w->sent[0]);
  g_ptr_array_unref (w->sent[1]);
}

static void
capture_video (World *w)
{
  RtpSessionStats stats;
  rtp_session_stats (w->a.session, w->now, &stats);
  guint bps = w->target_bps ? MIN (w->target_bps, stats.estimate_bps * 9 / 10) : w->video_bps;
  gboolean key = w->key || w->a.keyframes_wanted > 0;
  guint size = bps / 8 / 30 * (key ? 5 : 1);
  g_autoptr (Frame) frame
      = frames_new (w->rand, w->codec, key,
                    MAX (size / 2 + g_rand_int_range (w->rand, 0, (gint32)size), 20), w->now);
  if (rtp_session_send_frame (w->a.session, w->video, frame, w->now)) {
    if (key) {
      w->key = FALSE;
      w->a.keyframes_wanted = 0;
    }
    g_ptr_array_add (w->sent[MEDIA_VIDEO], frame_ref (frame));
  }
  w->video_at += 33333;
}

static void
capture_audio (World *w)
{
  g_autoptr (Frame) frame = frames_new (w->rand, MEDIA_OPUS, TRUE, 80, w->now);
  if (rtp_session_send_frame (w->a.session, w->audio, frame, w->now))
    g_ptr_array_add (w->sent[MEDIA_AUDIO], frame_ref (frame));
  w->audio_at += 20000;
}

static void
deliver (World *w, Link *link, Side *to)
{
  LinkItem item;
  while (link_take (link, w->now, &item)) {
    gsize size;
    const guint8 *data = g_bytes_get_data (item.data, &size);
    g_assert_cmpint (rtp_is_rtcp (data, size), ==, item.rtcp);
    if (item.rtcp)
      rtp_session_receive_rtcp (to->session, data, size, w->now);
    else
      rtp_session_receive_rtp (to->session, data, size, w->now);
    g_bytes_unref (item.data);
  }
}

static guint
run (World *w, gint64 us)
{
  gint64 end = w->now + us;
  guint steps = 0;
  while (w->now < end) {
    gint64 next = MIN (w->video_at, w->audio_at);
    next = MIN (next, MIN (link_next_us (&w->there), link_next_us (&w->back)));
    next = MIN (next, rtp_session_next_us (w->a.session));
    next = MIN (next, rtp_session_next_us (w->b.session));
    w->now = MIN (end, MAX (next, w->now));
    deliver (w, &w->there, &w->b);
    deliver (w, &w->back, &w->a);
    if (w->now >= w->stop_video_us)
      w->video_at = G_MAXINT64;
    if (w->now >= w->video_at)
      capture_video (w);
    if (w->now >= w->audio_at)
      capture_audio (w);
    if (rtp_session_next_us (w->a.session) <= w->now)
      rtp_session_poll (w->a.session, w->now);
    if (rtp_session_next_us (w->b.session) <= w->now)
      rtp_session_poll (w->b.session, w->now);
    /* After poll nothing may be due, or a real loop would spin. */
    g_assert_cmpint (rtp_session_next_us (w->a.session), >, w->now);
    g_assert_cmpint (rtp_session_next_us (w->b.session), >, w->now);
    steps++;
  }
  return steps;
}

/* Frames received are frames sent, in order; returns how many sent ones are not among them. */
static guint
compare (const GPtrArray *sent, const GPtrArray *received)
{
  guint i = 0, missing = 0;
  for (guint j = 0; j < received->len; j++) {
    const Frame *frame = g_ptr_array_index (received, j);
    while (i < sent->len
           && !g_bytes_equal (((Frame *)g_ptr_array_index (sent, i))->data, frame->data)) {
      i++;
      missing++;
    }
    g_assert_cmpuint (i, <, sent->len);
    const Frame *original = g_ptr_array_index (sent, i);
    g_assert_cmpint (frame->codec, ==, original->codec);
    g_assert_cmpint (frame->key, ==, original->key);
    i++;
  }
  return missing;
}

static void
test_clean (gconstpointer codec)
{
  World w;
  world_init (&w, 1, GPOINTER_TO_INT (codec));
  guint steps = run (&w, 5 * G_USEC_PER_SEC);
  g_assert_cmpuint (compare (w.sent[MEDIA_VIDEO], w.b.frames[MEDIA_VIDEO]), ==, 0);
  g_assert_cmpuint (compare (w.sent[MEDIA_AUDIO], w.b.frames[MEDIA_AUDIO]), ==, 0);
  g_assert_cmpuint (w.b.frames[MEDIA_VIDEO]->len, >, 145);
  g_assert_cmpuint (w.b.frames[MEDIA_AUDIO]->len, >, 240);
  RtpSessionStats stats;
  rtp_session_stats (w.a.session, w.now, &stats);
  g_assert_cmpint (stats.rtt_us, >, 38000);
  g_assert_cmpint (stats.rtt_us, <, 45000);
  g_assert_cmpfloat (stats.loss, ==, 0);
  g_assert_cmpuint (stats.nacks, ==, 0);
  g_assert_cmpuint (stats.malformed + stats.unknown, ==, 0);
  /* 150 frames, 250 packets of sound out; the same in; 100 feedbacks; 50 releases of sound a
   * second. */
  g_assert_cmpuint (steps, <, 3000);
  /* Capture times are the sender's but for the network's delay. */
  for (guint i = 60; i < w.b.frames[MEDIA_VIDEO]->len; i++) {
    const Frame *frame = g_ptr_array_index (w.b.frames[MEDIA_VIDEO], i);
    const Frame *original = g_ptr_array_index (w.sent[MEDIA_VIDEO], i);
    g_assert_cmpint (ABS (frame->capture_us - original->capture_us - 20000), <, 2000);
  }
  world_clear (&w);
}

static void
test_join_is_fast (void)
{
  World w;
  world_init (&w, 2, MEDIA_H264);
  w.video_bps = 4000000; /* a key frame of some 80 kB */
  run (&w, 100000);
  g_assert_cmpuint (w.b.frames_us->len, >=, 1);
  gint64 first = g_array_index (w.b.frames_us, gint64, 0);
  g_assert_cmpint (first - START_US, <=, 20000 + 1000);
  world_clear (&w);
}

static void
test_loss (gconstpointer codec)
{
  World w;
  world_init (&w, 3, GPOINTER_TO_INT (codec));
  w.there.loss = w.back.loss = 0.05;
  w.there.jitter_us = 4000;
  run (&w, 20 * G_USEC_PER_SEC);
  w.there.loss = w.back.loss = 0;
  run (&w, G_USEC_PER_SEC);
  guint missing = compare (w.sent[MEDIA_VIDEO], w.b.frames[MEDIA_VIDEO]);
  g_assert_cmpuint (missing, <=, 2);
  RtpSessionStats stats;
  rtp_session_stats (w.a.session, w.now, &stats);
  g_assert_cmpuint (stats.retransmitted, >, 80);
  g_assert_cmpuint (stats.nacks, <, 4 * w.there.dropped + 100);
  /* Sound: NACK within the jitter buffer brings nearly all back. */
  guint gaps = compare (w.sent[MEDIA_AUDIO], w.b.frames[MEDIA_AUDIO]);
  g_test_message ("%u of %u video frames missing, %u of %u audio packets", missing,
                  w.sent[MEDIA_VIDEO]->len, gaps, w.sent[MEDIA_AUDIO]->len);
  g_assert_cmpuint (gaps, <, w.sent[MEDIA_AUDIO]->len / 100);
  world_clear (&w);
}

static void
test_blackout (void)
{
  World w;
  world_init (&w, 4, MEDIA_VP8);
  run (&w, 2 * G_USEC_PER_SEC);
  w.there.loss = w.back.loss = 1;
  run (&w, 3 * G_USEC_PER_SEC);
  w.there.loss = w.back.loss = 0;
  guint before = w.b.frames[MEDIA_VIDEO]->len;
  run (&w, 5 * G_USEC_PER_SEC);
  g_assert_cmpuint (w.b.frames[MEDIA_VIDEO]->len, >, before + 60);
  compare (w.sent[MEDIA_VIDEO], w.b.frames[MEDIA_VIDEO]);
  const Frame *first = g_ptr_array_index (w.b.frames[MEDIA_VIDEO], before);
  g_assert_true (first->key || before == w.b.frames[MEDIA_VIDEO]->len);
  world_clear (&w);
}

static void
test_pause (void)
{
  World w;
  world_init (&w, 5, MEDIA_H264);
  run (&w, G_USEC_PER_SEC);
  rtp_session_pause (w.a.session, TRUE, w.now);
  guint64 sent = w.there.sent;
  run (&w, 2 * G_USEC_PER_SEC);
  g_assert_cmpuint (w.there.sent, ==, sent);
  guint before = w.b.frames[MEDIA_VIDEO]->len;
  rtp_session_pause (w.a.session, FALSE, w.now);
  g_assert_cmpuint (w.a.keyframes_wanted, ==, 1);
  run (&w, G_USEC_PER_SEC / 2);
  g_assert_cmpuint (w.b.frames[MEDIA_VIDEO]->len, >, before + 10);
  rtp_session_bye (w.a.session, w.now);
  run (&w, G_USEC_PER_SEC / 10);
  g_assert_cmpuint (w.b.byes, >=, 2);
  world_clear (&w);
}

/* a sends to b, b forwards all to a third, which restores the same frames. */
static void
test_forward (gconstpointer codec)
{
  World w, v;
  world_init (&w, 6, GPOINTER_TO_INT (codec));
  world_init (&v, 7, GPOINTER_TO_INT (codec));
  v.video_at = v.audio_at = G_MAXINT64; /* v.a sends what w.b forwards */
  w.b.forward_to = v.a.session;
  w.b.forward_stream[MEDIA_VIDEO] = v.video;
  w.b.forward_stream[MEDIA_AUDIO] = v.audio;
  w.there.loss = v.there.loss = 0.02;
  for (guint i = 0; i < 10000; i++) {
    run (&w, 1000);
    run (&v, 1000);
    if (i == 9500)
      w.there.loss = v.there.loss = 0;
    /* A key request of the last one goes all the way back. */
    if (v.a.keyframes_wanted > 0) {
      v.a.keyframes_wanted = 0;
      rtp_session_want_keyframe (w.b.session, w.b.recv[MEDIA_VIDEO], w.now);
    }
  }
  guint missing = compare (w.sent[MEDIA_VIDEO], v.b.frames[MEDIA_VIDEO]);
  g_assert_cmpuint (missing, <, 5);
  g_assert_cmpuint (v.b.frames[MEDIA_VIDEO]->len, >, 280);
  g_assert_cmpuint (v.b.frames[MEDIA_AUDIO]->len, >, 450);
  world_clear (&w);
  world_clear (&v);
}

/* The link halves: within a second what is sent is below what it carries. */
static void
test_halves (void)
{
  World w;
  world_init (&w, 8, MEDIA_H264);
  w.target_bps = 2000000;
  w.there.bps = 2000000;
  run (&w, 15 * G_USEC_PER_SEC);
  RtpSessionStats stats;
  rtp_session_stats (w.a.session, w.now, &stats);
  g_test_message ("at 2 Mbit/s: estimate %u, sent %u", stats.estimate_bps, stats.sent_bps);
  g_assert_cmpuint (stats.estimate_bps, >, 1200000);
  w.there.bps = 1000000;
  run (&w, 1500000);
  rtp_session_stats (w.a.session, w.now, &stats);
  g_test_message ("1.5 s after it halved: estimate %u, queue %" G_GINT64_FORMAT " ms",
                  stats.estimate_bps, (w.there.busy_us - w.now) / 1000);
  g_assert_cmpuint (stats.estimate_bps, <, 1000000);
  run (&w, 1500000);
  g_test_message ("3 s after: queue %" G_GINT64_FORMAT " ms", (w.there.busy_us - w.now) / 1000);
  g_assert_cmpint (w.there.busy_us - w.now, <, 150000);
  w.there.bps = 4000000;
  run (&w, 15 * G_USEC_PER_SEC);
  rtp_session_stats (w.a.session, w.now, &stats);
  g_test_message ("15 s after it has room again: %u", stats.estimate_bps);
  g_assert_cmpuint (stats.estimate_bps, >, 1200000);
  world_clear (&w);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/rtp-session/clean/h264", GINT_TO_POINTER (MEDIA_H264), test_clean);
  g_test_add_data_func ("/rtp-session/clean/vp8", GINT_TO_POINTER (MEDIA_VP8), test_clean);
  g_test_add_func ("/rtp-session/join-is-fast", test_join_is_fast);
  g_test_add_data_func ("/rtp-session/loss/h264", GINT_TO_POINTER (MEDIA_H264), test_loss);
  g_test_add_data_func ("/rtp-session/loss/vp8", GINT_TO_POINTER (MEDIA_VP8), test_loss);
  g_test_add_func ("/rtp-session/blackout", test_blackout);
  g_test_add_func ("/rtp-session/pause", test_pause);
  g_test_add_data_func ("/rtp-session/forward/h264", GINT_TO_POINTER (MEDIA_H264), test_forward);
  g_test_add_data_func ("/rtp-session/forward/vp8", GINT_TO_POINTER (MEDIA_VP8), test_forward);
  g_test_add_func ("/rtp-session/halves", test_halves);
  return g_test_run ();
}
