/* Further time-stamps before the newest one loses its strength: a sweep over all signed
 * consultations, at start, every six hours, and when somebody opens the vault.
 *
 * When a token is due stands in the station's own rows and needs no key of a consultation; what the
 * next one is over does (records/signatures.h). So records that are due while nobody has opened the
 * vault are counted, and pages are told. Main thread.
 */
#pragma once
#include "station/station.h"

typedef struct Restamping Restamping;

/* wanted: called when wishes for tokens were written (station/stamping.h fetches them). */
Restamping *restamping_new (Station *station, void (*wanted) (void *arg), void *arg);
/* Waits for a sweep that is under way. */
void restamping_free (Restamping *restamping);
/* Sweeps now; again after the one that is under way. restamping may be NULL. */
void restamping_look (Restamping *restamping);
/* Pages are told of records that wait for somebody to open them; adds to a list of problems. */
void restamping_add_problems (const Restamping *restamping, json_t *list);
