#include "media/capture/stage.h"

#include <gst/app/app.h>
#include "media/error.h"

struct Stage {
  GstElement *pipeline;
  GstAppSrc *in;
  GstAppSink *out;
  GstCaps *caps;
  StagePolicy policy;
  guint max_buffers;
  gint failed; /* atomic */
  StageEvents events;
  void *arg;
};

void
stage_share_clock (GstElement *pipeline)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain (); /* GST_CLOCK_TYPE_MONOTONIC */
  gst_pipeline_use_clock (GST_PIPELINE (pipeline), clock);
  gst_element_set_base_time (pipeline, 0);
  gst_element_set_start_time (pipeline, GST_CLOCK_TIME_NONE);
}

gint64
stage_capture_us (const GstSegment *segment, GstBuffer *buffer)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  if (GST_CLOCK_TIME_IS_VALID (pts) && segment && segment->format == GST_FORMAT_TIME)
    /* x264enc shifts its timestamps and its segment by 1000 h: only running time is ours. */
    pts = gst_segment_to_running_time (segment, GST_FORMAT_TIME, pts);
  if (!GST_CLOCK_TIME_IS_VALID (pts))
    return g_get_monotonic_time ();
  return (gint64)GST_TIME_AS_USECONDS (pts);
}

static const char *
reason_word (const GError *error, const char *unopened)
{
  if (error->domain == GST_RESOURCE_ERROR)
    switch (error->code) {
    case GST_RESOURCE_ERROR_NOT_FOUND:
      return "not-found";
    case GST_RESOURCE_ERROR_NOT_AUTHORIZED:
      return "refused";
    case GST_RESOURCE_ERROR_OPEN_READ:
    case GST_RESOURCE_ERROR_OPEN_READ_WRITE:
      return unopened;
    default:
      return "failed";
    }
  if (error->domain == GST_STREAM_ERROR)
    switch (error->code) {
    case GST_STREAM_ERROR_TYPE_NOT_FOUND:
    case GST_STREAM_ERROR_WRONG_TYPE:
    case GST_STREAM_ERROR_CODEC_NOT_FOUND:
    case GST_STREAM_ERROR_FORMAT:
      return "unsupported";
    default:
      return "failed";
    }
  return error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN
             ? "unsupported"
             : "failed";
}

char *
stage_reason (GstMessage *message, const char *unopened)
{
  g_autoptr (GError) error = NULL;
  gst_message_parse_error (message, &error, NULL);
  return g_strdup_printf ("%s: %s", reason_word (error, unopened), error->message);
}

static void
stage_fail (Stage *stage, const char *reason)
{
  if (g_atomic_int_compare_and_exchange (&stage->failed, FALSE, TRUE))
    stage->events.failed (reason, stage->arg);
}

/* A stage has no main loop: its messages are looked at where they are posted. Latency is of no
 * interest, nothing here waits for a clock. */
static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer arg)
{
  Stage *stage = arg;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    g_autofree char *reason = stage_reason (message, "failed");
    stage_fail (stage, reason);
  }
  return GST_BUS_DROP;
}

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer arg)
{
  Stage *stage = arg;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);
  if (sample)
    stage->events.output (sample, stage->arg);
  return GST_FLOW_OK;
}

static void
connect_ends (Stage *stage)
{
  gboolean leaky = stage->policy == STAGE_DROP_OLDEST;
  g_object_set (stage->in, "format", GST_FORMAT_TIME, "is-live", TRUE, "max-bytes",
                G_GUINT64_CONSTANT (0), "max-buffers", (guint64)stage->max_buffers, "leaky-type",
                leaky ? GST_APP_LEAKY_TYPE_DOWNSTREAM : GST_APP_LEAKY_TYPE_NONE, NULL);
  g_object_set (stage->out, "sync", FALSE, "async", FALSE, "qos", FALSE, "enable-last-sample",
                FALSE, NULL);
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  gst_app_sink_set_callbacks (stage->out, &callbacks, stage, NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (stage->pipeline);
  gst_bus_set_sync_handler (bus, on_message, stage, NULL);
}

static gboolean
assemble (Stage *stage, const char *elements, GError **error)
{
  g_autoptr (GError) why = NULL;
  GstElement *bin = gst_parse_bin_from_description_full (
      elements, TRUE, NULL, GST_PARSE_FLAG_FATAL_ERRORS | GST_PARSE_FLAG_PLACE_IN_BIN, &why);
  if (!bin) {
    gboolean missing = g_error_matches (why, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT);
    g_set_error (error, MEDIA_ERROR, missing ? MEDIA_ERROR_UNSUPPORTED : MEDIA_ERROR_FAILED,
                 "\"%s\" cannot be built: %s; install the GStreamer plugins that README.md names",
                 elements, why->message);
    return FALSE;
  }
  GstElement *in = gst_element_factory_make ("appsrc", "in");
  GstElement *out = gst_element_factory_make ("appsink", "out");
  stage->in = GST_APP_SRC (in);
  stage->out = GST_APP_SINK (out);
  gst_bin_add_many (GST_BIN (stage->pipeline), in, bin, out, NULL);
  connect_ends (stage);
  if (gst_element_link_many (in, bin, out, NULL))
    return TRUE;
  g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "\"%s\" cannot be linked", elements);
  return FALSE;
}

Stage *
stage_new (const char *elements, StagePolicy policy, guint max_buffers, const StageEvents *events,
           void *arg, GError **error)
{
  g_autoptr (Stage) stage = g_new0 (Stage, 1);
  stage->policy = policy;
  stage->max_buffers = max_buffers;
  stage->events = *events;
  stage->arg = arg;
  stage->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  if (!assemble (stage, elements, error))
    return NULL;
  stage_share_clock (stage->pipeline);
  if (gst_element_set_state (stage->pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) {
    g_set_error (error, MEDIA_ERROR, MEDIA_ERROR_FAILED, "\"%s\" does not start", elements);
    return NULL;
  }
  return g_steal_pointer (&stage);
}

void
stage_free (Stage *stage)
{
  /* Errors that shutting down brings are nobody's concern any more. */
  g_atomic_int_set (&stage->failed, TRUE);
  gst_element_set_state (stage->pipeline, GST_STATE_NULL);
  g_autoptr (GstBus) bus = gst_element_get_bus (stage->pipeline);
  gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
  gst_object_unref (stage->pipeline);
  gst_clear_caps (&stage->caps);
  g_free (stage);
}

gboolean
stage_push (Stage *stage, GstBuffer *buffer, GstCaps *caps)
{
  if (g_atomic_int_get (&stage->failed)
      || (stage->policy == STAGE_KEEP
          && gst_app_src_get_current_level_buffers (stage->in) >= stage->max_buffers)) {
    gst_buffer_unref (buffer);
    return FALSE;
  }
  if (stage->caps != caps && !(stage->caps && gst_caps_is_equal (stage->caps, caps)))
    gst_app_src_set_caps (stage->in, caps);
  gst_caps_replace (&stage->caps, caps);
  return gst_app_src_push_buffer (stage->in, buffer) == GST_FLOW_OK;
}

GstElement *
stage_element (Stage *stage, const char *name)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (stage->pipeline), name);
  return element; /* the bin keeps it */
}
