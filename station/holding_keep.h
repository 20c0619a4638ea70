/* What devices sent and nobody claimed for thirty days is shredded (records/holding.h), once an
 * hour, in a thread. Main thread. */
#pragma once
#include "station/station.h"

HoldingKeep *holding_keep_new (Station *station);
/* Waits for what is under way. */
void holding_keep_free (HoldingKeep *keep);
/* Every two seconds. */
void holding_keep_tick (HoldingKeep *keep);
