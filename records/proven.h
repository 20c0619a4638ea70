/* Guests who proved who they are, and the opinions that they confirmed by that proof, judged again
 * from the record alone: no provider and no network is asked. Any thread. */
#pragma once
#include "records/store.h"

/* {identities: [{guest, method, provider, issuer, subject, name, at, verdict, findings}],
 *  confirmations: [{guest, name, note, sha256, at, verdict, findings}], verdict}; verdict and
 * findings as in signatures_report(), codes in docs/records.md (transfer full). */
json_t *proven_report (Store *store, const char *consult, GError **error);
