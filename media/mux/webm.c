#include "media/mux/mux_format.h"
#include <string.h>

/* Element ids of RFC 8794 and RFC 9559, with their length marker. */
enum {
  EBML = 0x1A45DFA3,
  EBML_VERSION = 0x4286,
  EBML_READ_VERSION = 0x42F7,
  EBML_MAX_ID_LENGTH = 0x42F2,
  EBML_MAX_SIZE_LENGTH = 0x42F3,
  DOC_TYPE = 0x4282,
  DOC_TYPE_VERSION = 0x4287,
  DOC_TYPE_READ_VERSION = 0x4285,
  SEGMENT = 0x18538067,
  INFO = 0x1549A966,
  TIMESTAMP_SCALE = 0x2AD7B1,
  MUXING_APP = 0x4D80,
  WRITING_APP = 0x5741,
  TRACKS = 0x1654AE6B,
  TRACK_ENTRY = 0xAE,
  TRACK_NUMBER = 0xD7,
  TRACK_UID = 0x73C5,
  TRACK_TYPE = 0x83,
  FLAG_LACING = 0x9C,
  CODEC_ID = 0x86,
  CODEC_PRIVATE = 0x63A2,
  SEEK_PRE_ROLL = 0x56BB,
  VIDEO = 0xE0,
  PIXEL_WIDTH = 0xB0,
  PIXEL_HEIGHT = 0xBA,
  AUDIO = 0xE1,
  SAMPLING_FREQUENCY = 0xB5,
  CHANNELS = 0x9F,
  CLUSTER = 0x1F43B675,
  TIMESTAMP = 0xE7,
  SIMPLE_BLOCK = 0xA3,
};

enum { SCALE_NS = 1000000, SEEK_PRE_ROLL_NS = 80000000 /* RFC 7845 §4.6: 80 ms */ };

static void
put_big_endian (GByteArray *out, guint64 value, guint bytes)
{
  while (bytes-- > 0) {
    guint8 byte = (guint8)(value >> 8 * bytes);
    g_byte_array_append (out, &byte, 1);
  }
}

static guint
byte_count (guint64 value)
{
  guint n = 1;
  while (n < 8 && value >> 8 * n != 0)
    n++;
  return n;
}

static void
put_id (GByteArray *out, guint32 id)
{
  put_big_endian (out, id, byte_count (id));
}

/* RFC 8794 §4: always eight bytes long, except short values. */
static void
put_size (GByteArray *out, guint64 size)
{
  if (size < 127)
    put_big_endian (out, 0x80 | size, 1);
  else
    put_big_endian (out, 1ull << 56 | size, 8);
}

static void
put_data (GByteArray *out, guint32 id, gconstpointer data, gsize size)
{
  put_id (out, id);
  put_size (out, size);
  g_byte_array_append (out, data, (guint)size);
}

static void
put_text (GByteArray *out, guint32 id, const char *text)
{
  put_data (out, id, text, strlen (text));
}

static void
put_uint (GByteArray *out, guint32 id, guint64 value)
{
  put_id (out, id);
  put_size (out, byte_count (value));
  put_big_endian (out, value, byte_count (value));
}

/* Adds child as the element id and frees it. */
static void
put_master (GByteArray *out, guint32 id, GByteArray *child)
{
  put_data (out, id, child->data, child->len);
  g_byte_array_unref (child);
}

static void
put_ebml (GByteArray *out)
{
  GByteArray *ebml = g_byte_array_new ();
  put_uint (ebml, EBML_VERSION, 1);
  put_uint (ebml, EBML_READ_VERSION, 1);
  put_uint (ebml, EBML_MAX_ID_LENGTH, 4);
  put_uint (ebml, EBML_MAX_SIZE_LENGTH, 8);
  put_text (ebml, DOC_TYPE, "webm");
  put_uint (ebml, DOC_TYPE_VERSION, 4);
  put_uint (ebml, DOC_TYPE_READ_VERSION, 2);
  put_master (out, EBML, ebml);
}

static void
put_info (GByteArray *out)
{
  GByteArray *info = g_byte_array_new ();
  put_uint (info, TIMESTAMP_SCALE, SCALE_NS);
  put_text (info, MUXING_APP, "nhipcau");
  put_text (info, WRITING_APP, "nhipcau");
  put_master (out, INFO, info);
}

/* RFC 7845 §5.1. No pre-skip: the track begins somewhere within a live stream. */
static void
put_opus_head (GByteArray *out, guint channels)
{
  guint8 head[19] = { 'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, (guint8)channels };
  head[12] = 0x80; /* 48000 little-endian */
  head[13] = 0xbb;
  put_data (out, CODEC_PRIVATE, head, sizeof head);
}

static void
put_audio (GByteArray *out, const MuxTrack *track)
{
  put_uint (out, TRACK_TYPE, 2);
  put_text (out, CODEC_ID, "A_OPUS");
  put_uint (out, SEEK_PRE_ROLL, SEEK_PRE_ROLL_NS);
  put_opus_head (out, track->channels);
  GByteArray *audio = g_byte_array_new ();
  put_id (audio, SAMPLING_FREQUENCY);
  put_size (audio, 4);
  put_big_endian (audio, 0x473B8000, 4); /* 48000.0f */
  put_uint (audio, CHANNELS, track->channels);
  put_master (out, AUDIO, audio);
}

static void
put_video (GByteArray *out, const MuxTrack *track)
{
  put_uint (out, TRACK_TYPE, 1);
  put_text (out, CODEC_ID, "V_VP8");
  GByteArray *video = g_byte_array_new ();
  put_uint (video, PIXEL_WIDTH, track->width);
  put_uint (video, PIXEL_HEIGHT, track->height);
  put_master (out, VIDEO, video);
}

static void
put_tracks (GByteArray *out, const MuxTrack *track)
{
  GByteArray *entry = g_byte_array_new ();
  put_uint (entry, TRACK_NUMBER, 1);
  put_uint (entry, TRACK_UID, 1);
  put_uint (entry, FLAG_LACING, 0);
  if (track->codec == MEDIA_OPUS)
    put_audio (entry, track);
  else
    put_video (entry, track);
  GByteArray *tracks = g_byte_array_new ();
  put_master (tracks, TRACK_ENTRY, entry);
  put_master (out, TRACKS, tracks);
}

GBytes *
webm_init (const MuxTrack *track)
{
  GByteArray *out = g_byte_array_new ();
  put_ebml (out);
  put_id (out, SEGMENT);
  put_big_endian (out, 0x01ffffffffffffff, 8); /* unknown size: it goes on */
  put_info (out);
  put_tracks (out, track);
  return g_byte_array_free_to_bytes (out);
}

static guint64
to_ticks (gint64 time_us)
{
  return (guint64)((time_us * 1000 + SCALE_NS / 2) / SCALE_NS);
}

/* RFC 9559 §10.2: track number, time relative to the cluster, flags, frame. */
static void
put_simple_block (GByteArray *out, const MuxSample *sample, guint64 cluster_ticks)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (sample->frame->data, &size);
  put_id (out, SIMPLE_BLOCK);
  put_size (out, 4 + size);
  put_big_endian (out, 0x81, 1);
  put_big_endian (out, to_ticks (sample->time_us) - cluster_ticks, 2);
  put_big_endian (out, sample->frame->key ? 0x80 : 0, 1);
  g_byte_array_append (out, data, (guint)size);
}

GBytes *
webm_fragment (const MuxSample *samples, guint n)
{
  GByteArray *cluster = g_byte_array_new ();
  guint64 ticks = to_ticks (samples[0].time_us);
  put_uint (cluster, TIMESTAMP, ticks);
  for (guint i = 0; i < n; i++)
    put_simple_block (cluster, &samples[i], ticks);
  GByteArray *out = g_byte_array_sized_new (cluster->len + 16);
  put_master (out, CLUSTER, cluster);
  return g_byte_array_free_to_bytes (out);
}
