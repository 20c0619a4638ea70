/* The state machine of a call: every transition, every input out of place, a restart in each state.
 * No station, no store, no clock. */
#include "station/calls/call.h"

#include <string.h>

#define S ((gint64)G_USEC_PER_SEC)

/* A station's list: Minh, then Hoa, then whoever is on duty at the hospital; then the next level.
 */
typedef struct {
  GPtrArray *levels, *duty;
  CallPlan *plan;
  Call *call;
  gint64 now_us;
  gboolean far;
  GString *log; /* what the record's log said last */
  gboolean new_invite;
} Room;

static CallPerson *
person (const char *id, const char *specialty)
{
  g_autofree char *name = g_strdup_printf ("BS. %s", id);
  const char *const specialties[] = { specialty, NULL };
  return call_person_new (id, name, "BV tỉnh", specialties);
}

static void
add_duty (Room *room, const char *id, const char *specialty)
{
  g_ptr_array_add (room->duty, person (id, specialty));
}

static CallLevel *
add_level (Room *room, const char *name, const char *call, guint ring)
{
  CallLevel *level = call_level_new (name);
  level->call = g_strsplit (call, ";", -1);
  level->ring = ring;
  g_ptr_array_add (room->levels, level);
  return level;
}

static void
room_up (Room *room)
{
  memset (room, 0, sizeof *room);
  room->levels = g_ptr_array_new_with_free_func (call_level_free);
  room->duty = g_ptr_array_new_with_free_func ((GDestroyNotify)call_person_free);
  room->log = g_string_new (NULL);
  add_level (room, "province", "minh;hoa;*", 30);
  add_level (room, "central", "*", 60);
  room->call = call_new ("c1");
  room->call->specialty = g_strdup ("cardiology");
  room->call->by = g_strdup ("lan");
  room->call->invite = g_strdup ("i1");
  room->now_us = 1000 * S;
  room->plan = call_plan_new (room->levels, "cardiology", CALL_URGENT);
}

static void
room_down (Room *room)
{
  call_free (room->call);
  call_plan_free (room->plan);
  g_ptr_array_unref (room->levels);
  g_ptr_array_unref (room->duty);
  g_string_free (room->log, TRUE);
}

static const char *
give_input (Room *room, const CallInput *input)
{
  CallWorld world = { room->plan, room->duty, room->far, room->now_us, room->now_us };
  g_auto (CallChange) change = { 0 };
  const char *code = NULL;
  g_string_truncate (room->log, 0);
  if (!call_after (room->call, input, &world, &change, &code)) {
    g_assert_nonnull (code);
    g_assert_null (change.call);
    return code;
  }
  for (guint i = 0; i < change.events->len; i++) {
    const CallEvent *event = change.events->pdata[i];
    g_string_append_printf (room->log, "%s%s", i > 0 ? " " : "", event->what);
  }
  room->new_invite = change.new_invite;
  call_free (room->call);
  room->call = g_steal_pointer (&change.call);
  return NULL;
}

static const char *
give (Room *room, CallInputKind kind, const char *who, const char *word)
{
  CallPerson *by = who != NULL ? person (who, "cardiology") : NULL;
  CallInput input = { .kind = kind, .who = by, .word = word };
  const char *code = give_input (room, &input);
  call_person_free (by);
  return code;
}

static gboolean
rings (Room *room, const char *who)
{
  CallPerson *by = person (who, "cardiology");
  gboolean rung = call_rings (room->call, room->plan, by);
  call_person_free (by);
  return rung;
}

#define GOOD(...) g_assert_cmpstr (give (__VA_ARGS__), ==, NULL)
#define REFUSED(code, ...) g_assert_cmpstr (give (__VA_ARGS__), ==, code)
#define STATE(state_) g_assert_cmpstr (call_state_name (room.call->state), ==, state_)
#define LOG(text) g_assert_cmpstr (room.log->str, ==, text)

/* ---- The list ------------------------------------------------------------------------------ */

static void
test_list (void)
{
  Room room;
  room_up (&room);
  add_duty (&room, "minh", "surgery"); /* named: rung whatever for */
  add_duty (&room, "hoa", "cardiology");
  add_duty (&room, "son", "cardiology");
  add_duty (&room, "eye", "ophthalmology");
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  STATE ("ringing");
  LOG ("call-ringing");
  g_assert_false (room.new_invite); /* it has one */
  g_assert_true (rings (&room, "minh") && !rings (&room, "hoa") && !rings (&room, "son"));
  g_assert_cmpint (room.call->due_us, ==, room.now_us + 30 * S);

  /* A tick too early changes nothing, one in time goes on to the next. */
  room.now_us = room.call->due_us - 1;
  REFUSED ("out-of-place", &room, CALL_INPUT_TIME, NULL, NULL);
  room.now_us++;
  GOOD (&room, CALL_INPUT_TIME, NULL, NULL);
  LOG ("call-no-answer call-ringing");
  g_assert_true (rings (&room, "hoa") && !rings (&room, "minh"));

  /* The doctor does not wait: the whole of the level, and who is asked already is asked again. */
  GOOD (&room, CALL_INPUT_ESCALATE, NULL, NULL);
  LOG ("call-not-waited call-ringing");
  g_assert_true (rings (&room, "hoa") && rings (&room, "son"));
  /* `*` means who is on duty for it; of the two that are, one says no, and the other still rings.
   */
  GOOD (&room, CALL_INPUT_DECLINE, "son", "busy");
  LOG ("call-declined");
  STATE ("ringing");
  g_assert_true (rings (&room, "hoa") && !rings (&room, "son"));
  REFUSED ("out-of-place", &room, CALL_INPUT_DECLINE, "son", "busy");
  GOOD (&room, CALL_INPUT_DECLINE, "hoa", "other-specialty");
  LOG ("call-declined call-absent call-unanswered"); /* the next level has the same people */
  STATE ("unanswered");
  g_assert_cmpstr (room.call->why, ==, "declined");
  g_assert_cmpint (room.call->due_us, ==, 0);
  g_assert_cmpuint (room.call->declines->len, ==, 2);
  REFUSED ("out-of-place", &room, CALL_INPUT_TIME, NULL, NULL);

  /* Once more: who said no then may be asked now. */
  GOOD (&room, CALL_INPUT_AGAIN, NULL, NULL);
  STATE ("ringing");
  g_assert_true (rings (&room, "minh"));
  room_down (&room);
}

static void
test_absent_are_passed_over (void)
{
  Room room;
  room_up (&room);
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  STATE ("unanswered");
  g_assert_cmpstr (room.call->why, ==, "nobody");
  LOG ("call-absent call-absent call-absent call-absent call-unanswered");
  add_duty (&room, "hoa", "cardiology");
  GOOD (&room, CALL_INPUT_AGAIN, NULL, NULL);
  LOG ("call-absent call-ringing");
  g_assert_true (rings (&room, "hoa"));
  room_down (&room);
}

/* Who comes on duty while all of a level are rung is rung too. */
static void
test_late_comer (void)
{
  Room room;
  room_up (&room);
  add_duty (&room, "son", "cardiology");
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  g_assert_true (rings (&room, "son"));
  add_duty (&room, "tam", "cardiology");
  g_assert_true (rings (&room, "tam"));
  room_down (&room);
}

static void
test_levels (void)
{
  Room room;
  room_up (&room);
  ((CallLevel *)room.levels->pdata[0])->facility = g_strdup ("BV khác");
  ((CallLevel *)room.levels->pdata[1])->title = g_strdup ("BV Trung ương");
  add_duty (&room, "minh", "cardiology");
  add_duty (&room, "son", "cardiology");
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  g_assert_true (rings (&room, "minh"));
  GOOD (&room, CALL_INPUT_DECLINE, "minh", "transfer");
  LOG ("call-declined call-absent call-absent call-escalated call-ringing");
  g_assert_true (rings (&room, "son"));
  g_assert_cmpint (room.call->due_us, ==, room.now_us + 60 * S);
  room_down (&room);
}

static void
test_plan (void)
{
  g_autoptr (GPtrArray) levels = g_ptr_array_new_with_free_func (call_level_free);
  CallLevel *level = call_level_new ("eyes");
  level->specialties = g_strsplit ("ophthalmology", ";", -1);
  g_ptr_array_add (levels, level);
  g_autoptr (CallPlan) none = call_plan_new (levels, "cardiology", CALL_ROUTINE);
  g_assert_cmpuint (call_plan_steps (none), ==, 0);
  g_autoptr (CallPlan) eyes = call_plan_new (levels, "ophthalmology", CALL_ROUTINE);
  g_assert_cmpuint (call_plan_steps (eyes), ==, 1);
  g_assert_cmpuint (call_plan_step (eyes, 0)->seconds, ==, CALL_RING_S);
  g_autoptr (CallPlan) quick = call_plan_new (levels, "ophthalmology", CALL_EMERGENCY);
  g_assert_cmpuint (call_plan_step (quick, 0)->seconds, ==, CALL_RING_EMERGENCY_S);
  level->ring_emergency = 7;
  g_autoptr (CallPlan) own = call_plan_new (levels, "ophthalmology", CALL_EMERGENCY);
  g_assert_cmpuint (call_plan_step (own, 0)->seconds, ==, 7);
  g_assert_null (call_plan_step (own, 1));
  /* Without a list: everybody on duty. */
  g_autoptr (CallPlan) all = call_plan_new (NULL, "cardiology", CALL_ROUTINE);
  g_assert_cmpuint (call_plan_steps (all), ==, 1);
  g_assert_null (call_plan_step (all, 0)->who);
}

/* Who sits at a hospital's desk is not known before it rings there. */
static void
test_far_desk (void)
{
  Room room;
  room_up (&room);
  ((CallLevel *)room.levels->pdata[1])->desk = g_strdup ("bv-tw");
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  STATE ("unanswered"); /* nobody carries it there */
  room.far = TRUE;
  GOOD (&room, CALL_INPUT_AGAIN, NULL, NULL);
  STATE ("ringing");
  g_assert_cmpstr (call_step (room.call, room.plan)->of->desk, ==, "bv-tw");
  add_duty (&room, "far", "cardiology");
  g_assert_true (rings (&room, "far"));
  GOOD (&room, CALL_INPUT_DECLINE, "far", "busy");
  STATE ("unanswered");
  room_down (&room);
}

/* ---- Accepting and handing over ------------------------------------------------------------ */

static void
test_accept (void)
{
  Room room;
  room_up (&room);
  add_duty (&room, "minh", "cardiology");
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  /* Nobody who is not on the list; but who is on it need not wait until it is their turn. */
  ((CallLevel *)room.levels->pdata[0])->facility = g_strdup ("BV khác");
  ((CallLevel *)room.levels->pdata[1])->facility = g_strdup ("BV khác");
  REFUSED ("not-allowed", &room, CALL_INPUT_ACCEPT, "stranger", NULL);
  REFUSED ("not-allowed", &room, CALL_INPUT_DECLINE, "stranger", "busy");
  GOOD (&room, CALL_INPUT_ACCEPT, "hoa", NULL);
  STATE ("accepted");
  LOG ("call-accepted");
  g_assert_cmpstr (room.call->taken->id, ==, "hoa");
  g_assert_cmpint (room.call->due_us, ==, 0);
  g_assert_false (rings (&room, "minh"));
  /* One at a time. */
  REFUSED ("taken", &room, CALL_INPUT_ACCEPT, "minh", NULL);
  REFUSED ("out-of-place", &room, CALL_INPUT_DECLINE, "minh", "busy");
  REFUSED ("out-of-place", &room, CALL_INPUT_CANCEL, NULL, NULL);
  REFUSED ("out-of-place", &room, CALL_INPUT_LATER, NULL, NULL);
  REFUSED ("out-of-place", &room, CALL_INPUT_ESCALATE, NULL, NULL);
  REFUSED ("not-allowed", &room, CALL_INPUT_END, "minh", NULL);
  GOOD (&room, CALL_INPUT_END, "hoa", NULL);
  STATE ("ended");
  LOG ("call-ended");
  room_down (&room);
}

static void
test_accept_unanswered (void)
{
  Room room;
  room_up (&room);
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  STATE ("unanswered");
  GOOD (&room, CALL_INPUT_ACCEPT, "minh", NULL);
  STATE ("accepted");
  g_assert_null (room.call->why);
  room_down (&room);
}

static void
accepted_by_minh (Room *room)
{
  room_up (room);
  add_duty (room, "minh", "cardiology");
  GOOD (room, CALL_INPUT_BEGIN, NULL, NULL);
  GOOD (room, CALL_INPUT_ACCEPT, "minh", NULL);
}

static void
test_hand_over (void)
{
  Room room;
  accepted_by_minh (&room);
  REFUSED ("no-such", &room, CALL_INPUT_HAND_OVER, "minh", "hoa"); /* not on duty */
  REFUSED ("no-such", &room, CALL_INPUT_HAND_OVER, "minh", "minh");
  REFUSED ("no-such", &room, CALL_INPUT_HAND_OVER, "minh", NULL); /* nobody else is there */
  add_duty (&room, "eye", "ophthalmology");
  REFUSED ("not-allowed", &room, CALL_INPUT_HAND_OVER, "eye", "minh");
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", "eye"); /* a colleague's choice, whatever for */
  STATE ("handing");
  LOG ("call-handing call-ringing");
  g_assert_true (room.new_invite);
  g_assert_true (rings (&room, "eye") && !rings (&room, "minh"));
  g_assert_cmpstr (room.call->taken->id, ==, "minh"); /* until the other has it */
  GOOD (&room, CALL_INPUT_ACCEPT, "eye", NULL);
  STATE ("accepted");
  LOG ("call-handed-over");
  g_assert_cmpstr (room.call->taken->id, ==, "eye");
  g_assert_null (room.call->to);
  room_down (&room);
}

static void
test_hand_over_fails (void)
{
  Room room;
  accepted_by_minh (&room);
  add_duty (&room, "hoa", "cardiology");
  /* The other says no, does not answer, is given up by the doctor, or the first keeps it. */
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", "hoa");
  GOOD (&room, CALL_INPUT_DECLINE, "hoa", "busy");
  STATE ("accepted");
  LOG ("call-declined call-hand-over-failed");
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", "hoa"); /* may be asked again */
  room.now_us = room.call->due_us;
  GOOD (&room, CALL_INPUT_TIME, NULL, NULL);
  STATE ("accepted");
  LOG ("call-no-answer call-hand-over-failed");
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", "hoa");
  GOOD (&room, CALL_INPUT_CANCEL, NULL, NULL);
  STATE ("accepted");
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", "hoa");
  GOOD (&room, CALL_INPUT_ACCEPT, "minh", NULL);
  STATE ("accepted");
  g_assert_cmpstr (room.call->taken->id, ==, "minh");
  g_assert_false (rings (&room, "hoa"));
  room_down (&room);
}

static void
test_hand_over_along_the_list (void)
{
  Room room;
  accepted_by_minh (&room);
  add_duty (&room, "hoa", "cardiology");
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", NULL);
  STATE ("handing");
  g_assert_true (rings (&room, "hoa") && !rings (&room, "minh"));
  GOOD (&room, CALL_INPUT_DECLINE, "hoa", "busy");
  STATE ("accepted"); /* nobody is left */
  add_duty (&room, "son", "cardiology");
  GOOD (&room, CALL_INPUT_HAND_OVER, "minh", NULL);
  room.now_us = room.call->due_us;
  GOOD (&room, CALL_INPUT_TIME, NULL, NULL); /* Hoa, then all of them */
  STATE ("handing");
  g_assert_true (rings (&room, "son"));
  GOOD (&room, CALL_INPUT_END, NULL, NULL);
  STATE ("ended");
  room_down (&room);
}

/* ---- Later --------------------------------------------------------------------------------- */

static void
test_later (void)
{
  Room room;
  json_auto_t *files = json_pack ("[s, s]", "f1", "f2");
  room_up (&room);
  add_duty (&room, "minh", "cardiology");
  GOOD (&room, CALL_INPUT_BEGIN, NULL, NULL);
  GOOD (&room, CALL_INPUT_DECLINE, "minh", "busy");
  CallInput input = { .kind = CALL_INPUT_LATER, .files = files };
  g_assert_cmpstr (give_input (&room, &input), ==, NULL);
  STATE ("later");
  LOG ("call-later");
  g_assert_cmpuint (json_array_size (room.call->files), ==, 2);
  /* Somebody reads it, gives it back; another answers. */
  GOOD (&room, CALL_INPUT_ACCEPT, "minh", NULL);
  STATE ("later");
  LOG ("call-case-taken");
  GOOD (&room, CALL_INPUT_DECLINE, "minh", "more-needed");
  STATE ("later");
  g_assert_null (room.call->taken);
  REFUSED ("out-of-place", &room, CALL_INPUT_HAND_OVER, "minh", "hoa");
  REFUSED ("out-of-place", &room, CALL_INPUT_LATER, NULL, NULL);
  GOOD (&room, CALL_INPUT_ANSWER, "hoa", "note-1");
  STATE ("answered");
  LOG ("call-answered");
  g_assert_cmpstr (room.call->note, ==, "note-1");
  g_assert_cmpstr (room.call->taken->id, ==, "hoa");
  room_down (&room);
}

static void
test_later_at_once_and_withdrawn (void)
{
  Room room;
  room_up (&room);
  GOOD (&room, CALL_INPUT_LATER, NULL, NULL);
  STATE ("later");
  GOOD (&room, CALL_INPUT_CANCEL, NULL, NULL);
  STATE ("cancelled");
  room_down (&room);
}

/* ---- Out of place, and restarts ------------------------------------------------------------ */

/* A row brings back the same call. */
static void
read_back (Room *room)
{
  json_auto_t *body = call_to_json (room->call);
  Call *again = call_from_json (body);
  g_assert_nonnull (again);
  json_auto_t *second = call_to_json (again);
  g_assert_true (json_equal (body, second));
  call_free (room->call);
  room->call = again;
}

static void
bring_to (Room *room, CallState state)
{
  room_up (room);
  if (state == CALL_REQUESTED)
    return;
  if (state != CALL_UNANSWERED && state != CALL_LATER)
    add_duty (room, "minh", "cardiology");
  GOOD (room, CALL_INPUT_BEGIN, NULL, NULL);
  if (state == CALL_LATER || state == CALL_ANSWERED)
    GOOD (room, CALL_INPUT_LATER, NULL, NULL);
  if (state == CALL_ANSWERED)
    GOOD (room, CALL_INPUT_ANSWER, "minh", "note");
  if (state == CALL_CANCELLED)
    GOOD (room, CALL_INPUT_CANCEL, NULL, NULL);
  if (state == CALL_ACCEPTED || state == CALL_HANDING || state == CALL_ENDED)
    GOOD (room, CALL_INPUT_ACCEPT, "minh", NULL);
  add_duty (room, "hoa", "cardiology");
  if (state == CALL_HANDING)
    GOOD (room, CALL_INPUT_HAND_OVER, "minh", "hoa");
  if (state == CALL_ENDED)
    GOOD (room, CALL_INPUT_END, "minh", NULL);
  g_assert_cmpint (room->call->state, ==, state);
}

static void
test_restart (void)
{
  for (CallState state = CALL_REQUESTED; state <= CALL_CANCELLED; state++) {
    Room room;
    bring_to (&room, state);
    gboolean rung_before = rings (&room, "hoa");
    read_back (&room);
    g_assert_cmpint (room.call->state, ==, state);
    g_assert_cmpint (room.call->due_us, ==, 0); /* no time of the last boot */
    room.now_us += 100000 * S;
    g_ptr_array_set_size (room.duty, 0); /* nobody is back yet */
    GOOD (&room, CALL_INPUT_RESTART, NULL, NULL);
    if (state == CALL_REQUESTED) {
      STATE ("ringing");
      LOG ("call-ringing");
    } else {
      g_assert_cmpint (room.call->state, ==, state);
      LOG (""); /* no row */
    }
    if (room.call->state == CALL_RINGING || room.call->state == CALL_HANDING)
      g_assert_cmpint (room.call->due_us, ==, room.now_us + 30 * S);
    else
      g_assert_cmpint (room.call->due_us, ==, 0);
    g_assert_cmpint (rings (&room, "hoa"), ==, rung_before);
    room_down (&room);
  }
}

/* Which inputs a state takes, from minh, hoa or the doctor; all others leave it as it was. */
static void
test_out_of_place (void)
{
  static const struct {
    CallInputKind kind;
    const char *who, *word;
    const char *taken; /* letters of the states: q r a h u l */
  } table[] = {
    { CALL_INPUT_BEGIN, NULL, NULL, "q" },         { CALL_INPUT_ESCALATE, NULL, NULL, "rh" },
    { CALL_INPUT_AGAIN, NULL, NULL, "u" },         { CALL_INPUT_ACCEPT, "hoa", NULL, "rhul" },
    { CALL_INPUT_DECLINE, "hoa", "busy", "rhul" }, { CALL_INPUT_HAND_OVER, "minh", "hoa", "a" },
    { CALL_INPUT_LATER, NULL, NULL, "qru" },       { CALL_INPUT_ANSWER, "hoa", "n", "l" },
    { CALL_INPUT_END, NULL, NULL, "ah" },          { CALL_INPUT_CANCEL, NULL, NULL, "qrhul" },
  };
  static const char letters[] = "qrahul---";
  for (CallState state = CALL_REQUESTED; state <= CALL_CANCELLED; state++)
    for (guint i = 0; i < G_N_ELEMENTS (table); i++) {
      Room room;
      bring_to (&room, state);
      json_auto_t *before = call_to_json (room.call);
      const char *code = give (&room, table[i].kind, table[i].who, table[i].word);
      gboolean taken = letters[state] != '-' && strchr (table[i].taken, letters[state]) != NULL;
      g_test_message ("%s, input %d: %s", call_state_name (state), (int)table[i].kind, code);
      g_assert_cmpint (code == NULL, ==, taken);
      json_auto_t *after = call_to_json (room.call);
      g_assert_cmpint (json_equal (before, after), ==, !taken);
      room_down (&room);
    }
}

static void
test_bad_rows (void)
{
  static const char *const rows[] = {
    "{}", "[]", "{\"call\":\"c\",\"state\":\"ringing\"}",
    "{\"call\":\"c\",\"state\":\"flying\",\"specialty\":\"s\",\"urgency\":\"urgent\",\"by\":\"x\"}",
    "{\"call\":\"c\",\"state\":\"ringing\",\"specialty\":\"s\",\"urgency\":\"slow\",\"by\":\"x\"}"
  };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    json_auto_t *body = json_loads (rows[i], 0, NULL);
    g_assert_null (call_from_json (body));
  }
  /* What is odd in a good one is left out. */
  json_auto_t *odd = json_loads (
      "{\"call\":\"c\",\"state\":\"later\",\"specialty\":\"s\",\"urgency\":\"urgent\","
      "\"by\":\"x\",\"step\":-4,\"round\":1e99,\"declines\":[7,{\"who\":{}}],"
      "\"files\":3,\"summary\":[]}",
      0, NULL);
  g_autoptr (Call) call = call_from_json (odd);
  g_assert_nonnull (call);
  g_assert_cmpuint (call->step, ==, 0);
  g_assert_cmpuint (call->declines->len, ==, 0);
  g_assert_true (json_is_array (call->files) && json_is_object (call->summary));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/call/plan", test_plan);
  g_test_add_func ("/call/list", test_list);
  g_test_add_func ("/call/absent", test_absent_are_passed_over);
  g_test_add_func ("/call/late-comer", test_late_comer);
  g_test_add_func ("/call/levels", test_levels);
  g_test_add_func ("/call/far-desk", test_far_desk);
  g_test_add_func ("/call/accept", test_accept);
  g_test_add_func ("/call/accept-unanswered", test_accept_unanswered);
  g_test_add_func ("/call/hand-over", test_hand_over);
  g_test_add_func ("/call/hand-over-fails", test_hand_over_fails);
  g_test_add_func ("/call/hand-over-list", test_hand_over_along_the_list);
  g_test_add_func ("/call/later", test_later);
  g_test_add_func ("/call/later-withdrawn", test_later_at_once_and_withdrawn);
  g_test_add_func ("/call/restart", test_restart);
  g_test_add_func ("/call/out-of-place", test_out_of_place);
  g_test_add_func ("/call/bad-rows", test_bad_rows);
  return g_test_run ();
}
