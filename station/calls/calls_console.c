/* The console's messages about calls. */
#include "station/calls/call_summary.h"
#include "station/calls/calls.h"

#include <string.h>

/* ---- Answers ------------------------------------------------------------------------------ */

static void
refuse_code (Request *request, const char *code)
{
  if (g_str_equal (code, "taken"))
    request_refuse_with (request, "out-of-place", "Đã có bác sĩ nhận cuộc gọi này.",
                         "A specialist has accepted this call already.", NULL);
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

static void
act (Request *request, const char *call, const CallInput *input)
{
  CallAct one = { .input = *input,
                  .consult = request->station->screen->id,
                  .call = call,
                  .user = request->user,
                  .done = done,
                  .arg = request_ref (request) };
  calls_act (request->station->calls, &one);
}

static void
act_plainly (Request *request, CallInputKind kind)
{
  const char *call;
  CallInput input = { .kind = kind };
  if (request_id (request, "call", REQUIRED, &call))
    act (request, call, &input);
}

void
calls_escalate (Request *request)
{
  act_plainly (request, CALL_INPUT_ESCALATE);
}

void
calls_again (Request *request)
{
  act_plainly (request, CALL_INPUT_AGAIN);
}

void
calls_end (Request *request)
{
  act_plainly (request, CALL_INPUT_END);
}

void
calls_cancel (Request *request)
{
  const char *call, *reason;
  if (!request_id (request, "call", REQUIRED, &call)
      || !request_text (request, "reason", OPTIONAL, 500, &reason))
    return;
  CallInput input = { .kind = CALL_INPUT_CANCEL, .text = reason };
  act (request, call, &input);
}

/* ---- Files of a case ----------------------------------------------------------------------- */

static gboolean
has_attachment (const Consult *consult, const json_t *id)
{
  size_t i;
  json_t *attachment;
  json_array_foreach (consult->attachments, i, attachment)
  {
    if (json_equal (json_object_get (attachment, "id"), id))
      return TRUE;
  }
  return FALSE;
}

/* FALSE: the request has been answered. */
static gboolean
files_are_good (Request *request, const json_t *files)
{
  size_t i;
  json_t *id;
  gboolean good
      = files == NULL || (json_is_array (files) && json_array_size (files) <= CALL_FILES_MAX);
  json_array_foreach (files, i, id)
  {
    good = good && json_is_string (id) && has_attachment (request->station->screen, id);
  }
  if (!good)
    request_bad (request, "files", "wants at most 40 ids of attachments of this consultation");
  return good;
}

void
calls_later (Request *request)
{
  const char *call;
  json_t *files = json_object_get (request->message, "files");
  if (!request_id (request, "call", REQUIRED, &call) || !files_are_good (request, files))
    return;
  CallInput input = { .kind = CALL_INPUT_LATER, .files = files };
  act (request, call, &input);
}

/* ---- Preview and request ------------------------------------------------------------------- */

/* NULL: the request has been answered. (transfer full) */
static json_t *
summary_of (Request *request)
{
  const json_t *release = json_object_get (request->message, "release");
  const char *question;
  if (!request_text (request, "question", OPTIONAL, CALL_QUESTION_MAX, &question))
    return NULL;
  if (!call_release_is_good (release)) {
    request_bad (request, "release", "wants a list of name, age, sex, reason, readings, note:KIND");
    return NULL;
  }
  return call_summary (request->station->screen, release, question);
}

void
calls_preview (Request *request)
{
  json_t *summary = summary_of (request);
  if (summary != NULL)
    request_ok (request, json_pack ("{s:o}", "summary", summary));
}

/* The call is kept: now it rings, or its case waits. */
static void
requested (Station *station, const char *code, void *arg)
{
  g_autoptr (Request) request = arg;
  const json_t *message = request->message;
  if (code != NULL) {
    request_refuse (request, code);
    return;
  }
  CallAct then
      = { .input = { .kind = json_is_true (json_object_get (message, "later")) ? CALL_INPUT_LATER
                                                                               : CALL_INPUT_BEGIN,
                     .files = json_object_get (message, "files") },
          .consult = json_string_value (json_object_get (message, "consultation")),
          .call = json_string_value (json_object_get (message, "call")),
          .user = request->user,
          .done = done,
          .arg = request_ref (request) };
  calls_act (station->calls, &then);
}

static gboolean
has_room (Request *request, const char *id)
{
  const Consult *consult = request->station->screen;
  if (calls_find (consult, id) != NULL) {
    request_bad (request, "call", "is known already");
    return FALSE;
  }
  if (consult->calls->len < CALLS_PER_CONSULT_MAX)
    return TRUE;
  request_refuse_with (request, "refused", "Lượt khám này đã có quá nhiều cuộc gọi.",
                       "This consultation has had too many calls.", NULL);
  return FALSE;
}

void
calls_request (Request *request)
{
  const char *id, *specialty, *urgency;
  gboolean later;
  Consult *consult = request->station->screen;
  static const char *const urgencies[] = { "routine", "urgent", "emergency", NULL };
  if (!request_id (request, "call", REQUIRED, &id)
      || !request_word (request, "specialty", REQUIRED, call_specialties, &specialty)
      || !request_word (request, "urgency", REQUIRED, urgencies, &urgency)
      || !request_flag (request, "later", &later)
      || !files_are_good (request, json_object_get (request->message, "files"))
      || !has_room (request, id))
    return;
  json_t *summary = summary_of (request);
  if (summary == NULL)
    return;
  g_autoptr (Call) call = call_new (id);
  call->specialty = g_strdup (specialty);
  call_urgency_from_name (urgency, &call->urgency);
  call->by = g_strdup (request->user);
  call->asked_us = g_get_real_time ();
  json_decref (call->summary);
  call->summary = summary;
  json_auto_t *body = call_to_json (call);
  json_object_set_new (request->message, "consultation", json_string (consult->id));
  CallAct first = { .input = { .kind = CALL_INPUT_REQUEST, .text = specialty, .files = body },
                    .consult = consult->id,
                    .call = id,
                    .user = request->user,
                    .done = requested,
                    .arg = request_ref (request) };
  calls_act (request->station->calls, &first);
}
