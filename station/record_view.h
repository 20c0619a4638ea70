/* Records as people read them: lists and whole records, for pages and for the command line.
 * Any thread; what cannot be opened is told, not guessed. */
#pragma once
#include "records/store.h"

/* {consultation, day, state, mode, patient, doctor, minutes, locked}. allow_finished FALSE: what
 * is signed counts as locked although a key is open (transfer full). */
json_t *record_view_line (Store *store, const char *consult, gboolean allow_finished);

/* docs/protocol.md, `record.open`: rows by kind and tracks. observations_max 0: all of them. */
json_t *record_view_whole (Store *store, const char *consult, guint observations_max,
                           GError **error);

/* Rows of waves with seq > after, `limit` at most: {waves: [the row's body with seq, start_us],
 * newest}, newest being the seq of the last one there is (transfer full). start_us: UTC, µs, at
 * which the first sample was taken. */
json_t *record_view_waves (Store *store, const char *consult, gint64 after, guint limit,
                           GError **error);
/* Newest state of a consultation; NULL with error when it cannot be opened (transfer full). */
char *record_view_state (Store *store, const char *consult, GError **error);
