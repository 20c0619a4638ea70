/* Waves as bytes: every sample comes back, and nothing hostile is believed. */
#include "media/devices/wave_codec.h"
#include <math.h>
#include <string.h>

static WaveStream *
stream_of (guint leads)
{
  WaveStream *stream = wave_stream_new ("ecg", 500, 1, leads);
  for (guint i = 0; i < leads; i++)
    stream->leads[i].name = g_strdup_printf ("V%u", i);
  return stream;
}

static WavePacket *
only (GPtrArray *packets)
{
  g_assert_nonnull (packets);
  g_assert_cmpuint (packets->len, ==, 1);
  return packets->pdata[0];
}

/* Writes all leads and reads them back; gives the message's bytes. */
static guint
round_trip (const WaveBlock *block)
{
  guint leads = block->stream->lead_count;
  guint32 all = leads == 32 ? G_MAXUINT32 : (1u << leads) - 1;
  g_autoptr (GByteArray) message = wave_codec_message ();
  wave_codec_write_block (message, 7, block->epoch, block, 0, block->count, all);
  g_autoptr (GPtrArray) packets = wave_codec_read (message->data, message->len);
  const WavePacket *packet = only (packets);
  g_assert_cmpuint (packet->stream, ==, 7);
  g_assert_cmpuint (packet->epoch, ==, block->epoch);
  g_assert_cmpuint (packet->first, ==, block->first);
  g_assert_cmpuint (packet->count, ==, block->count);
  g_assert_cmpuint (packet->leads, ==, all);
  g_assert_cmpuint (packet->lead_off, ==, block->lead_off);
  g_assert_cmpmem (packet->samples, leads * block->count * sizeof (gint32), block->samples,
                   leads * block->count * sizeof (gint32));
  return message->len;
}

static void
test_smooth (void)
{
  g_autoptr (WaveStream) stream = stream_of (8);
  g_autoptr (WaveBlock) block = wave_block_new (stream, 3, G_GUINT64_CONSTANT (5000000000), 20);
  for (guint lead = 0; lead < 8; lead++)
    for (guint i = 0; i < 20; i++)
      block->samples[lead * 20 + i] = (gint32)(900 * sin (i * 0.05 + lead));
  block->lead_off = 0x81;
  /* 320 bytes as int16 */
  g_assert_cmpuint (round_trip (block), <, 140);
}

/* Steps that no prediction survives, up to the ends of the range, where arithmetic wraps. */
static void
test_extremes (void)
{
  static const gint32 VALUES[]
      = { 0, -1, G_MAXINT32, -G_MAXINT32, 1, G_MAXINT32, 0, 32767, -32768 };
  g_autoptr (WaveStream) stream = stream_of (1);
  g_autoptr (WaveBlock) block = wave_block_new (stream, 0, 0, G_N_ELEMENTS (VALUES));
  memcpy (block->samples, VALUES, sizeof VALUES);
  round_trip (block);
}

static void
test_missing (void)
{
  g_autoptr (WaveStream) stream = stream_of (3);
  g_autoptr (WaveBlock) block = wave_block_new (stream, 1, 10, 50);
  for (guint i = 0; i < 150; i++)
    block->samples[i] = (gint32)i;
  for (guint i = 0; i < 50; i++)
    block->samples[50 + i] = WAVE_MISSING; /* one lead has nothing at all */
  block->samples[0] = block->samples[17] = block->samples[18] = block->samples[49] = WAVE_MISSING;
  block->samples[149] = WAVE_MISSING;
  round_trip (block);
}

static void
test_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  for (guint round = 0; round < 2000; round++) {
    guint leads = (guint)g_rand_int_range (rand, 1, WAVE_LEADS_MAX + 1);
    guint count = (guint)g_rand_int_range (rand, 1, 100);
    g_autoptr (WaveStream) stream = stream_of (leads);
    g_autoptr (WaveBlock) block = wave_block_new (stream, g_rand_int (rand), round * 1000, count);
    guint32 mask = (guint32)((G_GUINT64_CONSTANT (1) << g_rand_int_range (rand, 0, 33)) - 1);
    for (guint i = 0; i < leads * count; i++)
      block->samples[i] = (gint32)(g_rand_int (rand) & mask);
    round_trip (block);
  }
}

static void
test_some_leads (void)
{
  g_autoptr (WaveStream) stream = stream_of (8);
  g_autoptr (WaveBlock) block = wave_block_new (stream, 2, 100, 40);
  for (guint i = 0; i < 320; i++)
    block->samples[i] = (gint32)(i * i);
  g_autoptr (GByteArray) message = wave_codec_message ();
  wave_codec_write_block (message, 1, 2, block, 10, 20, 0x82);
  wave_codec_write_block (message, 2, 9, block, 0, 1, 0x01);
  g_autoptr (GPtrArray) packets = wave_codec_read (message->data, message->len);
  g_assert_nonnull (packets);
  g_assert_cmpuint (packets->len, ==, 2);
  const WavePacket *packet = packets->pdata[0];
  g_assert_cmpuint (packet->first, ==, 110);
  g_assert_cmpuint (packet->leads, ==, 0x82);
  g_assert_cmpmem (packet->samples, 80, block->samples + 40 + 10, 80);
  g_assert_cmpmem (packet->samples + 20, 80, block->samples + 7 * 40 + 10, 80);
  packet = packets->pdata[1];
  g_assert_cmpuint (packet->stream, ==, 2);
  g_assert_cmpuint (packet->count, ==, 1);
}

/* Every length of a good message but its own, and every flipped bit: refused or other samples,
 * within the bounds. */
static void
test_damaged (void)
{
  g_autoptr (WaveStream) stream = stream_of (2);
  g_autoptr (WaveBlock) block = wave_block_new (stream, 1, 0, 30);
  for (guint i = 0; i < 60; i++)
    block->samples[i] = (gint32)(i % 7 * 100);
  g_autoptr (GByteArray) message = wave_codec_message ();
  wave_codec_write_block (message, 1, 1, block, 0, 30, 3);
  for (guint size = 2; size < message->len; size++)
    g_assert_null (wave_codec_read (message->data, size));
  for (guint bit = 0; bit < message->len * 8; bit++) {
    message->data[bit / 8] ^= (guint8)(1 << bit % 8);
    g_autoptr (GPtrArray) packets = wave_codec_read (message->data, message->len);
    for (guint i = 0; packets != NULL && i < packets->len; i++)
      g_assert_cmpuint (((WavePacket *)packets->pdata[i])->count, <=, WAVE_CODEC_COUNT_MAX);
    message->data[bit / 8] ^= (guint8)(1 << bit % 8);
  }
  g_assert_null (wave_codec_read (message->data, 0));
}

/* A few bytes that ask for more memory than anything honest. */
static void
test_bomb (void)
{
  static const guint8 block[] = { 0, 0, 0, 0x80, 0x20, 0xff, 0xff, 0xff, 0xff, 0x0f, 0 };
  g_autoptr (GByteArray) message = wave_codec_message ();
  const guint8 length = sizeof block;
  for (guint i = 0; i < 1000; i++) {
    g_byte_array_append (message, &length, 1);
    g_byte_array_append (message, block, sizeof block);
  }
  g_assert_null (wave_codec_read (message->data, message->len));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wave-codec/smooth", test_smooth);
  g_test_add_func ("/wave-codec/extremes", test_extremes);
  g_test_add_func ("/wave-codec/missing", test_missing);
  g_test_add_func ("/wave-codec/random", test_random);
  g_test_add_func ("/wave-codec/some-leads", test_some_leads);
  g_test_add_func ("/wave-codec/damaged", test_damaged);
  g_test_add_func ("/wave-codec/bomb", test_bomb);
  return g_test_run ();
}
