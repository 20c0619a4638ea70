#include "station/key_check.h"

#include <gio/gio.h>

/* Not beside the start, when everybody wants the disk. */
#define FIRST_US (30 * G_USEC_PER_SEC)
#define EVERY_US G_TIME_SPAN_DAY

struct KeyCheck {
  Station *station;
  gint64 due_us;
  gboolean working;
  char *problem;
};

static void
check_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  const Station *station = data;
  GError *error = NULL;
  if (vault_check (station->vault, &error) && store_check_keys (station->store, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
checked (GObject *object, GAsyncResult *result, void *data)
{
  KeyCheck *check = data;
  g_autoptr (GError) error = NULL;
  check->working = FALSE;
  g_clear_pointer (&check->problem, g_free);
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    g_warning ("keys: %s", error->message);
    check->problem = g_strdup (error->message);
  }
  station_changed (check->station);
}

void
key_check_tick (KeyCheck *check)
{
  gint64 now_us = g_get_monotonic_time ();
  if (check->working || now_us < check->due_us)
    return;
  check->due_us = now_us + EVERY_US;
  check->working = TRUE;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, checked, check);
  g_task_set_task_data (task, check->station, NULL);
  g_task_run_in_thread (task, check_thread);
}

const char *
key_check_problem (KeyCheck *check)
{
  return check != NULL ? check->problem : NULL;
}

KeyCheck *
key_check_new (Station *station)
{
  KeyCheck *check = g_new0 (KeyCheck, 1);
  check->station = station;
  check->due_us
      = g_get_monotonic_time () + (vault_is_checked (station->vault) ? EVERY_US : FIRST_US);
  return check;
}

void
key_check_free (KeyCheck *check)
{
  if (check == NULL)
    return;
  while (check->working)
    g_main_context_iteration (NULL, TRUE);
  g_free (check->problem);
  g_free (check);
}
