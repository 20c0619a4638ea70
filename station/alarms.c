#include "station/alarms.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/kept.h"

/* What stands at once; a device that says more than that says nothing more. */
#define STANDING_MAX 64
#define SILENT_US (10 * G_TIME_SPAN_MINUTE)

/* ---- What stands ------------------------------------------------------------------------------
 */

static const char *
word (const json_t *object, const char *key)
{
  const char *text = json_string_value (json_object_get (object, key));
  return text != NULL ? text : "";
}

void
alarms_apply (json_t *standing, const json_t *alarm)
{
  g_autofree char *key = g_strjoin ("\n", word (alarm, "device"), word (alarm, "alarm"),
                                    word (alarm, "source"), word (alarm, "containment"), NULL);
  const json_t *known = json_object_get (standing, key);
  if (json_is_true (json_object_get (alarm, "over"))) {
    json_object_del (standing, key);
    return;
  }
  if (known == NULL && json_object_size (standing) >= STANDING_MAX)
    return;
  json_t *entry = json_deep_copy (alarm);
  const char *since = known != NULL ? word (known, "since") : word (alarm, "time");
  json_object_set_new (entry, "since", json_string (since));
  json_object_set_new (standing, key, entry);
}

json_t *
alarms_view (const json_t *standing, gint64 now_us)
{
  static const char *const SHOWN[] = { "alarm",        "text",  "priority", "kind",  "state",
                                       "inactivation", "vital", "device",   "since", "test" };
  g_autofree char *oldest = clock_text (now_us - SILENT_US);
  json_t *list = json_array ();
  const char *key;
  json_t *alarm;
  json_object_foreach ((json_t *)standing, key, alarm)
  {
    if (g_strcmp0 (word (alarm, "received"), oldest) < 0)
      continue;
    json_t *item = json_object ();
    for (guint i = 0; i < G_N_ELEMENTS (SHOWN); i++)
      if (json_object_get (alarm, SHOWN[i]) != NULL)
        json_object_set (item, SHOWN[i], json_object_get (alarm, SHOWN[i]));
    json_array_append_new (list, item);
  }
  return list;
}

/* ---- A delivery -------------------------------------------------------------------------------
 */

typedef struct {
  Kept *kept;
  GPtrArray *raws;
  ReadingsDone done;
  void *arg;
  guint pending;
  GError *error;
} Delivery;

static void
delivery_step (Delivery *delivery, const GError *error)
{
  if (error != NULL && delivery->error == NULL)
    delivery->error = g_error_copy (error);
  if (--delivery->pending > 0)
    return;
  for (guint i = 0; i < delivery->raws->len; i++)
    kept_done (delivery->kept, delivery->raws->pdata[i], delivery->error == NULL);
  if (delivery->done != NULL)
    delivery->done (delivery->error, delivery->arg);
  g_clear_error (&delivery->error);
  g_ptr_array_unref (delivery->raws);
  g_free (delivery);
}

static void
alarm_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  if (error == NULL && consult != NULL && consult == station->screen)
    channel_send_live (station);
  delivery_step (arg, error);
}

static void
take (Station *station, const char *sender, const DeviceAlarm *alarm, Delivery *delivery)
{
  const Observation *origin = alarm->origin;
  if (kept_state (delivery->kept, origin->raw) == KEPT_DURABLE)
    return;
  Consult *owner
      = readings_owner (station->readings, origin->device != NULL ? origin->device : sender, sender,
                        origin->patient_id);
  g_autofree char *received = clock_text (g_get_real_time ());
  json_t *body = device_alarm_to_json (alarm);
  json_object_set_new (body, "received", json_string (received));
  json_object_set_new (body, "sender", json_string (sender));
  if (origin->raw != NULL)
    g_ptr_array_add (delivery->raws, g_strdup (origin->raw));
  delivery->pending++;
  station_write (station, owner != NULL ? owner->id : "station", "alarm", "station", body,
                 alarm_written, delivery);
}

void
alarms_take (Station *station, const char *sender, const GPtrArray *alarms, ReadingsDone done,
             void *arg)
{
  Delivery *delivery = g_new0 (Delivery, 1);
  delivery->kept = readings_kept (station->readings);
  delivery->raws = g_ptr_array_new_with_free_func (g_free);
  delivery->done = done;
  delivery->arg = arg;
  delivery->pending = 1;
  if (station->stopping)
    delivery->error
        = g_error_new_literal (RECORDS_ERROR, RECORDS_ERROR_FAILED, "the station stops");
  for (guint i = 0; delivery->error == NULL && i < alarms->len; i++)
    take (station, sender, alarms->pdata[i], delivery);
  delivery_step (delivery, NULL);
}
