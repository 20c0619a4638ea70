#include "media/frame.h"

Frame *
frame_new (MediaCodec codec, gboolean key, gint64 capture_us, gint64 duration_us, GBytes *data)
{
  Frame *frame = g_atomic_rc_box_new0 (Frame);
  frame->codec = codec;
  frame->key = key;
  frame->capture_us = capture_us;
  frame->duration_us = duration_us;
  frame->data = g_bytes_ref (data);
  return frame;
}

Frame *
frame_ref (Frame *frame)
{
  return g_atomic_rc_box_acquire (frame);
}

static void
frame_clear (gpointer data)
{
  Frame *frame = data;
  g_bytes_unref (frame->data);
}

void
frame_unref (Frame *frame)
{
  g_atomic_rc_box_release_full (frame, frame_clear);
}

const char *
media_codec_name (MediaCodec codec)
{
  switch (codec) {
  case MEDIA_H264:
    return "h264";
  case MEDIA_VP8:
    return "vp8";
  case MEDIA_OPUS:
    return "opus";
  case MEDIA_JPEG:
    return "jpeg";
  case MEDIA_FLAC:
    return "flac";
  case MEDIA_CODEC_NONE:
    break;
  }
  return NULL;
}

MediaCodec
media_codec_from_name (const char *name)
{
  for (int codec = MEDIA_H264; codec <= MEDIA_FLAC; codec++)
    if (g_ascii_strcasecmp (name, media_codec_name (codec)) == 0)
      return codec;
  return MEDIA_CODEC_NONE;
}

MediaKind
media_codec_kind (MediaCodec codec)
{
  return codec == MEDIA_OPUS || codec == MEDIA_FLAC ? MEDIA_AUDIO : MEDIA_VIDEO;
}

guint
media_codec_clock_rate (MediaCodec codec)
{
  return media_codec_kind (codec) == MEDIA_AUDIO ? 48000 : 90000;
}
