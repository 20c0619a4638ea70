#include "station/media_messages.h"
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
start_console (Request *request, Room *room, gboolean loopback)
{
  Client *client = request->client;
  const Session *session = client->session;
  room_start_peer (room, client, session->label,
                   users_name (request->station->users, session->user),
                   loopback && client->loopback);
  request_ok (request, NULL);
}

static void
start_guest (Request *request, Room *room, gboolean loopback)
{
  Client *client = request->client;
  Consult *consult = station_consult (request->station, client->consult);
  Guest *guest
      = consult != NULL && client->guest != NULL ? consult_guest (consult, client->guest) : NULL;
  gboolean admitted = guest != NULL && guest->state != GUEST_LOBBY && guest->state != GUEST_REMOVED
                      && guest->client == client;
  gboolean live = consult != NULL && consult == request->station->screen
                  && (consult->state == CONSULT_LIVE || consult->state == CONSULT_INTERRUPTED);
  if (!admitted || !live) {
    request_refuse (request, "out-of-place");
    return;
  }
  room_start_peer (room, client, guest->id, guest->name, loopback && client->loopback);
  request_ok (request, NULL);
}

void
media_start (Request *request)
{
  gboolean loopback;
  if (!request_flag (request, "loopback", &loopback))
    return;
  Room *room = room_of (request, FALSE);
  if (room == NULL)
    return;
  if (request->client->kind == CLIENT_CONSOLE)
    start_console (request, room, loopback);
  else
    start_guest (request, room, loopback);
}

/* SDP has CR; the clean text of a form has not. */
static gboolean
sdp_of (Request *request, const char **ret)
{
  const json_t *value = json_object_get (request->message, "sdp");
  *ret = json_string_value (value);
  if (*ret == NULL || json_string_length (value) > SDP_MAX) {
    request_bad (request, "sdp", "wants a session description");
    return FALSE;
  }
  return TRUE;
}

void
media_answer (Request *request)
{
  const char *sdp;
  if (!sdp_of (request, &sdp))
    return;
  Room *room = room_of (request, TRUE);
  if (room == NULL)
    return;
  room_answer (room, request->client, sdp);
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
