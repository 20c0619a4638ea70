/* The console's messages about who sits in front of it: sign-in and resume. */
#include "station/console_private.h"
#include "station/roles.h"
#include "station/room.h"
#include "station/station.h"
#include "station/view.h"
#include "records/vault_way.h"

#include <string.h>

/* The page has somebody new, or somebody back. */
static void
take_session (Client *client, Session *session)
{
  if (session->client != NULL && session->client != client) {
    session->client->session = NULL;
    client_send (session->client,
                 json_pack ("{s:s, s:s}", "type", "signed-out", "reason", "elsewhere"));
  }
  session->client = client;
  client->session = session;
  if (client->station->room != NULL) {
    /* Who may not see patients takes over no picture and sound of the one before. */
    if (!(roles_of (client->station, session->user) & ROLE_CLINIC))
      room_stop_peer (client->station->room, client);
    const char *label = room_label (client->station->room, client);
    if (label == NULL) {
      room_adopt_peer (client->station->room, client, session->label);
    } else {
      g_free (session->label);
      session->label = g_strdup (label);
    }
  }
  station_returned (client->station, session->user);
  station_changed (client->station);
}

/* Who sat here before gives way: signed out, the vault closed when nobody else needs it. */
static void
leave_session (Client *client)
{
  Station *station = client->station;
  Session *session = client->session;
  client->session = NULL;
  session->client = NULL;
  session->unlocked = FALSE;
  if (!sessions_any_unlocked (station->sessions))
    vault_lock (station->vault);
  station_changed (station);
}

void
console_lock_idle (Client *client)
{
  Session *session = client->session;
  leave_session (client);
  sessions_end (client->station->sessions, session, NULL, NULL);
  client_send (client, json_pack ("{s:s, s:s}", "type", "signed-out", "reason", "idle"));
}

void
console_active (Request *request)
{
  request->client->session->active_us = g_get_monotonic_time ();
  request_ok (request, NULL);
}

/* opened: NULL when it is not told. */
static void
answer_session (Request *request, const Session *session, const char *token, const char *opened)
{
  const User *user = users_find (request->station->users, session->user);
  request_ok (request,
              json_pack ("{s:s, s:o, s:s*}", "session", token, "user",
                         user != NULL ? user_to_json (user, request->station->vault) : json_null (),
                         "opened", opened));
  client_send (request->client, view_state (request->station, session));
}

typedef struct {
  Request *request;
  char *way, *token;
  GBytes *secret;
  gboolean joins;
} Entering;

static void
entering_free (Entering *entering)
{
  request_unref (entering->request);
  g_clear_pointer (&entering->secret, g_bytes_unref);
  g_free (entering->way);
  g_free (entering->token);
  g_free (entering);
}

/* The session may be gone meanwhile: another page took it, or it was locked. */
static void
entered (Request *request, const GError *error, void *arg)
{
  Entering *entering = arg;
  Session *session = sessions_find (request->station->sessions, entering->token);
  if (error != NULL)
    g_message ("console: a key did not open the vault: %s", error->message);
  if (session == NULL || session->client != request->client)
    request_refuse (request, "not-signed-in");
  else
    answer_session (request, session, entering->token, error == NULL ? "key" : "no");
  entering_free (entering);
}

static void
opens_or_joins (Entering *entering, Session *session)
{
  Request *request = entering->request;
  Station *station = request->station;
  gboolean sees_patients = (roles_of (station, session->user) & ROLE_CLINIC) != 0;
  if (sees_patients && entering->secret != NULL
      && vault_way_exists (station->vault, session->user, entering->way)) {
    console_open_by (request, session->user, entering->way, entering->secret, entered, entering);
    return;
  }
  gboolean joins = entering->joins && sees_patients && vault_is_open (station->vault)
                   && vault_has_passphrase (station->vault, session->user);
  if (joins)
    console_session_opened (station, session);
  answer_session (request, session, entering->token, joins ? "joined" : "no");
  entering_free (entering);
}

static void
session_issued (Session *session, const char *token, void *arg)
{
  Entering *entering = arg;
  Request *request = entering->request;
  Client *client = request->client;
  request->station->pending--;
  if (session == NULL || client->events == NULL) {
    if (session == NULL)
      request_refuse (request, "disk");
    else /* the page went away meanwhile; nobody has the token */
      sessions_end (request->station->sessions, session, NULL, NULL);
    entering_free (entering);
    return;
  }
  Session *before = client->session;
  if (before != NULL) {
    leave_session (client);
    sessions_end (request->station->sessions, before, NULL, NULL);
  }
  take_session (client, session);
  entering->token = g_strdup (token);
  opens_or_joins (entering, session);
}

void
console_enter (Request *request, const ConsoleEntry *entry)
{
  Entering *entering = g_new0 (Entering, 1);
  *entering = (Entering){ .request = request_ref (request),
                          .way = g_strdup (entry->way),
                          .secret = entry->secret != NULL ? g_bytes_ref (entry->secret) : NULL,
                          .joins = entry->joins };
  request->station->pending++;
  sessions_issue (request->station->sessions, entry->user, NULL, session_issued, entering);
}

void
console_refuse_pin (Request *request, PinVerdict verdict, guint tries_left, guint seconds)
{
  switch (verdict) {
  case PIN_WRONG:
    request_refuse_with (request, "wrong-pin", "Mã PIN không đúng.", "The PIN is wrong.",
                         json_pack ("{s:i}", "tries_left", (int)tries_left));
    break;
  case PIN_LOCKED_OUT:
    request_refuse_with (request, "locked-out", "Sai mã PIN quá nhiều lần. Hãy chờ rồi thử lại.",
                         "Too many wrong PINs. Wait, then try again.",
                         json_pack ("{s:i}", "seconds", (int)seconds));
    break;
  case PIN_BUSY:
    request_refuse (request, "busy");
    break;
  case PIN_UNABLE:
    request_refuse_with (
        request, "chip",
        "Chip bảo mật (TPM) của máy không kiểm tra được mã PIN: chip đang khóa vì sai nhiều lần, "
        "hoặc không phải máy đã đặt mã. Hãy đăng nhập bằng cụm mật khẩu.",
        "This computer's security chip (TPM) cannot check the PIN: it is locked after wrong ones, "
        "or this is not the computer where the PIN was set. Sign in by passphrase.",
        NULL);
    break;
  case PIN_GOOD:
  case PIN_FAILED:
    request_refuse (request, "failed");
    break;
  }
}

static void
pin_judged (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  g_autoptr (Request) request = arg;
  if (verdict != PIN_GOOD) {
    console_refuse_pin (request, verdict, tries_left, seconds);
    return;
  }
  g_autoptr (GBytes) secret = users_take_secret (request->station->users);
  const ConsoleEntry entry
      = { .user = json_string_value (json_object_get (request->message, "user")),
          .way = USERS_TPM_WAY,
          .secret = secret };
  console_enter (request, &entry);
}

/* It was opened to judge only; the page opens it by `unlock`, once it has a session. */
static void
passphrase_judged (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  Request *request = arg;
  if (verdict == PIN_GOOD) {
    if (!sessions_any_unlocked (request->station->sessions))
      vault_lock (request->station->vault);
    pin_judged (verdict, tries_left, seconds, request);
    return;
  }
  if (verdict == PIN_WRONG)
    request_refuse_with (request, "not-allowed", "Mật khẩu không đúng.", "The passphrase is wrong.",
                         json_pack ("{s:i}", "tries_left", (int)tries_left));
  else
    console_refuse_pin (request, verdict, tries_left, seconds);
  request_unref (request);
}

void
console_sign_in (Request *request)
{
  const char *user, *pin, *passphrase;
  if (!request_id (request, "user", REQUIRED, &user)
      || !request_text (request, "passphrase", OPTIONAL, 1024, &passphrase)
      || !request_text (request, "pin", passphrase != NULL ? OPTIONAL : REQUIRED, 32, &pin))
    return;
  const User *known = users_find (request->station->users, user);
  if (known == NULL || !user_is_of_console (known)) {
    request_refuse (request, "no-such");
    return;
  }
  if (passphrase == NULL)
    users_check_pin (request->station->users, user, pin, pin_judged, request_ref (request));
  else if (vault_has_passphrase (request->station->vault, user))
    users_check_passphrase (request->station->users, user, passphrase, passphrase_judged,
                            request_ref (request));
  else
    request_refuse_with (request, "not-allowed", "Người dùng này không có mật khẩu.",
                         "This user has no passphrase.", NULL);
}

void
console_resume (Request *request)
{
  const char *token;
  if (!request_id (request, "session", REQUIRED, &token))
    return;
  Session *session = sessions_find (request->station->sessions, token);
  if (session == NULL || users_find (request->station->users, session->user) == NULL) {
    request_refuse (request, "not-signed-in");
    return;
  }
  if (request->client->session != NULL && request->client->session != session)
    leave_session (request->client);
  take_session (request->client, session);
  answer_session (request, session, token, NULL);
}

static void
signed_out (gint64 seq, const GError *error, void *arg)
{
  g_autoptr (Request) request = arg;
  request->station->pending--;
  if (error != NULL)
    request_failed (request, error);
  else
    request_ok (request, NULL);
  if (request->client->session == NULL)
    client_send (request->client,
                 json_pack ("{s:s, s:s}", "type", "signed-out", "reason", "ended"));
}

void
console_sign_out (Request *request)
{
  Session *session = request->client->session;
  leave_session (request->client);
  request->station->pending++;
  sessions_end (request->station->sessions, session, signed_out, request_ref (request));
}
