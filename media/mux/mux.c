#include "media/mux/mux_format.h"
#include "media/mux/annexb.h"
#include "media/rtp/h264.h"

enum {
  MAX_FRAGMENT_US = 1000000,
  MAX_FRAME_US = 1000000, /* what is silent for longer leaves a gap in the file */
  MAX_FRAMES = 512,       /* of a fragment */
  MAX_SETS = 16,          /* SPS, and PPS */
};

struct Mux {
  MediaCodec codec;
  gint64 epoch_us, fragment_us;
  MuxOut out;
  void *arg;
  MuxTrack track;
  gboolean has_track; /* the header was emitted */
  char *mime;
  GArray *samples;  /* MuxSample of the fragment under way; durations come with the next frame */
  gboolean waiting; /* for a key frame that can be understood */
  gint64 last_us;   /* time of the last frame; < 0: none yet */
  gint64 usual_us;  /* the last distance of two frames */
  guint32 sequence;
};

static void
sample_clear (gpointer data)
{
  MuxSample *sample = data;
  frame_unref (sample->frame);
}

static void
track_init (MuxTrack *track, MediaCodec codec)
{
  *track = (MuxTrack){ .codec = codec };
  track->sps = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  track->pps = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
}

static void
track_clear (MuxTrack *track)
{
  g_ptr_array_unref (track->sps);
  g_ptr_array_unref (track->pps);
}

Mux *
mux_new (MediaCodec codec, gint64 epoch_us, gint64 fragment_us, MuxOut out, void *arg)
{
  Mux *mux = g_new0 (Mux, 1);
  mux->codec = codec;
  mux->epoch_us = epoch_us;
  mux->fragment_us = CLAMP (fragment_us, 1, MAX_FRAGMENT_US);
  mux->out = out;
  mux->arg = arg;
  mux->waiting = TRUE;
  mux->last_us = -1;
  mux->samples = g_array_new (FALSE, FALSE, sizeof (MuxSample));
  g_array_set_clear_func (mux->samples, sample_clear);
  track_init (&mux->track, codec);
  return mux;
}

void
mux_free (Mux *mux)
{
  if (mux == NULL)
    return;
  mux_flush (mux);
  g_array_unref (mux->samples);
  track_clear (&mux->track);
  g_free (mux->mime);
  g_free (mux);
}

const char *
mux_mime_type (Mux *mux)
{
  return mux->mime;
}

/* The track as a key frame describes it */

static void
add_set (GPtrArray *sets, const guint8 *nal, gsize size)
{
  if (sets->len < MAX_SETS && size <= G_MAXUINT16)
    g_ptr_array_add (sets, g_bytes_new (nal, size));
}

static gboolean
read_h264 (MuxTrack *track, Frame *frame)
{
  gsize size, nal_size, position = 0;
  const guint8 *data = g_bytes_get_data (frame->data, &size), *nal;
  while (annexb_next (data, size, &position, &nal, &nal_size)) {
    if (annexb_type (nal) == ANNEXB_SPS && nal_size >= 4)
      add_set (track->sps, nal, nal_size);
    else if (annexb_type (nal) == ANNEXB_PPS)
      add_set (track->pps, nal, nal_size);
  }
  if (track->sps->len == 0 || track->pps->len == 0)
    return FALSE;
  const guint8 *sps = g_bytes_get_data (track->sps->pdata[0], &size);
  return h264_sps_size (sps, size, &track->width, &track->height);
}

/* RFC 6386 §9.1 */
static gboolean
read_vp8 (MuxTrack *track, Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  if (size < 10 || data[0] & 1 || data[3] != 0x9d || data[4] != 0x01 || data[5] != 0x2a)
    return FALSE;
  track->width = (data[6] | data[7] << 8) & 0x3fff;
  track->height = (data[8] | data[9] << 8) & 0x3fff;
  return track->width > 0 && track->height > 0;
}

/* RFC 6716 §3.1. A decoder turns either into what the header says, so the first packet decides. */
static gboolean
read_opus (MuxTrack *track, Frame *frame)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  if (size < 1)
    return FALSE;
  track->channels = data[0] & 4 ? 2 : 1;
  return TRUE;
}

/* RFC 9639 §9.1: the sync code of a fixed block size, then sizes, then the channels. */
static gboolean
read_flac (MuxTrack *track, Frame *frame)
{
  enum { STEREO = 8, SIDES = 10 };
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->data, &size);
  if (size < 6 || data[0] != 0xff || data[1] != 0xf8)
    return FALSE;
  guint channels = data[3] >> 4;
  track->channels = channels < STEREO ? channels + 1 : 2;
  return channels <= SIDES;
}

static gboolean
read_track (MuxTrack *track, Frame *frame)
{
  switch (track->codec) {
  case MEDIA_H264:
    return read_h264 (track, frame);
  case MEDIA_VP8:
    return read_vp8 (track, frame);
  case MEDIA_OPUS:
    return read_opus (track, frame);
  case MEDIA_FLAC:
    return read_flac (track, frame);
  case MEDIA_JPEG:
  case MEDIA_CODEC_NONE:
    break;
  }
  return FALSE;
}

static gboolean
same_sets (GPtrArray *a, GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!g_bytes_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

static gboolean
same_track (const MuxTrack *a, const MuxTrack *b)
{
  return a->width == b->width && a->height == b->height && same_sets (a->sps, b->sps)
         && same_sets (a->pps, b->pps);
}

static char *
mime_of (const MuxTrack *track)
{
  if (track->codec == MEDIA_VP8)
    return g_strdup ("video/webm; codecs=\"vp8\"");
  if (track->codec == MEDIA_OPUS)
    return g_strdup ("audio/webm; codecs=\"opus\"");
  if (track->codec == MEDIA_FLAC)
    return g_strdup ("audio/mp4; codecs=\"flac\"");
  const guint8 *sps = g_bytes_get_data (track->sps->pdata[0], NULL);
  return g_strdup_printf ("video/mp4; codecs=\"avc1.%02x%02x%02x\"", sps[1], sps[2], sps[3]);
}

/* Fragments */

static gboolean
is_mp4 (const Mux *mux)
{
  return mux->codec == MEDIA_H264 || mux->codec == MEDIA_FLAC;
}

static gboolean
is_sound (const Mux *mux)
{
  return media_codec_kind (mux->codec) == MEDIA_AUDIO;
}

static void
emit (Mux *mux, GBytes *bytes, MuxFlags flags, gint64 pts_us)
{
  mux->out (bytes, flags, pts_us, mux->arg);
  g_bytes_unref (bytes);
}

/* until_us: media time at which the last frame ends; < 0: not known. */
static void
end_fragment (Mux *mux, gint64 until_us)
{
  guint n = mux->samples->len;
  if (n == 0)
    return;
  MuxSample *samples = (MuxSample *)mux->samples->data, *last = &samples[n - 1];
  if (until_us < 0)
    until_us
        = last->time_us + (last->frame->duration_us > 0 ? last->frame->duration_us : mux->usual_us);
  for (guint i = 0; i < n; i++) {
    gint64 end_us = i + 1 < n ? samples[i + 1].time_us : until_us;
    samples[i].duration_us = CLAMP (end_us - samples[i].time_us, 1, MAX_FRAME_US);
  }
  MuxFlags flags = samples[0].frame->key ? MUX_KEY : 0;
  gint64 pts_us = samples[0].time_us + mux->epoch_us;
  emit (mux, is_mp4 (mux) ? mp4_fragment (samples, n, ++mux->sequence) : webm_fragment (samples, n),
        flags, pts_us);
  g_array_set_size (mux->samples, 0);
}

/* FALSE: the key frame cannot be understood. */
static gboolean
follow_track (Mux *mux, Frame *frame, gint64 time_us)
{
  MuxTrack track;
  track_init (&track, mux->codec);
  gboolean good = read_track (&track, frame);
  gboolean changed
      = good && (!mux->has_track || (!is_sound (mux) && !same_track (&track, &mux->track)));
  if (!changed) {
    track_clear (&track);
    return good;
  }
  end_fragment (mux, time_us);
  track_clear (&mux->track);
  mux->track = track;
  mux->has_track = TRUE;
  g_free (mux->mime);
  mux->mime = mime_of (&track);
  emit (mux, is_mp4 (mux) ? mp4_init (&track) : webm_init (&track), MUX_INIT,
        time_us + mux->epoch_us);
  return TRUE;
}

/* Every frame of sound is a key frame: it is cut by time alone. */
static gboolean
fragment_is_full (const Mux *mux, Frame *frame, gint64 time_us)
{
  if (mux->samples->len == 0)
    return FALSE;
  if (frame->key && !is_sound (mux))
    return TRUE;
  gint64 start_us = g_array_index (mux->samples, MuxSample, 0).time_us;
  return time_us - start_us >= mux->fragment_us || mux->samples->len >= MAX_FRAMES;
}

/* Decode times must grow (ISO/IEC 14496-12 8.6.1.2). < 0: before the epoch. */
static gint64
media_time (Mux *mux, Frame *frame)
{
  gint64 time_us = frame->capture_us - mux->epoch_us;
  if (mux->last_us < 0)
    return time_us;
  time_us = MAX (time_us, mux->last_us + 1);
  mux->usual_us = time_us - mux->last_us;
  return time_us;
}

void
mux_push (Mux *mux, Frame *frame)
{
  if (frame->codec != mux->codec || (!frame->key && mux->waiting))
    return;
  gint64 time_us = media_time (mux, frame);
  if (time_us < 0)
    return;
  if (frame->key) {
    mux->waiting = !follow_track (mux, frame, time_us);
    if (mux->waiting)
      return;
  }
  if (fragment_is_full (mux, frame, time_us))
    end_fragment (mux, time_us);
  MuxSample sample = { frame_ref (frame), time_us, 0 };
  g_array_append_val (mux->samples, sample);
  mux->last_us = time_us;
}

void
mux_flush (Mux *mux)
{
  end_fragment (mux, -1);
}
