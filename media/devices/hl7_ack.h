/* Acknowledgements (HL7 v2.6 chapter 2, 2.9.2 original and 2.9.3 enhanced mode). */
#pragma once
#include "media/devices/hl7_message.h"
#include "media/devices/profile.h"

/* (transfer full) The frames' contents to send back, in order, as GBytes: none, one, or two (an
 * accept and an application acknowledgement; after CE or CR there is no second). error NULL: the
 * message is durable (AA, CA); a HL7_ERROR: refused for good (AR, CR); any other: could not be
 * kept, the sender may repeat it (AE, CE). profile: its sender's, NULL none. Text is in the
 * message's own character set. now_us: UTC.
 */
GPtrArray *hl7_acknowledge (const Hl7Message *message, const Profile *profile, const GError *error,
                            gint64 now_us);
/* The same, with an answer of another kind in the place of AA: to a question. */
GPtrArray *hl7_acknowledge_with (const Hl7Message *message, const Profile *profile, GBytes *answer,
                                 gint64 now_us);
/* Does its sender want to hear that it is durable? If not, it will not repeat it either. */
gboolean hl7_is_acknowledged (const Hl7Message *message, const Profile *profile);
/* For bytes that hl7_parse() refused (transfer full, as above): when their first line is a header
 * the answer is to it, else a bare AR. */
GPtrArray *hl7_reject (const guint8 *data, gsize length, const GError *error, gint64 now_us);
