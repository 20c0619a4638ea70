#include "station/deliveries.h"
#include "records/attachment.h"
#include "station/deliver.h"
#include "station/fhir.h"

#include <gio/gio.h>

#include <string.h>

#define LOOK_S 10
#define FIRST_S 30
#define LONGEST_S 3600
#define LISTED 200
#define HELD 500 /* keys; a millisecond each to open */

struct Deliveries {
  Station *station;
  GHashTable *due; /* uuid → gint64* µs of CLOCK_MONOTONIC: not before */
  guint timer;
  gboolean sending, asked;
  gint stop; /* atomic */
};

/* ---- One item, in a thread ---------------------------------------------------------------- */

typedef struct {
  Deliveries *deliveries; /* NULL: of deliveries_run() */
  Store *store;
  const Config *config;
  OutboxItem *item;
  gint *stop;
  char sha256[65];
  gboolean delivered;
  gboolean waits; /* for a sign-in, a signature, the end of a call: no try that failed */
} Job;

static void
job_free (void *data)
{
  Job *job = data;
  outbox_item_free (job->item);
  g_free (job);
}

static const ConfigDeliver *
destination (const Config *config, const char *name)
{
  for (guint i = 0; i < config->delivers->len; i++) {
    const ConfigDeliver *deliver = config->delivers->pdata[i];
    if (g_str_equal (deliver->name, name))
      return deliver;
  }
  return NULL;
}

/* The same in the words of deliver.h. */
static gboolean
record_error (const GError *cause, GError **error)
{
  gboolean locked = g_error_matches (cause, RECORDS_ERROR, RECORDS_ERROR_LOCKED);
  g_set_error (error, DELIVER_ERROR, locked ? DELIVER_ERROR_LOCKED : DELIVER_ERROR_RECORD, "%s",
               cause->message);
  return FALSE;
}

static gboolean
is_signed (const Job *job, GError **error)
{
  g_autoptr (GError) local = NULL;
  StoreRow *row = store_latest (job->store, job->item->consult, "signature", &local);
  if (row != NULL) {
    store_row_free (row);
    return TRUE;
  }
  if (!g_error_matches (local, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    return record_error (local, error);
  g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_UNSIGNED, "not signed yet");
  return FALSE;
}

/* ret_id: of the Bundle; NULL for an object (both transfer full). */
static GBytes *
content (const Job *job, char **ret_id, GError **error)
{
  const char *consult = job->item->consult;
  g_autoptr (GError) local = NULL;
  GBytes *bytes = NULL;
  guint64 size;

  if (!g_str_equal (job->item->item, "record")) {
    if (attachment_size (job->store, consult, job->item->item, &size, &local))
      bytes = attachment_read (job->store, consult, job->item->item, 0, (gsize)size, &local);
  } else {
    json_auto_t *bundle = fhir_bundle (job->store, job->config->station_name, consult, &local);
    if (bundle != NULL) {
      *ret_id = g_strdup (json_string_value (json_object_get (bundle, "id")));
      bytes = fhir_bundle_bytes (bundle);
    }
  }
  if (bytes == NULL)
    record_error (local, error);
  return bytes;
}

static gboolean
advance (OutboxState state, void *arg, GError **error)
{
  Job *job = arg;
  g_autoptr (GError) local = NULL;
  json_auto_t *body = NULL;

  if (state == OUTBOX_CONFIRMED)
    body = json_pack ("{s:s, s:s, s:s, s:s, s:s}", "delivery", job->item->uuid, "target",
                      job->item->target, "item", job->item->item, "state",
                      outbox_state_name (state), "sha256", job->sha256);
  if (outbox_advance (job->store, job->item, state, job->sha256, body, &local))
    return TRUE;
  return record_error (local, error);
}

static gboolean
work (Job *job, GError **error)
{
  const ConfigDeliver *to = destination (job->config, job->item->target);
  g_autofree char *id = NULL;

  if (to == NULL) {
    g_set_error (error, DELIVER_ERROR, DELIVER_ERROR_NOWHERE, "station.conf has no [deliver %s]",
                 job->item->target);
    return FALSE;
  }
  g_autoptr (GBytes) bytes = is_signed (job, error) ? content (job, &id, error) : NULL;
  if (bytes == NULL)
    return FALSE;
  g_autofree char *hex = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
  g_strlcpy (job->sha256, hex, sizeof job->sha256);
  const Delivery delivery = { .to = to,
                              .own_title = job->config->dicom_title,
                              .id = id,
                              .bytes = bytes,
                              .stop = job->stop,
                              .advance = advance,
                              .arg = job };
  return deliver (&delivery, error);
}

static void
work_and_tell (Job *job)
{
  g_autoptr (GError) error = NULL, later = NULL;
  job->delivered = work (job, &error);
  if (job->delivered) {
    g_message ("deliver: %s of %s is at %s", job->item->item, job->item->consult,
               job->item->target);
    return;
  }
  job->waits = g_error_matches (error, DELIVER_ERROR, DELIVER_ERROR_LOCKED)
               || g_error_matches (error, DELIVER_ERROR, DELIVER_ERROR_UNSIGNED)
               || g_error_matches (error, DELIVER_ERROR, DELIVER_ERROR_STOPPED);
  const char *word = error->domain == DELIVER_ERROR ? deliver_error_word (error->code) : "trouble";
  if (!job->waits)
    g_message ("deliver: %s to %s: %s", job->item->uuid, job->item->target, error->message);
  if (g_strcmp0 (word, job->item->problem) == 0 && job->waits)
    return; /* said already */
  if (!outbox_fail (job->store, job->item->uuid, word, &later))
    g_warning ("deliver: %s", later->message);
}

/* ---- The queue ---------------------------------------------------------------------------- */

static gboolean
is_call (const Station *station)
{
  for (guint i = 0; station->screen != NULL && i < station->screen->guests->len; i++) {
    const Guest *guest = station->screen->guests->pdata[i];
    if (guest->state == GUEST_LIVE)
      return TRUE;
  }
  return FALSE;
}

/* Half of it by chance: stations of a province that lost the same server do not come back at once.
 */
static void
put_off (Deliveries *deliveries, const OutboxItem *item, gboolean waits)
{
  guint64 seconds = waits ? LOOK_S : FIRST_S;
  for (guint i = 0; !waits && i < item->tries && seconds < LONGEST_S; i++)
    seconds *= 2;
  seconds = MIN (seconds, LONGEST_S);
  gint64 *due = g_new (gint64, 1);
  *due = g_get_monotonic_time ()
         + (gint64)((double)seconds * g_random_double_range (0.5, 1.0) * G_USEC_PER_SEC);
  g_hash_table_insert (deliveries->due, g_strdup (item->uuid), due);
}

static void
job_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  work_and_tell (data);
  g_task_return_boolean (task, TRUE);
}

/* Its key may go when nothing of it waits any more. */
static void
release (Deliveries *deliveries, const char *consult)
{
  g_autoptr (GPtrArray) items = outbox_list (deliveries->station->store, FALSE, NULL);
  for (guint i = 0; items != NULL && i < items->len; i++)
    if (g_str_equal (((OutboxItem *)items->pdata[i])->consult, consult))
      return;
  vault_release (deliveries->station->vault, consult);
}

static void
job_done (GObject *source, GAsyncResult *result, void *data)
{
  Job *job = g_task_get_task_data (G_TASK (result));
  Deliveries *deliveries = data;
  deliveries->sending = FALSE;
  deliveries->station->pending--;
  if (job->delivered) {
    g_hash_table_remove (deliveries->due, job->item->uuid);
    release (deliveries, job->item->consult);
  } else {
    put_off (deliveries, job->item, job->waits);
  }
  station_changed (deliveries->station);
  if (!deliveries->station->stopping)
    deliveries_wake (deliveries);
}

static void
start (Deliveries *deliveries, OutboxItem *item)
{
  Job *job = g_new0 (Job, 1);
  job->store = deliveries->station->store;
  job->config = deliveries->station->config;
  job->item = item;
  job->stop = &deliveries->stop;
  g_atomic_int_set (&deliveries->stop, 0);
  deliveries->sending = TRUE;
  deliveries->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, job_done, deliveries);
  g_task_set_task_data (task, job, job_free);
  g_task_run_in_thread (task, job_thread);
}

static gboolean
is_due (Deliveries *deliveries, const OutboxItem *item)
{
  const gint64 *due = g_hash_table_lookup (deliveries->due, item->uuid);
  return due == NULL || *due <= g_get_monotonic_time ();
}

static gboolean
look (void *data)
{
  Deliveries *deliveries = data;
  g_autoptr (GError) error = NULL;
  gboolean held = is_call (deliveries->station) && !deliveries->asked;

  if (held)
    g_atomic_int_set (&deliveries->stop, 1);
  if (held || deliveries->sending || deliveries->station->stopping)
    return G_SOURCE_CONTINUE;
  g_autoptr (GPtrArray) items = outbox_list (deliveries->station->store, FALSE, &error);
  if (items == NULL) {
    g_warning ("deliver: %s", error->message);
    return G_SOURCE_CONTINUE;
  }
  for (guint i = 0; i < items->len; i++)
    if (is_due (deliveries, items->pdata[i])) {
      start (deliveries, g_ptr_array_steal_index (items, i));
      return G_SOURCE_CONTINUE;
    }
  deliveries->asked = FALSE;
  return G_SOURCE_CONTINUE;
}

void
deliveries_wake (Deliveries *deliveries)
{
  if (deliveries != NULL)
    look (deliveries);
}

void
deliveries_send_now (Deliveries *deliveries)
{
  deliveries->asked = TRUE;
  g_hash_table_remove_all (deliveries->due);
  look (deliveries);
}

void
deliveries_unlocked (Deliveries *deliveries)
{
  g_autoptr (GPtrArray) items
      = deliveries != NULL ? outbox_list (deliveries->station->store, FALSE, NULL) : NULL;
  Vault *vault = deliveries != NULL ? deliveries->station->vault : NULL;
  for (guint i = 0; items != NULL && i < items->len && i < HELD; i++) {
    const OutboxItem *item = items->pdata[i];
    vault_hold (vault, item->consult);
    g_autoptr (DataKey) key = vault_get_key (vault, item->consult, PURPOSE_CLINICAL, NULL);
    if (key != NULL && g_str_equal (item->problem, deliver_error_word (DELIVER_ERROR_LOCKED)))
      g_hash_table_remove (deliveries->due, item->uuid);
  }
}

Deliveries *
deliveries_new (Station *station)
{
  Deliveries *deliveries = g_new0 (Deliveries, 1);
  deliveries->station = station;
  deliveries->due = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  deliveries->timer = g_timeout_add_seconds (LOOK_S, look, deliveries);
  return deliveries;
}

void
deliveries_free (Deliveries *deliveries)
{
  if (deliveries == NULL)
    return;
  g_clear_handle_id (&deliveries->timer, g_source_remove);
  g_atomic_int_set (&deliveries->stop, 1);
  while (deliveries->sending)
    g_main_context_iteration (NULL, TRUE);
  g_hash_table_unref (deliveries->due);
  g_free (deliveries);
}

/* ---- What is due, and how it stands ------------------------------------------------------- */

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

static json_t *
item_json (const OutboxItem *item, const Config *config)
{
  const Text *words = deliver_words (item->problem);
  const ConfigDeliver *to = destination (config, item->target);
  const char *title = to != NULL && to->title != NULL ? to->title : item->target;
  return json_pack ("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o}", "uuid", item->uuid, "consultation",
                    item->consult, "target", item->target, "title", title, "item", item->item,
                    "state", outbox_state_name (item->state), "tries", (int)item->tries, "problem",
                    words != NULL ? json_pack ("{s:s, s:s}", "vi", words->vi, "en", words->en)
                                  : json_null ());
}

json_t *
deliveries_json (Deliveries *deliveries, Store *store, const Config *config, GError **error)
{
  g_autoptr (GPtrArray) items = outbox_list (store, FALSE, error);
  if (items == NULL)
    return NULL;
  json_t *list = json_array ();
  for (guint i = 0; i < items->len && i < LISTED; i++)
    json_array_append_new (list, item_json (items->pdata[i], config));
  return json_pack ("{s:i, s:b, s:b, s:o}", "waiting", (int)items->len, "call",
                    deliveries != NULL && is_call (deliveries->station), "sending",
                    deliveries != NULL && deliveries->sending, "items", list);
}

gboolean
deliveries_run (Store *store, const Config *config, guint *ret_left, GError **error)
{
  g_autoptr (GPtrArray) items = outbox_list (store, FALSE, error);
  gint stop = 0;

  *ret_left = 0;
  for (guint i = 0; items != NULL && i < items->len; i++) {
    Job job = { .store = store, .config = config, .item = items->pdata[i], .stop = &stop };
    work_and_tell (&job);
    *ret_left += !job.delivered;
  }
  return items != NULL;
}
