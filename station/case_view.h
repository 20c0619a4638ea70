/* One consultation as its papers tell it: the newest version of all that has versions, in the
 * order in which it happened. Minutes, referral, prescription and FHIR Bundle are made from this
 * and from nothing else, so that they cannot contradict each other.
 *
 * Once it is signed, nothing but further signatures of the same manifest changes it: a signed
 * record gives the same papers each time.
 *
 *   consultation, state, mode, reason, conclusion, station, doctor, started, ended, written
 *   patient        as docs/protocol.md has it
 *   facilities     {own: {id, name, code, address, phone}, consulted: [{name, code}]}
 *   people         [{id, name, role, facility, joined, left, identity}], the doctor first;
 *                  identity: of who proved it by a sign-in {method, provider, issuer, subject, name}
 *   notes          [{note, kind, text, author, by, at, confirmed}], oldest first, empty ones left out;
 *                  confirmed: when its author, proven by a sign-in, confirmed this version
 *   problems       [{problem, icd10, title, text}]
 *   prescriptions  [{prescription, drug, strength, dose, days, quantity, …}] (prescription.h)
 *   consents       [{kind, purposes, by, relation, reason, user, at}]
 *   events, marks  [{what, detail, at, user}], [{at_us, text}]
 *   outages        [{what, detail, from, to}]; to: null when it did not end
 *   readings       newest observation of each vital sign
 *   observations   all of them but tests and what came to nothing
 *   attachments    [{id, kind, name, mime, size, sha256, about, at, user}]
 *   recording      TRUE when something was recorded
 *   signatures     [{user, name, role, method, sha256, at}]; name: of who signs. `manifest`: its
 *                  SHA-256 (absent: not signed)
 *   views          [{user, at, what}]
 */
#pragma once
#include "records/store.h"

/* (transfer full) Times are UTC as clock_text() writes them. NULL with error: NOT_FOUND, LOCKED.
 * Any thread. */
json_t *case_view (Store *store, const char *station_name, const char *consult, GError **error);

/* For who reads it: text of a member, "" when there is none; never NULL. */
const char *case_text (const json_t *object, const char *member);
/* UTC µs of a time as rows write it; 0 when it is none. */
gint64 case_time (const char *text);
/* Text fit for paper and XML: NFC, controls and marks that turn directions taken out, lines ended
 * by "\n", trimmed (transfer full). All texts of a view are so. */
char *case_clean (const char *text);
