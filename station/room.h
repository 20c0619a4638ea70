/* The room: its cameras and microphones, the hub, and the peers of pages. Main thread.
 *
 * A page has at most one peer. The peer outlives its page's WebSocket by ROOM_AWAY_US, so that a
 * page whose socket broke comes back to picture and sound that never stopped.
 *
 * A page that is not let in yet may have a peer reserved, so that the browser's part of the work is
 * done by then. Such a peer tells nothing, sends nothing and goes with its socket.
 */
#pragma once
#include "media/capture/source.h"
#include "media/transport/hub.h"
#include "station/client.h"
#include "station/station.h"

#define ROOM_AWAY_US (120 * G_USEC_PER_SEC)
#define ROOM_RESERVED_MAX 16

typedef struct RoomPeer RoomPeer;

Room *room_new (Station *station, GError **error);
/* Ends all peers and sources. */
void room_free (Room *room);

/* Consultation that is recorded (NULL: none): turns the sources' record outlets on and off. */
void room_set_recording (Room *room, const char *consult);
const char *room_recording (Room *room);

/* Who asks for a peer. */
typedef struct {
  const char *label;  /* name of its media for the others */
  const char *name;   /* for people */
  gboolean loopback;  /* the page runs on this machine and says so */
  const char *answer; /* to the offer of its reservation; NULL: it has none */
  const char *nonce;  /* the page's, for the comparison code; NULL: none */
} RoomEntry;

/* Reserves a peer for this page, in the place of an older reservation. known: the page belongs to
 * somebody who was let in before. FALSE: too many are reserved. */
gboolean room_reserve_peer (Room *room, Client *client, gboolean loopback, gboolean known);
/* A peer for this page, which ends its old one: the reserved one, or a new one when the station
 * knows of no reservation (any more). */
void room_start_peer (Room *room, Client *client, const RoomEntry *entry);
/* A page returned: takes over the peer with this label when it still lives. */
void room_adopt_peer (Room *room, Client *client, const char *label);
/* Label of the page's peer; NULL: it has none. */
const char *room_label (Room *room, Client *client);
void room_offer (Room *room, Client *client, gboolean restart);
/* nonce: the page's, for the comparison code; NULL: none */
void room_answer (Room *room, Client *client, const char *sdp, const char *nonce);
void room_candidate (Room *room, Client *client, const char *mid, const char *line);
void room_stop_peer (Room *room, Client *client);
/* The page's socket is gone: its peer waits for it, a reserved one does not. */
void room_leave_peer (Room *room, Client *client);
/* Ends the peer with this label, whoever holds it. */
void room_end_label (Room *room, const char *label);
/* What the page sends itself: while the console sends its own sound it owns the microphone. */
void room_own (Room *room, Client *client, gboolean audio, gboolean video);

/* ---- Servers of conferences, and who publishes to this station (room_server.c) ---- */

typedef struct {
  /* The offer; of HUB_WAY_ANSWER the answer. */
  void (*described) (const char *peer, const char *sdp, void *arg);
  /* line NULL: no more will come. */
  void (*candidate) (const char *peer, const char *line, void *arg);
  /* CLOSED and FAILED: the peer is gone. */
  void (*state) (const char *peer, HubPeerState state, const char *reason, void *arg);
} RoomServerEvents;

typedef struct {
  HubWay way;
  const char *label;              /* of its media for the others, and of its figures */
  const char *name;               /* for people */
  const char *camera;             /* PUBLISH: NULL: the first */
  const char *offer;              /* ANSWER */
  const char *stun;               /* NULL: the station's own */
  const GPtrArray *relays;        /* Relay; NULL or empty: the station's own */
  gboolean loopback;              /* it is on this machine */
  const RoomServerEvents *events; /* lives as long as the room */
  void *arg;
} RoomServer;

/* The peer's id (transfer full). An older one with that label is ended without a word. */
char *room_add_server (Room *room, const RoomServer *server);
void room_server_answer (Room *room, const char *peer, const char *sdp);
void room_server_candidate (Room *room, const char *peer, const char *line);
/* HUB_WAY_ANSWER: the other side restarts ICE. */
void room_server_restart (Room *room, const char *peer, const char *ufrag, const char *pwd);
/* No event comes any more. */
void room_end_server (Room *room, const char *peer);
/* Appends {label, name, role, state} of those who send. */
void room_add_servers (Room *room, json_t *people);

/* Sends one JSON message on the data channel: to one peer, or to all (label NULL).
 * (transfer full) message. room NULL: to nobody. */
void room_send (Room *room, const char *label, json_t *message);

/* A peer's page plays a stethoscope now, or no longer; the room's microphone is silent meanwhile,
 * and the consultation's people are told. It ends with the peer's connection. FALSE: the stream is
 * no stethoscope's, or the peer is not connected. */
gboolean room_listen (Room *room, const char *label, const char *stream, gboolean on);
/* What a camera keeps while bits are short, from now on. FALSE: there is no such camera. */
gboolean room_prefer (Room *room, const char *source, RungPrefer prefer);
/* Takes one picture of the stream's camera (source_take()). FALSE: there is no such camera. */
gboolean room_take (Room *room, const char *stream, gboolean lossless, SourceTaken done, void *arg);
/* As hub_send_file(), by the peer's label. */
void room_send_file (Room *room, const char *label, const guint8 id[FILE_ID_BYTES], GBytes *data,
                     const FilePart *wanted, guint n);
/* Labels of all peers whose channel is open (transfer full). */
GStrv room_labels (Room *room);
/* [{label, source}] (transfer full) */
json_t *room_listening (Room *room);

/* Is anybody there to whom room_send() could speak? */
gboolean room_is_heard (const Room *room);
/* Vital signs, as `readings` (peer_readings.h). */
void room_send_readings (Room *room, const char *label, json_t *items);
/* Binary, on a channel that may be closed: then it is let go. */
void room_send_bytes (Room *room, const char *label, const char *channel, GBytes *bytes);
/* As hub_ask_waves(); room may be NULL. */
void room_ask_waves (Room *room, const guint *bps, guint n);
/* Of the pictures that a peer gets: [{stream, rtp, us}], which moment (CLOCK_MONOTONIC) an RTP
 * timestamp stands for (transfer full). */
json_t *room_frame_clocks (Room *room, const char *label);
/* What the peer's link is believed to carry; 0: not known. */
guint room_estimate_bps (Room *room, const char *label);
/* The peer's page shows these streams large: an array of their names (anything else: none). */
void room_look (Room *room, const char *label, json_t *streams);
/* Who is signed in at the page of a console's peer; NULL: nobody, or no console. */
const Session *room_peer_session (Room *room, const char *label);
/* Appends {label, name, role, state} of each console's peer. */
void room_add_consoles (Room *room, json_t *people);
/* {code, same} of a guest's peer that is connected (transfer full); NULL: there is no code. */
json_t *room_peer_code (Room *room, const char *label);
/* The doctor says that the codes are the same. FALSE: there is none. */
gboolean room_confirm_code (Room *room, const char *label);
gboolean room_peer_connected (Room *room, const char *label);
/* As links_json() tells (transfer full). */
json_t *room_peer_figures (Room *room, const char *label);
/* [{name, kind, prefer, state, reason, recording}] (transfer full) */
json_t *room_sources (Room *room);
/* [{relay, level, code, text}], those that have been asked (transfer full) */
json_t *room_relays (Room *room);
/* Every 2 s: figures of the links, peers whose page did not return. */
void room_tick (Room *room);
