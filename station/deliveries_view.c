/* How deliveries stand, as JSON for pages and the command line. */
#include "station/deliveries_private.h"
#include "station/clock.h"
#include "station/deliver.h"
#include "station/log_heads.h"

#define LISTED 200
#define DONE 100

/* When it is tried again, where a pause runs. */
static void
add_next (const Deliveries *deliveries, const OutboxItem *item, json_t *json)
{
  const gint64 *due = g_hash_table_lookup (deliveries->due, item->uuid);
  gint64 left_us = due != NULL ? *due - g_get_monotonic_time () : 0;
  if (left_us <= 0)
    return;
  g_autofree char *next = clock_text (g_get_real_time () + left_us);
  json_object_set_new (json, "next", json_string (next));
}

/* Of the files or the recording that are being sent: KiB. */
static void
add_progress (const DeliveryJob *job, const OutboxItem *item, json_t *json)
{
  gint total = job != NULL && g_str_equal (job->item->uuid, item->uuid)
                   ? g_atomic_int_get (&job->total_kib)
                   : 0;
  if (total > 0)
    json_object_set_new (json, "progress",
                         json_pack ("{s:i, s:i}", "done",
                                    MIN (g_atomic_int_get (&job->done_kib), total), "total",
                                    total));
}

/* What each destination keeps of the log (log_heads.h): the newest that it has given back. */
static json_t *
witnesses_json (Store *store, const Config *config)
{
  json_t *list = json_array ();
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *to = config->delivers->pdata[i];
    g_autofree char *kind = log_heads_kind (to);
    StoreRow *row = store_latest (store, "station", kind, NULL);
    if (row == NULL)
      continue;
    g_autofree char *at = clock_text (row->utc_us);
    json_array_append_new (list, json_pack ("{s:s, s:s, s:O, s:s}", "target", to->name, "title",
                                            to->title != NULL ? to->title : to->name, "size",
                                            json_object_get (row->body, "size"), "at", at));
    store_row_free (row);
  }
  return list;
}

static json_t *
item_json (const Deliveries *deliveries, Store *store, const Config *config, const OutboxItem *item)
{
  const Text *words = deliver_words (item->problem);
  const ConfigDeliver *to = deliveries_destination (config, item->target);
  const char *title = to != NULL && to->title != NULL ? to->title : item->target;
  g_autofree char *day = store_consult_day (store, item->consult, NULL);
  json_t *json = json_pack ("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:i, s:o}", "uuid", item->uuid,
                            "consultation", item->consult, "day", day, "target", item->target,
                            "title", title, "item", item->item, "state",
                            outbox_state_name (item->state), "tries", (int)item->tries, "problem",
                            words != NULL ? text_json (words->vi, words->en) : json_null ());
  if (deliveries != NULL && item->state < OUTBOX_CONFIRMED)
    add_next (deliveries, item, json);
  if (deliveries != NULL)
    add_progress (deliveries->job, item, json);
  return json;
}

/* The newest that are done, newest first. */
static json_t *
delivered_json (Store *store, const Config *config, GError **error)
{
  g_autoptr (GPtrArray) items = outbox_list_done (store, DONE, error);
  json_t *list = items != NULL ? json_array () : NULL;
  for (guint i = 0; items != NULL && i < items->len; i++)
    json_array_append_new (list, item_json (NULL, store, config, items->pdata[i]));
  return list;
}

static gboolean
takes_recordings (const Config *config)
{
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *to = config->delivers->pdata[i];
    if (to->kind != DELIVER_DICOM && to->recording)
      return TRUE;
  }
  return FALSE;
}

json_t *
deliveries_json (Deliveries *deliveries, Store *store, const Config *config, gboolean done,
                 GError **error)
{
  g_autoptr (GPtrArray) items = outbox_list (store, FALSE, error);
  json_t *delivered = items != NULL && done ? delivered_json (store, config, error) : NULL;
  if (items == NULL || (done && delivered == NULL))
    return NULL;
  json_t *list = json_array ();
  for (guint i = 0; i < items->len && i < LISTED; i++)
    json_array_append_new (list, item_json (deliveries, store, config, items->pdata[i]));
  g_autoptr (GPtrArray) older = outbox_without_recording (store, NULL);
  return json_pack ("{s:i, s:b, s:b, s:o, s:o*, s:o, s:i}", "waiting", (int)items->len, "call",
                    deliveries != NULL && deliveries_is_call (deliveries->station), "sending",
                    deliveries != NULL && deliveries->job != NULL, "items", list, "delivered",
                    delivered, "witnesses", witnesses_json (store, config), "older",
                    older != NULL && takes_recordings (config) ? (int)older->len : 0);
}
