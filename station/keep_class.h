/* How long the law wants the consultation on screen kept: proposed from the diagnoses' ICD-10 codes
 * (records/retention.h), changed by the doctor, written when it is signed. Main thread. */
#pragma once
#include "records/retention.h"
#include "station/consultation.h"

/* The longest term that a conclusion's code asks for. ret_code: that code; NULL: none asks for more
 * than ten years (transfer none, of the consultation). ret_code may be NULL. */
RetentionClass keep_class_propose (const Consult *consult, const char **ret_code);
/* {"class", "years", "code": text or null} (transfer full) */
json_t *keep_class_view (const Consult *consult);
