/* From an HL7 v2 message to observations (IHE DEV TF-2 §3.1, transaction PCD-01, ORU^R01). */
#pragma once
#include "media/devices/hl7_message.h"
#include "media/devices/observation.h"
#include "media/devices/profile.h"

/* TRUE for an unsolicited observation message: MSH-9 is ORU^R01. */
gboolean pcd01_is_supported (const Hl7Message *message);

/* (transfer full) array of Observation*. Rows that carry no reading (the containment tree MDS, VMD,
 * CHAN; attributes and settings of the device) are left out; whatever else stands in an OBX
 * becomes an observation, known or not. profile: of the sender, NULL none. taken: for each segment,
 * whether it has been read as something else (a wave), NULL none. now_us: UTC, for messages
 * without a time. sender: name for a device that does not name itself, NULL for none. */
GPtrArray *pcd01_observations (const Hl7Message *message, const Profile *profile,
                               const gboolean *taken, gint64 now_us, const char *sender);
