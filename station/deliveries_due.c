/* What is to be delivered, and in which order. */
#include "station/deliver.h"
#include "station/deliveries_private.h"
#include "station/package.h"

guint
deliveries_rank (const OutboxItem *item)
{
  if (g_str_equal (item->item, "record"))
    return 0;
  return g_str_equal (item->item, "recording") ? 2 : 1;
}

static void
add_due (GPtrArray *items, const char *target, const char *item)
{
  OutboxItem *due = g_new0 (OutboxItem, 1);
  due->target = g_strdup (target);
  due->item = g_strdup (item);
  g_ptr_array_add (items, due);
}

GPtrArray *
deliveries_due (const Config *config, const json_t *attachments)
{
  GPtrArray *items = g_ptr_array_new_with_free_func ((GDestroyNotify)outbox_item_free);
  gsize j;
  json_t *attachment;
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *deliver = config->delivers->pdata[i];
    if (deliver->kind != DELIVER_DICOM) {
      add_due (items, deliver->name, "record");
      continue;
    }
    json_array_foreach (attachments, j, attachment)
    {
      const char *kind = json_string_value (json_object_get (attachment, "kind"));
      const char *id = json_string_value (json_object_get (attachment, "id"));
      if (g_strcmp0 (kind, "dicom") == 0 && id != NULL)
        add_due (items, deliver->name, id);
    }
  }
  return items;
}

void
deliveries_add_packages (const Config *config, Store *store, const char *consult, GPtrArray *items)
{
  gboolean files = package_exists (store, consult, PACKAGE_FILES);
  gboolean recording = package_exists (store, consult, PACKAGE_RECORDING);
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *deliver = config->delivers->pdata[i];
    if (deliver->kind == DELIVER_DICOM)
      continue;
    if (files)
      add_due (items, deliver->name, "files");
    if (recording && deliver->recording)
      add_due (items, deliver->name, "recording");
  }
}

gboolean
deliveries_queue_older (Store *store, const Config *config, guint *ret_queued, GError **error)
{
  g_autoptr (GPtrArray) consults = outbox_without_recording (store, error);
  *ret_queued = 0;
  for (guint i = 0; consults != NULL && i < consults->len; i++) {
    const char *consult = consults->pdata[i];
    g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify)outbox_item_free);
    deliveries_add_packages (config, store, consult, items);
    if (items->len > 0 && !outbox_queue_sync (store, consult, items, error))
      return FALSE;
    *ret_queued += items->len > 0;
  }
  return consults != NULL;
}

gboolean
deliveries_run (Store *store, Identity *identity, const Config *config, guint *ret_left,
                GError **error)
{
  g_autoptr (GPtrArray) items = outbox_list (store, FALSE, error);
  gint stop = 0;

  *ret_left = 0;
  for (guint rank = 0; items != NULL && rank < 3; rank++)
    for (guint i = 0; i < items->len; i++) {
      if (deliveries_rank (items->pdata[i]) != rank)
        continue;
      DeliveryJob job = { .store = store,
                          .identity = identity,
                          .config = config,
                          .item = items->pdata[i],
                          .stop = &stop };
      delivery_job_run (&job);
      *ret_left += !job.delivered;
    }
  return items != NULL;
}
