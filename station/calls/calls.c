#include "station/calls/calls.h"
#include "station/calls/desk.h"
#include "station/clock.h"
#include "station/forms.h"
#include "station/guests.h"

#include <string.h>

/* After a failed write it is tried again so much later. */
#define AGAIN_US (2 * G_USEC_PER_SEC)

struct Calls {
  Station *station;
  GQueue *acts;     /* Act*, those that wait */
  gboolean writing; /* one is on its way to the disk */
  guint timer;
  CallsRing ring; /* NULL: no hospital's desk can be reached */
  void *ring_arg;
};

/* A CallAct of our own, with what is known when it has been judged. */
typedef struct {
  Calls *calls;
  CallInputKind kind;
  CallPerson *who;
  char *word, *text, *consult, *call, *user, *key;
  json_t *files, *about;
  CallDone done;
  void *arg;
  gint64 due_us;
} Act;

static void next_act (Calls *calls);
static void watch_time (Calls *calls);

static void
act_free (Act *act)
{
  call_person_free (act->who);
  char *const texts[] = { act->word, act->text, act->consult, act->call, act->user, act->key };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  json_decref (act->files);
  json_decref (act->about);
  g_free (act);
}

static void
act_over (Act *act, const char *code)
{
  if (act->done != NULL)
    act->done (act->calls->station, code, act->arg);
  act_free (act);
}

/* ---- What a consultation holds ------------------------------------------------------------- */

Call *
calls_find (const Consult *consult, const char *id)
{
  for (guint i = 0; id != NULL && i < consult->calls->len; i++)
    if (g_str_equal (((Call *)consult->calls->pdata[i])->id, id))
      return consult->calls->pdata[i];
  return NULL;
}

void
calls_apply (Consult *consult, const StoreRow *row)
{
  Call *call = call_from_json (row->body);
  guint i = 0;
  if (call == NULL)
    return;
  Call *before = calls_find (consult, call->id);
  if (before == NULL) {
    g_ptr_array_add (consult->calls, call);
    return;
  }
  g_ptr_array_find (consult->calls, before, &i);
  consult->calls->pdata[i] = call;
  call_free (before);
}

gboolean
calls_case_waits (const Consult *consult)
{
  for (guint i = 0; i < consult->calls->len; i++)
    if (((Call *)consult->calls->pdata[i])->state == CALL_LATER)
      return TRUE;
  return FALSE;
}

/* ---- Acts --------------------------------------------------------------------------------- */

static void
written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Act *act = arg;
  Calls *calls = act->calls;
  Call *call = consult != NULL ? calls_find (consult, act->call) : NULL;
  calls->writing = FALSE;
  if (error == NULL && call != NULL)
    call->due_us = act->due_us;
  else if (call != NULL && call->due_us != 0) /* still rung, as far as anybody knows */
    call->due_us = MAX (call->due_us, g_get_monotonic_time () + AGAIN_US);
  calls_changed (station);
  act_over (act, error == NULL ? NULL : "disk");
  next_act (calls);
}

static void
write_invite (Calls *calls, const Act *act, Call *call)
{
  g_autofree char *secret = session_random_text (24);
  g_free (call->invite);
  call->invite = session_random_text (12);
  Invite invite
      = { .id = call->invite, .role = (char *)"specialist", .name = (char *)"", .secret = secret };
  station_write (calls->station, act->consult, "invite", act->user,
                 invite_body (&invite, "created", 0), NULL, NULL);
}

/* The doctor has called them: who accepts is let in, by the key that they showed, without a click.
 */
static void
write_guest (Calls *calls, const Act *act, Consult *consult, const char *invite_id)
{
  Station *station = calls->station;
  const Invite *invite = consult_invite (consult, invite_id);
  g_autofree char *id = g_strdup_printf ("g%08x", g_random_int ());
  char *fingerprint = (char *)json_string_value (json_object_get (act->about, "fingerprint"));
  Guest guest = { .id = id,
                  .invite = (char *)invite_id,
                  .name = act->who->name,
                  .facility = act->who->facility,
                  .role = (char *)"specialist",
                  .key = act->key,
                  .identity = json_object_get (act->about, "identity"),
                  .fingerprint = fingerprint };
  if (invite != NULL)
    station_write (station, consult->id, "invite", act->user,
                   invite_body (invite, "admitted", invite->wrong), NULL, NULL);
  if (act->about != NULL)
    station_write (station, consult->id, "identity", "station",
                   desk_identity_row (act->about, id, invite_id), NULL, NULL);
  station_write (station, consult->id, "guest", act->user, guest_body (&guest, "admitted"), NULL,
                 NULL);
  station_event (station, consult->id, act->user, "guest-admitted", act->who->name);
  forms_guest_admitted (station, consult, act->user, act->who->facility);
}

static void
write_answer (Calls *calls, Act *act)
{
  act->word = g_uuid_string_random ();
  station_write_note (calls->station, act->consult, act->user,
                      json_pack ("{s:s, s:s, s:s, s:s, s:s}", "note", act->word, "kind", "opinion",
                                 "text", act->text, "author", act->who->name, "call", act->call),
                      NULL, NULL);
}

/* What belongs to the act goes before its own row: with that all of it is on the disk. */
static void
write_change (Calls *calls, Act *act, Consult *consult, const Call *before, CallChange *change)
{
  Station *station = calls->station;
  if (change->new_invite)
    write_invite (calls, act, change->call);
  if (act->kind == CALL_INPUT_ACCEPT && act->key != NULL && change->call->state == CALL_ACCEPTED)
    write_guest (calls, act, consult, before->invite);
  for (guint i = 0; i < change->events->len; i++) {
    const CallEvent *event = change->events->pdata[i];
    station_event (station, consult->id, act->user, event->what, event->detail);
  }
  act->due_us = change->call->due_us;
  calls->writing = TRUE;
  station_write (station, consult->id, "call", act->user, call_to_json (change->call), written,
                 act);
}

/* A call that nobody knows yet: its first row. */
static void
write_request (Calls *calls, Act *act)
{
  Station *station = calls->station;
  json_t *body = g_steal_pointer (&act->files);
  station_event (station, act->consult, act->user, "call-requested", act->text);
  calls->writing = TRUE;
  station_write (station, act->consult, "call", act->user, body, written, act);
}

/* A call whose time is up and that cannot change now is looked at again in a while. */
static void
refuse_act (Act *act, Call *call, const char *code)
{
  if (act->kind == CALL_INPUT_TIME && call != NULL)
    call->due_us = g_get_monotonic_time () + AGAIN_US;
  act_over (act, code);
}

static void
run_act (Calls *calls, Act *act)
{
  Station *station = calls->station;
  Consult *consult = station_consult (station, act->consult);
  Call *call = consult != NULL ? calls_find (consult, act->call) : NULL;
  const char *code = "no-such";
  g_auto (CallChange) change = { 0 };
  if (call == NULL || consult->busy) {
    refuse_act (act, call, call == NULL ? code : "busy");
    return;
  }
  g_autoptr (CallPlan) plan
      = call_plan_new (station->config->levels, call->specialty, call->urgency);
  g_autoptr (GPtrArray) duty = calls_duty (station);
  CallWorld world
      = { plan, duty, calls_far (station), g_get_monotonic_time (), g_get_real_time () };
  if (act->kind == CALL_INPUT_ANSWER)
    act->word = g_strdup ("");
  CallInput input = { act->kind, act->who, act->word, act->text, act->files };
  if (!call_after (call, &input, &world, &change, &code)) {
    refuse_act (act, call, code);
    return;
  }
  if (act->kind == CALL_INPUT_ANSWER) {
    g_free (act->word);
    write_answer (calls, act);
    g_free (change.call->note);
    change.call->note = g_strdup (act->word);
  }
  if (change.events->len > 0) {
    write_change (calls, act, consult, call, &change);
    return;
  }
  call->due_us = change.call->due_us;
  act_over (act, NULL);
}

static void
next_act (Calls *calls)
{
  while (!calls->writing && !calls->station->stopping) {
    Act *act = g_queue_pop_head (calls->acts);
    if (act == NULL)
      break;
    if (act->kind == CALL_INPUT_REQUEST)
      write_request (calls, act);
    else
      run_act (calls, act);
  }
  watch_time (calls);
}

void
calls_act (Calls *calls, const CallAct *from)
{
  Act *act = g_new0 (Act, 1);
  act->calls = calls;
  act->kind = from->input.kind;
  act->who = call_person_copy (from->input.who);
  act->word = g_strdup (from->input.word);
  act->text = g_strdup (from->input.text);
  act->files = from->input.files != NULL ? json_deep_copy (from->input.files) : NULL;
  act->consult = g_strdup (from->consult);
  act->call = g_strdup (from->call);
  act->user = g_strdup (from->user);
  act->key = g_strdup (from->key);
  act->about = from->about != NULL ? json_deep_copy (from->about) : NULL;
  act->done = from->done;
  act->arg = from->arg;
  g_queue_push_tail (calls->acts, act);
  next_act (calls);
}

/* ---- Time --------------------------------------------------------------------------------- */

static void
act_of_station (Calls *calls, const Consult *consult, const Call *call, CallInputKind kind)
{
  CallAct act
      = { .input = { .kind = kind }, .consult = consult->id, .call = call->id, .user = "station" };
  calls_act (calls, &act);
}

/* Calls back for each call of each consultation. */
static void
each_call (Calls *calls, void (*each) (Calls *calls, const Consult *consult, Call *call, void *arg),
           void *arg)
{
  GPtrArray *consults = calls->station->consults;
  for (guint i = 0; i < consults->len; i++) {
    const Consult *consult = consults->pdata[i];
    for (guint j = 0; j < consult->calls->len; j++)
      each (calls, consult, consult->calls->pdata[j], arg);
  }
}

static void
note_due (Calls *calls, const Consult *consult, Call *call, void *arg)
{
  gint64 *due_us = arg;
  if (call->due_us != 0 && (*due_us == 0 || call->due_us < *due_us))
    *due_us = call->due_us;
}

static void
collect_due (Calls *calls, const Consult *consult, Call *call, void *arg)
{
  if (call->due_us != 0 && call->due_us <= g_get_monotonic_time ())
    g_ptr_array_add (arg, g_strdup_printf ("%s %s", consult->id, call->id));
}

static gboolean
on_time (void *data)
{
  Calls *calls = data;
  g_autoptr (GPtrArray) due = g_ptr_array_new_with_free_func (g_free);
  calls->timer = 0;
  each_call (calls, collect_due, due);
  for (guint i = 0; i < due->len; i++) {
    g_auto (GStrv) ids = g_strsplit (due->pdata[i], " ", 2);
    CallAct act = {
      .input = { .kind = CALL_INPUT_TIME }, .consult = ids[0], .call = ids[1], .user = "station"
    };
    calls_act (calls, &act);
  }
  watch_time (calls);
  return G_SOURCE_REMOVE;
}

static void
watch_time (Calls *calls)
{
  gint64 due_us = 0, now_us = g_get_monotonic_time ();
  g_clear_handle_id (&calls->timer, g_source_remove);
  if (calls->writing || calls->station->stopping)
    return; /* looked at again when that is done */
  each_call (calls, note_due, &due_us);
  if (due_us != 0)
    calls->timer = g_timeout_add ((guint)(MAX (due_us - now_us, 0) / 1000 + 1), on_time, calls);
}

static void
restart_one (Calls *calls, const Consult *consult, Call *call, void *arg)
{
  if (!call_is_over (call))
    act_of_station (calls, consult, call, CALL_INPUT_RESTART);
}

void
calls_restored (Calls *calls)
{
  each_call (calls, restart_one, NULL);
}

void
calls_concluded (Station *station, const Consult *consult, const char *user)
{
  for (guint i = 0; i < consult->calls->len; i++) {
    const Call *call = consult->calls->pdata[i];
    gboolean is_running = call->state == CALL_ACCEPTED || call->state == CALL_HANDING;
    CallAct act = { .input = { .kind = is_running ? CALL_INPUT_END : CALL_INPUT_CANCEL },
                    .consult = consult->id,
                    .call = call->id,
                    .user = user };
    if (!call_is_over (call) && call->state != CALL_LATER)
      calls_act (station->calls, &act);
  }
}

/* ---- Life --------------------------------------------------------------------------------- */

Calls *
calls_new (Station *station)
{
  Calls *calls = g_new0 (Calls, 1);
  calls->station = station;
  calls->acts = g_queue_new ();
  return calls;
}

void
calls_free (Calls *calls)
{
  if (calls == NULL)
    return;
  g_clear_handle_id (&calls->timer, g_source_remove);
  for (Act *act = g_queue_pop_head (calls->acts); act != NULL; act = g_queue_pop_head (calls->acts))
    act_over (act, "failed");
  g_queue_free (calls->acts);
  g_free (calls);
}

void
calls_set_ring (Calls *calls, CallsRing ring, void *arg)
{
  calls->ring = ring;
  calls->ring_arg = arg;
}

gboolean
calls_far (const Station *station)
{
  return station->calls != NULL && station->calls->ring != NULL;
}

gboolean
calls_desks (const Station *station)
{
  for (guint i = 0; i < station->config->levels->len; i++)
    if (((CallLevel *)station->config->levels->pdata[i])->desk != NULL)
      return TRUE;
  return FALSE;
}

typedef struct {
  const char *desk;
  json_t *list;
} Ringing;

static void
add_ringing (Calls *calls, const Consult *consult, Call *call, void *arg)
{
  Ringing *ringing = arg;
  gboolean rings = call->state == CALL_RINGING || call->state == CALL_HANDING;
  g_autoptr (CallPlan) plan
      = call_plan_new (calls->station->config->levels, call->specialty, call->urgency);
  const CallStep *step = call_step (call, plan);
  if ((!rings && call->state != CALL_LATER) || step == NULL
      || g_strcmp0 (step->of->desk, ringing->desk) != 0)
    return;
  g_autofree char *since = clock_text (call->asked_us);
  json_array_append_new (ringing->list, json_pack ("{s:s, s:s}", "call", call->id, "since", since));
}

json_t *
calls_ringing_at (Station *station, const char *desk)
{
  Ringing ringing = { desk, json_array () };
  each_call (station->calls, add_ringing, &ringing);
  return ringing.list;
}

static void
ring_far (Station *station)
{
  const Calls *calls = station->calls;
  const GPtrArray *levels = station->config->levels;
  for (guint i = 0; calls_far (station) && i < levels->len; i++) {
    const char *desk = ((CallLevel *)levels->pdata[i])->desk;
    if (desk == NULL)
      continue;
    json_auto_t *list = calls_ringing_at (station, desk);
    calls->ring (desk, list, calls->ring_arg);
  }
}

void
calls_changed (Station *station)
{
  if (station->stopping)
    return;
  station_changed (station);
  desks_tell (station);
  ring_far (station);
}
