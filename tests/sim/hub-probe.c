/* A hub of its own behind a pipe, for tests of the transport with real browsers: JSON objects, one
 * a line, as commands on stdin and as events on stdout. Sources: "room" (a moving picture, H.264
 * and VP8) and "microphone" (a tone, Opus). Ends when stdin does.
 *
 *   {"do":"add","peer":"a","label":"a","loopback":true}   {"do":"answer","peer":"a","sdp":"…"}
 *   {"do":"candidate","peer":"a","mid":"s0","line":"…"}   {"do":"offer","peer":"a","restart":true}
 *   {"do":"remove","peer":"a"}                            {"do":"send","peer":"a","text":"…"}
 *   {"do":"mute","source":"room","muted":true}            {"do":"look","peer":"a"}
 */
#include "media/transport/hub.h"
#include <gio/gunixinputstream.h>
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>
#include <jansson.h>
#include <stdio.h>

typedef struct Probe Probe;

/* One live encoder. */
typedef struct {
  Probe *probe;
  const char *source;
  MediaCodec codec;
  GstElement *pipeline, *encoder;
} Outlet;

/* Frames of a peer's own tracks; written on the hub's loop, read by "look". */
typedef struct {
  gint audio, video, keys;
} Received;

struct Probe {
  GMainLoop *loop;
  Hub *hub;
  GDataInputStream *input;
  Outlet outlets[3];
  GMutex lock;
  GHashTable *received; /* peer -> Received, under lock */
};

static void
say (json_t *object)
{
  json_dumpf (object, stdout, JSON_COMPACT);
  fputc ('\n', stdout);
  fflush (stdout);
  json_decref (object);
}

/* Encoders */

static const char *
pipeline_text (MediaCodec codec)
{
  switch (codec) {
  case MEDIA_H264:
    return "videotestsrc is-live=true pattern=ball ! "
           "video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert ! "
           "x264enc name=encoder tune=zerolatency speed-preset=ultrafast key-int-max=300 "
           "bitrate=600 threads=1 ! video/x-h264,profile=constrained-baseline,alignment=au,"
           "stream-format=byte-stream ! appsink name=out sync=false";
  case MEDIA_VP8:
    return "videotestsrc is-live=true pattern=ball ! "
           "video/x-raw,width=640,height=360,framerate=30/1 ! videoconvert ! "
           "vp8enc name=encoder deadline=1 cpu-used=8 keyframe-max-dist=300 threads=1 "
           "target-bitrate=600000 error-resilient=default ! appsink name=out sync=false";
  default:
    return "audiotestsrc is-live=true samplesperbuffer=960 freq=330 ! "
           "audio/x-raw,rate=48000,channels=1 ! opusenc name=encoder ! "
           "appsink name=out sync=false";
  }
}

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer data)
{
  Outlet *outlet = data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  if (sample == NULL)
    return GST_FLOW_EOS;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstMapInfo map;
  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    g_autoptr (GBytes) bytes = g_bytes_new (map.data, map.size);
    gst_buffer_unmap (buffer, &map);
    gboolean key = outlet->codec == MEDIA_OPUS
                   || !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    g_autoptr (Frame) frame = frame_new (outlet->codec, key, g_get_monotonic_time (),
                                         (gint64)(GST_BUFFER_DURATION (buffer) / 1000), bytes);
    hub_push_frame (outlet->probe->hub, outlet->source, frame);
  }
  gst_sample_unref (sample);
  return GST_FLOW_OK;
}

static void
outlet_start (Outlet *outlet)
{
  g_autoptr (GError) error = NULL;
  outlet->pipeline = gst_parse_launch (pipeline_text (outlet->codec), &error);
  if (error != NULL)
    g_error ("%s", error->message);
  outlet->encoder = gst_bin_get_by_name (GST_BIN (outlet->pipeline), "encoder");
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (outlet->pipeline), "out");
  GstAppSinkCallbacks callbacks = { .new_sample = on_sample };
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, outlet, NULL);
  gst_element_set_state (outlet->pipeline, GST_STATE_PLAYING);
}

static void
outlet_stop (Outlet *outlet)
{
  if (outlet->pipeline == NULL)
    return;
  gst_element_set_state (outlet->pipeline, GST_STATE_NULL);
  g_clear_object (&outlet->encoder);
  g_clear_object (&outlet->pipeline);
}

static Outlet *
find_outlet (Probe *probe, MediaCodec codec)
{
  for (guint i = 0; i < G_N_ELEMENTS (probe->outlets); i++)
    if (probe->outlets[i].codec == codec)
      return &probe->outlets[i];
  return NULL;
}

/* Events */

static void
on_offer (Hub *hub, const char *peer, const char *sdp, void *arg)
{
  say (json_pack ("{s:s,s:s,s:s}", "event", "offer", "peer", peer, "sdp", sdp));
}

static void
on_candidate (Hub *hub, const char *peer, const char *mid, const char *line, void *arg)
{
  say (json_pack ("{s:s,s:s,s:s,s:s?}", "event", "candidate", "peer", peer, "mid", mid, "line",
                  line));
}

static void
on_state (Hub *hub, const char *peer, HubPeerState state, const char *reason, void *arg)
{
  static const char *const names[]
      = { "new", "connecting", "connected", "paused", "failed", "closed" };
  say (json_pack ("{s:s,s:s,s:s,s:s?}", "event", "state", "peer", peer, "state", names[state],
                  "reason", reason));
}

static void
on_channel (Hub *hub, const char *peer, const char *label, gboolean open, void *arg)
{
  say (json_pack ("{s:s,s:s,s:s,s:b}", "event", "channel", "peer", peer, "label", label, "open",
                  open));
}

static void
on_message (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  say (json_pack ("{s:s,s:s,s:s,s:b,s:s%}", "event", "message", "peer", peer, "label", label,
                  "text", text, "data", bytes, size));
}

static void
on_track (Hub *hub, const char *peer, MediaKind kind, gboolean on, void *arg)
{
  say (json_pack ("{s:s,s:s,s:s,s:b}", "event", "track", "peer", peer, "kind",
                  kind == MEDIA_AUDIO ? "audio" : "video", "on", on));
}

static void
say_want (const char *event, const char *source, MediaCodec codec, gint value)
{
  say (json_pack ("{s:s,s:s,s:s,s:i}", "event", event, "source", source, "codec",
                  media_codec_name (codec), "value", value));
}

static void
on_want_live (Hub *hub, const char *source, MediaCodec codec, gboolean on, void *arg)
{
  Outlet *outlet = find_outlet (arg, codec);
  if (on && outlet->pipeline == NULL)
    outlet_start (outlet);
  else if (!on)
    outlet_stop (outlet);
  say_want ("want-live", source, codec, on);
}

static void
on_want_keyframe (Hub *hub, const char *source, MediaCodec codec, void *arg)
{
  Outlet *outlet = find_outlet (arg, codec);
  if (outlet->encoder != NULL)
    gst_element_send_event (outlet->encoder, gst_video_event_new_upstream_force_key_unit (
                                                 GST_CLOCK_TIME_NONE, TRUE, 0));
  say_want ("want-keyframe", source, codec, 1);
}

static void
on_want_bitrate (Hub *hub, const char *source, MediaCodec codec, guint bps, void *arg)
{
  Outlet *outlet = find_outlet (arg, codec);
  if (outlet->encoder != NULL && codec == MEDIA_H264)
    g_object_set (outlet->encoder, "bitrate", MIN (bps, 1000000) / 1000, NULL);
  else if (outlet->encoder != NULL && codec == MEDIA_VP8)
    g_object_set (outlet->encoder, "target-bitrate", (int)MIN (bps, 1000000), NULL);
  say_want ("want-bitrate", source, codec, (gint)bps);
}

static void
on_frame (Hub *hub, const char *peer, const char *label, MediaKind kind, Frame *frame, void *arg)
{
  Probe *probe = arg;
  g_mutex_lock (&probe->lock);
  Received *received = g_hash_table_lookup (probe->received, peer);
  if (received == NULL) {
    received = g_new0 (Received, 1);
    g_hash_table_insert (probe->received, g_strdup (peer), received);
  }
  if (kind == MEDIA_AUDIO)
    received->audio++;
  else
    received->video++;
  if (kind == MEDIA_VIDEO && frame->key)
    received->keys++;
  g_mutex_unlock (&probe->lock);
}

/* Commands */

static void
look (Probe *probe, const char *peer)
{
  HubPeerStats stats = { 0 };
  gboolean there = hub_stats (probe->hub, peer, &stats);
  Received none = { 0 };
  g_mutex_lock (&probe->lock);
  Received *found = g_hash_table_lookup (probe->received, peer);
  Received received = found != NULL ? *found : none;
  g_mutex_unlock (&probe->lock);
  say (json_pack ("{s:s,s:s,s:b,s:i,s:i,s:i,s:f,s:f,s:i,s:i,s:i,s:I}", "event", "look", "peer",
                  peer, "there", there, "audio", received.audio, "video", received.video, "keys",
                  received.keys, "rtt_ms", stats.rtt_ms, "loss", stats.loss, "estimate_bps",
                  stats.estimate_bps, "sent_bps", stats.sent_bps, "received_bps",
                  stats.received_bps, "plis", (json_int_t)stats.plis));
}

static void
add_peer (Probe *probe, const char *peer, json_t *command)
{
  HubPeerConfig config = {
    .loopback = json_is_true (json_object_get (command, "loopback")),
    .trusts_host = TRUE,
    .label = json_string_value (json_object_get (command, "label")),
  };
  hub_add_peer (probe->hub, peer, &config);
}

static void
obey (Probe *probe, json_t *command)
{
  const char *verb = json_string_value (json_object_get (command, "do"));
  const char *peer = json_string_value (json_object_get (command, "peer"));
  const char *text = json_string_value (json_object_get (command, "text"));
  const char *source = json_string_value (json_object_get (command, "source"));
  if (g_strcmp0 (verb, "mute") == 0 && source != NULL)
    hub_mute_source (probe->hub, source, json_is_true (json_object_get (command, "muted")));
  if (g_strcmp0 (verb, "send") == 0 && text != NULL) {
    g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
    hub_send (probe->hub, peer, "data", TRUE, bytes);
  }
  if (peer == NULL)
    return;
  if (g_strcmp0 (verb, "add") == 0)
    add_peer (probe, peer, command);
  if (g_strcmp0 (verb, "answer") == 0)
    hub_answer (probe->hub, peer, json_string_value (json_object_get (command, "sdp")));
  if (g_strcmp0 (verb, "candidate") == 0)
    hub_candidate (probe->hub, peer, json_string_value (json_object_get (command, "mid")),
                   json_string_value (json_object_get (command, "line")));
  if (g_strcmp0 (verb, "offer") == 0)
    hub_offer (probe->hub, peer, json_is_true (json_object_get (command, "restart")), FALSE);
  if (g_strcmp0 (verb, "remove") == 0)
    hub_remove_peer (probe->hub, peer);
  if (g_strcmp0 (verb, "look") == 0)
    look (probe, peer);
}

static void
on_line (GObject *object, GAsyncResult *result, gpointer data)
{
  Probe *probe = data;
  g_autofree char *line = g_data_input_stream_read_line_finish (probe->input, result, NULL, NULL);
  if (line == NULL) {
    g_main_loop_quit (probe->loop);
    return;
  }
  json_error_t error;
  json_t *command = json_loads (line, 0, &error);
  if (command != NULL)
    obey (probe, command);
  else
    g_printerr ("hub-probe: %s\n", error.text);
  json_decref (command);
  g_data_input_stream_read_line_async (probe->input, G_PRIORITY_DEFAULT, NULL, on_line, probe);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  static const HubEvents events = {
    .offer = on_offer,
    .candidate = on_candidate,
    .state = on_state,
    .channel = on_channel,
    .message = on_message,
    .track = on_track,
    .want_live = on_want_live,
    .want_keyframe = on_want_keyframe,
    .want_bitrate = on_want_bitrate,
    .frame = on_frame,
  };
  Probe probe = {
    .loop = g_main_loop_new (NULL, FALSE),
    .outlets = { { &probe, "room", MEDIA_H264 },
                 { &probe, "room", MEDIA_VP8 },
                 { &probe, "microphone", MEDIA_OPUS } },
    .received = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };
  g_mutex_init (&probe.lock);
  g_autoptr (GError) error = NULL;
  HubConfig config = { 0 };
  probe.hub = hub_new (&config, NULL, &events, &probe, &error);
  if (probe.hub == NULL)
    g_error ("%s", error->message);
  hub_add_source (probe.hub, "room", MEDIA_VIDEO);
  hub_add_source (probe.hub, "microphone", MEDIA_AUDIO);
  g_autoptr (GInputStream) standard = g_unix_input_stream_new (0, FALSE);
  probe.input = g_data_input_stream_new (standard);
  g_data_input_stream_read_line_async (probe.input, G_PRIORITY_DEFAULT, NULL, on_line, &probe);
  g_main_loop_run (probe.loop);
  for (guint i = 0; i < G_N_ELEMENTS (probe.outlets); i++)
    outlet_stop (&probe.outlets[i]);
  hub_free (probe.hub);
  g_object_unref (probe.input);
  g_hash_table_unref (probe.received);
  g_mutex_clear (&probe.lock);
  g_main_loop_unref (probe.loop);
  return 0;
}
