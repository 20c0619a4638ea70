/* A patient's page before the waiting room: opening the invitation with its PIN, measuring the
 * link, and what the page says of who sits before it (docs/protocol.md, Patients). Main thread.
 */
#pragma once
#include "station/pass.h"

/* "invite.open": the PIN, and with it the binding of this browser. */
void visits_invite_open (Request *request);
/* "link.probe": bytes back, for the page to measure the way from the station. */
void visits_link_probe (Request *request);

/* What the message of a page says of the person, of an invitation with a PIN: {as, relation,
 * consent, tests} (transfer full), NULL of others. FALSE: it has been refused. */
gboolean visits_take_about (Request *request, const Pass *pass, json_t **ret);
/* What the patient is called who joins for themselves, from the record: a page need not say it.
 * NULL: the page has to (transfer full). */
char *visits_guest_name (const Pass *pass, const json_t *message);
