/* Erasure as console and command do it: rules (records/retention.h), the copies that a certificate
 * must name, the deed (records/erasure.h). Blocking; not on the main loop.
 */
#pragma once
#include "records/retention.h"

/* The clock, trusted while something keeps it right. */
RetentionClock erasing_clock (void);
/* The copies that every certificate names: backups (transfer full). */
json_t *erasing_backups (void);
/* Asks the rules, then does it; erasure's copies are filled in. reason and user as there. */
gboolean erasing_run (Store *store, Identity *signer, const Erasure *erasure,
                      char **ret_certificate, GError **error);
/* {"clock": "trusted"|"not-trusted", "records": [line]}; a line has consultation, day, due, class,
 * years, hold, reason, recording, is_due. consult NULL: all. (transfer full) */
json_t *erasing_list (Store *store, const char *consult, GError **error);
/* [{consultation, at, why, purposes, copies, signed, file}] (transfer full) */
json_t *erasing_certificates (Store *store, GError **error);
/* One certificate word for word: {"file", "statement": text, "signature": base64 of its detached
 * CMS, "signed"} (transfer full). */
json_t *erasing_certificate (Store *store, const char *file, GError **error);
