#include "media/devices/bluez_private.h"
#include <string.h>

#define RETRY_SECONDS 2

static void bus_connect (Bluez *bluez);

/* ---- Looking things up --------------------------------------------------------------------- */

GVariant *
bluez_property (const Bluez *bluez, const char *path, const char *interface, const char *name)
{
  if (bluez->manager == NULL || path == NULL)
    return NULL;
  g_autoptr (GDBusInterface) found
      = g_dbus_object_manager_get_interface (bluez->manager, path, interface);
  return found != NULL ? g_dbus_proxy_get_cached_property (G_DBUS_PROXY (found), name) : NULL;
}

gboolean
bluez_flag (const Bluez *bluez, const char *path, const char *interface, const char *name)
{
  g_autoptr (GVariant) value = bluez_property (bluez, path, interface, name);
  return value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN)
         && g_variant_get_boolean (value);
}

static int
compare_paths (const void *a, const void *b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

GPtrArray *
bluez_paths (const Bluez *bluez, const char *interface, const char *prefix)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  GList *objects
      = bluez->manager != NULL ? g_dbus_object_manager_get_objects (bluez->manager) : NULL;
  for (GList *at = objects; at != NULL; at = at->next) {
    const char *path = g_dbus_object_get_object_path (at->data);
    g_autoptr (GDBusInterface) found = g_dbus_object_get_interface (at->data, interface);
    if (found != NULL && g_str_has_prefix (path, prefix))
      g_ptr_array_add (paths, g_strdup (path));
  }
  g_list_free_full (objects, g_object_unref);
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}

char *
bluez_device_path (const Bluez *bluez, const char *address)
{
  g_autoptr (GPtrArray) paths = bluez_paths (bluez, BLUEZ_DEVICE, "/");
  for (guint i = 0; i < paths->len; i++) {
    g_autoptr (GVariant) value = bluez_property (bluez, paths->pdata[i], BLUEZ_DEVICE, "Address");
    if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
        && g_ascii_strcasecmp (g_variant_get_string (value, NULL), address) == 0)
      return g_strdup (paths->pdata[i]);
  }
  return NULL;
}

void
bluez_call (Bluez *bluez, const char *path, const char *interface, const char *method,
            GVariant *parameters, int timeout_ms, GCancellable *cancellable,
            GAsyncReadyCallback done, void *arg)
{
  g_dbus_connection_call (bluez->bus, BLUEZ_NAME, path, interface, method, parameters, NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, timeout_ms, cancellable, done, arg);
}

char *
bluez_error_name (const GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  const char *last = name != NULL ? strrchr (name, '.') : NULL;
  return last != NULL ? g_strdup (last + 1) : NULL;
}

/* ---- State --------------------------------------------------------------------------------- */

static gboolean
say_changed (void *data)
{
  Bluez *bluez = data;
  bluez->changed_source = 0;
  bluez->changed (bluez->changed_arg);
  return G_SOURCE_REMOVE;
}

void
bluez_changed (Bluez *bluez)
{
  if (bluez->changed_source == 0)
    bluez->changed_source = g_idle_add (say_changed, bluez);
}

static void
powered (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  Bluez *bluez = data;
  g_autofree char *name = error != NULL ? bluez_error_name (error) : NULL;
  bluez->blocked = g_strcmp0 (name, "Blocked") == 0 || g_strcmp0 (name, "Failed") == 0;
  bluez_update (bluez);
}

static void
power_on (Bluez *bluez)
{
  bluez_call (bluez, bluez->adapter, "org.freedesktop.DBus.Properties", "Set",
              g_variant_new ("(ssv)", BLUEZ_ADAPTER, "Powered", g_variant_new_boolean (TRUE)), 5000,
              bluez->owner_life, powered, bluez);
}

static gboolean
adapter_is_blocked (const Bluez *bluez)
{
  g_autoptr (GVariant) power = bluez_property (bluez, bluez->adapter, BLUEZ_ADAPTER, "PowerState");
  return bluez->blocked
         || (power != NULL && g_variant_is_of_type (power, G_VARIANT_TYPE_STRING)
             && g_str_equal (g_variant_get_string (power, NULL), "off-blocked"));
}

static BluezState
state_now (const Bluez *bluez)
{
  if (bluez->bus == NULL)
    return BLUEZ_NO_BUS;
  if (bluez->owner == NULL)
    return BLUEZ_NO_DAEMON;
  if (bluez->adapter == NULL)
    return BLUEZ_NO_ADAPTER;
  if (bluez_flag (bluez, bluez->adapter, BLUEZ_ADAPTER, "Powered"))
    return BLUEZ_READY;
  return adapter_is_blocked (bluez) ? BLUEZ_BLOCKED : BLUEZ_OFF;
}

/* Another bluetoothd, or none: nothing that was said to the old one holds. */
static void
follow_owner (Bluez *bluez)
{
  g_autofree char *owner = bluez->manager != NULL ? g_dbus_object_manager_client_get_name_owner (
                               G_DBUS_OBJECT_MANAGER_CLIENT (bluez->manager))
                                                  : NULL;
  if (g_strcmp0 (owner, bluez->owner) == 0)
    return;
  g_cancellable_cancel (bluez->owner_life);
  g_object_unref (bluez->owner_life);
  bluez->owner_life = g_cancellable_new ();
  g_free (bluez->owner);
  bluez->owner = g_steal_pointer (&owner);
  bluez->blocked = FALSE;
  g_clear_pointer (&bluez->adapter, g_free);
  bluez_scan_reset (bluez->scan);
  for (guint i = 0; i < bluez->devices->len; i++)
    bluez_device_reset (bluez->devices->pdata[i]);
  bluez_pairing_reset (bluez->pairing, bluez->owner != NULL);
}

static void
follow_adapter (Bluez *bluez)
{
  g_autoptr (GPtrArray) adapters = bluez_paths (bluez, BLUEZ_ADAPTER, "/");
  for (guint i = 0; i < adapters->len; i++)
    if (g_strcmp0 (adapters->pdata[i], bluez->adapter) == 0)
      return;
  g_free (bluez->adapter);
  bluez->adapter = adapters->len > 0 ? g_strdup (adapters->pdata[0]) : NULL;
  bluez->blocked = FALSE;
  bluez_scan_reset (bluez->scan);
}

void
bluez_update (Bluez *bluez)
{
  BluezState before = bluez->state;
  follow_owner (bluez);
  follow_adapter (bluez);
  bluez->state = state_now (bluez);
  if (bluez->state == BLUEZ_OFF && before != BLUEZ_OFF)
    power_on (bluez);
  for (guint i = 0; i < bluez->devices->len; i++)
    bluez_device_update (bluez->devices->pdata[i]);
  bluez_scan_update (bluez->scan);
  if (bluez->state != before)
    g_message ("bluetooth: event=state state=%d", bluez->state);
  bluez_changed (bluez);
}

BluezState
bluez_state (const Bluez *bluez)
{
  return bluez->state;
}

/* ---- What BlueZ says ----------------------------------------------------------------------- */

static void
object_changed (GDBusObjectManager *manager, GDBusObject *object, void *data)
{
  bluez_update (data);
}

static void
interface_changed (GDBusObjectManager *manager, GDBusObject *object, GDBusInterface *interface,
                   void *data)
{
  bluez_update (data);
}

static void
owner_changed (GObject *manager, GParamSpec *spec, void *data)
{
  bluez_update (data);
}

static gboolean
is_under (const char *path, const char *device_path)
{
  return g_str_has_prefix (path, device_path)
         && (path[strlen (device_path)] == '\0' || path[strlen (device_path)] == '/');
}

static void
properties_changed (GDBusObjectManagerClient *manager, GDBusObjectProxy *object,
                    GDBusProxy *interface, GVariant *changed, const char *const *invalidated,
                    void *data)
{
  Bluez *bluez = data;
  const char *path = g_dbus_proxy_get_object_path (interface);
  const char *name = g_dbus_proxy_get_interface_name (interface);
  for (guint i = 0; i < bluez->devices->len; i++) {
    BluezDevice *device = bluez->devices->pdata[i];
    g_autofree char *own = bluez_device_path (bluez, bluez_device_address (device));
    if (own != NULL && is_under (path, own)) {
      bluez_device_changed (device, path, name, changed);
      break;
    }
  }
  /* A reading changes nothing else. */
  if (!g_str_equal (name, BLUEZ_CHARACTERISTIC))
    bluez_update (bluez);
}

static void
manager_made (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  GDBusObjectManager *manager = g_dbus_object_manager_client_new_finish (result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  Bluez *bluez = data;
  if (manager == NULL) {
    g_message ("bluetooth: event=no-manager: %s", error->message);
    if (bluez->bus != NULL)
      g_dbus_connection_close (bluez->bus, NULL, NULL, NULL);
    return;
  }
  if (g_dbus_object_manager_client_get_connection (G_DBUS_OBJECT_MANAGER_CLIENT (manager))
      != bluez->bus) { /* of a bus that is gone */
    g_object_unref (manager);
    return;
  }
  bluez->manager = manager;
  g_signal_connect (manager, "object-added", G_CALLBACK (object_changed), bluez);
  g_signal_connect (manager, "object-removed", G_CALLBACK (object_changed), bluez);
  g_signal_connect (manager, "interface-added", G_CALLBACK (interface_changed), bluez);
  g_signal_connect (manager, "interface-removed", G_CALLBACK (interface_changed), bluez);
  g_signal_connect (manager, "notify::name-owner", G_CALLBACK (owner_changed), bluez);
  g_signal_connect (manager, "interface-proxy-properties-changed", G_CALLBACK (properties_changed),
                    bluez);
  bluez_update (bluez);
}

/* ---- The bus ------------------------------------------------------------------------------- */

/* A switch is turned, the bus comes up: some of it nobody tells. */
static gboolean
retry (void *data)
{
  Bluez *bluez = data;
  if (bluez->bus == NULL && !bluez->connecting)
    bus_connect (bluez);
  else if (bluez->adapter != NULL && bluez->state != BLUEZ_READY)
    power_on (bluez);
  return G_SOURCE_CONTINUE;
}

static void
drop_bus (Bluez *bluez)
{
  if (bluez->manager != NULL)
    g_signal_handlers_disconnect_by_data (bluez->manager, bluez);
  if (bluez->bus != NULL)
    g_signal_handlers_disconnect_by_data (bluez->bus, bluez);
  g_clear_object (&bluez->manager);
  g_clear_object (&bluez->bus);
}

static void
bus_closed (GDBusConnection *bus, gboolean vanished, GError *error, void *data)
{
  Bluez *bluez = data;
  drop_bus (bluez);
  bluez_update (bluez);
}

static void
bus_made (GObject *source, GAsyncResult *result, void *data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *bus = g_dbus_connection_new_for_address_finish (result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  Bluez *bluez = data;
  bluez->connecting = FALSE;
  if (bus == NULL)
    return;
  bluez->bus = bus;
  g_signal_connect (bus, "closed", G_CALLBACK (bus_closed), bluez);
  g_dbus_object_manager_client_new (bus, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START,
                                    BLUEZ_NAME, "/", NULL, NULL, NULL, bluez->life, manager_made,
                                    bluez);
  bluez_update (bluez);
}

/* A connection of our own: the shared one would end the program when the bus goes. */
static void
bus_connect (Bluez *bluez)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, bluez->life, NULL);
  if (address == NULL)
    return;
  bluez->connecting = TRUE;
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                         | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, bluez->life, bus_made, bluez);
}

/* ---- Life ---------------------------------------------------------------------------------- */

Bluez *
bluez_new (BluezChanged changed, void *arg)
{
  Bluez *bluez = g_new0 (Bluez, 1);
  bluez->changed = changed;
  bluez->changed_arg = arg;
  bluez->life = g_cancellable_new ();
  bluez->owner_life = g_cancellable_new ();
  bluez->devices = g_ptr_array_new ();
  bluez->scan = bluez_scan_new (bluez);
  bluez->pairing = bluez_pairing_new (bluez);
  bluez->retry = g_timeout_add_seconds (RETRY_SECONDS, retry, bluez);
  bus_connect (bluez);
  return bluez;
}

void
bluez_free (Bluez *bluez)
{
  g_source_remove (bluez->retry);
  g_clear_handle_id (&bluez->changed_source, g_source_remove);
  bluez_pairing_free (bluez->pairing);
  bluez_scan_free (bluez->scan);
  g_cancellable_cancel (bluez->life);
  g_cancellable_cancel (bluez->owner_life);
  /* Closed, not only let go: BlueZ then forgets what this program asked of it. */
  GDBusConnection *bus = bluez->bus != NULL ? g_object_ref (bluez->bus) : NULL;
  drop_bus (bluez);
  if (bus != NULL) {
    g_dbus_connection_close_sync (bus, NULL, NULL);
    g_object_unref (bus);
  }
  g_object_unref (bluez->life);
  g_object_unref (bluez->owner_life);
  g_ptr_array_unref (bluez->devices);
  g_free (bluez->owner);
  g_free (bluez->adapter);
  g_free (bluez);
}
