/* Hearing advertisements. BlueZ's AdvertisementMonitor listens passively, where this bluetoothd has
 * it; else discovery by our services' UUIDs, some seconds of every ten, and without a break while a
 * person searches or a device has just gone. */
#include "media/devices/bluez_private.h"
#include "media/devices/gatt.h"

#define SEARCH_US (2 * G_TIME_SPAN_MINUTE)
#define HURRY_US (2 * G_TIME_SPAN_MINUTE)
#define LOOK_SECONDS 4
#define REST_SECONDS 6

#define MONITOR_MANAGER "org.bluez.AdvertisementMonitorManager1"
#define MONITOR_ROOT "/vn/nhipcau/monitor"
#define MONITOR_PATH MONITOR_ROOT "/health"

struct BluezScan {
  Bluez *bluez;
  gint64 search_until_us, hurry_until_us; /* monotonic */
  gboolean discovering;                   /* StartDiscovery was said and holds */
  gboolean asked;                         /* an answer is awaited */
  gboolean resting;
  guint timer;
  gboolean monitoring, monitor_tried;
  guint root_id, monitor_id; /* of our objects on the bus; 0: none */
  GDBusConnection *exported_on;
};

/* ---- The passive way ----------------------------------------------------------------------- */

static const char MONITOR_XML[]
    = "<node>"
      "<interface name='org.freedesktop.DBus.ObjectManager'>"
      "<method name='GetManagedObjects'>"
      "<arg type='a{oa{sa{sv}}}' direction='out'/></method></interface>"
      "<interface name='org.bluez.AdvertisementMonitor1'>"
      "<method name='Release'/><method name='Activate'/>"
      "<method name='DeviceFound'><arg type='o' direction='in'/></method>"
      "<method name='DeviceLost'><arg type='o' direction='in'/></method>"
      "<property name='Type' type='s' access='read'/>"
      "<property name='Patterns' type='a(yyay)' access='read'/>"
      "</interface></node>";

/* Incomplete and complete lists of 16-bit and of 128-bit UUIDs (Core Supplement, A 1.1); a short
 * one of ours may stand first, second or third in its list, for a second long one there is no room.
 */
static GVariant *
patterns (void)
{
  static const guint8 brief[] = { 0x02, 0x03 }, whole[] = { 0x06, 0x07 };
  const char *const *uuids = gatt_service_uuids ();
  GVariantBuilder list;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(yyay)"));
  for (guint i = 0; uuids[i] != NULL; i++) {
    guint8 bytes[GATT_ADVERTISED_MAX];
    gsize length = gatt_service_advertised (uuids[i], bytes);
    const guint8 *types = length == 2 ? brief : whole;
    for (guint8 at = 0; at <= (length == 2 ? 4 : 0); at += 2)
      for (guint t = 0; t < G_N_ELEMENTS (brief); t++) {
        GVariant *content = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, length, 1);
        g_variant_builder_add (&list, "(yy@ay)", at, types[t], content);
      }
  }
  return g_variant_builder_end (&list);
}

static GVariant *
monitor_property (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                  const char *name, GError **error, void *data)
{
  return g_str_equal (name, "Type") ? g_variant_new_string ("or_patterns") : patterns ();
}

static GVariant *
monitor_objects (void)
{
  GVariantBuilder properties, interfaces, objects;
  g_variant_builder_init (&properties, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&properties, "{sv}", "Type", g_variant_new_string ("or_patterns"));
  g_variant_builder_add (&properties, "{sv}", "Patterns", patterns ());
  g_variant_builder_init (&interfaces, G_VARIANT_TYPE ("a{sa{sv}}"));
  g_variant_builder_add (&interfaces, "{sa{sv}}", "org.bluez.AdvertisementMonitor1", &properties);
  g_variant_builder_init (&objects, G_VARIANT_TYPE ("a{oa{sa{sv}}}"));
  g_variant_builder_add (&objects, "{oa{sa{sv}}}", MONITOR_PATH, &interfaces);
  return g_variant_new ("(a{oa{sa{sv}}})", &objects);
}

static void
device_found (Bluez *bluez, GVariant *parameters)
{
  const char *path;
  g_variant_get (parameters, "(&o)", &path);
  for (guint i = 0; i < bluez->devices->len; i++) {
    g_autofree char *own
        = bluez_device_path (bluez, bluez_device_address (bluez->devices->pdata[i]));
    if (g_strcmp0 (own, path) == 0)
      bluez_device_heard (bluez->devices->pdata[i]);
  }
  bluez_changed (bluez);
}

static void
monitor_called (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                const char *method, GVariant *parameters, GDBusMethodInvocation *call, void *data)
{
  BluezScan *scan = data;
  if (g_strcmp0 (sender, scan->bluez->owner) != 0) {
    g_dbus_method_invocation_return_dbus_error (call, "org.bluez.Error.Rejected", "not bluetoothd");
    return;
  }
  if (g_str_equal (method, "GetManagedObjects")) {
    g_dbus_method_invocation_return_value (call, monitor_objects ());
    return;
  }
  if (g_str_equal (method, "DeviceFound"))
    device_found (scan->bluez, parameters);
  else if (g_str_equal (method, "Release"))
    scan->monitoring = FALSE;
  g_dbus_method_invocation_return_value (call, NULL);
}

static void
export_monitor (BluezScan *scan)
{
  static const GDBusInterfaceVTable table
      = { .method_call = monitor_called, .get_property = monitor_property };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (MONITOR_XML, NULL);
  if (scan->exported_on == scan->bluez->bus)
    return;
  g_set_object (&scan->exported_on, scan->bluez->bus);
  scan->root_id = g_dbus_connection_register_object (scan->bluez->bus, MONITOR_ROOT,
                                                     node->interfaces[0], &table, scan, NULL, NULL);
  scan->monitor_id = g_dbus_connection_register_object (
      scan->bluez->bus, MONITOR_PATH, node->interfaces[1], &table, scan, NULL, NULL);
}

static void
monitor_registered (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  BluezScan *scan = data;
  scan->monitoring = error == NULL;
  if (error != NULL)
    g_message ("bluetooth: event=no-monitor: %s", error->message);
  bluez_scan_update (scan);
}

static void
try_monitor (BluezScan *scan)
{
  Bluez *bluez = scan->bluez;
  g_autoptr (GVariant) types
      = bluez_property (bluez, bluez->adapter, MONITOR_MANAGER, "SupportedMonitorTypes");
  if (scan->monitor_tried || types == NULL
      || !g_variant_is_of_type (types, G_VARIANT_TYPE_STRING_ARRAY))
    return;
  scan->monitor_tried = TRUE;
  export_monitor (scan);
  bluez_call (bluez, bluez->adapter, MONITOR_MANAGER, "RegisterMonitor",
              g_variant_new ("(o)", MONITOR_ROOT), 5000, bluez->owner_life, monitor_registered,
              scan);
}

/* ---- The active way ------------------------------------------------------------------------ */

static void
discovery_done (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  BluezScan *scan = data;
  g_autofree char *name = error != NULL ? bluez_error_name (error) : NULL;
  scan->asked = FALSE;
  /* InProgress: it is running already. */
  if (error != NULL && scan->discovering && g_strcmp0 (name, "InProgress") != 0)
    scan->discovering = FALSE;
}

static void
start_discovery (BluezScan *scan)
{
  Bluez *bluez = scan->bluez;
  GVariantBuilder filter;
  g_variant_builder_init (&filter, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&filter, "{sv}", "Transport", g_variant_new_string ("le"));
  g_variant_builder_add (&filter, "{sv}", "UUIDs", g_variant_new_strv (gatt_service_uuids (), -1));
  bluez_call (bluez, bluez->adapter, BLUEZ_ADAPTER, "SetDiscoveryFilter",
              g_variant_new ("(a{sv})", &filter), 5000, bluez->owner_life, NULL, NULL);
  bluez_call (bluez, bluez->adapter, BLUEZ_ADAPTER, "StartDiscovery", NULL, 5000, bluez->owner_life,
              discovery_done, scan);
  scan->asked = scan->discovering = TRUE;
}

static void
stop_discovery (BluezScan *scan)
{
  Bluez *bluez = scan->bluez;
  bluez_call (bluez, bluez->adapter, BLUEZ_ADAPTER, "StopDiscovery", NULL, 5000, bluez->owner_life,
              discovery_done, scan);
  scan->asked = TRUE;
  scan->discovering = FALSE;
}

static gboolean
anybody_missing (const Bluez *bluez)
{
  for (guint i = 0; i < bluez->devices->len; i++)
    if (!bluez_device_connected (bluez->devices->pdata[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_wanted (const BluezScan *scan)
{
  gint64 now = g_get_monotonic_time ();
  if (scan->bluez->state != BLUEZ_READY)
    return FALSE;
  if (now < scan->search_until_us)
    return TRUE;
  if (scan->monitoring || !anybody_missing (scan->bluez))
    return FALSE;
  return now < scan->hurry_until_us || !scan->resting;
}

void
bluez_scan_update (BluezScan *scan)
{
  gboolean wanted = is_wanted (scan);
  if (scan->bluez->state == BLUEZ_READY)
    try_monitor (scan);
  if (scan->asked || wanted == scan->discovering)
    return;
  if (wanted)
    start_discovery (scan);
  else if (scan->bluez->state == BLUEZ_READY)
    stop_discovery (scan);
  else
    scan->discovering = FALSE;
}

static gboolean
turn (void *data)
{
  BluezScan *scan = data;
  scan->resting = !scan->resting;
  scan->timer = g_timeout_add_seconds (scan->resting ? REST_SECONDS : LOOK_SECONDS, turn, scan);
  bluez_scan_update (scan);
  if (scan->search_until_us != 0 && g_get_monotonic_time () >= scan->search_until_us) {
    scan->search_until_us = 0;
    bluez_changed (scan->bluez);
  }
  return G_SOURCE_REMOVE;
}

void
bluez_scan_search (BluezScan *scan, gboolean on)
{
  scan->search_until_us = on ? g_get_monotonic_time () + SEARCH_US : 0;
  bluez_scan_update (scan);
  bluez_changed (scan->bluez);
}

gboolean
bluez_scan_searching (const BluezScan *scan)
{
  return g_get_monotonic_time () < scan->search_until_us;
}

void
bluez_scan_hurry (BluezScan *scan)
{
  scan->hurry_until_us = g_get_monotonic_time () + HURRY_US;
  bluez_scan_update (scan);
}

void
bluez_scan_reset (BluezScan *scan)
{
  scan->discovering = scan->asked = FALSE;
  scan->monitoring = scan->monitor_tried = FALSE;
}

BluezScan *
bluez_scan_new (Bluez *bluez)
{
  BluezScan *scan = g_new0 (BluezScan, 1);
  scan->bluez = bluez;
  scan->timer = g_timeout_add_seconds (LOOK_SECONDS, turn, scan);
  return scan;
}

void
bluez_scan_free (BluezScan *scan)
{
  if (scan->exported_on != NULL) {
    g_dbus_connection_unregister_object (scan->exported_on, scan->root_id);
    g_dbus_connection_unregister_object (scan->exported_on, scan->monitor_id);
  }
  g_clear_object (&scan->exported_on);
  g_source_remove (scan->timer);
  g_free (scan);
}

void
bluez_search (Bluez *bluez, gboolean on)
{
  bluez_scan_search (bluez->scan, on);
}

gboolean
bluez_is_searching (const Bluez *bluez)
{
  return bluez_scan_searching (bluez->scan);
}
