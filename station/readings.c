#include "station/readings_private.h"
#include "records/holding.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/device_values.h"
#include "station/kept.h"
#include "station/wave_record.h"

#include <string.h>

#define WAITING "reading"

/* What a device remembers was measured on whoever sat there then: it is this patient's only when it
 * was taken since the consultation began, by a clock that can be told. */
static gboolean
is_from_before (const Observation *observation, const Consult *consult)
{
  return observation_has_flag (observation, "stored")
         && (observation->time_source == OBS_TIME_STATION
             || observation->time_us < consult->started_us);
}

/* ---- A delivery
 * ------------------------------------------------------------------------------------ */

typedef struct {
  Readings *readings;
  ReadingsDone done;
  void *arg;
  GHashTable *groups; /* consultation id → json array of observations */
  json_t *waiting;    /* array of rows of the station */
  GPtrArray *fresh;   /* Observation.raw of what is written now */
  GPtrArray *again;   /* of what a delivery before this one is still writing */
  guint pending;
  GError *error;
} Delivery;

/* What was sent again while it was still being written: is it there now? */
static void
check_again (Delivery *delivery)
{
  for (guint i = 0; delivery->error == NULL && i < delivery->again->len; i++)
    if (kept_state (delivery->readings->kept, delivery->again->pdata[i]) != KEPT_DURABLE)
      delivery->error = g_error_new_literal (RECORDS_ERROR, RECORDS_ERROR_FAILED,
                                             "it was sent twice and could not be kept");
}

static void
delivery_step (Delivery *delivery, const GError *error)
{
  if (error != NULL && delivery->error == NULL)
    delivery->error = g_error_copy (error);
  if (--delivery->pending > 0)
    return;
  /* Of what is on the disk by now this changes nothing. */
  for (guint i = 0; i < delivery->fresh->len; i++)
    kept_done (delivery->readings->kept, delivery->fresh->pdata[i], FALSE);
  check_again (delivery);
  if (delivery->done != NULL)
    delivery->done (delivery->error, delivery->arg);
  g_clear_error (&delivery->error);
  g_hash_table_unref (delivery->groups);
  g_ptr_array_unref (delivery->fresh);
  g_ptr_array_unref (delivery->again);
  json_decref (delivery->waiting);
  g_free (delivery);
}

/* rows: observations, or rows of the station that have one in them. */
static void
remember (Delivery *delivery, const json_t *rows)
{
  gsize i;
  json_t *row;
  json_array_foreach (rows, i, row)
  {
    json_t *inner = json_object_get (row, "observation");
    json_t *raw = json_object_get (inner != NULL ? inner : row, "raw");
    kept_done (delivery->readings->kept, json_string_value (raw), TRUE);
  }
}

static void
group_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Delivery *delivery = arg;
  if (error == NULL && consult != NULL)
    remember (delivery, g_hash_table_lookup (delivery->groups, consult->id));
  if (error == NULL && consult != NULL && consult == station->screen)
    channel_send_readings (station, NULL, g_hash_table_lookup (delivery->groups, consult->id));
  delivery_step (delivery, error);
}

static void
waiting_written (Station *station, Consult *consult, gint64 seq, const GError *error, void *arg)
{
  Delivery *delivery = arg;
  gsize i;
  json_t *row;
  if (error == NULL)
    remember (delivery, delivery->waiting);
  json_array_foreach (delivery->waiting, i, row)
  {
    const char *id = json_string_value (json_object_get (row, "device"));
    Device *device = g_hash_table_lookup (delivery->readings->devices, id);
    if (error == NULL && device != NULL)
      readings_device_wait (device, json_object_get (row, "observation"), g_get_real_time (),
                            json_string_value (json_object_get (row, "patient_id")));
  }
  station_changed (station);
  delivery_step (delivery, error);
}

/* What only the station knows of a reading: when it came, and that its device's clock is ahead. */
#define CLOCK_AHEAD_US (60 * G_USEC_PER_SEC)

static json_t *
received_json (const Observation *observation, gint64 now_us)
{
  g_autofree char *received = clock_text (now_us);
  json_t *json = observation_to_json (observation);
  json_object_set_new (json, "received", json_string (received));
  if (observation->time_us > now_us + CLOCK_AHEAD_US)
    json_array_append_new (json_object_get (json, "flags"), json_string ("clock-ahead"));
  return json;
}

/* TRUE for what was sent before. */
static gboolean
is_repeated (Delivery *delivery, const Observation *observation)
{
  Kept *kept = delivery->readings->kept;
  switch (kept_state (kept, observation->raw)) {
  case KEPT_DURABLE:
    return TRUE;
  case KEPT_COMING:
    g_ptr_array_add (delivery->again, g_strdup (observation->raw));
    return TRUE;
  case KEPT_NEW:
    break;
  }
  if (observation->raw != NULL) {
    kept_coming (kept, observation->raw);
    g_ptr_array_add (delivery->fresh, g_strdup (observation->raw));
  }
  return FALSE;
}

static void
sort_observation (Delivery *delivery, const Observation *observation, const char *sender)
{
  Readings *readings = delivery->readings;
  if (is_repeated (delivery, observation))
    return;
  const char *id = observation->device != NULL ? observation->device : sender;
  Device *device = readings_device (readings, id, sender);
  Consult *owner = readings_device_owner (readings, device, observation->patient_id);
  if (owner != NULL && is_from_before (observation, owner)) {
    readings_say_held_back (readings, device, owner);
    owner = NULL;
  }
  device->last_us = g_get_real_time ();
  json_t *json = received_json (observation, device->last_us);
  device_values_take (readings->station->values, id, sender, json);
  if (owner == NULL) {
    json_array_append_new (delivery->waiting,
                           json_pack ("{s:s, s:s, s:s?, s:o}", "device", id, "sender", sender,
                                      "patient_id", observation->patient_id, "observation", json));
    return;
  }
  json_t *group = g_hash_table_lookup (delivery->groups, owner->id);
  if (group == NULL) {
    group = json_array ();
    g_hash_table_insert (delivery->groups, g_strdup (owner->id), group);
  }
  json_array_append_new (group, json);
}

/* What is nobody's is sealed under the day's holding key (records/holding.h). */
static void
hold (Delivery *delivery)
{
  Station *station = delivery->readings->station;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = holding_open (station->store, g_get_real_time (), &error);
  delivery->pending++;
  if (id == NULL)
    delivery_step (delivery, error);
  else
    station_write_many (station, id, WAITING, "station", json_incref (delivery->waiting),
                        waiting_written, delivery);
}

static void
deliver (Delivery *delivery)
{
  Station *station = delivery->readings->station;
  GHashTableIter iter;
  void *consult, *group;
  /* One for ourselves, so that the last write does not end it while we are still asking. */
  delivery->pending = 1 + g_hash_table_size (delivery->groups);
  g_hash_table_iter_init (&iter, delivery->groups);
  while (g_hash_table_iter_next (&iter, &consult, &group))
    station_write_many (station, consult, "observation", "station", json_incref (group),
                        group_written, delivery);
  /* Rows are written in the order in which they were asked for: behind those that are still
   * under way an empty write ends when they have. */
  if (json_array_size (delivery->waiting) > 0)
    hold (delivery);
  else if (delivery->again->len > 0) {
    delivery->pending++;
    station_write_many (station, "station", WAITING, "station", json_array (), waiting_written,
                        delivery);
  }
  delivery_step (delivery, NULL);
}

static void
json_free (void *data)
{
  json_decref (data);
}

void
readings_take (Readings *readings, const char *sender, const GPtrArray *observations,
               ReadingsDone done, void *arg)
{
  if (readings->station->stopping) {
    g_autoptr (GError) stopping
        = g_error_new_literal (RECORDS_ERROR, RECORDS_ERROR_FAILED, "the station stops");
    if (done != NULL)
      done (stopping, arg);
    return;
  }
  Delivery *delivery = g_new0 (Delivery, 1);
  delivery->readings = readings;
  delivery->done = done;
  delivery->arg = arg;
  delivery->groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, json_free);
  delivery->waiting = json_array ();
  delivery->fresh = g_ptr_array_new_with_free_func (g_free);
  delivery->again = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < observations->len; i++)
    sort_observation (delivery, observations->pdata[i], sender);
  deliver (delivery);
  station_changed (readings->station);
}

/* ---- Life
 * -----------------------------------------------------------------------------------------------
 */

static gboolean
load_claims (Readings *readings, GError **error)
{
  g_autoptr (GError) none = NULL;
  StoreRow *row = store_latest (readings->station->store, "station", "device-claims", &none);
  const char *id;
  json_t *value;
  if (row == NULL) {
    if (g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&none));
    return FALSE;
  }
  json_object_foreach (row->body, id, value)
  {
    Device *device = readings_device (readings, id, NULL);
    device->consult = g_strdup (json_string_value (json_object_get (value, "consult")));
    device->claimed_us = json_integer_value (json_object_get (value, "claimed_us"));
  }
  store_row_free (row);
  return TRUE;
}

static gboolean
load_waiting_of (Readings *readings, const char *consult, const char *kind, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (readings->station->store, consult, kind, 0, error);
  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    const char *id = json_string_value (json_object_get (row->body, "device"));
    json_t *observation = json_object_get (row->body, "observation");
    if (id == NULL || observation == NULL)
      continue;
    kept_load (readings->kept, observation, row->utc_us, g_get_real_time ());
    Device *device
        = readings_device (readings, id, json_string_value (json_object_get (row->body, "sender")));
    device->last_us = MAX (device->last_us, row->utc_us);
    if (row->utc_us > device->claimed_us)
      readings_device_wait (device, observation, row->utc_us,
                            json_string_value (json_object_get (row->body, "patient_id")));
  }
  return TRUE;
}

/* Before there were holding keys these rows were the station's own, a kind for each day. */
static gboolean
load_older (Readings *readings, gint64 day_us, GError **error)
{
  g_autoptr (GDateTime) day = g_date_time_new_from_unix_utc (day_us / G_USEC_PER_SEC);
  g_autofree char *kind = g_date_time_format (day, "reading-%Y%m%d");
  return load_waiting_of (readings, "station", kind, error);
}

/* Of yesterday and today; what is older stays on the disk until its day is shredded, and cannot be
 * claimed from the page. */
static gboolean
load_waiting (Readings *readings, GError **error)
{
  gint64 now_us = g_get_real_time ();
  if (!load_older (readings, now_us - G_TIME_SPAN_DAY, error)
      || !load_older (readings, now_us, error))
    return FALSE;
  g_autoptr (GPtrArray) ids = holding_list (readings->station->store, now_us, 2, error);
  for (guint i = 0; ids != NULL && i < ids->len; i++)
    if (!load_waiting_of (readings, ids->pdata[i], WAITING, error)
        || !wave_record_know (readings->station->store, ids->pdata[i], readings->kept, error))
      return FALSE;
  return ids != NULL;
}

static gboolean
know (Readings *readings, const char *consult, const char *kind, GError **error)
{
  Store *store = readings->station->store;
  g_autoptr (GError) none = NULL;
  StoreRow *newest = store_latest (store, consult, kind, &none);
  gint64 now_us = g_get_real_time (), after = newest != NULL ? newest->seq - KEPT_MAX : 0;
  if (newest == NULL && g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
    return TRUE;
  g_clear_pointer (&newest, store_row_free);
  g_autoptr (GPtrArray) rows = store_read (store, consult, kind, MAX (after, 0), error);
  for (guint i = 0; rows != NULL && i < rows->len; i++) {
    const StoreRow *row = rows->pdata[i];
    kept_load (readings->kept, row->body, row->utc_us, now_us);
  }
  return rows != NULL;
}

gboolean
readings_know (Readings *readings, GError **error)
{
  const GPtrArray *consults = readings->station->consults;
  for (guint i = 0; i < consults->len; i++) {
    const Consult *consult = consults->pdata[i];
    if (!know (readings, consult->id, "observation", error)
        || !know (readings, consult->id, "alarm", error)
        || !wave_record_know (readings->station->store, consult->id, readings->kept, error))
      return FALSE;
  }
  return TRUE;
}

Readings *
readings_new (Station *station, GError **error)
{
  Readings *readings = g_new0 (Readings, 1);
  readings->station = station;
  readings->kept = kept_new ();
  readings->devices = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, readings_device_free);
  if (!load_claims (readings, error) || !load_waiting (readings, error)) {
    readings_free (readings);
    return NULL;
  }
  return readings;
}

void
readings_free (Readings *readings)
{
  g_hash_table_unref (readings->devices);
  kept_free (readings->kept);
  g_free (readings);
}

Kept *
readings_kept (Readings *readings)
{
  return readings->kept;
}
