/* One paired device: connected to whenever it is heard, and what people are told about it. */
#include "media/devices/bluez_private.h"
#include <string.h>

#define CONNECT_TIMEOUT_MS 40000
/* Between two tries, so that a device that refuses does not keep the radio busy. */
#define PAUSE_US (G_USEC_PER_SEC)
/* A cuff that has told everything goes to sleep only if it is left alone. */
#define SLEEP_US (3 * G_USEC_PER_SEC)
/* What refused stays tried, once in a while: it may have been paired anew. */
#define STALE_US (30 * G_USEC_PER_SEC)
/* So many connections in a row that end before services are there: the bond is not the device's. */
#define STALE_AFTER 3
#define BATTERY_LOW 15
#define SIGNAL_WEAK (-90)

struct BluezDevice {
  Bluez *bluez;
  char *address, *kind;
  FeedSink sink;
  BluezValues *values;
  GCancellable *life;

  gboolean connecting, connected, resolved;
  gboolean was_live; /* since bluez_device_new() */
  gboolean stale, unpaired;
  gboolean empty;    /* connected, but without anything that measures */
  guint short_lived; /* connections in a row that came to nothing */
  gint64 tried_us;
  guint again;
  int battery;

  FeedState state;
  const char *said_vi;
  int said_battery;
};

const char *
bluez_device_address (const BluezDevice *device)
{
  return device->address;
}

gboolean
bluez_device_connected (const BluezDevice *device)
{
  return device->connected;
}

/* ---- What people are told ------------------------------------------------------------------ */

typedef struct {
  FeedState state;
  const char *vi, *en;
} Word;

/* A cuff or a scale sleeps between two measurements; an oximeter on a finger does not. */
static gboolean
is_continuous (const BluezDevice *device)
{
  return g_str_equal (device->kind, "oximeter") || g_str_equal (device->kind, "heart-rate");
}

static Word
word_of_adapter (const BluezDevice *device)
{
  static const Word words[] = {
    [BLUEZ_NO_BUS] = { FEED_SEARCHING, "Máy tính này không có Bluetooth (không có D-Bus).",
                       "This machine has no Bluetooth (no D-Bus)." },
    [BLUEZ_NO_DAEMON]
    = { FEED_SEARCHING, "Dịch vụ Bluetooth chưa chạy. Trạm tự nối lại khi dịch vụ chạy.",
        "The Bluetooth service does not run. The station goes on when it does." },
    [BLUEZ_NO_ADAPTER] = { FEED_SEARCHING, "Không thấy bộ thu Bluetooth: hãy cắm lại.",
                           "There is no Bluetooth adapter: plug it in again." },
    [BLUEZ_BLOCKED]
    = { FEED_SEARCHING, "Bluetooth bị khóa: tắt chế độ máy bay hoặc gạt công tắc không dây.",
        "Bluetooth is blocked: end aeroplane mode, or turn the wireless switch." },
    [BLUEZ_OFF] = { FEED_SEARCHING, "Bluetooth đang tắt; trạm đang bật lại.",
                    "Bluetooth is off; the station is switching it on." },
  };
  Word word = words[device->bluez->state];
  if (device->was_live && is_continuous (device))
    word.state = FEED_LOST;
  return word;
}

static Word
word_of_live (const BluezDevice *device)
{
  if (device->battery >= 0 && device->battery <= BATTERY_LOW)
    return (Word){ FEED_LIVE, "Pin của máy đo sắp hết.", "The device's battery is nearly empty." };
  return (Word){ FEED_LIVE, NULL, NULL };
}

static gboolean
is_faint (const BluezDevice *device)
{
  g_autofree char *path = bluez_device_path (device->bluez, device->address);
  g_autoptr (GVariant) rssi = bluez_property (device->bluez, path, BLUEZ_DEVICE, "RSSI");
  return rssi != NULL && g_variant_is_of_type (rssi, G_VARIANT_TYPE_INT16)
         && g_variant_get_int16 (rssi) < SIGNAL_WEAK;
}

static Word
word_of_absent (const BluezDevice *device)
{
  if (is_faint (device))
    return (Word){ device->was_live ? FEED_LOST : FEED_SEARCHING,
                   "Sóng quá yếu: mang máy đo lại gần máy tính.",
                   "The signal is too weak: bring the device nearer." };
  if (!is_continuous (device))
    return (Word){ FEED_SEARCHING, "Máy đo đang nghỉ; số đo tự đến khi đo.",
                   "The device sleeps; its readings come by themselves when it measures." };
  if (device->was_live)
    return (Word){ FEED_LOST, "Máy đo ở ngoài tầm hoặc đã tắt; trạm tự nối lại.",
                   "The device is out of range or off; the station connects again by itself." };
  return (Word){ FEED_SEARCHING, "Đang tìm máy đo: hãy bật máy, để gần máy tính.",
                 "Looking for the device: switch it on, near the computer." };
}

static Word
word_of (const BluezDevice *device)
{
  if (device->bluez->state != BLUEZ_READY)
    return word_of_adapter (device);
  if (device->stale)
    return (Word){ FEED_FAILED,
                   "Máy đo không còn nhận ghép đôi này: xóa ghép đôi trên máy đo rồi ghép lại.",
                   "The device no longer accepts this pairing: delete the pairing on the device, "
                   "then pair again." };
  if (device->unpaired)
    return (Word){ FEED_FAILED, "Máy tính không còn ghép đôi với máy đo này: hãy ghép lại.",
                   "This computer is no longer paired with the device: pair again." };
  if (device->resolved && device->empty)
    return (Word){ FEED_FAILED, "Máy tính nhớ sai dịch vụ của máy đo: bỏ ghép đôi rồi ghép lại.",
                   "What this computer remembers of the device is out of date: forget it, then "
                   "pair again." };
  return device->resolved ? word_of_live (device) : word_of_absent (device);
}

static void
say (BluezDevice *device)
{
  Word word = word_of (device);
  if (word.state == device->state && word.vi == device->said_vi
      && device->battery == device->said_battery)
    return;
  device->state = word.state;
  device->said_vi = word.vi;
  device->said_battery = device->battery;
  feed_state (&device->sink, word.state, word.vi, word.en, device->battery);
}

void
bluez_device_battery (BluezDevice *device, int percent)
{
  device->battery = percent;
  say (device);
}

void
bluez_device_stale (BluezDevice *device)
{
  if (!device->stale)
    g_message ("bluetooth: event=stale-bond");
  device->stale = TRUE;
  say (device);
}

/* ---- Connection ---------------------------------------------------------------------------- */

static gboolean
try_again (void *data)
{
  BluezDevice *device = data;
  device->again = 0;
  bluez_device_heard (device);
  return G_SOURCE_REMOVE;
}

static gboolean
is_about_bond (const char *name)
{
  static const char *const names[]
      = { "AuthenticationFailed", "AuthenticationRejected", "NotAuthorized", "NotPermitted", NULL };
  return name != NULL && g_strv_contains (names, name);
}

static void
connect_finished (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  BluezDevice *device = data;
  g_autofree char *name = error != NULL ? bluez_error_name (error) : NULL;
  device->connecting = FALSE;
  if (is_about_bond (name))
    bluez_device_stale (device);
  bluez_device_update (device);
}

void
bluez_device_heard (BluezDevice *device)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *path = bluez_device_path (device->bluez, device->address);
  if (path == NULL || device->connecting || device->connected || device->unpaired
      || device->bluez->state != BLUEZ_READY)
    return;
  gint64 pause = device->stale ? STALE_US : is_continuous (device) ? PAUSE_US : SLEEP_US;
  if (device->tried_us != 0 && now - device->tried_us < pause) {
    if (device->again == 0)
      device->again
          = g_timeout_add ((guint)((device->tried_us + pause - now) / 1000) + 1, try_again, device);
    return;
  }
  device->tried_us = now;
  device->connecting = TRUE;
  bluez_call (device->bluez, path, BLUEZ_DEVICE, "Connect", NULL, CONNECT_TIMEOUT_MS, device->life,
              connect_finished, device);
}

/* ---- Following BlueZ ----------------------------------------------------------------------- */

static void
gone (BluezDevice *device)
{
  gboolean was_resolved = device->resolved;
  device->connected = device->resolved = FALSE;
  device->tried_us = g_get_monotonic_time ();
  bluez_values_end (device->values);
  if (was_resolved)
    bluez_scan_hurry (device->bluez->scan);
  else if (!is_faint (device) && ++device->short_lived >= STALE_AFTER)
    bluez_device_stale (device);
}

static void
begin (BluezDevice *device, const char *path)
{
  device->resolved = TRUE;
  device->was_live = TRUE;
  device->short_lived = 0;
  device->stale = FALSE;
  bluez_values_begin (device->values, path);
}

/* A bluetoothd that went took its connections along. */
void
bluez_device_reset (BluezDevice *device)
{
  if (device->connected)
    gone (device);
  device->short_lived = 0;
  device->tried_us = 0;
  device->connecting = FALSE;
  g_cancellable_cancel (device->life);
  g_object_unref (device->life);
  device->life = g_cancellable_new ();
  bluez_values_reset (device->values);
}

/* BlueZ keeps the battery service for itself and says what it learned there. */
static void
take_battery (BluezDevice *device, const char *path)
{
  g_autoptr (GVariant) percent
      = bluez_property (device->bluez, path, "org.bluez.Battery1", "Percentage");
  if (percent != NULL && g_variant_is_of_type (percent, G_VARIANT_TYPE_BYTE))
    device->battery = MIN (g_variant_get_byte (percent), 100);
}

void
bluez_device_update (BluezDevice *device)
{
  Bluez *bluez = device->bluez;
  g_autofree char *path = bluez->owner != NULL ? bluez_device_path (bluez, device->address) : NULL;
  gboolean connected = bluez_flag (bluez, path, BLUEZ_DEVICE, "Connected");
  gboolean resolved = connected && bluez_flag (bluez, path, BLUEZ_DEVICE, "ServicesResolved");
  device->unpaired = path != NULL && !bluez_flag (bluez, path, BLUEZ_DEVICE, "Paired");
  take_battery (device, path);
  if (path != NULL && !device->unpaired)
    bluez_values_subscribe (device->values, path);
  if (device->connected && !connected)
    gone (device);
  device->connected = connected;
  if (resolved && !device->resolved)
    begin (device, path);
  device->empty = device->resolved && !bluez_values_any (device->values, path);
  say (device);
}

void
bluez_device_changed (BluezDevice *device, const char *path, const char *interface,
                      GVariant *changed)
{
  if (g_str_equal (interface, BLUEZ_CHARACTERISTIC)) {
    g_autoptr (GVariant) value
        = g_variant_lookup_value (changed, "Value", G_VARIANT_TYPE_BYTESTRING);
    if (value != NULL)
      bluez_values_take (device->values, path, value);
    return;
  }
  g_autoptr (GVariant) rssi = g_variant_lookup_value (changed, "RSSI", G_VARIANT_TYPE_INT16);
  if (rssi != NULL && g_str_equal (interface, BLUEZ_DEVICE))
    bluez_device_heard (device);
}

/* ---- Life ---------------------------------------------------------------------------------- */

BluezDevice *
bluez_device_new (Bluez *bluez, const char *address, const char *kind, int last_record,
                  const FeedSink *sink, const BluezDeviceEvents *events)
{
  BluezDevice *device = g_new0 (BluezDevice, 1);
  device->bluez = bluez;
  device->address = g_strdup (address);
  device->kind = g_strdup (kind);
  device->sink = *sink;
  device->life = g_cancellable_new ();
  device->battery = -1;
  device->said_battery = -2;
  device->values = bluez_values_new (bluez, device, &device->sink, last_record, events);
  g_ptr_array_add (bluez->devices, device);
  bluez_scan_hurry (bluez->scan);
  bluez_device_update (device);
  bluez_device_heard (device);
  return device;
}

void
bluez_device_free (BluezDevice *device)
{
  g_autofree char *path = bluez_device_path (device->bluez, device->address);
  if (path != NULL && device->connected && device->bluez->owner != NULL)
    bluez_call (device->bluez, path, BLUEZ_DEVICE, "Disconnect", NULL, 5000, NULL, NULL, NULL);
  g_ptr_array_remove (device->bluez->devices, device);
  g_cancellable_cancel (device->life);
  g_object_unref (device->life);
  g_clear_handle_id (&device->again, g_source_remove);
  bluez_values_free (device->values);
  g_free (device->address);
  g_free (device->kind);
  g_free (device);
}
