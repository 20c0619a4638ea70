/* Text in several character sets: MSH-18 repeats (HL7 v2.6 2.15.9.18), and the text changes from
 * one to the other by sequences of ISO 2022, as bytes behind ESC or as escapes of HL7 (\Cxxyy\ and
 * \Mxxyyzz\, 2.7.2). Every segment begins in the first set.
 *
 * Read are the left and right halves of ISO 8859, JIS X 0201, 0208 and 0212, KS X 1001, GB 2312 and
 * TIS 620. Sans-IO.
 */
#pragma once
#include <glib.h>

/* Does it change its set anywhere? escape: the message's escape character, '\0': it has none. */
gboolean hl7_iso2022_is_used (const guint8 *data, gsize length, char escape);
/* In UTF-8, not normalized. first: iconv's name of the set in which segments begin. An error of the
 * domain HL7_ERROR_CHARSET names the change that cannot be followed. */
char *hl7_iso2022_convert (const guint8 *data, gsize length, char escape, const char *first,
                           GError **error);
