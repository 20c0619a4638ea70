/* Time-stamps for signatures, fetched when the link allows: signing never waits for them.
 *
 * What is wanted stands in the station's own rows (records/signatures.h) and needs no key of any
 * consultation. One worker at a time; after a failure it is tried again in 30 s, doubling up to an
 * hour. Main thread.
 */
#pragma once
#include "station/station.h"

/* NULL when station.conf has no [timestamp] url; *error only when its files cannot be read. */
Stamping *stamping_new (Station *station, GError **error);
void stamping_free (Stamping *stamping);
/* Something new is wanted: looks at once. stamping may be NULL. */
void stamping_wake (Stamping *stamping);
/* The vault is open: what is due for a further time-stamp can be read. stamping may be NULL. */
void stamping_unlocked (Stamping *stamping);
/* Pages are told of what waits for that; adds to a list of problems. stamping may be NULL. */
void stamping_add_problems (const Stamping *stamping, json_t *list);
/* How many are waiting. */
guint stamping_waiting (const Stamping *stamping);
