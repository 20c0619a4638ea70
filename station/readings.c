#include "station/readings_private.h"
#include "station/bluetooth.h"
#include "station/channel.h"
#include "station/clock.h"
#include "station/device_values.h"
#include "station/kept.h"
#include "station/serial.h"
#include "station/wave_record.h"

#include <string.h>

#define DEVICES_MAX 64
/* Of one device; what is older stays on the disk, and cannot be claimed from the page. */
#define WAITING_MAX 2000

void
readings_waiting_free (void *data)
{
  Waiting *waiting = data;
  json_decref (waiting->observation);
  g_free (waiting->patient_id);
  g_free (waiting);
}

static void
device_free (void *data)
{
  Device *device = data;
  g_free (device->id);
  g_free (device->sender);
  g_free (device->consult);
  g_queue_clear_full (&device->waiting, readings_waiting_free);
  g_free (device);
}

static gboolean
device_is_of_room (const Config *config, const char *id, const char *sender)
{
  for (guint i = 0; i < config->devices->len; i++) {
    const ConfigDevice *device = config->devices->pdata[i];
    if (g_ascii_strcasecmp (device->id, id) == 0 || g_strcmp0 (device->id, sender) == 0)
      return TRUE;
  }
  for (guint i = 0; i < config->serials->len; i++) {
    const ConfigSerial *serial = config->serials->pdata[i];
    g_autofree char *serial_id = serial_device_id (serial);
    if (serial->room && g_str_equal (serial_id, id))
      return TRUE;
  }
  return FALSE;
}

static void
drop_oldest (Readings *readings)
{
  GHashTableIter iter;
  void *value;
  Device *oldest = NULL;
  g_hash_table_iter_init (&iter, readings->devices);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Device *device = value;
    if (oldest == NULL || device->last_us < oldest->last_us)
      oldest = device;
  }
  if (oldest != NULL)
    g_hash_table_remove (readings->devices, oldest->id);
}

static Device *
device_get (Readings *readings, const char *id, const char *sender)
{
  Device *device = g_hash_table_lookup (readings->devices, id);
  if (device == NULL) {
    if (g_hash_table_size (readings->devices) >= DEVICES_MAX)
      drop_oldest (readings);
    device = g_new0 (Device, 1);
    device->id = g_strdup (id);
    device->room = device_is_of_room (readings->station->config, id, NULL);
    g_hash_table_insert (readings->devices, device->id, device);
  }
  if (sender != NULL && g_strcmp0 (sender, device->sender) != 0) {
    g_free (device->sender);
    device->sender = g_strdup (sender);
    device->room = device_is_of_room (readings->station->config, id, sender);
  }
  return device;
}

/* When a reading was there to be claimed: on arrival, or when it was taken, for what a device
 * remembers; 0: nobody knows. */
static gint64
claimable_us (json_t *observation, gint64 arrived_us)
{
  size_t i;
  json_t *flag;
  gboolean stored = FALSE;
  json_array_foreach (json_object_get (observation, "flags"), i, flag)
  {
    stored |= g_strcmp0 (json_string_value (flag), "stored") == 0;
  }
  if (!stored)
    return arrived_us;
  const char *time = json_string_value (json_object_get (observation, "time"));
  const char *source = json_string_value (json_object_get (observation, "time_source"));
  g_autoptr (GDateTime) taken = time != NULL ? g_date_time_new_from_iso8601 (time, NULL) : NULL;
  if (taken == NULL || g_strcmp0 (source, "station") == 0)
    return 0;
  return MIN (arrived_us, g_date_time_to_unix (taken) * G_USEC_PER_SEC);
}

static void
device_wait (Device *device, json_t *observation, gint64 arrived_us, const char *patient_id)
{
  Waiting *waiting = g_new0 (Waiting, 1);
  waiting->observation = json_incref (observation);
  waiting->arrived_us = claimable_us (observation, arrived_us);
  waiting->patient_id = g_strdup (patient_id);
  g_queue_push_tail (&device->waiting, waiting);
  if (g_queue_get_length (&device->waiting) > WAITING_MAX)
    readings_waiting_free (g_queue_pop_head (&device->waiting));
}

/* ---- Whose reading is it -----------------------------------------------------------------------
 */

/* NULL: nobody's. A claim is good as long as its consultation is open. */
static Consult *
owner_of (Readings *readings, Device *device)
{
  Station *station = readings->station;
  Consult *claimed = station_consult (station, device->consult);
  if (claimed != NULL && consult_is_open (claimed))
    return claimed->busy ? NULL : claimed;
  Consult *screen = station->screen;
  gboolean room = device->room || bluetooth_is_of_room (station->bluetooth, device->id);
  return room && screen != NULL && consult_is_open (screen) && !screen->busy ? screen : NULL;
}

static void
say_held_back (Readings *readings, Device *device, const Consult *consult)
{
  if (device->held_back_said)
    return;
  device->held_back_said = TRUE;
  station_event (readings->station, consult->id, "station", "reading-held-back", device->id);
}

/* NULL also when the device names another patient than the owner's. A name that nothing can be
 * compared with is believed of a device that the doctor has claimed; one of the room may still
 * have the patient before in its memory. */
static Consult *
owner_of_what (Readings *readings, Device *device, const char *patient_id)
{
  Consult *owner = owner_of (readings, device);
  if (owner == NULL || patient_id == NULL)
    return owner;
  PatientMatch match = consult_match_patient (owner, patient_id);
  if (match == PATIENT_SAME
      || (match == PATIENT_MAYBE && g_strcmp0 (device->consult, owner->id) == 0))
    return owner;
  say_held_back (readings, device, owner);
  return NULL;
}

Consult *
readings_owner (Readings *readings, const char *id, const char *sender, const char *patient_id)
{
  Device *device = device_get (readings, id, sender);
  device->last_us = g_get_real_time ();
  return owner_of_what (readings, device, patient_id);
}

/* A gateway asks under its own name for all its beds. */
static gboolean
is_of_gateway (const Device *device, const char *id)
{
  gsize length = strlen (id);
  return strncmp (device->id, id, length) == 0 && device->id[length] == '/';
}

Consult *
readings_bound (Readings *readings, const char *id, const char *sender)
{
  Device *device = device_get (readings, id, sender);
  Consult *bound = owner_of (readings, device);
  GHashTableIter iter;
  void *value;
  device->last_us = g_get_real_time ();
  g_hash_table_iter_init (&iter, readings->devices);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Consult *owner = is_of_gateway (value, id) ? owner_of (readings, value) : NULL;
    /* Of two beds with two patients nobody knows which one is asked for. */
    if (owner != NULL && bound != NULL && owner != bound)
      return NULL;
    bound = owner != NULL ? owner : bound;
  }
  return bound;
}

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
      device_wait (device, json_object_get (row, "observation"), g_get_real_time (),
                   json_string_value (json_object_get (row, "patient_id")));
  }
  station_changed (station);
  delivery_step (delivery, error);
}

static char *
waiting_kind (gint64 utc_us)
{
  g_autoptr (GDateTime) day = g_date_time_new_from_unix_utc (utc_us / G_USEC_PER_SEC);
  return g_date_time_format (day, "reading-%Y%m%d");
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
  Device *device = device_get (readings, id, sender);
  Consult *owner = owner_of_what (readings, device, observation->patient_id);
  if (owner != NULL && is_from_before (observation, owner)) {
    say_held_back (readings, device, owner);
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
  if (json_array_size (delivery->waiting) > 0 || delivery->again->len > 0) {
    g_autofree char *kind = waiting_kind (g_get_real_time ());
    delivery->pending++;
    station_write_many (station, "station", kind, "station", json_incref (delivery->waiting),
                        waiting_written, delivery);
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
    Device *device = device_get (readings, id, NULL);
    device->consult = g_strdup (json_string_value (json_object_get (value, "consult")));
    device->claimed_us = json_integer_value (json_object_get (value, "claimed_us"));
  }
  store_row_free (row);
  return TRUE;
}

static gboolean
load_waiting_of (Readings *readings, gint64 day_us, GError **error)
{
  g_autofree char *kind = waiting_kind (day_us);
  g_autoptr (GPtrArray) rows = store_read (readings->station->store, "station", kind, 0, error);
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
        = device_get (readings, id, json_string_value (json_object_get (row->body, "sender")));
    device->last_us = MAX (device->last_us, row->utc_us);
    if (row->utc_us > device->claimed_us)
      device_wait (device, observation, row->utc_us,
                   json_string_value (json_object_get (row->body, "patient_id")));
  }
  return TRUE;
}

static gboolean
know (Readings *readings, const char *consult, const char *kind, GError **error)
{
  g_autoptr (GPtrArray) rows = store_read (readings->station->store, consult, kind, 0, error);
  gint64 now_us = g_get_real_time ();
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
  gint64 now_us = g_get_real_time ();
  readings->station = station;
  readings->kept = kept_new ();
  readings->devices = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, device_free);
  if (!load_claims (readings, error) || !load_waiting_of (readings, now_us - G_TIME_SPAN_DAY, error)
      || !load_waiting_of (readings, now_us, error)) {
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

#define WHO_MAX 5

static gboolean
is_named (const json_t *who, const char *id)
{
  gsize i;
  json_t *person;
  json_array_foreach (who, i, person)
  {
    if (g_strcmp0 (json_string_value (json_object_get (person, "id")), id) == 0)
      return TRUE;
  }
  return FALSE;
}

/* {count, who: [{id, name}]} of what waits under somebody's name (transfer full). */
static json_t *
held_json (const Device *device)
{
  json_t *who = json_array ();
  int count = 0;
  for (GList *at = device->waiting.head; at != NULL; at = at->next) {
    const Waiting *waiting = at->data;
    if (waiting->patient_id == NULL)
      continue;
    count++;
    if (json_array_size (who) >= WHO_MAX || is_named (who, waiting->patient_id))
      continue;
    json_t *patient = json_object_get (waiting->observation, "patient");
    json_array_append_new (who, json_pack ("{s:s, s:s*}", "id", waiting->patient_id, "name",
                                           json_string_value (json_object_get (patient, "name"))));
  }
  return json_pack ("{s:i, s:o}", "count", count, "who", who);
}

json_t *
readings_devices (Readings *readings)
{
  json_t *list = json_array ();
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, readings->devices);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Device *device = value;
    const Consult *owner = owner_of (readings, device);
    g_autofree char *last = clock_text (device->last_us);
    if (device->last_us == 0)
      continue;
    json_t *item
        = json_pack ("{s:s, s:s?, s:s, s:s?, s:b, s:i}", "device", device->id, "sender",
                     device->sender, "last", last, "consultation", owner != NULL ? owner->id : NULL,
                     "room", device->room, "waiting", (int)g_queue_get_length (&device->waiting));
    json_object_set_new (item, "held", held_json (device));
    json_array_append_new (list, item);
  }
  return list;
}

guint
readings_waiting (Readings *readings)
{
  GHashTableIter iter;
  void *value;
  guint count = 0;
  g_hash_table_iter_init (&iter, readings->devices);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    count += g_queue_get_length (&((Device *)value)->waiting);
  return count;
}
