/* The station at a broker: pages that come through it are Clients like those of the WebSocket
 * (client.h), invitations get links that lead there, calls ring at desks. Main thread; the
 * connection has a thread of its own (rendezvous/mqtt.h).
 */
#pragma once
#include "station/rendezvous/switchboard.h"
#include "station/station.h"

/* Connects, and keeps at it: station->rendezvous, NULL where station.conf has no [rendezvous].
 * FALSE: the configuration or the station's key does not do; a broker that is not there is no
 * error. */
gboolean rendezvous_start (Station *station, GError **error);
/* Says goodbye; the clients that came this way are gone. station_free() does it. */
void rendezvous_free (Rendezvous *rendezvous);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rendezvous, rendezvous_free)

/* "off", "connecting", "connected"; why: of the last failure, or NULL (transfer none). rendezvous
 * may be NULL. */
const char *rendezvous_state (const Rendezvous *rendezvous, const char **ret_why);

/* For the console: {broker, connected, level, code, text}; null where there is none (transfer
 * full). rendezvous may be NULL. */
json_t *rendezvous_view (const Rendezvous *rendezvous);

/* Counts since the program began. rendezvous may be NULL: zeros. */
void rendezvous_figures (const Rendezvous *rendezvous, SwitchboardFigures *ret);

/* The link of an invitation: through the broker where there is one (transfer full). */
char *rendezvous_link (const Station *station, const char *invite, const char *secret);
/* The same of a link by which somebody sets up an account (accounts.h). */
char *rendezvous_account_link (const Station *station, const char *account, const char *secret);
/* The secret of a box (transfer full), NULL: there is no such box. The one place that says who may
 * knock: invitations of unfinished consultations; links of accounts; SWITCHBOARD_DESK once calls
 * are taken. */
char *rendezvous_box (Station *station, const char *box);
/* Which calls wait at a desk of [rendezvous] desks, as [{call, since}] (transfer none); [] ends the
 * ring. rendezvous may be NULL. */
void rendezvous_ring (Rendezvous *rendezvous, const char *desk, const json_t *calls);
