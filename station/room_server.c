/* Peers of the room that are no page: a conference's server that gets one picture and all voices as
 * one, or sends some; and other programs that publish to this station. */
#include "station/room_private.h"
#include "station/recorder.h"

#include <string.h>

/* ---- All voices as one ------------------------------------------------------------------------
 */

static gboolean
is_publishing (const Room *room)
{
  for (guint i = 0; i < room->peers->len; i++)
    if (((const RoomPeer *)room->peers->pdata[i])->way == HUB_WAY_PUBLISH)
      return TRUE;
  return FALSE;
}

/* The mixdown's thread. */
static void
on_mixed (Frame *frame, void *arg)
{
  hub_push_frame (((Room *)arg)->hub, ROOM_VOICE, frame);
}

void
room_voice_begin (Room *room)
{
  room->mixdown = mixdown_new (on_mixed, room);
  hub_add_voice (room->hub, ROOM_VOICE);
}

void
room_voice_end (Room *room)
{
  if (room->mixdown != NULL)
    mixdown_set_on (room->mixdown, FALSE);
}

/* Microphones run for it, whoever else listens. */
static void
follow_publishing (Room *room)
{
  gboolean on = is_publishing (room);
  for (guint i = 0; i < room->sources->len; i++) {
    const RoomSource *source = room->sources->pdata[i];
    if (source_kind (source->source) == MEDIA_AUDIO && !room_source_is_stethoscope (source))
      hub_keep_live (room->hub, source_name (source->source), on);
  }
  mixdown_set_on (room->mixdown, on);
}

void
room_voice_allow (Room *room, gboolean microphones, gboolean consoles)
{
  g_atomic_int_set (&room->room_speaks, microphones);
  g_atomic_int_set (&room->console_speaks, consoles);
}

void
room_voice_of_source (Room *room, const RoomSource *source, Frame *frame)
{
  if (frame->codec == MEDIA_OPUS && frame->rung == 0 && !room_source_is_stethoscope (source)
      && room->mixdown != NULL && g_atomic_int_get (&room->room_speaks))
    mixdown_frame (room->mixdown, source_name (source->source), frame);
}

/* What the conference says is not said to it again. */
void
room_voice_of_peer (Room *room, const char *label, Frame *frame)
{
  gboolean console = g_str_has_prefix (label, "console");
  if (room->mixdown == NULL || g_str_equal (label, ROOM_VOICE)
      || (console && !g_atomic_int_get (&room->console_speaks)))
    return;
  mixdown_frame (room->mixdown, label, frame);
}

/* ---- Peers ------------------------------------------------------------------------------------
 */

static const char *
first_camera (const Room *room)
{
  for (guint i = 0; i < room->sources->len; i++) {
    const RoomSource *source = room->sources->pdata[i];
    if (source_kind (source->source) == MEDIA_VIDEO)
      return source_name (source->source);
  }
  return NULL;
}

char *
room_add_server (Room *room, const RoomServer *server)
{
  room_end_label (room, server->label);
  RoomPeer *peer = g_new0 (RoomPeer, 1);
  peer->room = room;
  peer->readings = peer_readings_new (NULL, NULL);
  peer->label = g_strdup (server->label);
  peer->name = g_strdup (server->name);
  peer->id = g_strdup_printf ("%s-%u", server->label, ++room->serial);
  peer->way = server->way;
  peer->server = server->events;
  peer->server_arg = server->arg;
  g_ptr_array_add (room->peers, peer);
  HubPeerConfig config = { .way = server->way,
                           .voice = ROOM_VOICE,
                           .camera = server->camera != NULL ? server->camera : first_camera (room),
                           .offer = server->offer,
                           .stun_server = server->stun,
                           .relays = server->relays,
                           .loopback = server->loopback,
                           .trusts_host = !room->station->config->hide_host_candidates,
                           .label = server->label };
  if (server->way != HUB_WAY_PUBLISH)
    room_name_tracks (room, peer);
  hub_add_peer (room->hub, peer->id, &config);
  follow_publishing (room);
  return g_strdup (peer->id);
}

static RoomPeer *
find (Room *room, const char *id)
{
  RoomPeer *peer = room_find_id (room, id);
  return peer != NULL && peer->server != NULL ? peer : NULL;
}

void
room_server_answer (Room *room, const char *id, const char *sdp)
{
  if (find (room, id) != NULL)
    hub_answer (room->hub, id, sdp);
}

void
room_server_candidate (Room *room, const char *id, const char *line)
{
  if (find (room, id) != NULL)
    hub_candidate (room->hub, id, NULL, line);
}

void
room_server_restart (Room *room, const char *id, const char *ufrag, const char *pwd)
{
  if (find (room, id) != NULL)
    hub_restart (room->hub, id, ufrag, pwd);
}

void
room_end_server (Room *room, const char *id)
{
  RoomPeer *peer = find (room, id);
  if (peer == NULL)
    return;
  room_end_peer (room, peer);
  follow_publishing (room);
}

void
room_server_state (Room *room, RoomPeer *peer, HubPeerState state, const char *reason)
{
  const RoomServerEvents *events = peer->server;
  void *arg = peer->server_arg;
  g_autofree char *id = g_strdup (peer->id);
  station_changed (room->station);
  if (state == HUB_PEER_CLOSED || state == HUB_PEER_FAILED)
    room_end_server (room, id);
  events->state (id, state, reason, arg);
}

void
room_add_servers (Room *room, json_t *people)
{
  for (guint i = 0; i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    if (peer->way == HUB_WAY_READ || peer->way == HUB_WAY_ANSWER)
      json_array_append_new (people, json_pack ("{s:s, s:s, s:s, s:s}", "label", peer->label,
                                                "name", peer->name, "role", "conference", "state",
                                                room_peer_state_name (peer->state)));
  }
}
