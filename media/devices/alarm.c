#include "media/devices/alarm.h"
#include "media/devices/utc.h"

DeviceAlarm *
device_alarm_new (void)
{
  DeviceAlarm *alarm = g_new0 (DeviceAlarm, 1);
  alarm->flags = g_new0 (char *, 1);
  alarm->origin = observation_new ();
  return alarm;
}

void
device_alarm_free (DeviceAlarm *alarm)
{
  char *const texts[] = { alarm->code,  alarm->text,         alarm->kind,   alarm->phase,
                          alarm->state, alarm->inactivation, alarm->source, alarm->vital,
                          alarm->value, alarm->unit,         alarm->limits };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (texts[i]);
  g_strfreev (alarm->flags);
  observation_free (alarm->origin);
  g_free (alarm);
}

const char *
alarm_priority_name (AlarmPriority priority)
{
  static const char *const NAMES[] = { NULL, "none", "low", "medium", "high" };
  return NAMES[priority];
}

static gboolean
is_one_of (const char *word, const char *a, const char *b)
{
  return word != NULL && (g_str_equal (word, a) || g_str_equal (word, b));
}

gboolean
device_alarm_is_over (const DeviceAlarm *alarm)
{
  return is_one_of (alarm->phase, "end", "reset") || is_one_of (alarm->state, "off", "inactive");
}

json_t *
device_alarm_to_json (const DeviceAlarm *alarm)
{
  const Observation *origin = alarm->origin;
  g_autofree char *time = utc_text (origin->time_us);
  json_t *flags = json_array ();
  for (guint i = 0; alarm->flags[i] != NULL; i++)
    json_array_append_new (flags, json_string (alarm->flags[i]));
  json_t *object = json_pack (
      "{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:b, s:s*, s:s, "
      "s:s*, s:s*, s:s*, s:b, s:o}",
      "alarm", alarm->code, "text", alarm->text, "priority", alarm_priority_name (alarm->priority),
      "kind", alarm->kind, "phase", alarm->phase, "state", alarm->state, "inactivation",
      alarm->inactivation, "source", alarm->source, "vital", alarm->vital, "value_text",
      alarm->value, "unit", alarm->unit, "limits", alarm->limits, "over",
      device_alarm_is_over (alarm), "device", origin->device, "time", time, "containment",
      origin->containment, "message", origin->message_id, "raw", origin->raw, "test", origin->test,
      "flags", flags);
  if (alarm->mdc != 0)
    json_object_set_new (object, "mdc", json_integer (alarm->mdc));
  if (origin->patient_id != NULL || origin->patient_name != NULL)
    json_object_set_new (
        object, "patient",
        json_pack ("{s:s*, s:s*}", "id", origin->patient_id, "name", origin->patient_name));
  return object;
}
