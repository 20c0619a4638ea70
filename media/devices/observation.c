#include "media/devices/observation.h"
#include "media/devices/utc.h"

Observation *
observation_new (void)
{
  Observation *observation = g_new0 (Observation, 1);
  observation->flags = g_new0 (char *, 1);
  return observation;
}

void
observation_free (Observation *o)
{
  g_free (o->code);
  g_free (o->loinc);
  g_free (o->vital);
  g_free (o->number_text);
  g_free (o->text);
  g_free (o->unit);
  g_free (o->absent_reason);
  g_free (o->site);
  g_free (o->containment);
  g_free (o->device);
  g_free (o->patient_id);
  g_free (o->patient_name);
  g_free (o->patient_family);
  g_free (o->patient_given);
  g_free (o->alarm_range);
  g_strfreev (o->flags);
  g_free (o->status);
  g_free (o->message_id);
  g_free (o->raw);
  g_free (o->device_time);
  g_free (o->device_value);
  g_free (o->device_user);
  g_free (o);
}

gboolean
observation_has_flag (const Observation *observation, const char *flag)
{
  return g_strv_contains ((const char *const *)observation->flags, flag);
}

void
observation_add_flag (Observation *observation, const char *flag)
{
  if (observation_has_flag (observation, flag))
    return;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_strv_builder_addv (builder, (const char **)observation->flags);
  g_strv_builder_add (builder, flag);
  g_strfreev (observation->flags);
  observation->flags = g_strv_builder_end (builder);
}

void
observation_make_absent (Observation *observation, const char *reason)
{
  observation->type = OBS_NONE;
  observation->number = 0;
  g_clear_pointer (&observation->number_text, g_free);
  g_free (observation->absent_reason);
  observation->absent_reason = g_strdup (reason);
}

static void
set_text (json_t *object, const char *key, const char *value)
{
  if (value != NULL)
    json_object_set_new (object, key, json_string (value));
}

static const char *
time_source_name (ObservationTime source)
{
  switch (source) {
  case OBS_TIME_DEVICE:
    return "device";
  case OBS_TIME_DEVICE_LOCAL:
    return "device-local";
  case OBS_TIME_STATION:
    break;
  }
  return "station";
}

static json_t *
patient_json (const Observation *observation)
{
  json_t *patient = json_object ();
  set_text (patient, "id", observation->patient_id);
  set_text (patient, "name", observation->patient_name);
  set_text (patient, "family", observation->patient_family);
  set_text (patient, "given", observation->patient_given);
  return patient;
}

json_t *
observation_to_json (const Observation *o)
{
  json_t *object = json_object ();
  set_text (object, "vital", o->vital);
  if (o->mdc != 0)
    json_object_set_new (object, "mdc", json_integer (o->mdc));
  set_text (object, "code", o->code);
  set_text (object, "loinc", o->loinc);
  if (o->type == OBS_NUMBER)
    json_object_set_new (object, "value", json_real (o->number));
  set_text (object, "value_text", o->type == OBS_NUMBER ? o->number_text : o->text);
  set_text (object, "unit", o->unit);
  set_text (object, "absent", o->absent_reason);
  g_autofree char *time = utc_text (o->time_us);
  set_text (object, "time", time);
  set_text (object, "time_source", time_source_name (o->time_source));
  set_text (object, "device", o->device);
  if (o->patient_id != NULL || o->patient_name != NULL)
    json_object_set_new (object, "patient", patient_json (o));
  set_text (object, "site", o->site);
  set_text (object, "containment", o->containment);
  set_text (object, "alarm_range", o->alarm_range);
  json_t *flags = json_array ();
  for (guint i = 0; o->flags[i] != NULL; i++)
    json_array_append_new (flags, json_string (o->flags[i]));
  json_object_set_new (object, "flags", flags);
  set_text (object, "status", o->status);
  json_object_set_new (object, "test", json_boolean (o->test));
  set_text (object, "message", o->message_id);
  set_text (object, "raw", o->raw);
  set_text (object, "device_time", o->device_time);
  set_text (object, "device_value", o->device_value);
  set_text (object, "device_user", o->device_user);
  return object;
}
