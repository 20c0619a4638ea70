/* Holding keys: what comes from devices while it is nobody's is sealed at once under a key of its
 * day, re-sealed under the consultation's when somebody claims it, and shredded with its day when
 * nobody has for HOLDING_DAYS.
 *
 * A day's key is a clinical key like any other, of an id that is no consultation's:
 * "YYYYMMDD-000N-8000-8000-686f6c64696e" (UTC; N goes up when that day's key was shredded and the
 * clock went back). It has no row in table consult, so no list of consultations has it. The boot
 * credential opens it, for readings come after a power cut while nobody is there.
 */
#pragma once
#include "records/erasure.h"
#include "records/retention.h"

enum { HOLDING_DAYS = 30 };

/* Whether an id is of this form. */
gboolean holding_is (const char *consult);
/* The id under which what comes at this time (UTC µs) is kept; its key is durable, in both files,
 * before this returns (transfer full). Waits for the disk when the day has no key yet. NULL with
 * error: LOCKED, or CREDENTIAL while no recovery key is confirmed. Any thread but the writer's. */
char *holding_open (Store *store, gint64 utc_us, GError **error);
/* Ids of all days that have a key and began no longer than `days` before now_us, oldest first:
 * array of char* (transfer full). */
GPtrArray *holding_list (Store *store, gint64 now_us, guint days, GError **error);
/* Shreds every day that is older than HOLDING_DAYS, each with its certificate of destruction
 * ("never-claimed"). A clock that is not trusted shreds nothing. copies: as in Erasure. ret_days:
 * how many went. Waits for the disk. */
gboolean holding_shred (Store *store, Identity *signer, const RetentionClock *clock, json_t *copies,
                        guint *ret_days, GError **error);
