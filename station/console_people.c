/* The console's messages about who sits in front of it: sign-in, resume, vault. */
#include "station/console_private.h"
#include "station/patient_find.h"
#include "station/deliveries.h"
#include "station/room.h"
#include "station/station.h"
#include "station/view.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <string.h>

#define PASSPHRASE_MAX 1024

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

static void
answer_session (Request *request, const Session *session, const char *token)
{
  const User *user = users_find (request->station->users, session->user);
  request_ok (request, json_pack ("{s:s, s:o}", "session", token, "user",
                                  user != NULL ? user_to_json (user, request->station->vault)
                                               : json_null ()));
  client_send (request->client, view_state (request->station, session));
}

static void
session_issued (Session *session, const char *token, void *arg)
{
  g_autoptr (Request) request = arg;
  Client *client = request->client;
  request->station->pending--;
  if (session == NULL) {
    request_refuse (request, "disk");
    return;
  }
  if (client->events == NULL) { /* the page went away meanwhile; nobody has the token */
    sessions_end (request->station->sessions, session, NULL, NULL);
    return;
  }
  Session *before = client->session;
  if (before != NULL) {
    leave_session (client);
    sessions_end (request->station->sessions, before, NULL, NULL);
  }
  take_session (client, session);
  answer_session (request, session, token);
}

static void
refuse_pin (Request *request, PinVerdict verdict, guint tries_left, guint seconds)
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
  case PIN_GOOD:
  case PIN_FAILED:
    request_refuse (request, "failed");
    break;
  }
}

void
console_refuse_pin (Request *request, PinVerdict verdict, guint tries_left, guint seconds)
{
  refuse_pin (request, verdict, tries_left, seconds);
}

static void
pin_judged (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  g_autoptr (Request) request = arg;
  if (verdict != PIN_GOOD) {
    refuse_pin (request, verdict, tries_left, seconds);
    return;
  }
  request->station->pending++;
  sessions_issue (request->station->sessions,
                  json_string_value (json_object_get (request->message, "user")), session_issued,
                  request_ref (request));
}

void
console_sign_in (Request *request)
{
  const char *user, *pin;
  if (!request_id (request, "user", REQUIRED, &user)
      || !request_text (request, "pin", REQUIRED, 32, &pin))
    return;
  if (users_find (request->station->users, user) == NULL) {
    request_refuse (request, "no-such");
    return;
  }
  users_check_pin (request->station->users, user, pin, pin_judged, request_ref (request));
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
  answer_session (request, session, token);
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

/* ---- The vault --------------------------------------------------------------------------------
 */

typedef struct {
  Request *request;
  char *user, *passphrase;
  ConsoleUnlocked done;
} Unlock;

static void
unlock_free (void *data)
{
  Unlock *unlock = data;
  OPENSSL_cleanse (unlock->passphrase, strlen (unlock->passphrase));
  g_free (unlock->passphrase);
  g_free (unlock->user);
  g_free (unlock);
}

static void
unlock_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Unlock *unlock = data;
  GError *error = NULL;
  Station *station = unlock->request->station;
  /* What a kill left behind and only this key can finish. */
  if (vault_unlock (station->vault, unlock->user, unlock->passphrase, &error)
      && store_repair (station->store, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
unlock_finished (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  const Unlock *unlock = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  gboolean open = g_task_propagate_boolean (G_TASK (result), &error);
  unlock->done (request, open, error);
}

void
console_try_passphrase (Request *request, const char *passphrase, ConsoleUnlocked done)
{
  Unlock *unlock = g_new0 (Unlock, 1);
  unlock->request = request;
  unlock->user = g_strdup (request->user);
  unlock->passphrase = g_strdup (passphrase);
  unlock->done = done;
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, unlock_finished, request_ref (request));
  g_task_set_task_data (task, unlock, unlock_free);
  g_task_run_in_thread (task, unlock_thread);
}

void
console_vault_used (Request *request)
{
  deliveries_unlocked (request->station->deliveries);
  if (!sessions_any_unlocked (request->station->sessions))
    vault_lock (request->station->vault);
}

static void
unlocked (Request *request, gboolean open, const GError *error)
{
  Session *session = request->client->session;
  if (!open) {
    if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_CREDENTIAL))
      request_refuse_with (request, "not-allowed", "Mật khẩu không đúng.",
                           "The passphrase is wrong.", NULL);
    else
      request_failed (request, error);
    return;
  }
  if (session == NULL || !g_str_equal (session->user, request->user)) {
    console_vault_used (request);
    request_refuse (request, "not-signed-in");
    return;
  }
  session->unlocked = TRUE;
  patient_index_catch_up (request->station);
  session->active_us = g_get_monotonic_time ();
  station_changed (request->station);
  deliveries_unlocked (request->station->deliveries);
  deliveries_wake (request->station->deliveries);
  request_ok (request, NULL);
}

void
console_unlock (Request *request)
{
  const char *passphrase;
  if (!request_text (request, "passphrase", REQUIRED, PASSPHRASE_MAX, &passphrase))
    return;
  if (!vault_has_passphrase (request->station->vault, request->user))
    request_refuse_with (request, "not-allowed", "Người dùng này không có mật khẩu.",
                         "This user has no passphrase.", NULL);
  else
    console_try_passphrase (request, passphrase, unlocked);
}

void
console_lock (Request *request)
{
  request->client->session->unlocked = FALSE;
  console_vault_used (request);
  station_changed (request->station);
  request_ok (request, NULL);
}
