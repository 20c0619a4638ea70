/* Devices that send readings: whose they are, and what waits of them. */
#include "station/bluetooth.h"
#include "station/clock.h"
#include "station/readings_private.h"
#include "station/serial.h"

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

void
readings_device_free (void *data)
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

Device *
readings_device (Readings *readings, const char *id, const char *sender)
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

void
readings_device_wait (Device *device, json_t *observation, gint64 arrived_us,
                      const char *patient_id)
{
  Waiting *waiting = g_new0 (Waiting, 1);
  waiting->observation = json_incref (observation);
  waiting->arrived_us = claimable_us (observation, arrived_us);
  waiting->patient_id = g_strdup (patient_id);
  g_queue_push_tail (&device->waiting, waiting);
  if (g_queue_get_length (&device->waiting) > WAITING_MAX)
    readings_waiting_free (g_queue_pop_head (&device->waiting));
}

void
readings_forget (Readings *readings, gint64 before_us)
{
  GHashTableIter iter;
  void *value;
  g_hash_table_iter_init (&iter, readings->devices);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    GQueue *waiting = &((Device *)value)->waiting;
    Waiting *oldest;
    while ((oldest = g_queue_peek_head (waiting)) != NULL && oldest->arrived_us < before_us)
      readings_waiting_free (g_queue_pop_head (waiting));
  }
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

void
readings_say_held_back (Readings *readings, Device *device, const Consult *consult)
{
  if (device->held_back_said)
    return;
  device->held_back_said = TRUE;
  station_event (readings->station, consult->id, "station", "reading-held-back", device->id);
}

Consult *
readings_device_owner (Readings *readings, Device *device, const char *patient_id)
{
  Consult *owner = owner_of (readings, device);
  if (owner == NULL || patient_id == NULL)
    return owner;
  PatientMatch match = consult_match_patient (owner, patient_id);
  if (match == PATIENT_SAME
      || (match == PATIENT_MAYBE && g_strcmp0 (device->consult, owner->id) == 0))
    return owner;
  readings_say_held_back (readings, device, owner);
  return NULL;
}

Consult *
readings_owner (Readings *readings, const char *id, const char *sender, const char *patient_id)
{
  Device *device = readings_device (readings, id, sender);
  device->last_us = g_get_real_time ();
  return readings_device_owner (readings, device, patient_id);
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
  Device *device = readings_device (readings, id, sender);
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

/* ---- What there is ------------------------------------------------------------------------------
 */

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
