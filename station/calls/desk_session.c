/* Sessions of specialists at a desk, good for a desk alone: of a named user of role `specialist`,
 * by a PIN, or of who has proven who they are. */
#include "station/calls/calls.h"
#include "station/calls/desk_private.h"
#include "station/console_private.h"
#include "station/session.h"

#include <string.h>

static const User *
specialist (const Station *station, const char *id)
{
  const User *user = users_find (station->users, id);
  return user != NULL && g_str_equal (user->role, "specialist") ? user : NULL;
}

/* Who a session is of (transfer full); NULL: nobody any more. */
static CallPerson *
person_of_session (const Station *station, const Session *session)
{
  if (session == NULL || !g_str_has_prefix (session->user, DESK_USER_PREFIX))
    return NULL;
  const char *id = session->user + strlen (DESK_USER_PREFIX);
  if (session->about != NULL)
    return desk_proven_person (station, id, session->about);
  const User *user = specialist (station, id);
  return user != NULL ? call_person_new (user->id, user->name, "", NULL) : NULL;
}

/* The page keeps the token; the station keeps it with the desk, to end the session by.
 * Client.session stays NULL: that is the console's, and what hangs on it is not a specialist's. */
static void
take_session (Request *request, const Session *session, const char *token)
{
  CallPerson *person = person_of_session (request->station, session);
  if (person == NULL) {
    request_refuse (request, "not-signed-in");
    return;
  }
  request_ok (request, json_pack ("{s:s, s:{s:s, s:s, s:s, s:b}}", "session", token, "user", "id",
                                  person->id, "name", person->name, "role", "specialist", "proven",
                                  session->about != NULL));
  desk_identify (request->client, person);
  desk_keep_session (request->client->desk, token, session->about);
  call_person_free (person);
}

static void
session_issued (Session *session, const char *token, void *arg)
{
  g_autoptr (Request) request = arg;
  request->station->pending--;
  if (session == NULL)
    request_refuse (request, "disk");
  else if (request->client->events == NULL) /* the page went away; nobody has the token */
    sessions_end (request->station->sessions, session, NULL, NULL);
  else
    take_session (request, session, token);
}

void
desk_begin_session (Request *request, const char *user, json_t *about)
{
  request->station->pending++;
  sessions_issue (request->station->sessions, user, about, session_issued, request_ref (request));
}

static void
pin_judged (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  g_autoptr (Request) request = arg;
  if (verdict != PIN_GOOD) {
    console_refuse_pin (request, verdict, tries_left, seconds);
    return;
  }
  g_autofree char *user = g_strconcat (
      DESK_USER_PREFIX, json_string_value (json_object_get (request->message, "user")), NULL);
  desk_begin_session (request, user, NULL);
}

void
desk_sign_in (Request *request)
{
  const char *user, *pin;
  if (json_object_get (request->message, "identity") != NULL) {
    desk_sign_in_proven (request);
    return;
  }
  if (!request_id (request, "user", REQUIRED, &user)
      || !request_text (request, "pin", REQUIRED, 32, &pin))
    return;
  if (specialist (request->station, user) == NULL)
    request_refuse (request, "no-such");
  else
    users_check_pin (request->station->users, user, pin, pin_judged, request_ref (request));
}

void
desk_resume (Request *request)
{
  const char *token;
  if (!request_id (request, "session", REQUIRED, &token))
    return;
  take_session (request, sessions_find (request->station->sessions, token), token);
}

static void
signed_out (gint64 seq, const GError *error, void *arg)
{
  Request *request = arg;
  request->station->pending--;
  request_stored (seq, error, request);
}

void
desk_sign_out (Request *request)
{
  Client *client = request->client;
  Sessions *sessions = request->station->sessions;
  const char *token = desk_token (client->desk);
  Session *session = token != NULL ? sessions_find (sessions, token) : NULL;
  desk_identify (client, NULL);
  if (session == NULL) { /* another carrier's: it knows when somebody leaves */
    request_ok (request, NULL);
    return;
  }
  request->station->pending++;
  sessions_end (sessions, session, signed_out, request_ref (request));
}
