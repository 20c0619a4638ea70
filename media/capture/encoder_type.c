#include "media/capture/encoder_type.h"

#define H264_LIVE                                                                                  \
  "capsfilter "                                                                                    \
  "caps=video/x-h264,profile=constrained-baseline,stream-format=byte-stream,alignment=au"
#define H264_RECORD "capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=au"
/* Parameter sets before every IDR, whatever the encoder does by itself. */
#define H264_AFTER "h264parse config-interval=-1 ! " H264_RECORD

/* One thread each: a frame of 720p takes 4-7 ms, and slices or frame threads cost more of the
 * machine's two cores than they save in delay. */
static const EncoderType types[] = {
  {
      .codec = MEDIA_H264,
      .element = "vah264enc",
      .hardware = TRUE,
      .common = "b-frames=0 ref-frames=1",
      .live = "rate-control=cbr target-usage=6 cpb-size=0 ! " H264_LIVE,
      .record = "rate-control=vbr target-usage=4 ! " H264_RECORD,
      .gop = "key-int-max",
      .bitrate = "bitrate",
      .bitrate_unit = 1000,
      .counts_frames = TRUE,
      .after = H264_AFTER,
  },
  {
      .codec = MEDIA_H264,
      .element = "v4l2h264enc",
      .hardware = TRUE,
      .common = "",
      .live = "! " H264_LIVE,
      .record = "! " H264_RECORD,
      .bitrate_unit = 1,
      .counts_frames = TRUE,
      .after = H264_AFTER,
  },
  {
      .codec = MEDIA_H264,
      .element = "x264enc",
      .common = "threads=1 sliced-threads=false bframes=0 b-adapt=false aud=false "
                "rc-lookahead=0 sync-lookahead=0 mb-tree=false option-string=scenecut=0",
      .live = "tune=zerolatency vbv-buf-capacity=350 ! " H264_LIVE,
      .quick = "speed-preset=superfast",
      .thorough = "speed-preset=faster",
      .record = "pass=qual quantizer=22 speed-preset=veryfast vbv-buf-capacity=2000 ! " H264_RECORD,
      .gop = "key-int-max",
      .bitrate = "bitrate",
      .bitrate_unit = 1000,
      .counts_frames = TRUE, /* by timestamps it delays each picture by one */
      .after = H264_AFTER,
  },
  {
      .codec = MEDIA_H264,
      .element = "openh264enc",
      .common = "multi-thread=1 scene-change-detection=false",
      .live = "rate-control=bitrate complexity=low enable-frame-skip=true ! " H264_LIVE,
      .record = "rate-control=bitrate complexity=medium ! " H264_RECORD,
      .gop = "gop-size",
      .bitrate = "bitrate",
      .bitrate_unit = 1,
      .change_costs_key = TRUE,
      .counts_frames = TRUE,
      .after = H264_AFTER,
  },
  {
      .codec = MEDIA_VP8,
      .element = "vp8enc",
      .common = "lag-in-frames=0 threads=1 resize-allowed=false min-quantizer=4",
      .live = "deadline=1 cpu-used=8 end-usage=cbr error-resilient=default static-threshold=100 "
              "max-quantizer=63 dropframe-threshold=30 undershoot=95 overshoot=15 buffer-size=600 "
              "buffer-initial-size=300 buffer-optimal-size=400 max-intra-bitrate=450",
      .record = "deadline=1 cpu-used=4 end-usage=cq cq-level=20 max-quantizer=50",
      .gop = "keyframe-max-dist",
      .bitrate = "target-bitrate",
      .bitrate_unit = 1,
  },
  {
      .codec = MEDIA_OPUS,
      .element = "opusenc",
      .common = "frame-size=20 bandwidth=fullband dtx=false",
      .live = "audio-type=voice bitrate-type=constrained-vbr complexity=5 inband-fec=true "
              "packet-loss-percentage=10",
      .record = "audio-type=generic bitrate-type=constrained-vbr complexity=5",
      /* Voice would be high-passed from 60 Hz, where third and fourth heart sounds live. */
      .faithful = "audio-type=generic bitrate-type=cbr complexity=10 inband-fec=false",
      .bitrate = "bitrate",
      .bitrate_unit = 1,
  },
  {
      .codec = MEDIA_JPEG,
      .element = "jpegenc",
      .common = "idct-method=ifast",
      .live = "quality=50",
      .record = "quality=90",
  },
  {
      .codec = MEDIA_FLAC,
      .element = "flacenc",
      .common = "quality=5 blocksize=3840 seekpoints=0", /* FLAC_BLOCK */
      .live = "",
      .record = "",
  },
};

static gboolean
present (const EncoderType *type)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find (type->element);
  if (!factory)
    return FALSE;
  /* Loaded now, so that the first viewer does not wait for it. */
  g_autoptr (GstPluginFeature) loaded = gst_plugin_feature_load (GST_PLUGIN_FEATURE (factory));
  return loaded != NULL;
}

/* Hardware encoders are often present but not usable: no firmware, no permission, busy. */
static gboolean
works (const EncoderType *type)
{
  g_autofree char *text = g_strdup_printf (
      "videotestsrc num-buffers=4 ! video/x-raw,format=I420,width=640,height=360,framerate=15/1 ! "
      "videoconvert ! %s %s %s ! fakesink",
      type->element, type->common, type->live);
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, NULL);
  if (!pipeline)
    return FALSE;
  gst_object_ref_sink (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message
      = gst_bus_timed_pop_filtered (bus, 3 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

static const EncoderType *
choose (MediaCodec codec)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].codec == codec && present (&types[i]) && (!types[i].hardware || works (&types[i])))
      return &types[i];
  return NULL;
}

const EncoderType *
encoder_type_for (MediaCodec codec)
{
  static gsize chosen[MEDIA_FLAC + 1]; /* 0: not yet, 1: none, else index + 2 */
  if (codec < MEDIA_H264 || codec > MEDIA_FLAC)
    return NULL;
  if (g_once_init_enter (&chosen[codec])) {
    const EncoderType *type = choose (codec);
    g_info ("capture: event=encoder codec=%s element=%s", media_codec_name (codec),
            type ? type->element : "none");
    g_once_init_leave (&chosen[codec], type ? (gsize)(type - types) + 2 : 1);
  }
  return chosen[codec] == 1 ? NULL : &types[chosen[codec] - 2];
}

void
encoder_type_set_bitrate (const EncoderType *type, GstElement *encoder, guint bitrate)
{
  if (type->bitrate) {
    g_object_set (encoder, type->bitrate, MAX (bitrate / type->bitrate_unit, 1), NULL);
    return;
  }
  if (!type->bitrate_unit) /* a still is as large as it is */
    return;
  /* V4L2 encoders know the rate as a control of the driver only. */
  g_autoptr (GstStructure) controls
      = gst_structure_new ("controls", "video_bitrate", G_TYPE_INT, (int)bitrate,
                           "repeat_sequence_header", G_TYPE_BOOLEAN, TRUE, NULL);
  g_object_set (encoder, "extra-controls", controls, NULL);
}

void
encoder_type_set_gop (const EncoderType *type, GstElement *encoder, guint frames)
{
  if (type->gop)
    g_object_set (encoder, type->gop, frames, NULL);
}

void
encoder_type_set_loss (const EncoderType *type, GstElement *encoder, guint percent)
{
  if (type->codec == MEDIA_OPUS)
    g_object_set (encoder, "packet-loss-percentage", (int)MIN (percent, 100), NULL);
}
