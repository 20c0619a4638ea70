/* What pages see of deliveries. */
#include "station/deliveries.h"
#include "station/clock.h"
#include "station/deliver.h"
#include "station/record_view.h"

#include <gio/gio.h>

#define PATIENCE 3 /* tries that failed before people are told */

/* ---- Names and receipts, in a thread
 * ------------------------------------------------------------------- */

typedef struct {
  Store *store;
  json_t *outbox;
} Naming;

static void
naming_free (void *data)
{
  Naming *naming = data;
  json_decref (naming->outbox);
  g_free (naming);
}

/* When it was read back there, and the hash of what was. */
static void
add_receipt (Store *store, const char *consult, json_t *item)
{
  const char *uuid = json_string_value (json_object_get (item, "uuid"));
  const char *state = json_string_value (json_object_get (item, "state"));
  g_autoptr (GPtrArray) rows = g_strcmp0 (state, "confirmed") == 0
                                   ? store_read (store, consult, "delivery", 0, NULL)
                                   : NULL;
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    if (g_strcmp0 (json_string_value (json_object_get (row->body, "delivery")), uuid) != 0)
      continue;
    g_autofree char *at = clock_text (row->utc_us);
    json_object_set_new (
        item, "receipt",
        json_pack ("{s:s, s:O}", "at", at, "sha256", json_object_get (row->body, "sha256")));
  }
}

static void
add_names (Store *store, json_t *items, json_t *names)
{
  gsize i;
  json_t *item;
  json_array_foreach (items, i, item)
  {
    const char *consult = json_string_value (json_object_get (item, "consultation"));
    if (json_object_get (names, consult) == NULL) {
      json_auto_t *line = record_view_line (store, consult, TRUE);
      json_t *name = json_object_get (line, "patient");
      json_object_set (names, consult, name != NULL ? name : json_null ());
    }
    json_object_set (item, "patient", json_object_get (names, consult));
    add_receipt (store, consult, item);
  }
}

static void
names_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Naming *naming = data;
  json_auto_t *names = json_object ();
  add_names (naming->store, json_object_get (naming->outbox, "items"), names);
  add_names (naming->store, json_object_get (naming->outbox, "delivered"), names);
  g_task_return_boolean (task, TRUE);
}

static void
names_known (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  Naming *naming = g_task_get_task_data (G_TASK (result));
  request->station->pending--;
  request_ok (request, g_steal_pointer (&naming->outbox));
}

static void
answer_with_names (Request *request, json_t *outbox)
{
  Naming *naming = g_new0 (Naming, 1);
  naming->store = request->station->store;
  naming->outbox = outbox;
  request->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, names_known, request_ref (request));
  g_task_set_task_data (task, naming, naming_free);
  g_task_run_in_thread (task, names_thread);
}

void
deliveries_list (Request *request)
{
  Station *station = request->station;
  const Session *session = request->client->session;
  gboolean done;
  g_autoptr (GError) error = NULL;
  if (!request_flag (request, "delivered", &done))
    return;
  json_t *outbox
      = deliveries_json (station->deliveries, station->store, station->config, done, &error);
  if (outbox == NULL)
    request_failed (request, error);
  else if (session->unlocked && vault_is_open (station->vault))
    answer_with_names (request, outbox);
  else
    request_ok (request, outbox);
}

void
deliveries_send (Request *request)
{
  const char *uuid;
  if (!request_id (request, "delivery", OPTIONAL, &uuid))
    return;
  deliveries_send_now (request->station->deliveries, uuid);
  request_ok (request, NULL);
}

/* ---- Older recordings, in a thread -------------------------------------------------------- */

static void
older_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Station *station = data;
  GError *error = NULL;
  guint queued;
  if (deliveries_queue_older (station->store, station->config, &queued, &error))
    g_task_return_int (task, (gssize)queued);
  else
    g_task_return_error (task, error);
}

static void
older_queued (GObject *object, GAsyncResult *result, void *data)
{
  g_autoptr (Request) request = data;
  g_autoptr (GError) error = NULL;
  Station *station = request->station;
  gssize queued = g_task_propagate_int (G_TASK (result), &error);
  station->pending--;
  if (error != NULL) {
    request_failed (request, error);
    return;
  }
  /* Their keys are held from here on, as after a sign-in. */
  deliveries_unlocked (station->deliveries);
  deliveries_wake (station->deliveries);
  request_ok (request, json_pack ("{s:i}", "queued", (int)queued));
}

void
deliveries_older (Request *request)
{
  Station *station = request->station;
  station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, older_queued, request_ref (request));
  g_task_set_task_data (task, station, NULL);
  g_task_run_in_thread (task, older_thread);
}

static void
add_problem (const OutboxItem *item, guint n, const Config *config, json_t *list)
{
  const Text *words = deliver_words (item->problem);
  const char *title = item->target;

  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *to = config->delivers->pdata[i];
    if (g_str_equal (to->name, item->target) && to->title != NULL)
      title = to->title;
  }
  g_autofree char *vi = g_strdup_printf (
      "%u hồ sơ đã ký chưa gửi được tới %s: %s. Trạm sẽ tự gửi lại.", n, title, words->vi);
  g_autofree char *en
      = g_strdup_printf ("%u signed items have not reached %s yet: %s. The station tries again "
                         "by itself.",
                         n, title, words->en);
  json_array_append_new (list, json_pack ("{s:s, s:s, s:{s:s, s:s}}", "level", "warn", "code",
                                          "delivery", "text", "vi", vi, "en", en));
}

/* One for each destination, in the words of the last that failed there. */
void
deliveries_add_problems (Station *station, json_t *list)
{
  g_autoptr (GPtrArray) items = outbox_list (station->store, FALSE, NULL);

  for (guint t = 0; items != NULL && t < station->config->delivers->len; t++) {
    const ConfigDeliver *to = station->config->delivers->pdata[t];
    const OutboxItem *last = NULL;
    guint n = 0;
    for (guint i = 0; i < items->len; i++) {
      const OutboxItem *item = items->pdata[i];
      if (!g_str_equal (item->target, to->name) || item->tries < PATIENCE
          || deliver_words (item->problem) == NULL)
        continue;
      last = item;
      n++;
    }
    if (last != NULL)
      add_problem (last, n, station->config, list);
  }
}
