/* A second look for who joins late: the last minute of vital signs, out of the record. Main thread.
 *
 * A page that opens its channel gets what there is now; with it go the curves of the minute before,
 * a point every two seconds at most, some two kilobytes. Stills of the consultation are told by
 * pictures.h already.
 */
#pragma once
#include "station/station.h"

enum { CATCH_UP_SECONDS = 60 };

/* {"type": "past", "until": UTC, "curves": {"spo2": [[-58.2, 97], …]}} to this peer: seconds before
 * `until`, and the value. Nothing when there is none. */
void catch_up_send (Station *station, const char *label);
/* The curves of rows of kind "observation" (StoreRow*, in order) of the seconds before now_us
 * (transfer full): numbers of vital signs that were measured now, of no test. */
json_t *catch_up_curves (const GPtrArray *rows, gint64 now_us);
