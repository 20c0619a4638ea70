/* The disk long before it is full: how many days of recent use are left, and, where [recording]
 * make-room allows it, room made by destroying the oldest recordings that are delivered.
 *
 * Destroyed is the recording key of one consultation after the other (records/erasure.h), each with
 * its certificate, and with it the segments. Nothing else ever goes: no note, no reading, no paper,
 * no attachment. Spared are what is on hold, not confirmed by every destination, or younger than
 * make-room-age; and a clock that nothing keeps right destroys nothing. The work is done in a
 * thread; everything here is called on the main thread.
 */
#pragma once
#include "records/erasure.h"
#include "records/retention.h"
#include "station/station.h"

DiskPolicy *disk_policy_new (Station *station);
/* Waits for what is under way. */
void disk_policy_free (DiskPolicy *policy);
/* Every two seconds, after station->space is known. */
void disk_policy_tick (DiskPolicy *policy);
/* {"days_left": 12 or null, "soon": bool, "making_room": bool, "erased": 3, "stuck": "clock",
 * "nothing", "failed" or null} into the object that pages know as `disk`. soon: fewer days than
 * warn-days are left; stuck: why no room can be made although it is short. */
void disk_policy_view (const DiskPolicy *policy, json_t *disk);

/* The oldest consultation whose recording may go: NULL when there is none (transfer full). lines:
 * RetentionLine*, oldest first; delivered: set of ids; today: "2026-11-20". Any thread. */
char *disk_policy_choose (const GPtrArray *lines, GHashTable *delivered, guint age_days,
                          const char *today);
