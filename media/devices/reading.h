/* Vital signs of devices that send bare numbers: the observation around one of them. */
#pragma once
#include "media/devices/observation.h"

/* (transfer full) An observation of this code of codes.h at utc_us, the station's time of arrival,
 * without a value yet: "not-measured". A code that codes.h does not know is kept as its number,
 * flagged "unmapped". */
Observation *reading_new (guint32 mdc, gint64 utc_us);
/* Gives it a value, written with so many decimals, in the unit (UCUM; NULL: the code's own), and
 * flags it when it is outside the hard range of its code. NAN and infinities are refused: the
 * observation stays absent, "invalid". */
void reading_set (Observation *observation, double value, guint decimals, const char *ucum);
