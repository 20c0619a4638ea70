/* Whom a station calls, in which order, and how long each is rung: [level NAME] of station.conf.
 *
 * A level is a hospital, or a rung of technical level; its list names specialists by their ids, or
 * `*` for all of that level who are on duty for the specialty. Without a level in station.conf
 * there is one: everybody who is on duty, for a minute. Any thread.
 */
#pragma once
#include <glib.h>

typedef enum { CALL_ROUTINE, CALL_URGENT, CALL_EMERGENCY } CallUrgency;
const char *call_urgency_name (CallUrgency urgency);
gboolean call_urgency_from_name (const char *name, CallUrgency *ret);

/* Words of specialties, NULL-terminated; their names are the pages'. */
extern const char *const call_specialties[];
gboolean call_specialty_is_known (const char *word);

/* Somebody at a desk. */
typedef struct {
  char *id, *name, *facility;
  GStrv specialties; /* for which they are on duty; empty: for all */
} CallPerson;

CallPerson *call_person_new (const char *id, const char *name, const char *facility,
                             const char *const *specialties);
CallPerson *call_person_copy (const CallPerson *person);
void call_person_free (CallPerson *person);

/* One group [level NAME]. */
typedef struct {
  char *name, *title;         /* title: for people; NULL: the name */
  GStrv specialties;          /* NULL: all */
  char *desk;                 /* of a hospital, where it rings through a broker; NULL: none */
  char *facility;             /* whom `*` means: who is of this facility; NULL: anybody */
  GStrv call;                 /* ids, or "*"; NULL: "*" */
  guint ring, ring_emergency; /* seconds; 0: the usual ones */
} CallLevel;

enum { CALL_LEVELS_MAX = 16, CALL_LEVEL_CALLS_MAX = 32 };
enum { CALL_RING_S = 45, CALL_RING_EMERGENCY_S = 20, CALL_RING_MIN_S = 5, CALL_RING_MAX_S = 600 };

CallLevel *call_level_new (const char *name);
void call_level_free (void *level);

/* Somebody, or all of a level, rung for some seconds. */
typedef struct {
  guint level;     /* index, as in station.conf */
  const char *who; /* an id; NULL: all */
  const CallLevel *of;
  guint seconds;
} CallStep;

typedef struct CallPlan CallPlan;
/* levels: CallLevel*, in the order of the file; they must outlive the plan. */
CallPlan *call_plan_new (const GPtrArray *levels, const char *specialty, CallUrgency urgency);
void call_plan_free (CallPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CallPlan, call_plan_free)
guint call_plan_steps (const CallPlan *plan);
/* NULL beyond the end. */
const CallStep *call_plan_step (const CallPlan *plan, guint i);
const char *call_plan_specialty (const CallPlan *plan);
/* Does a step mean this person? */
gboolean call_step_means (const CallStep *step, const char *specialty, const CallPerson *person);
/* Whom a step names, for people: a name of `duty` where it is known, else the id or level's title.
 */
const char *call_step_title (const CallStep *step, const GPtrArray *duty);
