/* FlexFEC: what a receiver makes of parity packets, which packets they stand for, and when they go.
 */
#include "media/rtp/flexfec.h"
#include "media/rtp/parity.h"
#include "media/rtp/send_stream.h"
#include "rtp_frames.h"

enum { H264 = 102, FEC = 98, SSRC = 0x01020304, FEC_SSRC = 0x0a0b0c0d, FRAME_US = 66667 };

/* A receiver's side, read from the draft (-03, 4.2 and 6.3): the numbers that a payload protects,
 * and the one packet of them that is missing. */
typedef struct {
  guint16 base, mask;
  guint32 ssrc;
  const guint8 *payload;
  gsize size;
} ParityView;

static ParityView
read_parity (const guint8 *payload, gsize size)
{
  g_assert_cmpuint (size, >=, FLEXFEC_HEADER_SIZE);
  g_assert_cmpuint (payload[0] >> 6, ==, 0);  /* R, F */
  g_assert_cmpuint (payload[8], ==, 1);       /* SSRCs */
  g_assert_cmpuint (payload[18] >> 7, ==, 1); /* K: the mask ends */
  return (ParityView){ .base = rtp_get16 (payload + 16),
                       .mask = rtp_get16 (payload + 18) & 0x7fff,
                       .ssrc = rtp_get32 (payload + 12),
                       .payload = payload,
                       .size = size };
}

static gboolean
protected_by (const ParityView *view, guint16 seq)
{
  guint16 distance = (guint16)(seq - view->base);
  return distance < FLEXFEC_SPAN && view->mask & 1u << (FLEXFEC_SPAN - 1 - distance);
}

/* packets: GBytes of all others of the group. */
static GByteArray *
repair (const ParityView *view, const GPtrArray *packets, guint16 missing)
{
  guint8 bytes[1500] = { 0 };
  const guint8 *parity = view->payload;
  bytes[0] = parity[0];
  bytes[1] = parity[1];
  memcpy (bytes + 4, parity + 4, 4);
  guint16 length = rtp_get16 (parity + 2);
  memcpy (bytes + 12, parity + FLEXFEC_HEADER_SIZE, view->size - FLEXFEC_HEADER_SIZE);
  for (guint i = 0; i < packets->len; i++) {
    gsize size;
    const guint8 *other = g_bytes_get_data (packets->pdata[i], &size);
    length ^= (guint16)(size - 12);
    for (gsize k = 0; k < size; k++)
      if (k < 2 || (k >= 4 && k < 8) || k >= 12)
        bytes[k] ^= other[k];
  }
  bytes[0] = 0x80 | (bytes[0] & 0x3f);
  rtp_put16 (bytes + 2, missing);
  rtp_put32 (bytes + 8, view->ssrc);
  GByteArray *packet = g_byte_array_new ();
  g_byte_array_append (packet, bytes, 12u + length);
  return packet;
}

static void
test_each_is_made_again (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());
  for (guint round = 0; round < 200; round++) {
    g_autoptr (GPtrArray) packets = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
    FlexFec fec = { 0 };
    guint16 seq = (guint16)(round < 20 ? 65530 + round : g_rand_int (rand));
    for (guint distance = 0; distance < FLEXFEC_SPAN; distance++) {
      if (distance > 0 && g_rand_boolean (rand))
        continue;
      guint8 bytes[1500];
      gsize size = (gsize)g_rand_int_range (rand, 12, sizeof bytes);
      for (gsize i = 0; i < size; i++)
        bytes[i] = (guint8)g_rand_int (rand);
      bytes[0] = 0x80 | (bytes[0] & 0x3f);
      rtp_put16 (bytes + 2, seq + distance);
      rtp_put32 (bytes + 8, SSRC);
      g_assert_true (flexfec_add (&fec, bytes, size));
      g_assert_false (flexfec_add (&fec, bytes, size));
      g_ptr_array_add (packets, g_bytes_new (bytes, size));
    }
    guint8 payload[1600];
    gsize size = flexfec_write (&fec, SSRC, payload, sizeof payload);
    g_assert_cmpuint (size, ==, FLEXFEC_HEADER_SIZE + fec.longest);
    g_assert_cmpuint (flexfec_write (&fec, SSRC, payload, size - 1), ==, 0);
    ParityView view = read_parity (payload, size);
    for (guint i = 0; i < packets->len; i++) {
      g_autoptr (GBytes) lost = g_ptr_array_steal_index (packets, i);
      guint16 number = rtp_get16 ((const guint8 *)g_bytes_get_data (lost, NULL) + 2);
      g_assert_true (protected_by (&view, number));
      g_autoptr (GByteArray) again = repair (&view, packets, number);
      g_assert_cmpmem (again->data, again->len, g_bytes_get_data (lost, NULL),
                       g_bytes_get_size (lost));
      g_ptr_array_insert (packets, (int)i, g_steal_pointer (&lost));
    }
  }
}

static void
test_refused (void)
{
  guint8 bytes[FLEXFEC_PACKET_MAX + 1] = { 0x80, H264, 0, 100 };
  FlexFec fec = { 0 };
  g_assert_false (flexfec_add (&fec, bytes, 11));
  g_assert_false (flexfec_add (&fec, bytes, sizeof bytes));
  g_assert_true (flexfec_add (&fec, bytes, 12));
  bytes[3] = 99; /* before the first */
  g_assert_false (flexfec_add (&fec, bytes, 50));
  bytes[3] = 100 + FLEXFEC_SPAN;
  g_assert_false (flexfec_add (&fec, bytes, 50));
  bytes[3] = 100 + FLEXFEC_SPAN - 1;
  g_assert_true (flexfec_add (&fec, bytes, FLEXFEC_PACKET_MAX));
  g_assert_cmpuint (fec.n, ==, 2);
}

/* ---- A stream with it ---- */

typedef struct {
  GRand *rand;
  RtpPacketPool *pool;
  SendStream *send;
  GPtrArray *media, *parity; /* GBytes, as a receiver counts them */
  GArray *order;             /* gboolean: it was parity */
  gint64 now_us;
} Way;

static void
on_emit (SendStream *stream, RtpPacket *packet, void *arg)
{
  Way *w = arg;
  gboolean parity = packet->parity;
  g_assert_cmpuint (packet->size, <=, 1200);
  g_assert_cmpuint (rtp_get32 (packet->data + 8), ==, parity ? FEC_SSRC : SSRC);
  g_assert_cmpuint (packet->data[1] & 127, ==, parity ? FEC : H264);
  g_ptr_array_add (parity ? w->parity : w->media, g_bytes_new (packet->data, packet->size));
  g_array_append_val (w->order, parity);
  rtp_packet_stamp (packet, (guint16)w->order->len, w->now_us);
  rtp_packet_unref (packet);
}

static void
way_init (Way *w, guint8 fec, guint packets)
{
  SendStreamConfig config = { .kind = MEDIA_VIDEO,
                              .ssrc = SSRC,
                              .fec_ssrc = FEC_SSRC,
                              .payload_types = { { MEDIA_H264, H264, 0, 0 } },
                              .n_payload_types = 1,
                              .mid = "s0",
                              .ext = { .mid = 1, .twcc = 2, .playout_delay = 6 },
                              .first_seq = 65530 };
  *w = (Way){ .rand = g_rand_new_with_seed (7),
              .pool = rtp_packet_pool_new (16),
              .media = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref),
              .parity = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref),
              .order = g_array_new (FALSE, FALSE, sizeof (gboolean)),
              .now_us = G_USEC_PER_SEC };
  w->send = send_stream_new (w->pool, &config, on_emit, w);
  send_stream_set_fec (w->send, fec);
  send_stream_set_parity (w->send, packets);
}

static void
way_clear (Way *w)
{
  send_stream_free (w->send);
  rtp_packet_pool_free (w->pool);
  g_ptr_array_unref (w->media);
  g_ptr_array_unref (w->parity);
  g_array_unref (w->order);
  g_rand_free (w->rand);
}

static void
send_picture (Way *w, gboolean key, guint size)
{
  g_autoptr (GBytes) data = frames_h264 (w->rand, key, size);
  g_autoptr (Frame) frame = frame_new (MEDIA_H264, key, w->now_us, 0, data);
  g_assert_true (send_stream_frame (w->send, frame, w->now_us));
  w->now_us += FRAME_US;
}

/* Each packet of pictures is in one group, and can be made again from the rest of it. */
static void
test_stream (void)
{
  Way w;
  way_init (&w, FEC, 5);
  send_stream_set_rtt (w.send, G_USEC_PER_SEC);
  for (guint i = 0; i < 60; i++)
    send_picture (&w, i == 0, (guint)g_rand_int_range (w.rand, 200, 5000));
  SendStreamStats stats;
  send_stream_stats (w.send, &stats);
  g_assert_cmpuint (stats.packets, ==, w.media->len);
  g_assert_cmpuint (stats.parity, ==, w.parity->len);
  g_assert_cmpuint (w.parity->len, ==, w.media->len / 5);
  guint made = 0;
  for (guint p = 0; p < w.parity->len; p++) {
    gsize size;
    RtpView rtp;
    const RtpExtIds ext = { .mid = 1, .twcc = 2 };
    const guint8 *packet = g_bytes_get_data (w.parity->pdata[p], &size);
    g_assert_true (rtp_parse (packet, size, &ext, &rtp));
    g_assert_cmpstr (rtp.mid, ==, "s0");
    g_assert_true (rtp.has_twcc);
    ParityView view = read_parity (rtp.payload, rtp.payload_size);
    g_assert_cmpuint (view.ssrc, ==, SSRC);
    g_autoptr (GPtrArray) group = g_ptr_array_new ();
    for (guint i = 0; i < w.media->len; i++)
      if (protected_by (&view,
                        rtp_get16 ((const guint8 *)g_bytes_get_data (w.media->pdata[i], NULL) + 2)))
        g_ptr_array_add (group, w.media->pdata[i]);
    g_assert_cmpuint (group->len, ==, 5);
    GBytes *lost = g_ptr_array_steal_index (group, p % 5);
    g_autoptr (GByteArray) again
        = repair (&view, group, rtp_get16 ((const guint8 *)g_bytes_get_data (lost, NULL) + 2));
    g_assert_cmpmem (again->data, again->len, g_bytes_get_data (lost, NULL),
                     g_bytes_get_size (lost));
    made++;
  }
  g_assert_cmpuint (made, >, 20);
  way_clear (&w);
}

/* One packet a picture: it is not waited for longer than sending again would take. */
static void
test_slow_pictures (void)
{
  Way w;
  way_init (&w, FEC, 8);
  send_stream_set_rtt (w.send, 5 * FRAME_US);
  for (guint i = 0; i < 40; i++)
    send_picture (&w, i == 0, 300);
  g_assert_cmpuint (w.media->len, ==, 41); /* parameter sets by themselves */
  g_assert_cmpuint (w.parity->len, ==, 8);
  way_clear (&w);
}

static void
test_none (void)
{
  static const struct {
    guint8 fec;
    guint packets;
  } cases[] = { { 0, 4 }, { FEC, 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Way w;
    way_init (&w, cases[i].fec, cases[i].packets);
    for (guint k = 0; k < 20; k++)
      send_picture (&w, k == 0, 3000);
    g_assert_cmpuint (w.parity->len, ==, 0);
    way_clear (&w);
  }
}

/* What was forgotten or left out is in no group. */
static void
test_forgotten (void)
{
  Way w;
  way_init (&w, FEC, 4);
  send_stream_set_rtt (w.send, G_USEC_PER_SEC);
  for (guint i = 0; i < 2; i++) /* three packets */
    send_picture (&w, i == 0, 300);
  send_stream_forget (w.send);
  for (guint i = 0; i < 4; i++)
    send_picture (&w, i == 0, 300);
  g_assert_cmpuint (w.parity->len, ==, 1);
  RtpView rtp;
  gsize size;
  const guint8 *packet = g_bytes_get_data (w.parity->pdata[0], &size);
  g_assert_true (rtp_parse (packet, size, &(RtpExtIds){ .mid = 1 }, &rtp));
  ParityView view = read_parity (rtp.payload, rtp.payload_size);
  g_assert_cmpuint (view.base, ==,
                    rtp_get16 ((const guint8 *)g_bytes_get_data (w.media->pdata[3], NULL) + 2));
  way_clear (&w);
}

/* ---- The rule ---- */

static void
test_rule (void)
{
  Parity p = { 0 };
  gint64 now_us = G_USEC_PER_SEC;
  const gint64 far_us = 300000;
  g_assert_cmpuint (parity_decide (&p, 0.005, far_us, now_us), ==, 0);
  guint light = parity_decide (&p, 0.015, far_us, now_us);
  guint heavy = parity_decide (&p, 0.05, far_us, now_us);
  g_assert_cmpuint (heavy, >, 0);
  g_assert_cmpuint (light, >, heavy);
  g_assert_cmpuint (parity_decide (&p, 0.05, 210000, now_us), ==, heavy);
  g_assert_cmpuint (parity_decide (&p, 0.05, 190000, now_us), ==, 0);
  g_assert_cmpuint (parity_decide (&p, 0.05, 210000, now_us), ==, 0);
  g_assert_cmpuint (parity_decide (&p, 0.05, -1, now_us), ==, 0);
  /* Less only after 10 s of far less loss. */
  g_assert_cmpuint (parity_decide (&p, 0.03, far_us, now_us), ==, heavy);
  now_us += 20 * G_USEC_PER_SEC;
  g_assert_cmpuint (parity_decide (&p, 0.03, far_us, now_us), ==, heavy);
  g_assert_cmpuint (parity_decide (&p, 0, far_us, now_us), ==, heavy);
  g_assert_cmpuint (parity_decide (&p, 0, far_us, now_us + 9 * G_USEC_PER_SEC), ==, heavy);
  g_assert_cmpuint (parity_decide (&p, 0, far_us, now_us + 11 * G_USEC_PER_SEC), ==, light);
  g_assert_cmpuint (parity_decide (&p, 0, far_us, now_us + 12 * G_USEC_PER_SEC), ==, light);
  g_assert_cmpuint (parity_decide (&p, 0, far_us, now_us + 23 * G_USEC_PER_SEC), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flexfec/each-is-made-again", test_each_is_made_again);
  g_test_add_func ("/flexfec/refused", test_refused);
  g_test_add_func ("/flexfec/stream", test_stream);
  g_test_add_func ("/flexfec/slow-pictures", test_slow_pictures);
  g_test_add_func ("/flexfec/none", test_none);
  g_test_add_func ("/flexfec/forgotten", test_forgotten);
  g_test_add_func ("/flexfec/rule", test_rule);
  return g_test_run ();
}
