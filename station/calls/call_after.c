/* The transitions of a call. */
#include "station/calls/call_private.h"

void
call_change_clear (CallChange *change)
{
  g_clear_pointer (&change->call, call_free);
  g_clear_pointer (&change->events, g_ptr_array_unref);
}

static void
event_free (void *data)
{
  CallEvent *event = data;
  g_free (event->detail);
  g_free (event);
}

static gboolean
refuse (CallWork *work, const char *code)
{
  work->code = code;
  return FALSE;
}

static void
take (CallWork *work, const CallPerson *who)
{
  CallPerson *copy = call_person_copy (who);
  call_person_free (work->call->taken);
  work->call->taken = copy;
  work->call->taken_us = work->world->utc_us;
}

/* ---- Inputs ------------------------------------------------------------------------------- */

static gboolean
begin (CallWork *work)
{
  if (work->call->state != CALL_REQUESTED)
    return refuse (work, "out-of-place");
  work->new_invite = work->call->invite == NULL;
  call_ring_from (work, 0, TRUE, "nobody");
  return TRUE;
}

/* Nobody could answer while the station was down. */
static gboolean
restart (CallWork *work)
{
  const CallStep *step = call_step (work->call, work->world->plan);
  if (work->call->state == CALL_REQUESTED && call_plan_steps (work->world->plan) > 0) {
    /* Desks come back a little later than the station: the first is rung whoever is there. */
    work->new_invite = work->call->invite == NULL;
    work->call->state = CALL_RINGING;
    call_ring_step (work, 0, TRUE);
    return TRUE;
  }
  if (work->call->state == CALL_REQUESTED)
    return begin (work);
  if (call_is_ringing (work->call))
    call_wait_for (work, step != NULL ? step->seconds : CALL_RING_S);
  return TRUE;
}

static gboolean
time_is_over (CallWork *work)
{
  if (!call_is_ringing (work->call) || work->world->now_us < work->call->due_us)
    return refuse (work, "out-of-place");
  call_say (work, "call-no-answer", call_title_of_rung (work));
  call_give_up (work, "no-answer");
  return TRUE;
}

static gboolean
escalate (CallWork *work)
{
  if (!call_is_ringing (work->call))
    return refuse (work, "out-of-place");
  call_say (work, "call-not-waited", call_title_of_rung (work));
  call_give_up (work, "no-answer");
  return TRUE;
}

static gboolean
again (CallWork *work)
{
  if (work->call->state != CALL_UNANSWERED)
    return refuse (work, "out-of-place");
  work->call->round++;
  work->new_invite = work->call->invite == NULL;
  call_ring_from (work, 0, TRUE, "nobody");
  return TRUE;
}

/* Who is on the list may also take a call that rings elsewhere, or that nobody took. */
static gboolean
accept (CallWork *work)
{
  Call *call = work->call;
  const CallPerson *who = work->input->who;
  gboolean is_handing = call->state == CALL_HANDING;
  if (call->state == CALL_ACCEPTED || call->state == CALL_ENDED)
    return refuse (work, "taken");
  if (!call_is_ringing (call) && call->state != CALL_UNANSWERED && call->state != CALL_LATER)
    return refuse (work, "out-of-place");
  if (!call_is_on_list (work, who))
    return refuse (work, "not-allowed");
  if (call->state == CALL_LATER) {
    take (work, who);
    call_say (work, "call-case-taken", who->name);
    return TRUE;
  }
  if (is_handing && call_same_person (call->taken, who)) { /* keeps it after all */
    call_stop_ringing (work, CALL_ACCEPTED);
    call_say (work, "call-hand-over-failed", who->name);
    return TRUE;
  }
  g_autofree char *both
      = is_handing ? g_strdup_printf ("%s → %s", call->taken->name, who->name) : NULL;
  take (work, who);
  call_set_text (&call->why, NULL);
  call_stop_ringing (work, CALL_ACCEPTED);
  call_say (work, is_handing ? "call-handed-over" : "call-accepted", is_handing ? both : who->name);
  return TRUE;
}

static const char *
reason_words (const char *reason)
{
  static const char *const words[] = { "đang bận", "không đúng chuyên khoa", "cần thêm thông tin",
                                       "nên chuyển cơ sở KCB ngay", "lý do khác" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (call_reasons[i], reason))
      return words[i];
  return reason;
}

static void
keep_decline (CallWork *work)
{
  const CallInput *input = work->input;
  const char *text = input->text != NULL ? input->text : "";
  CallDecline *decline = g_new0 (CallDecline, 1);
  decline->who = call_person_copy (input->who);
  decline->reason = g_strdup (input->word);
  decline->text = g_strdup (text);
  decline->at_us = work->world->utc_us;
  decline->round = work->call->round;
  g_ptr_array_add (work->call->declines, decline);
  g_autofree char *detail = g_strdup_printf (
      "%s: %s%s%s", input->who->name, reason_words (input->word), *text != '\0' ? " – " : "", text);
  call_say (work, "call-declined", detail);
}

static gboolean
decline (CallWork *work)
{
  Call *call = work->call;
  const CallPerson *who = work->input->who;
  gboolean rings = call_rings (call, work->world->plan, who);
  if (!call_is_ringing (call) && call->state != CALL_LATER && call->state != CALL_UNANSWERED)
    return refuse (work, "out-of-place");
  if (!rings && !call_is_on_list (work, who))
    return refuse (work, "not-allowed");
  if (call_has_declined (call, who))
    return refuse (work, "out-of-place");
  keep_decline (work);
  if (call->state == CALL_LATER && call_same_person (call->taken, who)) {
    g_clear_pointer (&call->taken, call_person_free);
    call->taken_us = 0;
  }
  if (!rings)
    return TRUE;
  const CallStep *step = call_step (call, work->world->plan);
  gboolean others = call->to == NULL && step != NULL && step->who == NULL
                    && call_others_are_there (call, step, work->world->duty);
  if (!others)
    call_give_up (work, "declined");
  return TRUE;
}

static const CallPerson *
on_duty (const CallWork *work, const char *id)
{
  for (guint i = 0; i < work->world->duty->len; i++) {
    const CallPerson *person = work->world->duty->pdata[i];
    if (g_str_equal (person->id, id))
      return person;
  }
  return NULL;
}

static gboolean
hand_over (CallWork *work)
{
  Call *call = work->call;
  const char *to = work->input->word;
  const CallStep *step = call_step (call, work->world->plan);
  if (call->state != CALL_ACCEPTED)
    return refuse (work, "out-of-place");
  if (!call_same_person (call->taken, work->input->who))
    return refuse (work, "not-allowed");
  const CallPerson *named = to != NULL ? on_duty (work, to) : NULL;
  guint next = call_find_step (call, work->world, call->step);
  if (to != NULL ? named == NULL || call_same_person (call->taken, named)
                 : call_plan_step (work->world->plan, next) == NULL)
    return refuse (work, "no-such");
  call->round++; /* who said no to the doctor may say yes to a colleague */
  call->state = CALL_HANDING;
  work->new_invite = TRUE;
  call_say (work, "call-handing", call->taken->name);
  if (named == NULL) {
    call_ring_step (work, next, FALSE);
    return TRUE;
  }
  call_set_text (&call->to, to);
  call_wait_for (work, step != NULL ? step->seconds : CALL_RING_S);
  call_say (work, "call-ringing", named->name);
  return TRUE;
}

static gboolean
later (CallWork *work)
{
  Call *call = work->call;
  if (call->state != CALL_REQUESTED && call->state != CALL_RINGING
      && call->state != CALL_UNANSWERED)
    return refuse (work, "out-of-place");
  call_stop_ringing (work, CALL_LATER);
  call_set_text (&call->why, NULL);
  call->round++; /* to read a case is another question than to come at once */
  json_decref (call->files);
  call->files = work->input->files != NULL ? json_deep_copy (work->input->files) : json_array ();
  call_say (work, "call-later", "");
  return TRUE;
}

static gboolean
answer (CallWork *work)
{
  const CallPerson *who = work->input->who;
  if (work->call->state != CALL_LATER)
    return refuse (work, "out-of-place");
  if (!call_is_on_list (work, who))
    return refuse (work, "not-allowed");
  take (work, who);
  call_set_text (&work->call->note, work->input->word);
  work->call->state = CALL_ANSWERED;
  call_say (work, "call-answered", who->name);
  return TRUE;
}

static gboolean
end (CallWork *work)
{
  Call *call = work->call;
  if (call->state != CALL_ACCEPTED && call->state != CALL_HANDING)
    return refuse (work, "out-of-place");
  if (work->input->who != NULL && !call_same_person (call->taken, work->input->who))
    return refuse (work, "not-allowed");
  call_stop_ringing (work, CALL_ENDED);
  call_say (work, "call-ended", call->taken->name);
  return TRUE;
}

static gboolean
cancel (CallWork *work)
{
  Call *call = work->call;
  const char *text = work->input->text != NULL ? work->input->text : "";
  if (call->state == CALL_HANDING) { /* the specialist who has it stays */
    call_stop_ringing (work, CALL_ACCEPTED);
    call_say (work, "call-hand-over-failed", call->taken->name);
    return TRUE;
  }
  if (call->state == CALL_ACCEPTED || call_is_over (call))
    return refuse (work, "out-of-place");
  call_stop_ringing (work, CALL_CANCELLED);
  call_set_text (&call->why, text);
  call_say (work, "call-cancelled", text);
  return TRUE;
}

gboolean
call_after (const Call *call, const CallInput *input, const CallWorld *world,
            CallChange *ret_change, const char **ret_code)
{
  static gboolean (*const inputs[]) (CallWork *)
      = { [CALL_INPUT_BEGIN] = begin,       [CALL_INPUT_RESTART] = restart,
          [CALL_INPUT_TIME] = time_is_over, [CALL_INPUT_ESCALATE] = escalate,
          [CALL_INPUT_AGAIN] = again,       [CALL_INPUT_ACCEPT] = accept,
          [CALL_INPUT_DECLINE] = decline,   [CALL_INPUT_HAND_OVER] = hand_over,
          [CALL_INPUT_LATER] = later,       [CALL_INPUT_ANSWER] = answer,
          [CALL_INPUT_END] = end,           [CALL_INPUT_CANCEL] = cancel };
  CallWork work = { .call = call_copy (call),
                    .world = world,
                    .input = input,
                    .events = g_ptr_array_new_with_free_func (event_free) };
  CallChange change = { work.call, work.events, FALSE };
  if (!inputs[input->kind](&work)) {
    *ret_code = work.code;
    call_change_clear (&change);
    return FALSE;
  }
  change.new_invite = work.new_invite;
  *ret_change = change;
  return TRUE;
}
