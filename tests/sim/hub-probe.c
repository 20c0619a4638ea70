/* A hub of its own behind a pipe, for tests of the transport with real browsers: JSON objects, one
 * a line, as commands on stdin and as events on stdout. Sources: "room" (a moving picture, H.264
 * and VP8) and "microphone" (a tone, Opus). Ends when stdin does.
 *
 *   {"do":"add","peer":"a","label":"a","loopback":true}   {"do":"answer","peer":"a","sdp":"…"}
 *   {"do":"candidate","peer":"a","mid":"s0","line":"…"}   {"do":"offer","peer":"a","restart":true}
 *   {"do":"remove","peer":"a"}                            {"do":"send","peer":"a","text":"…"}
 *   {"do":"mute","source":"room","muted":true}            {"do":"look","peer":"a"}
 *   {"do":"look-at","peer":"a","stream":"source-room"}
 */
#include "json_lines.h"
#include "media/transport/hub.h"
#include <gst/app/gstappsink.h>
#include <gst/video/video.h>

typedef struct Probe Probe;

/* One live encoder. */
typedef struct {
  Probe *probe;
  const char *source;
  MediaCodec codec;
  guint rung;
  GstElement *pipeline, *encoder;
} Outlet;

/* Frames of a peer's own tracks; written on the hub's loop, read by "look". */
typedef struct {
  gint audio, video, keys;
} Received;

struct Probe {
  Hub *hub;
  Outlet outlets[MEDIA_JPEG + 1][RUNG_MAX];
  GMutex lock;
  GHashTable *received; /* peer -> Received, under lock */
};

/* Encoders */

static char *
picture_text (const Rung *rung)
{
  guint width = rung->max_width ? MIN (rung->max_width, 640) : 640;
  guint rate = rung->max_rate ? MIN (rung->max_rate, 30) : 30;
  return g_strdup_printf ("videotestsrc is-live=true pattern=ball ! "
                          "video/x-raw,width=%u,height=%u,framerate=%u/1 ! videoconvert ! ",
                          width, width * 9 / 16, rate);
}

static char *
pipeline_text (MediaCodec codec, const Rung *rung)
{
  g_autofree char *picture = picture_text (rung);
  switch (codec) {
  case MEDIA_H264:
    return g_strconcat (picture,
                        "x264enc name=encoder tune=zerolatency speed-preset=ultrafast "
                        "key-int-max=300 bitrate=600 threads=1 ! "
                        "video/x-h264,profile=constrained-baseline,alignment=au,"
                        "stream-format=byte-stream ! appsink name=out sync=false",
                        NULL);
  case MEDIA_VP8:
    return g_strconcat (picture,
                        "vp8enc name=encoder deadline=1 cpu-used=8 keyframe-max-dist=300 "
                        "threads=1 target-bitrate=600000 error-resilient=default ! "
                        "appsink name=out sync=false",
                        NULL);
  case MEDIA_JPEG:
    return g_strconcat (picture, "jpegenc name=encoder quality=50 ! appsink name=out sync=false",
                        NULL);
  default:
    return g_strdup_printf ("audiotestsrc is-live=true samplesperbuffer=960 freq=330 ! "
                            "audio/x-raw,rate=48000,channels=1 ! "
                            "opusenc name=encoder inband-fec=true bitrate=%u frame-size=%u ! "
                            "appsink name=out sync=false",
                            rung->max_bps, rung->frame_ms);
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
    gboolean key = outlet->codec == MEDIA_OPUS || outlet->codec == MEDIA_JPEG
                   || !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    g_autoptr (Frame) frame = frame_new (outlet->codec, key, g_get_monotonic_time (),
                                         (gint64)(GST_BUFFER_DURATION (buffer) / 1000), bytes);
    frame->rung = outlet->rung;
    hub_push_frame (outlet->probe->hub, outlet->source, frame);
  }
  gst_sample_unref (sample);
  return GST_FLOW_OK;
}

static void
outlet_start (Outlet *outlet)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text
      = pipeline_text (outlet->codec, rung_get (RUNG_BALANCED, outlet->codec, outlet->rung));
  outlet->pipeline = gst_parse_launch (text, &error);
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

/* Events */

static void
on_offer (Hub *hub, const char *peer, const char *sdp, void *arg)
{
  json_lines_say (json_pack ("{s:s,s:s,s:s}", "event", "offer", "peer", peer, "sdp", sdp));
}

static void
on_candidate (Hub *hub, const char *peer, const char *mid, const char *line, void *arg)
{
  json_lines_say (json_pack ("{s:s,s:s,s:s,s:s?}", "event", "candidate", "peer", peer, "mid", mid,
                             "line", line));
}

static void
on_state (Hub *hub, const char *peer, HubPeerState state, const char *reason, void *arg)
{
  static const char *const names[]
      = { "new", "connecting", "connected", "paused", "failed", "closed" };
  json_lines_say (json_pack ("{s:s,s:s,s:s,s:s?}", "event", "state", "peer", peer, "state",
                             names[state], "reason", reason));
}

static void
on_channel (Hub *hub, const char *peer, const char *label, gboolean open, void *arg)
{
  json_lines_say (json_pack ("{s:s,s:s,s:s,s:b}", "event", "channel", "peer", peer, "label", label,
                             "open", open));
}

static void
on_message (Hub *hub, const char *peer, const char *label, gboolean text, GBytes *data, void *arg)
{
  gsize size;
  const char *bytes = g_bytes_get_data (data, &size);
  json_lines_say (json_pack ("{s:s,s:s,s:s,s:b,s:s%}", "event", "message", "peer", peer, "label",
                             label, "text", text, "data", bytes, size));
}

static void
on_track (Hub *hub, const char *peer, MediaKind kind, gboolean on, void *arg)
{
  json_lines_say (json_pack ("{s:s,s:s,s:s,s:b}", "event", "track", "peer", peer, "kind",
                             kind == MEDIA_AUDIO ? "audio" : "video", "on", on));
}

static void
say_want (const char *event, const char *source, MediaCodec codec, guint rung, gint value)
{
  json_lines_say (json_pack ("{s:s,s:s,s:s,s:i,s:i}", "event", event, "source", source, "codec",
                             media_codec_name (codec), "rung", (int)rung, "value", value));
}

static void
on_want_live (Hub *hub, const char *source, MediaCodec codec, guint rung, gboolean on, void *arg)
{
  Outlet *outlet = &((Probe *)arg)->outlets[codec][rung];
  if (on && outlet->pipeline == NULL)
    outlet_start (outlet);
  else if (!on)
    outlet_stop (outlet);
  say_want ("want-live", source, codec, rung, on);
}

static void
on_want_keyframe (Hub *hub, const char *source, MediaCodec codec, guint rung, void *arg)
{
  Outlet *outlet = &((Probe *)arg)->outlets[codec][rung];
  if (outlet->encoder != NULL)
    gst_element_send_event (outlet->encoder, gst_video_event_new_upstream_force_key_unit (
                                                 GST_CLOCK_TIME_NONE, TRUE, 0));
  say_want ("want-keyframe", source, codec, rung, 1);
}

static void
on_want_bitrate (Hub *hub, const char *source, MediaCodec codec, guint rung, guint bps, void *arg)
{
  Outlet *outlet = &((Probe *)arg)->outlets[codec][rung];
  if (outlet->encoder != NULL && codec == MEDIA_H264)
    g_object_set (outlet->encoder, "bitrate", MIN (bps, 1000000) / 1000, NULL);
  else if (outlet->encoder != NULL && codec == MEDIA_VP8)
    g_object_set (outlet->encoder, "target-bitrate", (int)MIN (bps, 1000000), NULL);
  say_want ("want-bitrate", source, codec, rung, (gint)bps);
}

static void
on_sight (Hub *hub, const char *peer, HubSight sight, void *arg)
{
  static const char *const names[] = { "full", "smaller", "stills" };
  json_lines_say (
      json_pack ("{s:s,s:s,s:s}", "event", "sight", "peer", peer, "sight", names[sight]));
}

static void
on_want_loss (Hub *hub, const char *source, MediaCodec codec, guint rung, guint percent, void *arg)
{
  Outlet *outlet = &((Probe *)arg)->outlets[codec][rung];
  if (outlet->encoder != NULL)
    g_object_set (outlet->encoder, "packet-loss-percentage", (int)percent, NULL);
  say_want ("want-loss", source, codec, rung, (gint)percent);
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
  json_t *streams = json_array ();
  g_autoptr (GArray) list = hub_stream_stats (probe->hub, peer);
  for (guint i = 0; i < list->len; i++) {
    const HubStreamStats *stream = &g_array_index (list, HubStreamStats, i);
    json_array_append_new (streams,
                           json_pack ("{s:s,s:s,s:i,s:i,s:i,s:b}", "name", stream->name, "kind",
                                      stream->kind == MEDIA_VIDEO ? "video" : "audio", "rung",
                                      stream->rung, "bps", (int)stream->bps, "width",
                                      (int)stream->width, "looked_at", stream->looked_at));
  }
  json_lines_say (json_pack (
      "{s:s,s:s,s:b,s:i,s:i,s:i,s:f,s:f,s:i,s:i,s:i,s:I,s:I,s:I,s:f,s:i,s:o}", "event", "look", "peer",
      peer, "there", there, "audio", received.audio, "video", received.video, "keys", received.keys,
      "rtt_ms", stats.rtt_ms, "loss", stats.loss, "estimate_bps", stats.estimate_bps, "sent_bps",
      stats.sent_bps, "received_bps", stats.received_bps, "plis", (json_int_t)stats.plis,
      "redundant", (json_int_t)stats.redundant, "parity", (json_int_t)stats.parity, "heard_loss", stats.heard_loss, "sight",
      (int)stats.sight, "streams", streams));
}

static void
add_peer (Probe *probe, const char *peer, json_t *command)
{
  HubPeerConfig config = {
    .loopback = json_is_true (json_object_get (command, "loopback")),
    .local = !json_is_true (json_object_get (command, "measured")),
    .trusts_host = TRUE,
    .label = json_string_value (json_object_get (command, "label")),
  };
  hub_add_peer (probe->hub, peer, &config);
}

static void
obey (json_t *command, void *arg)
{
  Probe *probe = arg;
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
  if (g_strcmp0 (verb, "look-at") == 0)
    hub_look (probe->hub, peer,
              (const char *[]){ json_string_value (json_object_get (command, "stream")), NULL });
  if (g_strcmp0 (verb, "look") == 0)
    look (probe, peer);
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
    .sight = on_sight,
    .want_loss = on_want_loss,
    .frame = on_frame,
  };
  Probe probe = {
    .received = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };
  g_mutex_init (&probe.lock);
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_JPEG; codec++)
    for (guint rung = 0; rung < rung_count (codec); rung++)
      probe.outlets[codec][rung]
          = (Outlet){ &probe, codec == MEDIA_OPUS ? "microphone" : "room", codec, rung };
  g_autoptr (GError) error = NULL;
  HubConfig config = { 0 };
  probe.hub = hub_new (&config, NULL, &events, &probe, &error);
  if (probe.hub == NULL)
    g_error ("%s", error->message);
  hub_add_source (probe.hub, "room", MEDIA_VIDEO);
  hub_add_source (probe.hub, "microphone", MEDIA_AUDIO);
  json_lines_run (obey, &probe);
  for (MediaCodec codec = MEDIA_H264; codec <= MEDIA_JPEG; codec++)
    for (guint rung = 0; rung < rung_count (codec); rung++)
      outlet_stop (&probe.outlets[codec][rung]);
  hub_free (probe.hub);
  g_hash_table_unref (probe.received);
  g_mutex_clear (&probe.lock);
  return 0;
}
