#include "station/pass.h"
#include "certs/browser_key.h"
#include "station/clock.h"
#include "station/guests.h"
#include "station/proof.h"
#include "station/text.h"
#include "station/visits.h"

#define SOCKET_FAILURES_MAX 10

void
pass_clear (Pass *pass)
{
  g_free (pass->key);
}

static void
count_failure (Client *client)
{
  if (++client->failures >= SOCKET_FAILURES_MAX)
    client_close (client);
}

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

/* ---- What is over ------------------------------------------------------------------------ */

/* Why this invitation opens nothing (a code); NULL when it does. */
static const char *
invite_is_over (Station *station, const Consult *consult, const Invite *invite)
{
  if (invite->state == INVITE_BURNT)
    return "invite-burnt";
  if (invite->state == INVITE_REVOKED || invite->state == INVITE_EXPIRED)
    return "invite-expired";
  if (invite->state == INVITE_ENDED)
    return "invite-used";
  if (consult_is_planned (consult)) {
    VisitTime time = visit_time (station, consult);
    return time == VISIT_EARLY ? "invite-early" : time == VISIT_LATE ? "invite-expired" : NULL;
  }
  if (consult->state == CONSULT_CANCELLED)
    return "invite-cancelled";
  if (consult->state != CONSULT_LIVE && consult->state != CONSULT_INTERRUPTED)
    return invite->pin != NULL ? "invite-used" : "invite-expired";
  return NULL;
}

/* Too early: when it opens is what the patient wants to know. */
static void
refuse_early (Request *request, const Consult *consult)
{
  const ConfigVisits *config = &request->station->config->visits;
  gint64 opens_us, closes_us;
  visit_window (consult->appointment, config->early_minutes, config->late_minutes, &opens_us,
                &closes_us);
  g_autofree char *opens = clock_text (opens_us), *when = visit_when (opens_us);
  g_autofree char *vi
      = g_strdup_printf ("Chưa đến giờ hẹn. Hãy mở lại đường dẫn này từ lúc %s.", when);
  g_autofree char *en
      = g_strdup_printf ("It is too early. Open this link again from %s on.", opens);
  request_refuse_with (request, "invite-early", vi, en, json_pack ("{s:s}", "opens", opens));
}

static void
refuse_over (Request *request, const Consult *consult, const char *code)
{
  if (g_str_equal (code, "invite-early"))
    refuse_early (request, consult);
  else
    request_refuse (request, code);
}

/* Of an invitation that no consultation at hand knows. */
static void
refuse_unknown (Request *request, const char *id, const char *secret)
{
  const char *code = visits_over_code (request->station, id, secret);
  if (!g_str_equal (code, "no-such")) {
    request_refuse (request, code);
    return;
  }
  request_refuse_with (request, code,
                       "Trạm này không có lời mời đó. Có thể đường dẫn là của trạm khác, hoặc chép "
                       "thiếu: hãy mở lại "
                       "đúng đường dẫn trong tin nhắn, hoặc gọi cho trạm đã hẹn bạn.",
                       "This station knows no such invitation. The link may be another station's, "
                       "or not whole: open "
                       "the link of the message again, or call the station that invited you.",
                       NULL);
  count_failure (request->client);
}

/* ---- Wrong secrets and PINs ---------------------------------------------------------------- */

typedef struct {
  Request *request;
  gboolean pin;
  guint left;
} Wrong;

static void
refuse_wrong (const Wrong *wrong)
{
  Request *request = wrong->request;
  if (!wrong->pin) {
    request_refuse (request, "not-allowed");
  } else if (wrong->left == 0) {
    request_refuse (request, "invite-burnt");
  } else {
    g_autofree char *vi = g_strdup_printf (
        "Mã PIN không đúng. Còn %u lần thử, sau đó đường dẫn bị hủy.", wrong->left);
    g_autofree char *en
        = g_strdup_printf ("The PIN is wrong. %u more tries, then the link is burnt.", wrong->left);
    request_refuse_with (request, "wrong-pin", vi, en,
                         json_pack ("{s:i}", "tries_left", (int)wrong->left));
  }
}

static void
wrong_is_durable (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Wrong *wrong = arg;
  if (error != NULL)
    request_failed (wrong->request, error);
  else
    refuse_wrong (wrong);
  count_failure (wrong->request->client);
  request_unref (wrong->request);
  g_free (wrong);
}

/* Counted on the disk before it is answered: a restart gives nobody five more. */
static void
count_wrong (Request *request, Consult *consult, Invite *invite, gboolean pin)
{
  Wrong *wrong = g_new0 (Wrong, 1);
  guint count = ++invite->wrong;
  *wrong = (Wrong){ request_ref (request), pin,
                    count < INVITE_WRONG_MAX ? INVITE_WRONG_MAX - count : 0 };
  if (count >= INVITE_WRONG_MAX) {
    invite->state = INVITE_BURNT;
    station_event (request->station, consult->id, "station", "invite-burnt", invite->name);
  }
  station_write (request->station, consult->id, "invite", "station",
                 invite_body (invite, invite_state_name (invite->state), count), wrong_is_durable,
                 wrong);
}

/* ---- The invitation ------------------------------------------------------------------------- */

/* The invitation that the message names, with the right secret; NULL: it has been refused. */
static Invite *
take_invite (Request *request, const char *id, const char *secret, Consult **ret_consult)
{
  Station *station = request->station;
  Invite *invite = find_invite (station, id, ret_consult);
  if (invite == NULL) {
    refuse_unknown (request, id, secret);
    return NULL;
  }
  /* One that is burnt or taken back counts no more. */
  if (invite->state == INVITE_BURNT || invite->state == INVITE_REVOKED) {
    request_refuse (request, invite_is_over (station, *ret_consult, invite));
    return NULL;
  }
  if (!proof_secret_equal (secret, invite->secret)) {
    count_wrong (request, *ret_consult, invite, FALSE);
    return NULL;
  }
  const char *over = invite_is_over (station, *ret_consult, invite);
  if (over == NULL)
    return invite;
  refuse_over (request, *ret_consult, over);
  return NULL;
}

gboolean
pass_check (Request *request, Pass *ret)
{
  const char *id, *secret, *signature;
  const Client *client = request->client;
  if (!request_id (request, "invite", REQUIRED, &id)
      || !request_id (request, "secret", REQUIRED, &secret)
      || !request_text (request, "signature", REQUIRED, 128, &signature))
    return FALSE;
  if (client->guest != NULL) {
    request_refuse (request, "out-of-place");
    return FALSE;
  }
  ret->invite = take_invite (request, id, secret, &ret->consult);
  if (ret->invite == NULL)
    return FALSE;
  g_autofree char *text = g_strdup_printf ("nhipcau-join-1\n%s\n%s", client->nonce, id);
  if (!browser_key_check (json_object_get (request->message, "key"), signature, text, &ret->key)) {
    request_bad (request, "signature", "does not fit the key and the nonce");
    return FALSE;
  }
  return TRUE;
}

gboolean
pass_is_bound (const Pass *pass)
{
  return pass->invite->pin == NULL || g_strcmp0 (pass->invite->bound, pass->key) == 0;
}

/* ---- The PIN ----------------------------------------------------------------------------------
 */

typedef struct {
  Request *request;
  char *invite;
  void (*then) (Request *request);
} Binding;

static void
bound (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Binding *binding = arg;
  Invite *invite = consult != NULL ? consult_invite (consult, binding->invite) : NULL;
  if (error != NULL) {
    if (invite != NULL)
      g_clear_pointer (&invite->bound, g_free);
    request_failed (binding->request, error);
  } else if (binding->request->client->events != NULL) {
    binding->then (binding->request);
  }
  request_unref (binding->request);
  g_free (binding->invite);
  g_free (binding);
}

/* In memory at once: of two browsers at the same moment one is the first. */
static void
bind_browser (Request *request, Pass *pass, void (*then) (Request *request))
{
  Binding *binding = g_new0 (Binding, 1);
  *binding = (Binding){ request_ref (request), g_strdup (pass->invite->id), then };
  pass->invite->bound = g_strdup (pass->key);
  station_write (request->station, pass->consult->id, "invite", "station",
                 invite_body (pass->invite, "armed", pass->invite->wrong), bound, binding);
}

gboolean
pass_check_pin (Request *request, Pass *pass, void (*then) (Request *request))
{
  const char *pin;
  if (pass_is_bound (pass))
    return TRUE;
  if (!request_text (request, "pin", OPTIONAL, 16, &pin))
    return FALSE;
  if (pin == NULL || *pin == '\0') {
    request_refuse (request, "pin-wanted");
    return FALSE;
  }
  if (!proof_secret_equal (pin, pass->invite->pin)) {
    count_wrong (request, pass->consult, pass->invite, TRUE);
    return FALSE;
  }
  pass->other = pass->invite->bound != NULL;
  if (pass->other)
    return TRUE;
  bind_browser (request, pass, then);
  return FALSE;
}
