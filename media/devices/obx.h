/* One OBX segment: what is measured, in which unit, and the value (private to media/devices).
 *
 * The rule: a reading of which any part contradicts another, or may mean two things, keeps what
 * the device wrote but names no vital sign, or has no value. It is never guessed into another.
 */
#pragma once
#include "media/devices/codes.h"
#include "media/devices/hl7_message.h"
#include "media/devices/observation.h"
#include "media/devices/profile.h"

/* OBX-3: what the profile (NULL: none) says of the vendor's code rules; flag "profile" then. Else
 * code, mdc, loinc and vital of o, flags "unmapped" or "code-conflict". ret_ucum: a unit that the
 * code demands, else NULL. NULL: no code of ours, or not sure which. */
const CodeEntry *obx_read_code (Observation *o, const Hl7Message *message, guint segment,
                                const Profile *profile, const char **ret_ucum);
/* OBX-2 and OBX-5. entry: what obx_read_code() found, NULL none. A unit written behind the number
 * ("98 %") goes to o->unit when OBX-6 gave none. */
void obx_read_value (Observation *o, const Hl7Message *message, guint segment,
                     const CodeEntry *entry);
/* OBX-6 to UCUM; flag "unit-unmapped" for a word that is not known. NULL when it is no unit of
 * ours. */
const UnitEntry *obx_read_unit (Observation *o, const Hl7Message *message, guint segment);
/* Last of all: what status, flags, unit and range say about the value, and the profile: the unit
 * that its device leaves out, its numbers for "not measured". Takes the vital sign away when the
 * unit is that of another quantity (flag "unit-conflict"). */
void obx_judge (Observation *o, const CodeEntry *entry, const Profile *profile,
                const char *demanded_ucum);
