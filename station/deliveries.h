/* Signed consultations on their way to the destinations of station.conf ([deliver NAME]): what
 * records/outbox.h has in its queue is delivered (deliver.h) one after the other, in a thread,
 * again and again with growing pauses (30 s to an hour, by chance up to half shorter) until it is
 * confirmed.
 *
 * Records go before files, files before recordings, whatever their age; a recording that is under
 * way is broken off for a new record and goes on behind the pieces that arrived (parcel.h).
 *
 * Nothing is sent while a guest of the consultation on screen is there, unless somebody asks; what
 * is under way then ends at once and begins anew later. Records are read with the key of their
 * consultation, which stays in memory until it is delivered, three days at most; after that, and
 * after a restart, they wait for a passphrase. Main thread.
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
/* Adds its files and its recording, where there are any: when the last segment is closed. Any
 * thread. */
void deliveries_add_packages (const Config *config, Store *store, const char *consult,
                              GPtrArray *items);
/* Recordings and files of consultations that were signed before these were sent (or before there
 * was a destination for them) are queued. ret_queued: of how many. Any thread; waits for the disk.
 */
gboolean deliveries_queue_older (Store *store, const Config *config, guint *ret_queued,
                                 GError **error);
/* Something may be due: looks at once. */
void deliveries_wake (Deliveries *deliveries);
/* The vault is open: what waits can be read from now on until it is delivered, also when the vault
 * is closed again. */
void deliveries_unlocked (Deliveries *deliveries);
/* Everything that waits is tried now, call or not; uuid not NULL: that item alone has no pause
 * before it any more. */
void deliveries_send_now (Deliveries *deliveries, const char *uuid);
/* {"waiting": 2, "call": false, "sending": true, "items": [{"uuid", "consultation", "day",
 * "target", "title", "item", "state", "tries", "next": UTC or absent, "problem": {"vi", "en"} or
 * null, "progress": {"done", "total"} in KiB or absent}], "witnesses": [{"target", "title", "size",
 * "at"}], "older": how many signed consultations have a recording that was never queued} of what is
 * not done, 200 at most; done: "delivered": [items] besides, the newest 100 that are (transfer
 * full). NULL with error. deliveries NULL: as the disk has it. Main thread. */
json_t *deliveries_json (Deliveries *deliveries, Store *store, const Config *config, gboolean done,
                         GError **error);
/* Sends all that is due, once, in this thread: for a station that does not run. ret_left: how many
 * are not done after it. */
gboolean deliveries_run (Store *store, Identity *identity, const Config *config, guint *ret_left,
                         GError **error);

/* What pages are told at once when deliveries fail again and again; adds to a list of problems. */
void deliveries_add_problems (Station *station, json_t *list);
/* The console's message "outbox.older": deliveries_queue_older(). */
void deliveries_older (Request *request);
/* The console's messages "outbox.list", answered by deliveries_json() and the patients' names where
 * the vault is open, and "outbox.send". */
void deliveries_list (Request *request);
void deliveries_send (Request *request);
