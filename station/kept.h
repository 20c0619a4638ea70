/* Which readings of which messages are kept: a sender that did not hear our answer sends its
 * message again, after a broken connection or a power cut, and each reading is to be there once.
 * A reading or alarm is known by its `raw` (observation.h). Main thread.
 */
#pragma once
#include "records/store.h"

/* The newest; far more than sixty-four connections can have under way. */
enum { KEPT_MAX = 100000 };

typedef struct Kept Kept;

Kept *kept_new (void);
void kept_free (Kept *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Kept, kept_free)

/* What rows tell of before the station started: those written in the last hours before now. */
void kept_load (Kept *kept, const json_t *observation, gint64 written_us, gint64 now_us);

typedef enum { KEPT_NEW, KEPT_COMING, KEPT_DURABLE } KeptState;
/* raw NULL: KEPT_NEW. */
KeptState kept_state (const Kept *kept, const char *raw);
/* It is being written. */
void kept_coming (Kept *kept, const char *raw);
/* It is on the disk; or, not durable, it could not be kept and may come again. */
void kept_done (Kept *kept, const char *raw, gboolean durable);
