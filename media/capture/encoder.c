#include "media/capture/encoder.h"

#include <gst/video/video.h>
#include "media/capture/rate.h"
#include "media/capture/stage.h"
#include "media/error.h"
#include "media/rung.h"

#define RECORD_GOP_US (2 * G_USEC_PER_SEC)
enum { LIVE_GOP_SECONDS = 300, LIVE_WAITING = 2, LIVE_SOUND_WAITING = 25, RECORD_WAITING = 60 };
enum { USUAL_RATE = 30 };
/* Our own mark on a buffer: it says nothing about the camera's frame rate. */
#define REPEATED GST_BUFFER_FLAG_DROPPABLE

struct Encoder {
  EncoderConfig config;
  const EncoderType *type;
  Stage *stage;
  GstElement *element; /* owned by the stage */
  GstCaps *caps;       /* of what goes into the stage */
  EncoderEvents events;
  void *arg;
  guint width, height; /* of the output */
  gboolean thins;      /* more pictures come than are wanted */
  gint wanted;         /* atomic: bit/s */
  Rate rate;           /* the stage's streaming thread */
  /* Owned by the caller of encoder_push(). */
  GstClockTime last_pts;
  GstClockTime last_key_pts;
  gint64 due_us; /* when the next picture may come, where they are thinned out */
};

void
encoder_fit (guint *width, guint *height, guint max_width, guint max_height)
{
  guint w = *width, h = *height;
  if (max_width && w > max_width) {
    h = (guint)((guint64)h * max_width / w);
    w = max_width;
  }
  if (max_height && h > max_height) {
    w = (guint)((guint64)w * max_height / h);
    h = max_height;
  }
  *width = MAX (w & ~1u, 16);
  *height = MAX (h & ~1u, 16);
}

guint
encoder_default_bitrate (guint width, guint height, EncoderPurpose purpose)
{
  /* 640x360: 400 kbit/s, 1280x720: 1.2 Mbit/s live. Recording: a ceiling at four times that. */
  guint64 pixels = (guint64)width * height;
  guint live = (guint)CLAMP (135000 + pixels * 115 / 100, 150000, 4000000);
  return purpose == ENCODER_LIVE ? live : live * 4;
}

static gboolean
is_sound (const Encoder *encoder)
{
  return media_codec_kind (encoder->config.codec) == MEDIA_AUDIO;
}

/* What stands at the beginning of a FLAC file: the muxer writes its own. */
static gboolean
is_header (const Encoder *encoder, GstBuffer *buffer)
{
  return encoder->config.codec == MEDIA_FLAC
         && GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER);
}

static void
on_output (GstSample *sample, void *arg)
{
  Encoder *encoder = arg;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstMapInfo map;
  if (!buffer || is_header (encoder, buffer) || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  if (map.size > 0) {
    g_autoptr (GBytes) data = g_bytes_new (map.data, map.size);
    gboolean key
        = is_sound (encoder) || !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    GstClockTime duration = GST_BUFFER_DURATION (buffer);
    g_autoptr (Frame) frame = frame_new (
        encoder->config.codec, key, stage_capture_us (gst_sample_get_segment (sample), buffer),
        GST_CLOCK_TIME_IS_VALID (duration) ? duration / GST_USECOND : 0, data);
    frame->width = encoder->width;
    frame->height = encoder->height;
    frame->rung = encoder->config.rung;
    encoder->events.frame (encoder, frame, encoder->arg);
  }
  gst_buffer_unmap (buffer, &map);
}

static void
on_failed (const char *reason, void *arg)
{
  Encoder *encoder = arg;
  encoder->events.failed (encoder, reason, encoder->arg);
}

/* Pictures a second by the caps; where they do not tell, the usual. */
static double
input_rate (GstCaps *input)
{
  GstVideoInfo info;
  if (!gst_video_info_from_caps (&info, input))
    return USUAL_RATE;
  double rate = info.fps_d > 0 ? (double)info.fps_n / info.fps_d : 0;
  return rate < 1 || rate > 120 ? USUAL_RATE : rate;
}

/* Pictures a second that the encoder gets. */
static double
output_rate (const Encoder *encoder, GstCaps *input)
{
  double rate = input_rate (input);
  return encoder->config.max_rate ? MIN (rate, encoder->config.max_rate) : rate;
}

static void
add_picture_conversion (Encoder *encoder, GstCaps *input, GString *text)
{
  GstVideoInfo info;
  if (!gst_video_info_from_caps (&info, input))
    return;
  guint width = (guint)info.width, height = (guint)info.height;
  encoder->width = width;
  encoder->height = height;
  encoder_fit (&encoder->width, &encoder->height, encoder->config.max_width,
               encoder->config.max_height);
  if (width != encoder->width || height != encoder->height)
    g_string_append_printf (text, "videoscale n-threads=1 ! video/x-raw,width=%u,height=%u ! ",
                            encoder->width, encoder->height);
  if (encoder->type->hardware) /* mostly NV12, software takes I420 as it is */
    g_string_append (text, "videoconvert n-threads=1 ! ");
}

static const char *
live_speed (Encoder *encoder, GstCaps *input)
{
  double pixels = (double)encoder->width * encoder->height * output_rate (encoder, input);
  gboolean thorough = pixels > 0 && pixels <= RUNG_THOROUGH_PIXELS;
  return thorough && encoder->type->thorough ? encoder->type->thorough : encoder->type->quick;
}

static char *
describe (Encoder *encoder, GstCaps *input)
{
  const EncoderType *type = encoder->type;
  GString *text = g_string_new (NULL);
  if (media_codec_kind (type->codec) == MEDIA_VIDEO)
    add_picture_conversion (encoder, input, text);
  gboolean live = encoder->config.purpose == ENCODER_LIVE;
  const char *speed = live ? live_speed (encoder, input) : NULL;
  const char *use = live ? type->live : type->record;
  if (encoder->config.faithful && type->faithful)
    use = type->faithful;
  g_string_append_printf (text, "%s name=encoder %s %s %s", type->element, type->common,
                          speed ? speed : "", use);
  if (encoder->config.frame_ms)
    g_string_append_printf (text, " frame-size=%u", encoder->config.frame_ms);
  if (type->after)
    g_string_append_printf (text, " ! %s", type->after);
  return g_string_free (text, FALSE);
}

static GstCaps *
stage_caps (Encoder *encoder, GstCaps *input)
{
  GstVideoInfo info;
  GstCaps *caps = gst_caps_copy (input);
  rate_init (&encoder->rate, FALSE, FALSE, USUAL_RATE);
  if (is_sound (encoder) || !gst_video_info_from_caps (&info, input))
    return caps;
  double told = info.fps_d > 0 ? (double)info.fps_n / info.fps_d : 0;
  if (told < 1 || told > 120)
    gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, USUAL_RATE, 1, NULL);
  encoder->thins = encoder->config.max_rate && input_rate (input) > encoder->config.max_rate;
  if (encoder->thins)
    gst_caps_set_simple (caps, "framerate", GST_TYPE_FRACTION, (gint)encoder->config.max_rate, 1,
                         NULL);
  rate_init (&encoder->rate, encoder->type->counts_frames, encoder->type->change_costs_key,
             output_rate (encoder, input));
  return caps;
}

static void
tell_rate (Encoder *encoder)
{
  encoder->rate.wanted = (guint)g_atomic_int_get (&encoder->wanted);
  guint bitrate = rate_due (&encoder->rate, g_get_monotonic_time ());
  if (bitrate)
    encoder_type_set_bitrate (encoder->type, encoder->element, bitrate);
}

/* Between two pictures, on the thread that encodes: some encoders hold a lock while they work,
 * and nobody else is to wait for it. */
static GstPadProbeReturn
before_encoding (GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
  Encoder *encoder = arg;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  if (GST_BUFFER_PTS_IS_VALID (buffer) && !GST_BUFFER_FLAG_IS_SET (buffer, REPEATED))
    rate_picture (&encoder->rate, GST_BUFFER_PTS (buffer) / GST_USECOND);
  tell_rate (encoder);
  return GST_PAD_PROBE_OK;
}

static guint
waiting (const EncoderConfig *config)
{
  if (config->purpose == ENCODER_RECORD)
    return RECORD_WAITING;
  return media_codec_kind (config->codec) == MEDIA_AUDIO ? LIVE_SOUND_WAITING : LIVE_WAITING;
}

static void
set_gop (Encoder *encoder, GstCaps *input)
{
  if (is_sound (encoder))
    return;
  guint rate = (guint)output_rate (encoder, input);
  /* Recording key frames are forced by capture time; the count only is a net below them. */
  guint seconds = encoder->config.purpose == ENCODER_LIVE ? LIVE_GOP_SECONDS : 4;
  encoder_type_set_gop (encoder->type, encoder->element, CLAMP (rate, 5, 60) * seconds);
}

static guint
first_bitrate (Encoder *encoder)
{
  if (encoder->config.bitrate)
    return encoder->config.bitrate;
  if (is_sound (encoder))
    return encoder->config.purpose == ENCODER_LIVE ? 32000 : 64000;
  return encoder_default_bitrate (encoder->width, encoder->height, encoder->config.purpose);
}

Encoder *
encoder_new (const EncoderConfig *config, GstCaps *input, const EncoderEvents *events, void *arg,
             GError **error)
{
  const EncoderType *type = encoder_type_for (config->codec);
  if (!type) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "this machine has no encoder for %s: install the GStreamer plugins that "
                 "README.md names",
                 media_codec_name (config->codec));
    return NULL;
  }
  g_autoptr (Encoder) encoder = g_new0 (Encoder, 1);
  encoder->config = *config;
  encoder->type = type;
  encoder->events = *events;
  encoder->arg = arg;
  encoder->last_pts = encoder->last_key_pts = GST_CLOCK_TIME_NONE;
  encoder->caps = stage_caps (encoder, input);
  static const StageEvents stage_events = { on_output, on_failed };
  g_autofree char *text = describe (encoder, input);
  encoder->stage
      = stage_new (text, config->purpose == ENCODER_LIVE ? STAGE_DROP_OLDEST : STAGE_KEEP,
                   waiting (config), &stage_events, encoder, error);
  if (!encoder->stage)
    return NULL;
  encoder->element = stage_element (encoder->stage, "encoder");
  encoder_set_bitrate (encoder, first_bitrate (encoder));
  tell_rate (encoder); /* nothing is pushed yet */
  g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder->element, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, before_encoding, encoder, NULL);
  set_gop (encoder, input);
  return g_steal_pointer (&encoder);
}

void
encoder_free (Encoder *encoder)
{
  g_clear_pointer (&encoder->stage, stage_free);
  gst_clear_caps (&encoder->caps);
  g_free (encoder);
}

static GstBuffer *
make_increasing (Encoder *encoder, GstBuffer *buffer)
{
  GstClockTime last = encoder->last_pts;
  if (GST_CLOCK_TIME_IS_VALID (last) && GST_BUFFER_PTS (buffer) <= last) {
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_PTS (buffer) = last + GST_MSECOND;
  }
  encoder->last_pts = GST_BUFFER_PTS (buffer);
  return buffer;
}

/* Evenly over time, whatever the camera's rate: a picture that comes a quarter of a step early is
 * taken for the one that is due. What is pushed again is wanted now. (videorate would let
 * everything pass for as long as a pause was.) */
static gboolean
is_surplus (Encoder *encoder, GstBuffer *buffer)
{
  if (!encoder->thins || GST_BUFFER_FLAG_IS_SET (buffer, REPEATED))
    return FALSE;
  gint64 pts_us = (gint64)(GST_BUFFER_PTS (buffer) / GST_USECOND);
  gint64 step_us = G_USEC_PER_SEC / encoder->config.max_rate;
  if (encoder->due_us == 0 || pts_us - encoder->due_us > 2 * step_us)
    encoder->due_us = pts_us;
  if (pts_us + step_us / 4 < encoder->due_us)
    return TRUE;
  encoder->due_us += step_us;
  return FALSE;
}

void
encoder_push (Encoder *encoder, GstBuffer *buffer)
{
  if (!is_sound (encoder)) {
    if (!GST_BUFFER_PTS_IS_VALID (buffer) || is_surplus (encoder, buffer)) {
      gst_buffer_unref (buffer);
      return;
    }
    buffer = make_increasing (encoder, buffer);
    GstClockTime pts = GST_BUFFER_PTS (buffer);
    if (encoder->config.purpose == ENCODER_RECORD
        && (!GST_CLOCK_TIME_IS_VALID (encoder->last_key_pts)
            || pts - encoder->last_key_pts + 10 * GST_MSECOND >= RECORD_GOP_US * GST_USECOND)) {
      if (GST_CLOCK_TIME_IS_VALID (encoder->last_key_pts)) /* the first is one by itself */
        encoder_force_key (encoder);
      encoder->last_key_pts = pts;
    }
  }
  stage_push (encoder->stage, buffer, encoder->caps);
}

void
encoder_push_again (Encoder *encoder, GstBuffer *picture, gint64 later_us)
{
  GstBuffer *again = gst_buffer_copy (picture);
  GST_BUFFER_PTS (again) += (GstClockTime)later_us * GST_USECOND;
  GST_BUFFER_FLAG_SET (again, REPEATED);
  encoder_push (encoder, again);
}

void
encoder_set_bitrate (Encoder *encoder, guint bitrate)
{
  g_atomic_int_set (&encoder->wanted, (gint)MIN (bitrate, G_MAXINT));
}

void
encoder_set_loss (Encoder *encoder, guint percent)
{
  if (!encoder->config.faithful) /* it has no FEC to be made for it */
    encoder_type_set_loss (encoder->type, encoder->element, percent);
}

void
encoder_force_key (Encoder *encoder)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (encoder->element, "src");
  gst_pad_send_event (pad,
                      gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0));
}
