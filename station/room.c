#include "station/room_private.h"
#include "station/calls/desk.h"
#include "station/channel.h"
#include "station/guests.h"
#include "station/links.h"
#include "station/ptz.h"
#include "station/recorder.h"
#include "station/relay_words.h"
#include "station/text.h"
#include "station/waves.h"

#include <string.h>

const char *
room_peer_state_name (HubPeerState state)
{
  static const char *const names[]
      = { "connecting", "connecting", "connected", "paused", "failed", "closed" };
  return names[state];
}

/* ---- Peers ------------------------------------------------------------------------------------
 */

static void
peer_free (void *data)
{
  RoomPeer *peer = data;
  g_free (peer->id);
  g_free (peer->label);
  g_free (peer->name);
  g_free (peer->reason);
  peer_readings_free (peer->readings);
  comparing_free (peer->comparing);
  g_free (peer);
}

RoomPeer *
room_find_id (Room *room, const char *id)
{
  for (guint i = 0; id != NULL && i < room->peers->len; i++)
    if (g_str_equal (((RoomPeer *)room->peers->pdata[i])->id, id))
      return room->peers->pdata[i];
  return NULL;
}

RoomPeer *
room_find_label (Room *room, const char *label)
{
  for (guint i = 0; i < room->peers->len; i++)
    if (g_strcmp0 (((RoomPeer *)room->peers->pdata[i])->label, label) == 0)
      return room->peers->pdata[i];
  return NULL;
}

gboolean
room_peer_is_console (const RoomPeer *peer)
{
  return peer->label != NULL && g_str_has_prefix (peer->label, "console");
}

static gboolean
console_sends_sound (Room *room)
{
  for (guint i = 0; i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    if (peer->own_audio && peer->state == HUB_PEER_CONNECTED && room_peer_is_console (peer))
      return TRUE;
  }
  return FALSE;
}

gboolean
room_source_is_stethoscope (const RoomSource *source)
{
  return source_kind (source->source) == MEDIA_AUDIO && source->prefer == RUNG_FAITHFUL;
}

/* One endpoint owns the room's sound, or everybody hears it twice; while somebody listens to a
 * heart, none. Recording goes on. */
static void
choose_microphone (Room *room)
{
  MicrophoneOwner owner = room->station->config->microphone_owner;
  gboolean listening = listening_any (room->listening);
  gboolean mute = listening || owner == MICROPHONE_CONSOLE
                  || (owner == MICROPHONE_AUTO && console_sends_sound (room));
  room_voice_allow (room, !mute, !listening);
  for (guint i = 0; i < room->sources->len; i++) {
    const RoomSource *source = room->sources->pdata[i];
    if (source_kind (source->source) == MEDIA_AUDIO && !room_source_is_stethoscope (source))
      hub_mute_source (room->hub, source_name (source->source), mute);
  }
  for (guint i = 0; i < room->peers->len; i++)
    if (room_peer_is_console (room->peers->pdata[i]))
      hub_mute_peer (room->hub, ((RoomPeer *)room->peers->pdata[i])->id, listening);
}

/* The remote voices are played by a console's page, or else by the station. */
static void
choose_loudspeaker (Room *room)
{
  gboolean page = FALSE;
  for (guint i = 0; i < room->peers->len && !page; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    page = room_peer_is_console (peer) && peer->state == HUB_PEER_CONNECTED;
  }
  room_sound_set_page (room->sound, page);
}

void
room_choose_sound (Room *room)
{
  choose_microphone (room);
  choose_loudspeaker (room);
}

void
room_end_peer (Room *room, RoomPeer *peer)
{
  if (peer->label != NULL) {
    links_forget (room->station->links, peer->label);
    waves_peer_gone (room->station->waves, peer->label);
    listening_set (room->listening, peer->label, NULL);
    ptz_peer_gone (room->station->ptz, peer->label);
  }
  hub_remove_peer (room->hub, peer->id);
  if (peer->client != NULL)
    g_clear_pointer (peer->label != NULL ? &peer->client->peer : &peer->client->reserved, g_free);
  g_ptr_array_remove (room->peers, peer);
  room_choose_sound (room);
  guests_media_changed (room->station);
  station_changed (room->station);
}

void
room_end_label (Room *room, const char *label)
{
  RoomPeer *peer = room_find_label (room, label);
  if (peer != NULL)
    room_end_peer (room, peer);
}

void
room_name_tracks (Room *room, const RoomPeer *peer)
{
  g_autofree char *video = g_strdup_printf ("peer-video-%s", peer->label);
  g_autofree char *audio = g_strdup_printf ("peer-audio-%s", peer->label);
  recorder_name (room->station->recorder, video, peer->name);
  recorder_name (room->station->recorder, audio, peer->name);
}

static void
send_readings (json_t *message, void *arg)
{
  RoomPeer *peer = arg;
  g_autoptr (GBytes) bytes = room_text_of (message);
  if (bytes != NULL && peer->channel)
    hub_send (peer->room->hub, peer->id, "data", TRUE, bytes);
}

/* label NULL: reserved */
static RoomPeer *
add_peer (Room *room, Client *client, const char *label, gboolean loopback, gboolean known)
{
  RoomPeer *peer = g_new0 (RoomPeer, 1);
  peer->room = room;
  peer->readings = peer_readings_new (send_readings, peer);
  peer->label = g_strdup (label);
  peer->id = g_strdup_printf ("%s-%u", label != NULL ? label : "reserved", ++room->serial);
  peer->client = client;
  peer->loopback = loopback;
  peer->comparing = client->kind != CLIENT_CONSOLE ? comparing_new () : NULL;
  g_ptr_array_add (room->peers, peer);
  HubPeerConfig config = { .loopback = loopback,
                           .local = loopback,
                           .trusts_host = client->kind == CLIENT_CONSOLE
                                          || !room->station->config->hide_host_candidates,
                           .reserved = label == NULL,
                           .known = known,
                           .label = label };
  hub_add_peer (room->hub, peer->id, &config);
  return peer;
}

static void
drop_reservation (Room *room, Client *client)
{
  RoomPeer *reserved = room_find_id (room, client->reserved);
  if (reserved != NULL)
    room_end_peer (room, reserved);
}

gboolean
room_reserve_peer (Room *room, Client *client, gboolean loopback, gboolean known)
{
  guint reserved = 0;
  drop_reservation (room, client);
  for (guint i = 0; i < room->peers->len; i++)
    reserved += ((RoomPeer *)room->peers->pdata[i])->label == NULL;
  if (reserved >= ROOM_RESERVED_MAX)
    return FALSE;
  client->reserved = g_strdup (add_peer (room, client, NULL, loopback, known)->id);
  return TRUE;
}

/* The reserved peer, let in; NULL: there is none that would do. */
static RoomPeer *
open_reserved (Room *room, Client *client, const RoomEntry *entry)
{
  RoomPeer *peer = room_find_id (room, client->reserved);
  if (peer == NULL || entry->answer == NULL || peer->loopback != entry->loopback)
    return NULL;
  g_clear_pointer (&client->reserved, g_free);
  peer->label = g_strdup (entry->label);
  hub_open_peer (room->hub, peer->id, peer->label, entry->answer);
  return peer;
}

/* The page's nonce makes the code; the station reveals its own. */
static void
take_answer (Room *room, RoomPeer *peer, const char *sdp, const char *nonce)
{
  Consult *consult = room->station->screen;
  const Guest *guest
      = consult != NULL && peer->label != NULL ? consult_guest (consult, peer->label) : NULL;
  if (peer->comparing == NULL || guest == NULL || peer->client == NULL)
    return;
  const char *own = comparing_answer (peer->comparing, sdp, nonce,
                                      room->station->config->station_id, guest->key);
  if (own != NULL)
    client_send (peer->client, json_pack ("{s:s, s:s}", "type", "media.code", "nonce", own));
}

/* What was reserved was gathered without relays, and may get no other offer. */
static void
tell_servers (const Room *room, Client *client, const RoomPeer *peer)
{
  json_t *servers = peer->loopback ? json_array () : relay_servers (room->station->config);
  if (json_array_size (servers) > 0)
    client_send (client, json_pack ("{s:s, s:O}", "type", "media.servers", "servers", servers));
  json_decref (servers);
}

void
room_start_peer (Room *room, Client *client, const RoomEntry *entry)
{
  room_stop_peer (room, client);
  room_end_label (room, entry->label);
  RoomPeer *peer = open_reserved (room, client, entry);
  gboolean from_reserved = peer != NULL;
  if (from_reserved)
    tell_servers (room, client, peer);
  else
    peer = add_peer (room, client, entry->label, entry->loopback, TRUE);
  drop_reservation (room, client);
  peer->name = g_strdup (entry->name);
  client->peer = g_strdup (peer->id);
  room_name_tracks (room, peer);
  if (from_reserved)
    take_answer (room, peer, entry->answer, entry->nonce);
}

void
room_adopt_peer (Room *room, Client *client, const char *label)
{
  RoomPeer *peer = room_find_label (room, label);
  if (peer == NULL || peer->client == client)
    return;
  if (peer->client != NULL)
    g_clear_pointer (&peer->client->peer, g_free);
  peer->client = client;
  g_free (client->peer);
  client->peer = g_strdup (peer->id);
}

const char *
room_label (Room *room, Client *client)
{
  const RoomPeer *peer = room_find_id (room, client->peer);
  return peer != NULL ? peer->label : NULL;
}

void
room_offer (Room *room, Client *client, gboolean restart)
{
  RoomPeer *peer = room_find_id (room, client->peer);
  if (peer != NULL)
    hub_offer (room->hub, client->peer, restart, peer->offered_to != client);
}

void
room_answer (Room *room, Client *client, const char *sdp, const char *nonce)
{
  RoomPeer *peer = room_find_id (room, client->peer);
  hub_answer (room->hub, client->peer, sdp);
  if (peer != NULL)
    take_answer (room, peer, sdp, nonce);
}

void
room_candidate (Room *room, Client *client, const char *mid, const char *line)
{
  hub_candidate (room->hub, client->peer, mid, line);
}

void
room_stop_peer (Room *room, Client *client)
{
  RoomPeer *peer = room_find_id (room, client->peer);
  if (peer != NULL)
    room_end_peer (room, peer);
}

void
room_leave_peer (Room *room, Client *client)
{
  drop_reservation (room, client);
  RoomPeer *peer = room_find_id (room, client->peer);
  if (peer == NULL)
    return;
  peer->client = NULL;
  peer->away_us = g_get_monotonic_time ();
}

void
room_own (Room *room, Client *client, gboolean audio, gboolean video)
{
  RoomPeer *peer = room_find_id (room, client->peer);
  if (peer == NULL)
    return;
  peer->own_audio = audio;
  peer->own_video = video;
  room_choose_sound (room);
}

/* ---- Events of the hub, main thread ------------------------------------------------------------
 */

/* Who is not let in yet hears of no relay, but for who sits at a desk: the station knows them, and who
 * accepts is let in. A page on this machine needs none. */
static void
on_offer (Hub *hub, const char *id, const char *sdp, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = room_find_id (room, id);
  if (peer != NULL && peer->server != NULL)
    peer->server->described (id, sdp, peer->server_arg);
  if (peer == NULL || peer->server != NULL)
    return;
  const char *commit = peer->comparing != NULL ? comparing_offer (peer->comparing, sdp) : NULL;
  peer->offered_to = peer->client;
  if (peer->client == NULL)
    return;
  gboolean known = peer->label != NULL || desk_person (peer->client->desk) != NULL;
  gboolean outside = known && !peer->loopback;
  client_send (peer->client,
               json_pack ("{s:s, s:s, s:b, s:o, s:s*}", "type", "media.offer", "sdp", sdp,
                          "reserved", peer->label == NULL, "servers",
                          outside ? relay_servers (room->station->config) : json_array (), "commit",
                          commit));
}

static void
on_candidate (Hub *hub, const char *id, const char *mid, const char *line, void *arg)
{
  RoomPeer *peer = room_find_id (arg, id);
  if (peer != NULL && peer->server != NULL)
    peer->server->candidate (id, line, peer->server_arg);
  if (peer != NULL && peer->client != NULL)
    client_send (peer->client,
                 json_pack ("{s:s, s:s, s:s}", "type", "media.candidate", "mid",
                            mid != NULL ? mid : "", "candidate", line != NULL ? line : ""));
}

static void
on_state (Hub *hub, const char *id, HubPeerState state, const char *reason, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = room_find_id (room, id);
  if (peer == NULL)
    return;
  peer->state = state;
  g_free (peer->reason);
  peer->reason = g_strdup (reason);
  room_measure (room, peer, TRUE);
  g_message ("room: peer %s is %s%s%s", id, room_peer_state_name (state), reason ? ": " : "",
             reason ? reason : "");
  if (peer->server != NULL) {
    room_server_state (room, peer, state, reason);
    return;
  }
  if (peer->client != NULL)
    client_send (peer->client, json_pack ("{s:s, s:s, s:s?}", "type", "media.state", "state",
                                          room_peer_state_name (state), "reason", reason));
  if (peer->label != NULL
      && state != HUB_PEER_CONNECTED) { /* its page asks again when it is back */
    listening_set (room->listening, peer->label, NULL);
    ptz_peer_gone (room->station->ptz, peer->label);
  }
  room_choose_sound (room);
  if (state == HUB_PEER_CLOSED || state == HUB_PEER_FAILED) {
    room_end_peer (room, peer);
    return;
  }
  guests_media_changed (room->station);
  station_changed (room->station);
}

static void
on_channel (Hub *hub, const char *id, const char *label, gboolean open, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = room_find_id (room, id);
  if (peer != NULL && g_str_equal (label, "wave"))
    waves_peer_open (room->station->waves, peer->label, open);
  if (peer == NULL || !g_str_equal (label, "data"))
    return;
  peer->channel = open;
  peer_readings_forget (peer->readings);
  if (open)
    channel_send_snapshot (room->station, peer->label);
  else
    ptz_peer_gone (room->station->ptz, peer->label);
}

static void
on_message (Hub *hub, const char *id, const char *label, gboolean text, GBytes *data, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = room_find_id (room, id);
  if (peer != NULL && text && g_str_equal (label, "data"))
    channel_receive (room->station, peer->label, data);
}

/* Said at once: a picture that stands still without a word looks broken. */
static void
on_sight (Hub *hub, const char *id, HubSight sight, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = room_find_id (room, id);
  if (peer == NULL)
    return;
  peer->sight = sight;
  room_measure (room, peer, TRUE);
  station_changed (room->station);
}

static void
on_waves (Hub *hub, const char *id, int step, void *arg)
{
  Room *room = arg;
  const RoomPeer *peer = room_find_id (room, id);
  if (peer != NULL && peer->label != NULL)
    waves_peer_way (room->station->waves, peer->label, step);
}

static void
on_relay (Hub *hub, const char *url, const RelayReport *report, void *arg)
{
  Room *room = arg;
  Station *station = room->station;
  gboolean good = report->outcome == RELAY_GOOD;
  const json_t *before = json_object_get (room->relays, url);
  const char *level = json_string_value (json_object_get (before, "level"));
  gboolean was_bad = g_strcmp0 (level, "bad") == 0;
  json_object_set_new (room->relays, url, relay_view (url, report));
  if (station->screen != NULL && (!good || was_bad))
    station_event (station, station->screen->id, "station", good ? "relay-back" : "relay-failed",
                   url);
  station_changed (station);
}

/* Loop thread: nothing of the room but what never changes. */
static void
on_frame (Hub *hub, const char *id, const char *label, MediaKind kind, Frame *frame, void *arg)
{
  Room *room = arg;
  g_autofree char *stream
      = g_strdup_printf ("peer-%s-%s", kind == MEDIA_VIDEO ? "video" : "audio", label);
  recorder_push (room->station->recorder, stream, frame);
  if (kind != MEDIA_AUDIO)
    return;
  room_sound_frame (room->sound, label, frame);
  room_voice_of_peer (room, label, frame);
}

static const HubEvents hub_events = {
  .offer = on_offer,
  .candidate = on_candidate,
  .state = on_state,
  .channel = on_channel,
  .message = on_message,
  .want_live = room_want_live,
  .want_keyframe = room_want_keyframe,
  .want_bitrate = room_want_bitrate,
  .sight = on_sight,
  .waves = on_waves,
  .want_loss = room_want_loss,
  .frame = on_frame,
  .relay = on_relay,
};

json_t *
room_relays (Room *room)
{
  json_t *list = json_array ();
  const char *url;
  json_t *relay;
  json_object_foreach (room->relays, url, relay) json_array_append (list, relay);
  return list;
}

/* ---- Life
 * ----------------------------------------------------------------------------------------- */

Room *
room_new (Station *station, GError **error)
{
  const Config *config = station->config;
  HubConfig hub = { .port_min = config->ice_port_min,
                    .port_max = config->ice_port_max,
                    .stun_server = config->stun,
                    .relays = config->relays };
  Room *room = g_new0 (Room, 1);
  room->station = station;
  room->sources = g_ptr_array_new_with_free_func (room_source_free);
  room->peers = g_ptr_array_new_with_free_func (peer_free);
  room->relays = json_object ();
  room->listening = listening_new ();
  room->sound = room_sound_new (config, error);
  if (room->sound != NULL)
    room->hub = hub_new (&hub, g_main_context_default (), &hub_events, room, error);
  if (room->hub == NULL || !room_add_sources (room, error)) {
    room_free (room);
    return NULL;
  }
  room_voice_begin (room);
  room_choose_sound (room);
  return room;
}

void
room_free (Room *room)
{
  for (guint i = 0; i < room->sources->len; i++)
    source_stop (((RoomSource *)room->sources->pdata[i])->source);
  room_voice_end (room);
  g_clear_pointer (&room->hub, hub_free);
  g_ptr_array_unref (room->sources);
  room_sound_free (room->sound);
  listening_free (room->listening);
  g_ptr_array_unref (room->peers);
  json_decref (room->relays);
  g_free (room->recording);
  g_free (room);
}
