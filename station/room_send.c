#include "station/room_private.h"
#include "station/channel.h"
#include "station/guests.h"
#include "station/links.h"
#include "station/text.h"
#include "station/waves.h"

#include <string.h>

/* A weak link has few bits for figures. */
#define WEAK_FIGURES_TICKS 3

GBytes *
room_text_of (json_t *message)
{
  char *text = json_dumps (message, JSON_COMPACT | JSON_REAL_PRECISION (12));
  json_decref (message);
  return text != NULL ? g_bytes_new_with_free_func (text, strlen (text), free, text) : NULL;
}

gboolean
room_peer_is_weak (const RoomPeer *peer)
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
  g_autoptr (GBytes) bytes = room_text_of (message);
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
      peer_readings_take (peer->readings, items, label == NULL && room_peer_is_weak (peer));
  }
}

void
room_send_bytes (Room *room, const char *label, const char *channel, GBytes *bytes)
{
  const RoomPeer *peer = room_find_label (room, label);
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
  const RoomPeer *peer = room_find_label (room, label);
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
  const RoomPeer *peer = room_find_label (room, label);
  HubPeerStats stats;
  if (peer == NULL || !hub_stats (room->hub, peer->id, &stats))
    return 0;
  return peer->loopback ? 10000000 : stats.estimate_bps;
}

void
room_look (Room *room, const char *label, json_t *streams)
{
  enum { MOST = 32 };
  const RoomPeer *peer = room_find_label (room, label);
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

void
room_send_file (Room *room, const char *label, const guint8 id[FILE_ID_BYTES], GBytes *data,
                const FilePart *wanted, guint n)
{
  const RoomPeer *peer = room_find_label (room, label);
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

const Session *
room_peer_session (Room *room, const char *label)
{
  const RoomPeer *peer = room != NULL ? room_find_label (room, label) : NULL;
  return peer != NULL && peer->client != NULL ? peer->client->session : NULL;
}

void
room_add_consoles (Room *room, json_t *people)
{
  for (guint i = 0; i < room->peers->len; i++) {
    const RoomPeer *peer = room->peers->pdata[i];
    const Session *session = room_peer_session (room, peer->label);
    const User *user = session != NULL ? users_find (room->station->users, session->user) : NULL;
    if (room_peer_is_console (peer))
      json_array_append_new (people, json_pack ("{s:s, s:s, s:s, s:s}", "label", peer->label,
                                                "name", user != NULL ? user->name : peer->name,
                                                "role", user != NULL ? user->role : "doctor",
                                                "state", room_peer_state_name (peer->state)));
  }
}

json_t *
room_peer_code (Room *room, const char *label)
{
  const RoomPeer *peer = room_find_label (room, label);
  const char *code = peer != NULL && peer->comparing != NULL && peer->state == HUB_PEER_CONNECTED
                         ? comparing_code (peer->comparing)
                         : NULL;
  return code != NULL
             ? json_pack ("{s:s, s:b}", "code", code, "same", comparing_confirmed (peer->comparing))
             : NULL;
}

gboolean
room_confirm_code (Room *room, const char *label)
{
  RoomPeer *peer = room_find_label (room, label);
  if (peer == NULL || peer->comparing == NULL || comparing_code (peer->comparing) == NULL)
    return FALSE;
  comparing_confirm (peer->comparing);
  station_changed (room->station);
  return TRUE;
}

gboolean
room_peer_connected (Room *room, const char *label)
{
  const RoomPeer *peer = room_find_label (room, label);
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

void
room_measure (Room *room, const RoomPeer *peer, gboolean tell)
{
  Station *station = room->station;
  HubPeerStats stats = { 0 };
  gboolean measured = hub_stats (room->hub, peer->id, &stats);
  if (peer->label == NULL)
    return;
  stats.sight = peer->sight; /* may be news that the figures do not have yet */
  links_measure (room->station->links, peer->label, room_peer_state_name (peer->state),
                 measured ? &stats : NULL, hub_stream_stats (room->hub, peer->id));
  json_t *row = is_recorded (station->screen)
                    ? links_row (room->station->links, peer->label, g_get_monotonic_time ())
                    : NULL;
  if (row != NULL)
    station_write (station, station->screen->id, "link", "station", row, NULL, NULL);
  if (!tell || !peer->channel || !measured)
    return;
  json_t *figures = links_json (room->station->links, peer->label);
  if (room_peer_is_weak (peer))
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
    if (peer->client == NULL && peer->server == NULL && now - peer->away_us > ROOM_AWAY_US)
      room_end_peer (room, peer);
    else
      room_measure (room, peer, !room_peer_is_weak (peer) || room->ticks % WEAK_FIGURES_TICKS == 0);
  }
  if (++room->ticks % 5 == 0)
    channel_send_clock (room->station, NULL);
  if (room->peers->len > 0)
    station_changed (room->station);
}
