/* Alarms of medical devices: kept as rows of kind "alarm", and shown as what the device says, never
 * as a primary alarm. Whose they are follows the rule of readings (readings.h); what is nobody's is
 * kept in the station's own rows, and shown to nobody. Main thread.
 */
#pragma once
#include "media/devices/alarm.h"
#include "station/readings.h"

/* alarms: of DeviceAlarm* (transfer none). sender, done, arg: as of readings_take(). */
void alarms_take (Station *station, const char *sender, const GPtrArray *alarms, ReadingsDone done,
                  void *arg);

/* One row of kind "alarm" into the table of what stands (consult->alarms). */
void alarms_apply (json_t *standing, const json_t *alarm);
/* [{alarm, text, priority, kind, state, inactivation, vital, device, since, test}] of what stands
 * (transfer full); what a device has not spoken of for ten minutes is left out. */
json_t *alarms_view (const json_t *standing, gint64 now_us);
