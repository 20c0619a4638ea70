#include "station/deliveries_private.h"
#include "station/deliver.h"
#include "station/delivery_job.h"
#include "station/log_heads.h"

#include <gio/gio.h>

#include <string.h>

#define LOOK_S 10
#define FIRST_S 30
#define LONGEST_S 3600
#define HELD 500 /* keys; a millisecond each to open */
#define HELD_US (3 * G_TIME_SPAN_DAY)
#define HEADS_EVERY_US (6 * G_TIME_SPAN_HOUR)
#define HEADS_AGAIN_US (10 * G_TIME_SPAN_MINUTE)

static void
job_free (void *data)
{
  DeliveryJob *job = data;
  outbox_item_free (job->item);
  g_free (job);
}

/* ---- The queue ---------------------------------------------------------------------------- */

gboolean
deliveries_is_call (const Station *station)
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
  delivery_job_run (data);
  g_task_return_boolean (task, TRUE);
}

static gboolean
was_out_of_reach (const OutboxItem *item)
{
  return g_str_equal (item->problem, deliver_error_word (DELIVER_ERROR_UNREACHABLE))
         || g_str_equal (item->problem, deliver_error_word (DELIVER_ERROR_ABSENT));
}

/* What waited for the same destination to come back goes at once; the key may go when nothing of
 * its consultation waits any more. */
static void
one_arrived (Deliveries *deliveries, const OutboxItem *done)
{
  g_autoptr (GPtrArray) items = outbox_list (deliveries->station->store, FALSE, NULL);
  gboolean more = items == NULL;
  for (guint i = 0; items != NULL && i < items->len; i++) {
    const OutboxItem *item = items->pdata[i];
    more |= g_str_equal (item->consult, done->consult);
    if (g_str_equal (item->target, done->target) && was_out_of_reach (item))
      g_hash_table_remove (deliveries->due, item->uuid);
  }
  if (more)
    return;
  vault_release (deliveries->station->vault, done->consult);
  g_hash_table_remove (deliveries->held, done->consult);
}

static void
job_done (GObject *source, GAsyncResult *result, void *data)
{
  DeliveryJob *job = g_task_get_task_data (G_TASK (result));
  Deliveries *deliveries = data;
  deliveries->sending = FALSE;
  deliveries->job = NULL;
  deliveries->station->pending--;
  if (job->delivered) {
    g_hash_table_remove (deliveries->due, job->item->uuid);
    one_arrived (deliveries, job->item);
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
  DeliveryJob *job = g_new0 (DeliveryJob, 1);
  job->store = deliveries->station->store;
  job->identity = deliveries->station->identity;
  job->config = deliveries->station->config;
  job->item = item;
  job->stop = &deliveries->stop;
  g_atomic_int_set (&deliveries->stop, 0);
  deliveries->sending = TRUE;
  deliveries->job = job;
  deliveries->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, job_done, deliveries);
  g_task_set_task_data (task, job, job_free);
  g_task_run_in_thread (task, job_thread);
}

/* ---- Witnesses ---------------------------------------------------------------------------- */

static void
heads_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Deliveries *deliveries = data;
  Station *station = deliveries->station;
  gboolean all = TRUE;
  for (guint i = 0; i < station->config->delivers->len; i++)
    all = log_heads_exchange (station->store, station->identity,
                              station->config->delivers->pdata[i], &deliveries->stop)
          && all;
  g_task_return_boolean (task, all);
}

static void
heads_done (GObject *source, GAsyncResult *result, void *data)
{
  Deliveries *deliveries = data;
  gboolean all = g_task_propagate_boolean (G_TASK (result), NULL);
  deliveries->sending = FALSE;
  deliveries->station->pending--;
  deliveries->heads_us = g_get_monotonic_time () + (all ? HEADS_EVERY_US : HEADS_AGAIN_US);
  station_changed (deliveries->station);
  if (!deliveries->station->stopping)
    deliveries_wake (deliveries);
}

/* Nothing else is to be sent: the destinations are asked what they know of this log. */
static void
ask_witnesses (Deliveries *deliveries)
{
  if (deliveries->station->identity == NULL || deliveries->station->config->delivers->len == 0
      || g_get_monotonic_time () < deliveries->heads_us)
    return;
  g_atomic_int_set (&deliveries->stop, 0);
  deliveries->sending = TRUE;
  deliveries->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, heads_done, deliveries);
  g_task_set_task_data (task, deliveries, NULL);
  g_task_run_in_thread (task, heads_thread);
}

/* ---- What comes next ---------------------------------------------------------------------- */

static gboolean
is_due (Deliveries *deliveries, const OutboxItem *item)
{
  const gint64 *due = g_hash_table_lookup (deliveries->due, item->uuid);
  return due == NULL || *due <= g_get_monotonic_time ();
}

static void
note_time (GHashTable *times, const char *key)
{
  gint64 *now = g_new (gint64, 1);
  *now = g_get_monotonic_time ();
  g_hash_table_insert (times, g_strdup (key), now);
}

/* A key that a broken link has kept in memory for days waits for the next sign-in instead. */
static void
let_go_of_keys (Deliveries *deliveries, const GPtrArray *items)
{
  gint64 now = g_get_monotonic_time ();
  for (guint i = 0; i < items->len; i++) {
    const char *consult = ((const OutboxItem *)items->pdata[i])->consult;
    const gint64 *since = g_hash_table_lookup (deliveries->held, consult);
    if (since == NULL)
      note_time (deliveries->held, consult);
    else if (now - *since > HELD_US)
      vault_release (deliveries->station->vault, consult);
  }
}

/* Place of the next one; items->len: none is due. */
static guint
choose (Deliveries *deliveries, const GPtrArray *items)
{
  guint best = items->len;
  for (guint i = 0; i < items->len; i++)
    if (is_due (deliveries, items->pdata[i])
        && (best == items->len
            || deliveries_rank (items->pdata[i]) < deliveries_rank (items->pdata[best])))
      best = i;
  return best;
}

/* One that nobody has tried yet, more urgent than what is under way: that ends, and goes on after
 * it behind the pieces that have arrived. Anything is more urgent than a witness. */
static gboolean
is_overtaken (Deliveries *deliveries, const GPtrArray *items)
{
  if (deliveries->job == NULL)
    return choose (deliveries, items) < items->len;
  for (guint i = 0; i < items->len; i++) {
    const OutboxItem *item = items->pdata[i];
    if (item->tries == 0 && *item->problem == '\0' && is_due (deliveries, item)
        && deliveries_rank (item) < deliveries_rank (deliveries->job->item))
      return TRUE;
  }
  return FALSE;
}

static void
look_at (Deliveries *deliveries, GPtrArray *items)
{
  if (deliveries->sending) {
    if (is_overtaken (deliveries, items))
      g_atomic_int_set (&deliveries->stop, 1);
    return;
  }
  let_go_of_keys (deliveries, items);
  guint next = choose (deliveries, items);
  if (next < items->len) {
    start (deliveries, g_ptr_array_steal_index (items, next));
    return;
  }
  deliveries->asked = FALSE;
  ask_witnesses (deliveries);
}

static gboolean
look (void *data)
{
  Deliveries *deliveries = data;
  g_autoptr (GError) error = NULL;
  gboolean held = deliveries_is_call (deliveries->station) && !deliveries->asked;

  if (held)
    g_atomic_int_set (&deliveries->stop, 1);
  if (held || deliveries->station->stopping)
    return G_SOURCE_CONTINUE;
  g_autoptr (GPtrArray) items = outbox_list (deliveries->station->store, FALSE, &error);
  if (items != NULL)
    look_at (deliveries, items);
  else
    g_warning ("deliver: %s", error->message);
  return G_SOURCE_CONTINUE;
}

void
deliveries_wake (Deliveries *deliveries)
{
  if (deliveries != NULL)
    look (deliveries);
}

void
deliveries_send_now (Deliveries *deliveries, const char *uuid)
{
  deliveries->asked = TRUE;
  if (uuid != NULL)
    g_hash_table_remove (deliveries->due, uuid);
  else
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
    note_time (deliveries->held, item->consult);
    g_autoptr (DataKey) key = vault_get_key (vault, item->consult, PURPOSE_CLINICAL, NULL);
    g_autoptr (DataKey) recording
        = g_str_equal (item->item, "recording")
              ? vault_get_key (vault, item->consult, PURPOSE_RECORDING, NULL)
              : NULL;
    if (key != NULL && g_str_equal (item->problem, deliver_error_word (DELIVER_ERROR_LOCKED)))
      g_hash_table_remove (deliveries->due, item->uuid);
  }
}

static gboolean
first_look (void *data)
{
  Deliveries *deliveries = data;
  deliveries->timer = g_timeout_add_seconds (LOOK_S, look, deliveries);
  look (deliveries);
  return G_SOURCE_REMOVE;
}

Deliveries *
deliveries_new (Station *station)
{
  Deliveries *deliveries = g_new0 (Deliveries, 1);
  deliveries->station = station;
  deliveries->due = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  deliveries->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  deliveries->timer = g_timeout_add_seconds (1, first_look, deliveries);
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
  g_hash_table_unref (deliveries->held);
  g_free (deliveries);
}
