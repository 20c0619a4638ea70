#include <gst/app/app.h>
#include "media/capture/address.h"
#include "media/capture/babble.h"
#include "media/capture/capture.h"
#include "media/error.h"

#define SOUND "capsfilter caps=audio/x-raw,format=S16LE,rate=48000,channels=1"
#define TO_SOUND "audioconvert ! audioresample quality=4 ! " SOUND
enum { RATE = 48000, LONGEST_FILE = RATE * 60 * 10, OPEN_SECONDS = 10 };

/* Sound that is already there: played in real time, again from the start when it ends. */
typedef struct {
  GArray *samples; /* gint16, never empty */
  guint next;
} Loop;

static void
loop_free (Loop *loop)
{
  g_array_unref (loop->samples);
  g_free (loop);
}

static GstPadProbeReturn
play_loop (GstPad *pad, GstPadProbeInfo *info, gpointer arg)
{
  Loop *loop = arg;
  GstBuffer *buffer = gst_buffer_make_writable (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_DATA (info) = buffer;
  GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_GAP);
  GstMapInfo map;
  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE))
    return GST_PAD_PROBE_OK;
  gint16 *out = (gint16 *)map.data;
  for (gsize i = 0; i < map.size / sizeof (gint16); i++) {
    out[i] = g_array_index (loop->samples, gint16, loop->next);
    loop->next = (loop->next + 1) % loop->samples->len;
  }
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

/* audiotestsrc gives the timing (20 ms at a time), the samples are replaced on their way out. */
static gboolean
add_loop (Capture *capture, GArray *samples, GError **error)
{
  Loop *loop = g_new0 (Loop, 1);
  loop->samples = samples;
  capture_keep (capture, loop, (GDestroyNotify)loop_free);
  GstElement *bin = capture_add (capture,
                                 "audiotestsrc name=source is-live=true wave=silence "
                                 "samplesperbuffer=960 ! " SOUND,
                                 error);
  if (!bin)
    return FALSE;
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (bin), "source");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, play_loop, loop, NULL);
  return capture_end_raw (capture, bin);
}

static void
append_sample (GArray *samples, GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstMapInfo map;
  if (!buffer || !gst_buffer_map (buffer, &map, GST_MAP_READ))
    return;
  gsize room = LONGEST_FILE - samples->len;
  g_array_append_vals (samples, map.data, (guint)MIN (map.size / sizeof (gint16), room));
  gst_buffer_unmap (buffer, &map);
}

static gboolean
read_all (GstElement *pipeline, GArray *samples, const gint *quit, GError **error)
{
  g_autoptr (GstElement) out = gst_bin_get_by_name (GST_BIN (pipeline), "out");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  gint64 end = g_get_monotonic_time () + OPEN_SECONDS * G_USEC_PER_SEC;
  while (samples->len < LONGEST_FILE && !gst_app_sink_is_eos (GST_APP_SINK (out))) {
    g_autoptr (GstSample) sample
        = gst_app_sink_try_pull_sample (GST_APP_SINK (out), 50 * GST_MSECOND);
    if (sample)
      append_sample (samples, sample);
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    if (message) {
      gst_message_parse_error (message, error, NULL);
      return FALSE;
    }
    if (g_atomic_int_get (quit) || g_get_monotonic_time () > end) {
      g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_LIMIT, "not decoded within %d s", OPEN_SECONDS);
      return FALSE;
    }
  }
  if (samples->len > 0)
    return TRUE;
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "there is no sound in it");
  return FALSE;
}

static GArray *
decode_file (const char *path, const gint *quit, GError **error)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "filesrc name=file ! decodebin ! " TO_SOUND " ! appsink name=out sync=false max-buffers=16",
      error);
  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  g_autoptr (GstElement) file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  g_object_set (file, "location", path, NULL);
  g_autoptr (GArray) samples = g_array_new (FALSE, FALSE, sizeof (gint16));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gboolean read = read_all (pipeline, samples, quit, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return read ? g_steal_pointer (&samples) : NULL;
}

static gboolean
build_file (Capture *capture, const char *path, const gint *quit, GError **error)
{
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_NOT_FOUND, "%s is not there or no file", path);
    return FALSE;
  }
  g_autoptr (GError) why = NULL;
  GArray *samples = decode_file (path, quit, &why);
  if (!samples) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED, "%s cannot be played: %s", path,
                 why->message);
    return FALSE;
  }
  return add_loop (capture, samples, error);
}

static gboolean
build_test (Capture *capture, GError **error)
{
  enum { SECONDS = 20 };
  GArray *samples = g_array_sized_new (FALSE, FALSE, sizeof (gint16), RATE * SECONDS);
  g_array_set_size (samples, RATE * SECONDS);
  babble ((gint16 *)samples->data, samples->len, RATE, 1);
  return add_loop (capture, samples, error);
}

/* Small buffers: what waits in the sound card is delay for everybody. */
static gboolean
build_device (Capture *capture, const char *element, const char *property, const char *target,
              GError **error)
{
  g_autofree char *elements = g_strdup_printf ("%s name=source ! " TO_SOUND, element);
  g_autoptr (GError) why = NULL;
  g_autoptr (GstElement) bin = gst_parse_bin_from_description_full (
      elements, TRUE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &why);
  if (!bin) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_UNSUPPORTED,
                 "%s cannot be used: %s; install its GStreamer plugin", element, why->message);
    return FALSE;
  }
  gst_object_ref_sink (bin);
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (bin), "source");
  if (*target)
    g_object_set (source, property, target, NULL);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "buffer-time"))
    g_object_set (source, "buffer-time", G_GINT64_CONSTANT (60000), "latency-time",
                  G_GINT64_CONSTANT (10000), "provide-clock", FALSE, NULL);
  gst_bin_add (GST_BIN (capture_pipeline (capture)), bin);
  return capture_end_raw (capture, bin);
}

gboolean
microphone_build (Capture *capture, const SourceConfig *config, const gint *quit, GError **error)
{
  Address address;
  if (!address_parse (MEDIA_AUDIO, config->address, &address, error))
    return FALSE;
  switch (address.scheme) {
  case ADDRESS_FILE:
    return build_file (capture, address.target, quit, error);
  case ADDRESS_ALSA:
    return build_device (capture, "alsasrc", "device", address.target, error);
  case ADDRESS_PIPEWIRE:
    return build_device (capture, "pipewiresrc do-timestamp=true", "target-object", address.target,
                         error);
  default:
    return build_test (capture, error);
  }
}
