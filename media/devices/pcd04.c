#include "media/devices/pcd04.h"
#include "media/devices/codes.h"
#include "media/devices/hl7_context.h"

#include <string.h>

/* No monitor has so many at once. */
#define ALARMS_MAX 64

typedef enum {
  ROW_OTHER,
  ROW_EVENT,
  ROW_SOURCE,
  ROW_PHASE,
  ROW_STATE,
  ROW_INACTIVATION,
  ROW_PRIORITY,
  ROW_KIND,
  ROW_TEXT,
} Row;

gboolean
pcd04_is_supported (const Hl7Message *message)
{
  g_autofree char *type = hl7_get (message, 0, 9, 0, 1, 1);
  g_autofree char *event = hl7_get (message, 0, 9, 0, 2, 1);
  return (g_strcmp0 (type, "ORU") == 0 && g_strcmp0 (event, "R40") == 0)
         || (event == NULL && g_strcmp0 (type, "ORU_R40") == 0);
}

static void
set (char **place, char *value)
{
  g_free (*place);
  *place = value;
}

static Row
row_of (const Hl7Message *message, guint segment)
{
  static const struct {
    const char *name;
    Row row;
  } NAMES[] = {
    { "MDC_EVT_ALARM", ROW_EVENT },
    { "MDC_ATTR_ALERT_SOURCE", ROW_SOURCE },
    { "MDC_ATTR_EVENT_PHASE", ROW_PHASE },
    { "MDC_ATTR_ALARM_STATE", ROW_STATE },
    { "MDC_ATTR_ALARM_INACTIVATION_STATE", ROW_INACTIVATION },
    { "MDC_ATTR_ALARM_PRIORITY", ROW_PRIORITY },
    { "MDC_ATTR_ALERT_TYPE", ROW_KIND },
    { "MDC_ATTR_ALERT_TEXT", ROW_TEXT },
  };
  g_autofree char *id = hl7_context_get (message, segment, 3, 1);
  g_autofree char *name = hl7_context_get (message, segment, 3, 2);
  for (guint i = 0; i < G_N_ELEMENTS (NAMES); i++)
    if (g_strcmp0 (name, NAMES[i].name) == 0 || g_strcmp0 (id, NAMES[i].name) == 0)
      return NAMES[i].row;
  g_autofree char *place = hl7_context_get (message, segment, 4, 1);
  const char *last = place != NULL ? strrchr (place, '.') : NULL;
  if (last == NULL)
    return ROW_OTHER;
  return g_str_equal (last, ".1") ? ROW_EVENT : g_str_equal (last, ".2") ? ROW_SOURCE : ROW_OTHER;
}

/* ---- Words ------------------------------------------------------------------------------------
 */

static AlarmPriority
priority_of (const char *word)
{
  static const struct {
    const char *word;
    AlarmPriority priority;
  } WORDS[] = { { "PH", ALARM_HIGH }, { "PM", ALARM_MEDIUM }, { "PL", ALARM_LOW },
                { "PN", ALARM_NONE }, { "high", ALARM_HIGH }, { "medium", ALARM_MEDIUM },
                { "low", ALARM_LOW }, { "none", ALARM_NONE } };
  for (guint i = 0; i < G_N_ELEMENTS (WORDS); i++)
    if (g_ascii_strcasecmp (word, WORDS[i].word) == 0)
      return WORDS[i].priority;
  return ALARM_UNKNOWN;
}

static const char *
kind_of (const char *word)
{
  return g_str_equal (word, "SP")   ? "physiological"
         : g_str_equal (word, "ST") ? "technical"
         : g_str_equal (word, "SA") ? "advisory"
                                    : NULL;
}

static void
take_word (DeviceAlarm *alarm, const char *word)
{
  AlarmPriority priority = priority_of (word);
  const char *kind = kind_of (word);
  if (priority != ALARM_UNKNOWN)
    alarm->priority = priority;
  if (kind != NULL)
    set (&alarm->kind, g_strdup (kind));
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

static gboolean
is_reference_id (const char *text)
{
  return text != NULL && g_ascii_strncasecmp (text, "MDC", 3) == 0;
}

/* A coded value: number, name and the original text. */
static void
take_code (DeviceAlarm *alarm, const Hl7Message *message, guint segment, guint field)
{
  g_autofree char *id = hl7_context_get (message, segment, field, 1);
  g_autofree char *name = hl7_context_get (message, segment, field, 2);
  g_autofree char *original = hl7_context_get (message, segment, field, 9);
  guint64 number = 0;
  if (id != NULL)
    g_ascii_string_to_unsigned (id, 10, 1, G_MAXUINT32, &number, NULL);
  alarm->mdc = (guint32)number;
  set (&alarm->code, g_strdup (name != NULL ? name : id));
  /* A name that is none of the nomenclature's is meant for people. */
  if (original == NULL && name != NULL && !is_reference_id (name))
    original = g_strdup (name);
  if (original != NULL)
    set (&alarm->text, g_steal_pointer (&original));
}

static void
take_event (DeviceAlarm *alarm, const Hl7Context *context, guint segment)
{
  const Hl7Message *message = context->message;
  g_autofree char *name = hl7_context_get (message, segment, 3, 2);
  g_autofree char *id = hl7_context_get (message, segment, 3, 1);
  gboolean general = g_strcmp0 (name, "MDC_EVT_ALARM") == 0 || g_strcmp0 (id, "MDC_EVT_ALARM") == 0;
  if (general) {
    take_code (alarm, message, segment, 5);
  } else {
    /* The event itself is the code, and what OBX-5 says is for people. */
    take_code (alarm, message, segment, 3);
    g_autofree char *text = hl7_context_get (message, segment, 5, 2);
    if (text == NULL)
      text = hl7_context_get (message, segment, 5, 1);
    if (text != NULL)
      set (&alarm->text, g_steal_pointer (&text));
  }
  g_strfreev (alarm->flags);
  alarm->flags = hl7_context_flags (context, segment, &alarm->origin->test);
  for (guint i = 0; alarm->flags[i] != NULL; i++)
    take_word (alarm, alarm->flags[i]);
}

static void
take_source (DeviceAlarm *alarm, const Hl7Message *message, guint segment)
{
  guint field = row_of (message, segment) == ROW_SOURCE ? 3 : 0;
  g_autofree char *id = hl7_context_get (message, segment, 3, 1);
  g_autofree char *name = hl7_context_get (message, segment, 3, 2);
  guint64 number = 0;
  if (g_strcmp0 (name, "MDC_ATTR_ALERT_SOURCE") == 0
      || g_strcmp0 (id, "MDC_ATTR_ALERT_SOURCE") == 0)
    field = 5;
  g_autofree char *code = hl7_context_get (message, segment, field, 1);
  g_autofree char *word = hl7_context_get (message, segment, field, 2);
  const CodeEntry *entry = word != NULL ? code_by_name (word) : NULL;
  if (entry == NULL && code != NULL
      && g_ascii_string_to_unsigned (code, 10, 1, G_MAXUINT32, &number, NULL))
    entry = code_by_mdc ((guint32)number);
  set (&alarm->source, g_strdup (word != NULL ? word : code));
  set (&alarm->vital, entry != NULL ? g_strdup (entry->vital) : NULL);
  if (field != 3)
    return;
  g_autofree char *unit = hl7_context_get (message, segment, 6, 2);
  set (&alarm->value, hl7_context_get (message, segment, 5, 1));
  set (&alarm->limits, hl7_context_get (message, segment, 7, 1));
  const UnitEntry *known = unit != NULL ? unit_by_name (unit) : NULL;
  set (&alarm->unit, known != NULL ? g_strdup (known->ucum) : g_steal_pointer (&unit));
}

static void
take_row (DeviceAlarm *alarm, const Hl7Context *context, guint segment, Row row)
{
  const Hl7Message *message = context->message;
  g_autofree char *value = hl7_context_get (message, segment, 5, 1);
  switch (row) {
  case ROW_EVENT:
    take_event (alarm, context, segment);
    return;
  case ROW_SOURCE:
    take_source (alarm, message, segment);
    return;
  case ROW_PHASE:
    set (&alarm->phase, value != NULL ? g_ascii_strdown (value, -1) : NULL);
    return;
  case ROW_STATE:
    set (&alarm->state, value != NULL ? g_ascii_strdown (value, -1) : NULL);
    return;
  case ROW_INACTIVATION:
    set (&alarm->inactivation, value != NULL ? g_ascii_strdown (value, -1) : NULL);
    return;
  case ROW_PRIORITY:
  case ROW_KIND:
    if (value != NULL)
      take_word (alarm, value);
    return;
  case ROW_TEXT:
    if (value != NULL)
      set (&alarm->text, g_steal_pointer (&value));
    return;
  case ROW_OTHER:
    return;
  }
}

static DeviceAlarm *
begin (const Hl7Context *context, guint segment)
{
  DeviceAlarm *alarm = device_alarm_new ();
  Observation *origin = alarm->origin;
  hl7_context_origin (context, segment, origin);
  origin->time_us = hl7_context_time (context, segment, &origin->time_source);
  origin->containment = hl7_context_get (context->message, segment, 4, 1);
  return alarm;
}

GPtrArray *
pcd04_alarms (const Hl7Message *message, const Profile *profile, gint64 now_us, const char *sender)
{
  GPtrArray *alarms = g_ptr_array_new_with_free_func ((GDestroyNotify)device_alarm_free);
  g_auto (Hl7Context) context;
  DeviceAlarm *current = NULL;
  hl7_context_init (&context, message, profile, now_us, sender);
  for (guint segment = 0; segment < hl7_segments (message); segment++) {
    const char *name = hl7_segment_name (message, segment);
    hl7_context_read (&context, segment);
    if (g_str_equal (name, "OBR"))
      current = NULL;
    if (!g_str_equal (name, "OBX"))
      continue;
    Row row = row_of (message, segment);
    if (row == ROW_EVENT && alarms->len < ALARMS_MAX) {
      current = begin (&context, segment);
      g_ptr_array_add (alarms, current);
    }
    if (current != NULL)
      take_row (current, &context, segment, row);
  }
  return alarms;
}
