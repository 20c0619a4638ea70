/* Single streams: wraparound, order, duplicates, NACK, RTX, reports, switches of source, times. */
#include "media/rtp/recv_stream.h"
#include "media/rtp/send_stream.h"
#include "rtp_frames.h"

enum { START_US = 10000000, SSRC = 100, RTX_SSRC = 101 };

typedef struct {
  GRand *rand;
  RtpPacketPool *pool;
  GPtrArray *packets; /* RtpPacket, emitted and not yet taken */
  GPtrArray *frames;  /* Frame, received */
  GArray *seqs;       /* gint64, of events.packet */
  guint recovered;
  RemoteClock *clock;
  SendStream *send;
  RecvStream *recv;
} Pair;

static const RtpExtIds ext = { .mid = 1, .twcc = 2 };

static void
on_emit (SendStream *stream, RtpPacket *packet, void *arg)
{
  Pair *pair = arg;
  packet->stamped = TRUE; /* as if it had left */
  g_ptr_array_add (pair->packets, packet);
}

static void
on_packet (RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  Pair *pair = arg;
  g_array_append_val (pair->seqs, packet->seq);
  pair->recovered += packet->recovered;
}

static void
on_frame (RecvStream *stream, Frame *frame, void *arg)
{
  Pair *pair = arg;
  g_ptr_array_add (pair->frames, frame_ref (frame));
}

static void
set_types (RtpPayloadType *types, guint *ret_n, MediaKind kind)
{
  *ret_n = kind == MEDIA_VIDEO ? 2 : 1;
  types[0] = kind == MEDIA_VIDEO ? (RtpPayloadType){ MEDIA_VP8, 96, 97 }
                                 : (RtpPayloadType){ MEDIA_OPUS, 111, 0 };
  types[1] = (RtpPayloadType){ MEDIA_H264, 98, 99 };
}

static void
pair_init (Pair *pair, MediaKind kind, guint16 first_seq)
{
  static const RecvStreamEvents events = { .packet = on_packet, .frame = on_frame };
  *pair = (Pair){ .rand = g_rand_new_with_seed (first_seq),
                  .pool = rtp_packet_pool_new (64),
                  .packets = g_ptr_array_new_with_free_func ((GDestroyNotify)rtp_packet_unref),
                  .frames = g_ptr_array_new_with_free_func ((GDestroyNotify)frame_unref),
                  .seqs = g_array_new (FALSE, FALSE, sizeof (gint64)) };
  SendStreamConfig send = { .kind = kind,
                            .ssrc = SSRC,
                            .rtx_ssrc = kind == MEDIA_VIDEO ? RTX_SSRC : 0,
                            .mid = "m",
                            .ext = ext,
                            .first_seq = first_seq,
                            .first_timestamp = 0xfffff000 };
  set_types (send.payload_types, &send.n_payload_types, kind);
  pair->send = send_stream_new (pair->pool, &send, on_emit, pair);
  RecvStreamConfig recv = { .kind = kind, .nack = TRUE, .frames = TRUE };
  set_types (recv.payload_types, &recv.n_payload_types, kind);
  pair->recv = recv_stream_new (pair->pool, &recv, &events, pair);
}

static void
pair_clear (Pair *pair)
{
  g_ptr_array_unref (pair->packets);
  g_ptr_array_unref (pair->frames);
  g_array_unref (pair->seqs);
  send_stream_free (pair->send);
  recv_stream_free (pair->recv);
  rtp_packet_pool_free (pair->pool); /* nothing is out any more */
  g_rand_free (pair->rand);
}

static void
receive (Pair *pair, const RtpPacket *packet, gint64 now)
{
  RtpView view;
  g_assert_true (rtp_parse (packet->data, packet->size, &ext, &view));
  g_assert_cmpstr (view.mid, ==, "m");
  recv_stream_receive (pair->recv, &view, now);
}

static void
receive_all (Pair *pair, gint64 now)
{
  for (guint i = 0; i < pair->packets->len; i++)
    receive (pair, g_ptr_array_index (pair->packets, i), now);
  g_ptr_array_set_size (pair->packets, 0);
}

static void
send_frame (Pair *pair, MediaCodec codec, gboolean key, guint size, gint64 now)
{
  g_autoptr (Frame) frame = frames_new (pair->rand, codec, key, size, now);
  g_assert_true (send_stream_frame (pair->send, frame, now));
}

/* Across the wrap of sequence numbers and timestamps, twice around. */
static void
test_wraparound (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 65530);
  gint64 now = START_US;
  for (guint i = 0; i < 30000; i++, now += 33333) {
    send_frame (&p, MEDIA_VP8, i == 0, 4000, now);
    receive_all (&p, now);
  }
  g_assert_cmpuint (p.frames->len, ==, 30000);
  for (guint i = 1; i < p.seqs->len; i++)
    g_assert_cmpint (g_array_index (p.seqs, gint64, i), ==,
                     g_array_index (p.seqs, gint64, i - 1) + 1);
  for (guint i = 0; i < p.frames->len; i += 1000) {
    const Frame *frame = g_ptr_array_index (p.frames, i);
    g_assert_cmpint (ABS (frame->capture_us - (START_US + (gint64)i * 33333)), <, 100);
  }
  RtcpBlock block;
  g_assert_true (recv_stream_report (p.recv, now, &block));
  g_assert_cmpint (block.lost, ==, 0);
  g_assert_cmpuint (block.highest_seq, ==, 65530 + 120000 - 1);
  pair_clear (&p);
}

/* Packets shuffled within a window and doubled: same frames, no NACK within the patience. */
static void
test_reorder_and_duplicates (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 65000);
  gint64 now = START_US;
  for (guint i = 0; i < 500; i++, now += 33333) {
    send_frame (&p, MEDIA_VP8, i % 50 == 0, 6000, now);
    guint n = p.packets->len;
    for (guint j = 0; j + 1 < n; j++) {
      guint k = (guint)g_rand_int_range (p.rand, (gint32)j, (gint32)MIN (n, j + 3));
      gpointer swap = p.packets->pdata[j];
      p.packets->pdata[j] = p.packets->pdata[k];
      p.packets->pdata[k] = swap;
    }
    for (guint j = 0; j < n; j++) {
      receive (&p, g_ptr_array_index (p.packets, j), now);
      if (j % 3 == 0)
        receive (&p, g_ptr_array_index (p.packets, j), now);
    }
    g_ptr_array_set_size (p.packets, 0);
    guint16 seqs[16];
    g_assert_cmpuint (recv_stream_take_nacks (p.recv, now + 4000, seqs, 16), ==, 0);
  }
  RecvStreamStats stats;
  recv_stream_stats (p.recv, &stats);
  g_assert_cmpuint (p.frames->len, ==, 500);
  g_assert_cmpuint (stats.duplicates, >, 500);
  g_assert_cmpint (stats.lost, ==, 0);
  pair_clear (&p);
}

/* A lost packet: NACK, RTX on its own SSRC, recovered; counted as lost all the same. */
static void
test_rtx_round_trip (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 65533);
  gint64 now = START_US;
  send_frame (&p, MEDIA_H264, TRUE, 5000, now);
  g_ptr_array_remove_index (p.packets, 3);
  receive_all (&p, now);
  g_assert_cmpuint (p.frames->len, ==, 0);
  gint64 due = recv_stream_next_us (p.recv);
  g_assert_cmpint (due, ==, now + 5000);
  guint16 seqs[8];
  g_assert_cmpuint (recv_stream_take_nacks (p.recv, due, seqs, 8), ==, 1);
  g_assert_cmpuint (seqs[0], ==, 0);
  send_stream_nack (p.send, seqs, 1, due);
  g_assert_cmpuint (p.packets->len, ==, 1);
  RtpPacket *packet = g_ptr_array_index (p.packets, 0);
  g_assert_cmpint (packet->class, ==, RTP_CLASS_RETRANSMISSION);
  g_assert_cmpuint (rtp_get32 (packet->data + 8), ==, RTX_SSRC);
  g_assert_cmpuint (packet->data[1] & 127, ==, 99);
  receive_all (&p, due + 1);
  g_assert_cmpuint (p.frames->len, ==, 1);
  g_assert_cmpuint (p.recovered, ==, 1);
  RtcpBlock block;
  g_assert_true (recv_stream_report (p.recv, due, &block));
  g_assert_cmpint (block.lost, ==, 1);
  g_assert_cmpuint (block.fraction_lost, >, 0);
  pair_clear (&p);
}

/* However often the other side asks: once a round trip each, and a rate on the whole. */
static void
test_nack_storm (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 1);
  gint64 now = START_US;
  send_stream_set_rtt (p.send, 50000);
  send_stream_set_limit (p.send, 1000000);
  send_frame (&p, MEDIA_VP8, TRUE, 600000, now);
  guint n = p.packets->len;
  g_ptr_array_set_size (p.packets, 0);
  guint16 seqs[1024];
  for (guint i = 0; i < 1024; i++)
    seqs[i] = (guint16)(1 + i % n);
  gsize bytes = 0;
  for (guint i = 0; i < 1000; i++, now += 1000) {
    guint64 least = p.packets->len;
    send_stream_nack (p.send, seqs, 1024, now);
    g_assert_cmpuint (p.packets->len - least, <=, n);
  }
  for (guint i = 0; i < p.packets->len; i++)
    bytes += ((RtpPacket *)g_ptr_array_index (p.packets, i))->size;
  g_assert_cmpuint (bytes, <=, 1000000 / 8 + 110000);
  g_assert_cmpuint (p.packets->len, <=, n * 21);
  SendStreamStats stats;
  send_stream_stats (p.send, &stats);
  g_assert_cmpuint (stats.retransmitted + stats.not_resent, ==, 1024000);
  /* After three seconds the history is over. */
  g_ptr_array_set_size (p.packets, 0);
  now += 4 * G_USEC_PER_SEC;
  send_frame (&p, MEDIA_VP8, FALSE, 100, now);
  g_ptr_array_set_size (p.packets, 0);
  send_stream_nack (p.send, seqs, 100, now);
  g_assert_cmpuint (p.packets->len, ==, 0);
  pair_clear (&p);
}

/* Sound has no RTX: what is resent is the same packet, byte for byte. */
static void
test_audio_resend (void)
{
  Pair p;
  pair_init (&p, MEDIA_AUDIO, 9);
  gint64 now = START_US;
  RtpPacket *third = NULL;
  for (guint i = 0; i < 4; i++, now += 20000) {
    send_frame (&p, MEDIA_OPUS, TRUE, 50, now);
    if (i == 2) {
      third = rtp_packet_ref (g_ptr_array_index (p.packets, 0));
      g_ptr_array_set_size (p.packets, 0);
    }
    receive_all (&p, now);
  }
  now -= 10000;
  send_stream_nack (p.send, (guint16[]){ 11 }, 1, now);
  g_assert_cmpuint (p.packets->len, ==, 1);
  g_assert_true (g_ptr_array_index (p.packets, 0) == third);
  rtp_packet_unref (third);
  receive_all (&p, now);
  recv_stream_poll (p.recv, now + 200000);
  g_assert_cmpuint (p.frames->len, ==, 4);
  pair_clear (&p);
}

/* Nothing comes back: at most ten NACKs a number, then a PLI, again and again with longer pauses;
 * a key frame ends it. */
static void
test_give_up (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 50);
  gint64 now = START_US;
  recv_stream_set_rtt (p.recv, 40000);
  send_frame (&p, MEDIA_VP8, TRUE, 3000, now);
  receive_all (&p, now);
  send_frame (&p, MEDIA_VP8, FALSE, 3000, now += 33333);
  g_ptr_array_set_size (p.packets, 0); /* lost */
  guint nacks = 0, plis = 0;
  gint64 first_pli = 0;
  for (guint i = 0; i < 300; i++, now += 10000) {
    if (i % 3 == 0)
      send_frame (&p, MEDIA_VP8, FALSE, 900, now);
    receive_all (&p, now);
    recv_stream_poll (p.recv, now);
    guint16 seqs[16];
    nacks += recv_stream_take_nacks (p.recv, now, seqs, 16);
    if (recv_stream_take_pli (p.recv, now)) {
      plis++;
      first_pli = first_pli ? first_pli : now - START_US;
    }
  }
  g_assert_cmpuint (nacks, <=, 30);
  g_assert_cmpuint (nacks, >=, 24);
  g_assert_cmpint (first_pli, <, 1100000);
  g_assert_cmpuint (plis, >=, 2);
  g_assert_cmpuint (plis, <=, 4);
  g_assert_cmpuint (p.frames->len, ==, 1);
  send_frame (&p, MEDIA_VP8, TRUE, 3000, now);
  receive_all (&p, now);
  g_assert_cmpuint (p.frames->len, ==, 2);
  g_assert_false (recv_stream_take_pli (p.recv, now + 10 * G_USEC_PER_SEC));
  g_assert_cmpint (recv_stream_next_us (p.recv), ==, G_MAXINT64);
  pair_clear (&p);
}

/* Wishes close together become two PLIs, none is lost. */
static void
test_pli_merged (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 50);
  gint64 now = START_US;
  send_frame (&p, MEDIA_VP8, TRUE, 3000, now);
  receive_all (&p, now);
  recv_stream_want_keyframe (p.recv, now);
  g_assert_true (recv_stream_take_pli (p.recv, now));
  send_frame (&p, MEDIA_VP8, TRUE, 3000, now += 33333);
  receive_all (&p, now);
  recv_stream_want_keyframe (p.recv, now += 1000);
  g_assert_false (recv_stream_take_pli (p.recv, now));
  gint64 due = recv_stream_next_us (p.recv);
  g_assert_cmpint (due, ==, START_US + 300000);
  g_assert_true (recv_stream_take_pli (p.recv, due));
  pair_clear (&p);
}

/* A viewer that loses all the time: key frames as often as they may cost, every wish is answered by
 * one, and who has no picture at all does not wait for that. */
static void
test_pli_cost (void)
{
  enum { STEP_US = 33333, SECONDS = 30 };
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 50);
  gint64 now = START_US, key_due = 0, wished = 0, longest = 0;
  guint keys = 0;
  for (guint i = 0; i < SECONDS * 30; i++, now += STEP_US) {
    gboolean key = i == 0 || (key_due != 0 && now >= key_due);
    send_frame (&p, MEDIA_VP8, key, key ? 15000 : 1000, now);
    receive_all (&p, now);
    if (key) {
      keys++;
      longest = wished ? MAX (longest, now - wished) : longest;
      key_due = wished = 0;
    }
    if (i > 60 && i % 2 == 0) {
      recv_stream_pass_keyframe (p.recv, now);
      wished = wished ? wished : now;
    }
    if (recv_stream_take_pli (p.recv, now) && key_due == 0)
      key_due = now + 100000;
  }
  g_test_message ("%u key frames in %d s, the longest wait %.0f ms", keys, SECONDS,
                  (double)longest / 1000);
  /* 15 kB at some 0.3 Mbit/s are 0.4 s: a third of the bits is one in 1.1 s */
  g_assert_cmpuint (keys, <=, SECONDS + 2);
  g_assert_cmpuint (keys, >=, SECONDS / 2);
  g_assert_cmpint (longest, <, 2300000);
  /* urgent */
  while (!recv_stream_take_pli (p.recv, now))
    now += 5000;
  recv_stream_want_keyframe (p.recv, now += 1000);
  gint64 asked = now;
  while (!recv_stream_take_pli (p.recv, now))
    now += 5000;
  g_assert_cmpint (now - asked, <=, 600000);
  pair_clear (&p);
}

/* A jump of the numbers (the sender began anew) is taken once the next packet confirms it; a
 * single stray packet is not. */
static void
test_restart (void)
{
  Pair p;
  pair_init (&p, MEDIA_VIDEO, 50);
  gint64 now = START_US;
  send_frame (&p, MEDIA_VP8, TRUE, 3000, now);
  receive_all (&p, now);
  Pair q;
  pair_init (&q, MEDIA_VIDEO, 30000);
  send_frame (&q, MEDIA_VP8, TRUE, 3000, now += 33333);
  receive (&p, g_ptr_array_index (q.packets, 0), now);
  send_frame (&p, MEDIA_VP8, FALSE, 3000, now);
  receive_all (&p, now);
  g_assert_cmpuint (p.frames->len, ==, 2);
  for (guint i = 0; i < 3; i++) {
    send_frame (&q, MEDIA_VP8, TRUE, 3000, now += 33333);
    for (guint j = 0; j < q.packets->len; j++)
      receive (&p, g_ptr_array_index (q.packets, j), now);
    g_ptr_array_set_size (q.packets, 0);
  }
  g_assert_cmpuint (p.frames->len, >=, 4);
  g_assert_cmpint (recv_stream_next_us (p.recv), ==, G_MAXINT64);
  pair_clear (&q);
  pair_clear (&p);
}

/* SR and RR: times of the report block, jitter of a known pattern. */
static void
test_reports (void)
{
  Pair p;
  pair_init (&p, MEDIA_AUDIO, 65530);
  gint64 now = START_US;
  for (guint i = 0; i < 2000; i++, now += 20000) {
    send_frame (&p, MEDIA_OPUS, TRUE, 50, now);
    receive_all (&p, now + (i % 2 ? 10000 : 0)); /* every second 10 ms late */
  }
  RtcpSenderInfo info;
  g_assert_true (send_stream_sender_info (p.send, now, &info));
  g_assert_cmpuint (info.packets, ==, 2000);
  g_assert_cmpuint (info.octets, ==, 2000 * 51);
  g_assert_cmpuint (info.timestamp, ==, 0xfffff000u + 2000 * 960);
  recv_stream_sender_report (p.recv, &info, now + 7000);
  RtcpBlock block;
  g_assert_true (recv_stream_report (p.recv, now + 507000, &block));
  g_assert_cmpuint (block.lsr, ==, rtcp_ntp_middle (info.ntp));
  g_assert_cmpuint (block.dlsr, ==, 65536 / 2);
  /* |D| is 10 ms each time: 480 ticks */
  g_assert_cmpuint (block.jitter, >, 470);
  g_assert_cmpuint (block.jitter, <=, 480);
  g_assert_cmpint (rtcp_block_rtt_us (&block, now + 520000), <=, 20020);
  g_assert_cmpint (rtcp_block_rtt_us (&block, now + 520000), >=, 19980);
  /* Four of a hundred lost since */
  for (guint i = 0; i < 100; i++, now += 20000) {
    send_frame (&p, MEDIA_OPUS, TRUE, 50, now);
    if (i % 25 == 3)
      g_ptr_array_set_size (p.packets, 0);
    receive_all (&p, now);
  }
  g_assert_true (recv_stream_report (p.recv, now, &block));
  g_assert_cmpint (block.lost, ==, 4);
  g_assert_cmpuint (block.fraction_lost, ==, 4 * 256 / 100);
  pair_clear (&p);
}

/* The jitter buffer: order restored, late ones dropped, depth follows jitter and falls again. */
static void
test_audio_buffer (void)
{
  Pair p;
  pair_init (&p, MEDIA_AUDIO, 65000);
  gint64 now = START_US;
  RecvStreamStats stats;
  guint16 seqs[8];
  for (guint i = 0; i < 1000; i++, now += 20000) {
    send_frame (&p, MEDIA_OPUS, TRUE, 50, now);
    if (p.packets->len == 2) { /* every tenth pair the wrong way round */
      gpointer swap = p.packets->pdata[0];
      p.packets->pdata[0] = p.packets->pdata[1];
      p.packets->pdata[1] = swap;
    }
    if (i % 10 != 5)
      receive_all (&p, now);
    recv_stream_poll (p.recv, now);
    recv_stream_take_nacks (p.recv, now, seqs, 8);
  }
  recv_stream_poll (p.recv, now + 200000);
  recv_stream_stats (p.recv, &stats);
  g_assert_cmpuint (p.frames->len, >=, 990);
  g_assert_cmpuint (stats.late, <=, 5);
  g_assert_cmpint (stats.audio_delay_us, >=, 20000);
  g_assert_cmpint (stats.audio_delay_us, <=, 40000);
  for (guint i = 1; i < p.frames->len; i++)
    g_assert_cmpint (((Frame *)g_ptr_array_index (p.frames, i))->capture_us, >,
                     ((Frame *)g_ptr_array_index (p.frames, i - 1))->capture_us);
  /* 300 ms of delay for one packet: it is late, the others were not held back by it. */
  send_frame (&p, MEDIA_OPUS, TRUE, 50, now);
  RtpPacket *late = rtp_packet_ref (g_ptr_array_index (p.packets, p.packets->len - 1));
  g_ptr_array_set_size (p.packets, 0);
  guint before = p.frames->len;
  for (guint i = 0; i < 15; i++) {
    send_frame (&p, MEDIA_OPUS, TRUE, 50, now += 20000);
    receive_all (&p, now);
  }
  receive (&p, late, now);
  rtp_packet_unref (late);
  g_assert_cmpuint (p.frames->len, >=, before + 8);
  recv_stream_stats (p.recv, &stats);
  g_assert_cmpint (stats.audio_delay_us, <=, 120000);
  pair_clear (&p);
}

/* --- forwarding --- */

typedef struct {
  Pair *out;
  guint32 source;
  gint64 now;
  guint refused;
} Forwarder;

static void
forward_packet (RecvStream *stream, const RtpIncoming *packet, void *arg)
{
  Forwarder *f = arg;
  if (!send_stream_forward (f->out->send, f->source, packet, f->now))
    f->refused++;
}

/* Two sources in turns through one outgoing stream, with loss and disorder before it: what leaves
 * has no gap of its own making, time goes on, and begins with a key frame each time. */
static void
test_forward_switch (gconstpointer arg)
{
  MediaCodec codec = GPOINTER_TO_INT (arg);
  Pair out, in[2];
  Forwarder f[2];
  static const RecvStreamEvents events = { .packet = forward_packet };
  pair_init (&out, MEDIA_VIDEO, 65400);
  for (guint i = 0; i < 2; i++) {
    pair_init (&in[i], MEDIA_VIDEO, (guint16)(i * 20000 + 65500));
    RecvStreamConfig recv = { .kind = MEDIA_VIDEO };
    set_types (recv.payload_types, &recv.n_payload_types, MEDIA_VIDEO);
    recv_stream_free (in[i].recv);
    f[i] = (Forwarder){ .out = &out, .source = i };
    in[i].recv = recv_stream_new (in[i].pool, &recv, &events, &f[i]);
  }
  gint64 now = START_US;
  guint32 last_timestamp = 0;
  gint64 last_now = 0;
  guint last_picture = G_MAXUINT;
  for (guint i = 0; i < 900; i++, now += 33333) {
    guint active = i / 100 % 2;
    /* The source goes on for ten frames before its key frame comes. */
    send_frame (&in[active], codec, i % 100 == 10 || i == 0, 3000, now);
    f[active].now = now;
    if (in[active].packets->len > 2 && i % 7 == 0) {
      gpointer swap = in[active].packets->pdata[1];
      in[active].packets->pdata[1] = in[active].packets->pdata[2];
      in[active].packets->pdata[2] = swap;
    }
    receive_all (&in[active], now);
    for (guint j = 0; j < out.packets->len; j++) {
      RtpPacket *packet = g_ptr_array_index (out.packets, j);
      guint32 timestamp = rtp_get32 (packet->data + 4);
      g_assert_cmpuint (rtp_get32 (packet->data + 8), ==, SSRC);
      if (last_now != 0 && now != last_now) {
        gint64 passed = (gint64)(gint32)(timestamp - last_timestamp) * 100 / 9;
        g_assert_cmpint (ABS (passed - (now - last_now)), <, 2000);
      }
      last_timestamp = timestamp;
      last_now = now;
      /* and its picture ids go on, whatever the sources' are */
      guint picture = rtp_get16 (packet->data + packet->payload_offset + 2) & 0x7fff;
      if (codec == MEDIA_VP8 && last_picture != G_MAXUINT)
        g_assert_cmpuint ((picture - last_picture) & 0x7fff, <=, 1);
      last_picture = picture;
    }
    receive_all (&out, now);
  }
  RecvStreamStats stats;
  recv_stream_stats (out.recv, &stats);
  g_assert_cmpint (stats.lost, ==, 0);
  g_assert_cmpuint (stats.frames_lost, ==, 0);
  /* Of each hundred, the ten before the key frame are left out, but for the first hundred. */
  g_assert_cmpuint (out.frames->len, ==, 900 - 8 * 10);
  g_assert_cmpuint (f[0].refused, >, 0);
  pair_clear (&out);
  pair_clear (&in[0]);
  pair_clear (&in[1]);
}

/* Opus timestamps advance by whole packets although capture times tremble, and jump at a pause. */
static void
test_audio_timestamps (void)
{
  Pair p;
  pair_init (&p, MEDIA_AUDIO, 1);
  gint64 now = START_US;
  guint32 last = 0;
  for (guint i = 0; i < 300; i++, now += 20000) {
    if (i == 200)
      now += 500000;
    gint64 capture = now + g_rand_int_range (p.rand, -8000, 8000);
    send_frame (&p, MEDIA_OPUS, TRUE, 50, capture);
    guint32 timestamp = rtp_get32 (((RtpPacket *)g_ptr_array_index (p.packets, i))->data + 4);
    if (i > 0 && i != 200)
      g_assert_cmpuint (timestamp - last, ==, 960);
    if (i == 200)
      g_assert_cmpuint (timestamp - last, >, 20000);
    last = timestamp;
  }
  pair_clear (&p);
}

static void
test_refuses (void)
{
  Pair p;
  pair_init (&p, MEDIA_AUDIO, 1);
  g_autoptr (Frame) video = frames_new (p.rand, MEDIA_VP8, TRUE, 100, START_US);
  g_assert_false (send_stream_frame (p.send, video, START_US));
  g_autoptr (Frame) large = frames_new (p.rand, MEDIA_OPUS, TRUE, 1400, START_US);
  g_assert_false (send_stream_frame (p.send, large, START_US));
  SendStreamStats stats;
  send_stream_stats (p.send, &stats);
  g_assert_cmpuint (stats.frames_refused, ==, 2);
  RtcpSenderInfo info;
  g_assert_false (send_stream_sender_info (p.send, START_US, &info));
  RtcpBlock block;
  g_assert_false (recv_stream_report (p.recv, START_US, &block));
  pair_clear (&p);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rtp-streams/wraparound", test_wraparound);
  g_test_add_func ("/rtp-streams/reorder", test_reorder_and_duplicates);
  g_test_add_func ("/rtp-streams/rtx", test_rtx_round_trip);
  g_test_add_func ("/rtp-streams/nack-storm", test_nack_storm);
  g_test_add_func ("/rtp-streams/audio-resend", test_audio_resend);
  g_test_add_func ("/rtp-streams/give-up", test_give_up);
  g_test_add_func ("/rtp-streams/pli-merged", test_pli_merged);
  g_test_add_func ("/rtp-streams/pli-cost", test_pli_cost);
  g_test_add_func ("/rtp-streams/restart", test_restart);
  g_test_add_func ("/rtp-streams/reports", test_reports);
  g_test_add_func ("/rtp-streams/audio-buffer", test_audio_buffer);
  g_test_add_data_func ("/rtp-streams/forward/vp8", GINT_TO_POINTER (MEDIA_VP8),
                        test_forward_switch);
  g_test_add_data_func ("/rtp-streams/forward/h264", GINT_TO_POINTER (MEDIA_H264),
                        test_forward_switch);
  g_test_add_func ("/rtp-streams/audio-timestamps", test_audio_timestamps);
  g_test_add_func ("/rtp-streams/refuses", test_refuses);
  return g_test_run ();
}
