/* The measure to beat: GStreamer's webrtcbin sending a camera to browsers, built as an application
 * on it would be. The camera is received, decoded and encoded all the time; a viewer is a
 * webrtcbin of its own behind the encoder, made when it asks, with a key frame at once.
 *
 * Usage: webrtcbin-peer --camera rtsp://… | --moving   [--bitrate KBIT] [--nack]
 * --moving: moving_scene.h's picture in the place of a camera's. --nack: what is lost is sent
 * again. Lines of JSON: in {"type":"start"} {"type":"answer","sdp"} {"type":"candidate","line"}
 * {"type":"stop"}, out {"type":"ready"} {"type":"offer","sdp"} {"type":"candidate","line"}. Of
 * several viewers each has its "viewer" in all of these. */
#define GST_USE_UNSTABLE_API
#include <gio/gio.h>
#include "json_lines.h"
#include <gst/gst.h>
#include <gst/sdp/sdp.h>
#include <gst/video/video.h>
#include <gst/webrtc/webrtc.h>
#include <stdio.h>
#include <stdlib.h>
#include "media/capture/camera.h"

enum { PAYLOAD_TYPE = 102 /* as bench-viewer answers, and in the caps below */ };

typedef struct {
  GstElement *pipeline, *tee, *encoder;
  GHashTable *viewers; /* id -> Viewer */
} Bench;

static struct {
  char *camera;
  gboolean moving, nack;
  int bitrate;
} options = { .bitrate = 600 };

typedef struct {
  Bench *bench;
  char *id;
  GstElement *queue, *pay, *webrtc;
  GstPad *tee_pad;
} Viewer;

static void
on_offer (GstPromise *promise, gpointer data)
{
  Viewer *viewer = data;
  GstWebRTCSessionDescription *offer = NULL;
  gst_structure_get (gst_promise_get_reply (promise), "offer", GST_TYPE_WEBRTC_SESSION_DESCRIPTION,
                     &offer, NULL);
  gst_promise_unref (promise);
  g_signal_emit_by_name (viewer->webrtc, "set-local-description", offer, NULL);
  g_autofree char *sdp = gst_sdp_message_as_text (offer->sdp);
  json_lines_say (json_pack ("{s:s,s:s,s:s}", "type", "offer", "viewer", viewer->id, "sdp", sdp));
  gst_webrtc_session_description_free (offer);
}

static void
on_negotiation_needed (GstElement *webrtc, gpointer data)
{
  GstPromise *promise = gst_promise_new_with_change_func (on_offer, data, NULL);
  g_signal_emit_by_name (webrtc, "create-offer", NULL, promise);
}

static void
on_candidate (GstElement *webrtc, guint line, const char *candidate, gpointer data)
{
  const Viewer *viewer = data;
  json_lines_say (
      json_pack ("{s:s,s:s,s:s}", "type", "candidate", "viewer", viewer->id, "line", candidate));
}

static void
request_key_frame (Bench *bench)
{
  GstEvent *event = gst_video_event_new_upstream_force_key_unit (GST_CLOCK_TIME_NONE, TRUE, 0);
  g_autoptr (GstPad) source = gst_element_get_static_pad (bench->encoder, "src");
  gst_pad_send_event (source, event);
}

static void
on_connection (GstElement *webrtc, GParamSpec *spec, gpointer data)
{
  GstWebRTCPeerConnectionState state;
  g_object_get (webrtc, "connection-state", &state, NULL);
  if (state == GST_WEBRTC_PEER_CONNECTION_STATE_CONNECTED)
    request_key_frame (((Viewer *)data)->bench);
}

static void
viewer_start (Bench *bench, const char *id)
{
  Viewer *viewer = g_new0 (Viewer, 1);
  viewer->bench = bench;
  viewer->id = g_strdup (id);
  g_hash_table_insert (bench->viewers, viewer->id, viewer);
  viewer->queue = gst_element_factory_make ("queue", NULL);
  viewer->pay = gst_element_factory_make ("rtph264pay", NULL);
  viewer->webrtc = gst_element_factory_make ("webrtcbin", NULL);
  g_object_set (viewer->pay, "config-interval", -1, "aggregate-mode", 1, "pt", PAYLOAD_TYPE, NULL);
  g_object_set (viewer->webrtc, "bundle-policy", 3, "latency", 0, NULL);
  g_signal_connect (viewer->webrtc, "on-negotiation-needed", G_CALLBACK (on_negotiation_needed),
                    viewer);
  g_signal_connect (viewer->webrtc, "on-ice-candidate", G_CALLBACK (on_candidate), viewer);
  g_signal_connect (viewer->webrtc, "notify::connection-state", G_CALLBACK (on_connection), viewer);
  gst_bin_add_many (GST_BIN (bench->pipeline), viewer->queue, viewer->pay, viewer->webrtc, NULL);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000");
  gst_element_link (viewer->queue, viewer->pay);
  gst_element_link_filtered (viewer->pay, viewer->webrtc, caps);
  if (options.nack) {
    g_autoptr (GstWebRTCRTPTransceiver) line = NULL;
    g_signal_emit_by_name (viewer->webrtc, "get-transceiver", 0, &line);
    g_object_set (line, "do-nack", TRUE, NULL);
  }
  gst_element_sync_state_with_parent (viewer->webrtc);
  gst_element_sync_state_with_parent (viewer->pay);
  gst_element_sync_state_with_parent (viewer->queue);
  viewer->tee_pad = gst_element_request_pad_simple (bench->tee, "src_%u");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (viewer->queue, "sink");
  gst_pad_link (viewer->tee_pad, sink);
  request_key_frame (bench);
}

static void
viewer_stop (gpointer data)
{
  Viewer *viewer = data;
  Bench *bench = viewer->bench;
  g_autoptr (GstPad) sink = gst_element_get_static_pad (viewer->queue, "sink");
  gst_pad_unlink (viewer->tee_pad, sink);
  gst_element_release_request_pad (bench->tee, viewer->tee_pad);
  gst_clear_object (&viewer->tee_pad);
  GstElement *elements[] = { viewer->webrtc, viewer->pay, viewer->queue };
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++) {
    gst_element_set_state (elements[i], GST_STATE_NULL);
    gst_bin_remove (GST_BIN (bench->pipeline), elements[i]);
  }
  g_free (viewer->id);
  g_free (viewer);
}

static void
set_answer (Viewer *viewer, const char *text)
{
  GstSDPMessage *sdp = NULL;
  gst_sdp_message_new_from_text (text, &sdp);
  GstWebRTCSessionDescription *answer
      = gst_webrtc_session_description_new (GST_WEBRTC_SDP_TYPE_ANSWER, sdp);
  g_signal_emit_by_name (viewer->webrtc, "set-remote-description", answer, NULL);
  gst_webrtc_session_description_free (answer);
}

static void
obey (json_t *message, void *arg)
{
  Bench *bench = arg;
  const char *type = json_string_value (json_object_get (message, "type"));
  const char *id = json_string_value (json_object_get (message, "viewer"));
  id = id != NULL ? id : "0";
  Viewer *viewer = g_hash_table_lookup (bench->viewers, id);
  if (g_strcmp0 (type, "start") == 0)
    viewer_start (bench, id);
  else if (g_strcmp0 (type, "answer") == 0 && viewer != NULL)
    set_answer (viewer, json_string_value (json_object_get (message, "sdp")));
  else if (g_strcmp0 (type, "candidate") == 0 && viewer != NULL)
    g_signal_emit_by_name (viewer->webrtc, "add-ice-candidate", 0,
                           json_string_value (json_object_get (message, "line")));
  else if (g_strcmp0 (type, "stop") == 0)
    g_hash_table_remove (bench->viewers, id);
}

static GstPadProbeReturn
on_first_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  json_lines_say (json_pack ("{s:s}", "type", "ready"));
  return GST_PAD_PROBE_REMOVE;
}

/* The moving picture goes over narrow links: a key frame is no longer than their queues. */
static GstElement *
camera_pipeline (GError **error)
{
  g_autofree char *camera
      = options.moving ? g_strdup ("identity name=camera")
                       : g_strdup_printf ("rtspsrc location=%s latency=100 ! rtph264depay ! "
                                          "h264parse ! avdec_h264 ! videoconvert",
                                          options.camera);
  g_autofree char *text = g_strdup_printf (
      "%s ! x264enc name=encoder tune=zerolatency speed-preset=superfast bitrate=%d "
      "key-int-max=300 %s threads=1 ! video/x-h264,profile=constrained-baseline ! h264parse ! "
      "tee name=tee allow-not-linked=true tee. ! queue ! fakesink name=sink async=false",
      camera, options.bitrate, options.moving ? "vbv-buf-capacity=250" : "");
  GstElement *pipeline = gst_parse_launch (text, error);
  if (pipeline && options.moving) {
    g_autoptr (GstElement) first = gst_bin_get_by_name (GST_BIN (pipeline), "camera");
    GstElement *scene = camera_moving_source (640, 360, 15);
    gst_bin_add (GST_BIN (pipeline), scene);
    gst_element_link (scene, first);
  }
  return pipeline;
}

int
main (int argc, char **argv)
{
  GOptionEntry entries[] = {
    { "camera", 0, 0, G_OPTION_ARG_STRING, &options.camera, "its RTSP address", "URL" },
    { "moving", 0, 0, G_OPTION_ARG_NONE, &options.moving, "a picture of its own", NULL },
    { "bitrate", 0, 0, G_OPTION_ARG_INT, &options.bitrate, "kbit/s", "N" },
    { "nack", 0, 0, G_OPTION_ARG_NONE, &options.nack, "send again what was lost", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context
      = g_option_context_new ("- a camera to a browser by webrtcbin");
  g_option_context_add_main_entries (context, entries, NULL);
  g_autoptr (GError) error = NULL;
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || (options.camera == NULL && !options.moving)) {
    g_printerr ("webrtcbin-peer: %s\n",
                error != NULL ? error->message : "--camera or --moving is needed");
    return 2;
  }
  gst_init (NULL, NULL);
  Bench bench = { .pipeline = camera_pipeline (&error) };
  if (bench.pipeline == NULL) {
    g_printerr ("webrtcbin-peer: %s\n", error->message);
    return 1;
  }
  bench.viewers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, viewer_stop);
  bench.tee = gst_bin_get_by_name (GST_BIN (bench.pipeline), "tee");
  bench.encoder = gst_bin_get_by_name (GST_BIN (bench.pipeline), "encoder");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (bench.pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_first_buffer, NULL, NULL);
  gst_element_set_state (bench.pipeline, GST_STATE_PLAYING);
  json_lines_run (obey, &bench);
  return 0;
}
