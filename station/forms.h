/* The consultation's forms beyond notes: conclusions per problem, what specialists propose, both
 * facilities, marks; drafts of notes; ICD-10 search. docs/records.md (The consultation's forms) has
 * the rows, docs/protocol.md the messages. Main thread.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

/* A row of kind problem, proposal, facilities or mark changes the picture; others do nothing. */
void forms_apply (Consult *consult, const StoreRow *row, const char *user_name);
/* What is being typed takes the place of the note's newest version, marked `draft`. */
void forms_apply_draft (Consult *consult, const char *note, const char *user, gint64 utc_us,
                        const json_t *body, const char *user_name);
/* Adds problems, proposals, facilities and marks to the view of a consultation. */
void forms_view (Station *station, const Consult *consult, json_t *view);

/* Body of the first `facilities` row: the station's own, nobody consulted yet. (transfer full) */
json_t *forms_own_facility (const Config *config);
/* A specialist was let in: the facility that they named is one that is consulted. */
void forms_guest_admitted (Station *station, Consult *consult, const char *user,
                           const char *facility);

void console_problem_save (Request *request);
void console_facilities_save (Request *request);
void console_consultation_save (Request *request);
void console_mark_save (Request *request);
void console_note_draft (Request *request);
void console_icd10_find (Request *request);

/* Of the data channel: a specialist's proposal, a search. */
void forms_channel_propose (Station *station, const char *label, const json_t *message);
void forms_channel_find (Station *station, const char *label, const json_t *message);
/* Problems and proposals, to one who examines or (label NULL) to all of them. */
void forms_send (Station *station, const char *label);
