#include "media/capture/capture.h"

#include "media/capture/stage.h"
#include "media/error.h"

enum { DECODER_WAITING = 60, BACKWARD_LIMIT = 3 };

typedef struct {
  gpointer data;
  GDestroyNotify destroy;
} Kept;

struct Capture {
  GstElement *pipeline;
  const char *unopened; /* the word of a reason, see stage_reason() */
  CaptureEvents events;
  void *arg;
  GArray *kept;
  /* Streaming thread of the encoded end only. */
  Stage *decoder;
  gint decoder_failed; /* atomic, set by the decoder's thread */
  gboolean decoder_wants_key;
  gboolean unfit;
  guint backward; /* pictures whose time was before their predecessor's */
  gint64 last_us;
};

static void
kept_clear (gpointer item)
{
  Kept *kept = item;
  kept->destroy (kept->data);
}

void
capture_keep (Capture *capture, gpointer data, GDestroyNotify destroy)
{
  Kept kept = { data, destroy };
  g_array_append_val (capture->kept, kept);
}

GstElement *
capture_pipeline (Capture *capture)
{
  return capture->pipeline;
}

void
capture_fail (Capture *capture, const char *reason)
{
  capture->events.failed (reason, capture->arg);
}

GstElement *
capture_add (Capture *capture, const char *elements, GError **error)
{
  g_autoptr (GError) why = NULL;
  GstElement *bin = gst_parse_bin_from_description_full (elements, TRUE, NULL,
                                                         GST_PARSE_FLAG_FATAL_ERRORS, &why);
  if (!bin) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "\"%s\" cannot be built: %s; install the GStreamer plugins that README.md names",
                 elements, why->message);
    return NULL;
  }
  gst_bin_add (GST_BIN (capture->pipeline), bin);
  return bin;
}

static GstElement *
end_with_probe (Capture *capture, GstElement *last, GstPadProbeCallback probe)
{
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_object_set (sink, "sync", FALSE, "async", FALSE, "qos", FALSE, "enable-last-sample", FALSE,
                NULL);
  gst_bin_add (GST_BIN (capture->pipeline), sink);
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, probe, capture, NULL);
  gst_element_sync_state_with_parent (sink);
  return gst_element_link (last, sink) ? sink : NULL;
}

static GstPadProbeReturn
on_raw (GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
  Capture *capture = arg;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  if (caps)
    capture->events.raw (GST_PAD_PROBE_INFO_BUFFER (info), caps, capture->arg);
  return GST_PAD_PROBE_OK;
}

gboolean
capture_end_raw (Capture *capture, GstElement *last)
{
  return end_with_probe (capture, last, on_raw) != NULL;
}

static void
on_decoded (GstSample *sample, void *arg)
{
  Capture *capture = arg;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstCaps *caps = gst_sample_get_caps (sample);
  if (buffer && caps)
    capture->events.raw (buffer, caps, capture->arg);
}

static void
on_decoder_failed (const char *reason, void *arg)
{
  Capture *capture = arg;
  g_info ("capture: event=decoder-failed reason=\"%s\"", reason);
  g_atomic_int_set (&capture->decoder_failed, TRUE);
}

static const char *
h264_decoder (void)
{
  /* One thread: frame threads delay each picture by one interval per thread. */
  static const char *const decoders[][2] = {
    { "vah264dec", "vah264dec" },
    { "avdec_h264", "avdec_h264 max-threads=1" },
    { "openh264dec", "openh264dec" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (decoders); i++) {
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (decoders[i][0]);
    if (factory)
      return decoders[i][1];
  }
  return "avdec_h264";
}

static void
renew_decoder (Capture *capture)
{
  static const StageEvents events = { on_decoded, on_decoder_failed };
  g_autofree char *elements = g_strdup_printf (
      "%s ! videoconvert n-threads=1 ! capsfilter caps=video/x-raw,format=I420", h264_decoder ());
  g_autoptr (GError) error = NULL;
  g_clear_pointer (&capture->decoder, stage_free);
  g_atomic_int_set (&capture->decoder_failed, FALSE);
  capture->decoder_wants_key = TRUE;
  capture->decoder = stage_new (elements, STAGE_KEEP, DECODER_WAITING, &events, capture, &error);
  if (!capture->decoder) {
    g_autofree char *reason = g_strdup_printf ("unsupported: %s", error->message);
    capture_fail (capture, reason);
  }
}

/* The record never waits for the decoder and does not notice when it dies. */
static void
decode (Capture *capture, GstBuffer *buffer, GstCaps *caps, gboolean key)
{
  if (key && (!capture->decoder || g_atomic_int_get (&capture->decoder_failed)))
    renew_decoder (capture);
  if (!capture->decoder || (capture->decoder_wants_key && !key))
    return;
  capture->decoder_wants_key = !stage_push (capture->decoder, gst_buffer_ref (buffer), caps);
}

static void
emit_encoded (Capture *capture, GstBuffer *buffer, gint64 capture_us, gboolean key, GstCaps *caps)
{
  GstMapInfo map;
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  g_autoptr (GBytes) data = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);
  g_autoptr (Frame) frame
      = frame_new (MEDIA_H264, key, capture_us,
                   GST_CLOCK_TIME_IS_VALID (duration) ? duration / GST_USECOND : 0, data);
  GstStructure *structure = gst_caps_get_structure (caps, 0);
  int width = 0, height = 0;
  gst_structure_get_int (structure, "width", &width);
  gst_structure_get_int (structure, "height", &height);
  frame->width = MAX (width, 0);
  frame->height = MAX (height, 0);
  capture->events.encoded (frame, capture->arg);
}

/* RTP carries presentation times only: when they go back again and again, the camera sends
 * B-frames. Once or twice is a camera that set its clock. */
static gint64
check_order (Capture *capture, gint64 capture_us)
{
  if (capture_us <= capture->last_us) {
    capture_us = capture->last_us + 1;
    if (++capture->backward == BACKWARD_LIMIT) {
      capture->unfit = TRUE;
      capture->events.unfit (capture->arg);
    }
  }
  capture->last_us = capture_us;
  return capture_us;
}

static GstPadProbeReturn
on_encoded (GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
  Capture *capture = arg;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  if (!caps || gst_buffer_get_size (buffer) == 0)
    return GST_PAD_PROBE_OK;
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment = NULL;
  if (event)
    gst_event_parse_segment (event, &segment);
  gint64 capture_us = stage_capture_us (segment, buffer);
  gboolean key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  capture_us = check_order (capture, capture_us);
  if (!capture->unfit)
    emit_encoded (capture, buffer, capture_us, key, caps);
  decode (capture, buffer, caps, key);
  return GST_PAD_PROBE_OK;
}

gboolean
capture_end_encoded (Capture *capture, GstElement *last)
{
  return end_with_probe (capture, last, on_encoded) != NULL;
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer arg)
{
  Capture *capture = arg;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autofree char *reason = stage_reason (message, capture->unopened);
    capture_fail (capture, reason);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    capture_fail (capture, "no-data: the device ended its stream");
  return GST_BUS_DROP;
}

Capture *
capture_new (const SourceConfig *config, const CaptureEvents *events, void *arg, guint attempt,
             const gint *quit, GError **error)
{
  g_autoptr (Capture) capture = g_new0 (Capture, 1);
  capture->events = *events;
  capture->arg = arg;
  capture->unopened = g_str_has_prefix (config->address, "rtsp:") ? "unreachable" : "not-found";
  capture->kept = g_array_new (FALSE, FALSE, sizeof (Kept));
  g_array_set_clear_func (capture->kept, kept_clear);
  capture->pipeline = gst_object_ref_sink (gst_pipeline_new (config->name));
  stage_share_clock (capture->pipeline);
  gboolean built = config->kind == MEDIA_VIDEO ? camera_build (capture, config, attempt, error)
                                               : microphone_build (capture, config, quit, error);
  if (!built)
    return NULL;
  g_autoptr (GstBus) bus = gst_element_get_bus (capture->pipeline);
  gst_bus_set_sync_handler (bus, on_message, capture, NULL);
  return g_steal_pointer (&capture);
}

gboolean
capture_start (Capture *capture, char **ret_reason)
{
  if (gst_element_set_state (capture->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    return TRUE;
  /* The element has told more by capture_fail() already, if it knew more. */
  *ret_reason = g_strdup ("failed: the device does not start");
  return FALSE;
}

void
capture_free (Capture *capture)
{
  gst_element_set_state (capture->pipeline, GST_STATE_NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (capture->pipeline);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  g_clear_pointer (&capture->decoder, stage_free);
  gst_object_unref (capture->pipeline);
  g_array_unref (capture->kept);
  g_free (capture);
}
