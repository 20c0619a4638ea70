#include "station/room.h"
#include "station/peer_readings.h"
#include "station/channel.h"
#include "station/guests.h"
#include "station/links.h"
#include "station/listening.h"
#include "station/recorder.h"
#include "station/relay_words.h"
#include "station/room_sound.h"
#include "station/text.h"
#include "station/waves.h"

#include <string.h>

/* A weak link has few bits for figures. */
#define WEAK_FIGURES_TICKS 3

typedef struct {
  Room *room;
  Source *source;
  SourceState state;
  char *reason;
  RungPrefer prefer;
  gboolean lost; /* it ran, and does not now: said in the record */
} RoomSource;

struct RoomPeer {
  Room *room;
  char *id;    /* the hub's name for it */
  char *label; /* what others see it as; NULL: reserved */
  char *name;
  Client *client;           /* NULL: its page is away */
  const Client *offered_to; /* whose socket took the last offer; only compared */
  gint64 away_us;           /* since when */
  HubPeerState state;
  char *reason;
  gboolean loopback;
  gboolean own_audio, own_video;
  gboolean channel; /* "data" is open */
  HubSight sight;
  PeerReadings *readings;
};

struct Room {
  Station *station;
  Hub *hub;
  GPtrArray *sources; /* RoomSource* */
  GPtrArray *peers;   /* RoomPeer* */
  RoomSound *sound;
  Listening *listening;
  guint serial;
  char *recording;
  guint ticks;
  json_t *relays; /* url -> what pages are told of it */
};

static const char *
peer_state_name (HubPeerState state)
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
  g_free (peer);
}

static RoomPeer *
find_id (Room *room, const char *id)
{
  for (guint i = 0; id != NULL && i < room->peers->len; i++)
    if (g_str_equal (((RoomPeer *)room->peers->pdata[i])->id, id))
      return room->peers->pdata[i];
  return NULL;
}

static RoomPeer *
find_label (Room *room, const char *label)
{
  for (guint i = 0; i < room->peers->len; i++)
    if (g_strcmp0 (((RoomPeer *)room->peers->pdata[i])->label, label) == 0)
      return room->peers->pdata[i];
  return NULL;
}

static gboolean
console_sends_sound (Room *room)
{
  for (guint i = 0; i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    if (peer->own_audio && peer->state == HUB_PEER_CONNECTED
        && g_str_has_prefix (peer->label, "console"))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_console (const RoomPeer *peer)
{
  return peer->label != NULL && g_str_has_prefix (peer->label, "console");
}

static gboolean
is_stethoscope (const RoomSource *source)
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
  for (guint i = 0; i < room->sources->len; i++) {
    const RoomSource *source = room->sources->pdata[i];
    if (source_kind (source->source) == MEDIA_AUDIO && !is_stethoscope (source))
      hub_mute_source (room->hub, source_name (source->source), mute);
  }
  for (guint i = 0; i < room->peers->len; i++)
    if (is_console (room->peers->pdata[i]))
      hub_mute_peer (room->hub, ((RoomPeer *)room->peers->pdata[i])->id, listening);
}

/* The remote voices are played by a console's page, or else by the station. */
static void
choose_loudspeaker (Room *room)
{
  gboolean page = FALSE;
  for (guint i = 0; i < room->peers->len && !page; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    page = is_console (peer) && peer->state == HUB_PEER_CONNECTED;
  }
  room_sound_set_page (room->sound, page);
}

static void
choose_sound (Room *room)
{
  choose_microphone (room);
  choose_loudspeaker (room);
}

static void
end_peer (Room *room, RoomPeer *peer)
{
  if (peer->label != NULL) {
    links_forget (room->station->links, peer->label);
    waves_peer_gone (room->station->waves, peer->label);
    listening_set (room->listening, peer->label, NULL);
  }
  hub_remove_peer (room->hub, peer->id);
  if (peer->client != NULL)
    g_clear_pointer (peer->label != NULL ? &peer->client->peer : &peer->client->reserved, g_free);
  g_ptr_array_remove (room->peers, peer);
  choose_sound (room);
  guests_media_changed (room->station);
  station_changed (room->station);
}

void
room_end_label (Room *room, const char *label)
{
  RoomPeer *peer = find_label (room, label);
  if (peer != NULL)
    end_peer (room, peer);
}

static void
name_tracks (Room *room, const RoomPeer *peer)
{
  g_autofree char *video = g_strdup_printf ("peer-video-%s", peer->label);
  g_autofree char *audio = g_strdup_printf ("peer-audio-%s", peer->label);
  recorder_name (room->station->recorder, video, peer->name);
  recorder_name (room->station->recorder, audio, peer->name);
}

/* (transfer full); NULL for what is no JSON */
static GBytes *
text_of (json_t *message)
{
  char *text = json_dumps (message, JSON_COMPACT | JSON_REAL_PRECISION (12));
  json_decref (message);
  return text != NULL ? g_bytes_new_with_free_func (text, strlen (text), free, text) : NULL;
}

static void
send_readings (json_t *message, void *arg)
{
  RoomPeer *peer = arg;
  g_autoptr (GBytes) bytes = text_of (message);
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
  RoomPeer *reserved = find_id (room, client->reserved);
  if (reserved != NULL)
    end_peer (room, reserved);
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
  RoomPeer *peer = find_id (room, client->reserved);
  if (peer == NULL || entry->answer == NULL || peer->loopback != entry->loopback)
    return NULL;
  g_clear_pointer (&client->reserved, g_free);
  peer->label = g_strdup (entry->label);
  hub_open_peer (room->hub, peer->id, peer->label, entry->answer);
  return peer;
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
  if (peer != NULL)
    tell_servers (room, client, peer);
  else
    peer = add_peer (room, client, entry->label, entry->loopback, TRUE);
  drop_reservation (room, client);
  peer->name = g_strdup (entry->name);
  client->peer = g_strdup (peer->id);
  name_tracks (room, peer);
}

void
room_adopt_peer (Room *room, Client *client, const char *label)
{
  RoomPeer *peer = find_label (room, label);
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
  const RoomPeer *peer = find_id (room, client->peer);
  return peer != NULL ? peer->label : NULL;
}

void
room_offer (Room *room, Client *client, gboolean restart)
{
  RoomPeer *peer = find_id (room, client->peer);
  if (peer != NULL)
    hub_offer (room->hub, client->peer, restart, peer->offered_to != client);
}

void
room_answer (Room *room, Client *client, const char *sdp)
{
  hub_answer (room->hub, client->peer, sdp);
}

void
room_candidate (Room *room, Client *client, const char *mid, const char *line)
{
  hub_candidate (room->hub, client->peer, mid, line);
}

void
room_stop_peer (Room *room, Client *client)
{
  RoomPeer *peer = find_id (room, client->peer);
  if (peer != NULL)
    end_peer (room, peer);
}

void
room_leave_peer (Room *room, Client *client)
{
  drop_reservation (room, client);
  RoomPeer *peer = find_id (room, client->peer);
  if (peer == NULL)
    return;
  peer->client = NULL;
  peer->away_us = g_get_monotonic_time ();
}

void
room_own (Room *room, Client *client, gboolean audio, gboolean video)
{
  RoomPeer *peer = find_id (room, client->peer);
  if (peer == NULL)
    return;
  peer->own_audio = audio;
  peer->own_video = video;
  choose_sound (room);
}

static gboolean
is_weak (const RoomPeer *peer)
{
  return peer->sight == HUB_SIGHT_STILLS;
}

/* label NULL: everybody */
static gboolean
is_told (const RoomPeer *peer, const char *label)
{
  return peer->channel && (label == NULL || g_strcmp0 (peer->label, label) == 0);
}

void
room_send (Room *room, const char *label, json_t *message)
{
  g_autoptr (GBytes) bytes = text_of (message);
  for (guint i = 0; room != NULL && bytes != NULL && i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    if (is_told (peer, label))
      hub_send (room->hub, peer->id, "data", TRUE, bytes);
  }
}

gboolean
room_is_heard (const Room *room)
{
  return room != NULL && room->peers->len > 0;
}

void
room_send_readings (Room *room, const char *label, json_t *items)
{
  for (guint i = 0; room != NULL && i < room->peers->len; i++) {
    RoomPeer *peer = room->peers->pdata[i];
    if (is_told (peer, label))
      peer_readings_take (peer->readings, items, label == NULL && is_weak (peer));
  }
}

void
room_send_bytes (Room *room, const char *label, const char *channel, GBytes *bytes)
{
  const RoomPeer *peer = find_label (room, label);
  if (peer != NULL)
    hub_send (room->hub, peer->id, channel, FALSE, bytes);
}

void
room_ask_waves (Room *room, const guint *bps, guint n)
{
  if (room != NULL)
    hub_ask_waves (room->hub, bps, n);
}

json_t *
room_frame_clocks (Room *room, const char *label)
{
  const RoomPeer *peer = find_label (room, label);
  json_t *list = json_array ();
  g_autoptr (GArray) streams = peer != NULL ? hub_stream_stats (room->hub, peer->id) : NULL;
  for (guint i = 0; streams != NULL && i < streams->len; i++) {
    const HubStreamStats *stream = &g_array_index (streams, HubStreamStats, i);
    if (stream->kind == MEDIA_VIDEO && stream->timestamp_us > 0)
      json_array_append_new (list, json_pack ("{s:s, s:I, s:I}", "stream", stream->name, "rtp",
                                              (json_int_t)stream->timestamp, "us",
                                              (json_int_t)stream->timestamp_us));
  }
  return list;
}

guint
room_estimate_bps (Room *room, const char *label)
{
  const RoomPeer *peer = find_label (room, label);
  HubPeerStats stats;
  if (peer == NULL || !hub_stats (room->hub, peer->id, &stats))
    return 0;
  return peer->loopback ? 10000000 : stats.estimate_bps;
}

void
room_look (Room *room, const char *label, json_t *streams)
{
  enum { MOST = 32 };
  const RoomPeer *peer = find_label (room, label);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  gsize i;
  json_t *name;
  json_array_foreach (streams, i, name)
  {
    if (json_is_string (name) && names->len < MOST)
      g_ptr_array_add (names, (char *)json_string_value (name));
  }
  g_ptr_array_add (names, NULL);
  if (peer != NULL)
    hub_look (room->hub, peer->id, (const char *const *)names->pdata);
}

const Session *
room_peer_session (Room *room, const char *label)
{
  const RoomPeer *peer = room != NULL ? find_label (room, label) : NULL;
  return peer != NULL && peer->client != NULL ? peer->client->session : NULL;
}

void
room_add_consoles (Room *room, json_t *people)
{
  for (guint i = 0; i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    const Session *session = room_peer_session (room, peer->label);
    const User *user = session != NULL ? users_find (room->station->users, session->user) : NULL;
    if (peer->label != NULL && g_str_has_prefix (peer->label, "console"))
      json_array_append_new (people, json_pack ("{s:s, s:s, s:s, s:s}", "label", peer->label,
                                                "name", user != NULL ? user->name : peer->name,
                                                "role", user != NULL ? user->role : "doctor",
                                                "state", peer_state_name (peer->state)));
  }
}

gboolean
room_peer_connected (Room *room, const char *label)
{
  const RoomPeer *peer = find_label (room, label);
  return peer != NULL && peer->state == HUB_PEER_CONNECTED;
}

json_t *
room_peer_figures (Room *room, const char *label)
{
  return links_json (room->station->links, label);
}

static gboolean
is_recorded (const Consult *consult)
{
  return consult != NULL && consult_is_open (consult) && !consult->busy;
}

/* What is measured of a peer: kept, told to its page when it is time, and now and then written
 * down. */
static void
measure (Room *room, const RoomPeer *peer, gboolean tell)
{
  Station *station = room->station;
  HubPeerStats stats = { 0 };
  gboolean measured = hub_stats (room->hub, peer->id, &stats);
  if (peer->label == NULL)
    return;
  stats.sight = peer->sight; /* may be news that the figures do not have yet */
  links_measure (room->station->links, peer->label, peer_state_name (peer->state),
                 measured ? &stats : NULL, hub_stream_stats (room->hub, peer->id));
  json_t *row = is_recorded (station->screen)
                    ? links_row (room->station->links, peer->label, g_get_monotonic_time ())
                    : NULL;
  if (row != NULL)
    station_write (station, station->screen->id, "link", "station", row, NULL, NULL);
  if (!tell || !peer->channel || !measured)
    return;
  json_t *figures = links_json (room->station->links, peer->label);
  if (is_weak (peer))
    json_object_del (figures, "streams"); /* its own words */
  json_object_set_new (figures, "type", json_string ("link"));
  room_send (room, peer->label, figures);
}

void
room_tick (Room *room)
{
  gint64 now = g_get_monotonic_time ();
  for (guint i = room->peers->len; i > 0; i--) {
    RoomPeer *peer = room->peers->pdata[i - 1];
    if (peer->client == NULL && now - peer->away_us > ROOM_AWAY_US)
      end_peer (room, peer);
    else
      measure (room, peer, !is_weak (peer) || room->ticks % WEAK_FIGURES_TICKS == 0);
  }
  if (++room->ticks % 5 == 0)
    channel_send_clock (room->station, NULL);
  if (room->peers->len > 0)
    station_changed (room->station);
}

/* ---- Events of the hub, main thread ------------------------------------------------------------
 */

/* Who is not let in yet hears of no relay; a page on this machine needs none. */
static void
on_offer (Hub *hub, const char *id, const char *sdp, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = find_id (room, id);
  if (peer == NULL)
    return;
  peer->offered_to = peer->client;
  if (peer->client == NULL)
    return;
  gboolean outside = peer->label != NULL && !peer->loopback;
  client_send (peer->client,
               json_pack ("{s:s, s:s, s:b, s:o}", "type", "media.offer", "sdp", sdp, "reserved",
                          peer->label == NULL, "servers",
                          outside ? relay_servers (room->station->config) : json_array ()));
}

/* ---- Relays ------------------------------------------------------------------------------------
 */

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

json_t *
room_relays (Room *room)
{
  json_t *list = json_array ();
  const char *url;
  json_t *relay;
  json_object_foreach (room->relays, url, relay) json_array_append (list, relay);
  return list;
}

static void
on_candidate (Hub *hub, const char *id, const char *mid, const char *line, void *arg)
{
  RoomPeer *peer = find_id (arg, id);
  if (peer != NULL && peer->client != NULL)
    client_send (peer->client,
                 json_pack ("{s:s, s:s, s:s}", "type", "media.candidate", "mid",
                            mid != NULL ? mid : "", "candidate", line != NULL ? line : ""));
}

static void
on_state (Hub *hub, const char *id, HubPeerState state, const char *reason, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = find_id (room, id);
  if (peer == NULL)
    return;
  peer->state = state;
  g_free (peer->reason);
  peer->reason = g_strdup (reason);
  measure (room, peer, TRUE);
  g_message ("room: peer %s is %s%s%s", id, peer_state_name (state), reason ? ": " : "",
             reason ? reason : "");
  if (peer->client != NULL)
    client_send (peer->client, json_pack ("{s:s, s:s, s:s?}", "type", "media.state", "state",
                                          peer_state_name (state), "reason", reason));
  if (peer->label != NULL && state != HUB_PEER_CONNECTED) /* its page asks again when it is back */
    listening_set (room->listening, peer->label, NULL);
  choose_sound (room);
  if (state == HUB_PEER_CLOSED || state == HUB_PEER_FAILED) {
    end_peer (room, peer);
    return;
  }
  guests_media_changed (room->station);
  station_changed (room->station);
}

static void
on_channel (Hub *hub, const char *id, const char *label, gboolean open, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = find_id (room, id);
  if (peer != NULL && g_str_equal (label, "wave"))
    waves_peer_open (room->station->waves, peer->label, open);
  if (peer == NULL || !g_str_equal (label, "data"))
    return;
  peer->channel = open;
  peer_readings_forget (peer->readings);
  if (open)
    channel_send_snapshot (room->station, peer->label);
}

static void
on_message (Hub *hub, const char *id, const char *label, gboolean text, GBytes *data, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = find_id (room, id);
  if (peer != NULL && text && g_str_equal (label, "data"))
    channel_receive (room->station, peer->label, data);
}

/* Said at once: a picture that stands still without a word looks broken. */
static void
on_sight (Hub *hub, const char *id, HubSight sight, void *arg)
{
  Room *room = arg;
  RoomPeer *peer = find_id (room, id);
  if (peer == NULL)
    return;
  peer->sight = sight;
  measure (room, peer, TRUE);
  station_changed (room->station);
}

static void
on_waves (Hub *hub, const char *id, int step, void *arg)
{
  Room *room = arg;
  const RoomPeer *peer = find_id (room, id);
  if (peer != NULL && peer->label != NULL)
    waves_peer_way (room->station->waves, peer->label, step);
}

static RoomSource *
find_source (Room *room, const char *name)
{
  for (guint i = 0; i < room->sources->len; i++) {
    RoomSource *source = room->sources->pdata[i];
    if (g_str_equal (source_name (source->source), name))
      return source;
  }
  return NULL;
}

/* ---- Listening ---------------------------------------------------------------------------------
 */

gboolean
room_listen (Room *room, const char *label, const char *stream, gboolean on)
{
  const RoomPeer *peer = find_label (room, label);
  const RoomSource *source = stream != NULL && g_str_has_prefix (stream, "source-")
                                 ? find_source (room, stream + strlen ("source-"))
                                 : NULL;
  if (peer == NULL || peer->state != HUB_PEER_CONNECTED || source == NULL
      || !is_stethoscope (source))
    return FALSE;
  const char *name = source_name (source->source);
  Station *station = room->station;
  if (!listening_set (room->listening, label, on ? name : NULL))
    return TRUE;
  choose_sound (room);
  if (station->screen != NULL)
    station_event (station, station->screen->id, "station", on ? "listening" : "listening-ended",
                   peer->name);
  channel_send_live (station);
  return TRUE;
}

gboolean
room_prefer (Room *room, const char *name, RungPrefer prefer)
{
  RoomSource *source = room != NULL ? find_source (room, name) : NULL;
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
  const RoomSource *source = room != NULL && g_str_has_prefix (stream, "source-")
                                 ? find_source (room, stream + strlen ("source-"))
                                 : NULL;
  if (source == NULL || source_kind (source->source) != MEDIA_VIDEO)
    return FALSE;
  source_take (source->source, lossless, done, arg);
  return TRUE;
}

void
room_send_file (Room *room, const char *label, const guint8 id[FILE_ID_BYTES], GBytes *data,
                const FilePart *wanted, guint n)
{
  const RoomPeer *peer = find_label (room, label);
  if (peer != NULL)
    hub_send_file (room->hub, peer->id, id, data, wanted, n);
}

GStrv
room_labels (Room *room)
{
  g_autoptr (GStrvBuilder) labels = g_strv_builder_new ();
  for (guint i = 0; room != NULL && i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    if (peer->channel && peer->label != NULL)
      g_strv_builder_add (labels, peer->label);
  }
  return g_strv_builder_end (labels);
}

json_t *
room_listening (Room *room)
{
  return listening_json (room->listening);
}

static void
on_want_live (Hub *hub, const char *name, MediaCodec codec, guint rung, gboolean on, void *arg)
{
  RoomSource *source = find_source (arg, name);
  if (source != NULL)
    source_set_live (source->source, codec, rung, on);
}

static void
on_want_keyframe (Hub *hub, const char *name, MediaCodec codec, guint rung, void *arg)
{
  RoomSource *source = find_source (arg, name);
  if (source != NULL)
    source_request_keyframe (source->source, codec, rung);
}

static void
on_want_bitrate (Hub *hub, const char *name, MediaCodec codec, guint rung, guint bps, void *arg)
{
  RoomSource *source = find_source (arg, name);
  if (source != NULL)
    source_set_live_bitrate (source->source, codec, rung, bps);
}

static void
on_want_loss (Hub *hub, const char *name, MediaCodec codec, guint rung, guint percent, void *arg)
{
  RoomSource *source = find_source (arg, name);
  if (source != NULL)
    source_set_live_loss (source->source, codec, rung, percent);
}

/* Loop thread: nothing of the room but what never changes. */
static void
on_frame (Hub *hub, const char *id, const char *label, MediaKind kind, Frame *frame, void *arg)
{
  const Room *room = arg;
  g_autofree char *stream
      = g_strdup_printf ("peer-%s-%s", kind == MEDIA_VIDEO ? "video" : "audio", label);
  recorder_push (room->station->recorder, stream, frame);
  if (kind == MEDIA_AUDIO)
    room_sound_frame (room->sound, label, frame);
}

static const HubEvents hub_events = {
  .offer = on_offer,
  .candidate = on_candidate,
  .state = on_state,
  .channel = on_channel,
  .message = on_message,
  .want_live = on_want_live,
  .want_keyframe = on_want_keyframe,
  .want_bitrate = on_want_bitrate,
  .sight = on_sight,
  .waves = on_waves,
  .want_loss = on_want_loss,
  .frame = on_frame,
  .relay = on_relay,
};

/* ---- Sources ------------------------------------------------------------------------------------
 */

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
}

static const SourceEvents source_events
    = { .state = on_source_state, .record_frame = on_record_frame, .live_frame = on_live_frame };

static void
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

static gboolean
add_sources (Room *room, GError **error)
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
  if (room->hub == NULL || !add_sources (room, error)) {
    room_free (room);
    return NULL;
  }
  choose_sound (room);
  return room;
}

void
room_free (Room *room)
{
  for (guint i = 0; i < room->sources->len; i++)
    source_stop (((RoomSource *)room->sources->pdata[i])->source);
  g_clear_pointer (&room->hub, hub_free);
  g_ptr_array_unref (room->sources);
  room_sound_free (room->sound);
  listening_free (room->listening);
  g_ptr_array_unref (room->peers);
  json_decref (room->relays);
  g_free (room->recording);
  g_free (room);
}
