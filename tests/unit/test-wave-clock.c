/* Sample index to monotonic time, and the gathering of samples into messages. */
#include "media/devices/wave_clock.h"
#include "media/devices/wave_packer.h"
#include <math.h>

#define RATE 500
#define START_US G_GINT64_CONSTANT (7000000000)

/* True time of a sample of a device that runs `ppm` too fast. */
static double
taken_us (guint64 index, double ppm)
{
  return START_US + (double)index * 1e6 / RATE / (1 + ppm * 1e-6);
}

/* Blocks of 20 samples, each late by at most jitter_us, in order. */
static void
feed (WaveClock *clock, GRand *rand, guint64 from, guint seconds, double ppm, gint64 jitter_us)
{
  gint64 last = 0;
  for (guint64 i = from; i < from + seconds * RATE; i += 20) {
    double late = jitter_us > 0 ? g_rand_double_range (rand, 0, (double)jitter_us) : 0;
    gint64 us = MAX (last, (gint64)(taken_us (i + 20, ppm) + late));
    wave_clock_add (clock, i + 20, us);
    last = us;
  }
}

static double
error_us (const WaveClock *clock, guint64 index, double ppm)
{
  guint64 at;
  gint64 us;
  double period;
  g_assert_true (wave_clock_map (clock, &at, &us, &period));
  return us + ((double)index - (double)at) * period - taken_us (index, ppm);
}

static void
test_jitter (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (WaveClock) clock = wave_clock_new (RATE, 1);
  feed (clock, rand, 0, 3, 0, 60000);
  g_assert_cmpfloat (fabs (error_us (clock, 1500, 0)), <, 10000);
  feed (clock, rand, 1500, 60, 0, 60000);
  g_assert_cmpfloat (fabs (error_us (clock, 31500, 0)), <, 5000);
}

static void
test_drift (void)
{
  static const double PPM[] = { 100, -100 };
  for (guint i = 0; i < G_N_ELEMENTS (PPM); i++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (2);
    g_autoptr (WaveClock) clock = wave_clock_new (RATE, 1);
    /* In ten minutes such a device is 60 ms off. */
    feed (clock, rand, 0, 600, PPM[i], 40000);
    g_assert_cmpfloat (fabs (error_us (clock, 300000, PPM[i])), <, 5000);
    guint64 at;
    gint64 us;
    double period;
    wave_clock_map (clock, &at, &us, &period);
    g_assert_cmpfloat (fabs (period / 2000 * (1 + PPM[i] * 1e-6) - 1), <, 60e-6);
  }
}

/* A new epoch: what was before says nothing about it. */
static void
test_gap (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autoptr (WaveClock) clock = wave_clock_new (RATE, 1);
  guint64 at;
  gint64 us;
  double period;
  g_assert_false (wave_clock_map (clock, &at, &us, &period));
  feed (clock, rand, 0, 30, 0, 20000);
  wave_clock_reset (clock);
  g_assert_false (wave_clock_map (clock, &at, &us, &period));
  /* Index 0 again, 40 s later. */
  wave_clock_add (clock, 20, START_US + 40 * G_USEC_PER_SEC);
  g_assert_true (wave_clock_map (clock, &at, &us, &period));
  g_assert_cmpint (us, ==, START_US + 40 * G_USEC_PER_SEC);
  g_assert_cmpuint (at, ==, 20);
  g_assert_cmpfloat (period, ==, 2000);
}

/* ---- Gathering ----------------------------------------------------------------------------------
 */

static WaveBlock *
block_of (WaveStream *stream, guint64 first, guint count)
{
  WaveBlock *block = wave_block_new (stream, 0, first, count);
  for (guint i = 0; i < stream->lead_count * count; i++)
    block->samples[i] = (gint32)(first * 7 + i * i % 311);
  return block;
}

static void
test_gathers (void)
{
  g_autoptr (WavePacker) packer = wave_packer_new (1150);
  g_autoptr (WaveStream) stream = wave_stream_new ("ecg", RATE, 1, 2);
  for (guint i = 0; i < 4; i++) {
    g_autoptr (WaveBlock) block = block_of (stream, i * 5, 5);
    wave_packer_push (packer, 1, 1, block, 3);
    wave_packer_push (packer, 2, 1, block, 1);
  }
  g_autoptr (WaveBlock) later = block_of (stream, 25, 5);
  wave_packer_push (packer, 1, 1, later, 3);
  g_autoptr (GPtrArray) messages = wave_packer_take (packer);
  g_assert_true (wave_packer_is_empty (packer));
  g_assert_cmpuint (messages->len, ==, 1);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (messages->pdata[0], &size);
  g_autoptr (GPtrArray) packets = wave_codec_read (bytes, size);
  g_assert_nonnull (packets);
  g_assert_cmpuint (packets->len, ==, 3); /* the gap makes two of stream 1 */
  const WavePacket *first = packets->pdata[0], *last = packets->pdata[2];
  g_assert_cmpuint (first->count, ==, 20);
  g_assert_cmpuint (last->first, ==, 25);
  g_autoptr (WaveBlock) second = block_of (stream, 5, 5);
  g_assert_cmpint (first->samples[5], ==, second->samples[0]);
  g_assert_cmpint (first->samples[20 + 5], ==, second->samples[5]);
}

/* A second of many leads at once, as a gateway sends it: many messages, none too large. */
static void
test_splits (void)
{
  g_autoptr (WavePacker) packer = wave_packer_new (1150);
  g_autoptr (WaveStream) stream = wave_stream_new ("ecg", RATE, 1, 12);
  g_autoptr (WaveBlock) block = wave_block_new (stream, 0, 0, 6000);
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  for (guint i = 0; i < 72000; i++)
    block->samples[i] = g_rand_int_range (rand, -200, 200);
  wave_packer_push (packer, 1, 1, block, 0xfff);
  g_autoptr (GPtrArray) messages = wave_packer_take (packer);
  g_assert_cmpuint (messages->len, >, 50);
  guint64 next = 0;
  for (guint i = 0; i < messages->len; i++) {
    gsize size;
    const guint8 *bytes = g_bytes_get_data (messages->pdata[i], &size);
    g_assert_cmpuint (size, <=, 1150);
    g_autoptr (GPtrArray) packets = wave_codec_read (bytes, size);
    g_assert_nonnull (packets);
    for (guint j = 0; j < packets->len; j++) {
      const WavePacket *packet = packets->pdata[j];
      g_assert_cmpuint (packet->first, ==, next);
      g_assert_cmpint (packet->samples[0], ==, block->samples[next]);
      next += packet->count;
    }
  }
  g_assert_cmpuint (next, ==, 6000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wave-clock/jitter", test_jitter);
  g_test_add_func ("/wave-clock/drift", test_drift);
  g_test_add_func ("/wave-clock/gap", test_gap);
  g_test_add_func ("/wave-packer/gathers", test_gathers);
  g_test_add_func ("/wave-packer/splits", test_splits);
  return g_test_run ();
}
