#include "station/calls/call.h"

static const char *const state_names[]
    = { "requested", "ringing",  "accepted", "handing",   "unanswered",
        "later",     "answered", "ended",    "cancelled", NULL };

const char *const call_reasons[]
    = { "busy", "other-specialty", "more-needed", "transfer", "other", NULL };

const char *
call_state_name (CallState state)
{
  return state_names[state];
}

gboolean
call_state_from_name (const char *name, CallState *ret)
{
  for (guint i = 0; name != NULL && state_names[i] != NULL; i++)
    if (g_str_equal (state_names[i], name)) {
      *ret = (CallState)i;
      return TRUE;
    }
  return FALSE;
}

gboolean
call_is_over (const Call *call)
{
  return call->state >= CALL_ANSWERED;
}

/* ---- Life --------------------------------------------------------------------------------- */

static void
decline_free (void *data)
{
  CallDecline *decline = data;
  call_person_free (decline->who);
  g_free (decline->reason);
  g_free (decline->text);
  g_free (decline);
}

Call *
call_new (const char *id)
{
  Call *call = g_new0 (Call, 1);
  call->id = g_strdup (id);
  call->round = 1;
  call->summary = json_object ();
  call->files = json_array ();
  call->declines = g_ptr_array_new_with_free_func (decline_free);
  return call;
}

void
call_free (Call *call)
{
  if (call == NULL)
    return;
  char *const texts[]
      = { call->id, call->specialty, call->by, call->invite, call->to, call->why, call->note };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  json_decref (call->summary);
  json_decref (call->files);
  call_person_free (call->taken);
  g_ptr_array_unref (call->declines);
  g_free (call);
}

static void *
decline_copy (const void *source, void *arg)
{
  const CallDecline *decline = source;
  CallDecline *copy = g_new0 (CallDecline, 1);
  copy->who = call_person_copy (decline->who);
  copy->reason = g_strdup (decline->reason);
  copy->text = g_strdup (decline->text);
  copy->at_us = decline->at_us;
  copy->round = decline->round;
  return copy;
}

Call *
call_copy (const Call *call)
{
  Call *copy = g_new0 (Call, 1);
  *copy = *call;
  copy->id = g_strdup (call->id);
  copy->specialty = g_strdup (call->specialty);
  copy->by = g_strdup (call->by);
  copy->invite = g_strdup (call->invite);
  copy->to = g_strdup (call->to);
  copy->why = g_strdup (call->why);
  copy->note = g_strdup (call->note);
  copy->summary = json_incref (call->summary);
  copy->files = json_incref (call->files);
  copy->taken = call_person_copy (call->taken);
  copy->declines = g_ptr_array_copy (call->declines, (GCopyFunc)decline_copy, NULL);
  g_ptr_array_set_free_func (copy->declines, decline_free);
  return copy;
}

/* ---- Rows --------------------------------------------------------------------------------- */

static json_t *
person_to_json (const CallPerson *person)
{
  return person == NULL ? json_null ()
                        : json_pack ("{s:s, s:s, s:s}", "id", person->id, "name", person->name,
                                     "facility", person->facility);
}

static json_t *
declines_to_json (const Call *call)
{
  json_t *list = json_array ();
  for (guint i = 0; i < call->declines->len; i++) {
    const CallDecline *decline = call->declines->pdata[i];
    json_array_append_new (
        list, json_pack ("{s:o, s:s, s:s, s:I, s:i}", "who", person_to_json (decline->who),
                         "reason", decline->reason, "text", decline->text, "at_us",
                         (json_int_t)decline->at_us, "round", (int)decline->round));
  }
  return list;
}

json_t *
call_to_json (const Call *call)
{
  json_t *body
      = json_pack ("{s:s, s:s, s:s, s:s, s:s, s:I, s:i, s:i}", "call", call->id, "state",
                   call_state_name (call->state), "specialty", call->specialty, "urgency",
                   call_urgency_name (call->urgency), "by", call->by, "asked_us",
                   (json_int_t)call->asked_us, "step", (int)call->step, "round", (int)call->round);
  json_t *rest
      = json_pack ("{s:s?, s:s?, s:s?, s:s?, s:o, s:I, s:o, s:O, s:O}", "invite", call->invite,
                   "to", call->to, "why", call->why, "note", call->note, "taken",
                   person_to_json (call->taken), "taken_us", (json_int_t)call->taken_us, "declines",
                   declines_to_json (call), "summary", call->summary, "files", call->files);
  json_object_update (body, rest);
  json_decref (rest);
  return body;
}

static CallPerson *
person_from_json (const json_t *body)
{
  const char *id = json_string_value (json_object_get (body, "id"));
  const char *name = json_string_value (json_object_get (body, "name"));
  return id == NULL || name == NULL
             ? NULL
             : call_person_new (id, name, json_string_value (json_object_get (body, "facility")),
                                NULL);
}

static void
declines_from_json (Call *call, const json_t *list)
{
  size_t i;
  json_t *one;
  json_array_foreach (list, i, one)
  {
    CallPerson *who = person_from_json (json_object_get (one, "who"));
    const char *reason = json_string_value (json_object_get (one, "reason"));
    const char *text = json_string_value (json_object_get (one, "text"));
    if (who == NULL || reason == NULL) {
      call_person_free (who);
      continue;
    }
    CallDecline *decline = g_new0 (CallDecline, 1);
    decline->who = who;
    decline->reason = g_strdup (reason);
    decline->text = g_strdup (text != NULL ? text : "");
    decline->at_us = json_integer_value (json_object_get (one, "at_us"));
    decline->round = (guint)json_integer_value (json_object_get (one, "round"));
    g_ptr_array_add (call->declines, decline);
  }
}

static char *
text_from (const json_t *body, const char *key)
{
  return g_strdup (json_string_value (json_object_get (body, key)));
}

static guint
count_from (const json_t *body, const char *key, guint least)
{
  json_int_t value = json_integer_value (json_object_get (body, key));
  return (guint)CLAMP (value, (json_int_t)least, 1000000);
}

Call *
call_from_json (const json_t *body)
{
  const char *id = json_string_value (json_object_get (body, "call"));
  const char *specialty = json_string_value (json_object_get (body, "specialty"));
  const char *by = json_string_value (json_object_get (body, "by"));
  json_t *summary = json_object_get (body, "summary"), *files = json_object_get (body, "files");
  CallState state;
  CallUrgency urgency;
  if (id == NULL || specialty == NULL || by == NULL
      || !call_state_from_name (json_string_value (json_object_get (body, "state")), &state)
      || !call_urgency_from_name (json_string_value (json_object_get (body, "urgency")), &urgency))
    return NULL;
  Call *call = call_new (id);
  call->state = state;
  call->urgency = urgency;
  call->specialty = g_strdup (specialty);
  call->by = g_strdup (by);
  call->asked_us = json_integer_value (json_object_get (body, "asked_us"));
  call->step = count_from (body, "step", 0);
  call->round = count_from (body, "round", 1);
  call->invite = text_from (body, "invite");
  call->to = text_from (body, "to");
  call->why = text_from (body, "why");
  call->note = text_from (body, "note");
  call->taken = person_from_json (json_object_get (body, "taken"));
  call->taken_us = json_integer_value (json_object_get (body, "taken_us"));
  declines_from_json (call, json_object_get (body, "declines"));
  if (json_is_object (summary))
    json_object_update (call->summary, summary);
  if (json_is_array (files))
    json_array_extend (call->files, files);
  return call;
}
