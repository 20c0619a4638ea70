#include "media/devices/intellivue_poll.h"
#include "media/devices/codes.h"
#include "media/devices/reading.h"

#include <string.h>

#define NUMERICS_MAX 256
#define EVERY_US (G_USEC_PER_SEC * 9 / 10) /* replies jitter around a second */
#define PARTITION_SCADA (2u << 16)
#define PARTITION_UNITS (4u << 16)
#define PRIVATE 0xF000

enum { /* object classes */
       CLASS_DEMOGRAPHICS = 42,
       CLASS_ALERTS = 54,
};

enum { /* attributes */
       ATTR_AL_PHYSIOLOGICAL = 0x0902,
       ATTR_AL_TECHNICAL = 0x0904,
       ATTR_LABEL_STRING = 0x0927,
       ATTR_NU_COMPOUND = 0x094B,
       ATTR_NU_VALUE = 0x0950,
       ATTR_PT_ID = 0x095A,
       ATTR_PT_FAMILY = 0x095C,
       ATTR_PT_GIVEN = 0x095D,
       ATTR_SA_COMPOUND = 0x0967,
       ATTR_SA_SPECIFICATION = 0x096D,
       ATTR_SA_VALUE = 0x096E,
       ATTR_SCALE = 0x096F,
       ATTR_SAMPLE_PERIOD = 0x098D,
       ATTR_TIME_STAMP = 0x0990,
       ATTR_UNIT = 0x0996,
       ATTR_SA_FIXED = 0x0A16,
};

/* What was said last of one numeric. */
typedef struct {
  guint32 value;
  guint16 state;
  gint64 stamp; /* its own time, 0: none */
  gint64 said_us;
} Said;

/* The attributes of one object that matter. */
typedef struct {
  IvReader label, value, compound, stamp, pt_id, pt_family, pt_given;
  IvAlarmLists alarms;
  IvWaveObject wave;
} Object;

struct IvPoll {
  const FeedSink *sink;
  IvWaves *waves;
  IvAlarms *alarms;
  GHashTable *said; /* handle << 16 | physio id → Said* */
  gboolean knows_patient;
  char *patient_id, *family, *given;
};

/* One reply. */
typedef struct {
  guint32 relative;
  gint64 absolute; /* the monitor's clock, s; 0: not given */
  guint16 class;
  LineTime now;
} Reply;

IvPoll *
iv_poll_new (const LineOutput *output)
{
  IvPoll *poll = g_new0 (IvPoll, 1);
  poll->sink = output->sink;
  poll->waves = iv_waves_new (output);
  poll->alarms = iv_alarms_new (output->sink);
  poll->said = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return poll;
}

static void
forget_patient (IvPoll *poll)
{
  g_clear_pointer (&poll->patient_id, g_free);
  g_clear_pointer (&poll->family, g_free);
  g_clear_pointer (&poll->given, g_free);
}

void
iv_poll_free (IvPoll *poll)
{
  forget_patient (poll);
  iv_waves_free (poll->waves);
  iv_alarms_free (poll->alarms);
  g_hash_table_unref (poll->said);
  g_free (poll);
}

gboolean
iv_poll_knows_patient (const IvPoll *poll)
{
  return poll->knows_patient;
}

void
iv_poll_lost (IvPoll *poll)
{
  poll->knows_patient = FALSE;
  forget_patient (poll);
  g_hash_table_remove_all (poll->said);
  iv_waves_lost (poll->waves);
}

/* ---- Numerics -------------------------------------------------------------------------------- */

/* MeasurementState, in HL7's words for the same (OBX-8). */
static const struct {
  guint16 bit;
  const char *flag;
  gboolean test;
} STATES[] = {
  { 0x4000, "QUES", FALSE },  { 0x1000, "CAL", TRUE },    { 0x0800, "TEST", TRUE },
  { 0x0400, "DEMO", TRUE },   { 0x0040, "EARLY", FALSE }, { 0x0020, "BUSY", FALSE },
  { 0x0002, "ALACT", FALSE }, { 0x0001, "ALINH", FALSE },
};
#define STATE_INVALID 0x8000
#define STATE_UNAVAILABLE 0x2000

static void
put_state (Observation *observation, guint16 state)
{
  for (guint i = 0; i < G_N_ELEMENTS (STATES); i++)
    if (state & STATES[i].bit) {
      observation_add_flag (observation, STATES[i].flag);
      observation->test |= STATES[i].test;
    }
}

/* The unit, and whether it is one of the code's quantity: if not, nobody knows which of them is
 * wrong. */
static void
put_value (Observation *observation, double value, guint decimals, guint16 unit_code)
{
  const UnitEntry *unit = unit_by_mdc (PARTITION_UNITS | unit_code);
  const CodeEntry *entry = code_by_mdc (observation->mdc);
  g_autofree char *word = g_strdup_printf ("%u", PARTITION_UNITS | unit_code);
  reading_set (observation, value, decimals, unit != NULL ? unit->ucum : word);
  if (unit == NULL)
    observation_add_flag (observation, "unit-unmapped");
  if (entry != NULL && unit != NULL && entry->ucum != NULL
      && !g_str_equal (unit->base, unit_by_ucum (entry->ucum) != NULL
                                       ? unit_by_ucum (entry->ucum)->base
                                       : entry->ucum)) {
    observation_add_flag (observation, "unit-conflict");
    g_clear_pointer (&observation->vital, g_free);
  }
}

/* (transfer full); NULL: it has none. */
static char *
patient_name (const IvPoll *poll)
{
  if (poll->family == NULL && poll->given == NULL)
    return NULL;
  char *name = g_strjoin (" ", poll->family != NULL ? poll->family : "",
                          poll->given != NULL ? poll->given : "", NULL);
  return g_strstrip (name);
}

static Observation *
make_observation (IvPoll *poll, const Object *object, guint16 physio, const Reply *reply)
{
  IvReader label = object->label;
  guint32 mdc = physio < PRIVATE ? PARTITION_SCADA | physio : 0;
  Observation *observation = reading_new (mdc, reply->now.utc_us);
  if (code_by_mdc (mdc) == NULL) {
    char *word = iv_string (&label);
    g_free (observation->code);
    observation->code = word != NULL ? word : g_strdup_printf ("NOM %u", physio);
  }
  observation->patient_id = g_strdup (poll->patient_id);
  observation->patient_family = g_strdup (poll->family);
  observation->patient_given = g_strdup (poll->given);
  observation->patient_name = patient_name (poll);
  return observation;
}

/* NIBP and the like have a time of their own, by the monitor's clock, which may be wrong by years:
 * what counts is how old the value was when the monitor told of it. */
static void
put_age (Observation *observation, gint64 stamp, const Reply *reply)
{
  gint64 age = reply->absolute - stamp;
  if (stamp != 0 && reply->absolute != 0 && age > 0 && age < 7 * 86400)
    observation->time_us -= age * G_USEC_PER_SEC;
}

static gboolean
is_noninvasive_pressure (guint16 physio)
{
  return physio >= 18948 && physio <= 18951;
}

/* Whether to say it: once a second; a value that is measured now and then only when it is new. */
static gboolean
is_due (IvPoll *poll, guint16 handle, guint16 physio, const Said *now)
{
  void *key = GUINT_TO_POINTER ((guint)handle << 16 | physio);
  Said *said = g_hash_table_lookup (poll->said, key);
  if (said == NULL) {
    if (g_hash_table_size (poll->said) >= NUMERICS_MAX)
      return FALSE;
    said = g_new0 (Said, 1);
    g_hash_table_insert (poll->said, key, said);
  } else {
    gboolean changed
        = said->value != now->value || said->state != now->state || said->stamp != now->stamp;
    gboolean episodic = now->stamp != 0 || is_noninvasive_pressure (physio);
    if (episodic ? !changed : now->said_us - said->said_us < EVERY_US)
      return FALSE;
  }
  *said = *now;
  return TRUE;
}

static void
take_numeric (IvPoll *poll, const Object *object, IvReader *value, const Reply *reply)
{
  guint16 physio = iv_u16 (value), state = iv_u16 (value), unit = iv_u16 (value);
  guint32 bits = iv_u32 (value);
  IvReader stamp = object->stamp;
  double number;
  guint decimals;
  if (value->bad)
    return;
  const Said now = { .value = bits,
                     .state = state,
                     .stamp = stamp.left >= 8 ? iv_absolute_time (&stamp) : 0,
                     .said_us = reply->now.monotonic_us };
  if (!is_due (poll, object->wave.handle, physio, &now))
    return;
  Observation *observation = make_observation (poll, object, physio, reply);
  put_age (observation, now.stamp, reply);
  put_state (observation, state);
  if (state & STATE_INVALID)
    observation_make_absent (observation, "invalid");
  else if (state & STATE_UNAVAILABLE)
    observation_make_absent (observation, "not-available");
  else if (iv_float (bits, &number, &decimals))
    put_value (observation, number, decimals, unit);
  feed_observation (poll->sink, observation);
}

static void
take_numerics (IvPoll *poll, const Object *object, const Reply *reply)
{
  IvReader value = object->value, compound = object->compound;
  if (value.left > 0)
    take_numeric (poll, object, &value, reply);
  if (compound.left >= 4) {
    guint count = iv_u16 (&compound);
    IvReader list = iv_part (&compound, iv_u16 (&compound));
    for (guint i = 0; i < count && !list.bad && list.left > 0; i++)
      take_numeric (poll, object, &list, reply);
  }
}

/* ---- Objects --------------------------------------------------------------------------------- */

static IvReader *
place_of (Object *object, guint16 attribute)
{
  switch (attribute) {
  case ATTR_AL_PHYSIOLOGICAL:
    return &object->alarms.physiological;
  case ATTR_AL_TECHNICAL:
    return &object->alarms.technical;
  case ATTR_LABEL_STRING:
    return &object->label;
  case ATTR_NU_VALUE:
    return &object->value;
  case ATTR_NU_COMPOUND:
    return &object->compound;
  case ATTR_TIME_STAMP:
    return &object->stamp;
  case ATTR_PT_ID:
    return &object->pt_id;
  case ATTR_PT_FAMILY:
    return &object->pt_family;
  case ATTR_PT_GIVEN:
    return &object->pt_given;
  case ATTR_SA_VALUE:
    return &object->wave.single;
  case ATTR_SA_COMPOUND:
    return &object->wave.compound;
  case ATTR_SA_SPECIFICATION:
    return &object->wave.specification;
  case ATTR_SA_FIXED:
    return &object->wave.fixed;
  case ATTR_SCALE:
    return &object->wave.scale;
  case ATTR_SAMPLE_PERIOD:
    return &object->wave.period;
  case ATTR_UNIT:
    return &object->wave.unit;
  default:
    return NULL;
  }
}

static void
take_patient (IvPoll *poll, const Object *object)
{
  IvReader id = object->pt_id, family = object->pt_family, given = object->pt_given;
  g_autofree char *now = iv_string (&id);
  if (g_strcmp0 (now, poll->patient_id) != 0)
    g_hash_table_remove_all (poll->said); /* what was said was another's */
  forget_patient (poll);
  poll->patient_id = g_steal_pointer (&now);
  poll->family = iv_string (&family);
  poll->given = iv_string (&given);
}

static void
take_alarms (IvPoll *poll, const Object *object, const Reply *reply)
{
  g_autofree char *name = patient_name (poll);
  iv_alarms_take (poll->alarms, &object->alarms, poll->patient_id, name, reply->now);
}

static void
take_object (IvPoll *poll, IvReader *list, const Reply *reply)
{
  Object object = { .wave.handle = iv_u16 (list) };
  guint count = iv_u16 (list);
  IvReader attributes = iv_part (list, iv_u16 (list));
  for (guint i = 0; i < count && !attributes.bad && attributes.left >= 4; i++) {
    IvReader *place = place_of (&object, iv_u16 (&attributes));
    IvReader value = iv_part (&attributes, iv_u16 (&attributes));
    if (place != NULL && !value.bad)
      *place = value;
  }
  if (reply->class == CLASS_DEMOGRAPHICS)
    take_patient (poll, &object);
  if (reply->class == CLASS_ALERTS)
    take_alarms (poll, &object, reply);
  take_numerics (poll, &object, reply);
  iv_waves_take (poll->waves, &object.wave, reply->relative, poll->patient_id, reply->now);
}

void
iv_poll_take (IvPoll *poll, IvReader *reader, gboolean extended, LineTime now)
{
  Reply reply = { .now = now };
  iv_skip (reader, extended ? 4 : 2); /* poll number, sequence number */
  reply.relative = iv_u32 (reader);
  reply.absolute = iv_absolute_time (reader);
  iv_skip (reader, 2); /* partition */
  reply.class = iv_u16 (reader);
  iv_skip (reader, 2); /* attribute group */
  guint taken = 0, contexts = iv_u16 (reader);
  IvReader list = iv_part (reader, iv_u16 (reader));
  if (!reader->bad && reply.class == CLASS_DEMOGRAPHICS)
    poll->knows_patient = TRUE;
  for (guint i = 0; i < contexts && !list.bad && list.left >= 6; i++) {
    iv_skip (&list, 2); /* context id */
    guint count = iv_u16 (&list);
    IvReader objects = iv_part (&list, iv_u16 (&list));
    for (guint j = 0; j < count && !objects.bad && objects.left >= 6; j++, taken++)
      take_object (poll, &objects, &reply);
  }
  if (taken == 0 && poll->knows_patient && reply.class == CLASS_DEMOGRAPHICS)
    take_patient (poll, &(const Object){ 0 }); /* nobody is admitted */
}
