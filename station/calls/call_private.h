/* Between the files of a call's state machine. */
#pragma once
#include "station/calls/call.h"

/* What is being done to a copy of the call. */
typedef struct {
  Call *call;
  const CallWorld *world;
  const CallInput *input;
  GPtrArray *events;
  gboolean new_invite;
  const char *code; /* of a refusal */
} CallWork;

/* ---- call_ring.c: who is rung ---- */
/* A line of the log; detail may be NULL. */
void call_say (CallWork *work, const char *what, const char *detail);
void call_set_text (char **target, const char *text);
gboolean call_same_person (const CallPerson *a, const CallPerson *b);
/* In this round. */
gboolean call_has_declined (const Call *call, const CallPerson *person);
/* Somebody on duty whom the step means, and who may be rung. */
gboolean call_others_are_there (const Call *call, const CallStep *step, const GPtrArray *duty);
/* The first step from `from` on where somebody is, or may be; the number of steps when there is
 * none. */
guint call_find_step (const Call *call, const CallWorld *world, guint from);
/* Is this person on the station's list for this call at all? */
gboolean call_is_on_list (const CallWork *work, const CallPerson *who);
void call_wait_for (CallWork *work, guint seconds);
void call_stop_ringing (CallWork *work, CallState state);
void call_ring_step (CallWork *work, guint i, gboolean is_first);
/* Rings the first step from `from` on where somebody is; with nobody left the call is unanswered,
 * or stays with who was about to hand it over. */
void call_ring_from (CallWork *work, guint from, gboolean is_first, const char *why);
/* Whoever is being rung is given up. */
void call_give_up (CallWork *work, const char *why);
const char *call_title_of_rung (const CallWork *work);
gboolean call_is_ringing (const Call *call);
