#include "station/calls/call_plan.h"

const char *const call_specialties[]
    = { "general",    "internal",    "cardiology",    "respiratory", "emergency",
        "surgery",    "obstetrics",  "paediatrics",   "neurology",   "infectious",
        "endocrine",  "dermatology", "ophthalmology", "ent",         "dental",
        "psychiatry", "oncology",    "traditional",   "imaging",     NULL };

static const char *const urgencies[] = { "routine", "urgent", "emergency" };

const char *
call_urgency_name (CallUrgency urgency)
{
  return urgencies[urgency];
}

gboolean
call_urgency_from_name (const char *name, CallUrgency *ret)
{
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (urgencies); i++)
    if (g_str_equal (urgencies[i], name)) {
      *ret = (CallUrgency)i;
      return TRUE;
    }
  return FALSE;
}

gboolean
call_specialty_is_known (const char *word)
{
  return word != NULL && g_strv_contains (call_specialties, word);
}

/* ---- People ------------------------------------------------------------------------------- */

CallPerson *
call_person_new (const char *id, const char *name, const char *facility,
                 const char *const *specialties)
{
  static const char *const none[] = { NULL };
  CallPerson *person = g_new0 (CallPerson, 1);
  person->id = g_strdup (id);
  person->name = g_strdup (name);
  person->facility = g_strdup (facility != NULL ? facility : "");
  person->specialties = g_strdupv ((char **)(specialties != NULL ? specialties : none));
  return person;
}

CallPerson *
call_person_copy (const CallPerson *person)
{
  return person == NULL ? NULL
                        : call_person_new (person->id, person->name, person->facility,
                                           (const char *const *)person->specialties);
}

void
call_person_free (CallPerson *person)
{
  if (person == NULL)
    return;
  g_free (person->id);
  g_free (person->name);
  g_free (person->facility);
  g_strfreev (person->specialties);
  g_free (person);
}

static gboolean
is_on_duty_for (const CallPerson *person, const char *specialty)
{
  return person->specialties[0] == NULL
         || g_strv_contains ((const char *const *)person->specialties, specialty);
}

/* ---- Levels ------------------------------------------------------------------------------- */

CallLevel *
call_level_new (const char *name)
{
  CallLevel *level = g_new0 (CallLevel, 1);
  level->name = g_strdup (name);
  return level;
}

void
call_level_free (void *data)
{
  CallLevel *level = data;
  g_free (level->name);
  g_free (level->title);
  g_free (level->facility);
  g_free (level->desk);
  g_strfreev (level->specialties);
  g_strfreev (level->call);
  g_free (level);
}

static guint
seconds_of (const CallLevel *level, CallUrgency urgency)
{
  guint usual = level->ring != 0 ? level->ring : CALL_RING_S;
  if (urgency != CALL_EMERGENCY)
    return usual;
  return level->ring_emergency != 0 ? level->ring_emergency : MIN (usual, CALL_RING_EMERGENCY_S);
}

/* ---- The plan ----------------------------------------------------------------------------- */

struct CallPlan {
  char *specialty;
  GArray *steps; /* CallStep */
};

/* What there is without a list: everybody on duty. */
static const CallLevel everybody
    = { .name = (char *)"duty", .title = (char *)"Bác sĩ trực", .ring = 60, .ring_emergency = 30 };

static void
add_level (CallPlan *plan, guint index, const CallLevel *level, CallUrgency urgency)
{
  CallStep step = { .level = index, .of = level, .seconds = seconds_of (level, urgency) };
  if (level->call == NULL)
    g_array_append_val (plan->steps, step);
  for (guint i = 0; level->call != NULL && level->call[i] != NULL; i++) {
    step.who = g_str_equal (level->call[i], "*") ? NULL : level->call[i];
    g_array_append_val (plan->steps, step);
  }
}

CallPlan *
call_plan_new (const GPtrArray *levels, const char *specialty, CallUrgency urgency)
{
  CallPlan *plan = g_new0 (CallPlan, 1);
  plan->specialty = g_strdup (specialty);
  plan->steps = g_array_new (FALSE, FALSE, sizeof (CallStep));
  for (guint i = 0; levels != NULL && i < levels->len; i++) {
    const CallLevel *level = levels->pdata[i];
    if (level->specialties == NULL
        || g_strv_contains ((const char *const *)level->specialties, specialty))
      add_level (plan, i, level, urgency);
  }
  if (levels == NULL || levels->len == 0)
    add_level (plan, 0, &everybody, urgency);
  return plan;
}

void
call_plan_free (CallPlan *plan)
{
  if (plan == NULL)
    return;
  g_array_unref (plan->steps);
  g_free (plan->specialty);
  g_free (plan);
}

guint
call_plan_steps (const CallPlan *plan)
{
  return plan->steps->len;
}

const CallStep *
call_plan_step (const CallPlan *plan, guint i)
{
  return i < plan->steps->len ? &g_array_index (plan->steps, CallStep, i) : NULL;
}

const char *
call_plan_specialty (const CallPlan *plan)
{
  return plan->specialty;
}

/* Who is named is called whatever they are on duty for: the station's list knows them. */
gboolean
call_step_means (const CallStep *step, const char *specialty, const CallPerson *person)
{
  if (step->who != NULL)
    return g_str_equal (step->who, person->id);
  if (step->of->facility != NULL && !g_str_equal (step->of->facility, person->facility))
    return FALSE;
  return is_on_duty_for (person, specialty);
}

const char *
call_step_title (const CallStep *step, const GPtrArray *duty)
{
  for (guint i = 0; step->who != NULL && i < duty->len; i++) {
    const CallPerson *person = duty->pdata[i];
    if (g_str_equal (person->id, step->who))
      return person->name;
  }
  if (step->who != NULL)
    return step->who;
  return step->of->title != NULL ? step->of->title : step->of->name;
}
