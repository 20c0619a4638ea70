/* RED: its form, what it brings back, forwarding, and the rule by which it is used. */
#include "media/rtp/recv_stream.h"
#include "media/rtp/red.h"
#include "media/rtp/redundancy.h"
#include "media/rtp/send_stream.h"
#include "rtp_frames.h"
#include "virtual_link.h"

enum { OPUS = 111, RED = 63, START_US = 10000000, STEP_US = 20000 };

static const RtpExtIds ext = { .mid = 1, .twcc = 2 };

static void
test_format (void)
{
  guint8 a[5] = "aaaa", b[1023], c[3] = "cc", out[1200];
  memset (b, 'b', sizeof b);
  const RedBlock blocks[]
      = { { OPUS, 1920, a, sizeof a }, { OPUS, 960, b, sizeof b }, { OPUS, 0, c, sizeof c } };
  gsize size = red_write (out, sizeof out, blocks, 3);
  g_assert_cmpuint (size, ==, 4 + 4 + 1 + sizeof a + sizeof b + sizeof c);
  g_assert_cmpuint (out[0], ==, 0x80 | OPUS);
  g_assert_cmpuint (out[8], ==, OPUS);
  RedBlock read[RED_MAX_BLOCKS];
  g_assert_cmpuint (red_parse (out, size, read), ==, 3);
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpuint (read[i].offset, ==, blocks[i].offset);
    g_assert_cmpmem (read[i].data, read[i].size, blocks[i].data, blocks[i].size);
  }
  g_assert_cmpuint (red_write (out, size - 1, blocks, 3), ==, 0);
  g_assert_cmpuint (red_write (out, 8, blocks + 2, 1), ==, 4);
  g_assert_cmpuint (red_parse (out, 4, read), ==, 1);
  RedBlock old = { OPUS, RED_OFFSET_MAX, a, sizeof a };
  g_assert_cmpuint (red_write (out, 1200, (RedBlock[]){ old, blocks[2] }, 2), >, 0);
}

/* Every prefix, and lengths that point beyond the end. */
static void
test_malformed (void)
{
  guint8 a[20] = { 1 }, out[100];
  const RedBlock blocks[] = { { OPUS, 960, a, sizeof a }, { OPUS, 0, a, sizeof a } };
  RedBlock read[RED_MAX_BLOCKS];
  gsize size = red_write (out, sizeof out, blocks, 2);
  for (gsize cut = 0; cut < size - sizeof a; cut++)
    g_assert_cmpuint (red_parse (out, cut, read), ==, 0);
  g_assert_cmpuint (red_parse (out, size - sizeof a, read), ==, 2);
  out[3] = 255;
  g_assert_cmpuint (red_parse (out, size, read), ==, 0);
  guint8 many[4 * RED_MAX_BLOCKS + 1];
  memset (many, 0, sizeof many);
  for (guint i = 0; i < RED_MAX_BLOCKS; i++)
    many[4 * i] = 0x80 | OPUS;
  g_assert_cmpuint (red_parse (many, sizeof many, read), ==, 0);
  g_assert_cmpuint (red_parse (many + 4, sizeof many - 4, read), ==, RED_MAX_BLOCKS);
}

/* A sender, a link in virtual time, a receiver, and a second sender that forwards. */
typedef struct {
  GRand *rand;
  RtpPacketPool *pool;
  SendStream *send, *onward;
  RecvStream *recv;
  VirtualLink *link;
  gint64 now_us;
  GPtrArray *onward_packets; /* RtpPacket */
  guint frames, older, in_order;
  gint64 last_seq;
} Way;

static void
on_emit (SendStream *stream, RtpPacket *packet, void *arg)
{
  Way *w = arg;
  packet->stamped = TRUE;
  virtual_link_send (w->link, 0, packet->data, packet->size, 44, w->now_us);
  rtp_packet_unref (packet);
}

static void
on_onward (SendStream *stream, RtpPacket *packet, void *arg)
{
  g_ptr_array_add (((Way *)arg)->onward_packets, packet);
}

static void
on_packet (RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  Way *w = arg;
  g_assert_cmpuint (packet->view.payload_type, ==, OPUS);
  g_assert_cmpint (packet->codec, ==, MEDIA_OPUS);
  w->older += packet->recovered;
  w->in_order += packet->seq > w->last_seq;
  w->last_seq = packet->seq;
  send_stream_forward (w->onward, 1, packet, w->now_us);
}

static void
on_frame (RecvStream *stream, Frame *frame, void *arg)
{
  ((Way *)arg)->frames++;
}

static void
way_init (Way *w, const VirtualLinkConfig *link, guint depth, guint8 red_onward, guint32 seed)
{
  static const RecvStreamEvents events = { .packet = on_packet, .frame = on_frame };
  *w = (Way){ .rand = g_rand_new_with_seed (seed),
              .pool = rtp_packet_pool_new (64),
              .link = virtual_link_new (link, seed),
              .now_us = START_US,
              .onward_packets = g_ptr_array_new_with_free_func ((GDestroyNotify)rtp_packet_unref) };
  SendStreamConfig send = { .kind = MEDIA_AUDIO,
                            .ssrc = 100,
                            .payload_types = { { MEDIA_OPUS, OPUS, 0, RED } },
                            .n_payload_types = 1,
                            .mid = "m",
                            .ext = ext,
                            .first_seq = 65500,
                            .first_timestamp = 0xfffff000 };
  w->send = send_stream_new (w->pool, &send, on_emit, w);
  send_stream_set_redundancy (w->send, depth);
  send.ssrc = 200;
  send.payload_types[0].red = red_onward;
  w->onward = send_stream_new (w->pool, &send, on_onward, w);
  send_stream_set_redundancy (w->onward, 1);
  RecvStreamConfig recv = { .kind = MEDIA_AUDIO,
                            .payload_types = { { MEDIA_OPUS, OPUS, 0, RED } },
                            .n_payload_types = 1,
                            .frames = TRUE };
  w->recv = recv_stream_new (w->pool, &recv, &events, w);
}

static void
way_clear (Way *w)
{
  g_ptr_array_unref (w->onward_packets);
  send_stream_free (w->send);
  send_stream_free (w->onward);
  recv_stream_free (w->recv);
  virtual_link_free (w->link);
  rtp_packet_pool_free (w->pool);
  g_rand_free (w->rand);
}

static void
way_run (Way *w, guint n)
{
  for (guint i = 0; i < n; i++, w->now_us += STEP_US) {
    g_autoptr (Frame) frame = frames_new (w->rand, MEDIA_OPUS, TRUE, 80, w->now_us);
    g_assert_true (send_stream_frame (w->send, frame, w->now_us));
    VirtualPacket packet;
    while (virtual_link_take (w->link, w->now_us, &packet)) {
      RtpView view;
      g_assert_true (rtp_parse (packet.data, packet.size, &ext, &view));
      recv_stream_receive (w->recv, &view, packet.at_us);
      g_free (packet.data);
    }
    recv_stream_poll (w->recv, w->now_us);
  }
}

static void
test_clean (void)
{
  Way w;
  way_init (&w, &(VirtualLinkConfig){ 0 }, 2, RED, 1);
  way_run (&w, 1000);
  SendStreamStats sent;
  RecvStreamStats stats;
  send_stream_stats (w.send, &sent);
  recv_stream_stats (w.recv, &stats);
  g_assert_cmpuint (sent.redundant, ==, 2 * 1000 - 3);
  g_assert_cmpuint (send_stream_red_bps (w.send), >, 30000);
  g_assert_cmpuint (w.older + stats.malformed + stats.duplicates, ==, 0);
  g_assert_cmpuint (w.frames, >=, 990);
  way_clear (&w);
}

/* What goes on to others has their payload types, no gap, and RED only where they take it. */
static void
test_forward (gconstpointer data)
{
  guint8 red = (guint8)GPOINTER_TO_UINT (data);
  Way w;
  way_init (&w, &(VirtualLinkConfig){ .loss = 0.1 }, 2, red, 7);
  way_run (&w, 500);
  g_assert_cmpuint (w.older, >, 20);
  g_assert_cmpuint (w.in_order, ==, w.onward_packets->len);
  guint as_red = 0;
  for (guint i = 0; i < w.onward_packets->len; i++) {
    RtpPacket *packet = w.onward_packets->pdata[i];
    RtpView view;
    RedBlock blocks[RED_MAX_BLOCKS];
    g_assert_true (rtp_parse (packet->data, packet->size, &ext, &view));
    g_assert_cmpuint (view.ssrc, ==, 200);
    if (view.payload_type == OPUS)
      continue;
    g_assert_cmpuint (view.payload_type, ==, RED);
    g_assert_cmpuint (red_parse (view.payload, view.payload_size, blocks), ==, 2);
    g_assert_cmpuint (blocks[0].offset, ==, 960);
    as_red++;
  }
  if (red == 0)
    g_assert_cmpuint (as_red, ==, 0);
  else
    g_assert_cmpuint (as_red, >, w.onward_packets->len * 9 / 10);
  way_clear (&w);
}

/* Share of packets that is missing in the end, without retransmission. */
static double
missing (double loss, double burst, guint depth, guint n)
{
  Way w;
  VirtualLinkConfig link = { .loss = loss, .burst = burst, .delay_us = 60000, .jitter_us = 10000 };
  way_init (&w, &link, depth, 0, 3 + depth);
  way_run (&w, n);
  double share = 1 - (double)w.onward_packets->len / (n - 10);
  way_clear (&w);
  return MAX (share, 0);
}

/* The figures behind redundancy.h. */
static void
test_what_it_brings_back (void)
{
  static const double losses[] = { 0.01, 0.02, 0.05, 0.08, 0.15 }, bursts[] = { 1, 2, 3 };
  for (guint b = 0; b < G_N_ELEMENTS (bursts); b++)
    for (guint l = 0; l < G_N_ELEMENTS (losses); l++) {
      double share[3];
      for (guint depth = 0; depth <= 2; depth++)
        share[depth] = missing (losses[l], bursts[b], depth, 20000);
      g_test_message ("loss %4.1f %% in runs of %.0f: missing %5.2f / %5.2f / %5.2f %%",
                      losses[l] * 100, bursts[b], share[0] * 100, share[1] * 100, share[2] * 100);
      g_assert_cmpfloat (share[1], <, share[0] * (bursts[b] == 1 ? 0.3 : 0.8));
      g_assert_cmpfloat (share[2], <=, share[1]);
      if (bursts[b] == 1) {
        g_assert_cmpfloat (share[1], <, losses[l] * losses[l] * 1.5 + 0.001);
        g_assert_cmpfloat (share[2], <, 0.01);
      }
    }
}

static guint
decide_for (Redundancy *r, double loss, guint estimate_bps, gint64 *now_us, guint seconds)
{
  guint depth = 0;
  for (guint i = 0; i < seconds * 10; i++, *now_us += 100000) {
    redundancy_count (r, loss * 20, 20, *now_us);
    depth = redundancy_decide (r, 32000, estimate_bps, *now_us);
  }
  return depth;
}

static void
test_rule (void)
{
  Redundancy r = { 0 };
  gint64 now = START_US;
  g_assert_cmpuint (decide_for (&r, 0.002, 1000000, &now, 20), ==, 0);
  g_assert_cmpuint (decide_for (&r, 0.02, 384000, &now, 10), ==, 1);
  g_assert_cmpuint (decide_for (&r, 0.12, 384000, &now, 10), ==, 2);
  /* no room: village-3g's uplink carries the codec's own FEC and no more */
  g_assert_cmpuint (decide_for (&r, 0.12, 110000, &now, 1), ==, 0);
  g_assert_cmpuint (decide_for (&r, 0.12, 200000, &now, 1), ==, 1);
  /* between the steps it stays, below half a step it goes after a while, one at a time */
  g_assert_cmpuint (decide_for (&r, 0.03, 384000, &now, 60), ==, 2);
  g_assert_cmpuint (decide_for (&r, 0.0, 384000, &now, 10), ==, 2);
  g_assert_cmpuint (decide_for (&r, 0.0, 384000, &now, 8), ==, 1);
  g_assert_cmpuint (decide_for (&r, 0.0, 384000, &now, 30), ==, 0);
  g_assert_cmpfloat (redundancy_loss (&(Redundancy){ .lost = 5, .sent = 10 }), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/red/format", test_format);
  g_test_add_func ("/red/malformed", test_malformed);
  g_test_add_func ("/red/clean", test_clean);
  g_test_add_data_func ("/red/forward/red", GUINT_TO_POINTER (RED), test_forward);
  g_test_add_data_func ("/red/forward/opus", GUINT_TO_POINTER (0), test_forward);
  g_test_add_func ("/red/what-it-brings-back", test_what_it_brings_back);
  g_test_add_func ("/red/rule", test_rule);
  return g_test_run ();
}
