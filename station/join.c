#include "station/join.h"
#include "station/accounts.h"
#include "station/comparing.h"
#include "station/confirm.h"
#include "station/guests.h"
#include "station/identities.h"
#include "station/media_messages.h"
#include "station/pass.h"
#include "station/room.h"
#include "station/station.h"
#include "station/visits_join.h"
#include "station/witnesses.h"

#define LOBBY_PER_INVITE 3

typedef struct {
  const char *type;
  void (*handle) (Request *request);
  gboolean joined; /* only after "join" */
} Message;

/* ---- "join" ---------------------------------------------------------------------------------- */

static guint
lobby_of (const Consult *consult, const Invite *invite)
{
  guint count = 0;
  for (guint i = 0; i < consult->guests->len; i++) {
    const Guest *guest = consult->guests->pdata[i];
    count += guest->state == GUEST_LOBBY && g_str_equal (guest->invite, invite->id);
  }
  return count;
}

/* The page that held this guest before (another tab, a socket that has not noticed). */
static void
take_guest (Client *client, Consult *consult, Guest *guest)
{
  if (guest->client != NULL && guest->client != client) {
    g_clear_pointer (&guest->client->guest, g_free);
    client_close (guest->client);
  }
  guest->client = client;
  g_free (client->consult);
  client->consult = g_strdup (consult->id);
  client->guest = g_strdup (guest->id);
}

static void
answer_joined (Request *request, const Guest *guest, const char *state)
{
  request_ok (request, json_pack ("{s:s, s:s}", "guest", guest->id, "state", state));
}

static void
come_back (Request *request, Consult *consult, Guest *guest)
{
  take_guest (request->client, consult, guest);
  answer_joined (request, guest, "admitted");
  guest_welcome (request->station, consult, guest);
  guests_media_changed (request->station);
  station_changed (request->station);
}

static void
wait_in_lobby (Request *request, Consult *consult, Guest *guest)
{
  take_guest (request->client, consult, guest);
  answer_joined (request, guest, "lobby");
  guest_tell_lobby (request->station, guest, guest_position (consult, guest));
  station_event (request->station, consult->id, "station", "guest-lobby", guest->name);
}

static gboolean
was_in (const Guest *guest)
{
  return guest != NULL && guest->state != GUEST_LOBBY && guest->state != GUEST_REMOVED;
}

/* A new guest, or one who waits already; NULL: the message has been refused. */
static Guest *
guest_who_waits (Request *request, const Pass *pass, Guest *guest, const Proven *proven)
{
  const char *name, *facility;
  Consult *consult = pass->consult;
  const Invite *invite = pass->invite;
  g_autofree char *called
      = proven != NULL ? g_strdup (json_string_value (json_object_get (proven->identity, "name")))
                       : visits_guest_name (pass, request->message);
  if (!request_text (request, "name", guest == NULL && called == NULL ? REQUIRED : OPTIONAL, 100,
                     &name)
      || !request_text (request, "facility", OPTIONAL, 200, &facility))
    return NULL;
  if (called == NULL)
    called = g_strdup (name);
  if (guest == NULL && lobby_of (consult, invite) < LOBBY_PER_INVITE)
    guest = consult_add_guest (consult, invite->id, invite->role, pass->key, called,
                               facility != NULL ? facility : "");
  else if (guest != NULL && called != NULL && guest->about != NULL) {
    g_free (guest->name); /* another may sit before the phone now */
    guest->name = g_steal_pointer (&called);
  }
  if (guest == NULL)
    request_refuse (request, "busy");
  return guest;
}

/* What a sign-in says of a guest who waits. */
static void
take_proven (Request *request, Guest *guest, Proven *proven)
{
  const char *name = json_string_value (json_object_get (proven->identity, "name"));
  json_decref (guest->proof);
  guest->proof = identities_row (guest->id, guest->invite, guest->key,
                                 json_object_get (request->message, "key"), proven);
  json_decref (guest->identity);
  guest->identity = g_steal_pointer (&proven->identity);
  g_free (guest->fingerprint);
  guest->fingerprint = g_steal_pointer (&proven->fingerprint);
  g_free (guest->name);
  guest->name = g_strdup (name);
}

static gboolean
is_proven_enough (const Station *station, const Invite *invite, const Guest *guest,
                  const Proven *proven)
{
  return !station->config->specialists_proven || !g_str_equal (invite->role, "specialist")
         || proven != NULL || (guest != NULL && guest->identity != NULL);
}

/* Once the secret is right and the key is proven. proven NULL: nobody signed in. */
static void
join_with_key (Request *request, const Pass *pass, Proven *proven)
{
  Consult *consult = pass->consult;
  Guest *guest = consult_guest_by_key (consult, pass->invite->id, pass->key);
  json_auto_t *about = NULL;
  if (!pass->other && was_in (guest)) {
    come_back (request, consult, guest);
    return;
  }
  if (!is_proven_enough (request->station, pass->invite, guest, proven)) {
    identities_refuse_unproven (request);
    return;
  }
  if (!visits_take_about (request, pass, &about))
    return;
  guest = guest_who_waits (request, pass, guest, proven);
  if (guest == NULL)
    return;
  json_decref (guest->about);
  guest->about = g_steal_pointer (&about);
  if (proven != NULL)
    take_proven (request, guest, proven);
  guest->state = GUEST_LOBBY;
  guest->other = pass->other;
  wait_in_lobby (request, consult, guest);
}

static void join (Request *request);

/* Some time has passed: the invitation may be over. */
static void
join_proven (Request *request, Proven *proven)
{
  g_auto (Pass) pass = { 0 };
  if (pass_check (request, &pass) && pass_check_pin (request, &pass, join))
    join_with_key (request, &pass, proven);
}

static void
join (Request *request)
{
  g_auto (Pass) pass = { 0 };
  if (!pass_check (request, &pass) || !pass_check_pin (request, &pass, join))
    return;
  const Guest *guest = consult_guest_by_key (pass.consult, pass.invite->id, pass.key);
  if (was_in (guest) || json_object_get (request->message, "identity") == NULL)
    join_with_key (request, &pass, NULL);
  else
    identities_check (request, pass.invite->id, pass.key, join_proven);
}

/* The page is not in yet, but holds an invitation: its browser may begin with what takes it time.
 */
static void
reserve (Request *request)
{
  gboolean loopback;
  g_auto (Pass) pass = { 0 };
  if (!request_flag (request, "loopback", &loopback) || !pass_check (request, &pass))
    return;
  if (!pass_is_bound (&pass)) {
    request_refuse (request, "pin-wanted");
    return;
  }
  Client *client = request->client;
  Room *room = request->station->room;
  const Guest *guest = consult_guest_by_key (pass.consult, pass.invite->id, pass.key);
  if (room == NULL)
    request_refuse (request, "not-ready");
  else if (!room_reserve_peer (room, client, loopback && client->loopback, was_in (guest)))
    request_refuse (request, "busy");
  else
    request_ok (request, json_pack ("{s:s}", "role", pass.invite->role));
}

/* ---- The rest
 * --------------------------------------------------------------------------------------- */

static void
forget_guest (Client *client, gboolean left)
{
  Station *station = client->station;
  Consult *consult = station_consult (station, client->consult);
  Guest *guest
      = consult != NULL && client->guest != NULL ? consult_guest (consult, client->guest) : NULL;
  g_clear_pointer (&client->guest, g_free);
  g_clear_pointer (&client->consult, g_free);
  if (guest == NULL || guest->client != client)
    return;
  guest->client = NULL;
  if (guest->state == GUEST_LOBBY) {
    consult_drop_guest (consult, guest);
  } else if (left) {
    if (station->room != NULL)
      room_end_label (station->room, guest->id);
    station_event (station, consult->id, "station", "guest-left", guest->name);
  }
  guests_media_changed (station);
  station_changed (station);
}

static void
leave (Request *request)
{
  forget_guest (request->client, TRUE);
  request_ok (request, NULL);
}

static void
ping (Request *request)
{
  request_ok (request, NULL);
}

static const Message messages[] = {
  { "ping", ping, FALSE },
  { "join", join, FALSE },
  { "media.reserve", reserve, FALSE },
  { "enrol.begin", enrol_begin, FALSE },
  { "enrol.passkey", enrol_passkey, FALSE },
  { "enrol.password", enrol_password, FALSE },
  { "invite.open", visits_invite_open, FALSE },
  { "link.probe", visits_link_probe, FALSE },
  { "code.differs", comparing_page_differs, TRUE },
  { "leave", leave, TRUE },
  { "log.head", witnesses_head, TRUE },
  { "opinion.confirm", opinion_confirm, TRUE },
  { "media.start", media_start, TRUE },
  { "media.answer", media_answer, TRUE },
  { "media.candidate", media_candidate, TRUE },
  { "media.renegotiate", media_renegotiate, TRUE },
  { "media.stop", media_stop, TRUE },
  { "media.own", media_own, TRUE },
};

void
join_receive (Client *client, json_t *body)
{
  const char *type = json_string_value (json_object_get (body, "type"));
  g_autofree char *user
      = client->guest != NULL ? g_strconcat ("guest:", client->guest, NULL) : NULL;
  g_autoptr (Request) request = request_new (client, body, user);
  for (guint i = 0; i < G_N_ELEMENTS (messages); i++) {
    if (!g_str_equal (messages[i].type, type))
      continue;
    if (messages[i].joined && client->guest == NULL)
      request_refuse (request, "out-of-place");
    else
      messages[i].handle (request);
    return;
  }
  request_refuse (request, "bad-message");
}

void
join_gone (Client *client)
{
  if (client->station->room != NULL)
    room_leave_peer (client->station->room, client);
  forget_guest (client, FALSE);
}
