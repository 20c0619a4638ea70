/* How fast a state folder has grown of late, so that people hear of a full disk weeks before it.
 *
 * Counted are the recordings and attachments of the last USAGE_DAYS days and the share of
 * records.db of as many. Neither key nor vault is needed; what was erased since still counts as
 * having been recorded.
 */
#pragma once
#include "records/store.h"

enum { USAGE_DAYS = 28 };

/* Bytes a day, an average over the days of the window on which the station was there; now_us: UTC.
 * 0: it is younger than a day, or nothing was kept. A few hundredths of a second for ten years of
 * records: not on the main loop. */
guint64 usage_per_day (Store *store, gint64 now_us);
