/* Inside the room; for room*.c alone.
 *
 *   room.c         peers: reserved, begun, adopted, ended; events of the hub; relays; life
 *   room_send.c    what goes to pages: messages, readings, waves, files, figures
 *   room_server.c  peers that are servers of conferences; the voices for them
 *   room_source.c  cameras, microphones and stethoscopes: frames, recording, listening, pictures
 */
#pragma once
#include "media/capture/mixdown.h"
#include "station/comparing.h"
#include "station/listening.h"
#include "station/peer_readings.h"
#include "station/room.h"
#include "station/room_sound.h"

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
  Comparing *comparing; /* NULL: a console */
  HubWay way;           /* PAGE: the next are not set */
  const RoomServerEvents *server;
  void *server_arg;
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
  Mixdown *mixdown;
  gint room_speaks, console_speaks; /* atomic: may be heard by a conference */
};

/* room.c */
const char *room_peer_state_name (HubPeerState state);
RoomPeer *room_find_label (Room *room, const char *label);
/* What the record calls the tracks that come from it. */
void room_name_tracks (Room *room, const RoomPeer *peer);
gboolean room_peer_is_console (const RoomPeer *peer);
gboolean room_source_is_stethoscope (const RoomSource *source);
void room_end_peer (Room *room, RoomPeer *peer);
/* Whose the room's microphone and loudspeaker are now. */
void room_choose_sound (Room *room);

RoomPeer *room_find_id (Room *room, const char *id);

/* room_server.c */
#define ROOM_VOICE "conference" /* the hub's source of all voices */
void room_voice_begin (Room *room);
void room_voice_end (Room *room);
/* Who may be heard: the room's microphones, the consoles' pages. */
void room_voice_allow (Room *room, gboolean microphones, gboolean consoles);
/* Any thread. */
void room_voice_of_source (Room *room, const RoomSource *source, Frame *frame);
void room_voice_of_peer (Room *room, const char *label, Frame *frame);
/* The hub's event of such a peer. */
void room_server_state (Room *room, RoomPeer *peer, HubPeerState state, const char *reason);

/* room_send.c */
/* (transfer full); NULL for what is no JSON. message: (transfer full) */
GBytes *room_text_of (json_t *message);
gboolean room_peer_is_weak (const RoomPeer *peer);
/* What is measured of a peer: kept, told to its page when it is time, and now and then written
 * down. */
void room_measure (Room *room, const RoomPeer *peer, gboolean tell);

/* room_source.c */
RoomSource *room_find_source (Room *room, const char *name); /* NULL: there is none */
gboolean room_add_sources (Room *room, GError **error);
void room_source_free (void *source);
/* Events of the hub. */
void room_want_live (Hub *hub, const char *name, MediaCodec codec, guint rung, gboolean on,
                     void *arg);
void room_want_keyframe (Hub *hub, const char *name, MediaCodec codec, guint rung, void *arg);
void room_want_bitrate (Hub *hub, const char *name, MediaCodec codec, guint rung, guint bps,
                        void *arg);
void room_want_loss (Hub *hub, const char *name, MediaCodec codec, guint rung, guint percent,
                     void *arg);
