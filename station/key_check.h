/* The whole check of the keys (records/vault.h), beside the station at work: soon after a start
 * that did not make it, and every day, so that what the disk loses is found while the other file
 * still has it. Main thread; the work is done in a thread.
 */
#pragma once
#include "station/station.h"

typedef struct KeyCheck KeyCheck;
KeyCheck *key_check_new (Station *station);
/* Waits for a check that is under way. */
void key_check_free (KeyCheck *check);
/* Every few seconds. */
void key_check_tick (KeyCheck *check);
/* What was found and could not be mended, for the console's list of problems; NULL: nothing. */
const char *key_check_problem (KeyCheck *check);
