/* What of a consultation a call shows to specialists: nothing but what the doctor names. */
#pragma once
#include "station/consultation.h"

enum { CALL_QUESTION_MAX = 2000, CALL_NOTE_SHOWN_MAX = 2000 /* characters */ };

/* Words: name age sex reason readings, and note:KIND for the notes of a kind. FALSE: not an array
 * of such words. */
gboolean call_release_is_good (const json_t *release);
/* {"name"?, "birth_year"?, "sex"?, "reason"?, "question"?, "notes": [{kind, text, user}],
 * "readings":
 * [{vital, value_text, unit, time}]} (transfer full); what is unknown is absent, long notes are cut
 * and end with "…". question may be NULL. */
json_t *call_summary (const Consult *consult, const json_t *release, const char *question);
