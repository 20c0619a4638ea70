/* Signed consultations on their way to the destinations of station.conf ([deliver NAME]): what
 * records/outbox.h has in its queue is delivered (deliver.h) one after the other, in a thread,
 * again and again with growing pauses (30 s to an hour, by chance up to half shorter) until it is
 * confirmed.
 *
 * Nothing is sent while a guest of the consultation on screen is there, unless somebody asks; what
 * is under way then ends at once and begins anew later. Records are read with the key of their
 * consultation, which stays in memory until it is delivered; after a restart they wait for a
 * passphrase. Main thread.
 */
#pragma once
#include "station/request.h"
#include "station/station.h"

Deliveries *deliveries_new (Station *station);
/* Ends what is under way, and waits for that. */
void deliveries_free (Deliveries *deliveries);
/* What signing a consultation makes due: array of OutboxItem* (transfer full); the caller queues it
 * in the transaction of the signed state. */
GPtrArray *deliveries_due (const Config *config, const json_t *attachments);
/* Something may be due: looks at once. */
void deliveries_wake (Deliveries *deliveries);
/* The vault is open: what waits can be read from now on until it is delivered, also when the vault
 * is closed again. */
void deliveries_unlocked (Deliveries *deliveries);
/* Everything that waits is tried now, call or not. */
void deliveries_send_now (Deliveries *deliveries);
/* {"waiting": 2, "call": false, "sending": true, "items": [{"uuid", "consultation", "target",
 * "item", "state", "tries", "problem": {"vi", "en"} or null}]} of what is not done, 200 at most
 * (transfer full). NULL with error. deliveries NULL: as the disk has it. */
json_t *deliveries_json (Deliveries *deliveries, Store *store, const Config *config,
                         GError **error);
/* Sends all that is due, once, in this thread: for a station that does not run. ret_left: how many
 * are not done after it. */
gboolean deliveries_run (Store *store, const Config *config, guint *ret_left, GError **error);

/* What pages are told at once when deliveries fail again and again; adds to a list of problems. */
void deliveries_add_problems (Station *station, json_t *list);
/* The console's messages "outbox.list", answered by deliveries_json(), and "outbox.send". */
void deliveries_list (Request *request);
void deliveries_send (Request *request);
