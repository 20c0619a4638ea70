/* Payload formats, the receiving half. */
#include "media/rtp/payload.h"
#include "media/rtp/h264.h"
#include "media/rtp/vp8.h"

#include <string.h>

enum { PARAMETER_SET_MAX = 1024 };

struct Depacketizer {
  MediaCodec codec;
  GByteArray *data;
  gboolean bad, key;
  guint width, height; /* of the last key frame */
  /* H.264 */
  gboolean fragmented;       /* inside an FU-A */
  gboolean has_sps, has_pps; /* in this frame */
  GBytes *sps, *pps;         /* newest seen, for an IDR that comes without */
};

Depacketizer *
depacketizer_new (MediaCodec codec)
{
  Depacketizer *d = g_new0 (Depacketizer, 1);
  d->codec = codec;
  d->data = g_byte_array_new ();
  return d;
}

void
depacketizer_free (Depacketizer *d)
{
  g_byte_array_unref (d->data);
  g_clear_pointer (&d->sps, g_bytes_unref);
  g_clear_pointer (&d->pps, g_bytes_unref);
  g_free (d);
}

void
depacketizer_reset (Depacketizer *d)
{
  g_byte_array_set_size (d->data, 0);
  d->bad = d->key = d->fragmented = d->has_sps = d->has_pps = FALSE;
}

static gboolean
append (Depacketizer *d, const guint8 *p, gsize size)
{
  if (d->data->len + size > PAYLOAD_FRAME_MAX)
    return FALSE;
  g_byte_array_append (d->data, p, (guint)size);
  return TRUE;
}

static const guint8 start_code[] = { 0, 0, 0, 1 };

static void
remember (GBytes **set, const guint8 *unit, gsize size)
{
  if (size > PARAMETER_SET_MAX)
    return;
  if (*set && g_bytes_get_size (*set) == size
      && memcmp (g_bytes_get_data (*set, NULL), unit, size) == 0)
    return;
  g_clear_pointer (set, g_bytes_unref);
  *set = g_bytes_new (unit, size);
}

static gboolean
append_parameters (Depacketizer *d)
{
  GBytes *sets[] = { d->has_sps ? NULL : d->sps, d->has_pps ? NULL : d->pps };
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    if (!sets[i])
      continue;
    gsize size;
    const guint8 *p = g_bytes_get_data (sets[i], &size);
    if (!append (d, start_code, sizeof start_code) || !append (d, p, size))
      return FALSE;
  }
  d->has_sps = d->has_pps = TRUE;
  return TRUE;
}

/* A NAL unit begins in the frame. */
static gboolean
begin_unit (Depacketizer *d, guint8 header)
{
  if ((header & 31) == H264_NAL_IDR) {
    d->key = TRUE;
    if (!append_parameters (d))
      return FALSE;
  }
  return append (d, start_code, sizeof start_code);
}

static gboolean
add_unit (const guint8 *unit, gsize size, void *arg)
{
  Depacketizer *d = arg;
  switch (*unit & 31) {
  case H264_NAL_SPS:
    d->has_sps = TRUE;
    remember (&d->sps, unit, size);
    h264_sps_size (unit, size, &d->width, &d->height);
    break;
  case H264_NAL_PPS:
    d->has_pps = TRUE;
    remember (&d->pps, unit, size);
    break;
  default:
    break;
  }
  return begin_unit (d, *unit) && append (d, unit, size);
}

static gboolean
add_fragment (Depacketizer *d, const guint8 *payload, gsize size)
{
  if (size < 3)
    return FALSE;
  gboolean start = payload[1] >> 7, end = payload[1] >> 6 & 1;
  if (start == d->fragmented)
    return FALSE; /* the end of the last unit or the start of this one is missing */
  if (start) {
    guint8 header = (payload[0] & 0xe0) | (payload[1] & 31);
    if (!begin_unit (d, header) || !append (d, &header, 1))
      return FALSE;
  }
  d->fragmented = !end;
  return append (d, payload + 2, size - 2);
}

static gboolean
add_h264 (Depacketizer *d, const guint8 *payload, gsize size)
{
  guint type = size > 0 ? payload[0] & 31 : 0;
  if (type == H264_NAL_FU_A)
    return add_fragment (d, payload, size);
  if (type == 0 || type > H264_NAL_STAP_A || d->fragmented)
    return FALSE;
  if (type == H264_NAL_STAP_A)
    return h264_each_aggregated (payload, size, add_unit, d);
  return add_unit (payload, size, d);
}

static gboolean
add_vp8 (Depacketizer *d, const guint8 *payload, gsize size)
{
  PayloadInfo info;
  if (!vp8_inspect (payload, size, &info) || info.start != (d->data->len == 0))
    return FALSE;
  gboolean start;
  gsize skip = vp8_descriptor_size (payload, size, &start);
  if (info.key) {
    d->key = TRUE;
    d->width = info.width;
    d->height = info.height;
  }
  return append (d, payload + skip, size - skip);
}

gboolean
depacketizer_add (Depacketizer *d, const guint8 *payload, gsize size)
{
  if (d->bad)
    return FALSE;
  switch (d->codec) {
  case MEDIA_H264:
    d->bad = !add_h264 (d, payload, size);
    break;
  case MEDIA_VP8:
    d->bad = !add_vp8 (d, payload, size);
    break;
  case MEDIA_OPUS:
    d->bad = d->data->len > 0 || payload_opus_duration_us (payload, size) == 0
             || !append (d, payload, size);
    d->key = TRUE;
    break;
  case MEDIA_JPEG:
  case MEDIA_FLAC:
  case MEDIA_CODEC_NONE:
    d->bad = TRUE;
    break;
  }
  return !d->bad;
}

Frame *
depacketizer_finish (Depacketizer *d, gint64 capture_us)
{
  if (d->bad || d->fragmented || d->data->len == 0) {
    depacketizer_reset (d);
    return NULL;
  }
  gint64 duration
      = d->codec == MEDIA_OPUS ? payload_opus_duration_us (d->data->data, d->data->len) : 0;
  g_autoptr (GBytes) bytes = g_bytes_new (d->data->data, d->data->len);
  Frame *frame = frame_new (d->codec, d->key, capture_us, duration, bytes);
  frame->width = d->width;
  frame->height = d->height;
  depacketizer_reset (d);
  return frame;
}
