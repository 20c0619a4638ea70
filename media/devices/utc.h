/* UTC as text, in the form of docs/protocol.md. */
#pragma once
#include <glib.h>

/* "2026-11-20T02:03:12.000Z" (transfer full); NULL: outside the years 1 to 9999. time_us: µs since
 * 1970. */
char *utc_text (gint64 time_us);
