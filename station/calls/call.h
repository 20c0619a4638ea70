/* A call for a specialist, as a state machine.
 *
 * requested → ringing → accepted ⇄ handing → ended; from ringing also → unanswered (nobody took
 * it), → later (the case waits for a written answer) → answered, → cancelled. docs/desk.md has the
 * picture.
 *
 * No socket, no clock, no store: call_after() takes a call as it stands and what happened, and
 * gives the call as it stands then, with what the record's log is to say. The caller makes that
 * durable (a row of kind `call` is call_to_json()) before anybody hears of it, so that a call read
 * back from its newest row is the same call. Times of waiting are CLOCK_MONOTONIC in µs and not
 * part of the row: after a restart whoever was being rung is rung for the whole time again. Any
 * thread.
 */
#pragma once
#include "station/calls/call_plan.h"

#include <jansson.h>

typedef enum {
  CALL_REQUESTED, /* kept, nobody rung yet */
  CALL_RINGING,
  CALL_ACCEPTED,
  CALL_HANDING,    /* accepted, and another is being rung for it */
  CALL_UNANSWERED, /* the list is through, or nobody is on duty */
  CALL_LATER,      /* the case waits for a written answer */
  CALL_ANSWERED,
  CALL_ENDED,
  CALL_CANCELLED,
} CallState;

const char *call_state_name (CallState state);
gboolean call_state_from_name (const char *name, CallState *ret);

/* Who said no, and why. */
typedef struct {
  CallPerson *who;
  char *reason; /* of call_reasons */
  char *text;   /* "": none */
  gint64 at_us; /* UTC */
  guint round;  /* which time through the list */
} CallDecline;

typedef struct {
  char *id;
  CallState state;
  char *specialty;
  CallUrgency urgency;
  json_t *summary; /* what the doctor released (call_summary.h) */
  char *by;        /* the user who called */
  gint64 asked_us; /* UTC */
  char *invite;    /* by which who accepts next comes in; NULL: not made yet */

  guint step;    /* of the plan */
  guint round;   /* from 1: times through the list */
  char *to;      /* whom a hand-over named; NULL: as the plan's step says */
  gint64 due_us; /* CLOCK_MONOTONIC: when the ringing is over; 0: nothing is waited for, or not set
                    yet */

  CallPerson *taken;   /* who accepted, or reads the case, or answered; NULL: nobody */
  gint64 taken_us;     /* UTC */
  GPtrArray *declines; /* CallDecline* */
  char *why;           /* of `unanswered`: nobody no-answer declined; of `cancelled`: the reason */
  json_t *files;       /* array of ids of attachments that go with a case */
  char *note;          /* id of the note with the answer; NULL: none */
} Call;

Call *call_new (const char *id);
Call *call_copy (const Call *call);
void call_free (Call *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

/* The body of a row (transfer full), and a call from one; NULL: it is none. */
json_t *call_to_json (const Call *call);
Call *call_from_json (const json_t *body);

/* Reasons to say no, NULL-terminated: busy other-specialty more-needed transfer other. */
extern const char *const call_reasons[];

typedef enum {
  CALL_INPUT_REQUEST,   /* makes the call; not for call_after() */
  CALL_INPUT_BEGIN,     /* requested: ring the first who is there */
  CALL_INPUT_RESTART,   /* the station has started: wait anew */
  CALL_INPUT_TIME,      /* due_us is over */
  CALL_INPUT_ESCALATE,  /* the doctor does not wait any longer */
  CALL_INPUT_AGAIN,     /* unanswered: through the list once more */
  CALL_INPUT_ACCEPT,    /* who; of a case: who reads it */
  CALL_INPUT_DECLINE,   /* who, word: the reason, text */
  CALL_INPUT_HAND_OVER, /* who, word: to whom, NULL: the next of the list */
  CALL_INPUT_LATER,     /* files */
  CALL_INPUT_ANSWER,    /* who, word: id of the note */
  CALL_INPUT_END,       /* who NULL: the doctor, or the consultation is over */
  CALL_INPUT_CANCEL,    /* text: the reason */
} CallInputKind;

typedef struct {
  CallInputKind kind;
  const CallPerson *who; /* whose act it is; NULL: the doctor's or the station's */
  const char *word, *text;
  json_t *files;
} CallInput;

/* What the world is like when it happens. */
typedef struct {
  const CallPlan *plan;
  const GPtrArray *duty; /* CallPerson* on duty now, as far as this station knows */
  gboolean far;          /* desks of hospitals can be rung: who sits there is not known before */
  gint64 now_us;         /* CLOCK_MONOTONIC */
  gint64 utc_us;
} CallWorld;

/* One line of the record's log. */
typedef struct {
  const char *what; /* call-requested call-ringing call-absent call-no-answer call-escalated
                       call-not-waited call-accepted call-declined call-handing call-handed-over
                       call-hand-over-failed call-unanswered call-later call-case-taken
                       call-answered call-ended call-cancelled */
  char *detail;     /* a name, a reason */
} CallEvent;

typedef struct {
  Call *call;
  GPtrArray *events;   /* CallEvent* */
  gboolean new_invite; /* call->invite is to be made anew before it rings */
} CallChange;

void call_change_clear (CallChange *change);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CallChange, call_change_clear)

/* FALSE: it is out of place now; *ret_code says why (out-of-place not-allowed no-such busy). Then
 * ret_change is untouched. A RESTART that changes nothing but due_us has no events: it wants no
 * row. */
gboolean call_after (const Call *call, const CallInput *input, const CallWorld *world,
                     CallChange *ret_change, const char **ret_code);

/* Is this person being rung now? */
gboolean call_rings (const Call *call, const CallPlan *plan, const CallPerson *person);
/* Over: nothing can happen to it any more. */
gboolean call_is_over (const Call *call);
/* The step that is rung now, or NULL. */
const CallStep *call_step (const Call *call, const CallPlan *plan);
/* The step that would be rung next, were this one given up; NULL: nobody is left. */
const CallStep *call_next_step (const Call *call, const CallWorld *world);
