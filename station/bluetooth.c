#include "media/devices/gatt.h"
#include "station/bluetooth_private.h"

#define PAIRED_MAX 32
#define SAVE_MS 1000

static void
paired_stop (Paired *paired)
{
  g_clear_pointer (&paired->driver, bluez_device_free);
  g_clear_pointer (&paired->feed, feed_remove);
}

static void
paired_free (void *data)
{
  Paired *paired = data;
  paired_stop (paired);
  json_decref (paired->about);
  g_free (paired->address);
  g_free (paired->name);
  g_free (paired);
}

Paired *
bluetooth_find (const Bluetooth *bluetooth, const char *address)
{
  for (guint i = 0; i < bluetooth->paired->len; i++) {
    Paired *paired = bluetooth->paired->pdata[i];
    if (g_ascii_strcasecmp (paired->address, address) == 0)
      return paired;
  }
  return NULL;
}

gboolean
bluetooth_is_of_room (const Bluetooth *bluetooth, const char *device)
{
  const Paired *paired = bluetooth != NULL ? bluetooth_find (bluetooth, device) : NULL;
  return paired != NULL && paired->room;
}

/* ---- The row ------------------------------------------------------------------------------- */

static json_t *
paired_json (const Paired *paired)
{
  return json_pack ("{s:s, s:s, s:s, s:b, s:i, s:O}", "device", paired->address, "name",
                    paired->name, "kind", paired->kind, "room", paired->room, "record",
                    paired->record, "about", paired->about);
}

void
bluetooth_write (Bluetooth *bluetooth, const char *user, WriteDone done, void *arg)
{
  json_t *list = json_array ();
  g_clear_handle_id (&bluetooth->save_timer, g_source_remove);
  for (guint i = 0; i < bluetooth->paired->len; i++)
    json_array_append_new (list, paired_json (bluetooth->paired->pdata[i]));
  station_write (bluetooth->station, "station", "bluetooth-devices", user,
                 json_pack ("{s:o}", "devices", list), done, arg);
}

static gboolean
save (void *data)
{
  Bluetooth *bluetooth = data;
  bluetooth->save_timer = 0;
  bluetooth_write (bluetooth, "station", NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* Written behind the readings themselves: what a crash keeps from being written comes again. */
static void
save_soon (Bluetooth *bluetooth)
{
  if (bluetooth->save_timer == 0)
    bluetooth->save_timer = g_timeout_add (SAVE_MS, save, bluetooth);
}

/* ---- Driving ------------------------------------------------------------------------------- */

static void
record_came (guint16 sequence, void *arg)
{
  Paired *paired = arg;
  paired->record = sequence;
  save_soon (paired->bluetooth);
}

static void
about_came (const char *what, const char *text, void *arg)
{
  Paired *paired = arg;
  const char *known = json_string_value (json_object_get (paired->about, what));
  if (g_strcmp0 (known, text) == 0)
    return;
  json_object_set_new (paired->about, what, json_string (text));
  save_soon (paired->bluetooth);
  bluetooth_tell (paired->bluetooth);
}

void
bluetooth_drive (Paired *paired)
{
  const BluezDeviceEvents events = { .record = record_came, .about = about_came, .arg = paired };
  paired_stop (paired);
  paired->feed
      = feeds_add (paired->bluetooth->station->feeds, paired->address, paired->name, paired->kind);
  paired->driver = bluez_device_new (paired->bluetooth->bluez, paired->address, paired->kind,
                                     paired->record, feed_sink (paired->feed), &events);
}

Paired *
bluetooth_add (Bluetooth *bluetooth, const char *address, const char *name, const char *kind)
{
  Paired *paired = bluetooth_find (bluetooth, address);
  if (paired == NULL) {
    if (bluetooth->paired->len >= PAIRED_MAX)
      return NULL;
    paired = g_new0 (Paired, 1);
    paired->bluetooth = bluetooth;
    paired->address = g_ascii_strup (address, -1);
    paired->room = TRUE;
    paired->record = -1;
    paired->about = json_object ();
    g_ptr_array_add (bluetooth->paired, paired);
  }
  if (name != NULL || paired->name == NULL) {
    g_free (paired->name);
    paired->name = g_strdup (name != NULL ? name : address);
  }
  paired->kind = kind;
  return paired;
}

void
bluetooth_drop (Bluetooth *bluetooth, Paired *paired)
{
  g_ptr_array_remove (bluetooth->paired, paired);
}

/* ---- Life ---------------------------------------------------------------------------------- */

/* The static text that stands for a kind; NULL: no kind of ours. */
static const char *
kind_named (const char *kind)
{
  const char *const *uuids = gatt_service_uuids ();
  for (guint i = 0; uuids[i] != NULL; i++) {
    const char *known = gatt_kind_of_service (gatt_uuid (uuids[i]));
    if (g_strcmp0 (known, kind) == 0)
      return known;
  }
  return NULL;
}

static void
load_one (Bluetooth *bluetooth, json_t *row)
{
  const char *address = json_string_value (json_object_get (row, "device"));
  const char *kind = kind_named (json_string_value (json_object_get (row, "kind")));
  json_t *about = json_object_get (row, "about");
  if (address == NULL || kind == NULL)
    return;
  Paired *paired
      = bluetooth_add (bluetooth, address, json_string_value (json_object_get (row, "name")), kind);
  if (paired == NULL)
    return;
  paired->room = json_is_true (json_object_get (row, "room"));
  if (json_is_integer (json_object_get (row, "record")))
    paired->record = (int)json_integer_value (json_object_get (row, "record"));
  if (json_is_object (about))
    json_object_update (paired->about, about);
  bluetooth_drive (paired);
}

static gboolean
load (Bluetooth *bluetooth, GError **error)
{
  g_autoptr (GError) none = NULL;
  size_t i;
  json_t *one;
  StoreRow *row = store_latest (bluetooth->station->store, "station", "bluetooth-devices", &none);
  if (row == NULL) {
    if (g_error_matches (none, RECORDS_ERROR, RECORDS_ERROR_NOT_FOUND))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&none));
    return FALSE;
  }
  json_array_foreach (json_object_get (row->body, "devices"), i, one) load_one (bluetooth, one);
  store_row_free (row);
  return TRUE;
}

/* Signals come and go many times a second: pages hear of what they show. */
void
bluetooth_tell (Bluetooth *bluetooth)
{
  json_t *now = bluetooth_json (bluetooth);
  if (bluetooth->told != NULL && json_equal (now, bluetooth->told)) {
    json_decref (now);
    return;
  }
  json_decref (bluetooth->told);
  bluetooth->told = now;
  station_changed (bluetooth->station);
}

static void
changed (void *arg)
{
  bluetooth_tell (arg);
}

Bluetooth *
bluetooth_new (Station *station, GError **error)
{
  if (station->config->bluetooth == BLUETOOTH_OFF)
    return NULL;
  Bluetooth *bluetooth = g_new0 (Bluetooth, 1);
  bluetooth->station = station;
  bluetooth->paired = g_ptr_array_new_with_free_func (paired_free);
  bluetooth->bluez = bluez_new (changed, bluetooth);
  if (!load (bluetooth, error))
    g_clear_pointer (&bluetooth, bluetooth_free);
  return bluetooth;
}

void
bluetooth_free (Bluetooth *bluetooth)
{
  if (bluetooth->save_timer != 0)
    bluetooth_write (bluetooth, "station", NULL, NULL);
  g_ptr_array_set_size (bluetooth->paired, 0);
  bluez_free (bluetooth->bluez); /* a pairing under way ends by it */
  g_ptr_array_unref (bluetooth->paired);
  json_decref (bluetooth->told);
  g_free (bluetooth);
}
