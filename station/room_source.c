#include "station/room_private.h"
#include "station/channel.h"
#include "station/recorder.h"
#include "station/text.h"

#include <string.h>

RoomSource *
room_find_source (Room *room, const char *name)
{
  for (guint i = 0; i < room->sources->len; i++) {
    RoomSource *source = room->sources->pdata[i];
    if (g_str_equal (source_name (source->source), name))
      return source;
  }
  return NULL;
}

/* By the name that pages have for its stream: "source-room". */
static RoomSource *
find_stream (Room *room, const char *stream)
{
  return stream != NULL && g_str_has_prefix (stream, "source-")
             ? room_find_source (room, stream + strlen ("source-"))
             : NULL;
}

gboolean
room_listen (Room *room, const char *label, const char *stream, gboolean on)
{
  const RoomPeer *peer = room_find_label (room, label);
  const RoomSource *source = find_stream (room, stream);
  if (peer == NULL || peer->state != HUB_PEER_CONNECTED || source == NULL
      || !room_source_is_stethoscope (source))
    return FALSE;
  const char *name = source_name (source->source);
  Station *station = room->station;
  if (!listening_set (room->listening, label, on ? name : NULL))
    return TRUE;
  room_choose_sound (room);
  if (station->screen != NULL)
    station_event (station, station->screen->id, "station", on ? "listening" : "listening-ended",
                   peer->name);
  channel_send_live (station);
  return TRUE;
}

gboolean
room_prefer (Room *room, const char *name, RungPrefer prefer)
{
  RoomSource *source = room != NULL ? room_find_source (room, name) : NULL;
  if (source == NULL || source_kind (source->source) != MEDIA_VIDEO)
    return FALSE;
  source->prefer = prefer;
  source_set_prefer (source->source, prefer);
  hub_prefer (room->hub, name, prefer);
  station_changed (room->station);
  return TRUE;
}

gboolean
room_take (Room *room, const char *stream, gboolean lossless, SourceTaken done, void *arg)
{
  const RoomSource *source = room != NULL ? find_stream (room, stream) : NULL;
  if (source == NULL || source_kind (source->source) != MEDIA_VIDEO)
    return FALSE;
  source_take (source->source, lossless, done, arg);
  return TRUE;
}

json_t *
room_listening (Room *room)
{
  return listening_json (room->listening);
}

void
room_want_live (Hub *hub, const char *name, MediaCodec codec, guint rung, gboolean on, void *arg)
{
  RoomSource *source = room_find_source (arg, name);
  if (source != NULL)
    source_set_live (source->source, codec, rung, on);
}

void
room_want_keyframe (Hub *hub, const char *name, MediaCodec codec, guint rung, void *arg)
{
  RoomSource *source = room_find_source (arg, name);
  if (source != NULL)
    source_request_keyframe (source->source, codec, rung);
}

void
room_want_bitrate (Hub *hub, const char *name, MediaCodec codec, guint rung, guint bps, void *arg)
{
  RoomSource *source = room_find_source (arg, name);
  if (source != NULL)
    source_set_live_bitrate (source->source, codec, rung, bps);
}

void
room_want_loss (Hub *hub, const char *name, MediaCodec codec, guint rung, guint percent, void *arg)
{
  RoomSource *source = room_find_source (arg, name);
  if (source != NULL)
    source_set_live_loss (source->source, codec, rung, percent);
}

static void
on_source_state (Source *source, SourceState state, const char *reason, void *arg)
{
  RoomSource *self = arg;
  Station *station = self->room->station;
  gboolean ran = self->state == SOURCE_RUNNING;
  self->state = state;
  g_free (self->reason);
  self->reason = g_strdup (reason);
  if (station->stopping || source == NULL)
    return;
  if (ran && state == SOURCE_MISSING) {
    self->lost = TRUE;
    if (station->screen != NULL)
      station_event (station, station->screen->id, "station", "source-lost", source_name (source));
  } else if (state == SOURCE_RUNNING && self->lost) {
    self->lost = FALSE;
    if (station->screen != NULL)
      station_event (station, station->screen->id, "station", "source-back", source_name (source));
  }
  station_changed (station);
}

static void
on_record_frame (Source *source, Frame *frame, void *arg)
{
  RoomSource *self = arg;
  recorder_push (self->room->station->recorder, source_name (source), frame);
}

static void
on_live_frame (Source *source, Frame *frame, void *arg)
{
  RoomSource *self = arg;
  hub_push_frame (self->room->hub, source_name (source), frame);
  room_voice_of_source (self->room, self, frame);
}

static const SourceEvents source_events
    = { .state = on_source_state, .record_frame = on_record_frame, .live_frame = on_live_frame };

void
room_source_free (void *data)
{
  RoomSource *source = data;
  g_clear_pointer (&source->source, source_free);
  g_free (source->reason);
  g_free (source);
}

static gboolean
add_source (Room *room, const ConfigSource *from, MediaKind kind, RungPrefer prefer, GError **error)
{
  RoomSource *source = g_new0 (RoomSource, 1);
  SourceConfig config = { .name = from->name,
                          .kind = kind,
                          .address = from->address,
                          .user = from->user,
                          .password = from->password,
                          .width = from->width,
                          .height = from->height,
                          .frame_rate = from->frame_rate,
                          .prefer = prefer };
  source->prefer = prefer;
  if (kind == MEDIA_AUDIO && prefer != RUNG_FAITHFUL)
    config.echo = room_sound_echo (room->sound, from->name);
  source->room = room;
  source->state = SOURCE_STARTING;
  source->source = source_new (&config, &source_events, source, error);
  if (source->source == NULL) {
    g_free (source);
    return FALSE;
  }
  g_ptr_array_add (room->sources, source);
  hub_add_source (room->hub, from->name, kind);
  hub_prefer (room->hub, from->name, prefer);
  recorder_name (room->station->recorder, from->name, from->name);
  return TRUE;
}

gboolean
room_add_sources (Room *room, GError **error)
{
  const Config *config = room->station->config;
  for (guint i = 0; i < config->cameras->len; i++) {
    const ConfigSource *camera = config->cameras->pdata[i];
    if (!add_source (room, camera, MEDIA_VIDEO, camera->prefer, error))
      return FALSE;
  }
  for (guint i = 0; i < config->microphones->len; i++)
    if (!add_source (room, config->microphones->pdata[i], MEDIA_AUDIO, RUNG_BALANCED, error))
      return FALSE;
  for (guint i = 0; i < config->stethoscopes->len; i++)
    if (!add_source (room, config->stethoscopes->pdata[i], MEDIA_AUDIO, RUNG_FAITHFUL, error))
      return FALSE;
  for (guint i = 0; i < room->sources->len; i++)
    source_start (((RoomSource *)room->sources->pdata[i])->source);
  return TRUE;
}

json_t *
room_sources (Room *room)
{
  static const char *const names[] = { "starting", "running", "missing", "stopped" };
  static const char *const uses[] = { "balanced", "motion", "detail", "stethoscope" };
  json_t *list = json_array ();
  for (guint i = 0; i < room->sources->len; i++) {
    const RoomSource *source = room->sources->pdata[i];
    json_array_append_new (
        list,
        json_pack ("{s:s, s:s, s:s, s:s, s:s?, s:b}", "name", source_name (source->source), "kind",
                   source_kind (source->source) == MEDIA_VIDEO ? "video" : "audio", "prefer",
                   uses[source->prefer], "state", names[source->state], "reason", source->reason,
                   "recording", room->recording != NULL && source->state == SOURCE_RUNNING));
  }
  return list;
}

const char *
room_recording (Room *room)
{
  return room->recording;
}

void
room_set_recording (Room *room, const char *consult)
{
  g_free (room->recording);
  room->recording = g_strdup (consult);
  for (guint i = 0; i < room->sources->len; i++)
    source_set_recording (((RoomSource *)room->sources->pdata[i])->source, consult != NULL);
  if (consult != NULL)
    hub_request_keyframe (room->hub, NULL);
}
