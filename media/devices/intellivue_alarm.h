/* What an IntelliVue monitor's alert monitor object says stands (Data Export Interface, "Alert
 * Monitor": Device P-Alarm List and T-Alarm List): alarms with their beginning, changes and end.
 *
 * Each poll brings the whole of a list. An alarm that appears is told with phase "start", one whose
 * priority, state or words changed with "update", one that is gone with "end"; what stands
 * unchanged is told again every four minutes ("continue"), for it counts as silent after ten.
 * Sans-IO.
 */
#pragma once
#include "media/devices/intellivue_bytes.h"
#include "media/devices/line_device.h"

typedef struct IvAlarms IvAlarms;

/* The two lists as far as a reply has them; at is NULL where it says nothing of one. */
typedef struct {
  IvReader physiological, technical; /* DevAlarmList */
} IvAlarmLists;

/* sink outlives it. */
IvAlarms *iv_alarms_new (const FeedSink *sink);
void iv_alarms_free (IvAlarms *alarms);
/* A list that does not parse changes nothing. patient_id, patient_name: of whom the monitor speaks,
 * NULL: nobody; of somebody else than before: what stood of that one is over. */
void iv_alarms_take (IvAlarms *alarms, const IvAlarmLists *lists, const char *patient_id,
                     const char *patient_name, LineTime now);
