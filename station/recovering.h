/* Recovery keys as people see them: who holds one, when it last showed that it opens, the monthly
 * drill (records/drill.h), the sheet for the safe (papers/recovery_sheet.h).
 *
 *   recovery.list       recipients, drills, what is due
 *   recovery.challenge  a drill's challenge for one of them, to be opened elsewhere
 *   recovery.confirm    the code that was inside
 *   recovery.sheet      the recovery sheet, PDF
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

void recovering_list (Request *request);
void recovering_challenge (Request *request);
void recovering_confirm (Request *request);
void recovering_sheet (Request *request);

/* [{number, subject, sha256, until, confirmed, drilled: UTC or null, due}] (transfer full); NULL
 * with error. Blocking; any thread. */
json_t *recovering_recipients (Store *store, GError **error);
/* PDF (transfer full). Blocking; any thread. */
GBytes *recovering_sheet_pdf (Store *store, const char *station_name, GError **error);
/* Adds to a list of problems when a drill is due. */
void recovering_add_problems (Station *station, json_t *list);
