/* Finding an earlier patient: by number, insurance card, telephone or name, through the blind index
 * (records/patient_index.h), and the reading of a citizen card's QR code. Main thread.
 */
#pragma once
#include "station/request.h"

/* Normalised identifiers of a patient object, for the index. (transfer full) */
GStrv patient_identifiers (const json_t *patient);
/* Those that a text which somebody typed may mean: none, one or more. (transfer full) */
GStrv patient_identifiers_of_text (const char *text);

/* A patient row has been written: its entries follow. */
void patient_index_row (Station *station, const char *consult, const json_t *patient);
/* Somebody has opened the vault: consultations without entries get theirs, in a thread. */
void patient_index_catch_up (Station *station);

void console_patient_find (Request *request);
void console_identity_read (Request *request);
