/* RTSP cameras. The stream comes over RTSP's own TCP connection first, because the record must be
 * whole; a camera that refuses that is asked for UDP at the next attempt.
 */
#include "media/capture/arrival.h"
#include "media/capture/capture.h"
#include "media/capture/stage.h"
#include "media/error.h"

#define LATENCY_MS 100
#define TCP_TIMEOUT_US (5 * G_GUINT64_CONSTANT (1000000))
#define UDP_TIMEOUT_US (2 * G_GUINT64_CONSTANT (1000000))

enum { PROTOCOL_UDP = 1, PROTOCOL_TCP = 4 }; /* GstRTSPLowerTrans */

typedef struct {
  Capture *capture;
  Arrival arrival; /* streaming thread only */
  gint selected;   /* atomic: a video stream has been taken */
} Rtsp;

typedef struct {
  const char *encoding; /* as in SDP's rtpmap */
  const char *elements;
} Payload;

#define TO_RAW " ! videoconvert n-threads=1 ! capsfilter caps=video/x-raw,format=I420"

static const char h264[] = "rtph264depay ! h264parse config-interval=-1 ! "
                           "capsfilter caps=video/x-h264,stream-format=byte-stream,alignment=au";

/* What cannot be recorded as it is gets decoded at once. */
static const Payload decoded[] = {
  { "H265", "rtph265depay ! h265parse ! avdec_h265 max-threads=1" TO_RAW },
  { "JPEG", "rtpjpegdepay ! jpegdec idct-method=ifast" TO_RAW },
  { "MP4V-ES", "rtpmp4vdepay ! mpeg4videoparse ! avdec_mpeg4 max-threads=1" TO_RAW },
  { "VP8", "rtpvp8depay ! vp8dec threads=1" TO_RAW },
};

static const char *
encoding_name (GstCaps *caps, const char **ret_media)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  *ret_media = gst_structure_get_string (structure, "media");
  return gst_structure_get_string (structure, "encoding-name");
}

/* With RTSP over TCP only the first packet is dated on our clock; all the others follow by the
 * camera's. */
static GstPadProbeReturn
on_picture (GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
  Rtsp *rtsp = arg;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  g_autoptr (GstEvent) event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  if (!event || !GST_BUFFER_PTS_IS_VALID (buffer))
    return GST_PAD_PROBE_OK;
  const GstSegment *segment;
  gst_event_parse_segment (event, &segment);
  gint64 camera_us = stage_capture_us (segment, buffer);
  gint64 shift_us
      = arrival_capture_us (&rtsp->arrival, camera_us, g_get_monotonic_time ()) - camera_us;
  gint64 shift = shift_us * (gint64)GST_USECOND;
  if (shift == 0 || (shift < 0 && GST_BUFFER_PTS (buffer) < (GstClockTime)-shift))
    return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) += (GstClockTime)shift;
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  return GST_PAD_PROBE_OK;
}

static GstElement *
add_depayloader (Rtsp *rtsp, const char *encoding, GError **error)
{
  Capture *capture = rtsp->capture;
  if (g_strcmp0 (encoding, "H264") == 0) {
    GstElement *bin = capture_add (capture, h264, error);
    return bin && capture_end_encoded (capture, bin) ? bin : NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS (decoded); i++)
    if (g_strcmp0 (encoding, decoded[i].encoding) == 0) {
      GstElement *bin = capture_add (capture, decoded[i].elements, error);
      return bin && capture_end_raw (capture, bin) ? bin : NULL;
    }
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
               "the camera sends %s: set it to H.264 in its own settings",
               encoding ? encoding : "an unnamed format");
  return NULL;
}

static void
on_pad_added (GstElement *source, GstPad *pad, gpointer arg)
{
  Rtsp *rtsp = arg;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  const char *media, *encoding = encoding_name (caps, &media);
  g_autoptr (GError) error = NULL;
  GstElement *bin = add_depayloader (rtsp, encoding, &error);
  if (bin) {
    gst_element_sync_state_with_parent (bin);
    g_autoptr (GstPad) sink = gst_element_get_static_pad (bin, "sink");
    g_autoptr (GstPad) out = gst_element_get_static_pad (bin, "src");
    gst_pad_add_probe (out, GST_PAD_PROBE_TYPE_BUFFER, on_picture, rtsp, NULL);
    if (gst_pad_link (pad, sink) == GST_PAD_LINK_OK)
      return;
  }
  g_autofree char *reason
      = g_strdup_printf ("unsupported: %s", error ? error->message : "its stream cannot be linked");
  capture_fail (rtsp->capture, reason);
}

/* Only the first video stream is set up: sound comes from microphones. */
static gboolean
on_select_stream (GstElement *source, guint number, GstCaps *caps, gpointer arg)
{
  Rtsp *rtsp = arg;
  const char *media;
  encoding_name (caps, &media);
  return g_strcmp0 (media, "video") == 0
         && g_atomic_int_compare_and_exchange (&rtsp->selected, FALSE, TRUE);
}

static void
on_no_more_pads (GstElement *source, gpointer arg)
{
  Rtsp *rtsp = arg;
  if (!g_atomic_int_get (&rtsp->selected))
    capture_fail (rtsp->capture, "unsupported: the address has no video stream");
}

gboolean
camera_build_rtsp (Capture *capture, const SourceConfig *config, guint attempt, GError **error)
{
  GstElement *source = gst_element_factory_make ("rtspsrc", NULL);
  if (!source) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "rtspsrc is missing: install gstreamer1.0-plugins-good");
    return FALSE;
  }
  g_object_set (source, "location", config->address, "latency", LATENCY_MS, "tcp-timeout",
                TCP_TIMEOUT_US, "timeout", UDP_TIMEOUT_US, "teardown-timeout", 50 * GST_MSECOND,
                NULL);
  g_object_set (source, "protocols", attempt % 2 == 0 ? PROTOCOL_TCP : PROTOCOL_UDP | PROTOCOL_TCP,
                NULL);
  if (config->user)
    g_object_set (source, "user-id", config->user, "user-pw",
                  config->password ? config->password : "", NULL);
  Rtsp *rtsp = g_new0 (Rtsp, 1);
  rtsp->capture = capture;
  capture_keep (capture, rtsp, g_free);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad_added), rtsp);
  g_signal_connect (source, "select-stream", G_CALLBACK (on_select_stream), rtsp);
  g_signal_connect (source, "no-more-pads", G_CALLBACK (on_no_more_pads), rtsp);
  gst_bin_add (GST_BIN (capture_pipeline (capture)), source);
  return TRUE;
}
