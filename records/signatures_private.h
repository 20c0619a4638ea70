/* Between signatures.c and signatures_report.c. */
#pragma once
#include "records/signatures.h"

void signature_free (Signature *signature);
GBytes *signatures_base64 (const json_t *text);
/* Kind of the station's rows with the tokens of one consultation (transfer full). */
char *signatures_stamp_kind (const char *consult);
