/* Made-up frames of each codec for tests: right in their outer form, random inside. */
#pragma once
#include "media/frame.h"

#include <string.h>

static inline void
frames_random (GRand *rand, GByteArray *out, guint size)
{
  guint at = out->len;
  guint32 state = g_rand_int (rand);
  g_byte_array_set_size (out, at + size);
  for (guint i = 0; i < size; i++) {
    state = state * 1664525u + 1013904223u;
    out->data[at + i] = (guint8)(state >> 24 | 1); /* never 0: no start codes */
  }
}

static inline GBytes *
frames_vp8 (GRand *rand, gboolean key, guint size)
{
  GByteArray *out = g_byte_array_new ();
  guint8 head[10]
      = { key ? 0x10 : 0x11, 0, 0, 0x9d, 1, 0x2a, 640 & 255, 640 >> 8, 360 & 255, 360 >> 8 };
  g_byte_array_append (out, head, key ? 10 : 3);
  frames_random (rand, out, MAX (size, out->len) - out->len);
  return g_byte_array_free_to_bytes (out);
}

/* SPS of a 640x360 constrained baseline stream, as x264 writes it. */
static const guint8 frames_sps[]
    = { 0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0, 0x44, 0x00, 0x00,
        0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x58, 0xba, 0x80 };
static const guint8 frames_pps[] = { 0x68, 0xce, 0x3c, 0x80 };

static inline void
frames_unit (GByteArray *out, const guint8 *unit, guint size)
{
  static const guint8 code[] = { 0, 0, 0, 1 };
  g_byte_array_append (out, code, sizeof code);
  g_byte_array_append (out, unit, size);
}

static inline GBytes *
frames_h264 (GRand *rand, gboolean key, guint size)
{
  GByteArray *out = g_byte_array_new ();
  if (key) {
    frames_unit (out, frames_sps, sizeof frames_sps);
    /* the trailing zero byte of 0x80 is none; PPS ends in a one bit */
    frames_unit (out, frames_pps, sizeof frames_pps);
  }
  guint8 header = key ? 0x65 : 0x41;
  frames_unit (out, &header, 1);
  frames_random (rand, out, size);
  return g_byte_array_free_to_bytes (out);
}

/* 20 ms, one frame, CELT full band. */
static inline GBytes *
frames_opus (GRand *rand, guint size)
{
  GByteArray *out = g_byte_array_new ();
  guint8 toc = 31 << 3;
  g_byte_array_append (out, &toc, 1);
  frames_random (rand, out, size);
  return g_byte_array_free_to_bytes (out);
}

static inline Frame *
frames_new (GRand *rand, MediaCodec codec, gboolean key, guint size, gint64 capture_us)
{
  g_autoptr (GBytes) data = codec == MEDIA_H264  ? frames_h264 (rand, key, size)
                            : codec == MEDIA_VP8 ? frames_vp8 (rand, key, size)
                                                 : frames_opus (rand, size);
  return frame_new (codec, key || codec == MEDIA_OPUS, capture_us, 0, data);
}
