/* Prescription: what the doctor orders, and the file for the national prescription system.
 *
 * A line is a row of kind "prescription", versions by its id:
 *   {"prescription": uuid, "drug", "strength", "dose", "days", "quantity", "unit", "removed"}
 * drug and dose (how it is taken) are texts; days and quantity numbers, or null.
 */
#pragma once
#include "station/request.h"

#define PRESCRIPTION_LINES_MAX 50

/* JSON in UTF-8 with the member names of the national prescription system's interface (đơn thuốc
 * quốc gia), as far as they are publicly known; docs/documents.md says what is not filled in. view:
 * station/case_view.h. (transfer full) NOT_FOUND: nothing is prescribed. */
GBytes *prescription_file (const json_t *view, GError **error);

/* `prescription.save` {prescription, drug, strength, dose, days, quantity, unit, removed}: a line,
 * or a new version of one. Main thread. */
void console_prescription_save (Request *request);
/* `prescription.list`: `ok {items}`, the lines that stand. Main thread. */
void console_prescription_list (Request *request);
