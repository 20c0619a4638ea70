/* Who listens with which stethoscope now. While anybody does, the room's microphone is silent for
 * everybody: what is spoken there would cover the heart. Main thread.
 */
#pragma once
#include <jansson.h>
#include <glib.h>

typedef struct Listening Listening;

Listening *listening_new (void);
void listening_free (Listening *listening);

/* label: of a peer. source: the stethoscope's name; NULL: it listens no more. Returns whether that
 * is news. */
gboolean listening_set (Listening *listening, const char *label, const char *source);
gboolean listening_any (const Listening *listening);
/* [{label, source}] (transfer full) */
json_t *listening_json (const Listening *listening);
