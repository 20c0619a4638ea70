#include "station/holding_keep.h"
#include "records/holding.h"
#include "station/dicom.h"
#include "station/erasing.h"
#include "station/readings.h"

#include <gio/gio.h>

#define EVERY_US (G_TIME_SPAN_HOUR)

struct HoldingKeep {
  Station *station;
  gint64 due_us;
  gboolean working;
};

static void
shred_thread (GTask *task, void *source, void *data, GCancellable *cancellable)
{
  Station *station = data;
  const RetentionClock clock = erasing_clock ();
  GError *error = NULL;
  guint days = 0;
  json_auto_t *copies = erasing_backups ();
  if (holding_shred (station->store, station->identity, &clock, copies, &days, &error))
    g_task_return_int (task, days);
  else
    g_task_return_error (task, error);
}

static void
shredded (GObject *object, GAsyncResult *result, void *data)
{
  HoldingKeep *keep = data;
  g_autoptr (GError) error = NULL;
  gssize days = g_task_propagate_int (G_TASK (result), &error);
  keep->working = FALSE;
  if (error != NULL)
    g_warning ("holding: %s", error->message);
  if (days <= 0)
    return;
  g_message ("holding: %d days of readings that nobody claimed are destroyed", (int)days);
  dicom_forget_held (keep->station->dicom);
  readings_forget (keep->station->readings,
                   g_get_real_time () - HOLDING_DAYS * (gint64)G_TIME_SPAN_DAY);
  station_changed (keep->station);
}

void
holding_keep_tick (HoldingKeep *keep)
{
  gint64 now_us = g_get_monotonic_time ();
  if (keep->working || now_us < keep->due_us || keep->station->identity == NULL)
    return;
  keep->due_us = now_us + EVERY_US;
  keep->working = TRUE;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, shredded, keep);
  g_task_set_task_data (task, keep->station, NULL);
  g_task_run_in_thread (task, shred_thread);
}

HoldingKeep *
holding_keep_new (Station *station)
{
  HoldingKeep *keep = g_new0 (HoldingKeep, 1);
  keep->station = station;
  return keep;
}

void
holding_keep_free (HoldingKeep *keep)
{
  if (keep == NULL)
    return;
  while (keep->working)
    g_main_context_iteration (NULL, TRUE);
  g_free (keep);
}
