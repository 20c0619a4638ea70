/* Time as pages and rows write it. */
#pragma once
#include <glib.h>

/* "2026-11-20T02:03:12.000Z" of UTC µs since 1970 (transfer full). */
char *clock_text (gint64 utc_us);
/* The boot id of the machine: CLOCK_MONOTONIC times compare only within one (transfer none). */
const char *clock_boot_id (void);
/* The kernel says that something keeps its clock right (NTP). */
gboolean clock_is_synchronized (void);
