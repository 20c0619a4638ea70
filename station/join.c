#include "station/join.h"
#include "station/guests.h"
#include "station/media_messages.h"
#include "station/proof.h"
#include "station/room.h"
#include "station/station.h"

#define WRONG_MAX 5
#define LOBBY_PER_INVITE 3
#define SOCKET_FAILURES_MAX 10

typedef struct {
  const char *type;
  void (*handle) (Request *request);
  gboolean joined; /* only after "join" */
} Message;

/* ---- "join"
 * -------------------------------------------------------------------------------------- */

static Invite *
find_invite (Station *station, const char *id, Consult **ret_consult)
{
  for (guint i = 0; i < station->consults->len; i++) {
    Consult *consult = station->consults->pdata[i];
    Invite *invite = consult_invite (consult, id);
    if (invite != NULL) {
      *ret_consult = consult;
      return invite;
    }
  }
  return NULL;
}

/* Why this invitation opens nothing (a code); NULL when it does. */
static const char *
invite_is_over (const Consult *consult, const Invite *invite)
{
  if (invite->state == INVITE_BURNT)
    return "invite-burnt";
  if (invite->state == INVITE_REVOKED || invite->state == INVITE_EXPIRED)
    return "invite-expired";
  if (invite->state == INVITE_ENDED)
    return "invite-used";
  if (consult->state != CONSULT_LIVE && consult->state != CONSULT_INTERRUPTED)
    return "invite-expired";
  return NULL;
}

static void
wrong_is_durable (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  Client *client = request->client;
  request_refuse (request, "not-allowed");
  if (++client->failures >= SOCKET_FAILURES_MAX)
    client_close (client);
}

/* Counted on the disk before it is answered: a restart gives nobody five more. */
static void
count_wrong (Request *request, Consult *consult, Invite *invite)
{
  guint wrong = ++invite->wrong;
  gboolean burnt = wrong >= WRONG_MAX;
  if (burnt) {
    invite->state = INVITE_BURNT;
    station_event (request->station, consult->id, "station", "invite-burnt", invite->name);
  }
  station_write (request->station, consult->id, "invite", "station",
                 invite_body (invite, invite_state_name (invite->state), wrong), wrong_is_durable,
                 request_ref (request));
}

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
  client_send (request->client, json_pack ("{s:s, s:i}", "type", "lobby", "position",
                                           (int)guest_position (consult, guest)));
  station_event (request->station, consult->id, "station", "guest-lobby", guest->name);
}

/* An invitation that opens, and the key of the browser that holds it. */
typedef struct {
  Consult *consult;
  Invite *invite;
  char *key;
} Pass;

static void
pass_clear (Pass *pass)
{
  g_free (pass->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pass, pass_clear)

/* FALSE: the message has been refused. */
static gboolean
check_pass (Request *request, Pass *ret)
{
  const char *id, *secret, *signature;
  Client *client = request->client;
  if (!request_id (request, "invite", REQUIRED, &id)
      || !request_id (request, "secret", REQUIRED, &secret)
      || !request_text (request, "signature", REQUIRED, 128, &signature))
    return FALSE;
  if (client->guest != NULL) {
    request_refuse (request, "out-of-place");
    return FALSE;
  }
  ret->invite = find_invite (request->station, id, &ret->consult);
  if (ret->invite == NULL) {
    request_refuse (request, "no-such");
    if (++client->failures >= SOCKET_FAILURES_MAX)
      client_close (client);
    return FALSE;
  }
  const char *over = invite_is_over (ret->consult, ret->invite);
  if (over != NULL) {
    request_refuse (request, over);
    return FALSE;
  }
  if (!proof_secret_equal (secret, ret->invite->secret)) {
    count_wrong (request, ret->consult, ret->invite);
    return FALSE;
  }
  g_autofree char *text = g_strdup_printf ("nhipcau-join-1\n%s\n%s", client->nonce, id);
  if (!proof_check (json_object_get (request->message, "key"), signature, text, &ret->key)) {
    request_bad (request, "signature", "does not fit the key and the nonce");
    return FALSE;
  }
  return TRUE;
}

static gboolean
was_in (const Guest *guest)
{
  return guest != NULL && guest->state != GUEST_LOBBY && guest->state != GUEST_REMOVED;
}

/* Once the secret is right and the key is proven. */
static void
join_with_key (Request *request, const Pass *pass)
{
  const char *name, *facility;
  Consult *consult = pass->consult;
  Invite *invite = pass->invite;
  const char *key = pass->key;
  Guest *guest = consult_guest_by_key (consult, invite->id, key);
  if (was_in (guest)) {
    come_back (request, consult, guest);
    return;
  }
  if (!request_text (request, "name", guest == NULL ? REQUIRED : OPTIONAL, 100, &name)
      || !request_text (request, "facility", OPTIONAL, 200, &facility))
    return;
  if (guest == NULL && lobby_of (consult, invite) < LOBBY_PER_INVITE)
    guest = consult_add_guest (consult, invite->id, invite->role, key, name,
                               facility != NULL ? facility : "");
  if (guest == NULL) {
    request_refuse (request, "busy");
    return;
  }
  guest->state = GUEST_LOBBY;
  wait_in_lobby (request, consult, guest);
}

static void
join (Request *request)
{
  g_auto (Pass) pass = { 0 };
  if (check_pass (request, &pass))
    join_with_key (request, &pass);
}

/* The page is not in yet, but holds an invitation: its browser may begin with what takes it time.
 */
static void
reserve (Request *request)
{
  gboolean loopback;
  g_auto (Pass) pass = { 0 };
  if (!request_flag (request, "loopback", &loopback) || !check_pass (request, &pass))
    return;
  Client *client = request->client;
  Room *room = request->station->room;
  const Guest *guest = consult_guest_by_key (pass.consult, pass.invite->id, pass.key);
  if (room == NULL)
    request_refuse (request, "not-ready");
  else if (!room_reserve_peer (room, client, loopback && client->loopback, was_in (guest)))
    request_refuse (request, "busy");
  else
    request_ok (request, NULL);
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
  { "leave", leave, TRUE },
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
