/* What consoles and desks see of calls. */
#include "station/calls/calls.h"
#include "station/calls/desk.h"
#include "station/clock.h"
#include "station/guests.h"

static json_t *
time_json (gint64 utc_us)
{
  g_autofree char *text = clock_text (utc_us);
  return utc_us > 0 ? json_string (text) : json_null ();
}

static json_t *
person_json (const CallPerson *person)
{
  return person == NULL ? json_null ()
                        : json_pack ("{s:s, s:s, s:s}", "id", person->id, "name", person->name,
                                     "facility", person->facility);
}

static json_t *
strings_json (const char *const *words)
{
  json_t *list = json_array ();
  for (guint i = 0; words != NULL && words[i] != NULL; i++)
    json_array_append_new (list, json_string (words[i]));
  return list;
}

/* ---- Who is on duty ------------------------------------------------------------------------ */

json_t *
calls_view_duty (Station *station)
{
  g_autoptr (GPtrArray) duty = calls_duty (station);
  json_t *list = json_array ();
  for (guint i = 0; i < duty->len; i++) {
    const CallPerson *person = duty->pdata[i];
    json_t *one = person_json (person);
    json_object_set_new (one, "specialties",
                         strings_json ((const char *const *)person->specialties));
    json_array_append_new (list, one);
  }
  return list;
}

static json_t *
rung_json (const Call *call, const CallPlan *plan, const GPtrArray *duty)
{
  json_t *list = json_array ();
  for (guint i = 0; i < duty->len; i++)
    if (call_rings (call, plan, duty->pdata[i]))
      json_array_append_new (list, person_json (duty->pdata[i]));
  return list;
}

static json_t *
declines_json (const Call *call)
{
  json_t *list = json_array ();
  for (guint i = 0; i < call->declines->len; i++) {
    const CallDecline *decline = call->declines->pdata[i];
    json_t *one = person_json (decline->who);
    json_object_set_new (one, "reason", json_string (decline->reason));
    json_object_set_new (one, "text", json_string (decline->text));
    json_object_set_new (one, "at", time_json (decline->at_us));
    json_array_append_new (list, one);
  }
  return list;
}

/* What everybody who may see a call at all sees of it. */
static json_t *
common (const Call *call)
{
  return json_pack ("{s:s, s:s, s:s, s:s, s:o, s:O, s:o, s:o}", "call", call->id, "state",
                    call_state_name (call->state), "specialty", call->specialty, "urgency",
                    call_urgency_name (call->urgency), "asked", time_json (call->asked_us),
                    "summary", call->summary, "taken", person_json (call->taken), "taken_at",
                    time_json (call->taken_us));
}

static json_t *
seconds_left (const Call *call)
{
  gint64 left_us = call->due_us - g_get_monotonic_time ();
  return call->due_us == 0 ? json_null () : json_integer (MAX (left_us, 0) / G_USEC_PER_SEC);
}

static json_t *
step_json (const CallStep *step, const GPtrArray *duty)
{
  if (step == NULL)
    return json_null ();
  const char *level = step->of->title != NULL ? step->of->title : step->of->name;
  return json_pack ("{s:s, s:s, s:b}", "level", level, "title", call_step_title (step, duty), "all",
                    step->who == NULL);
}

/* ---- The console --------------------------------------------------------------------------- */

static json_t *
view_call (Station *station, const Call *call)
{
  g_autoptr (CallPlan) plan
      = call_plan_new (station->config->levels, call->specialty, call->urgency);
  g_autoptr (GPtrArray) duty = calls_duty (station);
  CallWorld world
      = { plan, duty, calls_far (station), g_get_monotonic_time (), g_get_real_time () };
  gboolean ringing = call->state == CALL_RINGING || call->state == CALL_HANDING;
  json_t *view = common (call);
  json_object_set_new (view, "why", call->why != NULL ? json_string (call->why) : json_null ());
  json_object_set_new (view, "rung", rung_json (call, plan, duty));
  json_object_set_new (view, "step", step_json (ringing ? call_step (call, plan) : NULL, duty));
  json_object_set_new (
      view, "next",
      step_json (call_is_over (call) || call->to != NULL ? NULL : call_next_step (call, &world),
                 duty));
  json_object_set_new (view, "seconds", seconds_left (call));
  json_object_set_new (view, "declines", declines_json (call));
  json_object_set (view, "files", call->files);
  json_object_set_new (view, "note", call->note != NULL ? json_string (call->note) : json_null ());
  return view;
}

json_t *
calls_view (Station *station, const Consult *consult)
{
  json_t *list = json_array ();
  for (guint i = 0; i < consult->calls->len; i++)
    json_array_append_new (list, view_call (station, consult->calls->pdata[i]));
  return list;
}

const char *
calls_case_word (const Consult *consult)
{
  const char *word = NULL;
  for (guint i = 0; i < consult->calls->len; i++) {
    const Call *call = consult->calls->pdata[i];
    if (call->state == CALL_LATER)
      word = "waiting";
    else if (call->state == CALL_ANSWERED && word == NULL)
      word = "answered";
  }
  return word;
}

/* ---- A desk -------------------------------------------------------------------------------- */

static gboolean
is_mine (const Call *call, const CallPerson *person)
{
  return call->taken != NULL && g_str_equal (call->taken->id, person->id);
}

/* Whoever the station's list names for it sees a call, while there is something to do about it. */
static gboolean
concerns (const Station *station, const Call *call, const CallPerson *person)
{
  gboolean running = call->state == CALL_ACCEPTED || call->state == CALL_HANDING;
  if (call->state == CALL_REQUESTED || call_is_over (call))
    return FALSE;
  if (is_mine (call, person) || (call->to != NULL && g_str_equal (call->to, person->id)))
    return TRUE;
  if (running && call->state != CALL_HANDING)
    return FALSE;
  g_autoptr (CallPlan) plan
      = call_plan_new (station->config->levels, call->specialty, call->urgency);
  const CallStep *step;
  for (guint i = 0; (step = call_plan_step (plan, i)) != NULL; i++)
    if (call_step_means (step, call->specialty, person))
      return TRUE;
  return FALSE;
}

Call *
calls_of_person (Station *station, const CallPerson *person, const char *id, Consult **ret_consult)
{
  for (guint i = 0; i < station->consults->len; i++) {
    Consult *consult = station->consults->pdata[i];
    Call *call = calls_find (consult, id);
    if (call == NULL || !concerns (station, call, person))
      continue;
    *ret_consult = consult;
    return call;
  }
  return NULL;
}

static json_t *
files_json (const Consult *consult, const Call *call)
{
  static const char *const shown[] = { "id", "kind", "name", "mime", "size", "sha256" };
  json_t *list = json_array (), *id, *attachment;
  size_t i, j;
  json_array_foreach (call->files, i, id)
  {
    json_array_foreach (consult->attachments, j, attachment)
    {
      if (!json_equal (json_object_get (attachment, "id"), id))
        continue;
      json_t *about = json_object_get (attachment, "about");
      json_t *file = json_is_object (about) ? json_copy (about) : json_object ();
      for (guint k = 0; k < G_N_ELEMENTS (shown); k++)
        json_object_set (file, shown[k], json_object_get (attachment, shown[k]));
      json_array_append_new (list, file);
      break;
    }
  }
  return list;
}

static gboolean
declined_by (const Call *call, const CallPerson *person)
{
  for (guint i = 0; i < call->declines->len; i++) {
    const CallDecline *decline = call->declines->pdata[i];
    if (decline->round == call->round && g_str_equal (decline->who->id, person->id))
      return TRUE;
  }
  return FALSE;
}

/* The link is for who may come in by it: who is called, and who has accepted. It opens the lobby
 * and no more; the door is opened by the accepting. */
static json_t *
link_json (Station *station, Consult *consult, const Call *call, const CallPerson *person)
{
  const Invite *invite = call->invite != NULL ? consult_invite (consult, call->invite) : NULL;
  gboolean wanted = call->state == CALL_RINGING || call->state == CALL_UNANSWERED
                    || call->state == CALL_ACCEPTED
                    || (call->state == CALL_HANDING && !is_mine (call, person));
  if (invite == NULL || !wanted)
    return json_null ();
  g_autofree char *link = invite_link (station, invite);
  return json_string (link);
}

static json_t *
view_for (Station *station, Consult *consult, const Call *call, const CallPerson *person)
{
  g_autoptr (CallPlan) plan
      = call_plan_new (station->config->levels, call->specialty, call->urgency);
  json_t *view = common (call);
  json_object_set_new (view, "by", json_string (users_name (station->users, call->by)));
  json_object_set_new (view, "rings", json_boolean (call_rings (call, plan, person)));
  json_object_set_new (view, "mine", json_boolean (is_mine (call, person)));
  json_object_set_new (view, "declined", json_boolean (declined_by (call, person)));
  json_object_set_new (view, "seconds", seconds_left (call));
  json_object_set_new (view, "link", link_json (station, consult, call, person));
  json_object_set_new (view, "files",
                       call->state == CALL_LATER ? files_json (consult, call) : json_array ());
  return view;
}

json_t *
calls_view_desk (Station *station, const CallPerson *person)
{
  json_t *list = json_array ();
  for (guint i = 0; i < station->consults->len; i++) {
    Consult *consult = station->consults->pdata[i];
    for (guint j = 0; j < consult->calls->len; j++)
      if (concerns (station, consult->calls->pdata[j], person))
        json_array_append_new (list, view_for (station, consult, consult->calls->pdata[j], person));
  }
  return list;
}
