/* An alarm of a medical device, as the device tells of it: never judged here, never a primary alarm
 * (docs/devices.md has the JSON schema).
 */
#pragma once
#include "media/devices/observation.h"

typedef enum { ALARM_UNKNOWN, ALARM_NONE, ALARM_LOW, ALARM_MEDIUM, ALARM_HIGH } AlarmPriority;

typedef struct {
  guint32 mdc; /* of the event; 0: unmapped */
  char *code;  /* "MDC_EVT_LO_VAL_LT_LIM", or the vendor's own word */
  char *text;  /* for people, in the device's language; NULL: it sent none */
  AlarmPriority priority;
  char *kind;         /* "physiological" "technical" "advisory"; NULL: not said */
  char *phase;        /* start continue end update escalate deescalate reset tpoint present; NULL */
  char *state;        /* off inactive active latched; NULL: not said */
  char *inactivation; /* enabled audio-paused audio-off alarm-paused …; NULL: not said */
  char *source;       /* what it is about: code; NULL: not said */
  char *vital;        /* of the source, as Observation.vital */
  char *value, *unit, *limits; /* of the source at that time, the device's words */
  GStrv flags;                 /* OBX-8; never NULL */
  Observation *origin; /* device, patient, time, test, message, raw, containment: nothing else */
} DeviceAlarm;

DeviceAlarm *device_alarm_new (void);
void device_alarm_free (DeviceAlarm *alarm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DeviceAlarm, device_alarm_free)

/* "low" …; NULL: unknown. */
const char *alarm_priority_name (AlarmPriority priority);
/* It says that there is none (any more): phase end or reset, state off or inactive. */
gboolean device_alarm_is_over (const DeviceAlarm *alarm);
/* (transfer full) The JSON object of docs/devices.md. */
json_t *device_alarm_to_json (const DeviceAlarm *alarm);
