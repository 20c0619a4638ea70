/* Payload formats: frames cut up and put together, malformed payloads. */
#include "media/rtp/payload.h"
#include "rtp_frames.h"

enum { MAX_SIZE = 1180 };

/* Through packetizer and depacketizer; returns the number of payloads. */
static guint
round_trip (Depacketizer *d, const Frame *frame, gsize max_size)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  Packetizer z;
  packetizer_init (&z, frame->codec, data, size, max_size, 7);
  guint n = 0;
  gboolean last = FALSE;
  guint8 out[4096];
  gsize payload;
  gsize largest = 0, smallest = G_MAXSIZE;
  while ((payload = packetizer_next (&z, out, &last)) > 0) {
    PayloadInfo info;
    g_assert_cmpuint (payload, <=, max_size);
    g_assert_true (payload_inspect (frame->codec, out, payload, &info));
    if (n == 0) {
      g_assert_true (info.start);
      g_assert_cmpint (info.key, ==, frame->key);
    }
    g_assert_true (depacketizer_add (d, out, payload));
    largest = MAX (largest, payload);
    smallest = MIN (smallest, payload);
    n++;
    g_assert_cmpint (last, ==, z.codec == MEDIA_H264 ? z.unit == NULL : z.data == z.end);
  }
  g_assert_true (last);
  if (frame->codec == MEDIA_VP8)
    g_assert_cmpuint (largest - smallest, <=, n); /* all alike */
  g_autoptr (Frame) back = depacketizer_finish (d, 42);
  g_assert_nonnull (back);
  g_assert_true (g_bytes_equal (back->data, frame->data));
  g_assert_cmpint (back->key, ==, frame->key);
  g_assert_cmpint (back->capture_us, ==, 42);
  if (frame->codec != MEDIA_OPUS) {
    g_assert_cmpuint (back->width, ==, 640);
    g_assert_cmpuint (back->height, ==, 360);
  } else {
    g_assert_cmpint (back->duration_us, ==, 20000);
  }
  return n;
}

static void
test_round_trips (gconstpointer arg)
{
  MediaCodec codec = GPOINTER_TO_INT (arg);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autoptr (Depacketizer) d = depacketizer_new (codec);
  for (guint i = 0; i < 600; i++) {
    guint size = codec == MEDIA_OPUS ? 1 + i % 1000
                 : i % 3 == 0        ? (guint)g_rand_int_range (rand, 11, 60000)
                                     : 11 + i * 8; /* around the borders of packets */
    g_autoptr (Frame) frame = frames_new (rand, codec, i % 10 == 0, size, 0);
    guint n = round_trip (d, frame, i % 2 ? MAX_SIZE : 1000 + i);
    gsize bytes = g_bytes_get_size (frame->data);
    g_assert_cmpuint (n, <=, bytes / 990 + 3);
  }
}

static void
test_h264_shapes (void)
{
  /* Delimiter, SPS, PPS with three-byte codes, filler, IDR with trailing zeros */
  static const guint8 au[] = { 0, 0, 0, 1, 9, 0xf0, 0,    0, 1, 0x67, 1, 2,    3, 0, 0, 1, 0x68,
                               4, 5, 0, 0, 1, 12,   0xff, 0, 0, 0,    1, 0x65, 6, 7, 8, 0, 0 };
  Packetizer z;
  guint8 out[2000];
  gboolean last;
  packetizer_init (&z, MEDIA_H264, au, sizeof au, 1200, 0);
  gsize size = packetizer_next (&z, out, &last);
  static const guint8 stap[] = { 0x78, 0, 4, 0x67, 1, 2, 3, 0, 3, 0x68, 4, 5 };
  g_assert_cmpmem (out, size, stap, sizeof stap);
  g_assert_false (last);
  PayloadInfo info;
  g_assert_true (payload_inspect (MEDIA_H264, out, size, &info));
  g_assert_true (info.key && info.parameters);
  size = packetizer_next (&z, out, &last);
  static const guint8 idr[] = { 0x65, 6, 7, 8 };
  g_assert_cmpmem (out, size, idr, sizeof idr);
  g_assert_true (last);
  g_assert_cmpuint (packetizer_next (&z, out, &last), ==, 0);
  /* Nothing to send */
  static const guint8 nothing[] = { 1, 2, 3, 0, 0, 1, 9, 0, 0, 1 };
  packetizer_init (&z, MEDIA_H264, nothing, sizeof nothing, 1200, 0);
  g_assert_cmpuint (packetizer_next (&z, out, &last), ==, 0);
  packetizer_init (&z, MEDIA_VP8, nothing, 0, 1200, 0);
  g_assert_cmpuint (packetizer_next (&z, out, &last), ==, 0);
}

static void
test_h264_parameters_are_kept (void)
{
  g_autoptr (Depacketizer) d = depacketizer_new (MEDIA_H264);
  static const guint8 slice[] = { 0x41, 1 }, idr[] = { 0x65, 9 };
  g_assert_true (depacketizer_add (d, frames_sps, sizeof frames_sps));
  g_assert_true (depacketizer_add (d, frames_pps, sizeof frames_pps));
  g_assert_true (depacketizer_add (d, idr, sizeof idr));
  g_autoptr (Frame) first = depacketizer_finish (d, 0);
  g_assert_true (depacketizer_add (d, slice, sizeof slice));
  g_autoptr (Frame) second = depacketizer_finish (d, 1);
  g_assert_false (second->key);
  g_assert_true (depacketizer_add (d, idr, sizeof idr));
  g_autoptr (Frame) third = depacketizer_finish (d, 2);
  g_assert_true (third->key);
  g_assert_true (g_bytes_equal (first->data, third->data));
}

static void
test_malformed (void)
{
  g_autoptr (Depacketizer) h264 = depacketizer_new (MEDIA_H264);
  g_autoptr (Depacketizer) vp8 = depacketizer_new (MEDIA_VP8);
  static const guint8 middle[] = { 0x7c, 0x05, 1 }, start[] = { 0x7c, 0x85, 1 };
  static const guint8 stap[] = { 0x78, 0, 9, 0x67 }, mtap[] = { 26, 0, 0 };
  g_assert_false (depacketizer_add (h264, middle, 3));
  g_assert_null (depacketizer_finish (h264, 0));
  g_assert_true (depacketizer_add (h264, start, 3));
  g_assert_false (depacketizer_add (h264, start, 3)); /* the end is missing */
  g_assert_null (depacketizer_finish (h264, 0));
  g_assert_true (depacketizer_add (h264, start, 3));
  g_assert_null (depacketizer_finish (h264, 0)); /* the same */
  g_assert_false (depacketizer_add (h264, stap, 4));
  depacketizer_reset (h264);
  g_assert_false (depacketizer_add (h264, mtap, 3));
  depacketizer_reset (h264);
  g_assert_false (depacketizer_add (h264, mtap, 0));
  g_assert_null (depacketizer_finish (h264, 0));
  static const guint8 cut[] = { 0x90, 0x80, 0x80 }, later[] = { 0x00, 1, 2 };
  g_assert_false (depacketizer_add (vp8, cut, 3));
  depacketizer_reset (vp8);
  g_assert_false (depacketizer_add (vp8, later, 3));
  depacketizer_reset (vp8);
  g_assert_null (depacketizer_finish (vp8, 0));
}

static void
test_opus_durations (void)
{
  static const struct {
    guint8 bytes[2];
    gsize size;
    gint64 us;
  } cases[] = {
    { { 31 << 3 }, 1, 20000 },    { { 16 << 3 }, 1, 2500 },
    { { 3 << 3 }, 1, 60000 },     { { 12 << 3 | 1 }, 1, 20000 },
    { { 1 << 3 | 2 }, 1, 40000 }, { { 31 << 3 | 3, 6 }, 2, 120000 },
    { { 31 << 3 | 3, 7 }, 2, 0 }, { { 31 << 3 | 3 }, 1, 0 },
    { { 31 << 3 | 3, 0 }, 2, 0 }, { { 0 }, 0, 0 },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (payload_opus_duration_us (cases[i].bytes, cases[i].size), ==, cases[i].us);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/payload/h264", GINT_TO_POINTER (MEDIA_H264), test_round_trips);
  g_test_add_data_func ("/payload/vp8", GINT_TO_POINTER (MEDIA_VP8), test_round_trips);
  g_test_add_data_func ("/payload/opus", GINT_TO_POINTER (MEDIA_OPUS), test_round_trips);
  g_test_add_func ("/payload/h264-shapes", test_h264_shapes);
  g_test_add_func ("/payload/h264-parameters", test_h264_parameters_are_kept);
  g_test_add_func ("/payload/malformed", test_malformed);
  g_test_add_func ("/payload/opus-durations", test_opus_durations);
  return g_test_run ();
}
