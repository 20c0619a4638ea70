/* Who is rung for a call, and who would be next. */
#include "station/calls/call_private.h"

void
call_say (CallWork *work, const char *what, const char *detail)
{
  CallEvent *event = g_new0 (CallEvent, 1);
  event->what = what;
  event->detail = g_strdup (detail != NULL ? detail : "");
  g_ptr_array_add (work->events, event);
}

void
call_set_text (char **target, const char *text)
{
  char *copy = g_strdup (text);
  g_free (*target);
  *target = copy;
}

/* ---- Who is rung -------------------------------------------------------------------------- */

gboolean
call_same_person (const CallPerson *a, const CallPerson *b)
{
  return a != NULL && b != NULL && g_str_equal (a->id, b->id);
}

gboolean
call_has_declined (const Call *call, const CallPerson *person)
{
  for (guint i = 0; i < call->declines->len; i++) {
    const CallDecline *decline = call->declines->pdata[i];
    if (decline->round == call->round && call_same_person (decline->who, person))
      return TRUE;
  }
  return FALSE;
}

/* Not who has the call already, nor who has said no. */
static gboolean
may_be_rung (const Call *call, const CallStep *step, const CallPerson *person)
{
  return call_step_means (step, call->specialty, person) && !call_has_declined (call, person)
         && !call_same_person (call->taken, person);
}

const CallStep *
call_step (const Call *call, const CallPlan *plan)
{
  return call_plan_step (plan, call->step);
}

gboolean
call_rings (const Call *call, const CallPlan *plan, const CallPerson *person)
{
  if (call->state != CALL_RINGING && call->state != CALL_HANDING)
    return FALSE;
  if (call->to != NULL)
    return g_str_equal (call->to, person->id) && !call_has_declined (call, person);
  const CallStep *step = call_step (call, plan);
  return step != NULL && may_be_rung (call, step, person);
}

gboolean
call_others_are_there (const Call *call, const CallStep *step, const GPtrArray *duty)
{
  for (guint i = 0; i < duty->len; i++)
    if (may_be_rung (call, step, duty->pdata[i]))
      return TRUE;
  return FALSE;
}

/* Or may be, at a hospital's desk that can be rung. */
static gboolean
somebody_is_there (const Call *call, const CallStep *step, const CallWorld *world)
{
  return (world->far && step->of->desk != NULL) || call_others_are_there (call, step, world->duty);
}

guint
call_find_step (const Call *call, const CallWorld *world, guint from)
{
  guint i = from;
  while (call_plan_step (world->plan, i) != NULL
         && !somebody_is_there (call, call_plan_step (world->plan, i), world))
    i++;
  return i;
}

const CallStep *
call_next_step (const Call *call, const CallWorld *world)
{
  guint from = call->state == CALL_RINGING || call->state == CALL_HANDING ? call->step + 1 : 0;
  return call_plan_step (world->plan, call_find_step (call, world, from));
}

/* Is this person on the station's list for this call at all? */
gboolean
call_is_on_list (const CallWork *work, const CallPerson *who)
{
  const CallStep *step;
  for (guint i = 0; (step = call_plan_step (work->world->plan, i)) != NULL; i++)
    if (call_step_means (step, work->call->specialty, who))
      return TRUE;
  return work->call->to != NULL && g_str_equal (work->call->to, who->id);
}

/* ---- Ringing ------------------------------------------------------------------------------ */

void
call_wait_for (CallWork *work, guint seconds)
{
  work->call->due_us = work->world->now_us + (gint64)seconds * G_USEC_PER_SEC;
}

void
call_stop_ringing (CallWork *work, CallState state)
{
  work->call->state = state;
  work->call->due_us = 0;
  call_set_text (&work->call->to, NULL);
}

void
call_ring_step (CallWork *work, guint i, gboolean is_first)
{
  Call *call = work->call;
  const CallStep *step = call_plan_step (work->world->plan, i);
  const CallStep *before = call_step (call, work->world->plan);
  if (!is_first && before != NULL && before->level != step->level)
    call_say (work, "call-escalated", step->of->title != NULL ? step->of->title : step->of->name);
  call->step = i;
  call_set_text (&call->to, NULL);
  call_set_text (&call->why, NULL);
  call_wait_for (work, step->seconds);
  call_say (work, "call-ringing", call_step_title (step, work->world->duty));
}

/* Rings the first step from `from` on where somebody is; with nobody left the call is unanswered,
 * or stays with who was about to hand it over. */
void
call_ring_from (CallWork *work, guint from, gboolean is_first, const char *why)
{
  Call *call = work->call;
  guint i = call_find_step (call, work->world, from);
  for (guint j = from; j < MIN (i, call_plan_steps (work->world->plan)); j++)
    call_say (work, "call-absent",
              call_step_title (call_plan_step (work->world->plan, j), work->world->duty));
  if (call_plan_step (work->world->plan, i) != NULL) {
    if (call->state != CALL_HANDING)
      call->state = CALL_RINGING;
    call_ring_step (work, i, is_first);
  } else if (call->state == CALL_HANDING) {
    call_stop_ringing (work, CALL_ACCEPTED);
    call_say (work, "call-hand-over-failed", call->taken->name);
  } else {
    call_stop_ringing (work, CALL_UNANSWERED);
    call_set_text (&call->why, why);
    call_say (work, "call-unanswered", "");
  }
}

/* Whoever is being rung is given up. */
void
call_give_up (CallWork *work, const char *why)
{
  Call *call = work->call;
  if (call->to == NULL) {
    call_ring_from (work, call->step + 1, FALSE, why);
    return;
  }
  call_stop_ringing (work, CALL_ACCEPTED);
  call_say (work, "call-hand-over-failed", call->taken->name);
}

const char *
call_title_of_rung (const CallWork *work)
{
  const Call *call = work->call;
  const CallStep *step = call_step (call, work->world->plan);
  for (guint i = 0; call->to != NULL && i < work->world->duty->len; i++) {
    const CallPerson *person = work->world->duty->pdata[i];
    if (g_str_equal (person->id, call->to))
      return person->name;
  }
  if (call->to != NULL)
    return call->to;
  return step != NULL ? call_step_title (step, work->world->duty) : "";
}

gboolean
call_is_ringing (const Call *call)
{
  return call->state == CALL_RINGING || call->state == CALL_HANDING;
}
