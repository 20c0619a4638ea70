/* What [issuer NAME] of station.conf and the state folder say about trust: pinned authorities, the
 * lists that were fetched (STATE/certs/crl/NAME.crl), keys that were seen (STATE/certs/known). */
#pragma once
#include "certs/peer_check.h"
#include "station/config.h"

/* NULL: a certificate of an issuer cannot be read. Lists that are missing or bad are left out, with
 * a warning. No [issuer] at all: an empty one, by which nobody is let in. */
PeerTrust *issuers_trust (const Config *config, GError **error);
/* The lists in the state folder again: another process may have fetched them. */
void issuers_reload_lists (const Config *config, PeerTrust *trust);
char *issuers_list_file (const Config *config, const char *name);
/* Of a name; NULL: none. */
const ConfigIssuer *issuers_find (const Config *config, const char *name);
/* Who issued this certificate, or whose enrolment server the station uses, or the only one there
 * is; certificate may be NULL. NULL: it is not clear. */
const ConfigIssuer *issuers_own (const Config *config, PeerTrust *trust, X509 *certificate);
/* What the clock is worth; at_least: s, UTC, of something that is in the past for certain. */
PeerTime issuers_time (const Config *config, gint64 at_least);
