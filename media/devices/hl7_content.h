/* What one HL7 v2 message carries, whatever its type: readings and waves (ORU^R01), alarms
 * (ORU^R40), or a question for the patient (QRY, QBP). */
#pragma once
#include "media/devices/observation.h"
#include "media/devices/alarm.h"
#include "media/devices/wcm.h"

typedef struct {
  GPtrArray *observations; /* Observation* */
  GPtrArray *waves;        /* WaveBlock* */
  GPtrArray *alarms;       /* DeviceAlarm* */
  gboolean query;          /* it asks who the patient is: patient_query.h */
} Hl7Content;

/* (transfer full) Nothing of what is not supported: hl7_content_is_supported(). wcm: where the
 * sender's waves stand. The rest as of wcm_read(). */
Hl7Content *hl7_content_read (const Hl7Message *message, const Profile *profile, Wcm *wcm,
                              gint64 now_us, gint64 monotonic_us, const char *sender);
Hl7Content *hl7_content_new (void); /* empty */
void hl7_content_free (Hl7Content *content);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Hl7Content, hl7_content_free)
gboolean hl7_content_is_supported (const Hl7Message *message);
