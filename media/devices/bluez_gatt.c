/* The characteristics of one device: subscribed to, read, written. */
#include "media/devices/bluez_values.h"
#include "media/devices/gatt.h"
#include "media/devices/gatt_racp.h"
#include <string.h>

#define CALL_TIMEOUT_MS 10000
#define CLOCK_NEAR_US (2 * G_TIME_SPAN_MINUTE)

guint16
bluez_values_uuid (const BluezValues *values, const char *path)
{
  g_autoptr (GVariant) uuid = bluez_property (values->bluez, path, BLUEZ_CHARACTERISTIC, "UUID");
  return uuid != NULL && g_variant_is_of_type (uuid, G_VARIANT_TYPE_STRING)
             ? gatt_uuid (g_variant_get_string (uuid, NULL))
             : 0;
}

static gboolean
has_flag (const BluezValues *values, const char *path, const char *flag)
{
  g_autoptr (GVariant) flags = bluez_property (values->bluez, path, BLUEZ_CHARACTERISTIC, "Flags");
  if (flags == NULL || !g_variant_is_of_type (flags, G_VARIANT_TYPE_STRING_ARRAY))
    return FALSE;
  g_autofree const char **texts = g_variant_get_strv (flags, NULL);
  return g_strv_contains (texts, flag);
}

/* Path of a characteristic of the device (transfer full); NULL: it has none. */
static char *
path_of (const BluezValues *values, const char *device_path, guint16 uuid)
{
  g_autofree char *prefix = g_strconcat (device_path, "/", NULL);
  g_autoptr (GPtrArray) paths = bluez_paths (values->bluez, BLUEZ_CHARACTERISTIC, prefix);
  for (guint i = 0; i < paths->len; i++)
    if (bluez_values_uuid (values, paths->pdata[i]) == uuid)
      return g_strdup (paths->pdata[i]);
  return NULL;
}

/* ---- Calls --------------------------------------------------------------------------------- */

typedef struct {
  BluezValues *values;
  char *path;
  guint16 uuid;
} Call;

static Call *
call_new (BluezValues *values, const char *path)
{
  Call *call = g_new0 (Call, 1);
  *call = (Call){ values, g_strdup (path), bluez_values_uuid (values, path) };
  values->pending++;
  return call;
}

static void
call_free (Call *call)
{
  g_free (call->path);
  g_free (call);
}

/* BlueZ names some errors of ATT, others it only writes out (0x05, 0x0F). */
static gboolean
is_about_bond (const GError *error, const char *name)
{
  return g_strcmp0 (name, "NotAuthorized") == 0 || g_strcmp0 (name, "NotPermitted") == 0
         || (g_strcmp0 (name, "Failed") == 0
             && (strstr (error->message, "0x05") != NULL
                 || strstr (error->message, "0x0f") != NULL));
}

/* FALSE: the values are gone, the call with them. Else it counts as answered. */
static gboolean
answered (GObject *source, GAsyncResult *result, Call *call, GVariant **ret_answer,
          char **ret_error)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    call_free (call);
    return FALSE;
  }
  call->values->pending--;
  *ret_error = error != NULL ? bluez_error_name (error) : NULL;
  if (error != NULL && *ret_error == NULL)
    *ret_error = g_strdup ("Failed");
  if (error != NULL && is_about_bond (error, *ret_error))
    bluez_device_stale (call->values->device);
  *ret_answer = g_steal_pointer (&answer);
  return TRUE;
}

static void
subscribed (GObject *source, GAsyncResult *result, void *data)
{
  Call *call = data;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *error = NULL;
  if (!answered (source, result, call, &answer, &error))
    return;
  if (error != NULL && !g_str_equal (error, "InProgress"))
    g_hash_table_remove (call->values->subscribed, call->path);
  bluez_values_ask_records (call->values);
  call_free (call);
}

gboolean
bluez_values_is_notified (guint16 uuid)
{
  static const guint16 uuids[]
      = { GATT_BLOOD_PRESSURE, GATT_TEMPERATURE,     GATT_PLX_SPOT,      GATT_PLX_CONTINUOUS,
          GATT_GLUCOSE,        GATT_GLUCOSE_CONTEXT, GATT_RACP,          GATT_WEIGHT,
          GATT_HEART_RATE,     GATT_BATTERY,         GATT_NONIN_OXIMETRY };
  for (guint i = 0; i < G_N_ELEMENTS (uuids); i++)
    if (uuids[i] == uuid)
      return TRUE;
  return FALSE;
}

gboolean
bluez_values_any (BluezValues *values, const char *device_path)
{
  g_autofree char *prefix = g_strconcat (device_path, "/", NULL);
  g_autoptr (GPtrArray) paths = bluez_paths (values->bluez, BLUEZ_CHARACTERISTIC, prefix);
  for (guint i = 0; i < paths->len; i++) {
    guint16 uuid = bluez_values_uuid (values, paths->pdata[i]);
    if (bluez_values_is_notified (uuid) && uuid != GATT_BATTERY)
      return TRUE;
  }
  return FALSE;
}

/* A maker's own way beside the profile's says the same once more. */
static gboolean
is_said_by_another (const BluezValues *values, const char *device_path, guint16 uuid)
{
  g_autofree char *continuous = path_of (values, device_path, GATT_PLX_CONTINUOUS);
  return uuid == GATT_NONIN_OXIMETRY && continuous != NULL;
}

void
bluez_values_subscribe (BluezValues *values, const char *device_path)
{
  g_autofree char *prefix = g_strconcat (device_path, "/", NULL);
  g_autoptr (GPtrArray) paths = bluez_paths (values->bluez, BLUEZ_CHARACTERISTIC, prefix);
  for (guint i = 0; i < paths->len; i++) {
    const char *path = paths->pdata[i];
    guint16 uuid = bluez_values_uuid (values, path);
    if (!bluez_values_is_notified (uuid) || is_said_by_another (values, device_path, uuid)
        || g_hash_table_contains (values->subscribed, path)
        || (!has_flag (values, path, "notify") && !has_flag (values, path, "indicate")))
      continue;
    g_hash_table_add (values->subscribed, g_strdup (path));
    bluez_call (values->bluez, path, BLUEZ_CHARACTERISTIC, "StartNotify", NULL, CALL_TIMEOUT_MS,
                values->life, subscribed, call_new (values, path));
  }
}

void
bluez_values_write (BluezValues *values, const char *path, const guint8 *data, gsize length,
                    GAsyncReadyCallback done, void *arg)
{
  GVariantBuilder options;
  GVariant *bytes = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, length, 1);
  g_variant_builder_init (&options, G_VARIANT_TYPE ("a{sv}"));
  feed_raw (values->sink, FEED_TO_DEVICE, data, length);
  bluez_call (values->bluez, path, BLUEZ_CHARACTERISTIC, "WriteValue",
              g_variant_new ("(@aya{sv})", bytes, &options), CALL_TIMEOUT_MS, values->life, done,
              arg);
}

/* ---- Clock --------------------------------------------------------------------------------- */

static void
clock_written (GObject *source, GAsyncResult *result, void *data)
{
  Call *call = data;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *error = NULL;
  if (!answered (source, result, call, &answer, &error))
    return;
  if (error == NULL)
    call->values->clock_off_until_us = call->values->clock_read_us;
  bluez_values_ask_records (call->values);
  call_free (call);
}

static void
set_clock (BluezValues *values, const char *path, guint16 uuid)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  guint8 out[GATT_CURRENT_TIME_LENGTH];
  gsize length = uuid == GATT_CURRENT_TIME ? GATT_CURRENT_TIME_LENGTH : GATT_DATE_TIME_LENGTH;
  if (!has_flag (values, path, "write"))
    return;
  if (uuid == GATT_CURRENT_TIME)
    gatt_write_current_time (now, out);
  else
    gatt_write_date_time (now, out);
  bluez_values_write (values, path, out, length, clock_written, call_new (values, path));
}

/* What was known of a clock stays so once it has been set: the device's memory is dated by it. */
static void
take_clock (BluezValues *values, const char *path, guint16 uuid, const guint8 *data, gsize length)
{
  gint64 device_us = 0;
  gboolean usable = gatt_clock (data, length, NULL, &device_us);
  gint64 off_us = usable ? g_get_real_time () - device_us : 0;
  if (usable && ABS (off_us) <= CLOCK_NEAR_US)
    return;
  values->clock_off_us = off_us;
  values->clock_off_until_us = 0;
  values->clock_read_us = device_us;
  set_clock (values, path, uuid);
}

/* ---- Reading ------------------------------------------------------------------------------- */

static void
take_about (BluezValues *values, guint16 uuid, const guint8 *data, gsize length)
{
  const GattContext context = { 0 };
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify)observation_free);
  if (gatt_read (uuid, data, length, &context, found, NULL) && found->len > 0) {
    const Observation *o = found->pdata[0];
    values->events.about (o->code, o->text, values->events.arg);
  }
}

static void
take_read (BluezValues *values, const Call *call, const guint8 *data, gsize length)
{
  if (call->uuid == GATT_BATTERY)
    bluez_device_battery (values->device, gatt_battery (data, length));
  else if (call->uuid == GATT_CURRENT_TIME || call->uuid == GATT_DATE_TIME)
    take_clock (values, call->path, call->uuid, data, length);
  else
    take_about (values, call->uuid, data, length);
}

static void
value_read (GObject *source, GAsyncResult *result, void *data)
{
  Call *call = data;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *error = NULL;
  if (!answered (source, result, call, &answer, &error))
    return;
  if (answer != NULL && g_variant_is_of_type (answer, G_VARIANT_TYPE ("(ay)"))) {
    g_autoptr (GVariant) bytes = g_variant_get_child_value (answer, 0);
    gsize length = 0;
    const guint8 *at = g_variant_get_fixed_array (bytes, &length, 1);
    take_read (call->values, call, at, length);
  }
  bluez_values_ask_records (call->values);
  call_free (call);
}

static void
read_value (BluezValues *values, const char *device_path, guint16 uuid)
{
  GVariantBuilder options;
  g_autofree char *path = path_of (values, device_path, uuid);
  if (path == NULL || !has_flag (values, path, "read"))
    return;
  g_variant_builder_init (&options, G_VARIANT_TYPE ("a{sv}"));
  bluez_call (values->bluez, path, BLUEZ_CHARACTERISTIC, "ReadValue",
              g_variant_new ("(a{sv})", &options), CALL_TIMEOUT_MS, values->life, value_read,
              call_new (values, path));
}

/* ---- Life ---------------------------------------------------------------------------------- */

void
bluez_values_begin (BluezValues *values, const char *device_path)
{
  static const guint16 read[]
      = { GATT_CURRENT_TIME, GATT_DATE_TIME, GATT_BATTERY, GATT_MANUFACTURER,
          GATT_MODEL,        GATT_FIRMWARE,  GATT_PNP_ID };
  values->accepted = -1;
  values->unasked = TRUE;
  g_free (values->racp_path);
  values->racp_path = path_of (values, device_path, GATT_RACP);
  bluez_values_subscribe (values, device_path);
  for (guint i = 0; i < G_N_ELEMENTS (read); i++)
    read_value (values, device_path, read[i]);
  bluez_values_ask_records (values);
}

void
bluez_values_end (BluezValues *values)
{
  g_clear_handle_id (&values->racp_timer, g_source_remove);
  g_clear_pointer (&values->racp_path, g_free);
  racp_gone (&values->records);
}

void
bluez_values_reset (BluezValues *values)
{
  g_cancellable_cancel (values->life);
  g_object_unref (values->life);
  values->life = g_cancellable_new ();
  values->pending = 0;
  g_hash_table_remove_all (values->subscribed);
}

BluezValues *
bluez_values_new (Bluez *bluez, BluezDevice *device, const FeedSink *sink, int last_record,
                  const BluezDeviceEvents *events)
{
  BluezValues *values = g_new0 (BluezValues, 1);
  values->bluez = bluez;
  values->device = device;
  values->sink = sink;
  values->events = *events;
  values->life = g_cancellable_new ();
  values->subscribed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  values->records.known = last_record >= 0;
  values->records.last = (guint16)MAX (last_record, 0);
  values->accepted = -1;
  return values;
}

void
bluez_values_free (BluezValues *values)
{
  g_cancellable_cancel (values->life);
  g_object_unref (values->life);
  g_clear_handle_id (&values->racp_timer, g_source_remove);
  g_hash_table_unref (values->subscribed);
  g_queue_clear (&values->seen);
  g_free (values->racp_path);
  g_free (values);
}
