/* What the characteristics of one device say: records of its memory, readings. */
#include "media/devices/bluez_values.h"
#include "media/devices/gatt.h"

/* What is asked for by RACP ends within so long of the last record (GLP 4.4, 30 s). */
#define RACP_SECONDS 30
#define SEEN_MAX 64

/* ---- Records ------------------------------------------------------------------------------- */

static gboolean
racp_overdue (void *data)
{
  BluezValues *values = data;
  guint8 out[RACP_REQUEST_MAX];
  values->racp_timer = 0;
  racp_gone (&values->records);
  if (values->racp_path != NULL)
    bluez_values_write (values, values->racp_path, out, racp_write (RACP_ABORT, 0, out), NULL,
                        NULL);
  return G_SOURCE_REMOVE;
}

static void
wait_for_records (BluezValues *values)
{
  g_clear_handle_id (&values->racp_timer, g_source_remove);
  if (values->records.busy)
    values->racp_timer = g_timeout_add_seconds (RACP_SECONDS, racp_overdue, values);
}

static void
write_racp (BluezValues *values, const guint8 *out, gsize length)
{
  if (length > 0)
    bluez_values_write (values, values->racp_path, out, length, NULL, NULL);
  wait_for_records (values);
}

/* Once everything before it is answered: a request before its subscriptions would be refused. */
void
bluez_values_ask_records (BluezValues *values)
{
  guint8 out[RACP_REQUEST_MAX];
  if (values->racp_path == NULL || values->pending > 0 || values->records.busy || !values->unasked)
    return;
  values->unasked = FALSE;
  write_racp (values, out, racp_ask (&values->records, out));
}

static void
take_racp (BluezValues *values, const guint8 *data, gsize length)
{
  guint8 out[RACP_REQUEST_MAX];
  RacpAnswer answer;
  if (values->racp_path != NULL && racp_read (data, length, &answer))
    write_racp (values, out, racp_answered (&values->records, &answer, out));
}

/* FALSE: a record that has come before, or a context of one. */
static gboolean
is_new_record (BluezValues *values, guint16 uuid, const guint8 *data, gsize length)
{
  if (length < 3 || (uuid != GATT_GLUCOSE && uuid != GATT_GLUCOSE_CONTEXT))
    return TRUE;
  guint16 sequence = (guint16)(data[1] | data[2] << 8);
  if (uuid == GATT_GLUCOSE_CONTEXT)
    return sequence == values->accepted;
  gboolean fresh = racp_record (&values->records, sequence);
  values->accepted = fresh ? sequence : -1;
  wait_for_records (values);
  return fresh;
}

/* ---- Values -------------------------------------------------------------------------------- */

/* A cuff that heard no confirmation sends its measurement again; with the device's own time in it
 * the same bytes are the same measurement. */
static gboolean
is_repeated (BluezValues *values, guint16 uuid, const Observation *first, const guint8 *data,
             gsize length)
{
  if (first->device_time == NULL || first->time_source != OBS_TIME_DEVICE_LOCAL)
    return FALSE;
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  void *hash = GUINT_TO_POINTER (g_bytes_hash (bytes) * 31 + uuid);
  if (g_queue_find (&values->seen, hash) != NULL)
    return TRUE;
  g_queue_push_tail (&values->seen, hash);
  if (values->seen.length > SEEN_MAX)
    g_queue_pop_head (&values->seen);
  return FALSE;
}

static void
take_measurement (BluezValues *values, guint16 uuid, const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  gboolean record = uuid == GATT_GLUCOSE || uuid == GATT_GLUCOSE_CONTEXT;
  const GattContext context = { .now_us = g_get_real_time (),
                                .device = bluez_device_address (values->device),
                                .clock_off_us = values->clock_off_us,
                                .clock_off_until_us = values->clock_off_until_us,
                                .stored = record };
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  if (!is_new_record (values, uuid, data, length))
    return;
  if (!gatt_read (uuid, data, length, &context, found, &error)) {
    g_warning ("bluetooth: event=bad-value: %s", error->message);
    return;
  }
  gboolean repeated
      = found->len > 0 && !record && is_repeated (values, uuid, found->pdata[0], data, length);
  for (guint i = 0; i < found->len; i++) {
    if (repeated)
      observation_free (found->pdata[i]);
    else
      feed_observation (values->sink, found->pdata[i]);
  }
  if (uuid == GATT_GLUCOSE)
    values->events.record (values->records.last, values->events.arg);
}

static void
say_raw (BluezValues *values, guint16 uuid, const guint8 *data, gsize length)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  const guint8 head[] = { (guint8)(uuid & 0xFF), (guint8)(uuid >> 8) };
  g_byte_array_append (bytes, head, sizeof head);
  g_byte_array_append (bytes, data, (guint)length);
  feed_raw (values->sink, FEED_FROM_DEVICE, bytes->data, bytes->len);
}

void
bluez_values_take (BluezValues *values, const char *path, GVariant *bytes)
{
  gsize length = 0;
  const guint8 *data = g_variant_get_fixed_array (bytes, &length, 1);
  guint16 uuid = bluez_values_uuid (values, path);
  if (!bluez_values_is_notified (uuid))
    return;
  say_raw (values, uuid, data, length);
  if (uuid == GATT_BATTERY)
    bluez_device_battery (values->device, gatt_battery (data, length));
  else if (uuid == GATT_RACP)
    take_racp (values, data, length);
  else
    take_measurement (values, uuid, data, length);
}
