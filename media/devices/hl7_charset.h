/* Character sets of HL7 v2 messages (table 0211) and the text in them. */
#pragma once
#include <glib.h>

/* iconv's name for what MSH-18 declares; what the table does not know is taken as iconv's own
 * name ("windows-1258", "VISCII"), NULL when iconv does not know it either. (transfer none) */
const char *hl7_charset_name (const char *declared);

/* Text in UTF-8, normalization form C. declared may be NULL. A declaration that cannot be right
 * is not believed: UTF-8 sent as ASCII or ISO 8859 is UTF-8; what is not UTF-8 where UTF-8 or
 * nothing was declared is taken for windows-1258, the Vietnamese code page. ret_used is iconv's
 * name of the set used, ret_guessed tells that it was not the declared one. */
char *hl7_charset_convert (const guint8 *data, gsize length, const char *declared,
                           const char **ret_used, gboolean *ret_guessed, GError **error);

/* The same of several that MSH-18 declares (NULL-terminated, at least two; an empty first one is
 * ASCII): where the text changes its set by ISO 2022 it is read so (hl7_iso2022.h), else the first
 * of them that it is in is believed. escape: as there. ret_used is what segments begin in. */
char *hl7_charset_convert_several (const guint8 *data, gsize length, const char *const *declared,
                                   char escape, const char **ret_used, gboolean *ret_guessed,
                                   GError **error);
