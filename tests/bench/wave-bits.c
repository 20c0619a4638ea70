/* What waves of a real ECG take on the link: bench-wave-bits FILE FORMAT SIGNALS TAKE STEP RATE
 *
 * FILE: a WFDB signal file of format 16 or 212 with so many signals; TAKE: which of them, "0,1,6";
 * STEP: every so many samples; RATE: samples a second that remain. One JSON object for each length
 * of packet: bits a second of the blocks, and with what SCTP, DTLS, UDP and IP add. Each packet is
 * read back and compared. */
#include "media/devices/wave_codec.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* IP 20, UDP 8, DTLS 1.2 with GCM 13 + 8 + 16, SCTP 12, DATA chunk 16 and its padding. */
enum { OVERHEAD = 20 + 8 + 37 + 12 + 16 + 2 };

static gint32 *
read_samples (const char *file, int format, gsize *ret_count)
{
  g_autofree char *bytes = NULL;
  gsize size;
  if (!g_file_get_contents (file, &bytes, &size, NULL))
    return NULL;
  const guint8 *b = (const guint8 *)bytes;
  gsize count = format == 16 ? size / 2 : size / 3 * 2;
  gint32 *samples = g_new (gint32, count);
  for (gsize i = 0; i < count; i++)
    if (format == 16) {
      samples[i] = (gint16)(b[2 * i] | b[2 * i + 1] << 8);
    } else {
      const guint8 *three = b + i / 2 * 3;
      gint32 value
          = i % 2 == 0 ? three[0] | (three[1] & 15) << 8 : three[2] | (three[1] & 240) << 4;
      samples[i] = value >= 2048 ? value - 4096 : value;
    }
  *ret_count = count;
  return samples;
}

/* 12-bit values of format 212 are what is missing when they are the least. */
static WaveBlock *
block_of (WaveStream *stream, const gint32 *samples, gsize frames, guint signals, char **take,
          guint step)
{
  guint count = (guint)(frames / step);
  WaveBlock *block = wave_block_new (stream, 1, 0, count);
  for (guint lead = 0; lead < stream->lead_count; lead++)
    for (guint i = 0; i < count; i++)
      block->samples[(gsize)lead * count + i]
          = samples[(gsize)i * step * signals + (gsize)atoi (take[lead])];
  return block;
}

static guint
packet_bytes (const WaveBlock *block, guint from, guint count)
{
  guint leads = block->stream->lead_count;
  g_autoptr (GByteArray) message = wave_codec_message ();
  wave_codec_write_block (message, 1, 1, block, from, count, (1u << leads) - 1);
  g_autoptr (GPtrArray) packets = wave_codec_read (message->data, message->len);
  const WavePacket *packet = packets != NULL ? packets->pdata[0] : NULL;
  for (guint lead = 0; lead < leads; lead++)
    if (packet == NULL
        || memcmp (packet->samples + (gsize)lead * count,
                   block->samples + (gsize)lead * block->count + from, count * sizeof (gint32))
               != 0)
      g_error ("not lossless at %u", from);
  return message->len;
}

static void
measure (const WaveBlock *block, guint rate, guint packet_ms)
{
  guint step = MAX (1, rate * packet_ms / 1000), largest = 0;
  guint64 bytes = 0, packets = 0, seen = 0;
  for (guint from = 0; from + step <= block->count; from += step) {
    guint size = packet_bytes (block, from, step);
    bytes += size;
    largest = MAX (largest, size);
    packets++;
    seen += step;
  }
  double seconds = (double)seen / rate;
  printf ("{\"leads\":%u,\"rate\":%u,\"packet_ms\":%u,\"seconds\":%.1f,\"kbps\":%.2f,"
          "\"on_wire_kbps\":%.2f,\"largest\":%u}\n",
          block->stream->lead_count, rate, packet_ms, seconds, (double)bytes * 8 / seconds / 1000,
          (double)(bytes + packets * OVERHEAD) * 8 / seconds / 1000, largest);
}

int
main (int argc, char **argv)
{
  if (argc != 7) {
    fprintf (stderr, "bench-wave-bits FILE FORMAT SIGNALS TAKE STEP RATE\n");
    return 2;
  }
  gsize count = 0;
  guint signals = (guint)atoi (argv[3]), rate = (guint)atoi (argv[6]);
  g_autofree gint32 *samples = read_samples (argv[1], atoi (argv[2]), &count);
  g_auto (GStrv) take = g_strsplit (argv[4], ",", WAVE_LEADS_MAX);
  if (samples == NULL || signals == 0) {
    fprintf (stderr, "%s cannot be read\n", argv[1]);
    return 1;
  }
  g_autoptr (WaveStream) stream = wave_stream_new ("ecg", rate, 1, g_strv_length (take));
  g_autoptr (WaveBlock) block
      = block_of (stream, samples, count / signals, signals, take, (guint)atoi (argv[5]));
  static const guint PACKETS[] = { 40, 100, 200, 480 };
  for (guint i = 0; i < G_N_ELEMENTS (PACKETS); i++)
    measure (block, rate, PACKETS[i]);
  return 0;
}
