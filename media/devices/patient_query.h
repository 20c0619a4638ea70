/* A device asks who the patient is: QRY^A19 and QRY^R02 (HL7 v2 chapters 3.3.19 and 7), QBP^Q22
 * (chapter 3.3.57, IHE PDQ). The answer is one message that acknowledges the question, says its
 * query again, and names one patient or nobody. */
#pragma once
#include "media/devices/hl7_message.h"

/* What a device may learn. Every text may be NULL. */
typedef struct {
  const char *id; /* as devices know the patient */
  const char *name;
  const char *birth; /* "19620514", "1962" */
  const char *sex;   /* "male" "female" "other" */
} QueryPatient;

gboolean patient_query_is_supported (const Hl7Message *message);
/* (transfer full) An identifier that the question names (QRD-8, or QPD-3 @PID.3.1); NULL: none, it
 * asks for whoever is there. */
char *patient_query_id (const Hl7Message *message);
/* (transfer full) ADR^A19, ORF^R04 or RSP^K22, in the question's delimiters and character set.
 * patient NULL: nobody is known. now_us: UTC. */
GBytes *patient_query_answer (const Hl7Message *message, const QueryPatient *patient,
                              gint64 now_us);
