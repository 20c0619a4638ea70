/* What a desk does about calls and cases: docs/protocol.md, Desk page. */
#include "certs/browser_key.h"
#include "station/calls/calls.h"
#include "station/calls/desk_private.h"
#include "station/guests.h"
#include "station/identities.h"

#define TEXT_MAX 500
#define ANSWER_MAX 20000

static void
refuse_code (Request *request, const char *code)
{
  if (g_str_equal (code, "taken"))
    request_refuse_with (request, "out-of-place", "Bác sĩ khác đã nhận cuộc gọi này.",
                         "Another specialist has accepted this call.", NULL);
  else if (g_str_equal (code, "no-such"))
    request_refuse_with (request, "no-such", "Cuộc gọi này không còn, hoặc không còn ai đang trực.",
                         "This call is no more, or nobody else is on duty.", NULL);
  else
    request_refuse (request, code);
}

static void
done (Station *station, const char *code, void *arg)
{
  g_autoptr (Request) request = arg;
  if (code != NULL)
    refuse_code (request, code);
  else
    request_ok (request, NULL);
}

static Call *
call_of (Request *request, Consult **ret_consult)
{
  const char *id;
  if (!request_id (request, "call", REQUIRED, &id))
    return NULL;
  Call *call
      = calls_of_person (request->station, desk_person (request->client->desk), id, ret_consult);
  if (call == NULL)
    refuse_code (request, "no-such");
  return call;
}

/* input.who is filled in. */
static void
act (Request *request, const Consult *consult, const Call *call, CallInput input, const char *key,
     CallDone then, void *arg)
{
  g_autofree char *user
      = g_strconcat (DESK_USER_PREFIX, desk_person (request->client->desk)->id, NULL);
  input.who = desk_person (request->client->desk);
  CallAct one = { .input = input,
                  .consult = consult->id,
                  .call = call->id,
                  .user = user,
                  .key = key,
                  .about = key != NULL ? desk_about (request->client->desk) : NULL,
                  .done = then,
                  .arg = arg };
  calls_act (request->station->calls, &one);
}

static void
act_plainly (Request *request, const Consult *consult, const Call *call, CallInput input)
{
  act (request, consult, call, input, NULL, done, request_ref (request));
}

typedef struct {
  Request *request;
  char *invite;
} Accepting;

/* The link once more, for a page that was not told it while it rang. */
static void
accepted (Station *station, const char *code, void *arg)
{
  Accepting *accepting = arg;
  Consult *consult = NULL;
  const char *id = json_string_value (json_object_get (accepting->request->message, "call"));
  const CallPerson *person = desk_person (accepting->request->client->desk);
  const Call *call = person != NULL ? calls_of_person (station, person, id, &consult) : NULL;
  const Invite *invite = call != NULL && accepting->invite != NULL
                             ? consult_invite (consult, accepting->invite)
                             : NULL;
  if (code != NULL) {
    refuse_code (accepting->request, code);
  } else if (invite != NULL) {
    g_autofree char *link = invite_link (station, invite);
    request_ok (accepting->request, json_pack ("{s:s, s:s}", "invite", invite->id, "link", link));
  } else {
    request_ok (accepting->request, NULL);
  }
  desk_accepted (accepting->request->client, code == NULL);
  request_unref (accepting->request);
  g_free (accepting->invite);
  g_free (accepting);
}

/* The key by which they come in (transfer full); of who has proven who they are it is the one that
 * the proof is bound to. NULL: refused. */
static char *
key_of (Request *request)
{
  const json_t *about = desk_about (request->client->desk);
  g_autofree char *key = browser_key_hash (json_object_get (request->message, "key"));
  if (key == NULL)
    request_bad (request, "key", "wants the browser's public key, as for join");
  else if (about == NULL
           || g_strcmp0 (json_string_value (json_object_get (about, "key")), key) == 0)
    return g_steal_pointer (&key);
  else
    identities_refuse (request, "unbound");
  return NULL;
}

void
desk_call_accept (Request *request)
{
  Consult *consult = NULL;
  const Call *call = call_of (request, &consult);
  g_autofree char *key = NULL;
  if (call == NULL)
    return;
  if (call->state != CALL_LATER) {
    key = key_of (request);
    if (key == NULL)
      return;
  }
  desk_accepting (request->client);
  Accepting *accepting = g_new0 (Accepting, 1);
  accepting->request = request_ref (request);
  accepting->invite = key != NULL ? g_strdup (call->invite) : NULL;
  act (request, consult, call, (CallInput){ .kind = CALL_INPUT_ACCEPT }, key, accepted, accepting);
}

void
desk_call_decline (Request *request)
{
  const char *reason, *text;
  Consult *consult = NULL;
  const Call *call = call_of (request, &consult);
  if (call == NULL || !request_word (request, "reason", REQUIRED, call_reasons, &reason)
      || !request_text (request, "text", g_str_equal (reason, "other") ? REQUIRED : OPTIONAL,
                        TEXT_MAX, &text))
    return;
  CallInput input = { .kind = CALL_INPUT_DECLINE, .word = reason, .text = text };
  act_plainly (request, consult, call, input);
}

void
desk_call_hand_over (Request *request)
{
  const char *to;
  Consult *consult = NULL;
  const Call *call = call_of (request, &consult);
  if (call == NULL || !request_text (request, "to", OPTIONAL, 200, &to))
    return;
  act_plainly (request, consult, call, (CallInput){ .kind = CALL_INPUT_HAND_OVER, .word = to });
}

void
desk_call_end (Request *request)
{
  Consult *consult = NULL;
  const Call *call = call_of (request, &consult);
  if (call != NULL)
    act_plainly (request, consult, call, (CallInput){ .kind = CALL_INPUT_END });
}

void
desk_case_answer (Request *request)
{
  const char *text;
  Consult *consult = NULL;
  const Call *call = call_of (request, &consult);
  if (call != NULL && request_text (request, "text", REQUIRED, ANSWER_MAX, &text))
    act_plainly (request, consult, call, (CallInput){ .kind = CALL_INPUT_ANSWER, .text = text });
}
