/* Payload formats, the sending half and the look at single payloads. */
#include "media/rtp/payload.h"
#include "media/rtp/h264.h"
#include "media/rtp/vp8.h"

#include <string.h>

enum { OPUS_FRAMES_MAX_US = 120000 };

void
packetizer_init (Packetizer *packetizer, MediaCodec codec, const guint8 *data, gsize size,
                 gsize max_size, guint16 picture_id)
{
  *packetizer = (Packetizer){
    .codec = codec,
    .data = data,
    .end = data + size,
    .max_size = MAX (max_size, 64),
    .picture_id = picture_id,
  };
  if (size == 0 || size > PAYLOAD_FRAME_MAX)
    packetizer->end = packetizer->data;
  if (codec == MEDIA_H264)
    h264_packetizer_start (packetizer);
  else if (codec == MEDIA_VP8)
    vp8_packetizer_start (packetizer);
}

static gsize
opus_packetizer_next (Packetizer *packetizer, guint8 *out, gboolean *ret_last)
{
  gsize size = (gsize)(packetizer->end - packetizer->data);
  if (size == 0 || size > packetizer->max_size)
    return 0;
  memcpy (out, packetizer->data, size);
  packetizer->data = packetizer->end;
  *ret_last = TRUE;
  return size;
}

gsize
packetizer_next (Packetizer *packetizer, guint8 *out, gboolean *ret_last)
{
  switch (packetizer->codec) {
  case MEDIA_H264:
    return h264_packetizer_next (packetizer, out, ret_last);
  case MEDIA_VP8:
    return vp8_packetizer_next (packetizer, out, ret_last);
  case MEDIA_OPUS:
    return opus_packetizer_next (packetizer, out, ret_last);
  case MEDIA_JPEG:
  case MEDIA_FLAC:
  case MEDIA_CODEC_NONE:
    break;
  }
  return 0;
}

gboolean
payload_inspect (MediaCodec codec, const guint8 *payload, gsize size, PayloadInfo *ret_info)
{
  switch (codec) {
  case MEDIA_H264:
    return h264_inspect (payload, size, ret_info);
  case MEDIA_VP8:
    return vp8_inspect (payload, size, ret_info);
  case MEDIA_OPUS:
    if (size == 0)
      return FALSE;
    *ret_info = (PayloadInfo){ .start = TRUE, .key = TRUE };
    return TRUE;
  case MEDIA_JPEG:
  case MEDIA_FLAC:
  case MEDIA_CODEC_NONE:
    break;
  }
  return FALSE;
}

/* Duration of one frame by the configuration number, RFC 6716 table 2. */
static gint64
opus_frame_us (guint config)
{
  static const gint64 silk[] = { 10000, 20000, 40000, 60000 };
  if (config < 12)
    return silk[config % 4];
  if (config < 16)
    return config % 2 ? 20000 : 10000;
  return 2500 << config % 4;
}

gint64
payload_opus_duration_us (const guint8 *packet, gsize size)
{
  if (size < 1)
    return 0;
  guint frames = 2;
  if ((packet[0] & 3) == 0)
    frames = 1;
  else if ((packet[0] & 3) == 3)
    frames = size > 1 ? packet[1] & 63 : 0;
  gint64 duration = frames * opus_frame_us (packet[0] >> 3);
  return duration <= OPUS_FRAMES_MAX_US ? duration : 0;
}
