#include "station/media_messages.h"
#include "station/identities.h"
#include "station/identity_words.h"
#include "station/room.h"
#include "station/station.h"

#define SDP_MAX (128 * 1024)
#define CANDIDATE_MAX 1024

/* The room, or NULL when the message has been refused. */
static Room *
room_of (Request *request, gboolean wants_peer)
{
  Room *room = request->station->room;
  if (room == NULL)
    request_refuse (request, "not-ready");
  else if (wants_peer && request->client->peer == NULL) {
    request_refuse (request, "out-of-place");
    return NULL;
  }
  return room;
}

static void
start_console (Request *request, Room *room, RoomEntry *entry)
{
  Client *client = request->client;
  entry->label = client->session->label;
  entry->name = users_name (request->station->users, client->session->user);
  room_start_peer (room, client, entry);
  request_ok (request, NULL);
}

static Guest *
guest_of (Client *client, Consult *consult)
{
  return consult != NULL && client->guest != NULL ? consult_guest (consult, client->guest) : NULL;
}

/* Who has signed in did so for one certificate of media: FALSE when it is another, refused. sdp
 * NULL: nothing is announced. */
static gboolean
media_is_bound (Request *request, const char *sdp)
{
  Client *client = request->client;
  Consult *consult = station_consult (request->station, client->consult);
  const Guest *guest = guest_of (client, consult);
  if (guest == NULL || sdp == NULL || identities_media_is_bound (guest->fingerprint, sdp))
    return TRUE;
  const Text *text = identity_words ("unbound");
  station_event (request->station, consult->id, "station", "media-unbound", guest->name);
  request_refuse_with (request, "not-proven", text->vi, text->en,
                       json_pack ("{s:s}", "reason", "unbound"));
  return FALSE;
}

static void
start_guest (Request *request, Room *room, RoomEntry *entry)
{
  Client *client = request->client;
  Consult *consult = station_consult (request->station, client->consult);
  Guest *guest = guest_of (client, consult);
  gboolean admitted = guest != NULL && guest->state != GUEST_LOBBY && guest->state != GUEST_REMOVED
                      && guest->client == client;
  gboolean live = consult != NULL && consult == request->station->screen
                  && (consult->state == CONSULT_LIVE || consult->state == CONSULT_INTERRUPTED);
  if (!admitted || !live) {
    request_refuse (request, "out-of-place");
    return;
  }
  if (!media_is_bound (request, entry->answer))
    return;
  entry->label = guest->id;
  entry->name = guest->name;
  room_start_peer (room, client, entry);
  request_ok (request, NULL);
}

/* SDP has CR; the clean text of a form has not. NULL: refused, or left out (then field is not in
 * the message). */
static const char *
sdp_of (Request *request, const char *field)
{
  const json_t *value = json_object_get (request->message, field);
  const char *sdp = json_string_value (value);
  if (sdp != NULL && json_string_length (value) <= SDP_MAX)
    return sdp;
  request_bad (request, field, "wants a session description");
  return NULL;
}

void
media_start (Request *request)
{
  gboolean loopback, answers = json_object_get (request->message, "answer") != NULL;
  RoomEntry entry = { 0 };
  if (!request_flag (request, "loopback", &loopback)
      || (answers && (entry.answer = sdp_of (request, "answer")) == NULL)
      || !request_id (request, "nonce", OPTIONAL, &entry.nonce))
    return;
  Room *room = room_of (request, FALSE);
  if (room == NULL)
    return;
  entry.loopback = loopback && request->client->loopback;
  if (request->client->kind == CLIENT_CONSOLE)
    start_console (request, room, &entry);
  else
    start_guest (request, room, &entry);
}

void
media_answer (Request *request)
{
  const char *sdp = sdp_of (request, "sdp"), *nonce;
  if (sdp == NULL || !request_id (request, "nonce", OPTIONAL, &nonce)
      || !media_is_bound (request, sdp))
    return;
  Room *room = room_of (request, TRUE);
  if (room == NULL)
    return;
  room_answer (room, request->client, sdp, nonce);
  request_ok (request, NULL);
}

void
media_candidate (Request *request)
{
  const char *mid, *line;
  if (!request_text (request, "mid", OPTIONAL, 64, &mid)
      || !request_text (request, "candidate", OPTIONAL, CANDIDATE_MAX, &line))
    return;
  Room *room = room_of (request, TRUE);
  if (room == NULL)
    return;
  room_candidate (room, request->client, mid, line != NULL && *line != '\0' ? line : NULL);
  request_ok (request, NULL);
}

void
media_renegotiate (Request *request)
{
  gboolean restart;
  if (!request_flag (request, "restart", &restart))
    return;
  /* The page slept longer than its peer was kept. */
  if (request->station->room != NULL && request->client->peer == NULL)
    client_send (request->client, json_pack ("{s:s, s:s, s:s}", "type", "media.state", "state",
                                             "closed", "reason", "gone"));
  Room *room = room_of (request, TRUE);
  if (room == NULL)
    return;
  room_offer (room, request->client, restart);
  request_ok (request, NULL);
}

void
media_stop (Request *request)
{
  Room *room = room_of (request, FALSE);
  if (room == NULL)
    return;
  room_stop_peer (room, request->client);
  request_ok (request, NULL);
}

void
media_own (Request *request)
{
  gboolean audio, video;
  if (!request_flag (request, "audio", &audio) || !request_flag (request, "video", &video))
    return;
  Room *room = room_of (request, TRUE);
  if (room == NULL)
    return;
  room_own (room, request->client, audio, video);
  request_ok (request, NULL);
}

void
media_prefer (Request *request)
{
  static const char *const words[] = { "balanced", "motion", "detail", NULL };
  const char *source, *prefer;
  guint i = 0;
  Station *station = request->station;
  if (!request_id (request, "source", REQUIRED, &source)
      || !request_word (request, "prefer", REQUIRED, words, &prefer))
    return;
  while (!g_str_equal (words[i], prefer))
    i++;
  if (!room_prefer (station->room, source, (RungPrefer)i)) {
    request_refuse (request, "no-such");
    return;
  }
  station_event (station, station->screen->id, request->user, "source-prefer", source);
  request_ok (request, NULL);
}
