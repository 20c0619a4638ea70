/* The console's messages that open and close the vault, and that prove who is there. */
#include "station/console_private.h"
#include "records/vault_way.h"
#include "station/deliveries.h"
#include "station/patient_find.h"
#include "station/stamping.h"
#include "station/station.h"

#include <gio/gio.h>
#include <openssl/crypto.h>
#include <string.h>

#define PASSPHRASE_MAX 1024

void
console_session_opened (Station *station, Session *session)
{
  session->unlocked = TRUE;
  patient_index_catch_up (station);
  session->active_us = g_get_monotonic_time ();
  station_changed (station);
  stamping_unlocked (station->stamping);
  deliveries_unlocked (station->deliveries);
  deliveries_wake (station->deliveries);
}

typedef struct Unlock Unlock;
/* open: VK is open now. */
typedef void (*UnlockDone) (const Unlock *unlock, gboolean open, const GError *error);

struct Unlock {
  Request *request;
  char *user, *passphrase;
  UnlockDone done;
  ConsoleProven proven; /* of console_prove() */
};

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
  unlock->done (unlock, open, error);
}

/* Tries the passphrase of the request's user in a worker thread. */
static void
try_passphrase (Request *request, const char *passphrase, UnlockDone done, ConsoleProven proven)
{
  Unlock *unlock = g_new0 (Unlock, 1);
  unlock->request = request;
  unlock->user = g_strdup (request->user);
  unlock->passphrase = g_strdup (passphrase);
  unlock->done = done;
  unlock->proven = proven;
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, unlock_finished, request_ref (request));
  g_task_set_task_data (task, unlock, unlock_free);
  g_task_run_in_thread (task, unlock_thread);
}

/* It was opened only to prove a passphrase: closed unless somebody works with it. */
static void
vault_used (Request *request)
{
  deliveries_unlocked (request->station->deliveries);
  if (!sessions_any_unlocked (request->station->sessions))
    vault_lock (request->station->vault);
}

static void
unlocked (const Unlock *unlock, gboolean open, const GError *error)
{
  Request *request = unlock->request;
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
    vault_used (request);
    request_refuse (request, "not-signed-in");
    return;
  }
  console_session_opened (request->station, session);
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
    try_passphrase (request, passphrase, unlocked, NULL);
}

/* ---- By another way than a passphrase
 * -------------------------------------------------------------------------------
 */

typedef struct {
  Request *request;
  char *user, *way;
  GBytes *secret;
  ConsoleOpened done;
  void *arg;
} WayOpening;

static void
way_opening_free (void *data)
{
  WayOpening *opening = data;
  g_bytes_unref (opening->secret);
  g_free (opening->user);
  g_free (opening->way);
  g_free (opening);
}

static void
way_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const WayOpening *opening = data;
  Station *station = opening->request->station;
  GError *error = NULL;
  if (vault_way_unlock (station->vault, opening->user, opening->way, opening->secret, &error)
      && store_repair (station->store, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
way_finished (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  const WayOpening *opening = g_task_get_task_data (G_TASK (result));
  Session *session = request->client->session;
  request->station->pending--;
  if (g_task_propagate_boolean (G_TASK (result), &error)) {
    if (session != NULL && g_str_equal (session->user, opening->user))
      console_session_opened (request->station, session);
    else
      vault_used (request);
  }
  opening->done (request, error, opening->arg);
}

void
console_open_by (Request *request, const char *user, const char *way, GBytes *secret,
                 ConsoleOpened done, void *arg)
{
  WayOpening *opening = g_new0 (WayOpening, 1);
  *opening
      = (WayOpening){ request, g_strdup (user), g_strdup (way), g_bytes_ref (secret), done, arg };
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, way_finished, request_ref (request));
  g_task_set_task_data (task, opening, way_opening_free);
  g_task_run_in_thread (task, way_thread);
}

void
console_lock (Request *request)
{
  request->client->session->unlocked = FALSE;
  vault_used (request);
  station_changed (request->station);
  request_ok (request, NULL);
}

/* ---- Who did it -------------------------------------------------------------------------------
 */

typedef struct {
  Request *request;
  ConsoleProven proven;
} Proof;

static void
proof_judged (PinVerdict verdict, guint tries_left, guint seconds, void *arg)
{
  g_autofree Proof *proof = arg;
  g_autoptr (Request) request = proof->request;
  if (verdict == PIN_GOOD)
    proof->proven (request);
  else
    console_refuse_pin (request, verdict, tries_left, seconds);
}

static void
passphrase_judged (const Unlock *unlock, gboolean open, const GError *error)
{
  if (!open) {
    request_refuse_with (unlock->request, "not-allowed", "Mật khẩu không đúng.",
                         "The passphrase is wrong.", NULL);
    return;
  }
  vault_used (unlock->request);
  unlock->proven (unlock->request);
}

void
console_prove (Request *request, const char *pin, const char *passphrase, const char *wanted,
               ConsoleProven proven)
{
  const Station *station = request->station;
  if (passphrase != NULL && *passphrase != '\0'
      && vault_has_passphrase (station->vault, request->user)) {
    try_passphrase (request, passphrase, passphrase_judged, proven);
  } else if (pin != NULL && *pin != '\0') {
    Proof *proof = g_new (Proof, 1);
    *proof = (Proof){ request_ref (request), proven };
    users_check_pin (station->users, request->user, pin, proof_judged, proof);
  } else {
    request_bad (request, "pin", wanted);
  }
}
