/* From an HL7 v2 message to alarms (IHE DEV TF-2, transaction PCD-04, ORU^R40).
 *
 * One alarm is the OBX rows that share a place (OBX-4) but for its last number, which says what the
 * row is: 1 the event, 2 its source with value and limits, 3 phase, 4 state, 5 inactivation,
 * 6 priority, 7 kind, 8 text. Rows are known by their code (MDC_ATTR_EVENT_PHASE …), where they
 * have one of those, else by that number. Priority and kind may stand in OBX-8 of the first row
 * instead (L~PM~SP).
 */
#pragma once
#include "media/devices/alarm.h"
#include "media/devices/hl7_message.h"
#include "media/devices/profile.h"

/* TRUE when MSH-9 is ORU^R40. */
gboolean pcd04_is_supported (const Hl7Message *message);
/* (transfer full) array of DeviceAlarm*. Parameters as of pcd01_observations(). */
GPtrArray *pcd04_alarms (const Hl7Message *message, const Profile *profile, gint64 now_us,
                         const char *sender);
