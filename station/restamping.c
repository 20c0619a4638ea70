#include "station/restamping.h"
#include "records/signatures.h"

#include <gio/gio.h>

#define EVERY_S (6 * 3600)
#define DAY_S (24 * 3600)

struct Restamping {
  Station *station;
  void (*wanted) (void *arg);
  void *arg;
  GHashTable *due; /* consultation → gint64*: s, UTC; of the sweep's thread while one runs */
  GHashTable *wished;
  guint timer, locked; /* locked: how many were due in the last sweep, and closed */
  gboolean busy, again;
};

typedef struct {
  Restamping *restamping;
  gint64 now, ahead; /* s */
  guint wanted, locked;
} Sweep;

/* ---- One sweep, in a thread --------------------------------------------------------------- */

static gint64
due_of (Sweep *sweep, const char *consult)
{
  GHashTable *known = sweep->restamping->due;
  const gint64 *due = g_hash_table_lookup (known, consult);
  if (due != NULL && *due > sweep->now)
    return *due;
  gint64 *fresh = g_new (gint64, 1);
  if (!signatures_due (sweep->restamping->station->store, consult, sweep->ahead, fresh, NULL)) {
    g_free (fresh); /* the station's own key is not to be had yet: looked at again next time */
    return G_MAXINT64;
  }
  g_hash_table_insert (known, g_strdup (consult), fresh);
  return *fresh;
}

static void
look_at (Sweep *sweep, const char *consult)
{
  Restamping *restamping = sweep->restamping;
  g_autoptr (GError) error = NULL;
  guint wanted = 0;

  if (due_of (sweep, consult) > sweep->now) {
    g_hash_table_remove (restamping->wished, consult);
    return;
  }
  if (g_hash_table_contains (restamping->wished, consult))
    return;
  if (signatures_renew (restamping->station->store, consult, sweep->now, sweep->ahead, &wanted,
                        &error)) {
    sweep->wanted += wanted;
    g_hash_table_add (restamping->wished, g_strdup (consult));
  } else if (g_error_matches (error, RECORDS_ERROR, RECORDS_ERROR_LOCKED)) {
    sweep->locked++;
  } else {
    g_message ("restamping %s: %s", consult, error->message);
  }
}

static void
sweep_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Sweep *sweep = data;
  const Station *station = sweep->restamping->station;
  GError *error = NULL;
  g_autoptr (GPtrArray) consults = store_list_consults (station->store, &error);
  for (guint i = 0; consults != NULL && i < consults->len && !station->stopping; i++)
    look_at (sweep, consults->pdata[i]);
  if (consults != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* ---- Rounds ------------------------------------------------------------------------------- */

static void
swept (GObject *object, GAsyncResult *result, void *data)
{
  Restamping *restamping = data;
  g_autoptr (GError) error = NULL;
  const Sweep *sweep = g_task_get_task_data (G_TASK (result));
  gboolean changed = restamping->locked != sweep->locked;
  restamping->busy = FALSE;
  restamping->station->pending--;
  restamping->locked = sweep->locked;
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    g_warning ("restamping: %s", error->message);
  if (restamping->station->stopping)
    return;
  if (sweep->wanted > 0) {
    g_message ("restamping: %u signatures get a further time-stamp", sweep->wanted);
    restamping->wanted (restamping->arg);
  }
  if (changed)
    station_changed (restamping->station);
  if (restamping->again)
    restamping_look (restamping);
}

void
restamping_look (Restamping *restamping)
{
  if (restamping == NULL)
    return;
  restamping->again = restamping->busy;
  if (restamping->busy)
    return;
  Sweep *sweep = g_new0 (Sweep, 1);
  sweep->restamping = restamping;
  sweep->now = g_get_real_time () / G_USEC_PER_SEC;
  sweep->ahead = (gint64)restamping->station->config->signing.renew_days * DAY_S;
  restamping->busy = TRUE;
  restamping->station->pending++;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, swept, restamping);
  g_task_set_task_data (task, sweep, g_free);
  g_task_run_in_thread (task, sweep_thread);
}

static gboolean
timer_due (void *data)
{
  restamping_look (data);
  return G_SOURCE_CONTINUE;
}

void
restamping_add_problems (const Restamping *restamping, json_t *list)
{
  if (restamping == NULL || restamping->locked == 0)
    return;
  g_autofree char *vi = g_strdup_printf ("%u hồ sơ có chữ ký sắp cần đóng dấu thời gian lại: hãy "
                                         "mở hồ sơ bằng mật khẩu để trạm xin dấu mới.",
                                         restamping->locked);
  g_autofree char *en = g_strdup_printf ("%u records have signatures whose time-stamp is to be "
                                         "renewed soon: open the records with the "
                                         "passphrase, and the station fetches new ones.",
                                         restamping->locked);
  json_array_append_new (list, json_pack ("{s:s, s:s, s:{s:s, s:s}}", "level", "warn", "code",
                                          "restamp", "text", "vi", vi, "en", en));
}

Restamping *
restamping_new (Station *station, void (*wanted) (void *arg), void *arg)
{
  Restamping *restamping = g_new0 (Restamping, 1);
  restamping->station = station;
  restamping->wanted = wanted;
  restamping->arg = arg;
  restamping->due = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  restamping->wished = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  restamping->timer = g_timeout_add_seconds (EVERY_S, timer_due, restamping);
  restamping_look (restamping);
  return restamping;
}

void
restamping_free (Restamping *restamping)
{
  if (restamping == NULL)
    return;
  g_clear_handle_id (&restamping->timer, g_source_remove);
  while (restamping->busy)
    g_main_context_iteration (NULL, TRUE);
  g_hash_table_unref (restamping->due);
  g_hash_table_unref (restamping->wished);
  g_free (restamping);
}
