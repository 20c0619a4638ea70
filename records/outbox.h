/* What is to leave the station: one row per consultation, destination and item in table outbox of
 * records.db, queued in the transaction of the row that makes it due. The log tells of each state,
 *
 *   queue UUID CONSULT TARGET ITEM          leaf, at queuing
 *   delivery UUID STATE SHA256              leaf, at each change; SHA256: of what was sent
 *
 * so that a row that was changed, or taken away, is found. The work itself is the caller's.
 *
 *   queued → sent → receipted → confirmed
 *      └──────┴─────────┴─────→ withdrawn
 *
 * sent: handed over to the end. receipted: the other side said so. confirmed: read back, and the
 * same. Any thread; each change waits for the disk.
 */
#pragma once
#include "records/store.h"

typedef enum {
  OUTBOX_QUEUED,
  OUTBOX_SENT,
  OUTBOX_RECEIPTED,
  OUTBOX_CONFIRMED,
  OUTBOX_WITHDRAWN, /* it never will be: what was to be sent was destroyed before */
} OutboxState;
const char *outbox_state_name (OutboxState state);

typedef struct {
  char *uuid; /* also of the delivery, for the other side */
  char *consult;
  char *target; /* name of a destination, [A-Za-z0-9._-]{1,48} */
  char *item;   /* "record", "files", "recording", or an attachment's id */
  OutboxState state;
  guint tries;   /* that failed */
  char *problem; /* of the last one: a word of the caller's; "": none */
} OutboxItem;
void outbox_item_free (OutboxItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OutboxItem, outbox_item_free)

/* A row of a consultation (store_put_sync) and what it makes due, in one transaction. items: array
 * of OutboxItem*, of which target and item count; what is in the outbox already stays as it is. */
gboolean outbox_put_sync (Store *store, const char *consult, const char *kind, const char *user,
                          json_t *body, GPtrArray *items, gint64 *ret_seq, GError **error);

/* In order of queuing: array of OutboxItem*. all: those that are done, too. */
GPtrArray *outbox_list (Store *store, gboolean all, GError **error);
/* The newest `most` that are done or withdrawn, newest first. */
GPtrArray *outbox_list_done (Store *store, guint most, GError **error);

/* A try has failed; problem: [a-z-]{1,32}. */
gboolean outbox_fail (Store *store, const char *uuid, const char *problem, GError **error);
/* A new state, its leaf, and a sealed row of kind "delivery" in the consultation that tells body,
 * in one transaction; body NULL: no row. sha256: of what was sent, hex. Never backwards. LOCKED:
 * the consultation's key is not to be had. */
gboolean outbox_advance (Store *store, const OutboxItem *item, OutboxState state,
                         const char *sha256, json_t *body, GError **error);

/* More of a consultation that is due, without a row of its own; as outbox_put_sync(). */
gboolean outbox_queue_sync (Store *store, const char *consult, GPtrArray *items, GError **error);

/* Consultations of which `item` ("record", "recording") is delivered: it was queued, and wherever
 * it is to go it is confirmed, as is all else of them. Set of ids (transfer full). */
GHashTable *outbox_delivered (Store *store, const char *item, GError **error);
/* It is confirmed at one destination at least. */
gboolean outbox_is_confirmed (Store *store, const char *consult, const char *item);
/* Those that may still be sent what they lack: the record was delivered or waits, something was
 * recorded, and no `recording` was ever queued. Array of char* (transfer full). */
GPtrArray *outbox_without_recording (Store *store, GError **error);
