/* HL7 v2 times (2.A.22 DTM): YYYYMMDDHHMM[SS[.S…]][±ZZZZ]; the offset also as ±ZZ, ±ZZ:ZZ or Z. */
#pragma once
#include <glib.h>

/* UTC in µs since 1970. ret_zoned tells whether the text carried an offset; without one
 * default_zone applies (NULL: the station's own). FALSE when text is no time, or less exact than
 * a minute. */
gboolean hl7_time_parse (const char *text, GTimeZone *default_zone, gint64 *ret_us,
                         gboolean *ret_zoned);
/* The offset behind a time ("20261120090313+0700") as a zone (transfer full), NULL when there is
 * none. */
GTimeZone *hl7_time_zone (const char *text);
/* Now, in the station's zone, for an acknowledgement's MSH-7 (transfer full). */
char *hl7_time_format (gint64 utc_us);
